"""`truetune check` on a run: its validation part, other texts, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from truetune.cli.main import main
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    folder = tmp_path_factory.mktemp("behave")
    words = ("lovely", "dull")
    rows = [{"text": f"The film is {words[place % 2]} {place}.", "label": "ab"[place % 2]} for place in range(120)]
    source = folder / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = {
        "task": "classification",
        "data": {"source": str(source), "validation_share": 0.2},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 1},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }
    return finetune(settings, progress=Progress(quiet=True)).run


def checks(capsys: pytest.CaptureFixture[str], *asked: str) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert main(["check", *asked, "--most", "1", "--json"]) == 0
    return {one["change"]: one for one in json.loads(capsys.readouterr().out)["checks"]}


def test_a_run_is_asked_about_its_validation_part(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = checks(capsys, str(run), "--judged", "a", "b")
    assert found["paraphrase"]["changed"] == found["end"]["changed"] == found["negation"]["changed"] == 24
    assert found["small-letters"]["broken"] == 0, "the tiny model reads small letters only"
    assert found["place"]["rate"] is None
    assert checks(capsys, str(run), "--limit", "5")["end"]["changed"] == 5


def test_what_was_found_stands_in_the_report(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check", str(run), "--judged", "a", "--limit", "20", "--most", "0.5"])
    assert capsys.readouterr().out.endswith(f"{run / 'report.html'}\n")
    saved = read_json(run / "behaviour.json")
    assert (saved["texts"], saved["judged"], saved["most"], saved["source"]) == (20, ["a"], 0.5, None)
    assert (status == 1) == bool(saved["above"])
    assert 'id="behaviour"' in (run / "report.html").read_text(encoding="utf-8")
    assert main(["check", str(run), "--judged", "c"]) == 2
    assert read_json(run / "behaviour.json") == saved, "what is refused changes nothing"


def test_a_model_outside_of_a_run_is_checked_and_nothing_written(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(run / "model", model)
    before = sorted(path.name for path in model.iterdir())
    texts = tmp_path / "texts.txt"
    texts.write_text("a brilliant story\n", encoding="utf-8")
    assert main(["check", str(model), "--data", str(texts), "--most", "1"]) == 0
    assert sorted(path.name for path in model.iterdir()) == before


def test_other_texts_and_the_gate(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("a brilliant story\nwarm\n", encoding="utf-8")
    assert checks(capsys, str(run), "--data", str(texts))["typo"]["changed"] == 1
    status = main(["check", str(run), "--data", str(texts), "--most", "0"])
    said = capsys.readouterr().out
    assert "two neighbouring letters swapped" in said
    assert (status == 1) == ("finding:" in said)


def test_what_cannot_be_checked_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(run / "model")]) == 2
    assert "give texts with --data FILE" in capsys.readouterr().err
    assert main(["check", str(run), "--limit", "0"]) == 2
    assert main(["check", str(run), "--judged", "c"]) == 2
    assert "no label 'c'" in capsys.readouterr().err
