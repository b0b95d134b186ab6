"""Regression: a number for each text, or for each pair of texts."""

from __future__ import annotations

from truetune.metrics.regression import METRICS
from truetune.tasks.base import Field, Inputs, Scoring, Task, Training
from truetune.tasks.fields import as_number, as_text
from truetune.tasks.number_encoding import decode_numbers, encode_numbers, number_scale


def _scoring(primary: str) -> Scoring:
    value = Field("value", as_number)
    return Scoring(gold=((value,),), predicted=((value,),), metrics=METRICS, primary=(primary,))


def _training(inputs: tuple[str, ...], *baselines: str) -> Training:
    read = Inputs(tuple(Field(name, as_text) for name in inputs))
    return Training("regress", read, number_scale, encode_numbers, decode_numbers, baselines)


REGRESSION = Task(
    name="regression",
    about="a number for each text: a rating, a price",
    about_zh="回归：为每段文本给出一个数值",
    scoring=_scoring("mae"),
    training=_training(("text",), "constant", "tfidf-ridge", "frozen-ridge"),
)

SIMILARITY = Task(
    name="similarity",
    about="a number for two texts: how alike they are",
    about_zh="句对回归：两段文本的相似程度",
    scoring=_scoring("spearman"),
    training=_training(("first", "second"), "constant", "tfidf-ridge", "overlap-ridge", "frozen-ridge"),
)
