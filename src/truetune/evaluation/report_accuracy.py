"""What an accuracy says of the rows above it.

The libraries print it only where every example has one gold and one predicted label, both among the classes.
So there are as many predictions as examples, the accuracy is the recall weighted by support, and a false
positive of one class is a miss of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, inf, isinf

from truetune.evaluation.report_averages import ROUNDED, Classes, compared
from truetune.evaluation.report_cells import F1, PRECISION, RECALL, SUPPORT
from truetune.evaluation.report_counts import Counts, Range
from truetune.evaluation.report_findings import CellFinding, finding
from truetune.evaluation.report_text import AccuracyRow, Row


def accuracy_findings(row: AccuracyRow, classes: Classes) -> Iterator[CellFinding]:
    """Yield the cells that an accuracy and the classes' rows do not allow together."""
    totals = classes.totals
    if totals.support <= 0:
        return
    found = totals.found_with(totals.support, ROUNDED if classes.weighted else 0.0)
    if found is None:
        why = "with an accuracy there is one prediction an example; the classes' precision and recall imply others"
        column, cell = (F1, row.accuracy) if row.support is None else (SUPPORT, row.support)
        yield finding(row, column, cell, totals.predictions, why)
        found = totals.found
    else:
        yield from _exchange_findings(classes)
    possible = (found[0] / totals.support, found[1] / totals.support)
    why = "the accuracy: the classes' recall, weighted by support"
    outside = list(compared(row, F1, row.accuracy, possible, why))
    yield from outside
    if not outside and not classes.weighted:
        yield from _fraction_findings(row, totals.support)


def tokens_note(row: Row, classes: Classes) -> str | None:
    """Return a note when the rows of a token report do not leave one prediction a token, else None.

    A report that lists the tag `O` and whose micro precision, recall and F1 print alike looks like one of all
    tokens, each with one tag. Nothing in its text proves that, so this is no contradiction.
    """
    totals = classes.totals
    alike = len({cell.text for cell in row.shares.columns.values()}) == 1
    if not alike or classes.weighted or "O" not in {of_class.name for of_class in classes.rows}:
        return None
    if totals.support <= 0 or totals.found_with(totals.support, 0.0) is not None:
        return None
    fewest, most = totals.predictions
    return (
        f"line {row.line}: the report lists 'O' and its {row.name} prints one number three times, as where each token "
        f"has one tag; but the rows leave {fewest:,.0f} to {most:,.0f} predictions for {totals.support:,.0f} tokens"
    )


def _fraction_findings(row: AccuracyRow, examples: float) -> Iterator[CellFinding]:
    """Yield the accuracy when no whole number of right examples prints as it."""
    cell = row.accuracy
    if ceil(cell.low * examples) <= floor(cell.high * examples):
        return
    right = round(cell.value * examples)
    why = f"no whole number of {examples:.0f} examples prints so; the nearest is {right}"
    yield finding(row, F1, cell, (right / examples, right / examples), why)


def _exchange_findings(classes: Classes) -> Iterator[CellFinding]:
    """Yield the classes whose mistakes the other classes have no room for."""
    supports = [row.support.value for row in classes.rows]
    extra = [_extra(counts) for counts in classes.counts]
    missed = [_missed(counts, support) for counts, support in zip(classes.counts, supports, strict=True)]
    room_for_extra = _of_others([most for _, most in missed])
    room_for_missed = _of_others([most for _, most in extra])
    slack = ROUNDED * (classes.totals.support + 1)
    for number, row in enumerate(classes.rows):
        if extra[number][0] > room_for_extra[number] + slack:
            found = float(classes.counts[number].least[0, 0])
            low = found / (found + room_for_extra[number]) if found else 0.0
            why = f"the other classes miss at most {room_for_extra[number]:.6g} examples that it could be given"
            yield finding(row, PRECISION, row.shares.precision, (low, 1.0), why)
        if missed[number][0] > room_for_missed[number] + slack:
            low = 1 - room_for_missed[number] / supports[number]
            why = f"the other classes are wrongly given at most {room_for_missed[number]:.6g} examples"
            yield finding(row, RECALL, row.shares.recall, (low, 1.0), why)


def _extra(counts: Counts) -> Range:
    """Return the fewest and the most false positives."""
    most = inf if counts.most is None else float((counts.most[:, 1] - counts.most[:, 0]).max())
    return float((counts.least[:, 1] - counts.least[:, 0]).min()), most


def _missed(counts: Counts, support: float) -> Range:
    """Return the fewest and the most examples that are not found."""
    return support - float(counts.least[-1, 0]), support - float(counts.least[0, 0])


def _of_others(values: Sequence[float]) -> list[float]:
    """Return, for each value, the sum of the others."""
    unbounded = sum(isinf(value) for value in values)
    total = sum(value for value in values if not isinf(value))
    return [inf if unbounded > isinf(value) else total - (0.0 if isinf(value) else value) for value in values]
