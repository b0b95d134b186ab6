"""What the rows of a report leave for its averages: macro, weighted and micro.

Every class cell stands for the range of the values that its counts admit; an average of ranges is a range.
Undefined cells (`nan`) are left out together with their weight, as scikit-learn does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, isnan, nan

from truetune.evaluation.report_cells import ANY_SHARE, F1, PRECISION, RECALL, SUPPORT, Cell
from truetune.evaluation.report_counts import Counts, Range
from truetune.evaluation.report_findings import CellFinding, finding
from truetune.evaluation.report_text import AccuracyRow, Row
from truetune.evaluation.report_totals import Totals

ROUNDED = 1e-6
"""Relative error of a support that is no whole number: it may have been rounded on its way here."""


@dataclass(frozen=True, slots=True)
class Classes:
    """What the rows of the classes admit."""

    rows: tuple[Row, ...]
    counts: tuple[Counts, ...]
    """One a row."""
    totals: Totals
    weighted: bool
    """Whether examples may have had weights."""
    undefined: float
    """What 0 / 0 prints as in this report: 0, 1 or NaN."""

    def mean(self, column: str, weights: Sequence[float]) -> Range | None:
        """Return the range of a weighted mean over a column; None where no cell that has weight is defined."""
        ranges = [counts.ranges[column] for counts in self.counts]
        there = [(*bounds, weight) for bounds, weight in zip(ranges, weights, strict=True) if bounds]
        total = fsum(weight for _, _, weight in there)
        if total <= 0:
            return None
        low = fsum(low * weight for low, _, weight in there) / total
        high = fsum(high * weight for _, high, weight in there) / total
        return low, high


def macro_findings(row: Row, classes: Classes) -> Iterator[CellFinding]:
    """Yield the cells of the macro average that are no mean of the classes' cells."""
    for column, cell in row.shares.columns.items():
        possible = classes.mean(column, [1.0] * len(classes.rows))
        yield from compared(row, column, cell, possible, f"the mean of the classes' {column}")


def weighted_findings(row: Row, classes: Classes) -> Iterator[CellFinding]:
    """Yield the cells of the weighted average that are no mean of the classes' cells, weighted by support.

    Where no defined cell has support, some print the unweighted mean and some 0 / 0, so nothing is expected.
    """
    for column, cell in row.shares.columns.items():
        possible = classes.mean(column, [of_class.support.value for of_class in classes.rows])
        if possible is not None:
            yield from compared(row, column, cell, possible, f"the classes' {column}, weighted by support")


def recall_findings(row: Row, recall: Cell, of: str) -> Iterator[CellFinding]:
    """Yield the weighted recall when it is not the other cell that prints the same number.

    True positives over support is the recall weighted by support, the micro recall, and the accuracy.
    """
    cell = row.shares.recall
    if not (cell.undefined or recall.undefined or cell.meets(recall.low, recall.high)):
        yield finding(row, RECALL, cell, (max(recall.low, 0.0), min(recall.high, 1.0)), f"the same number as the {of}")


def micro_findings(row: Row, classes: Classes) -> Iterator[CellFinding]:
    """Yield the cells of the micro average that the sums of the classes' counts do not give.

    Precision and F1 are judged over the sums that print as the micro recall, where there are such.
    """
    totals, shares = classes.totals, row.shares
    why = "true positives over support, summed over the classes"
    found = list(compared(row, RECALL, shares.recall, totals.recall(), why)) if totals.support > 0 else []
    yield from found
    agrees = totals.support > 0 and not found
    if agrees:
        totals = totals.with_recall(shares.recall)
    fewest, most = totals.predictions
    ranges: dict[str, Range | None] = {
        PRECISION: totals.precision(classes.undefined),
        F1: totals.f1(classes.undefined),
    }
    if isnan(classes.undefined) and most == 0:
        ranges[PRECISION] = None
    if fewest == 0 and shares.precision.undefined:
        ranges[PRECISION] = None
    if shares.f1.undefined and (shares.precision.undefined or shares.recall.undefined):
        ranges[F1] = None
    whys = {PRECISION: "true positives over predictions", F1: "2 x true positives over support + predictions"}
    for column, possible in ranges.items():
        why = f"{whys[column]}, summed over the classes"
        if column == PRECISION and agrees and possible and shares.precision.high < possible[0]:
            why += "; seqeval before 1.2 counts predictions of types here that it gives no row"
        yield from compared(row, column, shares.columns[column], possible, why)


def support_findings(row: Row | AccuracyRow, classes: Classes) -> Iterator[CellFinding]:
    """Yield the support of an average that is not the sum of the classes' supports."""
    if row.support is None:
        return
    total, printed = classes.totals.support, row.support.value
    tolerance = ROUNDED * (total + len(classes.rows)) if classes.weighted else 0.0
    if not abs(total - printed) <= tolerance:
        yield finding(row, SUPPORT, row.support, (total, total), "the sum of the classes' supports")


def compared(
    row: Row | AccuracyRow, column: str, cell: Cell, possible: Range | None, why: str
) -> Iterator[CellFinding]:
    """Yield a finding unless some number of `possible` prints as `cell`; None prints as `nan`."""
    if cell is ANY_SHARE:
        return
    if possible is None:
        if not cell.undefined:
            yield finding(row, column, cell, (nan, nan), f"{why}: undefined for every class, so undefined here")
    elif not cell.meets(*possible):
        yield finding(row, column, cell, possible, why)
