"""Evidence that may be looked at all the time: test martingales from p-values, and their product over restarts.

A test martingale begins at 1 and, while the hypothesis holds, grows in no way on average; so it ever reaches 1 / alpha
with chance alpha at most (Ville 1939). Looking at it after every step, and stopping when one likes, costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, isnan, log

import numpy as np


def bet(p_value: float) -> float:
    """Return the e-value of a p-value: the mean of `k * p**(k - 1)` over k from 0 to 1.

    Its mean is 1 at most where the p-value is uniform or larger (Vovk and Wang 2021, Annals of Statistics 49:1736).
    Independent ones may be multiplied. Raises `ValueError` outside of (0, 1].
    """
    if not 0 < p_value <= 1:
        raise ValueError(f"{p_value} is no p-value above 0")
    logarithm = log(p_value)
    if logarithm > -1e-3:  # by its series, where the formula would be 0 / 0
        return 0.5 - logarithm / 6
    return float((1 - p_value + p_value * logarithm) / (p_value * logarithm**2))


@dataclass(frozen=True)
class Evidence:
    """What steps have shown so far against "nothing ever changed", wherever the change may have begun.

    It is the mean of test martingales that begin to bet at step 1, 2, 3..., weighted by 1 / (s * (s + 1)): a test
    martingale itself, which after a quiet time of s steps is behind a fresh one by a factor of about s * (s + 1) only.
    """

    started: float = -inf
    """Logarithm of the weighted sum of those that have begun."""
    steps: int = 0

    def after(self, p_value: float) -> Evidence:
        """Return the evidence after one more p-value; an undefined one (NaN) says nothing and is no step."""
        if isnan(p_value):
            return self
        step = self.steps + 1
        begun = float(np.logaddexp(self.started, -log(step * (step + 1))))
        return Evidence(begun + log(bet(p_value)), step)

    @property
    def logarithm(self) -> float:
        """Of the test martingale."""
        return float(np.logaddexp(self.started, -log(self.steps + 1)))


def mean_evidence(several: list[Evidence]) -> float:
    """Return the mean of test martingales over the same steps, a test martingale too; 1 where there is none."""
    if not several:
        return 1.0
    return exp(min(float(np.logaddexp.reduce([one.logarithm for one in several])) - log(len(several)), 700.0))
