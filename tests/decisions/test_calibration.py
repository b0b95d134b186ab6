"""Calibration: against scikit-learn, by hand, and undone distortions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truetune.decisions.calibration import (
    METHODS,
    Calibration,
    calibration_from,
    fitted_calibration,
    isotonic_steps,
    platt_line,
)
from truetune.errors import MetricError
from truetune.tasks.classify_encoding import sigmoid, softmax
from truetune.types import Bools, Floats


def drawn(examples: int, labels: int, seed: int = 0) -> tuple[Floats, Bools]:
    """Return logits and gold that is drawn from their own softmax: calibrated by construction."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, size=(examples, labels))
    places = (softmax(logits).cumsum(axis=1) > rng.random((examples, 1))).argmax(axis=1)
    return logits, np.eye(labels, dtype=np.bool_)[places]


def loss(probabilities: Floats, gold: Bools) -> float:
    return float(-np.log(probabilities[gold]).mean())


@pytest.mark.parametrize("labels", [2, 4])
def test_a_temperature_that_was_put_in_is_found(labels: int) -> None:
    logits, gold = drawn(20_000, labels)
    found = fitted_calibration("temperature", softmax(logits * 3), gold, True)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert found.applied(softmax(logits * 3)) == pytest.approx(softmax(logits * 3 / found.temperature))


def test_a_temperature_of_independent_labels_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size=(10_000, 3))
    gold = rng.random(logits.shape) < sigmoid(logits)
    assert fitted_calibration("temperature", sigmoid(logits * 2.5), gold, False).temperature == pytest.approx(
        2.5, rel=0.05
    )


def test_the_temperature_is_the_best_of_all() -> None:
    logits, gold = drawn(300, 3)
    probabilities = softmax(logits * 2)
    found = fitted_calibration("temperature", probabilities, gold, True)
    best = loss(found.applied(probabilities), gold)
    others = [loss(Calibration("temperature", True, one).applied(probabilities), gold) for one in np.geomspace(0.1, 9)]
    assert best <= min(others) + 1e-9


def test_platt_is_that_of_scikit_learn() -> None:
    from sklearn.calibration import _sigmoid_calibration

    rng = np.random.default_rng(1)
    logit = rng.normal(0, 3, 400)
    gold = rng.random(400) < sigmoid(0.5 * logit - 1)
    slope, offset = platt_line(sigmoid(logit), gold)
    theirs = _sigmoid_calibration(logit, gold)  # p = 1 / (1 + exp(a x + b))
    assert (slope, offset) == pytest.approx((-theirs[0], -theirs[1]), rel=1e-3)


def test_platt_of_a_perfect_order_has_an_end() -> None:
    slope, offset = platt_line(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert np.isfinite([slope, offset]).all()
    assert 0 < slope < 10


def test_isotonic_is_that_of_scikit_learn() -> None:
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(2)
    probability = rng.random(500).round(2)
    gold = rng.random(500) < probability**2
    places, values = isotonic_steps(probability, gold)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(probability, gold).predict(np.linspace(0, 1, 101))
    least = 1 / 502
    assert np.interp(np.linspace(0, 1, 101), places, values) == pytest.approx(
        np.clip(theirs, least, 1 - least), abs=1e-6
    )


def test_isotonic_by_hand() -> None:
    # .3 is a miss behind the hit of .2, so the two are one step of 1/2; 5 + 2 examples leave 1/7 at the ends.
    probability = np.array([0.1, 0.2, 0.3, 0.8, 0.9])
    gold = np.array([False, True, False, True, True])
    places, values = isotonic_steps(probability, gold)
    assert places == (0.1, 0.2, 0.3, 0.8, 0.9)
    assert values == pytest.approx((1 / 7, 0.5, 0.5, 6 / 7, 6 / 7))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("labels", [2, 4])
def test_an_overconfident_model_gets_better_on_examples_it_was_not_fitted_on(method: str, labels: int) -> None:
    logits, gold = drawn(4_000, labels)
    said = softmax(logits * 3)
    found = fitted_calibration(method, said[:2000], gold[:2000], True)  # type: ignore[arg-type]
    after = found.applied(said[2000:])
    assert after.sum(axis=1) == pytest.approx(np.ones(2000))
    assert loss(after, gold[2000:]) < loss(said[2000:], gold[2000:]) - 0.1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("exclusive", [True, False])
def test_it_comes_back_from_json(method: str, exclusive: bool) -> None:
    logits, gold = drawn(200, 3)
    said = softmax(logits)
    found = fitted_calibration(method, said, gold, exclusive)  # type: ignore[arg-type]
    stored = json.loads(json.dumps(found.to_dict()))
    assert calibration_from(stored) == found
    assert (calibration_from(stored).applied(said) == found.applied(said)).all()


@given(st.sampled_from(METHODS), st.integers(2, 4), st.integers(0, 10_000))
@example("isotonic", 3, 1714)
def test_whatever_goes_in_probabilities_come_out(method: str, labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, rng.choice([0.1, 5, 400]), size=(12, labels))
    gold = np.eye(labels, dtype=np.bool_)[rng.integers(0, labels, 12)]
    found = fitted_calibration(method, softmax(logits), gold, True)  # type: ignore[arg-type]
    after = found.applied(softmax(rng.normal(0, 400, size=(30, labels))))
    assert ((after >= 0) & (after <= 1)).all()
    assert after.sum(axis=1) == pytest.approx(np.ones(30))


def test_nothing_to_fit_on_is_refused() -> None:
    with pytest.raises(MetricError, match="no example to fit"):
        fitted_calibration("platt", np.zeros((0, 2)), np.zeros((0, 2), dtype=np.bool_), True)


@pytest.mark.parametrize("change", [{"method": "magic"}, {"temperature": 0.0}, {"more": 1}, {"steps": [[[0.1], []]]}])
def test_what_is_no_calibration_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        calibration_from({**Calibration("temperature", True).to_dict(), **change})
