"""Batches by token budget: nothing lost, nothing doubled, little padding, the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.batch import packed, packed_batches, padded, padding_share, target_number, token_batches
from truetune.types import IGNORED, Encoded


def encoded(ids: list[int], target: object) -> Encoded:
    length = np.zeros(len(ids), dtype=np.int64)
    return Encoded(0, np.array(ids), length, np.array(target), length, length)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(1, 200), st.integers(0, 99) | st.none())
def test_every_input_is_in_one_batch_and_batches_keep_the_budget(
    sizes: list[int], tokens: int, seed: int | None
) -> None:
    lengths = np.array(sizes)
    rng = None if seed is None else np.random.default_rng(seed)
    batches = token_batches(lengths, tokens, rng)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) == 1 or lengths[batch].max() * len(batch) <= tokens


def test_padding_stays_under_five_percent_on_lengths_as_in_texts() -> None:
    lengths = np.random.default_rng(0).lognormal(3, 0.6, 5000).astype(np.int64).clip(3, 200)
    batches = token_batches(lengths, 1024, np.random.default_rng(1))
    assert padding_share(lengths, batches) < 0.05
    in_order = [np.arange(start, start + 32) for start in range(0, 4992, 32)]
    assert padding_share(lengths, in_order) > 0.4, "without buckets it is another matter"


def test_order_is_shuffled_within_and_between_lengths_and_repeats_with_its_seed() -> None:
    lengths = np.repeat(np.arange(10, 20), 100)
    one, other, again = (token_batches(lengths, 200, np.random.default_rng(seed)) for seed in (0, 1, 0))
    assert [batch.tolist() for batch in one] == [batch.tolist() for batch in again]
    assert {tuple(batch.tolist()) for batch in one} & {tuple(batch.tolist()) for batch in other} == set()
    means = [float(lengths[batch].mean()) for batch in one]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


def test_without_a_generator_the_longest_come_first() -> None:
    batches = token_batches(np.array([3, 9, 5]), 9)
    assert [batch.tolist() for batch in batches] == [[1], [2], [0]]


def test_padding_goes_to_the_longest_of_the_batch_only() -> None:
    inputs = [encoded([5, 6, 7], [1, IGNORED, 2]), encoded([8], [0]), encoded([9] * 50, [0] * 50)]
    batch = padded(inputs, np.array([1, 0]), pad=4)
    assert batch.ids.tolist() == [[8, 4, 4], [5, 6, 7]]
    assert batch.mask.tolist() == [[True, False, False], [True, True, True]]
    assert batch.targets.tolist() == [[0, IGNORED, IGNORED], [1, IGNORED, 2]]
    assert batch.inputs.tolist() == [1, 0]
    assert target_number(batch) == 3


def test_targets_of_texts_are_not_padded_even_where_labels_are_as_many_as_pieces() -> None:
    batch = padded([encoded([5, 6], [0.0, 1.0]), encoded([7], [1.0, 0.0])], np.array([0, 1]), pad=0)
    assert batch.targets.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert target_number(batch) == 4
    single = padded([encoded([5, 6], 1), encoded([7], IGNORED)], np.array([0, 1]), pad=0)
    assert single.targets.tolist() == [1, IGNORED]
    assert target_number(single) == 1


def test_padding_share_by_hand() -> None:
    assert padding_share(np.array([4, 2, 3]), [np.array([0, 1]), np.array([2])]) == pytest.approx(2 / 11)
    assert padding_share(np.array([], dtype=np.int64), []) == 0


# ------------------------------------------------------------------------------------------------- packing


@given(st.lists(st.integers(1, 60), min_size=1, max_size=100), st.integers(1, 200), st.integers(0, 99))
def test_packed_batches_hold_every_input_once_within_the_budget(sizes: list[int], tokens: int, seed: int) -> None:
    lengths = np.array(sizes)
    batches = packed_batches(lengths, tokens, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(sizes)))
    assert all(len(batch) == 1 or lengths[batch].sum() <= tokens for batch in batches)


def test_rows_are_filled_up_and_every_piece_knows_its_input() -> None:
    """Lengths 2, 5, 3, 1 at the positions 3, 0, 2, 1: the longest alone, the others fill one row of 5 and one of 1."""
    inputs = [encoded([1] * 5, 7), encoded([2], 8), encoded([3] * 3, 9), encoded([4] * 2, 6)]
    batch = packed(inputs, np.array([3, 0, 2, 1]), 0)
    assert batch.ids.tolist() == [[1, 1, 1, 1, 1], [3, 3, 3, 4, 4], [2, 0, 0, 0, 0]]
    assert batch.packed is not None
    assert batch.packed.tolist() == [[1, 1, 1, 1, 1], [2, 2, 2, 0, 0], [3, -1, -1, -1, -1]]
    assert (batch.mask == (batch.packed >= 0)).all()
    assert batch.targets.tolist() == [6, 7, 9, 8]
    assert batch.inputs.tolist() == [3, 0, 2, 1]


def test_targets_of_pieces_stand_beside_their_pieces() -> None:
    inputs = [encoded([1, 1, 1], [5, 6, 7]), encoded([2, 2], [8, IGNORED]), encoded([3], [9])]
    batch = packed(inputs, np.array([2, 0, 1]), 0)
    assert batch.ids.tolist() == [[1, 1, 1], [2, 2, 3]]
    assert batch.targets.tolist() == [[5, 6, 7], [8, IGNORED, 9]]
    assert target_number(batch) == 5
