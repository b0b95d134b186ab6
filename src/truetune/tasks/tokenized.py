"""A task whose texts are cut by a named tokeniser: BLEU and TER are other numbers then, and their signatures say so."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from truetune.errors import MetricError
from truetune.metrics.bleu import bleu
from truetune.metrics.ter import ter
from truetune.metrics.tokenizers import tokenizer_named
from truetune.tasks.base import Task
from truetune.tasks.table import TASKS, task_named

CUT = {"bleu": bleu, "ter": ter}
"""Metrics whose tokeniser can be named. chrF counts characters; ROUGE has rules of its own for each script."""


@cache
def tokenized(task: str, tokenizer: str) -> Task:
    """Return a task whose BLEU and TER cut texts by one tokeniser, whatever the script of the references.

    `tokenizer` is `13a`, `zh`, `char`, `intl`, `none` or `ja-mecab`. Takes the place of a task's name in `evaluate`,
    `compare`, `seeds` and `Evaluation`. Raises `MetricError` for an unknown tokeniser and for a task without BLEU,
    `MissingPackageError` where the tokeniser needs a package that is not there.
    """
    known = task_named(task)
    names = {metric.name for metric in known.scoring.metrics}
    if not names & CUT.keys():
        fitting = ", ".join(one.name for one in TASKS.values() if any(m.name in CUT for m in one.scoring.metrics))
        raise MetricError(f"task {task!r} has no metric that takes a tokeniser; those of {fitting} do")
    tokenizer_named(tokenizer)([""])
    metrics = tuple(CUT[metric.name](tokenizer) if metric.name in CUT else metric for metric in known.scoring.metrics)
    return replace(known, scoring=replace(known.scoring, metrics=metrics), tokenizer=tokenizer)
