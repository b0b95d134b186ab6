"""Too good to be true: predictions that are gold itself."""

from __future__ import annotations

from collections.abc import Iterator

from truetune.evaluation.doctor.case import Case, finding, listed
from truetune.types import Finding

ENOUGH_ALIKE = 50


def perfect_findings(case: Case) -> Iterator[Finding]:
    """Yield predictions that are identical to gold in all of 50 or more examples.

    Of free texts a warning: two writers do not find the same words. Of labels and spans a note: a clean and easy set
    can be solved, but a leak is likelier.
    """
    if len(case) < ENOUGH_ALIKE:
        return
    texts = "references" in case.gold and "text" in case.predicted
    if texts:
        same = all(
            said in known
            for known, said in zip(listed(case.gold["references"]), listed(case.predicted["text"]), strict=True)
        )
        values = set(listed(case.predicted["text"]))
    else:
        columns = next(filter(None, (case.both(name) for name in ("label", "labels", "spans", "tags", "value"))), None)
        if columns is None:
            return
        gold, predicted = columns
        same = all(one == other for one, other in zip(gold, predicted, strict=True))
        values = set(map(str, gold)) if same else set()
    if same and len(values) > 1:
        yield finding(
            "identical to gold",
            "warning" if texts else "note",
            len(case),
            [case.ids[0]],
            f"all {len(case):,} predictions are identical to gold: too good to be true. Was gold read as the "
            "prediction, or do the examples stand in the training data? `truetune audit` finds those",
        )
