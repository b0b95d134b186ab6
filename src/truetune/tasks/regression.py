"""Regression: a number for each text; scored here."""

from __future__ import annotations

from truetune.metrics.regression import METRICS
from truetune.tasks.base import Field, Scoring, Task
from truetune.tasks.fields import as_number

REGRESSION = Task(
    name="regression",
    about="a number for each text: rating, similarity",
    about_zh="回归：为每段文本给出一个数值",
    scoring=Scoring(
        gold=((Field("value", as_number),),),
        predicted=((Field("value", as_number),),),
        metrics=METRICS,
        primary=("mae",),
    ),
)
