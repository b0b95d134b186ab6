"""Placeholder gold, and predictions that are gold itself."""

from __future__ import annotations

from typing import Any

import pytest

from .planted import classified, found

CASE = classified(1, 200, ("0", "1"))
REFERENCES = [f"The council of district {number} approved its budget for the year." for number in range(60)]


@pytest.mark.parametrize(
    ("task", "gold", "predicted"),
    [
        ("classification", ["-1"] * 200, CASE.predicted),
        ("classification", [0] * 200, CASE.predicted),
        ("classification", [["none"]] * 40, [["a"], ["b"]] * 20),
        ("regression", [-1.0] * 40, [float(number) for number in range(40)]),
        ("ner", [[]] * 40, [[[0, number + 1, "PER"]] for number in range(40)]),
        ("ner", [["O"] * number for number in range(3, 43)], [["B-PER"] * number for number in range(3, 43)]),
        ("qa", [[""]] * 60, REFERENCES),
        ("translation", [["TODO"]] * 60, REFERENCES),
    ],
)
def test_a_constant_fill_is_no_gold(task: str, gold: list[Any], predicted: list[Any]) -> None:
    finding = found(task, gold, predicted)["placeholder gold"]
    assert (finding.severity, finding.count) == ("error", len(gold))


def test_gold_of_one_real_label_is_a_slice_and_varied_gold_is_gold() -> None:
    assert not found("classification", ["positive"] * 60, ["positive", "negative"] * 30)
    assert not found("ner", [[[0, 3, "PER"]]] * 40, [[[0, 3, "PER"]], [], [[0, 3, "LOC"]], []] * 10)
    assert not found("classification", CASE.gold, CASE.predicted)
    assert not found("regression", [float(number % 5) for number in range(40)], [2.0] * 40)


def test_marks_of_examples_without_gold_are_found_among_labels() -> None:
    gold = ["-1" if place % 20 == 0 else label for place, label in enumerate(CASE.gold)]
    finding = found("classification", gold, CASE.predicted)["placeholders in gold"]
    assert (finding.severity, finding.count) == ("warning", 10)
    said = ["-1" if place % 19 == 0 else label for place, label in enumerate(CASE.predicted)]
    assert not found("classification", gold, said), "a system that says -1 knows it as a label"


def test_predictions_that_are_gold_itself_are_too_good() -> None:
    check = "identical to gold"
    assert found("translation", REFERENCES, REFERENCES)[check].severity == "warning"
    assert found("classification", CASE.gold, CASE.gold)[check].severity == "note"
    assert not found("translation", REFERENCES, [*REFERENCES[1:], "Something else."][::-1])
    assert not found("classification", CASE.gold[:49], CASE.gold[:49])
    assert not found("classification", CASE.gold, CASE.predicted)
