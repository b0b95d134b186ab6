"""Are the labels in another order than the data's? A renaming that fits far better says so."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from truetune.evaluation.doctor.case import ENOUGH, Case, finding
from truetune.types import Bools, Finding, Ints

MOST_LABELS = 500
"""Above so many labels the table of all pairs is not made."""
LEAST_GAIN = 0.1
"""By how much the accuracy of a renaming must be higher, on examples that it was not chosen on."""
LEAST_Z = 4.0
"""By how many standard errors, of the examples that only one of the two gets right."""


def label_order_findings(case: Case) -> Iterator[Finding]:
    """Yield predicted labels that gold does not know at all, or that another naming would make right.

    The renaming is the best assignment on one half of the examples (told apart by their ids, not by chance); it
    must be better by ten points and four standard errors on the other half, and beat saying the most frequent
    label always: a guesser, or a constant, has no order to be mistaken.
    """
    columns = case.both("label")
    if columns is None:
        return
    gold, predicted = columns
    labels = sorted({*gold, *predicted}, key=_natural)
    if not set(gold) & set(predicted):
        pairs = [case.shown(place, f"gold {gold[place]}, predicted {predicted[place]}") for place in range(5)]
        yield finding(
            "other label names",
            "error",
            len(case),
            pairs,
            "no predicted label stands in gold: the names of the model's outputs are not those of the data; map them "
            "(id2label), and score again",
        )
    if not 2 <= len(labels) <= MOST_LABELS:
        return
    renamed = _renaming(case.ids, gold, predicted, labels)
    if renamed is None:
        return
    mapping, before, after = renamed
    moved = [label for label in mapping if mapping[label] != label]
    yield finding(
        "label order",
        "error",
        len(case),
        [f"{label} -> {mapping[label]}" for label in moved],
        f"with the predicted labels renamed{_shifted(mapping, labels)} accuracy is {after:.3f} instead of {before:.3f} "
        "on examples that the renaming was not chosen on: the order of the model's labels is hardly that of the data. "
        "Compare id2label with the order of the data's labels",
    )


def half_of(ids: Sequence[str]) -> Bools:
    """Return which examples are of the first half, by a checksum of their ids."""
    return np.fromiter((zlib.crc32(one.encode()) & 1 for one in ids), dtype=np.bool_, count=len(ids))


def _renaming(
    ids: Sequence[str], gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> tuple[dict[str, str], float, float] | None:
    """Return predicted label -> better one, and the accuracy without and with it on the other half; None: nothing."""
    place = {label: number for number, label in enumerate(labels)}
    right, said = (np.fromiter(map(place.__getitem__, side), np.int64, len(side)) for side in (gold, predicted))
    number = len(labels)
    whole = np.bincount(said * number + right, minlength=number * number).reshape(number, number)
    if np.trace(whole) + LEAST_GAIN * len(gold) > whole.max(axis=1).sum():
        return None  # No renaming can gain so much.
    chosen = half_of(ids)
    table = np.bincount((said * number + right)[chosen], minlength=number * number).reshape(number, number)
    better = _assignment(table)
    right, said = right[~chosen], said[~chosen]
    if len(right) < ENOUGH // 2:
        return None
    now, then = said == right, better[said] == right
    gained, lost = int((then & ~now).sum()), int((now & ~then).sum())
    most_frequent = np.bincount(right).max() / len(right)
    if gained - lost < LEAST_Z * np.sqrt(gained + lost) or then.mean() - now.mean() < LEAST_GAIN:
        return None
    # Three standard errors: on half of a hundred examples a guesser beats the most frequent label now and then.
    error = float(np.sqrt(then.mean() * (1 - then.mean()) / len(right)))
    if then.mean() - most_frequent < max(LEAST_GAIN / 2, 3 * error):
        return None
    used = np.unique(said).tolist()
    return {labels[one]: labels[int(better[one])] for one in used}, float(now.mean()), float(then.mean())


def _assignment(table: Ints) -> Ints:
    """Return the column of each row so that each is taken once and the sum is greatest, own ones first among equals."""
    from scipy.optimize import linear_sum_assignment

    found: Ints = linear_sum_assignment(table + np.eye(len(table)) * 1e-6, maximize=True)[1]
    return found


def _shifted(mapping: Mapping[str, str], labels: Sequence[str]) -> str:
    """Say that a renaming is a shift by one, where it is one."""
    place = {label: number for number, label in enumerate(labels)}
    steps = {(place[to] - place[label]) % len(labels) for label, to in mapping.items()}
    if len(labels) > 2 and steps in ({1}, {len(labels) - 1}):
        return f" (all shifted by one: {'up' if steps == {1} else 'down'})"
    return ""


def _natural(label: str) -> tuple[int, str]:
    return (int(label), "") if label.lstrip("-").isdecimal() else (1 << 62, label)
