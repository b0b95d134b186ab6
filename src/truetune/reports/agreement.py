"""Whether a run's files agree: what the predictions give must be what the scores and the comparison say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from truetune.metric import Additive
from truetune.metrics.classification import SINGLE
from truetune.metrics.spans import SPANS
from truetune.reports import numbers
from truetune.reports.examples import right
from truetune.reports.predictions import Predictions
from truetune.reports.run import SavedRun, System
from truetune.reports.words import Say

CHECKED = {metric.name: metric for metric in (SINGLE[0], SPANS[0]) if isinstance(metric, Additive)}
"""One metric by field is enough to find a stale file: accuracy of labels, strict F1 of spans."""
TOLERANCE = 1e-9


def disagreements(say: Say, run: SavedRun) -> list[str]:
    """Return a sentence for each pair of saved files that cannot be of the same predictions."""
    found = [sentence for system in run.systems for sentence in _of_system(say, system)]
    return [*found, *_of_comparison(say, run)]


def _of_system(say: Say, system: System) -> Iterator[str]:
    predictions = system.predictions
    if predictions is None:
        return
    role = say[f"column.{system.role}"]
    stated = system.scores.get("examples")
    if stated is not None and stated != len(predictions):
        pair = {"predictions": numbers.count(len(predictions)), "scores": numbers.count(stated)}
        yield say["agreement.examples"].format(role=role, **pair)
    for name, value in _recomputed(predictions).items():
        score = system.score(name)
        if score and score["value"] is not None and abs(score["value"] - value) > TOLERANCE:
            pair = {"predictions": f"{value:.6f}", "scores": f"{score['value']:.6f}"}
            yield say["agreement.score"].format(role=role, metric=name, **pair)


def _recomputed(predictions: Predictions) -> dict[str, float]:
    return {
        name: float(metric.value(metric.rows(predictions.gold[metric.gold], predictions.predicted[metric.predicted])))
        for name, metric in CHECKED.items()
        if metric.gold in predictions.gold and metric.predicted in predictions.predicted
    }


def _of_comparison(say: Say, run: SavedRun) -> Iterator[str]:
    """Yield a sentence where gained and lost examples of the comparison are not those of the predictions."""
    before = run.before.predictions if run.before else None
    after = run.after.predictions if run.after else None
    one = run.compared.get("accuracy")
    if before is None or after is None or one is None or one.get("gained") is None:
        return
    was, now = right(before), right(after)
    if was is None or now is None or len(was) != len(now):
        return
    counted, stated = (int(np.sum(~was & now)), int(np.sum(was & ~now))), (one["gained"], one["lost"])
    if counted != stated:
        predictions, comparison = (" / ".join(map(numbers.count, pair)) for pair in (counted, stated))
        yield say["agreement.flips"].format(predictions=predictions, comparison=comparison)
