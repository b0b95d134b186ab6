"""BERTScore by hand, against the matrix formulas of bert-score, and its laws."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.errors import MetricError
from truetune.metrics.embedding_similarity import (
    Baseline,
    EmbeddedText,
    embedding_similarity,
    inverse_document_frequencies,
    matched,
    similarity_rows,
)

EAST, NORTH, NORTH_EAST = [1.0, 0.0], [0.0, 2.0], [1.0, 1.0]
HALF = np.sqrt(0.5)


def text(*vectors: list[float], ids: list[int] | None = None, special: tuple[int, ...] = ()) -> EmbeddedText:
    marks = np.zeros(len(vectors), dtype=bool)
    marks[list(special)] = True
    numbers = np.arange(len(vectors)) if ids is None else np.array(ids)
    return EmbeddedText(numbers, np.array(vectors).reshape(len(vectors), -1), marks)


def test_by_hand() -> None:
    said, gold = text(EAST, NORTH_EAST), text(EAST, NORTH)
    precision, recall = matched(gold, said)
    assert precision == pytest.approx((1 + HALF) / 2)
    assert recall == pytest.approx((1 + HALF) / 2)
    assert matched(text(NORTH), text(EAST, NORTH)) == pytest.approx((0.5, 1.0))


def test_special_pieces_are_matched_but_do_not_count() -> None:
    said, gold = text(EAST), text(EAST, NORTH, special=(1,))
    assert matched(gold, said) == pytest.approx((1.0, 1.0))
    said = text(NORTH)
    assert matched(gold, said) == pytest.approx((1.0, 0.0)), "the only piece finds the special one"
    assert matched(text(EAST, special=(0,)), text(EAST)) == (0.0, 0.0)


def test_rare_pieces_weigh_more() -> None:
    idf = inverse_document_frequencies([[1, 1, 2], [1, 3]])
    assert idf == pytest.approx({1: 0.0, 2: log(3 / 2), 3: log(3 / 2), -1: log(3)})
    said = text(EAST, NORTH, ids=[2, 9])
    precision, _ = matched(text(EAST), said, idf)
    assert precision == pytest.approx((log(1.5) * 1 + log(3) * 0) / (log(1.5) + log(3)))
    assert matched(text(EAST, ids=[1]), said, idf) == (0.0, 0.0), "nothing but pieces that stand everywhere"


def test_of_several_references_each_score_takes_its_best() -> None:
    said = text(EAST, NORTH)
    rows = similarity_rows([[text(EAST), text(EAST, NORTH, [-1.0, 0.0])]], [said])
    assert rows.table[0, :2].tolist() == pytest.approx([1.0, 1.0])
    alone = similarity_rows([text(EAST)], [said])
    assert alone.table[0].tolist() == pytest.approx([0.5, 1.0, 2 / 3, 1.0])


def test_the_baseline_becomes_zero_and_one_stays() -> None:
    baseline = Baseline(0.5, 0.5, 0.5)
    rows = similarity_rows([text(EAST), text(EAST)], [text(EAST), text(EAST, NORTH)], baseline=baseline)
    assert sorted(rows.dense()[:, 0].tolist()) == pytest.approx([0.0, 1.0])
    with pytest.raises(MetricError, match="below 1"):
        Baseline(1.0).rescaled(np.zeros(3))


def test_the_signature_names_encoder_weights_and_baseline() -> None:
    plain = embedding_similarity("model x, layer 9")[0]
    assert "model x, layer 9; all pieces weigh the same" in plain.definition
    rescaled = embedding_similarity("model x, layer 9", idf={-1: 1.0}, baseline=Baseline(f1=0.8))[0]
    assert "inverse document frequency" in rescaled.definition
    assert "F1 0.8" in rescaled.definition


def by_matrices(gold: EmbeddedText, said: EmbeddedText, weights: list[np.ndarray[Any, Any]]) -> list[float]:
    """The steps of bert-score's greedy_cos_idf for one pair, without its padding."""
    ref = gold.vectors / np.linalg.norm(gold.vectors, axis=-1)[:, None]
    hyp = said.vectors / np.linalg.norm(said.vectors, axis=-1)[:, None]
    similar = hyp @ ref.T
    hyp_idf, ref_idf = (weight / weight.sum() for weight in weights)
    precision = (similar.max(axis=1) * hyp_idf).sum()
    recall = (similar.max(axis=0) * ref_idf).sum()
    return [precision, recall, 2 * precision * recall / (precision + recall)]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_equal_to_the_matrix_formulas(seed: int, first: int, second: int) -> None:
    rng = np.random.default_rng(seed)
    idf = {**{piece: float(rng.random() + 0.1) for piece in range(4)}, -1: 2.0}
    texts = [
        EmbeddedText(rng.integers(0, 6, number), rng.normal(size=(number, 5)) + 1, np.zeros(number, dtype=bool))
        for number in (first, second)
    ]
    weights = [np.array([idf.get(int(piece), 2.0) for piece in one.ids]) for one in texts]
    expected = by_matrices(texts[1], texts[0], weights)
    metrics = embedding_similarity("random", idf)
    rows = metrics[0].rows([texts[1]], [texts[0]])
    found = [float(metric.value(rows)) for metric in (metrics[1], metrics[2], metrics[0])]
    assert found == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_text_equals_itself_in_any_order_and_length_of_its_vectors(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(number, 4))
    marks = np.zeros(number, dtype=bool)
    one = EmbeddedText(np.arange(number), vectors, marks)
    other = EmbeddedText(np.arange(number), vectors[::-1] * rng.uniform(0.5, 2, (number, 1)), marks)
    assert matched(one, other) == pytest.approx((1.0, 1.0))
    shorter = EmbeddedText(np.arange(2), rng.normal(size=(2, 4)), marks[:1].repeat(2))
    precision, recall = matched(one, shorter)
    assert matched(shorter, one) == pytest.approx((recall, precision))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(MetricError, match=r"2 pieces have vectors of shape \[1, 2\]"):
        EmbeddedText(np.arange(2), np.ones((1, 2)), np.zeros(2, dtype=bool))
    with pytest.raises(MetricError, match="no direction"):
        matched(text([0.0, 0.0]), text(EAST))
    with pytest.raises(MetricError, match="1 references and 2 texts"):
        similarity_rows([text(EAST)], [text(EAST)] * 2)
    with pytest.raises(MetricError, match="no reference"):
        similarity_rows([[]], [text(EAST)])
