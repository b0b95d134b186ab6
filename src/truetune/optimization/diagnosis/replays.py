"""The training again with one thing changed: what a setting costs is measured, not guessed.

A replay has the data, the seed and the order of the run, is evaluated as often, and is scored at its best evaluation,
as the run was: the best of more evaluations would look better by that alone. The difference is paired over validation
examples; it is one training against one, so the luck of the seed is in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from truetune.audit.truncation import shortest_room
from truetune.errors import TruetuneError
from truetune.files import read_json
from truetune.optimization.diagnosis.cause import (
    CUT,
    DROPOUT,
    FEW_EPOCHS,
    IMBALANCE,
    RATE_HIGH,
    RATE_LOW,
    Gain,
)
from truetune.optimization.diagnosis.evidence import Evidence, Predicted
from truetune.optimization.race import Judge, Lead
from truetune.optimization.runner import FinetuneRunner, Half, half_of
from truetune.optimization.trial import Changes, Part
from truetune.workflows.model import model_place, training_of
from truetune.workflows.progress import Progress

USUAL_RATE, USUAL_LORA = 1e-4, 1e-3
"""Peak rates at which small and middle-sized encoders learn; LoRA takes more (Hu et al. 2022)."""
FAR = 3.0
"""How many times the usual rate is far from it."""
LEFT = 0.5
"""Share of the first loss that is left in the end of a training that learnt little."""
MUCH_DROPOUT = 0.3
LONGER = 3
"""How many times as many epochs a replay has."""
SHORT = 1.5
"""So few epochs are always worth a replay with more."""
CUT_SHARE = 0.1
"""Share of training texts that do not fit into one input, from which on a longer one is tried."""
ROOM_SHARE = 0.99


@dataclass(frozen=True)
class Replay:
    """One thing to change, and what it would show."""

    cause: str
    changes: Changes
    because: str
    """What made it worth trying, a sentence."""
    costs: float = 1.0
    """Of the run's own training time."""
    metric: str = ""
    """By which it is judged; empty: the one that decides."""
    spare: bool = False
    """Whether it is left out where another replay explains the score."""


@dataclass(frozen=True)
class Replayed:
    """What a replay scored."""

    replay: Replay
    metric: str
    lead: Lead
    """Over the run, on validation."""
    seconds: float

    def gain(self, evidence: Evidence, among: int) -> Gain:
        """Return what the change brought, as one of several that were looked at."""
        low, high = evidence.bounds(self.lead, among)
        return Gain(
            self.metric, self.lead.difference, low, high, "by the same training with only that changed, one seed"
        )


def told_changes(changes: Changes) -> str:
    """Return changes of settings in words."""
    return ", ".join(
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in changes.items()
    )


def learnt_little(evidence: Evidence) -> str:
    """Return why the training seems to have learnt little, a sentence; empty where it does not."""
    curve, judge = evidence.curve, evidence.judge
    best = judge.sign * evidence.value("validation")
    ahead = [name for name, value in evidence.baselines.items() if value - best >= evidence.worth]
    if ahead:
        name = max(ahead, key=lambda one: evidence.baselines[one])
        return (
            f"the baseline {name} scores {judge.sign * evidence.baselines[name]:.3f} on validation, the fine-tuned "
            f"model {judge.sign * best:.3f}"
        )
    if curve.left > LEFT:
        if curve.last_loss >= curve.first_loss:
            return (
                f"the training loss did not fall: it was {curve.first_loss:.3f}, and {curve.last_loss:.3f} in the end"
            )
        return f"the training loss fell from {curve.first_loss:.3f} to {curve.last_loss:.3f} only"
    values = [one.scores.get(judge.metric.name, np.nan) for one in curve.evaluations]
    if len(values) == 1:
        return "the model was scored only once, at the end, so that nothing shows that it had finished learning"
    if curve.best == len(values) - 1 and judge.sign * (values[-1] - values[-2]) >= evidence.worth:
        return f"the last epoch still brought {judge.sign * (values[-1] - values[-2]):.4f}"
    return ""


def replays_of(evidence: Evidence) -> list[Replay]:
    """Return what is worth training again for, what most likely matters first."""
    found: list[Replay] = []
    if _all_but_perfect(evidence):
        return found
    config = evidence.config
    little = learnt_little(evidence)
    usual = USUAL_LORA if config.recipe.lora_rank else USUAL_RATE
    ratio = config.train.learning_rate / usual
    longer = Replay(FEW_EPOCHS, {"train.epochs": LONGER * config.train.epochs}, little or passes(evidence), LONGER)
    if config.model.dropout is not None and config.model.dropout > MUCH_DROPOUT:
        found.append(Replay(DROPOUT, {"model.dropout": None}, f"dropout is {config.model.dropout:g}"))
    far = ratio > FAR or ratio < 1 / FAR
    if far:
        cause = RATE_HIGH if ratio > 1 else RATE_LOW
        told = f"the learning rate is {config.train.learning_rate:.2g}, where {usual:.2g} is usual"
        found.append(Replay(cause, {"train.learning_rate": usual}, told))
    longest = _longest(evidence)
    if longest is not None:
        found.append(longest)
    if config.train.epochs <= SHORT:
        found.append(longer)
    if little and not far and not any(one.cause == DROPOUT for one in found):
        faster = {"train.learning_rate": FAR * config.train.learning_rate}
        found.append(Replay(RATE_LOW, faster, little, spare=True))
    if little and config.train.epochs > SHORT:
        found.append(replace(longer, spare=True))
    return found


def passes(evidence: Evidence) -> str:
    """Return how often the training passed over its texts, a sentence."""
    return f"the training had {evidence.config.train.epochs:g} epochs"


def _all_but_perfect(evidence: Evidence) -> bool:
    """Return whether the score is so near the best one there is that what is sought cannot be gained."""
    limits, sign = evidence.judge.metric.limits, evidence.judge.sign
    if limits is None:
        return False
    best = limits[1] if sign > 0 else limits[0]
    return sign * (best - evidence.value("validation")) < evidence.worth


def balancing(evidence: Evidence) -> Replay:
    """Return the replay in which each label has the same say in the loss."""
    told = "rare labels are found less often than the others"
    return Replay(IMBALANCE, {"recipe.class_weights": "balanced"}, told, metric="f1_macro")


def _longest(evidence: Evidence) -> Replay | None:
    """Return the replay with inputs that hold nearly all texts; None where they do already, or the model takes none."""
    from truetune.backbones.pretrained import load_tokenizer
    from truetune.workflows.model import settings_of

    config, training = evidence.config, training_of(evidence.data.task)
    if evidence.writes:
        return _longer_prompt(evidence)
    if config.model.max_length is None or training.head not in ("classify", "regress"):
        return None
    place = model_place(config.model.name, Progress(quiet=True))
    longer = config.model_copy(update={"model": config.model.model_copy(update={"max_length": None})})
    tokenizer = load_tokenizer(settings_of(longer, place, training.head, evidence.labels))
    columns = evidence.halves["train"].columns
    sizes = np.sum([[len(one.ids) for one in tokenizer.pieces(list(column))] for column in columns], axis=0)
    nothing = np.zeros(0, dtype=np.int64)
    special = len(tokenizer.wrapped(nothing, *([nothing] if len(columns) > 1 else []))[0])
    share = float((sizes > config.model.max_length - special).mean())
    wanted = min(shortest_room(sizes, ROOM_SHARE) + special, tokenizer.max_length)
    if share < CUT_SHARE or wanted <= config.model.max_length:
        return None
    told = (
        f"{share:.0%} of the training texts do not fit into one input of {config.model.max_length:,} pieces; the model "
        f"takes {tokenizer.max_length:,}, and {wanted:,} hold {ROOM_SHARE:.0%} of them"
    )
    return Replay(CUT, {"model.max_length": wanted}, told)


def _longer_prompt(evidence: Evidence) -> Replay | None:
    """Return the same where a model writes: prompt and answer share the input with the source."""
    findings = read_json(evidence.run.audit)["findings"]
    found = next((one for one in findings if one["check"] == "sources cut"), None)
    share = found["count"] / len(evidence.data.parts["train"]) if found else 0.0
    if found is None or share < CUT_SHARE:
        return None
    told = f"{share:.0%} of the training sources are not read whole: {found['advice']}"
    return Replay(CUT, {"model.max_length": None}, told)


class Stand:
    """Makes replays within a time, and keeps what was not tried."""

    def __init__(self, evidence: Evidence, minutes: float, say: Callable[[str], None]) -> None:
        self._evidence, self._left, self._say = evidence, 60 * minutes, say
        self.done: list[Replayed] = []
        self.untried: list[str] = []
        self._runner: FinetuneRunner | None = None

    def replay(self, wanted: Replay) -> Replayed | None:
        """Return what came of a replay; None where it does not fit into the time, or cannot be trained."""
        evidence = self._evidence
        expected = wanted.costs * evidence.curve.seconds
        changes = told_changes(wanted.changes)
        if evidence.writes:
            if wanted.cause != CUT:
                self.untried.append(
                    f"{wanted.cause} was not tried: {wanted.because}, but a model that writes is not trained again "
                    f"here; fine-tune with {changes} and compare"
                )
            return None
        if expected > self._left:
            self.untried.append(
                f"{wanted.cause} was not tried: {wanted.because}, but a training with {changes} takes about "
                f"{expected / 60:.1f} minutes, and {self._left / 60:.1f} are left"
            )
            return None
        self._say(f"again with {changes}: {wanted.because}")
        began = time.monotonic()
        try:
            predicted = self._trained(wanted.changes)
        except (TruetuneError, ArithmeticError, MemoryError, RuntimeError, ValueError) as error:
            self.untried.append(f"{wanted.cause} was not measured: the training with {changes} failed: {error}")
            return None
        finally:
            self._left -= time.monotonic() - began
        judge = self._judge(wanted.metric)
        lead = judge.lead(evidence.predicted["validation"], predicted)
        self.done.append(Replayed(wanted, judge.metric.name, lead, time.monotonic() - began))
        self._say(f"{judge.metric.name} {lead.difference:+.4f} (standard error {lead.error:.4f})")
        return self.done[-1]

    def _trained(self, changes: Changes) -> Predicted:
        """Return what a training says of validation at its best evaluation by the metric that decides."""
        evidence = self._evidence
        if self._runner is None:
            place = model_place(evidence.config.model.name, Progress(quiet=True))
            half = evidence.halves["validation"]
            halves: dict[Part, Half] = {"search": half, "confirm": half}
            self._runner = FinetuneRunner(evidence.config, place, evidence.data, halves, least=0)
        best: tuple[float, Mapping[str, Any]] | None = None
        for rung in self._runner.run(changes, evidence.config.train.seed, confirms=False):
            value = evidence.judge.sign * evidence.judge.value(rung.predicted)
            if best is None or value > best[0]:
                best = value, rung.predicted
        assert best is not None
        return best[1]

    def _judge(self, metric: str) -> Judge:
        if not metric or metric == self._evidence.judge.metric.name:
            return self._evidence.judge
        places = np.arange(len(self._evidence.data.parts["validation"]))
        return half_of(self._evidence.data, metric, "validation", places).judge
