"""The reference that a run leaves in its bundle, and `truetune drift` against it: texts, predictions, pages."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.run_folder import RunFolder
from truetune.cli.main import main
from truetune.data.dataset import Dataset
from truetune.files import read_json, write_text
from truetune.live.reference import read_reference
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

WORDS = ["lovely", "great", "dull", "bad", "film", "story", "plot", "warm", "boring"]


def english(number: int, rng: random.Random) -> list[str]:
    return [" ".join(rng.choices(WORDS, k=rng.randint(3, 12))) + f" {place}" for place in range(number)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> RunFolder:
    folder = tmp_path_factory.mktemp("run")
    rng = random.Random(0)
    lines = [f"{'good' if rng.random() < 0.5 else 'bad'}\t{text}" for text in english(240, rng)]
    write_text(folder / "reviews.txt", "\n".join(lines) + "\n")
    settings = {
        "task": "classification",
        "data": {"source": str(folder / "reviews.txt"), "validation_share": 0.4, "test_share": 0.2},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 1},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }
    return RunFolder(finetune(settings, progress=Progress(quiet=True)).run)


def written(file: Path, rows: list[dict[str, Any]]) -> str:
    write_text(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(file)


def test_the_reference_is_the_validation_part_and_holds_no_text(run: RunFolder) -> None:
    part = Dataset.open(run.data("validation"))
    found = read_reference(run.model)
    said = truetune.load(run.path).predict(part.column("text"))
    labels = [one["label"] for one in said]
    assert found.examples == len(part)
    assert found.counts["label"] == {label: labels.count(label) for label in set(labels)}
    right = sum(label == gold for label, gold in zip(labels, part.column("label"), strict=True))
    assert found.right == (right, len(part))
    assert found.counts["script"] == {"Latin": len(part)}
    stored = (run.model / "reference.json").read_text(encoding="utf-8")
    assert not [word for word in WORDS if f'"{word}"' in stored and word not in ("bad", "good")]


def test_texts_like_validation_are_fine_and_chinese_ones_are_not(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = written(tmp_path / "same.jsonl", [{"text": text} for text in english(80, random.Random(5))])
    assert main(["drift", str(run.path), same, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["drift"] is False
    other = written(tmp_path / "other.jsonl", [{"text": f"中国人民银行在上海 {place}"} for place in range(40)])
    page = tmp_path / "page.html"
    assert main(["drift", str(run.model), other, "--html", str(page), "--language", "zh"]) == 1
    assert "Drift is shown" in capsys.readouterr().out
    html = page.read_text(encoding="utf-8")
    assert "已显示漂移" in html
    assert "中国人民银行" not in html


def test_predictions_alone_are_held_against_it(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = truetune.load(run.path).predict(english(60, random.Random(6)))
    same = written(tmp_path / "same.jsonl", said)
    assert main(["drift", str(run.path), same, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["feature"] for one in found["features"]] == ["label", "confidence"]
    sure = [{"label": "good", "scores": {"good": 0.999, "bad": 0.001}}] * 60
    assert main(["drift", str(run.path), written(tmp_path / "sure.jsonl", sure), "--json"]) == 1
    capsys.readouterr()
    for row, why in (({"label": "else"}, "no label 'else'"), ({"x": 1}, "neither the inputs")):
        assert main(["drift", str(run.path), written(tmp_path / "wrong.jsonl", [row])]) == 2
        assert why in capsys.readouterr().err


def test_an_older_bundle_gets_its_reference_from_its_run(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    file = run.model / "reference.json"
    before = read_json(file)
    file.unlink()
    assert main(["drift", str(run.path), "nothing.jsonl"]) == 2
    assert "has no reference.json" in capsys.readouterr().err
    assert main(["drift", str(run.path), "--reference"]) == 0
    assert read_json(file) == before
    assert main(["drift", str(run.path)]) == 2
    assert "no file was given" in capsys.readouterr().err
