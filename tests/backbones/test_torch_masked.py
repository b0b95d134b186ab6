"""Language models: losses and log-probabilities are those of Transformers' own classes on the same inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.tokenizer_training import trained_tokenizer
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.backbones.torch_scratch import write_new_model
from truetune.data.batch import packed, padded, target_number
from truetune.errors import ModelError
from truetune.pretraining.fertility import fertilities
from truetune.pretraining.likelihoods import likelihoods, piece_shares, unigram_likelihoods
from truetune.tasks.piece_encoding import causal_inputs, masked_inputs
from truetune.training.masking import Masking, in_turn
from truetune.types import IGNORED

TEXTS = ["Anna visited Paris and Berlin with Bob.", "A dull, tedious film", "What a lovely and brilliant story: warm!"]


def backbone_of(place: Path, head: str):
    settings = ModelSettings(str(place), head, (), dropout=0.0, precision="float32")
    return load_backbone(settings, Recipe(clip=1e9), load_tokenizer(settings))


@pytest.fixture(scope="module")
def new_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small new BERT with a tokenizer of its own, and with its head."""
    folder = tmp_path_factory.mktemp("new") / "bert"
    write_new_model(folder, "new:bert-tiny", trained_tokenizer("wordpiece", TEXTS, 300, 64, "bert"), 64, seed=0)
    return folder


def test_the_masked_loss_is_that_of_transformers(new_bert: Path) -> None:
    from transformers import AutoModelForMaskedLM

    backbone = backbone_of(new_bert, "mask")
    tokenizer = backbone.tokenizer
    masking = Masking(tokenizer.mask, tokenizer.size, tuple(tokenizer.special.tolist()), share=0.3)
    batch = padded(masking.masked(masked_inputs(TEXTS, tokenizer), 1), np.arange(3), tokenizer.pad)
    model = AutoModelForMaskedLM.from_pretrained(new_bert).eval()
    with torch.inference_mode():
        theirs = model(
            input_ids=torch.from_numpy(batch.ids),
            attention_mask=torch.from_numpy(batch.mask).long(),
            labels=torch.from_numpy(batch.targets),
        ).loss.item()
    told = backbone.scored(batch)
    assert told.shape == (target_number(batch), 2)
    assert -told[:, 0].mean() == pytest.approx(theirs, abs=1e-5)
    # The loss of the first step, before anything moved, with dropout off.
    ours = backbone.train_step([batch], dict.fromkeys(backbone.groups, 0.0), target_number(batch))
    assert ours == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("together", [padded, packed])
def test_the_causal_loss_is_that_of_transformers(tiny_gpt2: Path, together) -> None:
    from transformers import AutoModelForCausalLM

    backbone = backbone_of(tiny_gpt2, "generate")
    encoded = causal_inputs(TEXTS, backbone.tokenizer)
    batch = together(encoded, np.arange(3), backbone.tokenizer.pad)
    model = AutoModelForCausalLM.from_pretrained(tiny_gpt2).eval()
    losses, number = 0.0, 0
    with torch.inference_mode():
        for one in encoded:  # each text alone: packing must not change that
            ids = torch.from_numpy(one.ids)[None]
            losses += model(input_ids=ids, labels=ids).loss.item() * (len(one.ids) - 1)
            number += len(one.ids) - 1
    told = backbone.scored(batch)
    assert len(told) == number
    assert -told[:, 0].sum() == pytest.approx(losses, abs=1e-3)
    ours = backbone.train_step([batch], dict.fromkeys(backbone.groups, 0.0), target_number(batch))
    assert ours == pytest.approx(losses / number, abs=1e-5)


def test_hits_are_those_of_the_most_probable_piece(new_bert: Path) -> None:
    from transformers import AutoModelForMaskedLM

    backbone = backbone_of(new_bert, "mask")
    asked = list(in_turn(masked_inputs(TEXTS, backbone.tokenizer), backbone.tokenizer.mask, 4))
    batch = padded(asked, np.arange(len(asked)), backbone.tokenizer.pad)
    model = AutoModelForMaskedLM.from_pretrained(new_bert).eval()
    with torch.inference_mode():
        logits = model(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask).long()).logits.numpy()
    places = batch.targets != IGNORED
    best = logits[places].argmax(axis=1) == batch.targets[places]
    assert backbone.scored(batch)[:, 1].astype(bool).tolist() == best.tolist()


def test_documents_have_the_sums_of_their_pieces_whatever_the_batches(new_bert: Path) -> None:
    backbone = backbone_of(new_bert, "mask")
    asked = list(in_turn(masked_inputs(TEXTS, backbone.tokenizer), backbone.tokenizer.mask, 4))
    together = likelihoods(backbone, asked, 3)
    for place in range(3):
        own = [one for one in asked if one.example == place]
        alone = sum(backbone.scored(padded([one], np.array([0]), backbone.tokenizer.pad)).sum(axis=0) for one in own)
        assert together["log_likelihood"][place] == pytest.approx(float(alone[0]), abs=1e-3)
        assert together["hits"][place] == int(alone[1])


def test_unigrams_are_counted_with_one_added() -> None:
    ids = np.array([5, 5, 6])
    learnt = masked([ids])
    said = unigram_likelihoods(piece_shares(learnt, 8), masked([np.array([5, 7])]), 1)
    # Counts plus one: 3 of 11 for the piece 5, 1 of 11 for the piece 7; 5 is the most frequent.
    assert said["log_likelihood"][0] == pytest.approx(np.log(3 / 11) + np.log(1 / 11))
    assert said["hits"] == [1]


def masked(rows):
    from truetune.types import Encoded

    return [
        Encoded(place, ids, np.ones_like(ids), ids.copy(), np.zeros_like(ids), np.zeros_like(ids))
        for place, ids in enumerate(rows)
    ]


def test_a_new_head_is_drawn_where_the_files_have_none(tiny_bert: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForMaskedLM

    backbone = backbone_of(tiny_bert, "mask")
    backbone.save(tmp_path / "model")
    again = AutoModelForMaskedLM.from_pretrained(tmp_path / "model")
    # Scores of pieces are products with their embeddings: the two are one table.
    assert again.get_output_embeddings().weight is again.get_input_embeddings().weight


def test_a_decoder_cannot_tell_what_is_masked(tiny_gpt2: Path) -> None:
    with pytest.raises(ModelError, match="language-modeling"):
        backbone_of(tiny_gpt2, "mask")


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
@pytest.mark.parametrize("model", ["bert", "gpt"])
def test_trained_tokenizers_read_what_they_were_trained_on(kind: str, model: str, tmp_path: Path) -> None:
    texts = TEXTS * 20 + ["中国人民银行在上海。"] * 20
    tokenizer = trained_tokenizer(kind, texts, 330, 64, model)
    write_new_model(tmp_path / "model", f"new:{model}-tiny", tokenizer, 64, seed=0)
    again = load_tokenizer(ModelSettings(str(tmp_path / "model"), "embed", ()))
    assert again.max_length == 64
    for text in texts[:4]:
        (pieces,) = again.pieces([text])
        assert pieces.ids.tolist() == tokenizer.pieces([text])[0].ids.tolist()
        assert (pieces.ends[:-1] <= pieces.ends[1:]).all()
        assert pieces.ends[-1] == len(text)
        assert again.text(pieces.ids).lower().replace(" ", "") == text.lower().replace(" ", "")


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
@pytest.mark.parametrize("model", ["bert", "gpt"])
def test_what_a_trained_tokenizer_does_not_know_is_told_from_the_end_of_a_text(kind: str, model: str) -> None:
    tokenizer = trained_tokenizer(kind, TEXTS * 20, 330, 64, model)
    (pieces,) = tokenizer.pieces(["龘 😀"])
    assert tokenizer.unknown in pieces.ids
    if model == "gpt":
        assert tokenizer.end not in pieces.ids
    (characters,) = fertilities(tokenizer, ["龘"], 0.95)
    assert characters.unknown == 1
