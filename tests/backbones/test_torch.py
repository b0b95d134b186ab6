"""The PyTorch backbone: losses by hand, micro-batches, trimming, states, saving; encoders and decoders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import features_of, logits_of, piece_features_of
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone, used_pieces
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classify_encoding import encode as encode_texts
from truetune.tasks.tag_encoding import encode as encode_tags
from truetune.tasks.tag_encoding import tag_labels
from truetune.types import IGNORED, Batch, Encoded, Ints, Span

TEXTS = ["Anna visited Paris", "A dull film", "What a lovely and brilliant story: warm, funny, great.", "bad"]
GOLD = {"label": ["place", "bad", "good", "bad"]}
LABELS = Labels(("bad", "good", "place"))
SPANS = {"spans": [[Span(0, 4, "person"), Span(13, 18, "place")], [], [Span(5, 6, "person")], []]}
TAGS = tag_labels(SPANS)

CLASSIFY = ModelSettings("", "classify", LABELS.names, dropout=0.0, precision="float32", device="cpu")
TAG = replace(CLASSIFY, head="tag", labels=TAGS.names)


def loaded(
    folder: Path, settings: ModelSettings, recipe: Recipe | None = None, words: Ints | None = None
) -> TorchBackbone:
    settings = replace(settings, name=str(folder))
    return load_backbone(settings, recipe or Recipe(), load_tokenizer(settings), words)


def encoded_for(
    backbone: TorchBackbone, texts: Sequence[str] = TEXTS, gold: dict[str, list[str]] = GOLD
) -> list[Encoded]:
    lengths = Lengths(backbone.tokenizer.max_length)
    if backbone.settings.head == "tag":
        return encode_tags([texts], SPANS if texts is TEXTS else None, TAGS, backbone.tokenizer, lengths).inputs
    return encode_texts(
        [texts], gold if len(texts) == len(gold["label"]) else None, LABELS, backbone.tokenizer, lengths
    ).inputs


def batch_of(backbone: TorchBackbone, encoded: Sequence[Encoded], places: Sequence[int] | None = None) -> Batch:
    return padded(encoded, np.arange(len(encoded)) if places is None else np.array(places), backbone.tokenizer.pad)


def stepped(backbone: TorchBackbone, batches: Sequence[Batch], rate: float = 1e-3) -> float:
    return backbone.train_step(batches, dict.fromkeys(backbone.groups, rate), sum(map(target_number, batches)))


def weights_of(backbone: TorchBackbone) -> dict[str, np.ndarray]:
    return dict(backbone.state(optimizer=False).arrays)


def mean_loss(backbone: TorchBackbone, encoded: Sequence[Encoded]) -> float:
    """The mean cross-entropy of all targets, from logits alone."""
    losses = []
    for one, logits in zip(encoded, logits_of(backbone, encoded), strict=True):
        rows, targets = np.atleast_2d(logits), np.atleast_1d(one.target)
        for row, target in zip(rows, targets, strict=True):
            if target != IGNORED:
                losses.append(np.log(np.exp(row).sum()) - row[target])
    return float(np.mean(losses))


FAMILIES = ("tiny_bert", "tiny_gpt2", "tiny_llama")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", [CLASSIFY, TAG], ids=["classify", "tag"])
def test_the_loss_is_the_mean_cross_entropy_over_true_targets(
    family: str, settings: ModelSettings, request: pytest.FixtureRequest
) -> None:
    backbone = loaded(request.getfixturevalue(family), settings)
    encoded = encoded_for(backbone)
    by_hand = mean_loss(backbone, encoded)
    assert stepped(backbone, [batch_of(backbone, encoded)]) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", [CLASSIFY, TAG], ids=["classify", "tag"])
def test_micro_batches_of_unequal_targets_equal_one_batch(
    family: str, settings: ModelSettings, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(family)
    whole, parts = loaded(folder, settings), loaded(folder, settings)
    encoded = encoded_for(whole)
    at_once = stepped(whole, [batch_of(whole, encoded)])
    in_parts = stepped(parts, [batch_of(parts, encoded, places) for places in ([0, 1, 3], [2])])
    assert in_parts == pytest.approx(at_once, rel=1e-6)
    other = weights_of(parts)
    for name, array in weights_of(whole).items():
        # AdamW's first step is rate * sign(gradient): where the gradient is rounding noise the sign may differ.
        assert np.quantile(np.abs(array - other[name]), 0.98) <= 1e-5, name


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", [CLASSIFY, TAG], ids=["classify", "tag"])
def test_padding_changes_no_output(family: str, settings: ModelSettings, request: pytest.FixtureRequest) -> None:
    backbone = loaded(request.getfixturevalue(family), settings)
    encoded = encoded_for(backbone)
    together = logits_of(backbone, encoded)
    for place, one in enumerate(encoded):
        alone = backbone.predict(padded([one], np.array([0]), backbone.tokenizer.pad))[0]
        assert np.abs(alone - together[place]).max() <= 1e-5


def test_the_last_piece_counts_although_it_looks_like_padding(tiny_gpt2: Path) -> None:
    """GPT-2 pads with its end token: a text that ends with it must not lose it."""
    backbone = loaded(tiny_gpt2, CLASSIFY)
    pad = backbone.tokenizer.pad
    empty = np.zeros(0)

    def one(ids: list[int]) -> Encoded:
        return Encoded(0, np.array(ids), np.zeros(len(ids), dtype=np.int64), np.array(0), empty, empty)

    with_end, without = (logits_of(backbone, [one(ids), one([5] * 9)])[0] for ids in ([7, 8, pad], [7, 8]))
    assert np.abs(with_end - without).max() > 1e-3


def test_bfloat16_learns_almost_the_same(tiny_bert: Path) -> None:
    exact, rounded = loaded(tiny_bert, CLASSIFY), loaded(tiny_bert, replace(CLASSIFY, precision="bfloat16"))
    encoded = encoded_for(exact)
    losses = [[stepped(backbone, [batch_of(backbone, encoded)]) for _ in range(5)] for backbone in (exact, rounded)]
    assert losses[0] == pytest.approx(losses[1], abs=0.02)
    assert losses[0] != losses[1]


def test_several_labels_a_text_have_a_sigmoid_each(tiny_bert: Path) -> None:
    settings = replace(CLASSIFY, multiple=True)
    backbone = loaded(tiny_bert, settings)
    gold = {"labels": [["bad"], [], ["good", "place"], ["bad"]]}
    encoded = encode_texts([TEXTS], gold, Labels(LABELS.names, multiple=True), backbone.tokenizer, Lengths(64)).inputs
    logits = np.stack(logits_of(backbone, encoded))
    aims = np.stack([one.target for one in encoded])
    by_hand = np.mean(np.log1p(np.exp(logits)) - aims * logits)
    assert stepped(backbone, [batch_of(backbone, encoded)]) == pytest.approx(by_hand, abs=1e-5)


def test_label_smoothing_spreads_the_target(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, CLASSIFY, Recipe(label_smoothing=0.3))
    encoded = encoded_for(backbone)
    logits = np.stack(logits_of(backbone, encoded))
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    aims = np.full(logits.shape, 0.1)
    aims[np.arange(4), [int(one.target) for one in encoded]] += 0.7
    assert stepped(backbone, [batch_of(backbone, encoded)]) == pytest.approx(
        float(-(aims * logs).sum(axis=1).mean()), abs=1e-5
    )


def test_trimming_the_vocabulary_changes_nothing_but_the_work(tiny_bert: Path) -> None:
    settings = replace(CLASSIFY, dropout=0.1)
    full = loaded(tiny_bert, settings)
    encoded = encoded_for(full)
    trimmed = loaded(tiny_bert, settings, words=used_pieces([one.ids for one in encoded]))
    assert trimmed.facts["trained_words"] < full.facts["trained_words"]
    before = full._network.model.get_input_embeddings().weight.clone().numpy()
    for _ in range(5):
        batches = [batch_of(full, encoded, [0, 1]), batch_of(full, encoded, [2, 3])]
        assert stepped(full, batches) == stepped(trimmed, batches)
    unseen = encoded_for(full, ["unbelievable tokenization 2024 中国 Berlin"])
    assert (logits_of(full, unseen)[0] == logits_of(trimmed, unseen)[0]).all()
    after = [one._network.model.get_input_embeddings().weight.numpy() for one in (full, trimmed)]
    assert (after[0] == after[1]).all()
    seen = np.union1d(used_pieces([one.ids for one in encoded]), full.tokenizer.special)
    unseen_rows = np.setdiff1d(np.arange(len(before)), seen)
    assert (after[1][unseen_rows] == before[unseen_rows]).all()
    assert (after[1] != before).any()


def test_a_piece_outside_the_trimmed_vocabulary_is_refused_in_training(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, CLASSIFY, words=np.array([5, 6, 7]))
    with pytest.raises(ModelError, match="not in the vocabulary"):
        stepped(backbone, [batch_of(backbone, encoded_for(backbone))])


def test_frozen_embeddings_stay(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, replace(CLASSIFY, freeze_embeddings=True))
    before = backbone._network.model.get_input_embeddings().weight.clone()
    stepped(backbone, [batch_of(backbone, encoded_for(backbone))])
    assert (backbone._network.model.get_input_embeddings().weight == before).all()
    assert not any("word_embeddings" in name for name in weights_of(backbone))


def test_a_restored_state_goes_on_bit_for_bit(tiny_bert: Path) -> None:
    settings = replace(CLASSIFY, dropout=0.2)
    backbone = loaded(tiny_bert, settings)
    encoded = encoded_for(backbone)
    batches = [batch_of(backbone, encoded)]
    for _ in range(3):
        stepped(backbone, batches)
    state = backbone.state()
    following = [stepped(backbone, batches) for _ in range(3)]
    ended = weights_of(backbone)
    for other in (backbone, loaded(tiny_bert, settings)):
        other.restore(state)
        assert [stepped(other, batches) for _ in range(3)] == following
        assert all((array == ended[name]).all() for name, array in weights_of(other).items())


def test_randomness_outside_does_not_matter_and_is_not_touched(tiny_bert: Path) -> None:
    settings = replace(CLASSIFY, dropout=0.2)
    losses = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        backbone = loaded(tiny_bert, settings)
        batches = [batch_of(backbone, encoded_for(backbone))]
        before = torch.get_rng_state()
        losses.append([stepped(backbone, batches) for _ in range(3)])
        assert (torch.get_rng_state() == before).all()
    assert losses[0] == losses[1]
    other = loaded(tiny_bert, replace(settings, seed=1))
    assert stepped(other, [batch_of(other, encoded_for(other))]) != losses[0][0]


def test_a_state_of_another_model_is_refused(tiny_bert: Path) -> None:
    state = loaded(tiny_bert, CLASSIFY).state()
    with pytest.raises(ModelError, match="belongs to another model"):
        loaded(tiny_bert, TAG).restore(state)


def test_a_step_that_is_not_finite_changes_nothing(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, CLASSIFY)
    batch = batch_of(backbone, encoded_for(backbone))
    before = weights_of(backbone)
    assert np.isnan(backbone.train_step([batch], dict.fromkeys(backbone.groups, 1e-3), 0))
    assert all((array == before[name]).all() for name, array in weights_of(backbone).items())
    assert np.isfinite(stepped(backbone, [batch]))


def test_a_long_gradient_is_scaled_down_to_its_greatest_norm(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = {}
    for clip in (1e9, 0.01):
        backbone = loaded(tiny_bert, CLASSIFY, Recipe(clip=clip))
        seen: list[torch.Tensor] = []

        def taken(kept: list[torch.Tensor] = seen, one: TorchBackbone = backbone) -> None:
            kept += [
                parameter.grad.flatten().clone()
                for group in one._learner.optimizer.param_groups
                for parameter in group["params"]
            ]

        monkeypatch.setattr(backbone._learner.optimizer, "step", taken)
        stepped(backbone, [batch_of(backbone, encoded_for(backbone))])
        norms[clip] = torch.cat(seen)
    assert norms[0.01].norm().item() == pytest.approx(0.01, rel=1e-5)
    assert torch.allclose(norms[0.01], norms[1e9] * (0.01 / norms[1e9].norm()), atol=1e-8)


def test_rates_are_by_group_from_input_to_output(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, CLASSIFY)
    assert backbone.groups == ("embeddings", "layer.0", "layer.1", "head")
    before = weights_of(backbone)
    rates = {"embeddings": 0.0, "layer.0": 0.0, "layer.1": 1e-3, "head": 1e-3}
    batch = batch_of(backbone, encoded_for(backbone))
    backbone.train_step([batch], rates, 4)
    moved = {name for name, array in weights_of(backbone).items() if (array != before[name]).any()}
    assert {name.partition(".layer.")[2][0] for name in moved if ".layer." in name} == {"1"}
    assert not any("embeddings" in name for name in moved)


def test_weight_decay_spares_biases_norms_and_words(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, CLASSIFY)
    names = {id(parameter): name for name, parameter in backbone._network.named_parameters()}
    decayed = {
        names[id(parameter)]
        for group in backbone._learner.optimizer.param_groups
        for parameter in group["params"]
        if group["weight_decay"]
    }
    assert decayed
    assert all(name.endswith(".weight") and "LayerNorm" not in name and "embeddings" not in name for name in decayed)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "settings",
    [CLASSIFY, TAG, replace(CLASSIFY, pooling="mean"), replace(CLASSIFY, multiple=True)],
    ids=["classify", "tag", "mean", "multiple"],
)
def test_saved_and_loaded_it_predicts_the_same(
    family: str, settings: ModelSettings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    backbone = loaded(request.getfixturevalue(family), settings, words=np.arange(5, 250) % 100)
    encoded = encoded_for(backbone)
    if not settings.multiple:
        seen = replace(settings, name=str(request.getfixturevalue(family)))
        backbone = load_backbone(seen, Recipe(), load_tokenizer(seen), used_pieces([one.ids for one in encoded]))
        stepped(backbone, [batch_of(backbone, encoded)], 1e-2)
    backbone.save(tmp_path / "model")
    again = saved_backbone(tmp_path / "model", "cpu")
    assert again.settings == replace(backbone.settings, name=again.settings.name)
    for before, after in zip(logits_of(backbone, encoded), logits_of(again, encoded_for(again)), strict=True):
        assert (before == after).all()
    kinds = {file.suffix for file in (tmp_path / "model").iterdir()}
    assert kinds <= {".json", ".safetensors", ".txt", ".jinja"}


@pytest.mark.parametrize(("family", "pooling"), [("tiny_bert", "first"), ("tiny_llama", "last"), ("tiny_gpt2", "last")])
def test_plain_transformers_loads_the_classifier(
    family: str, pooling: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    backbone = loaded(request.getfixturevalue(family), replace(CLASSIFY, pooling=pooling))  # type: ignore[arg-type]
    encoded = encoded_for(backbone)
    stepped(backbone, [batch_of(backbone, encoded)], 1e-2)
    backbone.save(tmp_path / "model")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tuple(plain.config.id2label.values()) == LABELS.names
    for text, ours in zip(TEXTS, logits_of(backbone, encoded), strict=True):
        inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        with torch.inference_mode():
            assert np.abs(plain(**inputs).logits[0].numpy() - ours).max() <= 1e-5


def test_plain_transformers_loads_the_tagger(tiny_bert: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    backbone = loaded(tiny_bert, TAG)
    backbone.save(tmp_path / "model")
    plain = AutoModelForTokenClassification.from_pretrained(tmp_path / "model").eval()
    inputs = AutoTokenizer.from_pretrained(tmp_path / "model")(TEXTS[0], return_tensors="pt")
    with torch.inference_mode():
        theirs = plain(**inputs).logits[0].numpy()
    assert np.abs(theirs - logits_of(backbone, encoded_for(backbone))[0]).max() <= 1e-5


def test_a_head_is_kept_only_for_the_same_labels_in_the_same_order(tiny_bert: Path, tmp_path: Path) -> None:
    backbone = loaded(tiny_bert, replace(CLASSIFY, pooling="first"))
    backbone.save(tmp_path / "model")
    encoded = encoded_for(backbone)
    kept = loaded(tmp_path / "model", replace(CLASSIFY, pooling="first", seed=9))
    turned = loaded(tmp_path / "model", replace(CLASSIFY, pooling="first", seed=9, labels=LABELS.names[::-1]))
    assert (logits_of(kept, encoded)[0] == logits_of(backbone, encoded)[0]).all()
    learnt, drawn = logits_of(backbone, encoded)[0], logits_of(turned, encoded)[0]
    assert np.abs(drawn - learnt).max() > 1e-3
    assert np.abs(drawn[::-1] - learnt).max() > 1e-3


def test_missing_pretrained_weights_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.numpy import load_file, save_file

    shutil.copytree(tiny_bert, tmp_path / "cut")
    weights = load_file(tmp_path / "cut" / "model.safetensors")
    weights.pop("encoder.layer.1.output.dense.weight")
    save_file(weights, tmp_path / "cut" / "model.safetensors", metadata={"format": "pt"})
    for settings in (CLASSIFY, TAG):
        with pytest.raises(ModelError, match=r"1 pretrained weights are missing .*encoder\.layer\.1\.output"):
            loaded(tmp_path / "cut", settings)


def test_an_encoder_decoder_is_refused_with_what_is_expected(tmp_path: Path, tiny_bert: Path) -> None:
    from transformers import T5Config

    T5Config(d_model=8, num_layers=1, num_heads=1, d_ff=8, vocab_size=10).save_pretrained(tmp_path)
    tokenizer = load_tokenizer(replace(CLASSIFY, name=str(tiny_bert)))
    with pytest.raises(ModelError, match="expected an encoder"):
        load_backbone(replace(CLASSIFY, name=str(tmp_path)), Recipe(), tokenizer)


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_means_over_pieces_without_padding(family: str, request: pytest.FixtureRequest) -> None:
    backbone = loaded(request.getfixturevalue(family), CLASSIFY)
    encoded = encoded_for(backbone)
    means, pieces = features_of(backbone, encoded), piece_features_of(backbone, encoded)
    assert means.shape == (4, 32)
    for place, one in enumerate(encoded):
        assert pieces[place].shape == (len(one.ids), 32)
        assert np.abs(means[place] - pieces[place].mean(axis=0)).max() <= 1e-6


def test_dropout_of_the_settings_is_everywhere_in_the_model(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, replace(CLASSIFY, dropout=0.25))
    rates = {module.p for module in backbone._network.modules() if type(module).__name__ == "BitDropout"}
    assert rates == {0.25}


def test_an_unknown_device_is_a_clear_error(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.device: 'gpu' cannot be used here"):
        loaded(tiny_bert, replace(CLASSIFY, device="gpu"))
