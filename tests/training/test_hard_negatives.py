"""Wrong documents that look right: the likest, never one that answers."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.errors import DataError
from truetune.training.hard_negatives import drawn_negatives

QUERIES = ["red apple", "green apple", "blue sky", "red apple"]
DOCUMENTS = [("a red apple pie",), ("an apple that is green", "green apples"), ("the sky is blue",), ("red fruit",)]


def test_the_likest_wrong_document_is_drawn_and_never_a_right_one() -> None:
    found = drawn_negatives(QUERIES, DOCUMENTS, 1, np.random.default_rng(0))
    # `red apple` has two right documents, by two rows; the likest other one holds `apple`.
    assert found[0] == found[3] == ("an apple that is green",)
    assert found[1] == ("a red apple pie", "a red apple pie"), "one for each document of a query"
    every = [drawn_negatives(QUERIES, DOCUMENTS, 9, np.random.default_rng(seed))[0][0] for seed in range(40)]
    assert set(every) == {"an apple that is green", "green apples", "the sky is blue"}
    same = [drawn_negatives(QUERIES, DOCUMENTS, 3, np.random.default_rng(5)) for _ in range(2)]
    assert same[0] == same[1]


def test_a_query_that_every_document_answers_is_told() -> None:
    with pytest.raises(DataError, match="every document of the training part answers 'both'"):
        drawn_negatives(["both", "one"], [("a b", "c d"), ("a b",)], 1, np.random.default_rng(0))
