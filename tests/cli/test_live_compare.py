"""`truetune live-compare`, and what `serve` refuses of its options for live quality."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetune.cli.main import main


def journal(folder: Path, wins: int) -> Path:
    rows = []
    for number in range(wins):
        for arm, label in (("first", "b"), ("shadow", "a")):
            rows.append({"kind": "answer", "id": f"x{number}/0", "model": arm, "arm": arm, "label": label})
        rows.append({"kind": "label", "id": f"x{number}/0", "label": "a"})
    rows.append({"kind": "answer", "id": "open/0", "model": "first", "arm": "first", "label": "a"})
    rows.append({"kind": "answer", "id": "open/0", "model": "shadow", "arm": "shadow", "label": "b"})
    (folder / "journal.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_the_verdict_in_words_and_as_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live-compare", str(journal(tmp_path, 9))]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The second model is shown better, after 8 labels.")
    assert "9 only the second has right, 0 only the first" in said
    assert "open/0" in said
    assert main(["live-compare", str(journal(tmp_path, 3) / "journal.jsonl"), "--language", "zh"]) == 1
    assert "尚未显示差异" in capsys.readouterr().out
    assert main(["live-compare", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "no difference found"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shadow", "x"], "name it: --live DIR"),
        (["--ab", "x"], "name it: --live DIR"),
        (["--live", "x", "--shadow", "x", "--ab", "x"], "exclude each other"),
        (["--live", "x", "--workers", "2"], "kept by one process"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(tmp_path), *options]) == 2
    assert said in capsys.readouterr().err
