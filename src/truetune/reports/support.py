"""How many gold examples, or gold spans, each label has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from truetune.reports.predictions import Predictions


def support(predictions: Predictions | None) -> Mapping[str, int]:
    """Return the gold count of each label; empty where the predictions do not tell."""
    if predictions is None:
        return {}
    gold = predictions.gold
    if "label" in gold:
        return Counter(str(label) for label in gold["label"])
    if "labels" in gold:
        return Counter(str(label) for labels in gold["labels"] for label in labels or ())
    if "spans" in gold:
        return Counter(span.type for spans in gold["spans"] for span in set(spans or ()))
    return {}
