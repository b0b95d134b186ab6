"""Gold that is none: filled in where a test set has no labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from truetune.evaluation.doctor.case import PLACEHOLDERS, Case, finding, listed
from truetune.types import Finding

ADVICE = "this is what unlabelled test sets are filled with; scores against it mean nothing. Take a labelled set"


def placeholder_findings(case: Case) -> Iterator[Finding]:
    """Yield gold that is a constant fill, and labels among others that mark examples without gold."""
    for name in ("label", "labels", "spans", "tags", "triples", "value", "answers", "references"):
        if name in case.gold:
            yield from _filled(case, name, listed(case.gold[name]))
            break
    columns = case.both("label")
    if columns is not None:
        yield from _some(case, *columns)


def _filled(case: Case, name: str, gold: Any) -> Iterator[Finding]:
    first = gold[0]
    if any(value != first for value in gold):
        if name == "tags" and all(tag == "O" for tags in gold for tag in tags):
            yield finding("placeholder gold", "error", len(gold), [], f"every gold tag is O: {ADVICE}")
        return
    if name in ("label", "labels", "spans", "tags", "triples") and not _empty(first):
        return  # Gold of one label is told of already, and may be a slice.
    told = f"`{name}` of every example is {first!r}: {ADVICE}"
    varied = len(set(map(str, listed(next(iter(case.predicted.values())))))) > 1
    if varied or name in ("label", "value"):
        yield finding("placeholder gold", "error", len(gold), [f"{case.ids[0]}: {first!r}"], told)


def _empty(value: Any) -> bool:
    """Return whether a label, or each of several, is a placeholder; no span and no label are ones too."""
    items = [value] if isinstance(value, str) else list(value)
    return all(str(item).lower() in (*PLACEHOLDERS, "0") for item in items)


def _some(case: Case, gold: Any, predicted: Any) -> Iterator[Finding]:
    counts = Counter(gold)
    found = [label for label in counts if label.lower() in PLACEHOLDERS - {"unknown", "none"}]
    strange = [label for label in found if len(counts) > len(found) and label not in set(predicted)]
    if strange:
        number = sum(counts[label] for label in strange)
        yield finding(
            "placeholders in gold",
            "warning",
            number,
            [f"{label!r}: {counts[label]:,} examples" for label in strange],
            "these look like marks of examples without an agreed label, and no system can predict them: they count "
            "as mistakes. Leave those examples out",
        )
