"""The TensorFlow backbone beside PyTorch's: the same outputs, losses, gradients and steps of the same weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

if importlib.util.find_spec("tensorflow") is None or importlib.util.find_spec("keras") is None:
    pytest.skip("TensorFlow is not installed: pip install 'truetune[tensorflow]'", allow_module_level=True)

from truetune.backbones import tensorflow, torch
from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import features_of, logits_of
from truetune.backbones.pretrained import load_tokenizer
from truetune.backbones.tf_backbone import TensorFlowBackbone
from truetune.backbones.tf_start import tf
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from truetune.types import HEAD_MARK, IGNORED, TAIL_MARK, Batch, Encoded, Floats, Ints, Writing

CLASSIFY = ModelSettings("", "classify", ("bad", "good", "place"), dropout=0.0, precision="float32", device="cpu")
SEVERAL = replace(CLASSIFY, multiple=True)
REGRESS = replace(CLASSIFY, head="regress", labels=("value",))
TAG = replace(CLASSIFY, head="tag")
SPAN = replace(CLASSIFY, head="span", labels=("first", "last"))
GENERATE = replace(CLASSIFY, head="generate", labels=())
MARKED = replace(CLASSIFY, pooling="marked")
ENCODERS = {"classify": CLASSIFY, "several": SEVERAL, "regress": REGRESS, "tag": TAG, "span": SPAN, "marked": MARKED}
EVERY = [pytest.param("tiny_bert", settings, id=name) for name, settings in ENCODERS.items()]
EVERY += [pytest.param("tiny_gpt2", GENERATE, id="generate"), pytest.param("tiny_roberta", TAG, id="roberta")]
EVERY += [pytest.param("tiny_roberta", MARKED, id="marked-roberta")]
LENGTHS = (5, 9, 12, 3)

GRAPHS = ("[classify]", "[generate]", "goes_on_exactly", "[plain]")
"""Tests whose functions are built into graphs, as in use; building takes a second or two each."""


@pytest.fixture(autouse=True)
def eagerly(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the functions of all other tests line by line."""
    tf.config.run_functions_eagerly(not any(part in request.node.name for part in GRAPHS))
    yield
    tf.config.run_functions_eagerly(False)


Both = tuple[TorchBackbone, TensorFlowBackbone]


def both(folder: Path, settings: ModelSettings, recipe: Recipe | None = None, words: Ints | None = None) -> Both:
    """Load both with the same weights, the head's too: what PyTorch draws is saved, and TensorFlow reads it."""
    settings, recipe = replace(settings, name=str(folder)), recipe or Recipe()
    one = torch.load_backbone(settings, recipe, load_tokenizer(settings), words)
    other = tensorflow.load_backbone(settings, recipe, load_tokenizer(settings), words)
    head = {name.rpartition(".")[2]: array for name, array in trained(one).items() if group(name) == "head"}
    for name, weight in other._network.weights().items():
        if name.startswith("head/"):
            weight.fill(name, head[name.rpartition(".")[2]])
    return one, other


def group(name: str) -> str:
    return "head" if any(part in name for part in ("own.", "classifier.", "qa_outputs.")) else "body"


def trained(backbone: TorchBackbone) -> dict[str, npt.NDArray[Any]]:
    return {name.removeprefix("weight/"): array for name, array in backbone.state(optimizer=False).arrays.items()}


def batch_for(backbone: TorchBackbone | TensorFlowBackbone, lengths: Sequence[int] = LENGTHS) -> Batch:
    encoded = encoded_for(backbone, lengths)
    return padded(encoded, np.arange(len(encoded)), backbone.tokenizer.pad)


def encoded_for(backbone: TorchBackbone | TensorFlowBackbone, lengths: Sequence[int] = LENGTHS) -> list[Encoded]:
    """Return inputs of random pieces with targets of the head; the second half of each stands in segment 1."""
    rng, settings = np.random.default_rng(0), backbone.settings
    found = []
    for place, length in enumerate(lengths):
        ids = rng.integers(5, 60, length)
        segments = (np.arange(length) >= length // 2).astype(np.int64)
        if settings.pooling == "marked":
            segments = np.zeros(length, dtype=np.int64)
            segments[[1, -1]] = TAIL_MARK, HEAD_MARK
        target: npt.NDArray[Any] = np.array(place % max(len(settings.labels), 1))
        if settings.multiple:
            target = rng.integers(0, 2, len(settings.labels)).astype(np.float64)
        elif settings.head == "regress":
            target = rng.normal(size=1)
        elif settings.head == "span":
            target = np.array([1.0, length - 2.0])
        elif settings.head == "tag":
            target = rng.integers(0, len(settings.labels), length)
            target[0] = IGNORED
        elif settings.head == "generate":
            target = np.where(segments == 1, ids, IGNORED)
        found.append(Encoded(place, ids, segments, target, np.zeros(length), np.zeros(length)))
    return found


def torch_gradients(backbone: TorchBackbone, batches: Sequence[Batch], targets: int) -> dict[str, float]:
    """Return the norm of each trained weight's gradient."""
    learner = backbone._learner
    learner._network.train()
    learner.backward(batches, targets)
    norms = {
        name: float(one.grad.norm())
        for name, one in learner._network.named_parameters()
        if one.requires_grad and one.grad is not None
    }
    learner._clear_gradients()
    learner._network.eval()
    return norms


def short(name: str) -> str:
    """Return what both call a weight, whatever stands before it."""
    for begin in ("model.bert.", "model.roberta.", "model.transformer.", "model.", "own.", "head/"):
        name = name.removeprefix(begin)
    return name.replace("word_embeddings.rows", "word_embeddings.weight")


@pytest.mark.parametrize(("family", "settings"), EVERY)
def test_outputs_are_those_of_pytorch(family: str, settings: ModelSettings, request: pytest.FixtureRequest) -> None:
    one, other = both(request.getfixturevalue(family), settings)
    batch = batch_for(one)
    expected, found = one.predict(batch), other.predict(batch)
    assert found.shape == expected.shape
    if settings.head in ("tag", "span"):  # what is told of padding is never read
        expected, found = expected[batch.mask], found[batch.mask]
    assert np.abs(found - expected).max() <= 1e-5
    assert np.abs(expected).max() > 1e-3
    assert np.abs(other.features(batch) - one.features(batch)).max() <= 1e-5


@pytest.mark.parametrize(("family", "settings"), EVERY)
def test_losses_and_gradients_are_those_of_pytorch(
    family: str, settings: ModelSettings, request: pytest.FixtureRequest
) -> None:
    one, other = both(request.getfixturevalue(family), settings)
    batches = [batch_for(one, LENGTHS[:3]), batch_for(one, LENGTHS[3:])]
    targets = sum(map(target_number, batches))
    expected = {short(name): norm for name, norm in torch_gradients(one, batches, targets).items()}
    loss, gradients = other._learner.gradients(batches, targets)
    found = {short(name): float(np.linalg.norm(array)) for name, array in zip(other._weights, gradients, strict=True)}
    assert set(expected) <= set(found)
    assert not any(found[name] for name in found.keys() - expected.keys())
    for name, norm in expected.items():
        assert found[name] == pytest.approx(norm, rel=1e-3, abs=1e-6), name
    rates = dict.fromkeys(one.groups, 0.0)
    assert loss == pytest.approx(one.train_step(batches, rates, targets), abs=1e-5)
    assert other.groups == one.groups
    assert loss > 0


RECIPES = {
    "plain": Recipe(weight_decay=0.1),
    "clipped": Recipe(clip=0.01),
    "smoothed": Recipe(label_smoothing=0.2),
    "weighted": Recipe(class_weights=(0.5, 2.0, 1.0), label_smoothing=0.1, focal_gamma=2.0),
}


@pytest.mark.parametrize("name", RECIPES)
def test_steps_go_where_those_of_pytorch_go(name: str, tiny_bert: Path) -> None:
    one, other = both(tiny_bert, CLASSIFY, RECIPES[name])
    batch = batch_for(one)
    rates = {group: 1e-3 * (place + 1) for place, group in enumerate(one.groups)}
    losses = [
        [backbone.train_step([batch], rates, target_number(batch)) for _ in range(5)] for backbone in (one, other)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=2e-3)
    assert losses[0][4] < losses[0][0]
    expected, found = ({short(key): array for key, array in weights.items()} for weights in (trained(one), own(other)))
    for key, array in expected.items():
        # AdamW's first steps are rate * sign(gradient): where the gradient is rounding noise the sign may differ.
        assert np.quantile(np.abs(found[key] - array), 0.95) <= 1e-4, key


def own(backbone: TensorFlowBackbone) -> dict[str, npt.NDArray[Any]]:
    return {
        name.removeprefix("weight/"): backbone._weights[name.removeprefix("weight/")].stored()
        if backbone._weights[name.removeprefix("weight/")].table is None
        else array
        for name, array in backbone.state(optimizer=False).arrays.items()
    }


def test_several_labels_and_their_weights_are_learnt_as_by_pytorch(tiny_bert: Path) -> None:
    recipe = Recipe(class_weights=(1.0, 2.0, 0.5, 3.0, 1.0, 1.5), label_smoothing=0.1, focal_gamma=1.5)
    one, other = both(tiny_bert, SEVERAL, recipe)
    batch = batch_for(one)
    rates = dict.fromkeys(one.groups, 1e-3)
    losses = [
        [backbone.train_step([batch], rates, target_number(batch)) for _ in range(3)] for backbone in (one, other)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)


@pytest.mark.parametrize(("family", "settings"), EVERY)
def test_each_reads_what_the_other_saves(
    family: str, settings: ModelSettings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    one, other = both(request.getfixturevalue(family), settings)
    batch = batch_for(one)
    rates = dict.fromkeys(one.groups, 1e-3)
    for backbone, name in ((one, "torch"), (other, "tensorflow")):
        backbone.train_step([batch], rates, target_number(batch))
        backbone.save(tmp_path / name)
    from_torch, from_tensorflow = (tensorflow.saved_backbone(tmp_path / name) for name in ("torch", "tensorflow"))
    back = torch.saved_backbone(tmp_path / "tensorflow", "cpu")
    assert np.array_equal(from_tensorflow.predict(batch), other.predict(batch))
    for found, expected in ((back, other), (from_torch, one)):
        real = batch.mask if settings.head in ("tag", "span") else ...
        assert np.abs(found.predict(batch)[real] - expected.predict(batch)[real]).max() <= 1e-5
    config = [(tmp_path / name / "config.json").read_text(encoding="utf-8") for name in ("torch", "tensorflow")]
    assert config[0] == config[1]


def test_only_the_rows_of_the_vocabulary_are_trained_and_all_are_saved(tiny_bert: Path, tmp_path: Path) -> None:
    one, other = both(tiny_bert, CLASSIFY, words=np.arange(5, 60))
    whole = both(tiny_bert, CLASSIFY)[1]
    batch = batch_for(one)
    rates = dict.fromkeys(one.groups, 1e-3)
    for backbone in (one, other, whole):
        backbone.train_step([batch], rates, target_number(batch))
    assert other.facts["trained_words"] == one.facts["trained_words"] < whole.facts["trained_words"]
    unseen = replace(batch, ids=batch.ids + 60)
    for asked in (batch, unseen):
        assert np.abs(other.predict(asked) - whole.predict(asked)).max() <= 1e-5
    other.save(tmp_path / "saved")
    assert np.abs(tensorflow.saved_backbone(tmp_path / "saved").predict(unseen) - other.predict(unseen)).max() <= 1e-6
    with pytest.raises(ModelError, match=r"not in the vocabulary"):
        other.train_step([unseen], rates, target_number(unseen))


@pytest.mark.parametrize("frozen", [{"freeze_layers": 1}, {"freeze_embeddings": True}], ids=lambda one: next(iter(one)))
def test_what_is_frozen_stays(frozen: Mapping[str, Any], tiny_bert: Path) -> None:
    one, other = both(tiny_bert, replace(CLASSIFY, **frozen))
    batch = batch_for(one)
    before = {name: weight.stored() for name, weight in other._network.weights().items()}
    other.train_step([batch], dict.fromkeys(one.groups, 1e-3), target_number(batch))
    assert other.groups == one.groups
    assert other.facts["trained_parameters"] == one.facts["trained_parameters"]
    assert other.work(100, 1000) == one.work(100, 1000)
    moved = {
        name for name, weight in other._network.weights().items() if not np.array_equal(weight.stored(), before[name])
    }
    assert moved == set(other._weights)


def test_texts_are_written_as_by_pytorch(tiny_gpt2: Path) -> None:
    one, other = both(tiny_gpt2, GENERATE)
    batch, writing = batch_for(one), Writing("", 9)
    expected = one.write(batch, writing)
    assert other.write(batch, writing) == expected
    assert {text.pieces for text in expected} == {9}
    drawn = replace(writing, temperature=1.0, top_p=0.9, seed=1)
    assert other.write(batch, drawn) == other.write(batch, drawn) != expected
    nearly_best = replace(drawn, top_p=1e-9)
    assert other.write(batch, nearly_best) == expected, "the likeliest piece alone is left to be drawn"
    alone, told = batch_for(one, LENGTHS[:1]), list[str]()
    (broken_off,) = other.write(alone, writing, lambda text: told.append(text) is None and len(told) < 4)
    assert broken_off.pieces == len(told) == 4
    assert expected[0].text.startswith(told[-1])
    with pytest.raises(ModelError, match=r"generate\.beams: 3"):
        other.write(batch, replace(writing, beams=3))


def test_dropout_is_a_function_of_seed_and_step(tiny_bert: Path) -> None:
    settings = replace(CLASSIFY, dropout=0.3)
    first, same = (both(tiny_bert, settings)[1] for _ in range(2))
    other = both(tiny_bert, replace(settings, seed=1))[1]
    batch = batch_for(first)
    rates = dict.fromkeys(first.groups, 0.0)
    losses = [[one.train_step([batch], rates, target_number(batch)) for _ in range(3)] for one in (first, same, other)]
    assert losses[0] == losses[1] != losses[2]
    assert len(set(losses[0])) == 3
    exact = both(tiny_bert, CLASSIFY)[1].train_step([batch], rates, target_number(batch))
    assert abs(np.mean(losses[0]) - exact) < 0.5


def test_a_state_goes_on_exactly(tiny_bert: Path, tmp_path: Path) -> None:
    settings = replace(CLASSIFY, dropout=0.1)
    straight, broken = (both(tiny_bert, settings)[1] for _ in range(2))
    batch = batch_for(straight)

    def stepped(one: TensorFlowBackbone) -> float:
        return one.train_step([batch], dict.fromkeys(one.groups, 1e-3), target_number(batch))

    for _ in range(2):
        assert stepped(straight) == stepped(broken)
    resumed = both(tiny_bert, settings)[1]
    write_checkpoint(tmp_path / "last.safetensors", Checkpoint(broken.state(), {}))
    resumed.restore(read_checkpoint(tmp_path / "last.safetensors").state)
    for _ in range(2):
        assert stepped(resumed) == stepped(straight)
    for name, array in resumed.state().arrays.items():
        assert np.array_equal(array, straight.state().arrays[name]), name
    torch_state = both(tiny_bert, settings)[0].state()
    with pytest.raises(ModelError, match="another framework"):
        resumed.restore(torch_state)


def test_a_step_that_is_not_finite_changes_nothing(tiny_bert: Path) -> None:
    one = both(tiny_bert, REGRESS)[1]
    batch = batch_for(one)
    endless = replace(batch, targets=np.full_like(batch.targets, np.inf))
    before = one.state(optimizer=False).arrays
    assert np.isnan(one.train_step([endless], dict.fromkeys(one.groups, 1e-3), 4))
    for name, array in one.state(optimizer=False).arrays.items():
        assert np.array_equal(array, before[name])


def test_batches_change_no_output(tiny_bert: Path) -> None:
    one = both(tiny_bert, TAG)[1]
    encoded = encoded_for(one)
    alone = [logits_of(one, [each])[0] for each in encoded]
    for found, expected in zip(logits_of(one, encoded), alone, strict=True):
        assert np.abs(found - expected).max() <= 1e-5
    assert features_of(one, encoded).shape == (len(encoded), 32)


def test_a_head_for_the_same_labels_is_kept_and_another_drawn_anew(tiny_bert: Path, tmp_path: Path) -> None:
    one = both(tiny_bert, TAG)[1]
    one.save(tmp_path / "tagger")
    batch = batch_for(one)
    tokenizer = load_tokenizer(replace(TAG, name=str(tmp_path / "tagger")))

    def again(labels: tuple[str, ...]) -> Floats:
        settings = replace(TAG, name=str(tmp_path / "tagger"), labels=labels, seed=5)
        return tensorflow.load_backbone(settings, Recipe(), tokenizer).predict(batch)

    assert np.array_equal(again(TAG.labels), one.predict(batch))
    assert not np.allclose(again(("good", "bad", "place")), one.predict(batch), atol=1e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gradient_checkpointing": True}, "model.gradient_checkpointing"),
        ({"precision": "bfloat16"}, "model.dtype: bfloat16"),
        ({"device": "cuda"}, "model.device: cuda"),
        ({"head": "embed"}, "'embed'"),
        ({"pooling": "first"}, "'first'"),
    ],
    ids=lambda one: str(one),
)
def test_settings_that_are_not_there_are_refused(change: Mapping[str, Any], said: str, tiny_bert: Path) -> None:
    settings = replace(CLASSIFY, name=str(tiny_bert))
    with pytest.raises(ModelError, match=said):
        tensorflow.load_backbone(replace(settings, **change), Recipe(), load_tokenizer(settings))


@pytest.mark.parametrize("name", ["r_drop", "fgm", "mixout", "ema"])
def test_recipes_that_are_not_there_are_refused(name: str, tiny_bert: Path) -> None:
    settings = replace(CLASSIFY, name=str(tiny_bert))
    with pytest.raises(ModelError, match=f"recipe.{name}"):
        tensorflow.load_backbone(settings, replace(Recipe(), **{name: 0.5}), load_tokenizer(settings))


@pytest.mark.parametrize(("family", "said"), [("tiny_llama", "is a llama"), ("tiny_gpt2", "only writes")])
def test_models_that_are_not_known_are_refused(family: str, said: str, request: pytest.FixtureRequest) -> None:
    settings = replace(CLASSIFY, name=str(request.getfixturevalue(family)))
    with pytest.raises(ModelError, match=said):
        tensorflow.load_backbone(settings, Recipe(), load_tokenizer(settings))


def test_weights_that_are_missing_or_of_another_shape_are_told(tiny_bert: Path, tmp_path: Path) -> None:
    import json
    import shutil

    from safetensors.numpy import load_file, save_file

    arrays = load_file(tiny_bert / "model.safetensors")
    folder = tmp_path / "forged"
    shutil.copytree(tiny_bert, folder)
    settings = replace(CLASSIFY, name=str(folder))
    name = "encoder.layer.1.output.dense.weight"
    save_file({key: one for key, one in arrays.items() if key != name}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"1 pretrained weights are missing \(encoder.layer.1.output.dense.weight"):
        tensorflow.load_backbone(settings, Recipe(), load_tokenizer(settings))
    shutil.copyfile(tiny_bert / "model.safetensors", folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 7}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"word_embeddings\.weight: has the shape"):
        tensorflow.load_backbone(settings, Recipe(), load_tokenizer(settings))
