"""Metrics of items that are searched for and found or not: spans, relations, marked tokens.

Rows are `[distinct, 3, labels]`: correct, gold and predicted items of each label. Unlike classification an
example has any number of items, so that micro averages are no accuracy and none of these a proportion of
examples; hence the bootstrap over examples.
"""

from __future__ import annotations

from dataclasses import replace

from truetune.metric import Additive, PerLabel, RowsOf
from truetune.metrics import f_measures as f
from truetune.types import Numbers

_FORMULA = {
    "precision": "correct / predicted",
    "recall": "correct / gold",
    "f1": "2 correct / (gold + predicted)",
}
_PARTS = {"precision": f.precision_parts, "recall": f.recall_parts}


def f1_parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    """Return (2 correct, gold + predicted) of each label."""
    return 2 * f.hits(sums), f.golds(sums) + f.predictions(sums)


def micro_metric(name: str, rows: RowsOf, fields: tuple[str, str], counted: str, unit: str) -> Additive:
    """Return micro F1, precision or recall (by the end of `name`'s first of these words) over all labels.

    `fields` are those of gold and predicted; `counted` says what is counted and when it is correct.
    """
    measure = next((word for word in ("precision", "recall") if word in name), "f1")
    parts = _PARTS.get(measure, f1_parts)

    def pooled(sums: Numbers) -> tuple[Numbers, Numbers]:
        return parts(sums.sum(axis=-1, keepdims=True))

    return Additive(
        name=name,
        rows=rows,
        formula=lambda sums: f.quotient(*pooled(sums))[..., 0],
        gold=fields[0],
        predicted=fields[1],
        definition=f"micro {measure} = {_FORMULA[measure]} {counted}",
        unit=unit,
        ratio=lambda sums: (pooled(sums)[0][..., 0], pooled(sums)[1][..., 0]),
        undefined=f"0/0: {_nothing(measure)}",
        limits=(0.0, 1.0),
    )


def macro_metric(name: str, like: Additive, counted: str) -> Additive:
    """Return macro F1, the mean of the labels' F1, over the same rows as `like`."""
    return replace(
        like,
        name=name,
        formula=f.macro(f.f1),
        definition=(f"mean over the labels that stand in gold or predicted of F1 = {_FORMULA['f1']} {counted}"),
        ratio=None,
        undefined=f"0/0: {_nothing('f1')}",
    )


def label_metrics(like: Additive, counted: str) -> tuple[PerLabel, ...]:
    """Return precision, recall and F1 of each label, over the same rows as `like`."""
    formulas = {"precision": f.precision, "recall": f.recall, "f1": f.f1}
    return tuple(
        PerLabel(
            name=measure,
            rows=like.rows,
            formula=formula,
            gold=like.gold,
            predicted=like.predicted,
            definition=f"{_FORMULA[measure]} {counted}",
            unit=like.unit,
            ratio=_PARTS.get(measure, f1_parts),
            undefined=f"0/0: {_nothing(measure)} of this label",
            limits=(0.0, 1.0),
        )
        for measure, formula in formulas.items()
    )


def _nothing(measure: str) -> str:
    return {
        "precision": "nothing is predicted",
        "recall": "there is nothing in gold",
        "f1": "there is nothing in gold, and nothing is predicted",
    }[measure]
