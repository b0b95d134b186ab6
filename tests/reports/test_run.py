from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from truetune.errors import RunError
from truetune.files import read_json, write_json
from truetune.reports.run import read_run


def test_a_whole_run(run_folder: Callable[[str], Path]) -> None:
    run = read_run(run_folder("two-en"))
    assert (run.name, run.task, run.primary) == ("two-en", "classification", "accuracy")
    assert [system.role for system in run.systems] == ["before", "after"]
    assert {system.name for system in run.baselines} == {"majority", "frozen-linear", "tfidf-linear"}
    assert run.after is not None
    assert run.after.predictions is not None
    assert len(run.after.predictions) == 400
    assert run.after.score("no such metric") is None


def test_an_unfinished_run_has_what_it_has(run_folder: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    shutil.copytree(run_folder("two-en"), folder)
    for part in ("after", "baselines"):
        shutil.rmtree(folder / part)
    for part in ("verdict.json", "comparison.json", "data.json", "audit.json"):
        (folder / part).unlink()
    run = read_run(folder)
    assert (run.after, run.baselines, run.verdict, run.comparison, run.data, run.audit) == (
        None,
        (),
        None,
        None,
        None,
        None,
    )
    assert run.primary == "accuracy"


def test_of_several_comparisons_the_one_with_before_is_taken(run_folder: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder("two-en"), folder)
    saved = read_json(folder / "comparison.json")
    others = [{**one, "baseline": "majority", "difference": 0.9} for one in saved["comparisons"]]
    write_json(folder / "comparison.json", {**saved, "comparisons": [*others, *saved["comparisons"]]})
    assert read_run(folder).compared == {one["metric"]: one for one in saved["comparisons"]}


def test_no_folder_and_no_run_are_errors(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"not a run folder: neither manifest\.json nor config\.yaml"):
        read_run(tmp_path)


def test_a_broken_json_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("task: classification\n", encoding="utf-8")
    (tmp_path / "verdict.json").write_text('{"lines": ', encoding="utf-8")
    with pytest.raises(RunError, match=r"verdict\.json: cannot be read as JSON"):
        read_run(tmp_path)
