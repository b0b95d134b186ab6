"""Whether one row of a report can stand: counts that print as its precision, recall and F1."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, inf, isnan

import numpy as np

from truetune.evaluation.report_cells import ANY_SHARE, F1, PRECISION, RECALL, SLACK, SUPPORT, Shares
from truetune.evaluation.report_counts import ENUMERATED, Range, counts_of
from truetune.evaluation.report_findings import CellFinding, finding
from truetune.evaluation.report_text import AccuracyRow, Row
from truetune.types import Floats

UNIT: Range = (0.0, 1.0)


def out_of_range(row: Row | AccuracyRow) -> Iterator[CellFinding]:
    """Yield the cells that lie outside of what any share or support can be."""
    shares = row.shares.columns if isinstance(row, Row) else {F1: row.accuracy}
    for column, cell in shares.items():
        if not cell.is_share:
            yield finding(row, column, cell, UNIT, "a share lies between 0 and 1")
    if row.support is not None and not row.support.value >= 0:
        yield finding(row, SUPPORT, row.support, (0.0, inf), "a support is a number of examples")


def contradiction(row: Row, support: float, whole: bool, undefined: float) -> CellFinding:
    """Return the finding for a row that `counts_of` finds no counts for.

    The cells are taken in the order recall, precision, F1, and the first that cannot stand beside those
    before it is named; which of them was written wrongly, the row alone does not tell.
    """
    shares = row.shares
    if support == 0:
        return _without_support(row, shares, undefined)
    if shares.recall.undefined:
        return finding(row, RECALL, shares.recall, UNIT, "with support, recall is defined")
    if shares.precision.undefined:
        return _without_predictions(row, shares)
    if whole:
        if not _whole_found(shares, support).size:
            return _of_recall(row, shares, support)
        if counts_of(Shares(shares.precision, shares.recall, ANY_SHARE), support, whole, undefined) is None:
            return _of_precision(row, shares, support, undefined)
    return _of_f1(row, shares, support, whole, undefined)


def _without_support(row: Row, shares: Shares, undefined: float) -> CellFinding:
    nothing = f"without support, recall is 0 / 0, which this report prints as {undefined:g}"
    if not shares.recall.admits(undefined):
        return finding(row, RECALL, shares.recall, (undefined, undefined), nothing)
    if not (shares.precision.admits(0.0) or shares.precision.admits(undefined)):
        why = "without support there are no true positives, so precision is 0"
        return finding(row, PRECISION, shares.precision, (0.0, 0.0), why)
    f1 = undefined if shares.precision.admits(undefined) else 0.0
    return finding(row, F1, shares.f1, (f1, f1), "without support there are no true positives")


def _without_predictions(row: Row, shares: Shares) -> CellFinding:
    if not shares.recall.admits(0.0):
        why = "precision is undefined only without predictions, and then recall is 0"
        return finding(row, RECALL, shares.recall, (0.0, 0.0), why)
    why = "precision is undefined only without predictions, and then F1 is 0"
    return finding(row, F1, shares.f1, (0.0, 0.0), why)


def _of_recall(row: Row, shares: Shares, support: float) -> CellFinding:
    value = shares.recall.value
    below, above = floor(value * support), ceil(value * support)
    nearest = min(below, above, key=lambda found: abs(found / support - value)) / support
    why = (
        f"no whole number of {support:.0f} prints so: {below}/{support:.0f} is {_shown(below / support, row)}, "
        f"{above}/{support:.0f} is {_shown(above / support, row)}"
    )
    return finding(row, RECALL, shares.recall, (nearest, nearest), why)


def _of_precision(row: Row, shares: Shares, support: float, undefined: float) -> CellFinding:
    tp = _whole_found(shares, support)
    value = shares.precision.value
    if tp[-1] == 0 or value == 0:
        possible = (0.0, 0.0 if isnan(undefined) else undefined) if tp[-1] == 0 else UNIT
        why = f"a recall of {shares.recall.text} leaves {_listed(tp)} true positives"
        return finding(row, PRECISION, shares.precision, possible, why)
    tp = tp[tp > 0]
    fewer = np.maximum(np.floor(tp / value), tp)
    nearest = np.array([tp / (fewer + 1), tp / fewer])
    side, which = np.unravel_index(np.argmin(np.abs(nearest - value)), nearest.shape)
    found, predicted = int(tp[which]), int(fewer[which])
    why = (
        f"a recall of {shares.recall.text} leaves {_listed(tp)} true positives, and no whole number of "
        f"predictions prints so: {found}/{predicted} is {_shown(found / predicted, row)}, "
        f"{found}/{predicted + 1} is {_shown(found / (predicted + 1), row)}"
    )
    possible = (float(nearest[side, which]), float(nearest[side, which]))
    return finding(row, PRECISION, shares.precision, possible, why)


def _of_f1(row: Row, shares: Shares, support: float, whole: bool, undefined: float) -> CellFinding:
    found = counts_of(Shares(shares.precision, shares.recall, ANY_SHARE), support, whole, undefined)
    possible = (found.ranges[F1] if found else None) or UNIT
    why = f"precision {shares.precision.text} and recall {shares.recall.text}"
    if not shares.f1.undefined and shares.f1.meets(*possible):
        nearest = _nearest_f1(shares, support)
        possible = possible if nearest is None else (nearest, nearest)
        why += f" of {support:.0f} leave, in whole numbers, nothing nearer"
    else:
        why += " leave an F1 of this range"
    return finding(row, F1, shares.f1, possible, why)


def _nearest_f1(shares: Shares, support: float) -> float | None:
    """Return the F1 nearest to the printed one, over the whole counts that print as P and R."""
    nearest = []
    for tp in _whole_found(shares, support):
        if tp == 0 or shares.f1.value == 0 or shares.precision.low <= 0:
            continue
        fewest = max(np.ceil(tp / min(shares.precision.high, 1.0) * (1 - SLACK)), 1)
        most = np.floor(tp / shares.precision.low * (1 + SLACK))
        wanted = 2 * tp / shares.f1.value - support
        for predictions in np.clip([np.floor(wanted), np.ceil(wanted)], fewest, most):
            if fewest <= most:
                nearest.append(float(2 * tp / (support + predictions)))
    return min(nearest, key=lambda f1: abs(f1 - shares.f1.value), default=None)


def _whole_found(shares: Shares, support: float) -> Floats:
    """Return the whole numbers of true positives that print as the recall, at most `ENUMERATED` of them."""
    first = max(ceil(shares.recall.low * support), 0)
    last = min(floor(shares.recall.high * support), int(support))
    return np.arange(first, min(last, first + ENUMERATED) + 1, dtype=np.float64)


def _listed(tp: Floats) -> str:
    return f"{tp[0]:.0f}" if len(tp) == 1 else f"{tp[0]:.0f} to {tp[-1]:.0f}"


def _shown(value: float, row: Row) -> str:
    """Return a share with two digits more than its row prints."""
    return f"{value:.{len(row.shares.f1.text.partition('.')[2]) + 2}f}"
