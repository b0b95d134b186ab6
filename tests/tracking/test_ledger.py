"""The ledger counts systems, not repetitions; processes write it together."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from truetune.errors import RunError
from truetune.tracking.ledger import Look, looks, systems_seen, write_look


def look(predictions: str, test: str = "t", by: str = "run") -> Look:
    return Look(test, "2026-01-01T00:00:00+00:00", by, predictions, "accuracy", 0.5)


def test_equal_predictions_are_one_system_and_are_written_once(tmp_path: Path) -> None:
    ledger = tmp_path / "runs" / "ledger.jsonl"
    assert looks(ledger) == []
    for predictions in ("a", "b", "a"):
        write_look(ledger, look(predictions))
    write_look(ledger, look("a", by="another run"))
    write_look(ledger, look("c", test="another set"))
    assert [one.predictions for one in looks(ledger, "t")] == ["a", "b", "a"]
    assert systems_seen(looks(ledger, "t")) == 2
    assert len(looks(ledger)) == 4


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "运行 👍", "a\nb"])
def test_a_run_of_any_name_is_one_line(name: str, tmp_path: Path) -> None:
    write_look(tmp_path / "ledger.jsonl", look("a", by=name))
    assert [one.by for one in looks(tmp_path / "ledger.jsonl")] == [name]


def test_an_empty_ledger_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").touch()
    assert looks(tmp_path / "ledger.jsonl") == []


def several(ledger: str, first: int) -> None:
    for number in range(first, first + 20):
        write_look(Path(ledger), look(str(number)))


def test_processes_write_together(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(several, [str(ledger)] * 3, [0, 20, 40]))
    assert {one.predictions for one in looks(ledger)} == set(map(str, range(60)))


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    write_look(ledger, look("a"))
    ledger.write_text(ledger.read_text() + json.dumps({"test": "t"}) + "\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"ledger\.jsonl:2"):
        looks(ledger)
