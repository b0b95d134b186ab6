"""Risk and coverage: how many errors are left when the least sure examples are not answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truetune.types import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """The curve from answering the surest only to answering all: `[points]` each, one a distinct confidence."""

    confidence: Floats
    """From which an example is answered."""
    answered: Ints
    errors: Ints
    examples: int

    @property
    def coverage(self) -> Floats:
        """The share of examples that is answered."""
        return self.answered / self.examples

    @property
    def risk(self) -> Floats:
        """The share of the answered ones that is wrong."""
        return self.errors / self.answered

    @property
    def area(self) -> float:
        """The mean risk over all coverages (AURC, Geifman et al. 2019): over k = 1 to n answered examples.

        Examples that are equally sure come together; within them errors are spread evenly.
        """
        total, before, wrong = 0.0, 0, 0.0
        for answered, errors in zip(self.answered.tolist(), self.errors.tolist(), strict=True):
            each = (errors - wrong) / (answered - before)
            steps = np.arange(1, answered - before + 1)
            total += float(((wrong + each * steps) / (before + steps)).sum())
            before, wrong = answered, errors
        return total / self.examples

    def at(self, coverage: float) -> int:
        """Return the first point at which at least this share is answered."""
        return int(np.searchsorted(self.answered, coverage * self.examples - 1e-9))


def risk_coverage(right: Bools, confidence: Floats) -> RiskCoverage:
    """Return the curve of examples that are right or wrong, `[examples]` each; at least one example."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    ends = np.r_[np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, len(ranked)].astype(np.int64)
    errors = np.cumsum(~right[order])[ends - 1].astype(np.int64)
    return RiskCoverage(ranked[ends - 1], ends, errors, len(right))
