"""Token scores: with O they flatter, without O they do not; equal to scikit-learn and seqeval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score
from sklearn.metrics import f1_score

from truetune.errors import MetricError
from truetune.metrics.tokens import TOKENS_OF_SPANS, TOKENS_OF_TAGS, Marked, token_labels, token_rows, token_tag_rows
from truetune.rows import joined
from truetune.tags import IOB2, tags_to_spans

tag = st.sampled_from(["O", "O", "B-X", "I-X", "B-Y", "I-Y"])
corpora = st.lists(st.lists(st.tuples(tag, tag), min_size=1, max_size=8), min_size=1, max_size=5)


def proper(tags: list[str]) -> list[str]:
    """Make a sequence proper IOB2: an I that continues nothing begins."""
    return [
        f"B{one[1:]}" if one[0] == "I" and (place == 0 or tags[place - 1][1:] != one[1:]) else one
        for place, one in enumerate(tags)
    ]


def sides(corpus: list) -> tuple[list, list]:
    return [proper([a for a, _ in one]) for one in corpus], [proper([b for _, b in one]) for one in corpus]


def values(metrics: tuple, gold: list, predicted: list) -> list[float]:
    return [float(metric.value(metric.rows(gold, predicted))) for metric in metrics]


def test_by_hand() -> None:
    tokens = [(0, 2), (3, 5), (6, 8), (9, 11)]
    gold = [Marked(tokens, [(0, 5, "PER")])]
    predicted = [[(0, 2, "PER"), (6, 8, "LOC")]]
    # gold: B-PER I-PER O O; predicted: B-PER O B-LOC O
    assert values(TOKENS_OF_SPANS, gold, predicted) == pytest.approx([2 / 4, 2 / 4, 1 / 2])


def test_accuracy_with_o_is_high_for_a_system_that_finds_nothing() -> None:
    tokens = [(place, place + 1) for place in range(100)]
    gold, nothing = [Marked(tokens, [(3, 5, "X")])], [[]]
    accuracy, f1, without = values(TOKENS_OF_SPANS, gold, nothing)
    assert accuracy == 0.98
    assert f1 == without == 0


def test_labels_of_tokens() -> None:
    tokens = [(0, 2), (2, 4), (5, 7)]
    assert token_labels(tokens, [(0, 7, "X")]) == {0: {"B-X"}, 1: {"I-X"}, 2: {"I-X"}}
    assert token_labels(tokens, [(1, 3, "X")]) == {0: {"B-X"}, 1: {"I-X"}}  # touched in part
    assert token_labels(tokens, [(4, 5, "X")]) == {}  # only white space
    assert token_labels(tokens, [(0, 7, "X"), (2, 4, "Y")])[1] == {"I-X", "B-Y"}  # nested


def test_a_token_inside_several_spans_is_right_when_all_its_labels_are() -> None:
    tokens = [(0, 2), (2, 4)]
    gold = [Marked(tokens, [(0, 4, "ORG"), (0, 2, "LOC")])]
    assert values(TOKENS_OF_SPANS, gold, [[(0, 4, "ORG")]]) == pytest.approx([1 / 2, 2 * 2 / (3 + 2), 1 / 2])


def test_no_tokens_and_no_marked_tokens_are_undefined() -> None:
    assert np.isnan(values(TOKENS_OF_SPANS, [Marked([], [])], [[]])).all()
    accuracy, f1, without = values(TOKENS_OF_SPANS, [Marked([(0, 1)], [])], [[]])
    assert accuracy == 1
    assert np.isnan([f1, without]).all()


def test_unequal_numbers_of_examples_are_refused() -> None:
    with pytest.raises(MetricError, match="gold has 1 texts, predicted has spans of 2"):
        token_rows([Marked([], [])], [[], []])


@given(corpora)
def test_equal_to_the_references_on_proper_tags(corpus: list) -> None:
    gold, predicted = sides(corpus)
    assume(any(one != "O" for sentence in gold + predicted for one in sentence))
    flat = [[one for sentence in side for one in sentence] for side in (gold, predicted)]
    labels = sorted({one for side in flat for one in side} - {"O"})
    accuracy, f1, without = values(TOKENS_OF_TAGS, gold, predicted)
    assert accuracy == pytest.approx(accuracy_score(gold, predicted))
    assert f1 == pytest.approx(f1_score(*flat, labels=labels, average="micro", zero_division=0))
    marked = [right == said for right, said in zip(*flat, strict=True) if right != "O"]
    assert without == pytest.approx(np.mean(marked) if marked else np.nan, nan_ok=True)


@given(corpora)
def test_tags_and_spans_give_the_same_rows(corpus: list) -> None:
    gold, predicted = sides(corpus)
    marked = [Marked([(2 * place, 2 * place + 1) for place in range(len(tags))], characters(tags)) for tags in gold]
    rows = token_rows(marked, [characters(tags) for tags in predicted])
    assert rows.dense().tolist() == token_tag_rows(gold, predicted).dense().tolist()
    half = len(gold) // 2
    parts = [token_tag_rows(gold[part], predicted[part]) for part in (slice(half), slice(half, None))]
    assert joined(*parts).totals().tolist() == rows.totals().tolist()


def characters(tags: list[str]) -> list:
    return [(2 * start, 2 * end - 1, kind) for start, end, kind in tags_to_spans(tags, IOB2)]
