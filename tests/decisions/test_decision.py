"""What is made of probabilities: each step by hand, stored and read again."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from truetune.decisions.calibration import Calibration
from truetune.decisions.conformal import Conformal
from truetune.decisions.decision import Decision, all_right, decision_from

LABELS = ("a", "b", "c")


def predicted(*rows: tuple[float, ...]) -> dict[str, list[object]]:
    return {
        "label": [LABELS[int(np.argmax(row))] for row in rows],
        "scores": [dict(zip(LABELS, row, strict=False)) for row in rows],
    }


ROWS = predicted((0.6, 0.3, 0.1), (0.4, 0.25, 0.35), (0.1, 0.8, 0.1))


def test_nothing_decided_is_what_the_model_says() -> None:
    assert Decision().columns(ROWS, LABELS, False) == ROWS


def test_a_threshold_goes_before_the_most_probable() -> None:
    low = Decision(thresholds={"b": 0.28}).columns(ROWS, LABELS, False)
    assert low["label"] == ["b", "a", "b"]
    high = Decision(thresholds={"b": 0.9}).columns(ROWS, LABELS, False)
    assert high["label"] == ["a", "a", "a"], "below its threshold the next most probable is said; of equals the first"


def test_costs_say_the_least_expected_cost() -> None:
    # Missing c costs 5: of the second row a costs .25 + 1.75, b .4 + 1.75, c .65; of the first a .8, c .9.
    costs = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (5.0, 5.0, 0.0))
    assert Decision(costs=costs).columns(ROWS, LABELS, False)["label"] == ["a", "c", "b"]


def test_costs_by_hand() -> None:
    costs = ((0.0, 1.0), (4.0, 0.0))
    rows = {"label": ["a"], "scores": [{"a": 0.79, "b": 0.21}]}  # a: .21 * 4 = .84; b: .79
    assert Decision(costs=costs).columns(rows, LABELS[:2], False)["label"] == ["b"]


def test_equal_probabilities_after_calibration_are_told_apart_by_the_model() -> None:
    flat = Calibration("isotonic", True, steps=(((0.0, 1.0), (0.5, 0.5)),))
    rows = {"label": ["b", "a"], "scores": [{"a": 0.2, "b": 0.8}, {"a": 0.7, "b": 0.3}]}
    found = Decision(flat).columns(rows, LABELS[:2], False)
    assert found["label"] == ["b", "a"]
    assert found["scores"] == [{"a": 0.5, "b": 0.5}] * 2


def test_unsure_texts_are_left_to_people_and_sets_hold_what_is_plausible() -> None:
    decision = Decision(answer_from=0.5, conformal=Conformal("lac", 0.9, (0.7,)))
    found = decision.columns(ROWS, LABELS, False)
    assert found["answered"] == [True, False, True]
    assert found["prediction_set"] == [["a", "b"], ["a", "c"], ["b"]]
    assert found["label"] == ROWS["label"]


def test_several_labels_have_a_threshold_each() -> None:
    rows = {"labels": [["a"]], "scores": [{"a": 0.6, "b": 0.3, "c": 0.1}]}
    found = Decision(thresholds={"a": 0.7, "b": 0.2, "c": 0.1}).columns(rows, LABELS, True)
    assert found["labels"] == [["b", "c"]]


def test_several_labels_are_answered_where_all_are_sure() -> None:
    decision = Decision(thresholds=dict.fromkeys(LABELS, 0.5), answer_from=0.4, conformal=Conformal("fnr", 0.9, (0.7,)))
    rows = {
        "labels": [["a"], ["a"]],
        "scores": [{"a": 0.9, "b": 0.2, "c": 0.1}, {"a": 0.6, "b": 0.3, "c": 0.9}],
    }
    found = decision.columns(rows, LABELS, True)
    # .9 * .8 * .9 = .648; .6 * .7 * .9 = .378: below .4 a person says.
    assert found["answered"] == [True, False]
    assert found["labels"] == [["a"], ["a", "c"]]
    assert found["prediction_set"] == [["a"], ["a", "b", "c"]]
    assert all_right(np.array([[0.9, 0.2]]), np.array([[True, False]])) == pytest.approx([0.72])


def test_without_thresholds_the_labels_of_the_model_stand() -> None:
    rows = {"labels": [["b"]], "scores": [{"a": 0.9, "b": 0.2, "c": 0.1}]}
    found = Decision(answer_from=0.0, conformal=Conformal("lac", 0.9, (0.05, 0.9, 0.9))).columns(rows, LABELS, True)
    assert found["labels"] == [["b"]]
    assert found["prediction_set"] == [["b", "c"]], "a limit for each label"


def test_no_text_with_several_labels_is_no_answer() -> None:
    decision = Decision(thresholds=dict.fromkeys(LABELS, 0.5), answer_from=0.5, conformal=Conformal("lac", 0.9, (0.5,)))
    found = decision.columns({"labels": [], "scores": []}, LABELS, True)
    assert (found["labels"], found["answered"], found["prediction_set"]) == ([], [], [])


def test_no_text_is_no_answer() -> None:
    decision = Decision(Calibration("temperature", True, 2.0), {"b": 0.5}, answer_from=0.5)
    assert decision.columns({"label": [], "scores": []}, LABELS, False)["answered"] == []


DECISION = Decision(
    Calibration("temperature", True, 1.5), {"b": 0.4}, answer_from=0.6, conformal=Conformal("aps", 0.9, (math.inf,))
)


def test_it_comes_back_from_json() -> None:
    assert decision_from(json.loads(json.dumps(DECISION.to_dict())), LABELS, False) == DECISION


def test_sets_of_several_labels_come_back_too() -> None:
    several = Decision(answer_from=0.5, conformal=Conformal("lac", 0.9, (0.1, math.inf, 0.3)))
    assert decision_from(json.loads(json.dumps(several.to_dict())), LABELS, True) == several


@pytest.mark.parametrize(
    ("change", "multiple", "reason"),
    [
        ({"thresholds": {"d": 0.5}}, False, "thresholds of d"),
        ({"thresholds": {"a": 0.5, "b": 0.5}}, False, "thresholds of a, b"),
        ({"costs": [[0, 1], [1, 0]]}, False, "costs of 2 labels"),
        ({"surprise": 1}, False, "found .*surprise"),
        ({"calibration": Calibration("platt", True).to_dict()}, False, "of other labels"),
        ({"thresholds": {}, "calibration": None}, True, "prediction sets by 'aps'"),
        ({"conformal": {"way": "magic", "level": 0.9, "limits": [1]}}, False, "prediction sets by 'magic'"),
        ({"conformal": {"way": "fnr", "level": 0.9, "limits": [1]}}, False, "prediction sets by 'fnr'"),
        ({"conformal": {"way": "lac", "level": 0.9, "limits": [1, 1]}}, False, "with 2 limits; the model has 3"),
        ({"conformal": {"way": "lac", "level": 0.9, "limits": []}}, False, "with 0 limits"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(change: dict[str, object], multiple: bool, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decision_from({**DECISION.to_dict(), **change}, LABELS, multiple)
