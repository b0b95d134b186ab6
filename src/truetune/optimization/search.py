"""The search: trials raced against the best so far, within a time, written down as they end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import fmean, median
from typing import Any

from truetune.errors import TruetuneError
from truetune.optimization.crew import FAILURES, Crew
from truetune.optimization.journal import Journal
from truetune.optimization.objectives import SCORE_ALONE, Aims, Costs, rival_of
from truetune.optimization.proposals import Proposals
from truetune.optimization.race import Judge, Lead, Race
from truetune.optimization.trial import Changes, Rung, Seen, State, Trial, best_value

Predicted = Mapping[str, Sequence[Any]]
WAIT = 2.0
"""Seconds between two looks at what other processes have done."""


@dataclass(frozen=True)
class Budget:
    """When to begin no further trial."""

    trials: int
    seconds: float
    """Of training, summed over all trials, in this session and earlier ones of the same search."""
    finalists: int = 0
    """How many finalists must still be confirmed behind the last trial."""
    seeds: int = 0
    """With how many seeds."""
    given_seeds: int = 0
    """With how many trial 0 must still be trained, to be compared with them."""
    sign: int = 1
    """1 where more of the score is better, else -1."""

    def allows(self, done: Iterable[Trial], under_way: int = 0) -> bool:
        """Return whether one more trial, all that is under way, and confirming can be expected to fit."""
        ended = sorted(done, key=lambda trial: trial.number)
        if len(ended) + under_way >= self.trials:
            return False
        whole = [trial for trial in ended if trial.state == "finished"]
        if not whole:
            return True
        spent = sum(trial.seconds for trial in ended)
        usual = median(trial.seconds for trial in whole)
        return spent + (1 + under_way) * usual + self._confirming(whole) <= self.seconds

    def _confirming(self, whole: Sequence[Trial]) -> float:
        """Return how long confirming takes, were the finalists to be the best so far; trial 0 is the first."""
        given, *others = whole
        best = sorted(others, key=lambda trial: -self.sign * best_value(trial, self.sign))[: self.finalists]
        each = fmean(trial.seconds for trial in best) if best else given.seconds
        return self.given_seeds * given.seconds + self.finalists * self.seeds * each


@dataclass
class Racing:
    """A trial that is under way."""

    number: int
    changes: Changes
    costs: Costs
    rungs: list[Rung] = field(default_factory=list)


@dataclass(frozen=True)
class Search:
    """A search over a journal; `run` may be called again on the same journal and goes on where it was."""

    crew: Crew
    judge: Judge
    race: Race
    journal: Journal
    seed: int
    say: Callable[[str], None]
    aims: Aims = SCORE_ALONE
    weigh: Callable[[Changes], Costs] | None = None
    """What a model with some changes costs; asked once for all that have the same of `model`."""
    given: Changes = field(default_factory=dict)
    """What the config has for the settings of the space, where a trial does not change them."""
    own_counts: bool = True
    """Whether trial 0's training of the search is one of those that confirm: nothing chose it for its score."""

    def run(self, propose: Proposals, budget: Budget, first: Sequence[Changes] = ()) -> list[Trial]:
        """Return all trials, by number. Trial 0 is the config as it was given: its failure ends the search.

        The trials behind it change what `first` says, in that order; then come proposals.
        """
        done: dict[int, Trial] = {}
        running: dict[int, Racing] = {}
        while True:
            if not done or self.journal.shared:
                self._learn(done, propose)
            while (number := self._next(done, running, budget)) is not None:
                self._begin(number, self._changes(number, propose, first), running, done, propose)
            if running:
                self._hear(running, done, propose)
            elif self.journal.taken() or budget.allows(done.values()):  # what is left is with other processes
                time.sleep(WAIT)
            else:
                return [done[number] for number in sorted(done)]

    def _learn(self, done: dict[int, Trial], propose: Proposals) -> None:
        """Read the trials of earlier sessions and of other processes."""
        for trial in self.journal.trials():
            if trial.number not in done:
                done[trial.number] = trial
                propose.learn(trial)

    def _next(self, done: Mapping[int, Trial], running: Mapping[int, Racing], budget: Budget) -> int | None:
        """Return the number of the trial to begin now; None where none is to be begun.

        Trial 0 is awaited by all others, which are raced against what has finished.
        """
        taken = self.journal.taken()
        if len(running) >= (self.crew.size if 0 in done else 1):
            return None
        while budget.allows(done.values(), len(running) + len(taken)):
            number = next(one for one in count() if one not in done and one not in running and one not in taken)
            if number > 0 and 0 not in done:
                return None
            if self.journal.claim(number):
                return number
            taken.add(number)
        return None

    def _begin(
        self,
        number: int,
        changes: Changes,
        running: dict[int, Racing],
        done: dict[int, Trial],
        propose: Proposals,
    ) -> None:
        if (twin := self._twin(changes, done.values())) is not None:
            told = f"the same settings as trial {twin.number}"
            self._ended(Racing(number, changes, {}), "stopped", told, done, propose)
            return
        try:
            racing = Racing(number, changes, self._costs(changes, done.values()))
        except FAILURES as error:
            self._ended(Racing(number, changes, {}), "failed", _told_of(error), done, propose)
            return
        running[number] = racing
        self.crew.begin(number, changes, self.seed, confirms=self.own_counts and number == 0)

    def _hear(self, running: dict[int, Racing], done: dict[int, Trial], propose: Proposals) -> None:
        """Wait for what a trial says next, and end it where that was all, or is enough."""
        key, said = self.crew.next()
        racing = next(one for number, one in running.items() if number == key)
        if isinstance(said, Rung) and said.part == "confirm":
            more = max(0.0, said.seconds - racing.rungs[-1].seconds)
            self.journal.write_confirming(racing.number, self.seed, said.predicted, more)
            return
        if isinstance(said, Rung):
            racing.rungs.append(said)
            reason = self._hopeless(racing, done.values())
            if not reason:
                return
            self.crew.stop(key)
            self._ended(racing, "stopped", reason, done, propose)
        elif said is None:
            self._ended(racing, "finished", "", done, propose)
        else:
            self._ended(racing, "failed", _told_of(said), done, propose)
        del running[racing.number]

    @staticmethod
    def _changes(number: int, propose: Proposals, first: Sequence[Changes]) -> Changes:
        if number == 0:
            return {}
        return first[number - 1] if number <= len(first) else propose.next(number)

    def _costs(self, changes: Changes, done: Iterable[Trial]) -> Costs:
        """Return what a model costs, as measured for an earlier trial with the same model where there is one."""
        if self.weigh is None:
            return {}
        ours = self._of_model(changes)
        known = next((one.costs for one in done if one.costs and self._of_model(one.changes) == ours), None)
        return self.weigh(changes) if known is None else known

    def _twin(self, changes: Changes, done: Iterable[Trial]) -> Trial | None:
        """Return a trial that was trained with these settings, and so would be again to the same end."""
        ours = {**self.given, **changes}
        return next((one for one in done if one.rungs and {**self.given, **one.changes} == ours), None)

    def _of_model(self, changes: Changes) -> dict[str, Any]:
        return {key: value for key, value in {**self.given, **changes}.items() if key.startswith("model.")}

    def _ended(self, racing: Racing, state: State, reason: str, done: dict[int, Trial], propose: Proposals) -> None:
        """Write down what became of a trial, tell the sampler, and end the search with the error of trial 0."""
        if racing.number == 0 and state == "failed":
            raise TruetuneError(f"the config itself could not be trained, so there is nothing to improve: {reason}")
        trial = Trial(racing.number, dict(racing.changes), state, self._seen(racing.rungs), reason, racing.costs)
        self.journal.write(trial, racing.rungs)
        self.say(_told(trial, self.judge))
        done[trial.number] = trial
        propose.learn(trial)

    def _hopeless(self, racing: Racing, done: Iterable[Trial]) -> str:
        """Return why a trial is to be stopped at its last rung, or nothing."""
        share = racing.rungs[-1].share
        rival = rival_of([*done], racing.costs, self.judge.sign, self.race, self.aims) if share < 1 else None
        lead = self._lead(rival[0], racing.rungs[-1]) if rival is not None else None
        if rival is None or lead is None or not rival[1].hopeless(lead, share):
            return ""
        behind = f"{-lead.difference:.4f} (standard error {lead.error:.4f}) behind the best"
        return f"{behind} after {share:.0%} of training"

    def _lead(self, best: Trial, rung: Rung) -> Lead | None:
        """Return the lead over what the best trial said at this share of training, or last before it; None if never."""
        before = [place for place, one in enumerate(best.rungs) if one.share <= rung.share + 1e-9]
        if not before:
            return None
        return self.judge.lead(self.journal.predicted(best.number, before[-1]), rung.predicted)

    def _seen(self, rungs: Sequence[Rung]) -> tuple[Seen, ...]:
        values = [self.judge.value(rung.predicted) for rung in rungs]
        return tuple(
            Seen(rung.share, value if math.isfinite(value) else None, rung.seconds)
            for rung, value in zip(rungs, values, strict=True)
        )


def _told_of(error: Exception) -> str:
    return str(error) or type(error).__name__


def _told(trial: Trial, judge: Judge) -> str:
    changed = ", ".join(f"{key}={_short(value)}" for key, value in trial.changes.items()) or "the config as it is"
    value = f"{judge.metric.name} {best_value(trial, judge.sign):.4f}" if trial.rungs else "no score"
    why = f" ({trial.reason})" if trial.reason else ""
    costs = "".join(f", {name} {cost:.3g}" for name, cost in trial.costs.items())
    return f"trial {trial.number}: {value}{costs}, {trial.state}{why}; {trial.seconds:.0f} s; {changed}"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
