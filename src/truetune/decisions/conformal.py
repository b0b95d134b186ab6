"""Split-conformal prediction sets: labels of which the right one is among them as often as is promised.

The promise (Vovk et al. 2005): for examples like those of calibration (exchangeable with them), the set holds
the gold label with a probability of at least the level, over both calibration and new examples, whatever the model.
LAC (Sadinle et al. 2019) gives the smallest sets on average; APS (Romano et al. 2020) larger ones where the model is
less sure. Both are deterministic here: the same text, the same set.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from truetune.errors import MetricError
from truetune.types import Bools, Floats, Ints

Way = Literal["lac", "aps"]
ROOM = 1e-12
"""Equal numbers may differ by so much after their sums."""


def strangeness(probabilities: Floats, way: Way) -> Floats:
    """Return how strange each label is for each example, `[examples, labels]`.

    `lac`: 1 - its probability. `aps`: the probability of all labels that are more probable than it, so that the
    most probable label is never strange and no set is empty.
    """
    if way == "lac":
        return 1 - probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    found = np.empty_like(before)
    np.put_along_axis(found, order, before, axis=1)
    return found


def limit_of(probabilities: Floats, gold: Ints, way: Way, level: float) -> float:
    """Return how strange a label of a set may be: the ceil((n + 1) level)-th smallest strangeness of gold.

    `gold` `[examples]` are columns, -1 for a label that the model does not know, which no set can hold. Infinite where
    n examples are too few for the level: then sets hold all labels.
    """
    if not 0 < level < 1:
        raise MetricError(f"level is {level}; expected a share between 0 and 1, such as 0.9")
    own = strangeness(probabilities, way)[np.arange(len(gold)), gold]
    own = np.sort(np.where(gold < 0, np.inf, own))
    rank = math.ceil((len(own) + 1) * level - 1e-9)
    return float(own[rank - 1]) if rank <= len(own) else math.inf


def sets_of(probabilities: Floats, way: Way, limit: float) -> Bools:
    """Return which labels are in the set of each example, `[examples, labels]`."""
    return strangeness(probabilities, way) <= limit + ROOM
