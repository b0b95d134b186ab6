from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.training.tagging import TagSet, Units, best_codes, code_spans, span_codes, types_of

TAGS = TagSet(("LOC", "PER"))


def units(*offsets: tuple[int, int]) -> Units:
    array = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    return Units(array[:, 0], array[:, 1])


WORDS = units((0, 3), (4, 7), (8, 12), (12, 13))


def test_tags_and_what_may_follow_what() -> None:
    assert TAGS.tags == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    allowed = {(TAGS.tags[one], TAGS.tags[other]) for one, other in zip(*np.nonzero(TAGS.follows[:-1]), strict=True)}
    inside = {pair for pair in allowed if pair[1].startswith("I")}
    assert inside == {("B-LOC", "I-LOC"), ("I-LOC", "I-LOC"), ("B-PER", "I-PER"), ("I-PER", "I-PER")}
    assert TAGS.follows[-1].tolist() == [True, True, False, True, False]
    assert types_of([[(0, 1, "PER")], [(0, 1, "LOC")]]) == TAGS


@pytest.mark.parametrize(
    ("spans", "codes"),
    [
        ([], [0, 0, 0, 0]),
        ([(0, 7, "PER")], [3, 4, 0, 0]),
        ([(0, 3, "PER"), (4, 7, "PER")], [3, 3, 0, 0]),
        ([(5, 6, "LOC")], [0, 1, 0, 0]),  # part of a word: the whole word
        ([(3, 4, "LOC")], [0, 0, 0, 0]),  # only the space between words
        ([(0, 12, "LOC"), (4, 7, "PER")], [1, 2, 2, 0]),  # within another: the outer one
        ([(4, 12, "LOC"), (0, 7, "PER")], [3, 4, 0, 0]),  # overlapping: the first one
    ],
)
def test_spans_as_codes(spans: list[tuple[int, int, str]], codes: list[int]) -> None:
    assert span_codes(spans, WORDS, TAGS).tolist() == codes


def test_codes_as_spans_in_characters() -> None:
    assert code_spans(np.array([0, 3, 4, 1]), WORDS, TAGS) == [(4, 12, "PER"), (12, 13, "LOC")]


@given(st.lists(st.sampled_from(["O", "LOC", "PER"]), max_size=8), st.randoms())
def test_spans_on_word_borders_survive_the_way_there_and_back(kinds: list[str], random: object) -> None:
    offsets = [(3 * place, 3 * place + 2) for place in range(len(kinds))]
    spans = [(*offset, kind) for offset, kind in zip(offsets, kinds, strict=True) if kind != "O"]
    text = units(*offsets)
    assert code_spans(span_codes(spans, text, TAGS), text, TAGS) == spans


def exhaustive(scores: np.ndarray, tags: TagSet) -> float:
    """The highest sum of any proper sequence, by trying all."""
    follows = tags.follows
    best = -np.inf
    for codes in product(range(scores.shape[1]), repeat=len(scores)):
        proper = follows[-1, codes[0]] and all(follows[one, other] for one, other in pairwise(codes))
        if proper:
            best = max(best, sum(scores[place, code] for place, code in enumerate(codes)))
    return best


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_the_best_proper_sequence_is_the_one_that_trying_all_finds(lengths: list[int], seed: int) -> None:
    scores = np.log(np.random.default_rng(seed).dirichlet(np.ones(5), size=sum(lengths)).reshape(-1, 5))
    firsts = np.cumsum([0, *lengths])
    for place, codes in enumerate(best_codes(scores, lengths, TAGS)):
        part = scores[firsts[place] : firsts[place + 1]]
        assert len(codes) == lengths[place]
        if len(codes):
            assert TAGS.follows[-1, codes[0]]
            assert all(TAGS.follows[one, other] for one, other in pairwise(codes))
            assert sum(part[at, code] for at, code in enumerate(codes)) == pytest.approx(exhaustive(part, TAGS))


def test_a_certain_tag_is_kept_beside_impossible_ones() -> None:
    with np.errstate(divide="ignore"):
        scores = np.log(np.array([[0.0, 1.0, 0, 0, 0], [0.0, 0, 1.0, 0, 0], [1.0, 0, 0, 0, 0]]))
    assert best_codes(scores, [3], TAGS)[0].tolist() == [1, 2, 0]
