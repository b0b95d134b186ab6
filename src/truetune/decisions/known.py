"""Validation examples as a decision is fitted on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truetune.types import Bools, Floats, Ints


@dataclass(frozen=True)
class Known:
    """Validation examples: raw probabilities and gold."""

    labels: tuple[str, ...]
    multiple: bool
    probabilities: Floats
    """`[examples, labels]`"""
    gold: Bools
    """`[examples, labels]`; a row without any is gold that the model does not know, or no label at all."""
    groups: Ints | None = None
    unknown: Ints | None = None
    """`[examples]`, how many gold labels of each the model does not know, where a text may have several; None: none."""

    def take(self, places: Ints) -> Known:
        """Return some of the examples."""
        groups = None if self.groups is None else np.unique(self.groups[places], return_inverse=True)[1]
        unknown = None if self.unknown is None else self.unknown[places]
        return Known(self.labels, self.multiple, self.probabilities[places], self.gold[places], groups, unknown)

    @property
    def gold_places(self) -> Ints:
        """The column of gold, -1 for a label that the model does not know."""
        return np.where(self.gold.any(axis=1), self.gold.argmax(axis=1), -1).astype(np.int64)

    @property
    def strangers(self) -> Ints:
        """How many gold labels of each example the model does not know, `[examples]`."""
        if self.multiple:
            return np.zeros(len(self.gold), dtype=np.int64) if self.unknown is None else self.unknown
        return (self.gold_places < 0).astype(np.int64)
