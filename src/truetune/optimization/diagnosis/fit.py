"""Whether the training went wrong by itself: nothing learnt, too much by heart, too long, or by the luck of a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import log, sqrt

import numpy as np

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.optimization.diagnosis.cause import MANY_EPOCHS, NOTHING, OVER, SEEDS, Cause
from truetune.optimization.diagnosis.curve import curve_of
from truetune.optimization.diagnosis.evidence import Evidence
from truetune.stats.quantiles import normal_quantile, t_quantile
from truetune.tracking.local import events

GAP = 0.1
"""Lead of training over validation from which on it counts as learnt by heart, where the loss says so too."""
RISEN = 1.3
"""How many times the least log-loss on validation that of the last evaluation must be."""
FEWEST_EVALUATIONS = 4
ONE_ANSWER = 0.99
"""Share of the examples that get one and the same label from which on a model tells nothing apart."""
MOSTLY = 0.9
"""Share of the training examples that have this label from which on it may be the right answer."""
AT_FREQUENCIES = 0.95
"""Share of the labels' entropy that the log-loss must keep for the model to know no more than their frequencies."""
LONG_AGO = 0.5
"""Share of the training at which the best evaluation must have been for the rest to count as too long."""


def nothing_learnt(evidence: Evidence) -> Iterator[Cause]:
    """Yield it where even training examples all get one label, and no probability says more than how frequent it is.

    Of examples nine tenths of which have that label nothing is said: there it may be the right answer.
    """
    said = [label for part in ("train", "validation") for label in evidence.predicted[part]["label"]]
    ((label, times),) = Counter(map(str, said)).most_common(1)
    counts = Counter(evidence.gold("train"))
    total = sum(counts.values())
    if times < ONE_ANSWER * len(said) or counts[label] >= MOSTLY * total:
        return
    entropy = -sum(number / total * log(number / total) for number in counts.values())
    own = evidence.probabilities("train")[np.arange(total), evidence.codes("train")]
    loss = float(-np.log(np.maximum(own, np.finfo(float).tiny)).mean())
    if loss >= AT_FREQUENCIES * entropy:
        yield Cause(
            NOTHING,
            (
                f"{times / len(said):.0%} of the {len(said):,} training and validation examples are said to be "
                f"{label}, which {counts[label] / total:.0%} are",
                f"the log-loss on training examples is {loss:.3f}; that of always saying how frequent each label is "
                f"would be {entropy:.3f}",
            ),
        )


def gap_of(evidence: Evidence) -> tuple[float, float, float]:
    """Return how far the score on training examples is ahead of that on validation, with its interval.

    The examples are different ones, so the squared standard errors add up.
    """
    sign = evidence.judge.sign
    gap = sign * (evidence.value("train") - evidence.value("validation"))
    reach = normal_quantile((1 + evidence.level) / 2) * sqrt(
        evidence.error("train") ** 2 + evidence.error("validation") ** 2
    )
    return gap, gap - reach, gap + reach


def over_fitted(evidence: Evidence) -> Iterator[Cause]:
    """Yield over-fitting where both say so: the gap to training, and a validation loss that rose again."""
    losses = evidence.curve.log_losses()
    gap, low, high = gap_of(evidence)
    if len(losses) < 2 or low < GAP or losses[-1] < RISEN * min(losses):
        return
    least = int(np.argmin(losses))
    yield Cause(
        OVER,
        (
            f"on training examples the score is {gap:.3f} better than on validation ({low:.3f} to {high:.3f})",
            f"the log-loss on validation rose from {losses[least]:.3f} after epoch "
            f"{evidence.curve.evaluations[least].epoch:g} to {losses[-1]:.3f}",
        ),
    )


def trained_too_long(evidence: Evidence) -> Iterator[Cause]:
    """Yield too many epochs where the best checkpoint is old and the loss rose since; that costs time, not score."""
    curve, losses = evidence.curve, evidence.curve.log_losses()
    number = len(curve.evaluations)
    if number < FEWEST_EVALUATIONS or curve.best < 0 or len(losses) != number:
        return
    share = (curve.best + 1) / number
    if share <= LONG_AGO and losses[-1] >= RISEN * losses[curve.best]:
        yield Cause(
            MANY_EPOCHS,
            (
                f"the best evaluation was after {share:.0%} of the training; the rest of it cost time and "
                f"raised the log-loss on validation from {losses[curve.best]:.3f} to {losses[-1]:.3f}",
            ),
        )


def told_by_luck(evidence: Evidence) -> Iterator[Cause]:
    """Yield seed noise where runs beside this one, equal but for the seed, scatter more than what is sought."""
    values = sibling_scores(evidence.run, evidence.config, evidence.judge.metric.name)
    if len(values) < 3:
        return
    deviation = float(np.std(values, ddof=1))
    # Two runs of one config differ by sqrt(2) deviations; t allows for how few they are.
    scatter = t_quantile((1 + evidence.level) / 2, len(values) - 1) * sqrt(2) * deviation
    if scatter > evidence.worth:
        yield Cause(
            SEEDS,
            (
                f"{len(values)} runs that differ in the seed alone scatter by {deviation:.4f} (standard deviation of "
                f"the validation score): two of them differ by up to {scatter:.4f} by luck, more than the "
                f"{evidence.worth:g} that is sought",
            ),
        )


def sibling_scores(run: RunFolder, config: Config, metric: str) -> Sequence[float]:
    """Return the best validation scores of the finished runs in one folder that differ in the seed alone."""
    found = []
    for file in sorted(run.path.parent.glob("*/config.yaml")):
        other = RunFolder(file.parent)
        if other.finished and _but_for_seed(configs.load(other.config)) == _but_for_seed(config):
            curve = curve_of(events(other.events))
            if curve.best >= 0 and metric in curve.evaluations[curve.best].scores:
                found.append(curve.evaluations[curve.best].scores[metric])
    return found


def _but_for_seed(config: Config) -> Config:
    train = config.train.model_copy(update={"seed": 0})
    return config.model_copy(update={"train": train, "track": None, "optimize": None})
