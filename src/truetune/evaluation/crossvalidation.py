"""Cross-validation for whoever has no fixed split: scores of folds, one recipe or two, corrected intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from truetune.errors import MetricError
from truetune.stats.crossvalidation import CrossValidated, cross_validated, split_repeatedly
from truetune.stats.plan import Plan


@dataclass(frozen=True)
class CrossValidationResult:
    """The mean scores of recipes over folds; the difference is paired by fold."""

    after: CrossValidated
    before: CrossValidated | None = None
    difference: CrossValidated | None = None
    """`after` less `before`."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: undefined numbers are None. A p-value is of a difference alone."""
        found: dict[str, Any] = {"after": _told(self.after)}
        if self.before is not None and self.difference is not None:
            found |= {"before": _told(self.before)}
            found |= {"difference": {**_told(self.difference), "p_value": _number(self.difference.p_value)}}
        return found


def cross_validation(
    after: Sequence[float],
    before: Sequence[float] | None = None,
    *,
    folds: int | None = None,
    test_share: float | None = None,
    plan: Plan | None = None,
) -> CrossValidationResult:
    """Return the mean of a metric over folds with the corrected interval (Nadeau and Bengio 2003).

    `after` holds one score a fold: of one or more repetitions of `folds`-fold cross-validation, or of random
    splits of which each tests on `test_share` of the examples; give one of the two. With `before`, the
    scores of another recipe on the same folds in the same order, the difference is tested fold by fold.
    """
    if (folds is None) == (test_share is None):
        raise MetricError("expected either `folds` (such as 10) or `test_share` (such as 0.2)")
    if before is not None and len(before) != len(after):
        raise MetricError(f"{len(after)} scores after and {len(before)} before; expected the same folds of both")

    def corrected(scores: Sequence[float]) -> CrossValidated:
        if folds is not None:
            return cross_validated(scores, folds=folds, plan=plan)
        assert test_share is not None
        return split_repeatedly(scores, test_share=test_share, plan=plan)

    if before is None:
        return CrossValidationResult(corrected(after))
    gaps = [float(new) - float(old) for new, old in zip(after, before, strict=True)]
    return CrossValidationResult(corrected(after), corrected(before), corrected(gaps))


def _told(found: CrossValidated) -> dict[str, Any]:
    return {
        "value": _number(found.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "signature": found.method,
        "reason": found.reason or None,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
