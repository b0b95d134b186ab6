"""One temperature that repairs probabilities: found where it was planted, of no use where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.optimization.diagnosis.calibration import losses, repaired
from truetune.types import Floats, Ints


def drawn(temperature: float, number: int = 4000) -> tuple[Floats, Ints]:
    """Return log-probabilities that are too sure by a temperature, and labels drawn from the true ones."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, (number, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    codes = (rng.random(number)[:, None] > true.cumsum(axis=1)).sum(axis=1)
    said = np.exp(temperature * logits)
    return np.log(said / said.sum(axis=1, keepdims=True)), codes.astype(np.int64)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 4.0])
def test_a_planted_temperature_is_found(temperature: float) -> None:
    gains, found = repaired(*drawn(temperature))
    assert np.exp(np.mean(np.log(found))) == pytest.approx(temperature, rel=0.12)
    assert gains.mean() > 3 * gains.std() / np.sqrt(len(gains))


def test_calibrated_probabilities_have_nothing_to_gain() -> None:
    gains, found = repaired(*drawn(1.0))
    assert found == pytest.approx([1.0, 1.0], rel=0.12)
    assert gains.mean() < 2 * gains.std() / np.sqrt(len(gains))


def test_losses_by_hand() -> None:
    logs = np.log(np.array([[0.8, 0.2]]))
    assert losses(logs, np.array([0]), 1.0) == pytest.approx([-np.log(0.8)])
    # At temperature 2 the odds of 4 are 2, the probability 2/3.
    assert losses(logs, np.array([0]), 2.0) == pytest.approx([-np.log(2 / 3)])
