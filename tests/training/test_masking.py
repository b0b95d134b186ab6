"""Which pieces are masked: worked by hand, in the right proportions, the same whenever it is asked."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.training.masking import Masking, in_turn
from truetune.types import IGNORED, Encoded

MASK, VOCABULARY = 4, 50
MASKING = Masking(MASK, VOCABULARY, (0, 1, 2, 3, 4))


def document(pieces: int, words: list[int] | None = None) -> Encoded:
    """Return [CLS], pieces 10, 11, ... and [SEP]."""
    ids = np.array([2, *range(10, 10 + pieces), 3])
    target = np.array([IGNORED, *(words or range(pieces)), IGNORED])
    nowhere = np.full(len(ids), -1)
    return Encoded(0, ids, np.zeros_like(ids), target, nowhere, nowhere)


@pytest.mark.parametrize("epoch", [1, 2])
def test_what_is_asked_is_the_true_piece_and_nothing_else_changed(epoch: int) -> None:
    one = document(20)
    (seen,) = MASKING.masked([one], epoch)
    asked = seen.target != IGNORED
    assert seen.target[asked].tolist() == one.ids[asked].tolist()
    assert seen.segments.tolist() == asked.astype(int).tolist()
    assert seen.ids[~asked].tolist() == one.ids[~asked].tolist()
    assert not asked[0]
    assert not asked[-1]
    assert asked.sum() == 3  # 15 % of 20


def test_proportions_are_those_of_bert() -> None:
    documents = [document(40)] * 2000
    chosen = masked = same = other = 0
    for seen, one in zip(MASKING.masked(documents, 1), documents, strict=True):
        asked = seen.target != IGNORED
        chosen += int(asked.sum())
        masked += int((seen.ids[asked] == MASK).sum())
        same += int((seen.ids[asked] == one.ids[asked]).sum())
        others = seen.ids[asked & (seen.ids != one.ids) & (seen.ids != MASK)]
        other += len(others)
        assert not np.isin(others, MASKING.special).any()
    assert chosen == 2000 * 6
    assert masked / chosen == pytest.approx(0.8, abs=0.015)
    # A piece that is replaced by any is itself once in 45.
    assert other / chosen == pytest.approx(0.1 * 44 / 45, abs=0.012)
    assert same / chosen == pytest.approx(0.1 + 0.1 / 45, abs=0.012)


def test_the_number_is_rounded_so_that_the_mean_is_the_share() -> None:
    documents = [document(10)] * 3000
    numbers = [int((seen.target != IGNORED).sum()) for seen in MASKING.masked(documents, 1)]
    assert set(numbers) == {1, 2}
    assert np.mean(numbers) == pytest.approx(1.5, abs=0.04)


def test_masks_depend_on_seed_epoch_and_place_only() -> None:
    documents = [document(30)] * 3
    first = [one.target.tolist() for one in MASKING.masked(documents, 1)]
    # Asked one by one, in another order, it is the same: so training resumed in the middle of an epoch sees the same.
    again = MASKING.masked(documents, 1)
    assert [again[place].target.tolist() for place in (2, 0, 1)] == [first[2], first[0], first[1]]
    assert len({tuple(one) for one in first}) == 3
    assert [one.target.tolist() for one in MASKING.masked(documents, 2)] != first
    other = Masking(MASK, VOCABULARY, (0, 1, 2, 3, 4), seed=1)
    assert [one.target.tolist() for one in other.masked(documents, 1)] != first


def test_words_are_masked_whole() -> None:
    words = [0, 0, 1, 2, 2, 2, 3, 4, 4, 5]
    one = document(10, words)
    belongs = np.array([IGNORED, *words, IGNORED])
    for epoch in range(30):
        (seen,) = Masking(MASK, VOCABULARY, (0, 1, 2, 3, 4), share=0.3).masked([one], epoch)
        asked = seen.target != IGNORED
        for word in range(6):
            assert len(set(asked[belongs == word].tolist())) == 1
        assert len(np.unique(belongs[asked])) in (1, 2)  # 30 % of 6 words is 1.8


def test_in_turn_every_piece_is_asked_once_and_masked_when_it_is() -> None:
    one = document(17)
    asked = list(in_turn([one], MASK, 7))
    assert len(asked) == 7
    times = sum((seen.target != IGNORED).astype(int) for seen in asked)
    assert times.tolist() == [0, *[1] * 17, 0]
    for seen in asked:
        places = seen.target != IGNORED
        assert (seen.ids[places] == MASK).all()
        assert (seen.ids[~places] == one.ids[~places]).all()
    assert len(list(in_turn([document(3)], MASK, 7))) == 3
    assert list(in_turn([document(0)], MASK, 7)) == []
