"""What lengths cut off, by hand and by law."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from truetune.audit.truncation import cuts, shortest_room

sizes = st.lists(st.integers(0, 50), min_size=1, max_size=20).map(lambda items: np.array(items, dtype=np.int64))


def test_cuts_by_hand() -> None:
    first, second = cuts(np.array([10, 20, 30]), np.array([5, 20, 21, 30]), rooms=(10, 20))
    assert (first.room, first.texts, first.pieces, first.gold, first.gold_share) == (10, 2, 30 / 60, 3, 0.75)
    assert (second.texts, second.pieces, second.gold) == (1, 10 / 60, 2)


def test_without_gold_there_is_no_share_of_it() -> None:
    (only,) = cuts(np.array([10]), rooms=(20,))
    assert (only.texts, only.pieces, only.gold) == (0, 0, 0)
    assert math.isnan(only.gold_share)
    assert math.isnan(cuts(np.array([], dtype=np.int64), rooms=(20,))[0].pieces)


@given(sizes, st.integers(1, 60))
def test_a_longer_room_cuts_no_more(pieces: np.ndarray, room: int) -> None:
    shorter, longer = cuts(pieces, pieces, rooms=(room, room + 5))
    assert longer.texts <= shorter.texts
    assert longer.gold <= shorter.gold
    assert longer.pieces <= shorter.pieces or math.isnan(longer.pieces)


@given(sizes, st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_the_shortest_room_keeps_the_share_and_no_shorter_one_does(pieces: np.ndarray, share: float) -> None:
    room = shortest_room(pieces, share)
    assert (pieces <= room).mean() >= share
    assert room == 0 or (pieces <= room - 1).mean() < share
    assert shortest_room(pieces[:0]) == 0
