"""Queries and documents to inputs and vectors to rankings, worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.errors import DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.retrieval import RETRIEVAL
from truetune.tasks.retrieval_encoding import decode_ranking, encode_pairs, item_of, pair_code
from truetune.types import IGNORED, Encoded

LABELS = Labels((), documents=("a dull film", "great story"))
QUERIES = ["bad", "lovely"]


def single(example: int) -> Encoded:
    nothing = np.zeros(1, dtype=np.int64)
    return Encoded(example, nothing, nothing, np.array(IGNORED), nothing, nothing)


def test_a_pair_is_one_input_with_the_special_tokens_of_two(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "embed", ()))
    gold = {"documents": [("a dull film",), ("great story", "great plot")]}
    encoding = encode_pairs([QUERIES], gold, Labels(()), tokenizer, Lengths(64))
    assert [one.example for one in encoding.inputs] == [0, 1, 1], "each document of a query is an input"
    first = encoding.inputs[0]
    for side, text in enumerate(("bad", "a dull film")):
        (pieces,) = tokenizer.pieces([text])
        assert first.ids[first.segments == side].tolist() == tokenizer.wrapped(pieces.ids)[0].tolist()
    codes = [int(one.target) for one in encoding.inputs]
    assert codes == [
        pair_code(*pair) for pair in (("bad", "a dull film"), ("lovely", "great story"), ("lovely", "great plot"))
    ]
    assert codes[1] >> 32 == codes[2] >> 32 != codes[0] >> 32
    assert not encoding.findings
    (cut,) = encode_pairs([["bad " * 9, "bad"]], gold, Labels(()), tokenizer, Lengths(8)).findings
    assert (cut.check, cut.count) == ("truncated", 1)


def test_equal_documents_have_an_equal_lower_half() -> None:
    one, other = pair_code("x", "same"), pair_code("y", "same")
    assert one % 2**32 == other % 2**32
    assert one // 2**32 != other // 2**32
    assert 0 < one < 2**63


def test_without_gold_documents_go_with_the_first_queries_unless_their_vectors_are_known(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "embed", ()))
    inputs = encode_pairs([QUERIES], None, LABELS, tokenizer, Lengths(64)).inputs
    assert [one.example for one in inputs] == [0, 1, -1, -2]
    assert all((one.segments == 0).all() and int(one.target) == IGNORED for one in inputs)
    later = encode_pairs([QUERIES], None, LABELS, tokenizer, Lengths(64), first=7).inputs
    assert [one.example for one in later] == [7, 8]
    known = Labels((), documents=LABELS.documents, vectors=np.eye(2))
    assert len(encode_pairs([QUERIES], None, known, tokenizer, Lengths(64)).inputs) == 2


def test_documents_are_ranked_by_their_cosine_and_equal_ones_by_name() -> None:
    vectors = [np.array([1.0, 0.0]), np.array([0.6, 0.8])]
    encoded = [single(example) for example in (0, 1, -1, -2)]
    queries = [np.array([0.0, 1.0]), np.array([1.0, 0.0])]
    said = decode_ranking(QUERIES, encoded, [*queries, *vectors], LABELS, 0.5)
    first, second = (item_of(one) for one in LABELS.documents)
    assert said["ranking"] == [[second, first], [first, second]]
    assert said["document"] == ["great story", "a dull film"]
    assert said["similarity"] == pytest.approx([0.8, 1.0])
    equal = decode_ranking(
        ["x"], [single(0)], [np.array([1.0])], Labels((), documents=LABELS.documents, vectors=np.ones((2, 1))), 0.5
    )
    assert equal["ranking"] == [sorted([first, second], reverse=True)]
    with pytest.raises(DataError, match="without the documents"):
        decode_ranking(["x"], [single(0)], [np.array([1.0])], Labels(()), 0.5)


def test_what_is_relevant_follows_from_the_documents() -> None:
    fields = {one.name: one for one in RETRIEVAL.scoring.gold[2]}
    row = {"document": "great story"}
    assert fields["documents"].derive is not None
    row |= {"documents": fields["documents"].derive(row)}
    assert fields["relevant"].derive is not None
    assert fields["relevant"].derive(row) == {item_of("great story"): 1.0}
