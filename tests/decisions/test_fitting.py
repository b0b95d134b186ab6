"""Fitting as the config asks: what is refused, what is fitted on which examples, and what is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from truetune.config import Decide
from truetune.decisions.fitting import check, fitted
from truetune.decisions.known import Known
from truetune.errors import ConfigError
from truetune.stats.plan import Plan
from truetune.tasks.classify_encoding import softmax

PLAN = Plan(resamples=200)


def known(examples: int = 400, labels: int = 3, multiple: bool = False, groups: bool = False) -> Known:
    """Return an overconfident model."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size=(examples, labels))
    if multiple:
        gold = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
        probabilities = 1 / (1 + np.exp(-2 * logits))
    else:
        gold = np.eye(labels, dtype=np.bool_)[
            (softmax(logits).cumsum(axis=1) > rng.random((examples, 1))).argmax(axis=1)
        ]
        probabilities = softmax(3 * logits)
    names = tuple("abcdef"[:labels])
    return Known(names, multiple, probabilities, gold, np.arange(examples) // 4 if groups else None)


def fit(settings: dict[str, Any], examples: Known | None = None) -> Any:
    return fitted(Decide.model_validate(settings), examples or known(), 0.5, PLAN)


def test_what_is_fitted_and_what_is_promised_rest_on_other_examples() -> None:
    found = fit({"calibrate": "temperature", "conformal": "lac", "abstain": "risk", "risk": 0.1})
    assert (found.record["fitted_on"], found.record["promised_on"]) == (200, 200)
    alone = fit({"conformal": "lac"})
    assert (alone.record["fitted_on"], alone.record["promised_on"]) == (0, 400)
    assert json.loads(json.dumps(found.record)) == found.record


def test_groups_are_not_cut() -> None:
    found = fit({"calibrate": "platt", "conformal": "aps"}, known(groups=True))
    assert found.record["fitted_on"] == found.record["promised_on"] == 200
    assert any("examples of one group are alike" in one for one in found.record["warnings"])
    floor = {"threshold": "precision", "label": "b", "floor": 0.5}
    for settings, warned in (({**floor, "sure": 0.9}, True), (floor, False)):
        warnings = fit(settings, known(labels=2, groups=True)).record["warnings"]
        assert any("examples of one group are alike" in one for one in warnings) is warned


def test_the_temperature_and_the_set_are_those_of_the_parts() -> None:
    found = fit({"calibrate": "temperature"})
    assert found.decision.calibration is not None
    assert found.decision.calibration.temperature == pytest.approx(3, rel=0.2)
    few = fit({"conformal": "lac", "level": 0.999}, known(50))
    assert few.record["conformal"]["limits"] == [None], "50 examples cannot promise 99.9 %: every label is in"
    assert any("rests on 50 validation examples" in one for one in few.record["warnings"])


def test_costs_of_two_labels_choose_a_threshold_and_of_three_weigh_probabilities() -> None:
    two = fit({"threshold": "cost", "costs": {"b": {"a": 9}}}, known(labels=2))
    assert 0 < two.decision.thresholds["b"] < 0.3
    assert two.record["thresholds"][0]["missed_cost"] == 9
    three = fit({"threshold": "cost", "costs": {"b": {"a": 9}}})
    assert three.decision.costs == ((0, 1, 1), (9, 0, 1), (1, 1, 0))
    assert "set decide.calibrate" in three.record["warnings"][0]


def test_several_labels_have_their_thresholds() -> None:
    several = known(multiple=True)
    found = fit({"threshold": "recall", "floor": 0.95}, several)
    assert list(found.decision.thresholds) == ["a", "b", "c"]
    said = several.probabilities >= np.array(list(found.decision.thresholds.values()))
    assert ((said & several.gold).sum(axis=0) / several.gold.sum(axis=0) >= 0.95).all()
    costs = fit({"threshold": "cost", "costs": {"a": {"missed": 20}}}, several)
    assert costs.decision.thresholds["a"] < costs.decision.thresholds["b"]


def test_the_threshold_of_the_metric_is_calibrated_with_the_probabilities() -> None:
    several = known(multiple=True)
    found = fitted(Decide(calibrate="temperature"), several, 0.7, PLAN)
    names = list(several.labels)
    rows = {
        "labels": [[] for _ in several.gold],
        "scores": [dict(zip(names, row, strict=True)) for row in several.probabilities.tolist()],
    }
    after = found.decision.columns(rows, names, True)["labels"]
    assert after == [
        [name for name, on in zip(names, row, strict=True) if on] for row in (several.probabilities >= 0.7).tolist()
    ]


def test_a_risk_that_cannot_be_kept_leaves_all_to_people() -> None:
    found = fit({"abstain": "risk", "risk": 0.01, "sure": 0.99}, known(60))
    told = found.record["abstention"]
    assert (told["by"], told["risk"], told["sure"]) == ("risk", 0.01, 0.99)
    assert "every text is left to people" in told["reason"]
    rows = {"label": ["a"], "scores": [{"a": 1.0, "b": 0.0, "c": 0.0}]}
    assert found.decision.columns(rows, "abc", False)["answered"] == [False]


def test_several_labels_are_promised_on_the_other_half() -> None:
    several = known(multiple=True)
    found = fit({"calibrate": "platt", "conformal": "fnr", "abstain": "risk", "risk": 0.4}, several)
    assert (found.record["fitted_on"], found.record["promised_on"]) == (200, 200)
    told = found.record["conformal"]
    assert told["examples"] < 200, "texts without a label are no part of the promise"
    assert (told["several"], told["each_label"], told["gold"]) == (True, False, None)
    assert json.loads(json.dumps(found.record)) == found.record


def test_an_abstention_of_several_labels_counts_whole_texts() -> None:
    several = known(multiple=True)
    found = fit({"abstain": "coverage", "coverage": 0.5}, several)
    said = several.probabilities >= 0.5
    sure = np.where(said, several.probabilities, 1 - several.probabilities).prod(axis=1)
    answered = sure >= found.decision.answer_from
    right = (said == several.gold).all(axis=1)
    assert answered.mean() == pytest.approx(0.5, abs=0.003)
    assert found.record["abstention"]["risk"] == pytest.approx((~right[answered]).mean())
    assert right[answered].mean() > right.mean() + 0.1


def test_a_gold_label_that_the_model_does_not_know_is_a_miss() -> None:
    several = known(multiple=True)
    strange = replace(several, unknown=np.ones(400, dtype=np.int64))
    assert fit({"conformal": "lac"}, strange).record["conformal"]["limits"] == [None]
    assert fit({"conformal": "fnr", "level": 0.9}, strange).record["conformal"]["limits"] == [None]
    left = fit({"abstain": "risk", "risk": 0.5}, strange)
    assert "every text is left to people" in left.record["abstention"]["reason"]


def test_a_promise_for_each_label_names_those_with_too_few_examples() -> None:
    one = known()
    rare = replace(one, gold=np.where(one.gold[:, [1]] & (np.arange(400) > 40)[:, None], np.eye(3)[0] > 0, one.gold))
    found = fit({"conformal": "aps", "each_label": True, "level": 0.95}, rare)
    assert 0 < found.record["conformal"]["gold"]["b"] < 19
    assert found.record["conformal"]["always"] == ["b"]
    assert found.record["conformal"]["limits"][1] is None
    assert "in every prediction set: b" in found.record["warnings"][-1]


def test_a_coverage_is_reached_on_validation() -> None:
    found = fit({"abstain": "coverage", "coverage": 0.6})
    assert found.record["abstention"]["coverage"] == pytest.approx(0.6, abs=0.003)
    assert (known().probabilities.max(axis=1) >= found.decision.answer_from).mean() == pytest.approx(0.6, abs=0.003)


@pytest.mark.parametrize(
    ("settings", "labels", "multiple", "head", "reason"),
    [
        ({"calibrate": "platt"}, "ab", False, "tag", "this task has none"),
        ({"conformal": "aps"}, "ab", True, "classify", r"use lac .* or fnr"),
        ({"conformal": "fnr"}, "ab", False, "classify", "here a text has one; use lac or aps"),
        ({"threshold": "f1"}, "ab", False, "classify", "name it: decide.label, one of a, b"),
        ({"threshold": "f1", "label": "c"}, "ab", False, "classify", "no label 'c'"),
        ({"threshold": "f1", "label": "a"}, "ab", True, "classify", "every label has its threshold"),
        ({"threshold": "cost", "costs": {"a": {"x": 1}}}, "ab", False, "classify", "no label 'x'"),
        ({"threshold": "cost", "costs": {"a": {"a": 2}}}, "ab", False, "classify", "costs more than a wrong one"),
        ({"threshold": "cost", "costs": {"a": {"b": 2}}}, "ab", True, "classify", "found 'b'"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    settings: dict[str, Any], labels: str, multiple: bool, head: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        check(Decide.model_validate(settings), tuple(labels), multiple, head)


@pytest.mark.parametrize("examples", [0, 1])
def test_too_little_validation_is_refused(examples: int) -> None:
    with pytest.raises(ConfigError, match=r"give (more )?validation examples"):
        fit({"calibrate": "platt", "conformal": "lac"}, known(examples))
