"""Which trials are worth confirming, and the runs that confirm them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from truetune.errors import TruetuneError
from truetune.optimization.journal import Journal
from truetune.optimization.objectives import front, how_cheap, no_dearer
from truetune.optimization.search import WAIT, Predicted, Search
from truetune.optimization.trial import Changes, Rung, Trial, best_of, best_value


def finalists_of(search: Search, trials: Sequence[Trial], most: int) -> list[Trial]:
    """Return the trials to confirm beside trial 0, at most so many.

    Of a search by the score alone: the best ones that are not clearly behind the very best. Where costs count: of the
    front, those that cost no more than trial 0 and are not clearly behind it by more than may be given; the best of
    them first, then the cheapest.
    """
    sign = search.judge.sign
    finished = [trial for trial in trials if trial.state == "finished" and trial.number != 0]
    if search.aims.costs:
        given = next(trial for trial in trials if trial.number == 0)
        kept = [
            trial
            for trial in front(trials, sign)
            if trial.number != 0 and no_dearer(trial.costs, given.costs) and _within(search, given, trial)
        ]
        if not kept:
            return []
        best = best_of(kept, sign)
        others = sorted((one for one in kept if one is not best), key=lambda one: how_cheap(one.costs, given.costs))
        return [best, *others][:most]
    ranked = sorted(finished, key=lambda trial: -sign * best_value(trial, sign))
    if not ranked:
        return []
    first = best_rung(search.journal, ranked[0], sign)
    found = [ranked[0]]
    for trial in ranked[1:most]:
        lead = search.judge.lead(first, best_rung(search.journal, trial, sign))
        if lead.chance(0.0) >= search.race.risk:
            found.append(trial)
    return found


def _within(search: Search, given: Trial, trial: Trial) -> bool:
    said = (best_rung(search.journal, one, search.judge.sign) for one in (given, trial))
    return search.judge.lead(*said).chance(-search.aims.give) >= search.race.risk


def best_rung(journal: Journal, trial: Trial, sign: int) -> Predicted:
    """Return what a trial predicted where its score was best."""
    return journal.predicted(trial.number, trial.best(sign))


def confirming_runs(search: Search, finalists: Sequence[Trial], seeds: Sequence[int]) -> dict[int, list[Predicted]]:
    """Return what trial 0 and the finalists predict on the examples that the search never saw, with each seed.

    Which seeds, `_wanted` says. The checkpoint counts that is best on the search's half, as a run keeps the
    one that is best on validation: the examples that confirm choose nothing. Runs that the journal has are not made
    again. A finalist that fails with one of the seeds is left out: it was trained by luck. Raises `TruetuneError` where
    trial 0 fails.
    """
    changes: dict[int, Changes] = {0: {}, **{trial.number: trial.changes for trial in finalists}}
    wanted = _wanted(search, finalists, seeds)
    last: dict[tuple[int, int], Rung] = {}
    under_way: set[tuple[int, int]] = set()
    while left := _left(search.journal, wanted):
        for pair in left:
            if len(under_way) < search.crew.size and pair not in under_way and search.journal.claim(*pair):
                under_way.add(pair)
                search.crew.begin(pair, changes[pair[0]], pair[1], confirms=True)
        if not under_way:  # what is left is with other processes
            time.sleep(WAIT)
            continue
        key, said = search.crew.next()
        pair = next(one for one in under_way if one == key)
        if isinstance(said, Rung):
            last[pair] = said
        elif isinstance(said, Exception):
            for other in [one for one in under_way if one[0] == pair[0]]:
                under_way.remove(other)
                if other != pair:
                    search.crew.stop(other)
            _fail(search, pair, said, last[pair].seconds if pair in last else 0.0)
        else:
            under_way.remove(pair)
            number, seed = pair
            assert last[pair].part == "confirm"
            search.journal.write_confirming(number, seed, last[pair].predicted, last[pair].seconds)
            search.say(f"confirming trial {number} with seed {seed}: {last[pair].seconds:.0f} s")
    found: dict[int, list[Predicted | None]] = {number: [] for number in changes}
    for number, seed in wanted:
        found[number].append(search.journal.confirming(number, seed))
    return {number: [one for one in said if one] for number, said in found.items() if all(said)}


def confirming_seconds(search: Search, finalists: Sequence[Trial], seeds: Sequence[int]) -> float | None:
    """Return how long all runs were trained that confirm, failed ones too; None where one of them does not say.

    Of trial 0 with the search's own seed only what came on top of its trial.
    """
    journal = search.journal
    made = [pair for pair in _wanted(search, finalists, seeds) if journal.confirming(*pair) is not None]
    took = [journal.confirming_seconds(*pair) for pair in made]
    return sum(one or 0.0 for one in took) if all(one is not None for one in took) else None


def _wanted(search: Search, finalists: Sequence[Trial], seeds: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs that confirm, as trial and seed.

    Of trial 0 the search's own seed stands for the last one, where that counts: nobody chose that training for its
    score, so it says of unseen examples what one with a new seed would, and need not be made again.
    """
    given = [search.seed, *seeds[:-1]] if search.own_counts else seeds
    return [*((0, seed) for seed in given), *((trial.number, seed) for seed in seeds for trial in finalists)]


def confirmed_before(search: Search, trials: Sequence[Trial], seeds: Sequence[int]) -> list[Trial]:
    """Return the trials that were confirmed when the search was shorter.

    They stay among those that are compared: else whoever gives a search more time until something is confirmed would
    have each time a family of its own.
    """
    others = (trial for trial in trials if trial.number != 0)
    return [trial for trial in others if all(search.journal.confirming(trial.number, seed) for seed in seeds)]


def _left(journal: Journal, wanted: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the runs that are still to be made: none for a finalist of which one has failed."""
    known = {pair: journal.confirming(*pair) for pair in wanted}
    failed = {number for (number, _), said in known.items() if said is not None and not said}
    return [pair for pair, said in known.items() if said is None and pair[0] not in failed]


def _fail(search: Search, pair: tuple[int, int], error: Exception, seconds: float) -> None:
    number, seed = pair
    told = f"with seed {seed} it cannot be trained: {error}"
    if number == 0:
        raise TruetuneError(f"the config as it was given cannot be confirmed: {told}")
    search.journal.write_confirming(number, seed, {}, seconds)
    search.say(f"trial {number} is no finalist any more: {told}")
