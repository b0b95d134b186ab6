"""`truetune audit` of a config: its model's tokenizer looks at the texts too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from truetune.cli.main import main
from truetune.workflows.audit_model import frozen_features

WORDS = ("lovely", "brilliant", "warm", "funny", "dull", "tedious", "bad", "boring")


def config_of(folder: Path, model: Path, texts: list[str]) -> Path:
    rows = [json.dumps({"text": text, "label": str(n % 2)}, ensure_ascii=False) for n, text in enumerate(texts)]
    (folder / "data.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    settings = f"task: classification\ndata: {{source: data.jsonl}}\nmodel: {{name: {json.dumps(str(model))}}}\n"
    (folder / "config.yaml").write_text(settings, encoding="utf-8")
    return folder / "config.yaml"


def checks(config: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    main(["audit", str(config), "--json"])
    return {one["check"]: one for one in json.loads(capsys.readouterr().out)["findings"]}


def test_wrong_labels_are_found_by_the_features_of_the_model(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{WORDS[n % 2 * 4]} {WORDS[n % 2 * 4]} film {n}" for n in range(80)]
    file = config_of(tmp_path, tiny_bert, texts)
    rows = [json.loads(line) for line in (tmp_path / "data.jsonl").read_text(encoding="utf-8").splitlines()]
    for turned in (10, 41):
        rows[turned]["label"] = str(1 - int(rows[turned]["label"]))
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    looked: list[int] = []

    def features(*asked: Any) -> Any:
        found = frozen_features(*asked)
        looked.extend(found.shape)
        return found

    monkeypatch.setattr("truetune.workflows.audit.frozen_features", features)
    main(["audit", str(file), "--thorough", "--json"])
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    shown = found["labels that are probably wrong"]["examples"]
    assert {int(one.partition(":")[0]) - 1 for one in shown[:2]} == {10, 41}
    assert looked == [80, 32]


def test_what_the_model_cuts_and_does_not_know(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"a {one} and {other} film" for one in WORDS for other in WORDS if one != other]
    clean = checks(config_of(tmp_path, tiny_bert, texts), capsys)
    assert not {"texts longer than one input", "pieces unknown to the model"} & set(clean)
    faulty = checks(config_of(tmp_path, tiny_bert, [*texts, "a lovely film " * 30, "a ☃ film"]), capsys)
    assert faulty["texts longer than one input"]["count"] == 1
    assert "62 pieces of one input" in str(faulty["texts longer than one input"]["advice"])
    assert faulty["pieces unknown to the model"]["examples"] == ["'☃' (1)"]
    other = checks(config_of(tmp_path, tiny_bert, ["☃ ☂ ☁ " * 15, *texts[:3]]), capsys)
    assert other["model of another language"]["severity"] == "error"


def test_a_guessed_column_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("review,label\na fine film,pos\na dull film,neg\n", encoding="utf-8")
    main(["audit", str(file), "--task", "classification"])
    assert "reviews.csv: guessed `text` from `review`" in capsys.readouterr().err


def test_each_file_has_its_own_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.csv").write_text("review,正/负面\na fine film,1\na dull film,0\n", encoding="utf-8")
    (tmp_path / "test.csv").write_text("review,正负面\nA dull film!,0\nnew,1\n", encoding="utf-8")
    files = [str(tmp_path / "train.csv"), str(tmp_path / "test.csv")]
    main(["audit", *files, "--json", "--fix", str(tmp_path / "clean")])
    said = capsys.readouterr()
    assert "test.csv: guessed `text` from `review`, `label` from `正负面`" in said.err
    found = {one["check"]: one for one in json.loads(said.out)["findings"]}
    assert found["text in two parts"]["count"] == 1
    assert (tmp_path / "clean/train.jsonl").read_text(encoding="utf-8").count("dull") == 0


def test_texts_without_gold_are_looked_at_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.txt").write_text("the very same text\nCafÃ© review\nnew text\nNew text!\n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("The very same text.\nanother one\n", encoding="utf-8")
    files = [str(tmp_path / "train.txt"), str(tmp_path / "test.txt")]
    assert main(["audit", *files, "--json", "--suspects", "--fix", str(tmp_path / "clean")]) == 1
    said = capsys.readouterr()
    assert "texts are looked at alone" in said.err
    checks = {one["check"] for one in json.loads(said.out)["findings"]}
    assert {"text in two parts", "damaged text", "repeated texts"} <= checks
    kept = (tmp_path / "clean/train.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in kept] == ["Café review", "new text"]


def test_labels_that_were_asked_for_are_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "texts.txt").write_text("one text\nanother text\n", encoding="utf-8")
    assert main(["audit", str(tmp_path / "texts.txt"), "--task", "classification"]) == 2
    assert "no column looks like `label`" in capsys.readouterr().err
    assert main(["audit", str(tmp_path / "texts.txt"), "--task", "recommendation"]) == 2
    assert "is only scored" in capsys.readouterr().err


def test_the_training_part_goes_first_however_files_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f'{{"text": "a film of {place} and more", "label": "{"ab"[place % 2]}"}}\n' for place in range(30)]
    test, train = tmp_path / "test.jsonl", tmp_path / "train.jsonl"
    train.write_text("".join(rows), encoding="utf-8")
    test.write_text(rows[3], encoding="utf-8")
    main(["audit", str(test), str(train), "--json"])
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert found["text in two parts"]["parts"] == ["train", "test"]
    assert "the score on test counts" in found["text in two parts"]["advice"]
    main(["audit", str(test), str(train)])
    assert "text in two parts in train, test (1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (("sentence1", "sentence2", "label"), "`first` from `sentence1`, `second` from `sentence2`"),
        (("#1 String", "#2 String", "Quality"), "`second` from `#2 String`, `label` from `Quality`"),
    ],
)
def test_two_texts_are_a_pair(
    columns: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Read as one text, each premise would stand there several times, with different gold."""
    file = tmp_path / "rows.jsonl"
    rows = [
        dict(zip(columns, ("the same premise", f"claim {place}", "yn"[place % 2]), strict=True)) for place in range(20)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    main(["audit", str(file), "--json"])
    said = capsys.readouterr()
    assert told in said.err
    assert json.loads(said.out)["task"] == "pair"
    assert "equal texts, different gold" not in said.out


def test_a_folder_is_read_with_its_training_part_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("dev", "test", "train"):
        row = {"text": "the very same text", "label": "a"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    main(["audit", str(tmp_path), "--json"])
    assert list(json.loads(capsys.readouterr().out)["parts"]) == ["train", "validation", "test"]
