"""The confusion matrix: how often each gold label was predicted as each label."""

from __future__ import annotations

import numpy as np

from truetune.metrics.counts import GOLD, PREDICTED, label_counts
from truetune.rows import Rows
from truetune.types import Column, Ints


def confusion_matrix(gold: Column, predicted: Column) -> tuple[tuple[str, ...], Ints]:
    """Return the labels and the number of examples by `[gold label, predicted label]`.

    Labels are the sorted union of those in gold or predicted. Raises as `label_counts` does.
    """
    return confusion_of_rows(label_counts(gold, predicted))


def confusion_of_rows(rows: Rows) -> tuple[tuple[str, ...], Ints]:
    """Return labels and matrix from the rows of `label_counts`: of a slice, a shard, merged shards."""
    number = len(rows.labels)
    if not number:
        return (), np.zeros((0, 0), dtype=np.int64)
    cells = rows.table[:, GOLD].argmax(axis=1) * number + rows.table[:, PREDICTED].argmax(axis=1)
    matrix = np.bincount(cells, weights=rows.counts, minlength=number * number)
    return rows.labels, matrix.astype(np.int64).reshape(number, number)
