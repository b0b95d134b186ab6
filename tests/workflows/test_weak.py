"""Weak slices and kinds of errors in a run, its page, and on the command line."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from truetune.cli.main import main
from truetune.files import read_json
from truetune.reports.page import run_page
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress


def rows(number: int) -> list[dict[str, str]]:
    """Return texts whose label is what they say, but in one in four, marked by a word, it is a coin."""
    rng = random.Random(0)
    found = []
    for place in range(number):
        good, odd = rng.random() < 0.5, rng.random() < 0.25
        words = [rng.choice(["lovely", "brilliant"] if good else ["dull", "boring"]), "film", str(place)]
        label = rng.choice(["pos", "neg"]) if odd else ("pos" if good else "neg")
        found.append({"id": str(place), "text": " ".join([*words, "Paris" if odd else "story"]), "label": label})
    return found


def test_a_run_says_where_it_is_worst(tmp_path: Path, tiny_bert: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(700)), encoding="utf-8")
    settings = {
        "task": "classification",
        "data": {"source": str(source), "validation_share": 0.1, "test_share": 0.6},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 4, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    run = finetune(settings, progress=Progress(quiet=True)).run
    found = read_json(run / "after" / "weak.json")
    assert found["loss"] == "wrong"
    assert {"what": "word", "value": "paris"} in found["slices"][0]["rule"]
    assert found["slices"][0]["shown"]
    page, chinese = run_page(run, "en"), run_page(run, "zh")
    assert "the word “paris”" in page
    assert "含“paris”" in chinese
    assert "pos taken for neg" in page
    assert "把 pos 当作 neg" in chinese


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Gold, and a system that errs where the word Paris stands."""
    gold = rows(600)
    said = [
        {"id": row["id"], "label": "pos" if "Paris" in row["text"] or row["label"] == "pos" else "neg"} for row in gold
    ]
    names = []
    for name, some in (("gold", gold), ("said", said)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
        names.append(str(path))
    return ["evaluate", "--task", "classification", "--gold", names[0], "--predicted", names[1], "--resamples", "200"]


def test_evaluate_finds_and_tests_slices(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "--weak", "--slice", "label", "--json", "--html", str(tmp_path / "page.html")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"what": "word", "value": "paris"} in found["weak"]["slices"][0]["rule"]
    rest = {part["value"]: part["against_rest"] for part in found["slices"]}
    assert rest["neg"]["difference"] < 0 < rest["pos"]["difference"]
    assert rest["neg"]["p_adjusted"] == pytest.approx(rest["neg"]["p_value"]), "two slices that are each other's rest"
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Where it is worst" in page
    assert "Against the rest" in page
    assert main([*files, "--weak", "--slice", "length"]) == 0
    said = capsys.readouterr().out
    assert "word paris" in said
    assert "length = 0011-0020" in said
