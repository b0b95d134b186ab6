from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from truetune.files import read_json, write_json
from truetune.reports.agreement import disagreements
from truetune.reports.page import run_page
from truetune.reports.run import read_run
from truetune.reports.words import say_in

Runs = Callable[[str], Path]
SAY = say_in("en")


@pytest.mark.parametrize("name", ["two-en", "five-zh", "ner-zh", "no-scores-en"])
def test_files_of_one_run_agree(run_folder: Runs, name: str) -> None:
    assert disagreements(SAY, read_run(run_folder(name))) == []


@pytest.mark.parametrize(("name", "metric"), [("two-en", "accuracy"), ("ner-zh", "span_f1")])
def test_stale_predictions_are_found_and_said_on_the_page(
    run_folder: Runs, tmp_path: Path, name: str, metric: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder(name), folder)
    shutil.copy(folder / "before" / "predictions.parquet", folder / "after" / "predictions.parquet")
    found = disagreements(SAY, read_run(folder))
    assert f"After: predictions.parquet gives {metric}" in found[0]
    assert found[0] in run_page(folder, "en")


def test_a_wrong_number_of_examples_and_wrong_flips_are_found(run_folder: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder("two-en"), folder)
    scores = read_json(folder / "after" / "scores.json")
    write_json(folder / "after" / "scores.json", {**scores, "examples": 399})
    comparison = read_json(folder / "comparison.json")
    comparison["comparisons"][0]["gained"] += 1
    write_json(folder / "comparison.json", comparison)
    found = disagreements(SAY, read_run(folder))
    assert len(found) == 2
    assert "holds 400 examples, scores.json was made of 399" in found[0]
    assert "Gained / lost examples" in found[1]
