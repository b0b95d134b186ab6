"""A number for each text, or for each pair of texts; of whole numbers on a scale, a step."""

from __future__ import annotations

from dataclasses import replace

from truetune.metrics.regression import KAPPA_QUADRATIC, METRICS, STEPS_RIGHT
from truetune.tasks.base import Field, Inputs, Scoring, Task, Training
from truetune.tasks.fields import as_number, as_text
from truetune.tasks.number_encoding import decode_numbers, encode_numbers, number_scale
from truetune.tasks.step_encoding import decode_steps, encode_steps, step_schema


def _scoring(primary: str) -> Scoring:
    value = Field("value", as_number)
    return Scoring(gold=((value,),), predicted=((value,),), metrics=METRICS, primary=(primary,))


def _training(inputs: tuple[str, ...], *baselines: str) -> Training:
    read = Inputs(tuple(Field(name, as_text) for name in inputs))
    return Training("regress", read, number_scale, encode_numbers, decode_numbers, baselines)


_NUMBER = _training(("text",), "constant", "tfidf-ridge", "frozen-ridge")

REGRESSION = Task(
    name="regression",
    about="a number for each text: a rating, a price",
    about_zh="回归：为每段文本给出一个数值",
    scoring=_scoring("mae"),
    training=_NUMBER,
)

SIMILARITY = Task(
    name="similarity",
    about="a number for two texts: how alike they are",
    about_zh="句对回归：两段文本的相似程度",
    scoring=_scoring("spearman"),
    training=_training(("first", "second"), "constant", "tfidf-ridge", "overlap-ridge", "frozen-ridge"),
)

ORDINAL = Task(
    name="ordinal",
    about="a step on a scale for each text: one to five stars",
    about_zh="有序分类：为每段文本给出量表上的一级，如一到五星",
    scoring=replace(_scoring("mae"), metrics=(*METRICS, KAPPA_QUADRATIC, STEPS_RIGHT)),
    training=replace(_NUMBER, head="classify", labels=step_schema, encode=encode_steps, decode=decode_steps),
)
