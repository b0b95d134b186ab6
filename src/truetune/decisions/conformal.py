"""Conformal prediction sets: labels among which the right ones are as often as is promised.

The promise (Vovk et al. 2005): for examples like those of calibration (exchangeable with them), the set holds
the gold label with a probability of at least the level, over both calibration and new examples, whatever the model.
LAC (Sadinle et al. 2019) gives the smallest sets on average; APS (Romano et al. 2020) larger ones where the model is
less sure. Both are deterministic here: the same text, the same set. With a limit for each label (Mondrian, Vovk et al.
2005, section 4.5) the promise holds for the texts of each gold label.

Where a text may have several labels, LAC promises that the set holds all of them, and `fnr` that it holds the level's
share of them on average (conformal risk control of the false negative rate, Angelopoulos et al. 2022, theorem 1). Both
are of texts that have a label: one without any is covered by every set, and would only thin the promise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from truetune.errors import MetricError
from truetune.types import Bools, Floats, Ints

Way = Literal["lac", "aps", "fnr"]
ROOM = 1e-12
"""Equal numbers may differ by so much after their sums."""


@dataclass(frozen=True)
class Conformal:
    """Prediction sets, as they are stored with a model."""

    way: Way
    level: float
    limits: tuple[float, ...]
    """How strange a label of the set may be: one for all labels, or one each in their order; infinite: always in."""

    def sets(self, probabilities: Floats) -> Bools:
        """Return which labels are in the set of each example, `[examples, labels]`."""
        return sets_of(probabilities, self.way, self.limits)

    @property
    def each_label(self) -> bool:
        """Whether every label has a limit, and so a promise, of its own."""
        return len(self.limits) > 1

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: an infinite limit is None."""
        limits = [limit if math.isfinite(limit) else None for limit in self.limits]
        return {"way": self.way, "level": self.level, "limits": limits}


def strangeness(probabilities: Floats, way: Way) -> Floats:
    """Return how strange each label is for each example, `[examples, labels]`.

    `lac` and `fnr`: 1 - its probability. `aps`: the probability of all labels that are more probable than it, so that
    the most probable label is never strange and no set is empty.
    """
    if way != "aps":
        return 1 - probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    found = np.empty_like(before)
    np.put_along_axis(found, order, before, axis=1)
    return found


def sets_of(probabilities: Floats, way: Way, limits: float | tuple[float, ...]) -> Bools:
    """Return which labels are in the set of each example, `[examples, labels]`; `limits` is one, or one a label."""
    return strangeness(probabilities, way) <= np.asarray(limits) + ROOM


def limit_of(probabilities: Floats, gold: Ints, way: Way, level: float) -> float:
    """Return how strange a label of a set may be: the ceil((n + 1) level)-th smallest strangeness of gold.

    `gold` `[examples]` are columns, -1 for a label that the model does not know, which no set can hold. Infinite where
    n examples are too few for the level: then sets hold all labels.
    """
    own = strangeness(probabilities, way)[np.arange(len(gold)), gold]
    return _ranked(np.where(gold < 0, np.inf, own), level)


def limits_by_label(probabilities: Floats, gold: Bools, way: Way, level: float) -> tuple[float, ...]:
    """Return the limit of each label from the examples that have it; `gold` is `[examples, labels]`.

    Infinite for a label of too few examples: it is in every set.
    """
    own = strangeness(probabilities, way)
    return tuple(_ranked(own[gold[:, place], place], level) for place in range(gold.shape[1]))


def limit_of_all(probabilities: Floats, gold: Bools, unknown: Ints, level: float) -> float:
    """Return the limit with which a set holds all gold labels of a text as often as the level says.

    `gold` is `[examples, labels]`; `unknown` `[examples]` counts gold labels that the model does not know.
    """
    some = gold.any(axis=1) | (unknown > 0)
    worst = np.where(gold, strangeness(probabilities, "lac"), -np.inf).max(axis=1, initial=-np.inf)
    return _ranked(np.where(unknown > 0, np.inf, worst)[some], level)


def limit_of_share(probabilities: Floats, gold: Bools, unknown: Ints, level: float) -> float:
    """Return the limit with which a set holds the level's share of a text's gold labels on average.

    The smallest limit at which (sum over texts of the share of gold labels that is missed + 1) / (n + 1) is at most
    1 - level (Angelopoulos et al. 2022, eq. 4, with a loss of 1 at most). Arguments as above.
    """
    _check(level)
    owned = gold.sum(axis=1) + unknown
    some = owned > 0
    rows, places = np.nonzero(gold)
    own, weight = strangeness(probabilities, "fnr")[rows, places], 1 / owned[rows]
    order = np.argsort(own, kind="stable")
    missed = int(some.sum()) - np.cumsum(weight[order])
    enough = np.flatnonzero(missed + 1 <= (1 - level) * (int(some.sum()) + 1) + 1e-9)
    return float(own[order[enough[0]]]) if len(enough) else math.inf


def _ranked(own: Floats, level: float) -> float:
    _check(level)
    rank = math.ceil((len(own) + 1) * level - 1e-9)
    return float(np.sort(own)[rank - 1]) if rank <= len(own) else math.inf


def _check(level: float) -> None:
    if not 0 < level < 1:
        raise MetricError(f"level is {level}; expected a share between 0 and 1, such as 0.9")
