"""What a fine-tuned model has to beat: the honest baselines, each tuned on the validation part alone.

A random head on a pretrained model is no baseline; these are: what the labels alone tell (`majority`, `all-O`),
what the words tell (`tfidf-linear`, `lookup`, `window-linear`), and what the pretrained model knows
before fine-tuning (`frozen-linear`). A baseline is a function of the three parts that returns predicted
columns for the test part; it is fitted on the training part, and the test part has no gold here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from truetune.errors import DataError
from truetune.tasks.base import Labels
from truetune.types import Floats, Ints

Columns = dict[str, list[Any]]
"""Predicted columns by field, one value an example: `label` or `labels` and `scores`, or `spans`."""

Score = Callable[[Sequence[Any], Columns], float]
"""(gold, predicted) -> the task's primary metric, turned so that higher is better; NaN where undefined."""

Progress = Callable[[str], None]

Setting = str | float | int

THRESHOLDS = (0.5, 0.4, 0.3, 0.2)
"""The probabilities above which a label is given, tried where an example may carry several."""


class Part(NamedTuple):
    """Inputs of examples and their gold: a label, a tuple of labels, or a list of (start, end, type)."""

    inputs: Any
    """Texts, or arrays of features, as the baseline says."""
    gold: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline predicts for the test part, and how it came to it."""

    name: str
    predicted: Columns
    settings: Mapping[str, Setting]
    """What was chosen on the validation part; empty where there was nothing to choose."""
    validation: float
    """The score on the validation part of what was chosen: too high, because it chose; never to be reported."""
    notes: tuple[str, ...] = ()
    """What was left out to save time, if anything."""
    said: Columns = field(default_factory=dict)
    """What it predicts for the validation part."""


class Candidate(NamedTuple):
    """One choice of settings, with its predictions."""

    settings: Mapping[str, Setting]
    validation: Columns
    test: Columns


def chosen(
    name: str, candidates: Iterable[Candidate], gold: Sequence[Any], score: Score, notes: Sequence[str]
) -> Baseline:
    """Return the candidate with the highest score on the validation part; of equal ones the first.

    A candidate whose score is undefined is taken only where all are.
    """
    best: Candidate | None = None
    highest = math.nan
    for candidate in candidates:
        value = score(gold, candidate.validation)
        if best is None or value > highest or (math.isnan(highest) and not math.isnan(value)):
            best, highest = candidate, value
    if best is None:
        raise DataError(f"the baseline {name} has nothing to choose from")
    return Baseline(name, best.test, best.settings, highest, tuple(notes), best.validation)


def majority(train: Part, validation: Part, tests: int, labels: Labels, score: Score) -> Baseline:
    """Return the baseline that always gives the most frequent label (or set of labels) of the training part.

    `tests` is the number of test examples. Scores are the labels' frequencies.
    """
    counts = Counter(train.gold)
    most = min(counts, key=lambda gold: (-counts[gold], gold))
    rates = frequencies(train.gold, labels)

    def columns(examples: int) -> Columns:
        scores = [dict(zip(labels.names, rates.tolist(), strict=True)) for _ in range(examples)]
        return {"labels" if labels.multiple else "label": [most] * examples, "scores": scores}

    candidate = Candidate({}, columns(len(validation.gold)), columns(tests))
    return chosen("majority", [candidate], validation.gold, score, ())


def frequencies(gold: Sequence[Any], labels: Labels) -> Floats:
    """Return `[labels]`, the share of examples that carry each label."""
    carried = Counter(name for value in gold for name in (value if labels.multiple else (value,)))
    return np.array([carried[name] for name in labels.names], dtype=np.float64) / max(len(gold), 1)


def label_columns(probabilities: Floats, labels: Labels, threshold: float) -> Columns:
    """Return the predicted columns of `[examples, labels]` probabilities; `threshold` serves several labels."""
    scores = [dict(zip(labels.names, row, strict=True)) for row in probabilities.tolist()]
    if not labels.multiple:
        return {"label": [labels.names[code] for code in probabilities.argmax(axis=1)], "scores": scores}
    given = [tuple(sorted(labels.names[code] for code in np.flatnonzero(row >= threshold))) for row in probabilities]
    return {"labels": given, "scores": scores}


def label_candidates(
    settings: Mapping[str, Setting], validation: Floats, test: Floats, labels: Labels
) -> Iterable[Candidate]:
    """Give the candidates of `[examples, labels]` probabilities: one, or one a threshold."""
    if not labels.multiple:
        yield Candidate(settings, label_columns(validation, labels, 0), label_columns(test, labels, 0))
        return
    for threshold in THRESHOLDS:
        yield Candidate(
            {**settings, "threshold": threshold},
            label_columns(validation, labels, threshold),
            label_columns(test, labels, threshold),
        )


def some_examples(examples: int, limit: int, note: str) -> tuple[Ints, list[str]]:
    """Return the positions to fit on, at most `limit` drawn with a fixed seed, and the note if not all."""
    if examples <= limit:
        return np.arange(examples), []
    drawn = np.sort(np.random.default_rng(0).choice(examples, size=limit, replace=False))
    return drawn, [f"fitted on {limit:,} of {examples:,} {note}, drawn at random, to save time"]
