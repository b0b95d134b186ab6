"""The search over trials that cost nothing: what is tried, stopped, kept, resumed and confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune.config import Optimize
from truetune.data.arrow import parquet_bytes
from truetune.errors import ConfigError, TruetuneError
from truetune.optimization.confirm import confirmed
from truetune.optimization.crew import Alone
from truetune.optimization.finalists import confirmed_before, confirming_runs, confirming_seconds, finalists_of
from truetune.optimization.journal import Folder
from truetune.optimization.proposals import Proposals
from truetune.optimization.race import Race
from truetune.optimization.search import Budget, Search
from truetune.optimization.searching import ensure_time
from truetune.optimization.space import Move, Range
from truetune.optimization.trial import Rung, Runner, Trial, best_of
from truetune.stats.plan import Plan

Make = Callable[..., Any]
SPACE = (Move("train.x", Range(0.0, 1.0), ""), Move("train.y", (None, "on"), ""))


def peaked(changes: Mapping[str, Any]) -> float:
    """Return a skill of 0.7 as given, and up to 0.9 for x near 0.8."""
    return 0.9 - abs(changes["train.x"] - 0.8) if changes else 0.7


def level(changes: Mapping[str, Any]) -> float:
    return 0.7


def search_in(folder: Path, runner: Any, told: list[str] | None = None, race: Race | None = None) -> Search:
    said = told if told is not None else []
    return Search(Alone(runner), runner.judge("search"), race or Race(), Folder(folder), 0, said.append)


def proposals(seed: int = 0, sampler: str = "tpe") -> Proposals:
    return Proposals(SPACE, sampler, seed, 1)


def test_the_search_finds_what_is_better_and_stops_what_is_not(tmp_path: Path, drawn: Make) -> None:
    runner, said = drawn(peaked), list[str]()
    trials = search_in(tmp_path, runner, said).run(proposals(), Budget(25, 1e9))
    assert [trial.number for trial in trials] == list(range(25))
    assert trials[0].changes == {}
    assert abs(best_of(trials, 1).changes["train.x"] - 0.8) < 0.15
    stopped = [trial for trial in trials if trial.state == "stopped"]
    assert stopped
    assert all(len(trial.rungs) < 4 and "behind the best" in trial.reason for trial in stopped)
    assert runner.rungs_trained == sum(len(trial.rungs) for trial in trials)
    assert len(said) == 25


def test_what_a_diagnosis_asks_for_is_tried_first_and_not_again_on_resume(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(lambda changes: 0.9 if changes.get("train.y") else 0.7)
    first = [{"train.y": "on"}, {"train.x": 0.3}]
    known = Proposals(SPACE, "tpe", 0, 1, {"train.x": 0.5, "train.y": None})
    trials = search_in(tmp_path, runner).run(known, Budget(2, 1e9), first)
    assert [trial.changes for trial in trials] == [{}, {"train.y": "on"}]
    again = Proposals(SPACE, "tpe", 1, 1, {"train.x": 0.5, "train.y": None})
    trials = search_in(tmp_path, runner).run(again, Budget(5, 1e9), first)
    assert [trial.changes for trial in trials[:3]] == [{}, *first]
    assert all({"train.x"} <= set(trial.changes) <= {"train.x", "train.y"} for trial in trials[3:])
    assert len(runner.asked) == 5
    # The sampler was told of all of them: what a trial does not change is what the config has.
    params = [one.params for one in again._study.trials]
    assert {(one["train.x"], one["train.y"]) for one in params[:3]} == {(0.5, 0), (0.5, 1), (0.3, 0)}


def test_trials_meet_at_the_same_share_of_training_however_often_each_is_looked_at(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(level)

    class Uneven:
        """Trial 0 is right in half of its answers until three quarters of its training, then in all."""

        def run(self, changes: Mapping[str, Any], seed: int, confirms: bool) -> Iterator[Rung]:
            gold = runner.gold["search"]
            wrong = [{"a": "b", "b": "a"}[one] for one in gold]
            half = gold[: len(gold) // 2] + wrong[len(gold) // 2 :]
            if not changes:
                yield from (Rung(share, {"label": half}, share) for share in (0.25, 0.5))
                yield Rung(0.75, {"label": gold}, 0.75)
                yield Rung(1.0, {"label": gold}, 1.0)
            else:  # looked at six times: its third look is at a half, its fourth before three quarters
                yield from (Rung(place / 6, {"label": half}, place / 6) for place in range(1, 7))

    search = Search(Alone(Uneven()), runner.judge("search"), Race(), Folder(tmp_path), 0, lambda line: None)
    trials = search.run(proposals(), Budget(2, 1e9))
    assert [rung.share for rung in trials[1].rungs] == pytest.approx([1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6])


def test_without_racing_every_trial_is_trained_to_its_end(tmp_path: Path, drawn: Make) -> None:
    trials = search_in(tmp_path, drawn(peaked), race=Race(risk=0.0)).run(proposals(), Budget(6, 1e9))
    assert {trial.state for trial in trials} == {"finished"}


def test_a_search_that_was_killed_goes_on_where_it_was(tmp_path: Path, drawn: Make) -> None:
    class Killed(Exception):
        pass

    class Dying:
        def __init__(self, runner: Any) -> None:
            self.runner, self.left = runner, 13

        def run(self, changes: Mapping[str, Any], seed: int, confirms: bool) -> Iterator[Rung]:
            for rung in self.runner.run(changes, seed, confirms):
                self.left -= 1
                if self.left == 0:
                    raise Killed
                yield rung

    runner = drawn(peaked)
    dying: Runner = Dying(runner)
    with pytest.raises(Killed):
        Search(Alone(dying), runner.judge("search"), Race(), Folder(tmp_path), 0, lambda line: None).run(
            proposals(), Budget(10, 1e9)
        )
    before = Folder(tmp_path).trials()
    assert 0 < len(before) < 10
    again = drawn(peaked)
    trials = search_in(tmp_path, again).run(proposals(len(before)), Budget(10, 1e9))
    assert trials[: len(before)] == before
    assert len(trials) == len(again.asked) + len(before) == 10


def test_a_failing_trial_costs_only_itself(tmp_path: Path, drawn: Make) -> None:
    def skill(changes: Mapping[str, Any]) -> float:
        if changes and changes["train.y"] is None:
            raise TruetuneError("step 7: the loss is not a finite number")
        return 0.8

    trials = search_in(tmp_path, drawn(skill)).run(proposals(), Budget(12, 1e9))
    failed = [trial for trial in trials if trial.state == "failed"]
    assert len(trials) == 12
    assert failed
    assert all(trial.changes["train.y"] is None and "step 7" in trial.reason for trial in failed)
    assert Folder(tmp_path).trials() == trials


def test_a_config_that_cannot_be_trained_ends_the_search_with_its_error(tmp_path: Path, drawn: Make) -> None:
    def skill(changes: Mapping[str, Any]) -> float:
        raise TruetuneError("no such thing")

    with pytest.raises(TruetuneError, match="nothing to improve: no such thing"):
        search_in(tmp_path, drawn(skill)).run(proposals(), Budget(12, 1e9))


def test_no_trial_begins_that_would_leave_no_time_to_confirm(drawn: Make) -> None:
    # Trial 0 takes 10 seconds, the best of the others 20, one that is worse 30.
    done = [
        Trial(number, {}, "finished", rungs=(_seen(*took),)) for number, took in enumerate([(10,), (20, 0.9), (30,)])
    ]
    # Behind them: one more trial of the usual 20; trial 0 with two more seeds, the best of the others with three.
    needed = 60 + 20 + 2 * 10 + 3 * 20
    budget = Budget(9, needed, finalists=1, seeds=3, given_seeds=2)
    assert budget.allows(done)
    assert not replace(budget, seconds=needed - 1).allows(done)
    assert not replace(budget, given_seeds=3).allows(done)
    assert not replace(budget, sign=-1).allows(done), "the best takes 30 where less is better"
    assert not budget.allows(done, under_way=1)
    assert not Budget(3, 1e9).allows(done)
    assert Budget(1, 0.0).allows([])


def test_a_time_that_leaves_none_to_search_is_told() -> None:
    # Two minutes a training: trial 0, one more, and (1 + 3) x 3 - 1 that confirm make 26.
    alone = [Trial(0, {}, "finished", rungs=(_seen(120.0),))]
    with pytest.raises(ConfigError, match=r"optimize.minutes: 20 leave no time .* took 2.0, .* 11 .* Expected 26 or"):
        ensure_time(alone, Optimize(minutes=20.0), own_counts=True)
    with pytest.raises(ConfigError, match=r".* 12 .* Expected 28 or"):
        ensure_time(alone, Optimize(minutes=20.0), own_counts=False)
    assert not Budget(50, 60 * 25.9, 3, 3, 2).allows(alone)
    assert Budget(50, 60 * 26.0, 3, 3, 2).allows(alone)
    ensure_time(alone, Optimize(minutes=20.0, trials=1), own_counts=True)
    ensure_time([*alone, Trial(1, {}, "failed")], Optimize(minutes=20.0), own_counts=True)


def test_finalists_are_trained_again_on_examples_the_search_never_saw(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(peaked)
    search = search_in(tmp_path, runner)
    trials = search.run(proposals(), Budget(15, 1e9))
    runner.asked.clear()
    finalists = finalists_of(search, trials, 3)
    assert finalists[0] == best_of(trials[1:], 1)
    runs = confirming_runs(search, finalists, [1, 2, 3])
    assert all(confirms for _, _, confirms in runner.asked)
    assert {seed for changes, seed, _ in runner.asked if changes} == {1, 2, 3}
    assert {seed for changes, seed, _ in runner.asked if not changes} == {1, 2}, "seed 0 was trained in the search"
    assert len(runner.asked) == 3 * (1 + len(finalists)) - 1
    confirming_runs(search, finalists, [1, 2, 3])
    assert len(runner.asked) == 3 * (1 + len(finalists)) - 1, "runs on disk are not made again"
    found = confirmed(runner.judge("confirm"), runs, {trial.number: len(trial.changes) for trial in trials}, Plan())
    assert found.winner in {trial.number for trial in finalists}
    assert next(one for one in found.finalists if one.number == found.winner).better


def test_where_trial_0_was_looked_at_before_all_its_runs_are_new(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(peaked)
    search = replace(search_in(tmp_path, runner), own_counts=False)
    trials = search.run(proposals(), Budget(6, 1e9))
    assert not any(confirms for _, _, confirms in runner.asked)
    runner.asked.clear()
    runs = confirming_runs(search, finalists_of(search, trials, 1), [1, 2])
    assert {seed for changes, seed, _ in runner.asked if not changes} == {1, 2}
    assert all(len(said) == 2 for said in runs.values())


def test_a_search_killed_before_trial_0_is_written_trains_it_again(tmp_path: Path, drawn: Make) -> None:
    class Killed(Exception):
        pass

    runner = drawn(level)

    class Dying:
        def run(self, changes: Mapping[str, Any], seed: int, confirms: bool) -> Iterator[Rung]:
            yield from runner.run(changes, seed, confirms)
            raise Killed

    with pytest.raises(Killed):
        Search(Alone(Dying()), runner.judge("search"), Race(), Folder(tmp_path), 0, lambda line: None).run(
            proposals(), Budget(3, 1e9)
        )
    assert Folder(tmp_path).trials() == []
    before = Folder(tmp_path).confirming(0, 0)
    assert before
    search = search_in(tmp_path, runner)
    assert len(search.run(proposals(), Budget(3, 1e9))) == 3
    assert search.journal.confirming(0, 0) == before
    assert confirming_runs(search, [], [1, 2])[0][0] == before


def test_what_was_confirmed_stays_among_the_compared_when_the_search_goes_on(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(peaked)
    search = search_in(tmp_path, runner)
    earlier = finalists_of(search, search.run(proposals(), Budget(4, 1e9)), 1)
    assert not confirmed_before(search, earlier, [1, 2])
    confirming_runs(search, earlier, [1, 2])
    trials = search.run(proposals(1), Budget(20, 1e9))
    assert confirmed_before(search, trials, [1, 2]) == earlier
    assert not confirmed_before(search, trials, [1, 2, 3])


def test_a_finalist_that_a_new_seed_cannot_train_costs_only_itself(tmp_path: Path, drawn: Make) -> None:
    runner, said = drawn(peaked), list[str]()

    class Unlucky:
        """Cannot train the best trial with seed 2."""

        bad: Mapping[str, Any] | None = None

        def run(self, changes: Mapping[str, Any], seed: int, confirms: bool) -> Iterator[Rung]:
            if seed == 2 and changes == self.bad:
                raise TruetuneError("step 7: the loss is not a finite number")
            yield from runner.run(changes, seed, confirms)

    unlucky = Unlucky()
    search = Search(Alone(unlucky), runner.judge("search"), Race(), Folder(tmp_path), 0, said.append)
    trials = search.run(proposals(), Budget(15, 1e9))
    finalists = finalists_of(search, trials, 3)
    unlucky.bad = finalists[0].changes
    runs = confirming_runs(search, finalists, [1, 2, 3])
    assert set(runs) == {0, *(trial.number for trial in finalists[1:])}
    assert all(len(each) == 3 for each in runs.values())
    assert sum("no finalist any more: with seed 2 it cannot be trained: step 7" in line for line in said) == 1
    made = [
        *product([0], [0, 1, 2]),
        *product([one.number for one in finalists[1:]], [1, 2, 3]),
        (finalists[0].number, 1),
    ]
    took = confirming_seconds(search, finalists, [1, 2, 3])
    known = [search.journal.confirming_seconds(*pair) or 0.0 for pair in made]
    assert took == pytest.approx(sum(known)), "what a finalist cost that failed later counts"
    assert took > 0
    assert search.journal.confirming_seconds(0, 0) == 0.5, "of the training of the search only what came on top"
    (older,) = tmp_path.glob("confirmation/0000-seed-1.parquet")
    older.write_bytes(parquet_bytes(runs[0][1]))
    assert confirming_seconds(search, finalists, [1, 2, 3]) is None, "an older version did not say"
    runner.asked.clear()
    assert confirming_runs(search, finalists, [1, 2, 3]) == runs
    assert not runner.asked, "what failed is not tried again"
    unlucky.bad = {}
    other = Search(Alone(unlucky), runner.judge("search"), Race(), Folder(tmp_path / "other"), 0, said.append)
    with pytest.raises(TruetuneError, match="config as it was given cannot be confirmed: with seed 2"):
        confirming_runs(other, finalists, [1, 2, 3])


def test_proposals_change_what_is_not_as_the_config_has_it(drawn: Make, tmp_path: Path) -> None:
    space = (Move("train.x", ("low", "high"), ""), Move("train.y", (None, "on"), ""))
    given = {"train.x": "low", "train.y": None}
    known = Proposals(space, "random", 0, 1, given)
    found = [known.next(number) for number in range(1, 30)]
    assert all(value != given[key] for one in found for key, value in one.items())
    assert {len(one) for one in found} == {0, 1, 2}


NUMBERS = (
    Move("train.x", Range(0.0, 1.0), ""),
    Move("train.n", (1, 2, 4, 8, 16), ""),
    Move("train.y", (None, 0.0), ""),
)


def test_evolution_moves_numbers_towards_what_is_best(tmp_path: Path, drawn: Make) -> None:
    given = {"train.x": 0.5, "train.n": 4, "train.y": None}

    def skill(changes: Mapping[str, Any]) -> float:
        had = {**given, **changes}
        return 0.95 - 0.4 * abs(had["train.x"] - 0.9) - 0.02 * abs((1, 2, 4, 8, 16).index(had["train.n"]) - 4)

    known = Proposals(NUMBERS, "cma-es", 0, 1, given)
    trials = search_in(tmp_path, drawn(skill)).run(known, Budget(60, 1e9))
    drawn_numbers = [{**given, **trial.changes} for trial in trials]
    assert {type(one["train.n"]) for one in drawn_numbers} == {int}
    assert {one["train.y"] for one in drawn_numbers} == {None, 0.0}
    early, late = (float(np.mean([skill(one) for one in some])) for some in (drawn_numbers[1:13], drawn_numbers[-12:]))
    assert late > early + 0.03
    # Whoever goes on with it keeps all trials, and begins at the middle again.
    more = search_in(tmp_path, drawn(skill)).run(Proposals(NUMBERS, "cma-es", 1, 1, given), Budget(62, 1e9))
    assert more[:60] == trials


@pytest.mark.parametrize(
    ("space", "costs", "said"),
    [
        (NUMBERS[::2], (), r"the space has 1 \(train.x\); expected two or more ranges or ascending lists"),
        (NUMBERS[2:], (), r"the space has 0 \(none\)"),
        (NUMBERS, ("latency",), "has one objective, and latency count too; use tpe"),
    ],
)
def test_evolution_wants_two_numbers_and_one_objective(space: Any, costs: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Proposals(space, "cma-es", 0, 1, {}, costs)


def test_settings_that_were_trained_are_not_trained_again(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(lambda changes: 0.9 if changes.get("train.y") else 0.7)
    space = (Move("train.x", ("low", "high"), ""), Move("train.y", (None, "on"), ""))
    given = {"train.x": "low", "train.y": None}

    def search() -> Search:
        return Search(
            Alone(runner), runner.judge("search"), Race(), Folder(tmp_path), 0, lambda line: None, given=given
        )

    trials = search().run(Proposals(space, "tpe", 0, 1, given), Budget(20, 1e9))
    trials = search().run(Proposals(space, "tpe", 1, 1, given), Budget(30, 1e9))
    trained = [{**given, **trial.changes} for trial in trials if trial.rungs]
    assert len(trials) == 30
    assert len(runner.asked) == len(trained) == 4
    assert all(one not in trained[:place] for place, one in enumerate(trained))
    again = [trial for trial in trials if not trial.rungs]
    assert all(trial.state == "stopped" and "the same settings as trial" in trial.reason for trial in again)


def test_where_all_are_equal_the_config_stays_as_it_was(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(level)
    search = search_in(tmp_path, runner)
    trials = search.run(proposals(), Budget(10, 1e9))
    runs = confirming_runs(search, finalists_of(search, trials, 3), [1, 2, 3])
    found = confirmed(runner.judge("confirm"), runs, {trial.number: len(trial.changes) for trial in trials}, Plan())
    assert found.winner == 0
    assert "no finalist is shown better" in found.why


def _seen(seconds: float, value: float = 0.5) -> Any:
    from truetune.optimization.trial import Seen

    return Seen(1.0, value, seconds)
