"""Classification metrics against scikit-learn: the same inputs, one process, medians side by side.

    python benchmarks/metrics_classification.py [--examples 1000000] [--repetitions 5]

Every pair is checked for equal results before it is timed.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import sklearn
from sklearn import metrics as reference

import truetune
from truetune.evaluation.classification_report import classification_table
from truetune.metric import Additive, PerLabel
from truetune.metrics import f_measures as f
from truetune.metrics.areas import AVERAGE_PRECISION, ROC_AUC
from truetune.metrics.calibration import ECE, confidence_rows
from truetune.metrics.classification import SINGLE
from truetune.metrics.confusion import confusion_matrix
from truetune.metrics.counts import label_counts
from truetune.metrics.label_scores import LabelScores
from truetune.metrics.probability import LOG_LOSS_METRIC, probability_rows
from truetune.metrics.regression import SPEARMAN, value_rows
from truetune.metrics.score_rows import binary_rows, score_rows
from truetune.types import Column, Floats, Ints, Score

RESAMPLES = 10_000
REPORT = tuple(metric for metric in SINGLE if metric.name not in ("mcc", "kappa", "f1_macro_of_means"))


@dataclass(frozen=True)
class Pair:
    """The same work, ours and theirs."""

    work: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    at_least: float | None = None
    times_theirs: int = 1
    """How often theirs would have to run: the rest is extrapolated."""


def report(gold: Column, predicted: Column) -> str:
    """Return the classification report as text."""
    rows = label_counts(gold, predicted)
    sums = rows.totals()

    def score(name: str, value: float) -> Score:
        return Score(name, float(value), nan, nan, len(rows), "example", "")

    scores = [score(one.name, one.formula(sums).item()) for one in REPORT if isinstance(one, Additive)]
    for each in REPORT:
        if isinstance(each, PerLabel):
            named = zip(rows.labels, each.formula(sums).tolist(), strict=True)
            scores += [score(f"{each.name}/{label}", value) for label, value in named]
    supports = dict(zip(rows.labels, f.golds(sums).tolist(), strict=True))
    return classification_table(scores, supports).text(width=0)


def macro_f1_resampled(gold: Ints, predicted: Ints, resamples: int) -> Floats:
    """Return macro-F1 in each of the resamples, from the labels on."""
    rows = label_counts(gold, predicted)
    rng = np.random.default_rng(0)
    macro = next(metric for metric in SINGLE if metric.name == "f1_macro" and not isinstance(metric, PerLabel))
    return macro.value(rows, rng.multinomial(len(rows), rows.counts / len(rows), size=resamples))


def pairs(examples: int) -> list[Pair]:
    """Return the work to compare."""
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 10, examples)
    predicted = np.where(rng.random(examples) < 0.8, gold, rng.integers(0, 10, examples))
    names = np.array([f"label {number}" for number in range(10)])
    gold_names, predicted_names = names[gold].tolist(), names[predicted].tolist()
    score = rng.random(examples)
    positive = rng.random(examples) < score
    both = LabelScores(("0", "1"), np.stack([1 - score, score], axis=1))
    coarse = np.round(score, 2)
    whole = positive.astype(np.int64)
    part = slice(0, min(examples, 100_000))
    few = gold[part], predicted[part]
    noisy = score + rng.normal(size=examples)

    def same(ours: Any, theirs: Any) -> None:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)

    assert report(gold, predicted) == reference.classification_report(gold, predicted)
    same(ROC_AUC.value(score_rows(whole, both)), reference.roc_auc_score(whole, score))
    same(AVERAGE_PRECISION.value(score_rows(whole, both)), reference.average_precision_score(whole, score))
    same(LOG_LOSS_METRIC.value(probability_rows(whole, both)), reference.log_loss(whole, both.values))
    same(confusion_matrix(gold, predicted)[1], reference.confusion_matrix(gold, predicted))

    return [
        Pair(
            "P/R/F1 report, whole numbers",
            lambda: report(gold, predicted),
            lambda: reference.classification_report(gold, predicted),
            60,
        ),
        Pair(
            "P/R/F1 report, lists of strings",
            lambda: report(gold_names, predicted_names),
            lambda: reference.classification_report(gold_names, predicted_names),
        ),
        Pair(
            "confusion matrix",
            lambda: confusion_matrix(gold, predicted),
            lambda: reference.confusion_matrix(gold, predicted),
        ),
        Pair(
            "ROC-AUC of scores",
            lambda: ROC_AUC.value(binary_rows(positive, score)),
            lambda: reference.roc_auc_score(positive, score),
            4,
        ),
        Pair(
            "ROC-AUC, probabilities checked",
            lambda: ROC_AUC.value(score_rows(whole, both)),
            lambda: reference.roc_auc_score(whole, score),
            4,
        ),
        Pair(
            "ROC-AUC, scores of 2 digits",
            lambda: ROC_AUC.value(binary_rows(positive, coarse)),
            lambda: reference.roc_auc_score(positive, coarse),
        ),
        Pair(
            "average precision",
            lambda: AVERAGE_PRECISION.value(score_rows(whole, both)),
            lambda: reference.average_precision_score(whole, score),
        ),
        Pair(
            "log loss",
            lambda: LOG_LOSS_METRIC.value(probability_rows(whole, both)),
            lambda: reference.log_loss(whole, both.values),
        ),
        Pair(
            f"macro-F1, {len(few[0]):,} examples, {RESAMPLES:,} resamples",
            lambda: macro_f1_resampled(*few, RESAMPLES),
            lambda: reference.f1_score(*few, average="macro"),
            1000,
            RESAMPLES,
        ),
        Pair("calibration error (no peer)", lambda: ECE.value(confidence_rows(whole, both)), lambda: None),
        Pair(
            "Spearman's correlation (no peer here)",
            lambda: SPEARMAN.value(value_rows(score, noisy)),
            lambda: None,
        ),
    ]


def seconds(pair: Pair, repetitions: int) -> tuple[float, float]:
    """Return the median times of both, run in turn so that a busy machine slows both; first runs do not count."""
    times: tuple[list[float], list[float]] = ([], [])
    for repetition in range(repetitions + 1):
        for work, found in zip((pair.ours, pair.theirs), times, strict=True):
            start = time.perf_counter()
            work()
            if repetition:
                found.append(time.perf_counter() - start)
    return median(times[0]), median(times[1]) * pair.times_theirs


def machine() -> str:
    """Return what the numbers depend on, in one line."""
    model = platform.processor()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        lines = cpu.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return (
        f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, numpy {np.__version__}, "
        f"scikit-learn {sklearn.__version__}, truetune {truetune.__version__}"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--examples", type=int, default=1_000_000)
    arguments.add_argument("--repetitions", type=int, default=5)
    chosen = arguments.parse_args()
    print(machine())
    print(f"{chosen.examples:,} examples, 10 labels; medians of {chosen.repetitions} runs, in milliseconds\n")
    print(f"{'work':<48}{'truetune':>12}{'scikit-learn':>16}{'ratio':>10}{'at least':>10}")
    for pair in pairs(chosen.examples):
        ours, theirs = seconds(pair, chosen.repetitions)
        peer = "no peer" in pair.work
        ratio = "" if peer else f"{theirs / ours:,.1f}x"
        goal = "" if pair.at_least is None else f"{pair.at_least:,}x"
        shown = "" if peer else f"{1e3 * theirs:,.1f}"
        print(f"{pair.work:<48}{1e3 * ours:>12,.1f}{shown:>16}{ratio:>10}{goal:>10}")


if __name__ == "__main__":
    main()
