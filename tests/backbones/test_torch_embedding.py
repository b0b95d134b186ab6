"""Vectors of texts and pairs: the loss against one by hand, the same for any batch, saved and loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone, used_pieces
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.backbones.torch_losses import SCALE, in_batch_scores
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.retrieval_encoding import encode_pairs, pair_code
from truetune.types import Encoded

QUERIES = ["bad", "a lovely brilliant story", "Anna visited Paris"]
GOLD = {"documents": [("a dull film",), ("great plot",), ("Berlin with Bob", "great plot")]}


def loaded(folder: Path, trimmed: bool = False, sizes: tuple[int, ...] = ()) -> TorchBackbone:
    settings = ModelSettings(str(folder), "embed", (), dropout=0.0, precision="float32", device="cpu")
    tokenizer = load_tokenizer(settings)
    vocabulary = used_pieces(one.ids for one in pairs(tokenizer)) if trimmed else None
    return load_backbone(settings, Recipe(matryoshka=sizes), tokenizer, vocabulary)


def pairs(tokenizer: object) -> list[Encoded]:
    return encode_pairs([QUERIES], GOLD, Labels(()), tokenizer, Lengths(64)).inputs  # type: ignore[arg-type]


def vectors(backbone: TorchBackbone, texts: list[str]) -> np.ndarray:
    inputs = encode_pairs([texts], None, Labels(()), backbone.tokenizer, Lengths(64)).inputs
    return np.stack(logits_of(backbone, inputs))


def step(backbone: TorchBackbone, rate: float) -> float:
    batch = padded(pairs(backbone.tokenizer), np.arange(4), backbone.tokenizer.pad)
    assert target_number(batch) == 4
    return backbone.train_step([batch], dict.fromkeys(backbone.groups, rate), 4)


@pytest.mark.parametrize("family", ["tiny_bert", "tiny_gpt2"])
def test_the_loss_is_that_of_each_query_picking_its_document(family: str, request: pytest.FixtureRequest) -> None:
    backbone = loaded(request.getfixturevalue(family), trimmed=family == "tiny_bert")
    asked = [QUERIES[0], QUERIES[1], QUERIES[2], QUERIES[2]]
    answers = ["a dull film", "great plot", "Berlin with Bob", "great plot"]
    one, other = vectors(backbone, asked), vectors(backbone, answers)
    assert np.linalg.norm(one, axis=1) == pytest.approx(1, abs=1e-5)
    expected = 0.0
    for row in range(4):
        wrong = [k for k in range(4) if k == row or (asked[k] != asked[row] and answers[k] != answers[row])]
        scores = SCALE * one[row] @ other[wrong].T
        expected += float(np.log(np.exp(scores).sum()) - SCALE * one[row] @ other[row])
    assert step(backbone, 0.0) == pytest.approx(expected / 4, rel=1e-4)


@pytest.mark.parametrize("family", ["tiny_bert", "tiny_gpt2"])
def test_the_loss_of_several_sizes_is_the_mean_of_those_of_each(family: str, request: pytest.FixtureRequest) -> None:
    backbone = loaded(request.getfixturevalue(family), sizes=(4, 8))
    asked = [QUERIES[0], QUERIES[1], QUERIES[2], QUERIES[2]]
    answers = ["a dull film", "great plot", "Berlin with Bob", "great plot"]
    whole = vectors(backbone, asked), vectors(backbone, answers)
    expected = []
    for size in (4, 8, None):
        one, other = (some[:, :size] / np.linalg.norm(some[:, :size], axis=1, keepdims=True) for some in whole)
        for row in range(4):
            wrong = [k for k in range(4) if k == row or (asked[k] != asked[row] and answers[k] != answers[row])]
            scores = SCALE * one[row] @ other[wrong].T
            expected.append(float(np.log(np.exp(scores).sum()) - SCALE * one[row] @ other[row]))
    assert step(backbone, 0.0) == pytest.approx(np.mean(expected), rel=1e-4)


def test_vectors_cannot_be_cut_to_more_than_they_have(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match=r"recipe.matryoshka: the vectors of this model have 32 numbers"):
        loaded(tiny_bert, sizes=(8, 32))


def test_equal_documents_and_equal_queries_are_no_wrong_answers() -> None:
    targets = torch.tensor([pair_code("x", "a"), pair_code("y", "a"), pair_code("x", "b")])
    scores = in_batch_scores(torch.nn.functional.normalize(torch.ones(3, 2, 4), dim=-1), targets)
    assert scores.round().tolist() == [[20, -1e4, -1e4], [-1e4, 20, 20], [-1e4, 20, 20]]


def test_a_wrong_document_beside_each_pair_is_rejected_by_all_but_those_it_answers() -> None:
    # Query x has a and b (two pairs), y has c; beside them stand c, c and b as wrong ones.
    pairs_and_wrong = [("x", "a", "c"), ("x", "b", "c"), ("y", "c", "b")]
    targets = torch.tensor([[[pair_code(one, two), pair_code(one, three)]] for one, two, three in pairs_and_wrong])
    units = torch.nn.functional.normalize(torch.ones(3, 3, 4), dim=-1)
    found = in_batch_scores(units, targets).round().tolist()
    assert [row[:3] for row in found] == in_batch_scores(units[:, :2], targets[:, 0, 0]).round().tolist()
    # b answers x, c answers y: neither is wrong for them.
    assert [row[3:] for row in found] == [[20, 20, -1e4], [20, 20, -1e4], [-1e4, -1e4, 20]]


@pytest.mark.parametrize("family", ["tiny_bert", "tiny_gpt2"])
def test_the_loss_with_wrong_documents_by_hand(family: str, request: pytest.FixtureRequest) -> None:
    backbone = loaded(request.getfixturevalue(family))
    gold = {"documents": [("a dull film",), ("great plot",)], "negatives": [("great plot",), ("Berlin with Bob",)]}
    inputs = encode_pairs([QUERIES[:2]], gold, Labels(()), backbone.tokenizer, Lengths(64)).inputs
    assert [one.target.shape for one in inputs] == [(1, 2), (1, 2)]
    batch = padded(inputs, np.arange(2), backbone.tokenizer.pad)
    assert target_number(batch) == 2
    one, right, wrong = (
        vectors(backbone, some)
        for some in (QUERIES[:2], ["a dull film", "great plot"], ["great plot", "Berlin with Bob"])
    )
    scores = SCALE * one @ np.concatenate([right, wrong]).T
    scores[1, 2] = -np.inf  # `great plot` is what the second query asks for
    expected = np.log(np.exp(scores).sum(axis=1)) - scores[[0, 1], [0, 1]]
    found = backbone.train_step([batch], dict.fromkeys(backbone.groups, 0.0), 2)
    assert found == pytest.approx(expected.mean(), rel=1e-4)


def test_it_learns_is_saved_and_says_the_same(tiny_bert: Path, tmp_path: Path) -> None:
    backbone = loaded(tiny_bert, trimmed=True)
    losses = [step(backbone, 1e-2) for _ in range(6)]
    assert losses[-1] < losses[0]
    backbone.save(tmp_path / "model")
    assert not (tmp_path / "model/head.safetensors").exists()
    shipped = saved_backbone(tmp_path / "model", "cpu")
    assert np.abs(vectors(shipped, QUERIES) - vectors(backbone, QUERIES)).max() <= 1e-5
    alone = np.concatenate([vectors(shipped, [text]) for text in QUERIES])
    assert np.abs(alone - vectors(shipped, QUERIES)).max() <= 1e-5
