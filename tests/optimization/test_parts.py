"""The space, the optimism of the best, what is confirmed, the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune import config as configs
from truetune.errors import ConfigError
from truetune.optimization.confirm import confirmed
from truetune.optimization.journal import Folder
from truetune.optimization.optimism import optimism
from truetune.optimization.race import Judge
from truetune.optimization.runner import changed
from truetune.optimization.space import Move, Range, default_space, openings, space_of
from truetune.optimization.trial import Rung, Seen, Trial
from truetune.stats.plan import Plan
from truetune.tasks.table import task_named

CONFIG = configs.from_settings({"task": "classification", "data": {"source": "a.csv"}, "model": {"name": "m"}})


def accuracy() -> Any:
    return next(one for one in task_named("classification").scoring.metrics if one.name == "accuracy")


def answers(gold: list[str], share: float, rng: np.random.Generator) -> dict[str, list[str]]:
    right = rng.random(len(gold)) < share
    return {"label": [one if good else "ba"[one == "b"] for one, good in zip(gold, right, strict=True)]}


def test_every_value_of_the_default_space_is_one_that_the_config_takes() -> None:
    for move in default_space(CONFIG, {"a": 100, "b": 3}):
        ends = (move.values.low, move.values.high) if isinstance(move.values, Range) else move.values
        for value in ends:
            assert changed(CONFIG, {move.key: value}) is not None
        assert move.why
        assert move.source


def test_balanced_weights_are_tried_where_labels_are_not_balanced() -> None:
    keys = [{move.key for move in default_space(CONFIG, counts)} for counts in ({"a": 50, "b": 40}, {"a": 50, "b": 10})]
    assert keys[1] - keys[0] == {"recipe.class_weights"}


def test_a_space_of_ones_own() -> None:
    found = space_of({"train.epochs": [1, 2], "train.learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}})
    assert [move.values for move in found] == [(1, 2), Range(1e-5, 1e-3, True)]


@pytest.mark.parametrize(
    "given", [5, "abc", [], {"low": 1}, {"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}, {"low": 1, "top": 2}]
)
def test_a_space_that_cannot_be_searched_is_an_error(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"optimize.space: train.epochs"):
        space_of({"train.epochs": given})


def test_changes_are_checked_like_a_config() -> None:
    assert changed(CONFIG, {"train.epochs": 7.0, "recipe.r_drop": 1.0}).train.epochs == 7.0
    with pytest.raises(ConfigError, match="did you mean 'epochs'"):
        changed(CONFIG, {"train.epoch": 7.0})


def test_more_training_is_tried_first() -> None:
    rate = Move("train.learning_rate", Range(1e-5, 4e-4, log=True), "")
    epochs = Move("train.epochs", (3.0, 1.5, 6.0), "")
    other = Move("train.warmup", (0.0, 0.1), "")
    given = {"train.learning_rate": 1e-4, "train.epochs": 3.0, "train.warmup": 0.0}
    both = {"train.learning_rate": 2e-4, "train.epochs": 6.0}
    assert openings([rate, epochs, other], given) == [both, {"train.learning_rate": 2e-4}, {"train.epochs": 6.0}]
    assert openings([epochs, other], given) == [{"train.epochs": 6.0}]
    even = Move("train.learning_rate", Range(0.0, 3e-4), "")
    assert openings([even], given) == [{"train.learning_rate": 2e-4}]
    # What is at its top already, or not among what may be set, is not raised.
    assert openings([rate, epochs], {"train.learning_rate": 4e-4, "train.epochs": 6.0}) == []
    assert openings([rate, epochs], {"train.learning_rate": 1.0, "train.epochs": 4.0}) == []
    assert openings([other], given) == []


def test_the_best_of_equal_systems_looks_as_much_better_as_it_does_in_simulation() -> None:
    rng = np.random.default_rng(0)
    metric, judged, real = accuracy(), [], []
    for _ in range(20):
        gold = rng.choice(["a", "b"], 200).tolist()
        systems = [answers(gold, 0.8, rng) for _ in range(10)]
        rows = Judge(metric, {"label": gold}).rows(systems)
        judged.append(optimism(metric, rows))
        real.append(max(float(metric.value(one)) for one in rows) - 0.8)
    assert np.mean(judged) == pytest.approx(np.mean(real), rel=0.35)


def test_one_system_was_not_chosen() -> None:
    rows = Judge(accuracy(), {"label": ["a", "b"]}).rows([{"label": ["a", "a"]}])
    assert optimism(accuracy(), rows) == 0.0


def test_the_simplest_of_those_that_cannot_be_told_apart_is_named() -> None:
    rng = np.random.default_rng(1)
    gold = rng.choice(["a", "b"], 1000).tolist()
    runs = {number: [answers(gold, share, rng) for _ in range(3)] for number, share in ((0, 0.7), (4, 0.9), (7, 0.9))}
    judge = Judge(accuracy(), {"label": gold})
    assert confirmed(judge, runs, {0: 0, 4: 1, 7: 5}, Plan()).winner == 4
    assert confirmed(judge, runs, {0: 0, 4: 5, 7: 1}, Plan()).winner == 7


def test_only_what_is_better_counts_against_the_config() -> None:
    """Three of 100 examples more are right: t = 0.03 / 0.0171 = 1.75, which is shown on one side alone."""
    gold = ["a"] * 100
    given, ahead, behind = ["b"] * 50 + ["a"] * 50, ["b"] * 47 + ["a"] * 53, ["b"] * 53 + ["a"] * 47
    judge = Judge(accuracy(), {"label": gold})
    runs = {number: [{"label": one}] * 3 for number, one in ((0, given), (1, ahead), (2, behind))}
    first = confirmed(judge, {0: runs[0], 1: runs[1]}, {0: 0, 1: 1}, Plan())
    (better,) = first.finalists
    assert 0.05 < better.difference.p_value < 0.1
    assert better.p_adjusted == pytest.approx(better.difference.p_value / 2)
    assert (first.winner, better.better) == (1, True)
    (worse,) = confirmed(judge, {0: runs[0], 2: runs[2]}, {0: 0, 2: 1}, Plan()).finalists
    assert worse.p_adjusted == pytest.approx(1 - worse.difference.p_value / 2)
    assert not worse.better
    # Holm's, over two: 2 x p, then at least as much.
    both = confirmed(judge, runs, {0: 0, 1: 1, 2: 1}, Plan()).finalists
    assert [one.p_adjusted for one in both] == pytest.approx([2 * better.p_adjusted, worse.p_adjusted])


def test_the_best_rung_is_one_with_a_score() -> None:
    trial = Trial(1, {}, "finished", (Seen(0.3, None, 1.0), Seen(0.6, 0.2, 2.0), Seen(1.0, 0.7, 3.0)))
    assert (trial.best(1), trial.best(-1)) == (2, 1)
    assert Trial(1, {}, "finished", (Seen(1.0, None, 1.0),)).best(1) == 0


def test_a_trial_is_saved_whole_and_read_back(tmp_path: Path) -> None:
    journal = Folder(tmp_path)
    trial = Trial(
        3,
        {"train.epochs": 2.0, "model.dropout": None},
        "stopped",
        (Seen(0.25, 0.5, 1.5), Seen(0.5, None, 3.0)),
        "behind",
    )
    journal.write(trial, [Rung(0.25, {"label": ["a", "b"]}, 1.5), Rung(0.5, {"label": ["a", "a"]}, 3.0)])
    assert journal.trials() == [trial]
    assert journal.predicted(3, 0) == {"label": ["a", "b"]}
    assert journal.confirming(3, 1) is None
    journal.write_confirming(3, 1, {"label": ["b"]}, 8.25)
    assert journal.confirming_seconds(3, 1) == 8.25
    assert journal.confirming(3, 1) == {"label": ["b"]}
