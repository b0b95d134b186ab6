"""Searches in which costs count: the front, whom a trial must beat, what is confirmed, what is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune.config import Optimize
from truetune.optimization.confirm import confirmed_cheaper
from truetune.optimization.crew import Alone
from truetune.optimization.finalists import confirming_runs, finalists_of
from truetune.optimization.journal import Folder
from truetune.optimization.objectives import Aims, cheaper, front, how_cheap, no_dearer, rival_of
from truetune.optimization.proposals import Proposals
from truetune.optimization.race import Race
from truetune.optimization.search import Budget, Search
from truetune.optimization.space import Move, Range, smaller_models
from truetune.optimization.trial import Seen, State, Trial
from truetune.stats.plan import Plan

Make = Callable[..., Any]
AIMS = Aims(("latency", "size"), 0.02)


def trial(number: int, value: float, latency: float, size: float = 10.0, state: State = "finished") -> Trial:
    costs = {"latency": latency, "size": size}
    return Trial(number, {}, state, (Seen(1.0, value, 1.0),), costs=costs)


def test_costs_are_compared_with_room_for_noise() -> None:
    given = {"latency": 10.0, "size": 100.0}
    assert no_dearer({"latency": 10.1, "size": 100.0}, given)
    assert not no_dearer({"latency": 10.5, "size": 50.0}, given)
    assert cheaper({"latency": 10.1, "size": 50.0}, given)
    assert not cheaper({"latency": 9.9, "size": 100.0}, given)
    assert not cheaper({"latency": 5.0, "size": 103.0}, given)
    assert how_cheap({"latency": 5.0, "size": 50.0}, given) == pytest.approx(np.log(0.5))


def test_the_front_by_hand() -> None:
    trials = [
        trial(0, 0.80, 10),
        trial(1, 0.80, 10),  # the same as trial 0
        trial(2, 0.79, 10.1),  # worse, and not cheaper
        trial(3, 0.70, 5),
        trial(4, 0.69, 5, 9),  # worse than 3, but smaller
        trial(5, 0.60, 4, state="stopped"),
        trial(6, 0.65, 6),  # 3 is better and faster
        trial(7, 0.85, 20),
    ]
    assert [one.number for one in front(trials, 1)] == [0, 3, 4, 7]
    # Where less is better: 4 beats 3, 6 beats the rest but for what it costs.
    assert [one.number for one in front(trials, -1)] == [4, 6]


def test_a_trial_must_beat_what_is_no_dearer_or_be_near_the_best() -> None:
    done = [trial(0, 0.80, 10), trial(1, 0.85, 20), trial(2, 0.60, 5), trial(3, 0.9, 1, state="stopped")]
    race = Race(0.01, 0.1)
    assert rival_of(done, {"latency": 12.0, "size": 10.0}, 1, race, AIMS) == (done[0], race)
    assert rival_of(done, {"latency": 30.0, "size": 10.0}, 1, race, AIMS) == (done[1], race)
    assert rival_of(done, {"latency": 5.0, "size": 10.0}, 1, race, AIMS) == (done[2], race)
    assert rival_of(done, {"latency": 2.0, "size": 10.0}, 1, race, AIMS) == (done[1], Race(-0.02, 0.1))
    assert rival_of([], {}, 1, race, AIMS) is None
    plain = [Trial(0, {}, "finished", (Seen(1.0, 0.5, 1.0),)), Trial(1, {}, "finished", (Seen(1.0, 0.6, 1.0),))]
    assert rival_of(plain, {}, 1, race, Aims()) == (plain[1], race)


def layers_kept(changes: Mapping[str, Any]) -> int:
    return int(changes.get("model.layers") or 6)


def searched(folder: Path, runner: Any, trials: int, aims: Aims = AIMS) -> tuple[Search, list[Trial], list[int]]:
    asked: list[int] = []

    def weigh(changes: Mapping[str, Any]) -> dict[str, float]:
        asked.append(layers_kept(changes))
        return {"latency": 2.0 + layers_kept(changes), "size": 10.0 * layers_kept(changes)}

    space = (smaller_models(6, None), Move("train.x", Range(0.0, 1.0), ""))
    given = {"model.layers": None, "train.x": 0.5}
    search = Search(
        Alone(runner), runner.judge("search"), Race(), Folder(folder), 0, lambda line: None, aims, weigh, given
    )
    proposals = Proposals(space, "tpe", 0, 1, given, aims.costs)
    return search, search.run(proposals, Budget(trials, 1e9)), asked


def test_the_cheapest_model_that_keeps_the_score_is_taken(tmp_path: Path, drawn: Make) -> None:
    # Three layers are as good as six; two are not.
    runner = drawn(lambda changes: 0.85 if layers_kept(changes) > 2 else 0.7, examples=3000)
    search, trials, asked = searched(tmp_path, runner, 24)
    assert sorted(set(asked)) == sorted(asked), "costs are measured once for each model"
    assert all(one.costs["size"] == 10 * layers_kept(one.changes) for one in trials)
    finalists = finalists_of(search, trials, 3)
    assert 3 in {layers_kept(one.changes) for one in finalists}
    runs = confirming_runs(search, finalists, [1, 2, 3])
    found = confirmed_cheaper(runner.judge("confirm"), runs, {one.number: one for one in trials}, AIMS, Plan())
    assert layers_kept(trials[found.winner].changes) == 3
    assert found.why == "the cheapest of those shown to keep the score"
    again = Folder(tmp_path).trials()
    assert [one.costs for one in again] == [one.costs for one in trials]


def test_a_smaller_model_that_loses_more_than_may_be_given_is_not_taken(tmp_path: Path, drawn: Make) -> None:
    runner = drawn(lambda changes: 0.85 if layers_kept(changes) == 6 else 0.75, examples=3000)
    search, trials, _ = searched(tmp_path, runner, 20)
    finalists = finalists_of(search, trials, 3)
    assert all(layers_kept(one.changes) == 6 for one in finalists)
    forced = [next(one for one in trials if layers_kept(one.changes) < 6)]
    runs = confirming_runs(search, forced, [1, 2, 3])
    found = confirmed_cheaper(runner.judge("confirm"), runs, {one.number: one for one in trials}, AIMS, Plan())
    assert found.winner == 0
    assert [one.kept for one in found.finalists] == [False]


def test_what_is_not_sure_to_keep_the_score_is_not_taken(tmp_path: Path, drawn: Make) -> None:
    # Equal, but 200 examples cannot show that less than 0.02 is lost.
    runner = drawn(lambda changes: 0.8, examples=200)
    search, trials, _ = searched(tmp_path, runner, 12)
    runs = confirming_runs(search, finalists_of(search, trials, 3), [1, 2])
    found = confirmed_cheaper(runner.judge("confirm"), runs, {one.number: one for one in trials}, AIMS, Plan())
    assert found.winner == 0


def test_a_model_whose_costs_cannot_be_measured_is_a_failed_trial(tmp_path: Path, drawn: Make) -> None:
    def weigh(changes: Mapping[str, Any]) -> dict[str, float]:
        if layers_kept(changes) < 6:
            raise ValueError("6 layers, of which fewer cannot be kept")
        return {"latency": 1.0}

    runner, aims = drawn(lambda changes: 0.8), Aims(("latency",), 0.01)
    search = Search(Alone(runner), runner.judge("search"), Race(), Folder(tmp_path), 0, lambda line: None, aims, weigh)
    trials = search.run(Proposals((smaller_models(6, None),), "random", 0, 1, None, aims.costs), Budget(10, 1e9))
    assert {one.state for one in trials if layers_kept(one.changes) < 6} == {"failed"}
    assert len(trials) == 10


def test_the_move_to_smaller_models_starts_from_what_the_config_keeps() -> None:
    assert smaller_models(12, None).values == (None, 8, 6, 4)
    assert smaller_models(12, 4).values == (4, 3, 2, 1)
    assert smaller_models(2, None).values == (None, 1)


@pytest.mark.parametrize("given", [["latency"], ["score", "score"], ["score", "size", "size"], [], ["score", "speed"]])
def test_objectives_that_make_no_sense_are_refused(given: list[str]) -> None:
    with pytest.raises(ValueError, match=r"score"):
        Optimize(objectives=given)  # type: ignore[arg-type]
