"""Whether probabilities say how often answers are right, and what one temperature would repair."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from truetune.optimization.diagnosis.cause import CALIBRATION, Cause, Gain
from truetune.optimization.diagnosis.evidence import Evidence
from truetune.stats.quantiles import normal_quantile
from truetune.types import Floats, Ints

TEMPERATURES = tuple(float(one) for one in np.geomspace(0.25, 8.0, 61))
REPAIRED = 0.2
"""Share of the log-loss that a temperature must take away."""


def miscalibrated(evidence: Evidence) -> Iterator[Cause]:
    """Yield miscalibration where one temperature, chosen on other examples, makes the log-loss clearly less."""
    codes = evidence.codes("validation")
    known = codes >= 0
    if known.sum() < 50:
        return
    logs = np.log(np.maximum(evidence.probabilities("validation")[known], 1e-12))
    gains, temperatures = repaired(logs, codes[known])
    before = float(losses(logs, codes[known], 1.0).mean())
    value, error = float(gains.mean()), float(gains.std(ddof=1)) / sqrt(len(gains))
    reach = normal_quantile((1 + evidence.level) / 2) * error
    if value - reach <= 0 or value < REPAIRED * before:
        return
    temperature = float(np.exp(np.mean(np.log(temperatures))))
    sure = np.exp(logs.max(axis=1)).mean()
    right = (logs.argmax(axis=1) == codes[known]).mean()
    yield Cause(
        CALIBRATION,
        (
            f"answers are given with a mean probability of {sure:.3f}, and {right:.3f} of them are right",
            f"divided by a temperature of {temperature:.2f} the logits give a log-loss of {before - value:.3f} instead "
            f"of {before:.3f}",
        ),
        Gain(
            "log_loss",
            value,
            value - reach,
            value + reach,
            "by a temperature that was chosen on the other half of validation; the score itself stays as it is",
        ),
    )


def repaired(logs: Floats, codes: Ints) -> tuple[Floats, list[float]]:
    """Return how much less the loss of each example is, and both temperatures; each half has that of the other.

    `logs` `[examples, labels]` are logarithms of probabilities; scaling them and norming again is scaling the logits.
    """
    half = np.random.default_rng(0).permutation(len(codes)) % 2 == 0
    gains, chosen = np.zeros(len(codes)), []
    for inside in (half, ~half):
        best = min(TEMPERATURES, key=lambda one: float(losses(logs[~inside], codes[~inside], one).mean()))
        chosen.append(best)
        own = logs[inside], codes[inside]
        gains[inside] = losses(*own, 1.0) - losses(*own, best)
    return gains, chosen


def losses(logs: Floats, codes: Ints, temperature: float) -> Floats:
    """Return the log-loss of each example, `[examples]`, with logits divided by a temperature."""
    scaled = logs / temperature
    top = scaled.max(axis=1, keepdims=True)
    norms = top[:, 0] + np.log(np.exp(scaled - top).sum(axis=1))
    found: Floats = norms - scaled[np.arange(len(codes)), codes]
    return found
