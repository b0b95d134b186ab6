"""Are two chances equal? Evidence from trials of both, as they come; the level of the chances costs nothing.

A block is closed when it has trials of both arms. For guesses p and q of the two chances, made before it, the
likelihood of its outcomes under p and q over that under their mean, weighted by the trials of each arm, is an e-value
for whatever common chance there is (Turner, Ly and Gruenwald 2024, Generic E-variables for exact sequential k-sample
tests, theorem 1). Blocks multiply. Guesses are the share of hits before the block, moved apart by each of several
differences; the mean over these is the evidence.
"""

from __future__ import annotations

from math import log

import numpy as np

APART = (0.02, 0.05, 0.1, 0.2, 0.4)
DIFFERENCES = tuple(sign * one for one in APART for sign in (-1, 1))
"""Second chance less the first, as guessed."""
EDGE = 0.001
"""How near to 0 and 1 a guess may be."""


class TwoArms:
    """Trials of two arms; which arm is next must not depend on the outcome of that trial."""

    def __init__(self) -> None:
        self._past = [0, 0]
        self._block = {False: [0, 0], True: [0, 0]}
        self._logs = [0.0] * len(DIFFERENCES)

    def after(self, second: bool, hit: bool) -> float:
        """Take in one trial of the first or the second arm; return the log evidence that the chances differ."""
        counts = self._block[second]
        counts[0] += hit
        counts[1] += 1
        if self._block[False][1] and self._block[True][1]:
            self._close()
        return self.logarithm

    @property
    def logarithm(self) -> float:
        """Of the evidence so far; blocks that are not closed say nothing yet."""
        return float(np.logaddexp.reduce(self._logs)) - log(len(self._logs))

    def _close(self) -> None:
        level = (self._past[0] + 1) / (self._past[1] + 2)
        first, second = self._block[False], self._block[True]
        for place, difference in enumerate(DIFFERENCES):
            self._logs[place] += log_e_value(first, second, guesses(level, difference, first[1], second[1]))
        for counts in (first, second):
            self._past = [self._past[0] + counts[0], self._past[1] + counts[1]]
            counts[:] = 0, 0


def guesses(level: float, difference: float, first: int, second: int) -> tuple[float, float]:
    """Return two chances that lie `difference` apart, with `level` as their mean over so many trials of each."""
    share = second / (first + second)
    low, high = level - difference * share, level + difference * (1 - share)
    return min(max(low, EDGE), 1 - EDGE), min(max(high, EDGE), 1 - EDGE)


def log_e_value(first: list[int], second: list[int], guessed: tuple[float, float]) -> float:
    """Return the logarithm of a block's e-value, from [hits, trials] of both arms."""
    p, q = guessed
    mean = (first[1] * p + second[1] * q) / (first[1] + second[1])
    total = 0.0
    for (hits, trials), chance in ((first, p), (second, q)):
        total += hits * log(chance / mean) + (trials - hits) * log((1 - chance) / (1 - mean))
    return total
