"""Confidence sequences and sequential tests: bounds that hold at all times together, so that they may be watched.

Counts are bet on by the uniform mixture of all alternatives (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021,
Annals of Statistics 49:1055); for what is composite, the likelihood under the hypothesis is taken at its largest, which
only lowers the evidence (Wasserman, Ramdas and Balakrishnan 2020, PNAS 117:16880). Means of bounded numbers: the
empirical Bernstein sequence of Waudby-Smith and Ramdas (2024, JRSS B 86:1, theorem 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt

TINY = 1e-12


def bernoulli_log_e(hits: int, trials: int, share: float) -> float:
    """Return the logarithm of the evidence that the chance of a hit is not `share`, in (0, 1)."""
    return _mixture(hits, trials - hits) - _likelihood((hits, trials - hits), (share, 1 - share))


def bernoulli_sequence(hits: int, trials: int, alpha: float) -> tuple[float, float]:
    """Return bounds of a chance that hold at all times with probability 1 - alpha; (0, 1) before the first trial."""
    if not trials:
        return 0.0, 1.0
    return _bounds(lambda share: bernoulli_log_e(hits, trials, share), hits / trials, (0.0, 1.0), alpha)


def discordant_log_e(gained: int, lost: int) -> float:
    """Return the log evidence that of pairs of which one side is right neither wins half of them: McNemar's test."""
    return bernoulli_log_e(gained, gained + lost, 0.5)


def paired_log_e(gained: int, lost: int, same: int, difference: float) -> float:
    """Return the log evidence that the chances of gain and loss do not differ by `difference`, in (-1, 1)."""
    if difference < 0:
        return paired_log_e(lost, gained, same, -difference)
    total = gained + lost + same
    linear = (gained + lost) * (1 - difference) - 2 * difference * (lost + same)
    root = sqrt(max(linear**2 + 8 * total * lost * difference * (1 - difference), 0.0))
    chance = min(max((linear + root) / (4 * total), 0.0), (1 - difference) / 2)
    rest = 1 - difference - 2 * chance
    return _mixture(gained, lost, same) - _likelihood((gained, lost, same), (chance + difference, chance, rest))


def paired_sequence(gained: int, lost: int, same: int, alpha: float) -> tuple[float, float]:
    """Return bounds of the difference of two accuracies on the same examples, at all times."""
    total = gained + lost + same
    if not total:
        return -1.0, 1.0
    at = (gained - lost) / total
    return _bounds(lambda difference: paired_log_e(gained, lost, same, difference), at, (-1.0, 1.0), alpha)


def unpaired_log_e(first: tuple[int, int], second: tuple[int, int], difference: float) -> float:
    """Return the log evidence that the second chance is not the first plus `difference`; (hits, trials) of both."""
    from scipy import optimize

    counts = (first[0], first[1] - first[0], second[0], second[1] - second[0])
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)

    def against(share: float) -> float:
        return -_likelihood(counts, (share, 1 - share, share + difference, 1 - share - difference))

    least = min(against(low), against(high))
    if high - low > TINY:
        found = optimize.minimize_scalar(against, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
        least = min(least, float(found.fun))
    return _mixture(*counts[:2]) + _mixture(*counts[2:]) + least


def unpaired_sequence(first: tuple[int, int], second: tuple[int, int], alpha: float) -> tuple[float, float]:
    """Return bounds of the second chance less the first, at all times, in whatever order trials of both come."""
    if not (first[1] and second[1]):
        return -1.0, 1.0
    at = second[0] / second[1] - first[0] / first[1]
    return _bounds(lambda difference: unpaired_log_e(first, second, difference), at, (-1.0, 1.0), alpha)


@dataclass(frozen=True)
class BoundedMean:
    """Bounds, at all times, of the mean of numbers in [0, 1]; what it keeps does not grow."""

    alpha: float
    number: int = 0
    total: float = 0.0
    squares: float = 0.0
    """Of the distances from the mean before."""
    weights: float = 0.0
    weighted: float = 0.0
    spent: float = 0.0

    def after(self, value: float) -> BoundedMean:
        """Return the sequence after one more number; raises `ValueError` for one outside of [0, 1]."""
        if not 0 <= value <= 1:
            raise ValueError(f"{value} lies outside of 0 to 1")
        number = self.number + 1
        centre = (0.5 + self.total) / (self.number + 1)
        spread = (0.25 + self.squares) / (self.number + 1)
        weight = min(0.5, sqrt(2 * log(2 / self.alpha) / (spread * number * log(1 + number))))
        now = (0.5 + self.total + value) / (number + 1)
        return BoundedMean(
            self.alpha,
            number,
            self.total + value,
            self.squares + (value - now) ** 2,
            self.weights + weight,
            self.weighted + weight * value,
            self.spent + (value - centre) ** 2 * (-log(1 - weight) - weight),
        )

    @property
    def bounds(self) -> tuple[float, float]:
        """Low and high; (0, 1) before the first number."""
        if not self.number:
            return 0.0, 1.0
        half = (log(2 / self.alpha) + self.spent) / self.weights
        centre = self.weighted / self.weights
        return max(0.0, centre - half), min(1.0, centre + half)


def _mixture(*counts: int) -> float:
    """Return the log likelihood of counts in one order, averaged over all chances alike."""
    from math import lgamma

    return lgamma(len(counts)) + sum(lgamma(one + 1) for one in counts) - lgamma(sum(counts) + len(counts))


def _likelihood(counts: tuple[int, ...], chances: tuple[float, ...]) -> float:
    return sum(count * log(max(chance, 1e-300)) for count, chance in zip(counts, chances, strict=True) if count)


def _bounds(
    evidence: Callable[[float], float], at: float, room: tuple[float, float], alpha: float
) -> tuple[float, float]:
    """Return where the evidence, least at `at` and rising on both sides, reaches 1 / alpha."""
    from scipy import optimize

    limit = log(1 / alpha)
    found = []
    for end in room:
        last = end + (TINY if end < at else -TINY)
        if abs(end - at) <= TINY or evidence(last) < limit:
            found.append(end)
        else:
            found.append(float(optimize.brentq(lambda one: evidence(one) - limit, last, at, xtol=1e-10)))
    return found[0], found[1]
