"""The order of causes, and what is read off the events of a training."""

from __future__ import annotations

import math

import pytest

from truetune.optimization.diagnosis.cause import NAMES, Cause, Gain, in_order
from truetune.optimization.diagnosis.curve import curve_of


def cause(name: str, value: float | None = None, low: float = math.nan) -> Cause:
    gain = None if value is None else Gain("accuracy", value, low, value + 0.1, "made up")
    return Cause(name, ("made up",), gain)


def test_repeats_lead_then_what_is_shown_then_what_may_be_then_symptoms() -> None:
    ordered = in_order(
        [
            cause("miscalibration", 0.9, 0.8),
            cause("weak labels", 0.3),
            cause("label imbalance"),
            cause("too few examples", 0.02, 0.01),
            cause("over-fitting"),
            cause("learning rate too high", 0.2, 0.1),
            cause("inputs cut short", 0.25, -0.01),
            cause("repeated examples"),
        ]
    )
    assert [one.name for one in ordered] == [
        "repeated examples",
        "learning rate too high",
        "too few examples",
        "inputs cut short",
        "label imbalance",
        "over-fitting",
        "weak labels",
        "miscalibration",
    ]
    assert len(NAMES) == len(set(NAMES))


def test_an_unknown_bound_is_no_number_in_json() -> None:
    gain = cause("weak labels", 0.3).gain
    assert gain is not None
    assert gain.to_dict() == {"metric": "accuracy", "value": 0.3, "low": None, "high": 0.4, "how": "made up"}


def test_a_curve_by_hand() -> None:
    steps = [{"event": "step", "step": place, "loss": 2.0 - 0.05 * place, "seconds": 0.5} for place in range(1, 21)]
    evaluations = [
        {"event": "evaluation", "step": 10, "epoch": 1, "scores": {"accuracy": 0.7, "log_loss": 0.6}, "best": True},
        {"event": "evaluation", "step": 20, "epoch": 2, "scores": {"accuracy": 0.6, "log_loss": 0.9}, "best": False},
    ]
    curve = curve_of([*steps, *evaluations, {"event": "hardware", "step": 20}])
    assert curve.first_loss == pytest.approx(1.95)  # one step of twenty
    assert curve.last_loss == pytest.approx((1.05 + 1.0) / 2)  # two of twenty
    assert curve.left == pytest.approx(1.025 / 1.95)
    assert curve.seconds == 10.0
    assert curve.best == 0
    assert curve.log_losses() == [0.6, 0.9]
    assert math.isnan(curve_of([]).left)
