"""`truetune diagnose RUN`: what holds the score of a finished run back, in order of what it costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from truetune.bundle.run_folder import finished_run
from truetune.errors import ConfigError
from truetune.files import write_json
from truetune.optimization.diagnosis import cause as names
from truetune.optimization.diagnosis.calibration import miscalibrated
from truetune.optimization.diagnosis.cause import Cause, Gain, in_order
from truetune.optimization.diagnosis.evidence import Evidence, gathered
from truetune.optimization.diagnosis.fit import gap_of, nothing_learnt, over_fitted, told_by_luck, trained_too_long
from truetune.optimization.diagnosis.frozen import LearningCurve, frozen_of, learning_curve, too_few, wrong_labels
from truetune.optimization.diagnosis.labels import can_tell_of_rare, imbalanced, repeated, weak_labels, weak_slices
from truetune.optimization.diagnosis.replays import (
    SHORT,
    Replay,
    Replayed,
    Stand,
    balancing,
    passes,
    replays_of,
    told_changes,
)
from truetune.optimization.moves import advice_for
from truetune.reports.page import run_page, write
from truetune.stats.quantiles import normal_quantile
from truetune.workflows.model import need_packages, training_of
from truetune.workflows.progress import Progress

MINUTES = 10.0


@dataclass(frozen=True)
class Diagnosis:
    """What was found; `to_dict()` is what stands in `diagnosis.json`."""

    run: Path
    causes: tuple[Cause, ...]
    saved: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {"run": str(self.run), **self.saved}


def diagnose(
    path: str | Path, *, minutes: float = MINUTES, worth: float | None = None, progress: Progress | None = None
) -> Diagnosis:
    """Find what holds the score of a finished run back, and write it to `diagnosis.json` and the report of the run.

    Some causes are measured by training again with one thing changed, for at most `minutes`; 0 leaves that out.
    Gains below `worth`, in the units of the metric that decides (default: a hundredth of its highest value), are not
    looked for. The validation part is all that is scored. Raises `RunError` for a folder that is no finished run.
    """
    for name, value in (("minutes", minutes), ("worth", worth)):
        if value is not None and not 0 <= value < float("inf"):
            raise ConfigError(f"{name} is {value}; expected a number that is not below 0")
    shown, began = progress or Progress(), time.monotonic()
    evidence = gathered(Path(path), worth, shown)
    need_packages("`truetune diagnose`", evidence.config.model.framework)
    curve, causes, stand = _examined(evidence, minutes, shown)
    ordered = in_order(causes)
    saved = _saved(evidence, ordered, curve, stand, time.monotonic() - began)
    run = finished_run(Path(path))
    write_json(run.diagnosis, saved)
    write(run.report, run_page(run.path, evidence.config.track.language))
    return Diagnosis(run.path, tuple(ordered), saved)


def _examined(
    evidence: Evidence, minutes: float, progress: Progress
) -> tuple[LearningCurve | None, list[Cause], Stand]:
    causes = [*over_fitted(evidence), *trained_too_long(evidence), *told_by_luck(evidence), *repeated(evidence)]
    curve, rare = None, []
    if evidence.one_label and training_of(evidence.data.task).head == "classify":
        nothing = [*nothing_learnt(evidence)]
        causes += nothing
        if not nothing:  # else one label is found and all others are not, whatever their examples
            causes += [*weak_labels(evidence), *weak_slices(evidence), *miscalibrated(evidence)]
            rare = [*imbalanced(evidence)]
        frozen = frozen_of(evidence, progress)
        curve = learning_curve(evidence, frozen)
        causes += [*too_few(evidence, curve), *wrong_labels(evidence, frozen)]
    stand = Stand(evidence, minutes, progress.say)
    tried = _replayed(evidence, stand)
    balanced = stand.replay(balancing(evidence)) if rare and can_tell_of_rare(evidence) else None
    for one in rare:
        causes.append(replace(one, gain=balanced.gain(evidence, len(stand.done))) if balanced else one)
    causes += _told(evidence, tried, len(stand.done))
    if not any(one.name in EXPLAINING for one in causes):
        causes += _behind(evidence, curve)
    return curve, causes, stand


EXPLAINING = (
    names.RATE_HIGH,
    names.RATE_LOW,
    names.FEW_EPOCHS,
    names.DROPOUT,
    names.IMBALANCE,
    names.WRONG,
    names.CUT,
)
"""Causes that say why a fine-tuned model is behind frozen features; under-fitting is for what none of them explains."""


def _replayed(evidence: Evidence, stand: Stand) -> list[tuple[Replay, Replayed | None]]:
    """Make the replays, those that can be spared only where no other explained the score."""
    found: list[tuple[Replay, Replayed | None]] = []
    for wanted in replays_of(evidence):
        explained = any(done and done.gain(evidence, 1).low > 0 for _, done in found)
        if wanted.spare and explained:
            continue
        found.append((wanted, stand.replay(wanted)))
    return found


def _told(evidence: Evidence, tried: list[tuple[Replay, Replayed | None]], among: int) -> Iterator[Cause]:
    """Yield what the replays say.

    A gain must be what is sought, and its interval clear of 0. Of inputs that cut many texts short, and of a training
    that passes hardly once over its texts, something else speaks too: they are named where a gain is not ruled out.
    """
    for wanted, done in tried:
        gain = done.gain(evidence, among) if done else None
        changes = told_changes(wanted.changes)
        if wanted.cause == names.CUT:
            if gain is None or gain.high >= evidence.worth:
                yield Cause(wanted.cause, (wanted.because,), gain)
        elif gain is not None and gain.value >= evidence.worth:
            if gain.low > 0:
                yield Cause(wanted.cause, (wanted.because, f"the same training with {changes} scores better"), gain)
            elif wanted.cause == names.FEW_EPOCHS and evidence.config.train.epochs <= SHORT:
                told = f"the same training with {changes} scores better, but not for sure"
                yield Cause(wanted.cause, (passes(evidence), told), gain)


def _behind(evidence: Evidence, curve: LearningCurve | None) -> Iterator[Cause]:
    """Yield under-fitting where a linear model on frozen features is shown better, and no setting explains it."""
    if curve is None:
        return
    lead = evidence.judge.lead(evidence.predicted["validation"], curve.whole)
    low, high = evidence.bounds(lead)
    if low > 0 and lead.difference >= evidence.worth:
        how = "of a linear model on frozen features over the fine-tuned one"
        name = evidence.judge.metric.name
        told = "fine-tuning did worse than a linear model on what the model knew before it"
        yield Cause(names.UNDER, (told,), Gain(name, lead.difference, low, high, how))


def _saved(
    evidence: Evidence, causes: list[Cause], curve: LearningCurve | None, stand: Stand, seconds: float
) -> dict[str, Any]:
    judge = evidence.judge
    gap, low, high = gap_of(evidence)
    value, reach = (
        evidence.value("validation"),
        normal_quantile((1 + evidence.level) / 2) * evidence.error("validation"),
    )
    return {
        "metric": judge.metric.name,
        "better": judge.metric.better,
        "level": evidence.level,
        "worth": evidence.worth,
        "examples": {"train": len(evidence.sample), "validation": len(evidence.data.parts["validation"])},
        "score": {"value": value, "low": value - reach, "high": value + reach, "train": evidence.value("train")},
        "gap": {"value": gap, "low": low, "high": high},
        "causes": [
            {
                "name": one.name,
                "evidence": list(one.evidence),
                "gain": one.gain.to_dict() if one.gain else None,
                "shown": one.shown,
                "moves": advice_for(one.name, evidence.config),
            }
            for one in causes
        ],
        "learning_curve": _curve(curve),
        "replays": [
            {
                "cause": one.replay.cause,
                "because": one.replay.because,
                "changes": dict(one.replay.changes),
                "gain": one.gain(evidence, len(stand.done)).to_dict(),
                "seconds": one.seconds,
            }
            for one in stand.done
        ],
        "not_tried": stand.untried,
        "seconds": seconds,
    }


def _curve(curve: LearningCurve | None) -> dict[str, Any] | None:
    if curve is None:
        return None
    more = [{"examples": one.examples, "value": one.value, "low": one.low, "high": one.high} for one in curve.more]
    return {"sizes": list(curve.sizes), "scores": list(curve.scores), "more": more}
