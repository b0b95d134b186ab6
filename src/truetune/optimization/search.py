"""The search: trials raced against the best so far, within a time, written down as they end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from truetune.errors import TruetuneError
from truetune.optimization.journal import Journal
from truetune.optimization.proposals import Proposals, best_value
from truetune.optimization.race import Judge, Lead, Race
from truetune.optimization.trial import Changes, Rung, Runner, Seen, Trial

Predicted = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Budget:
    """When to begin no further trial."""

    trials: int
    seconds: float
    """Of training, in this session and earlier ones of the same search."""
    reserved: int = 0
    """How many whole trainings must still fit in behind the last trial: those that confirm."""

    def allows(self, done: Sequence[Trial]) -> bool:
        """Return whether one more trial and all that is reserved can be expected to fit."""
        if len(done) >= self.trials:
            return False
        whole = [trial.seconds for trial in done if trial.state == "finished"]
        if not whole:
            return True
        spent = sum(trial.seconds for trial in done)
        return spent + (1 + self.reserved) * median(whole) <= self.seconds


@dataclass(frozen=True)
class Search:
    """A search over a journal; `run` may be called again on the same journal and goes on where it was."""

    runner: Runner
    judge: Judge
    race: Race
    journal: Journal
    seed: int
    say: Callable[[str], None]

    def run(self, propose: Proposals, budget: Budget, first: Sequence[Changes] = ()) -> list[Trial]:
        """Return all trials. Trial 0 is the config as it was given: its failure ends the search with its error.

        The trials behind it change what `first` says, in that order; then come proposals.
        """
        done = self.journal.trials()
        for trial in done:
            propose.remember(trial)
        if not done:
            done.append(self._tried(0, {}, None))
            if done[0].state == "failed":
                raise TruetuneError(
                    f"the config itself could not be trained, so there is nothing to improve: {done[0].reason}"
                )
            propose.remember(done[0])
        while budget.allows(done):
            asked = first[len(done) - 1] if len(done) <= len(first) else None
            changes = propose.next() if asked is None else asked
            trial = self._tried(len(done), changes, best_of(done, self.judge.sign))
            if asked is None:
                propose.tell(trial)
            else:
                propose.remember(trial)
            done.append(trial)
        return done

    def _tried(self, number: int, changes: Changes, best: Trial | None) -> Trial:
        """Train once, stop where it is hopeless, save and return what became of it."""
        rungs: list[Rung] = []
        try:
            reason = self._raced(self.runner.run(changes, self.seed, "search"), rungs, best)
        except (TruetuneError, ArithmeticError, MemoryError, RuntimeError, ValueError) as error:
            trial = Trial(number, dict(changes), "failed", self._seen(rungs), str(error) or type(error).__name__)
        else:
            trial = Trial(number, dict(changes), "stopped" if reason else "finished", self._seen(rungs), reason)
        self.journal.write(trial, rungs)
        self.say(_told(trial, self.judge))
        return trial

    def _raced(self, training: Iterator[Rung], rungs: list[Rung], best: Trial | None) -> str:
        """Gather the rungs of a training; return why it was stopped, or nothing."""
        for rung in training:
            rungs.append(rung)
            lead = self._lead(best, rungs)
            if lead is not None and rung.share < 1 and self.race.hopeless(lead, rung.share):
                close = getattr(training, "close", None)
                if close is not None:
                    close()
                behind = f"{-lead.difference:.4f} (standard error {lead.error:.4f}) behind the best"
                return f"{behind} after {rung.share:.0%} of training"
        return ""

    def _lead(self, best: Trial | None, rungs: Sequence[Rung]) -> Lead | None:
        """Return the lead over what the best trial said at this share of training, or last before it; None if never."""
        share = rungs[-1].share
        before = [place for place, rung in enumerate(best.rungs if best else ()) if rung.share <= share + 1e-9]
        if best is None or not before:
            return None
        return self.judge.lead(self.journal.predicted(best.number, before[-1]), rungs[-1].predicted)

    def _seen(self, rungs: Sequence[Rung]) -> tuple[Seen, ...]:
        values = [self.judge.value(rung.predicted) for rung in rungs]
        return tuple(
            Seen(rung.share, value if math.isfinite(value) else None, rung.seconds)
            for rung, value in zip(rungs, values, strict=True)
        )


def best_of(trials: Sequence[Trial], sign: int) -> Trial:
    """Return the finished trial with the best score."""
    finished = [trial for trial in trials if trial.state == "finished"]
    return max(finished, key=lambda trial: sign * best_value(trial, sign))


def finalists_of(search: Search, trials: Sequence[Trial], most: int) -> list[Trial]:
    """Return the trials to confirm beside trial 0: the best ones that are not clearly behind the very best."""
    sign = search.judge.sign
    ranked = sorted(
        (trial for trial in trials if trial.state == "finished" and trial.number != 0),
        key=lambda trial: -sign * best_value(trial, sign),
    )
    if not ranked:
        return []
    first = best_rung(search.journal, ranked[0], sign)
    kept = [ranked[0]]
    for trial in ranked[1:most]:
        lead = search.judge.lead(first, best_rung(search.journal, trial, sign))
        if lead.chance(0.0) >= search.race.risk:
            kept.append(trial)
    return kept


def best_rung(journal: Journal, trial: Trial, sign: int) -> Predicted:
    """Return what a trial predicted where its score was best."""
    return journal.predicted(trial.number, trial.best(sign))


def confirming_runs(
    search: Search, finalists: Sequence[Trial], seeds: Sequence[int], clock: Callable[[], float] = time.monotonic
) -> dict[int, list[Predicted]]:
    """Return what trial 0 and the finalists predict on the examples that the search never saw, with each new seed.

    The last rung counts: a best one must not be chosen on the examples that confirm. Runs that the journal has are
    not made again.
    """
    changes: dict[int, Changes] = {0: {}, **{trial.number: trial.changes for trial in finalists}}
    found: dict[int, list[Predicted]] = {number: [] for number in changes}
    for seed in seeds:
        for number, changed in changes.items():
            known = search.journal.confirming(number, seed)
            if known is None:
                began = clock()
                *_, last = search.runner.run(changed, seed, "confirm")
                search.journal.write_confirming(number, seed, last.predicted)
                known = search.journal.confirming(number, seed)
                search.say(f"confirming trial {number} with seed {seed}: {clock() - began:.0f} s")
            assert known is not None
            found[number].append(known)
    return found


def _told(trial: Trial, judge: Judge) -> str:
    changed = ", ".join(f"{key}={_short(value)}" for key, value in trial.changes.items()) or "the config as it is"
    value = f"{judge.metric.name} {best_value(trial, judge.sign):.4f}" if trial.rungs else "no score"
    why = f" ({trial.reason})" if trial.reason else ""
    return f"trial {trial.number}: {value}, {trial.state}{why}; {trial.seconds:.0f} s; {changed}"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
