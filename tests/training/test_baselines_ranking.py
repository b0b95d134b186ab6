"""Rankings by words in common, against values by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from truetune.tasks.retrieval_encoding import item_of
from truetune.training.baselines import Part
from truetune.training.baselines_ranking import bm25, tfidf_ranking

DOCUMENTS = ("red apple pie", "green apple", "blue sky and a very long story about the sea")
ITEMS = [item_of(one) for one in DOCUMENTS]
ASKED = ["apple pie", "sky", "green"]
RELEVANT = [{ITEMS[0]: 1.0}, {ITEMS[2]: 1.0}, {ITEMS[1]: 1.0}]


def first_right(gold: Any, predicted: Any) -> float:
    return float(np.mean([ranking[0] in one for one, ranking in zip(gold, predicted["ranking"], strict=True)]))


def test_the_document_with_the_words_of_the_query_is_first() -> None:
    for fit in (tfidf_ranking, bm25):
        found = fit(Part(ASKED, RELEVANT), ["the sea", "apple green"], DOCUMENTS, first_right, lambda _: None)
        assert found.validation == 1.0
        assert [ranking[0] for ranking in found.predicted["ranking"]] == [ITEMS[2], ITEMS[1]]
        assert all(len(ranking) == 3 for ranking in found.predicted["ranking"])


def test_bm25_by_hand(monkeypatch: Any) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("truetune.training.baselines_ranking.SATURATIONS", (1.2,))
    monkeypatch.setattr("truetune.training.baselines_ranking.NORMALISATIONS", (0.75,))
    monkeypatch.setattr(
        "truetune.training.baselines_ranking._ranked",
        lambda scores, *_: seen.append(scores.toarray()) or {"ranking": [["x"]]},
    )
    bm25(Part(["apple pie"], [{}]), ["sky"], DOCUMENTS, lambda *_: 0.0, lambda _: None)
    lengths = [3, 2, 10]
    longer = [1 - 0.75 + 0.75 * one / 5 for one in lengths]
    apple, pie = math.log(1 + 1.5 / 2.5), math.log(1 + 2.5 / 1.5)
    wanted = [
        (apple + pie) * 2.2 / (1 + 1.2 * longer[0]),
        apple * 2.2 / (1 + 1.2 * longer[1]),
        0.0,
    ]
    assert np.allclose(seen[0], [wanted])


def test_words_that_no_document_has_rank_by_name() -> None:
    found = bm25(Part(ASKED, RELEVANT), ["unheard of"], DOCUMENTS, first_right, lambda _: None)
    assert found.predicted["ranking"] == [sorted(ITEMS, reverse=True)]


@pytest.mark.parametrize("fit", [tfidf_ranking, bm25])
def test_each_query_ranks_its_own_candidates(fit: Any) -> None:
    pools = ([DOCUMENTS[:2]] * len(ASKED), [DOCUMENTS[1:]])
    found = fit(Part(ASKED, RELEVANT), ["the sea"], DOCUMENTS, first_right, lambda _: None, pools)
    assert {frozenset(one) for one in found.said["ranking"]} == {frozenset(map(item_of, DOCUMENTS[:2]))}
    assert set(found.predicted["ranking"][0]) == set(map(item_of, DOCUMENTS[1:]))
