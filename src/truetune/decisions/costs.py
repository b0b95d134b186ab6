"""What wrong answers cost, as the config says it, checked against the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truetune.config import Decide
from truetune.errors import ConfigError, nearest
from truetune.types import Floats

FALSE, MISSED = "false", "missed"


def cost_table(settings: Decide, labels: Sequence[str]) -> Floats:
    """Return costs `[gold, said]`; raises `ConfigError` for labels that are not there, or a right answer that costs
    more than a wrong one.
    """
    costs = 1 - np.eye(len(labels))
    for gold, row in settings.costs.items():
        for said, cost in row.items():
            for name in (gold, said):
                if name not in labels:
                    raise ConfigError(f"decide.costs: the data has no label {name!r}; {nearest(name, labels)}")
            costs[list(labels).index(gold), list(labels).index(said)] = cost
    own = np.diag(costs)
    for place, label in enumerate(labels):
        if (costs[place] < own[place]).any():
            raise ConfigError(f"decide.costs: of {label}, the right answer costs more than a wrong one")
    return costs


def costs_by_label(settings: Decide, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the costs of a yes that should be a no (`false`) and of a `missed` one, by label."""
    found = {name: {FALSE: 1.0, MISSED: 1.0} for name in labels}
    for label, row in settings.costs.items():
        if label not in found:
            raise ConfigError(f"decide.costs: the data has no label {label!r}; {nearest(label, labels)}")
        for kind, cost in row.items():
            if kind not in (FALSE, MISSED):
                raise ConfigError(
                    f"decide.costs.{label}: where a text has several labels, costs are of `{FALSE}` and `{MISSED}` "
                    f"ones, found {kind!r}"
                )
            found[label][kind] = cost
    return found
