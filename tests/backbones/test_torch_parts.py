"""The parts that make a step fast are the same as what they replace: dropout, attention, embeddings, precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone
from truetune.backbones.torch_attention import attention, registered
from truetune.backbones.torch_device import bfloat16_gain, chosen_device, chosen_precision
from truetune.backbones.torch_dropout import BitDropout, Bits, rounded, with_bit_dropout
from truetune.backbones.torch_network import pair_states, pooled
from truetune.backbones.torch_vocabulary import RowEmbedding, plain_embedding, with_rows
from truetune.errors import ModelError
from truetune.files import read_json, write_json
from truetune.types import HEAD_MARK, TAIL_MARK, Batch


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_dropout_drops_its_share_and_keeps_the_expectation() -> None:
    layer = BitDropout(0.1, Bits(0))
    values = torch.ones(1000, 1000)
    dropped = layer(values)
    share = 26 / 256
    assert rounded(0.1) == 26
    assert sorted(set(dropped.unique().tolist())) == pytest.approx([0, 1 / (1 - share)])
    # 1e6 draws: five standard errors of the share are 5 * sqrt(.09 / 1e6) = .0015
    assert abs((dropped == 0).float().mean().item() - share) < 0.0015
    assert abs(dropped.mean().item() - 1) < 0.002


def test_dropout_is_independent_between_neighbours_calls_and_steps() -> None:
    bits = Bits(0)
    layer = BitDropout(0.5, bits)
    first, second = (layer(torch.ones(100_001)) > 0 for _ in range(2))
    bits.begin(1)
    third = layer(torch.ones(100_001)) > 0
    for one, other in ((first[1:], first[:-1]), (first[8:], first[:-8]), (first, second), (first, third)):
        assert abs((one == other).float().mean().item() - 0.5) < 0.01
    bits.begin(0)
    assert ((layer(torch.ones(100_001)) > 0) == first).all()


def test_dropout_does_nothing_outside_training_and_sends_gradients_through_its_mask() -> None:
    layer = BitDropout(0.3, Bits(0))
    values = normal(50, 7).requires_grad_()
    dropped = layer(values)
    dropped.sum().backward()
    assert ((values.grad == 0) == (dropped == 0)).all()
    assert (dropped == values * values.grad).all()
    layer.eval()
    assert layer(values) is values


def test_every_dropout_of_a_model_is_replaced() -> None:
    model = nn.Sequential(nn.Dropout(0.1), nn.ModuleDict({"inner": nn.Sequential(nn.Dropout(0.2))}))
    with_bit_dropout(model, Bits(0))
    assert [module.p for module in model.modules() if isinstance(module, BitDropout)] == [0.1, 0.2]
    assert not any(type(module) is nn.Dropout for module in model.modules())


class Holder(nn.Module):
    def __init__(self, probability: float) -> None:
        super().__init__()
        self.dropout = BitDropout(probability, Bits(0))


def plain_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor, kept: Any) -> Any:
    weights = torch.softmax(query @ key.transpose(2, 3) * 0.3 + mask, -1)
    return ((weights * kept) @ value).transpose(1, 2)


@pytest.mark.parametrize("probability", [0.0, 0.4])
def test_attention_and_its_gradients_are_those_of_the_formula(probability: float) -> None:
    ours = [normal(2, 3, 5, 4, seed=seed).requires_grad_() for seed in range(3)]
    theirs = [one.detach().clone().requires_grad_() for one in ours]
    mask = torch.zeros(2, 1, 5, 5)
    mask[1, :, :, 3:] = torch.finfo(torch.float32).min
    module = Holder(probability)
    mixed = attention(module, *ours, mask, 0.3)
    module.dropout.bits.begin(0)
    kept = module.dropout.bits.multipliers(torch.Size((2, 3, 5, 5)), probability, torch.float32) if probability else 1
    expected = plain_attention(*theirs, mask, kept)
    assert torch.allclose(mixed, expected, atol=1e-6)
    weights = normal(2, 5, 3, 4, seed=9)
    (mixed * weights).sum().backward()
    (expected * weights).sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-6)
    module.eval()
    assert torch.allclose(attention(module, *ours, mask, 0.3), plain_attention(*theirs, mask, 1), atol=1e-6)


def test_a_bert_with_our_attention_is_that_bert(tiny_bert: Path) -> None:
    from transformers import BertModel

    plain = BertModel.from_pretrained(tiny_bert, attn_implementation="eager").eval()
    ours = BertModel.from_pretrained(tiny_bert, attn_implementation=registered()).eval()
    ids = torch.arange(5, 25).reshape(2, 10)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    with torch.inference_mode():
        one, other = (model(ids, mask).last_hidden_state for model in (plain, ours))
    assert torch.allclose(one[mask.bool()], other[mask.bool()], atol=1e-5)


@pytest.mark.parametrize("vocabulary", [None, np.array([0, 2, 3, 5, 9])], ids=["all", "some"])
def test_rows_and_gradients_are_those_of_an_embedding(vocabulary: Any) -> None:
    plain = nn.Embedding(10, 4, padding_idx=0)
    rows = RowEmbedding(nn.Embedding(10, 4, padding_idx=0, _weight=plain.weight.detach().clone()), vocabulary)
    weights = normal(2, 3, 4)
    for ids in (torch.tensor([[2, 3, 3], [5, 2, 0]]), torch.tensor([[9, 9, 9], [5, 2, 0]])):
        assert (rows(ids) == plain(ids)).all()
        for table in (plain, rows):
            (table(ids) * weights).sum().backward()
    kept = np.arange(10) if vocabulary is None else vocabulary
    assert torch.allclose(rows.rows.grad, plain.weight.grad[torch.from_numpy(kept)])
    rows.clear_gradient()
    assert (rows.rows.grad == 0).all()


def test_outside_training_the_full_matrix_has_the_trained_rows() -> None:
    rows = RowEmbedding(nn.Embedding(6, 2), np.array([1, 4]))
    untouched = rows.weight.clone()
    rows(torch.tensor([1]))
    with torch.no_grad():
        rows.rows += 1
    rows.eval()
    moved = (rows(torch.arange(6)) - untouched)[:, 0]
    assert moved.tolist() == pytest.approx([0, 1, 0, 0, 1, 0])
    assert torch.equal(plain_embedding(rows).weight, rows.weight)


def test_a_piece_that_is_not_trained_is_refused_in_training() -> None:
    rows = RowEmbedding(nn.Embedding(6, 2), np.array([1, 4]))
    with pytest.raises(ModelError, match=r"pieces \[3\]"):
        rows(torch.tensor([1, 3]))


def test_embeddings_that_are_more_than_a_table_are_left_alone() -> None:
    class Scaled(nn.Embedding):
        pass

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = Scaled(4, 2)

        def get_input_embeddings(self) -> nn.Module:
            return self.words

    model = Model()
    assert with_rows(model, None) is None
    assert type(model.words) is Scaled


def test_pooling_takes_pieces_only() -> None:
    hidden = torch.tensor([[[1.0], [2.0], [6.0]], [[4.0], [9.0], [9.0]]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    assert pooled(hidden, mask, "mean").tolist() == [[3.0], [4.0]]
    assert pooled(hidden, mask, "first").tolist() == [[1.0], [4.0]]
    assert pooled(hidden, mask, "last").tolist() == [[6.0], [4.0]]


def test_head_and_tail_are_the_means_of_their_marks_side_by_side() -> None:
    hidden = torch.tensor([[[1.0, 0.0], [2.0, 0.0], [6.0, 4.0]], [[4.0, 1.0], [9.0, 1.0], [9.0, 9.0]]])
    segments = torch.tensor([[HEAD_MARK, HEAD_MARK, TAIL_MARK], [TAIL_MARK, 0, 0]])
    assert pair_states(hidden, segments).tolist() == [[1.5, 0.0, 6.0, 4.0], [0.0, 0.0, 4.0, 1.0]]


def test_the_model_itself_is_told_of_no_marks(tiny_bert: Path) -> None:
    """So a pair that is marked changes nothing but what the head reads; a decoder reads the last piece."""
    ids, mask = np.array([[2, 7, 8, 9, 3]]), np.ones((1, 5), dtype=bool)
    plain = Batch(ids, mask, np.zeros((1, 5), dtype=np.int64), np.array([0]), np.array([0]))
    one, other = (
        replace(plain, segments=np.array([found]))
        for found in ([0, HEAD_MARK, 0, TAIL_MARK, 0], [0, TAIL_MARK, 0, HEAD_MARK, 0])
    )
    settings = ModelSettings(str(tiny_bert), "classify", ("a", "b"), pooling="marked", device="cpu")
    backbone = load_backbone(settings, Recipe(), load_tokenizer(settings))
    assert (backbone.piece_features(one) == backbone.piece_features(plain)).all()
    assert (backbone.features(one) == backbone.features(plain)).all()
    assert np.abs(backbone.predict(one) - backbone.predict(other)).max() > 1e-4


@pytest.mark.parametrize("contrast", [False, True])
def test_a_head_over_means_reads_marked_pairs_as_plain_texts(tiny_bert: Path, tmp_path: Path, contrast: bool) -> None:
    """Such are contrastive models, and those that were saved before pairs were marked."""
    ids, mask, marks = np.array([[2, 7, 8, 9, 3]]), np.ones((1, 5), dtype=bool), np.array([[0, 2, 0, 3, 0]])
    batch = Batch(ids, mask, marks, np.array([0]), np.array([0]))
    pooling = "marked" if contrast else "mean"
    settings = ModelSettings(str(tiny_bert), "classify", ("a", "b"), contrast=contrast, pooling=pooling, device="cpu")
    backbone = load_backbone(settings, Recipe(), load_tokenizer(settings))
    expected = backbone.predict(replace(batch, segments=np.zeros_like(marks)))
    if not contrast:
        backbone.save(tmp_path / "saved")
        stored = read_json(tmp_path / "saved" / "backbone.json")
        del stored["form"]["marks"]
        write_json(tmp_path / "saved" / "backbone.json", stored)
        backbone = saved_backbone(tmp_path / "saved", "cpu")
    assert (backbone.predict(batch) == expected).all()


def test_a_decoder_reads_the_last_piece_of_a_marked_pair(tiny_gpt2: Path) -> None:
    ids, mask, marks = np.array([[12, 7, 8, 9, 13]]), np.ones((1, 5), dtype=bool), np.array([[0, 2, 0, 3, 0]])
    batch = Batch(ids, mask, marks, np.array([0]), np.array([0]))
    settings = ModelSettings(str(tiny_gpt2), "classify", ("a", "b"), pooling="marked", device="cpu")
    backbone = load_backbone(settings, Recipe(), load_tokenizer(settings))
    last = load_backbone(replace(settings, pooling="last"), Recipe(), load_tokenizer(settings))
    assert (backbone.predict(batch) == last.predict(replace(batch, segments=np.zeros_like(marks)))).all()


def test_precision_is_the_wanted_one_or_measured() -> None:
    cpu = torch.device("cpu")
    assert chosen_precision("bfloat16", cpu, 32) == ("bfloat16", None)
    chosen, gain = chosen_precision("auto", cpu, 128)
    assert gain is not None
    assert chosen == ("bfloat16" if gain >= 1.2 else "float32")
    threads = torch.get_num_threads()
    assert bfloat16_gain(64) > 0
    assert torch.get_num_threads() == threads


def test_the_device_is_found_or_refused() -> None:
    assert chosen_device("cpu").type == "cpu"
    assert chosen_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(ModelError, match="expected auto, cpu"):
        chosen_device("abacus")


def test_weights_of_other_shapes_than_the_config_says_are_told(tmp_path: Path, tiny_bert: Path) -> None:
    settings = ModelSettings(str(tiny_bert), "classify", ("a", "b"), device="cpu")
    load_backbone(settings, Recipe(), load_tokenizer(settings)).save(tmp_path / "saved")
    config = read_json(tmp_path / "saved" / "config.json")
    write_json(tmp_path / "saved" / "config.json", {**config, "max_position_embeddings": 10**12})
    with pytest.raises(ModelError, match=r"other shapes than its config\.json says"):
        saved_backbone(tmp_path / "saved", "cpu")
