"""The order of inputs: every epoch all of them, found again from any step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from truetune.errors import ConfigError
from truetune.training.order import Order, Plan, fingerprint
from truetune.types import Encoded

LENGTHS = np.random.default_rng(0).integers(3, 30, 100)
PLAN = Plan(1e-4, epochs=2, tokens=100, evaluations=2)


def told(order: Order, after: int = 0) -> list[tuple[int, int, list[list[int]], bool]]:
    return [
        (turn.number, turn.epoch, [one.tolist() for one in turn.batches], turn.evaluated) for turn in order.after(after)
    ]


def test_each_epoch_has_every_input_once_in_another_order() -> None:
    turns = list(Order(LENGTHS, PLAN).after(0))
    epochs = [[turn for turn in turns if turn.epoch == epoch] for epoch in (1, 2)]
    for epoch in epochs:
        assert sorted(np.concatenate([batch for turn in epoch for batch in turn.batches]).tolist()) == list(range(100))
    assert epochs[0][0].batches[0].tolist() != epochs[1][0].batches[0].tolist()
    assert [turn.number for turn in turns] == list(range(1, Order(LENGTHS, PLAN).steps + 1))


def test_the_rest_after_any_step_is_the_rest_of_the_whole() -> None:
    whole = told(Order(LENGTHS, PLAN))
    for after in range(len(whole) + 1):
        assert told(Order(LENGTHS, PLAN), after) == whole[after:]


def test_the_evaluations_that_are_left_are_counted() -> None:
    order = Order(LENGTHS, replace(PLAN, epochs=2.5, evaluations=3))
    due = [turn.number for turn in order.after(0) if turn.evaluated]
    assert len(due) == 9
    for after in range(order.steps + 1):
        assert order.evaluations(after) == sum(step > after for step in due)


def test_evaluations_are_spread_and_the_last_step_is_one() -> None:
    turns = list(Order(LENGTHS, PLAN).after(0))
    assert sum(turn.evaluated for turn in turns) == 4
    assert turns[-1].evaluated


def test_half_an_epoch_is_half_the_steps_and_is_evaluated_at_its_end() -> None:
    whole, half = (Order(LENGTHS, replace(PLAN, epochs=epochs, evaluations=1)) for epochs in (1, 0.5))
    assert half.steps == -(-whole.steps // 2)
    assert [turn.evaluated for turn in half.after(0)][-1]
    assert told(half)[0] == told(whole)[0]


def test_micro_batches_are_joined_to_steps() -> None:
    one, four = (Order(LENGTHS, replace(PLAN, epochs=1, accumulate=number)) for number in (1, 4))
    assert four.steps == -(-one.steps // 4)
    assert next(batches for *_, batches, _ in told(four)) == [batches[0] for *_, batches, _ in told(one)][:4]


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(ConfigError, match="holds no example"):
        Order(np.array([], dtype=np.int64), PLAN)
    with pytest.raises(ConfigError):
        Plan(1e-4, epochs=0)


def test_a_fingerprint_tells_other_data_and_other_plans_apart() -> None:
    def one(ids: list[int], target: int) -> Encoded:
        return Encoded(0, np.array(ids), np.zeros(len(ids), dtype=np.int64), np.array(target), np.zeros(0), np.zeros(0))

    prints = {
        fingerprint([one([1, 2], 0), one([3], 1)], PLAN),
        fingerprint([one([1, 2], 0), one([3], 0)], PLAN),
        fingerprint([one([1], 0), one([2, 3], 1)], PLAN),
        fingerprint([one([1, 2], 0), one([3], 1)], replace(PLAN, seed=1)),
    }
    assert len(prints) == 4
    assert fingerprint([one([1, 2], 0)], PLAN) == fingerprint([one([1, 2], 0)], PLAN)
