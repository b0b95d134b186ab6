"""LoRA, IA3, prompts and prefixes: every head learns beside a frozen model, ships, says the same, resumes exactly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from truetune.backbones.base import Lora, ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.backbones.torch_optimizer import trained
from truetune.backbones.torch_pieces import FILE
from truetune.backbones.torch_prefix import prefixed
from truetune.backbones.torch_prompt import Prompt
from truetune.backbones.torch_writing import written_ids
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.files import read_json, write_json
from truetune.tasks.answer_encoding import encode_answers
from truetune.tasks.base import Labels, Lengths, Scale
from truetune.tasks.choice_encoding import encode_choices
from truetune.tasks.classify_encoding import encode as encode_texts
from truetune.tasks.joint_encoding import encode as encode_joint
from truetune.tasks.nested_encoding import encode as encode_nested
from truetune.tasks.number_encoding import encode_numbers
from truetune.tasks.retrieval_encoding import encode_pairs
from truetune.tasks.tag_encoding import encode as encode_tags
from truetune.tasks.tag_encoding import tag_labels
from truetune.tasks.text_encoding import source_encoder
from truetune.types import Batch, Span, Writing

TEXTS = ["Anna visited Paris", "A dull film", "What a lovely and brilliant story: warm, funny, great.", "bad"]
LABELS = Labels(("bad", "good", "place"))
SPANS = {"spans": [[Span(0, 4, "person")], [], [Span(5, 6, "person")], []]}
TAGS = tag_labels(SPANS)
NAMES = {"label": ["place", "bad", "good", "bad"]}
JOINT = Labels(LABELS.names, tags=TAGS.names)
CHOICES = [("Paris", "Berlin"), ("a dull film", "great", "x"), ("bad", "warm"), ("Bob", "Anna")]
ANSWERS: dict[str, Any] = {"answers": [("Paris",), (), ("lovely",), ("bad",)]}
WRITING = Labels((), writing=Writing("{source} =", pieces=8))
HEADS: Mapping[str, tuple[Labels, Callable[..., Any], list[Any], Mapping[str, Any]]] = {
    "classify": (LABELS, encode_texts, [TEXTS], NAMES),
    "tag": (TAGS, encode_tags, [TEXTS], SPANS),
    "regress": (Labels(("value",), scale=Scale(2.0, 1.0)), encode_numbers, [TEXTS], {"value": [3.0, 1.0, 5.0, 2.0]}),
    "span": (Labels(("start", "end"), longest=20), encode_answers, [TEXTS, ["great plot"] * 4], ANSWERS),
    "joint": (JOINT, encode_joint, [TEXTS], {**NAMES, **SPANS}),
    "nested": (Labels(("person",)), encode_nested, [TEXTS], SPANS),
    "choose": (
        Labels(("1", "2", "3")),
        encode_choices,
        [CHOICES, TEXTS, ["Where?"] * 4],
        {"choice": [one[0] for one in CHOICES]},
    ),
    "embed": (Labels(()), encode_pairs, [TEXTS], {"documents": [("great plot",), ("dull",), ("warm",), ("x",)]}),
    "generate": (
        WRITING,
        source_encoder("beginning"),
        [TEXTS],
        {"references": [("bad",), ("good",), ("warm",), ("x",)]},
    ),
}
"""Head -> labels, how it is encoded, inputs, gold."""
METHODS: Mapping[str, dict[str, Any]] = {
    "lora": {"lora": Lora(2, 4.0)},
    "ia3": {"ia3": True},
    "prompt": {"prompt_pieces": 3},
    "prefix": {"prefix_pieces": 3},
}
FAMILIES = {"tiny_bert": list(HEADS)[:-1], "tiny_gpt2": ["classify", "tag", "choose", "embed", "generate"]}
FAMILIES |= {"tiny_llama": ["regress"], "tiny_writing_llama": ["generate"], "tiny_t5": ["generate"]}


@pytest.fixture(scope="module")
def tiny_writing_llama(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama whose output layer is its word embeddings, so that none is missing."""
    folder = tmp_path_factory.mktemp("writing") / "llama"
    shutil.copytree(tiny_llama, folder)
    write_json(folder / "config.json", {**read_json(folder / "config.json"), "tie_word_embeddings": True})
    return folder


def loaded(folder: Path, head: str, recipe: Recipe | None = None, **more: Any) -> TorchBackbone:
    labels = HEADS[head][0]
    fixed: dict[str, Any] = {"dropout": 0.0, "precision": "float32", "device": "cpu"}
    settings = ModelSettings(str(folder), head, labels.names, labels.tags, **{**fixed, **more})  # type: ignore[arg-type]
    return load_backbone(settings, recipe or Recipe(), load_tokenizer(settings))


def batch_of(backbone: TorchBackbone) -> Batch:
    labels, encode, columns, gold = HEADS[backbone.settings.head]
    inputs = encode(columns, gold, labels, backbone.tokenizer, Lengths(backbone.tokenizer.max_length)).inputs
    return padded(inputs, np.arange(len(inputs)), backbone.tokenizer.pad)


def stepped(backbone: TorchBackbone, number: int = 1) -> list[float]:
    batch = batch_of(backbone)
    rates = dict.fromkeys(backbone.groups, 1e-2)
    return [backbone.train_step([batch], rates, target_number(batch)) for _ in range(number)]


def said(backbone: TorchBackbone) -> Any:
    batch = batch_of(backbone)
    found = backbone.predict(batch)
    return found[batch.mask] if backbone.settings.head in ("tag", "joint", "nested", "span") else found


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("family", "head"), [(family, head) for family, heads in FAMILIES.items() for head in heads])
def test_it_begins_at_the_pretrained_model_learns_and_ships(
    family: str, head: str, method: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(family)
    plain, beside = loaded(folder, head), loaded(folder, head, **METHODS[method])
    assert np.abs(said(beside) - said(plain)).max() <= 1e-6
    frozen = {name: one.detach().clone() for name, one in beside._network.named_parameters() if not one.requires_grad}
    assert sum(map(torch.numel, frozen.values())) > sum(map(np.size, beside.state(optimizer=False).arrays.values()))
    losses = stepped(beside, 5)
    assert losses[-1] < losses[0]
    now = dict(beside._network.named_parameters())
    assert all(torch.equal(now[name], one) for name, one in frozen.items())
    own = beside.state().arrays
    beside.save(tmp_path / "model")
    assert same(own, beside.state().arrays), "saving leaves the model that is trained as it was"
    shipped = saved_backbone(tmp_path / "model", "cpu")
    assert (shipped.settings.lora, shipped.settings.ia3) == (None, False), "what can be merged is"
    assert not any("lora_" in name or "ia3_" in name for name, _ in shipped._network.named_parameters())
    assert np.abs(said(beside) - said(shipped)).max() <= 1e-5
    assert np.abs(said(beside) - said(plain)).max() > 1e-4
    assert (tmp_path / "model" / FILE).is_file() == (method in ("prompt", "prefix"))
    if head == "generate":
        writing = Writing("{source} =", pieces=6)
        prompts = source_encoder("beginning")([TEXTS], None, HEADS[head][0], beside.tokenizer, Lengths(40)).inputs
        batch = padded(prompts, np.arange(len(TEXTS)), beside.tokenizer.pad)
        for beams in (1, 2):
            asked = replace(writing, beams=beams)
            assert beside.write(batch, asked) == shipped.write(batch, asked)


@pytest.mark.parametrize("method", ["prompt", "prefix"])
@pytest.mark.parametrize("family", ["tiny_gpt2", "tiny_writing_llama", "tiny_t5"])
def test_a_text_is_written_as_it_is_scored(family: str, method: str, request: pytest.FixtureRequest) -> None:
    backbone = loaded(request.getfixturevalue(family), "generate", **METHODS[method])
    stepped(backbone, 3)
    labels, encode, _, _ = HEADS["generate"]
    prompts = encode([TEXTS], None, labels, backbone.tokenizer, Lengths(40)).inputs
    batch = padded(prompts, np.arange(len(TEXTS)), backbone.tokenizer.pad)
    written = written_ids(backbone._network, batch, Writing("{source} =", pieces=3), backbone.tokenizer)
    # The most probable piece each time: what training sees of these answers has it, too.
    for prompt, ids in zip(prompts, written, strict=True):
        both, segments = np.concatenate([prompt.ids, ids]), np.repeat([0, 1], [len(prompt.ids), len(ids)])
        answer = replace(prompt, ids=both, segments=segments, target=both)
        alone = padded([answer], np.arange(1), backbone.tokenizer.pad)
        scores = backbone.predict(alone)
        if backbone.tokenizer.two_sided:
            scores[:, backbone.tokenizer.pad] = -np.inf  # which is never written
        assert scores.argmax(axis=1).tolist() == ids.tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["tiny_bert", "tiny_llama"])
def test_a_restored_state_goes_on_bit_for_bit(family: str, method: str, request: pytest.FixtureRequest) -> None:
    folder, recipe = request.getfixturevalue(family), Recipe(ema=0.9, r_drop=1.0)
    backbone = loaded(folder, "classify", recipe, **{**METHODS[method], "dropout": 0.2})
    stepped(backbone, 2)
    state = backbone.state()
    following, ended = stepped(backbone, 2), backbone.state().arrays
    other = loaded(folder, "classify", recipe, **{**METHODS[method], "dropout": 0.2})
    other.restore(state)
    assert stepped(other, 2) == following
    assert same(other.state().arrays, ended)


@pytest.mark.parametrize("method", METHODS)
def test_where_each_stands_among_the_groups_and_that_only_matrices_decay(tiny_bert: Path, method: str) -> None:
    backbone = loaded(tiny_bert, "classify", **METHODS[method])
    own = {"prompt": ("embeddings", "head")}.get(method, ("layer.0", "layer.1", "head"))
    assert backbone.groups == own
    names = {id(one): name for name, one in trained(backbone._network).items()}
    decaying = [
        names[id(one)]
        for group in backbone._learner.optimizer.param_groups
        for one in group["params"]
        if group["weight_decay"]
    ]
    assert [name for name in decaying if "own" not in name] == (
        [name for name in names.values() if "lora_" in name] if method == "lora" else []
    )


def test_a_prompt_stands_behind_the_first_piece_of_an_encoder_and_is_cut_out_again() -> None:
    words = torch.nn.Embedding.from_pretrained(torch.tensor([[0.0], [1.0], [2.0], [3.0]]))
    prompt = Prompt(torch.nn.Parameter(torch.tensor([[7.0], [8.0]])), 1)
    inputs = {"input_ids": torch.tensor([[1, 2, 3], [1, 3, 0]]), "token_type_ids": torch.tensor([[0, 1, 1], [0, 1, 0]])}
    inputs["attention_mask"] = torch.tensor([[1, 1, 1], [1, 1, 0]])
    found = prompt.inputs(words, inputs)
    assert found["inputs_embeds"][..., 0].tolist() == [[1, 7, 8, 2, 3], [1, 7, 8, 3, 0]]
    assert found["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
    assert found["token_type_ids"].tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 1, 0]]
    assert prompt.cut(found["inputs_embeds"])[..., 0].tolist() == [[1, 2, 3], [1, 3, 0]]


def test_attention_to_a_prefix_by_hand() -> None:
    module: Any = torch.nn.Module()
    module.prefix_key = torch.nn.Parameter(torch.tensor([[[1.0]]]))
    module.prefix_value = torch.nn.Parameter(torch.tensor([[[10.0]]]))
    module.prefix_begun = type("On", (), {"on": True})()
    query = torch.tensor([[[[0.0], [1.0]]]])
    key, value = torch.tensor([[[[2.0], [3.0]]]]), torch.tensor([[[[20.0], [30.0]]]])
    mask = torch.tensor([[[[0.0, -1e9], [0.0, 0.0]]]])  # causal
    found, _ = prefixed(module, query, key, value, mask, {"scaling": 1.0})
    of_one, of_two, of_three = np.exp([1.0, 2.0, 3.0])
    last = (10 * of_one + 20 * of_two + 30 * of_three) / (of_one + of_two + of_three)
    assert found.flatten().tolist() == pytest.approx([15.0, last])
    module.prefix_begun.on = False
    assert prefixed(module, query, key, value, mask, {"scaling": 1.0})[0].flatten()[0].item() == 20.0


def test_prefix_pieces_begin_as_the_keys_of_a_text(tiny_bert: Path) -> None:
    backbone = loaded(tiny_bert, "classify", prefix_pieces=5)
    module: Any = backbone._network.model.encoder.layer[1].attention.self
    assert module.prefix_key.shape == module.prefix_value.shape == (4, 5, 8)
    assert module.prefix_key.abs().max() > 1e-3


@pytest.mark.parametrize("pieces", ["prompt", "prefix"])
def test_a_model_with_pieces_of_its_own_is_not_begun_with(tiny_bert: Path, tmp_path: Path, pieces: str) -> None:
    backbone = loaded(tiny_bert, "classify", **METHODS[pieces])
    stepped(backbone)
    backbone.save(tmp_path / "model")
    with pytest.raises(ModelError, match=r"answers with pieces that it learnt .*name the model that it was made of"):
        loaded(tmp_path / "model", "classify")
    (tmp_path / "model" / FILE).unlink()
    with pytest.raises(ModelError, match=rf"{FILE}: is not there, but the model reads a {pieces} of 3 pieces"):
        saved_backbone(tmp_path / "model", "cpu")


def test_pieces_of_another_number_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    backbone = loaded(tiny_bert, "classify", prompt_pieces=3)
    backbone.save(tmp_path / "model")
    for stored in ({"prompt": torch.zeros(2, 32)}, {"other": torch.zeros(3, 32)}):
        save_file(stored, tmp_path / "model" / FILE)
        with pytest.raises(ModelError, match="does not hold a prompt of 3 pieces"):
            saved_backbone(tmp_path / "model", "cpu")


def test_a_prompt_takes_room_from_texts(tiny_bert: Path) -> None:
    assert loaded(tiny_bert, "classify", prompt_pieces=4).tokenizer.max_length == 60
    with pytest.raises(ModelError, match="leaves no room for texts; the model reads 64 pieces"):
        loaded(tiny_bert, "classify", prompt_pieces=64)


def test_a_model_that_peft_does_not_know_is_told(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peft.utils.constants.TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING", {"gpt2": ["c_attn"]})
    with pytest.raises(ModelError, match=r"recipe.ia3: keys and values of bert are not known to peft \(gpt2\)"):
        loaded(tiny_bert, "classify", ia3=True)


def test_an_attention_that_cannot_be_replaced_is_told(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.backbones.torch_prefix.UNKNOWN", ("scaling",))
    with pytest.raises(ModelError, match="the attention of bert takes no prefix"):
        loaded(tiny_bert, "classify", prefix_pieces=2)


def test_a_model_that_scales_what_it_looks_up_is_told(tiny_t5: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.backbones.torch_pieces.reads_vectors", lambda network: False)
    with pytest.raises(ModelError, match="t5 does not read vectors in the place of pieces"):
        loaded(tiny_t5, "generate", prompt_pieces=2)


def test_a_merged_factor_scales_rows_and_bias(tiny_bert: Path, tmp_path: Path) -> None:
    from transformers import AutoModel

    backbone = loaded(tiny_bert, "classify", ia3=True)
    stepped(backbone, 3)
    backbone.save(tmp_path / "model")
    before, after = AutoModel.from_pretrained(tiny_bert), AutoModel.from_pretrained(tmp_path / "model")
    arrays = backbone.state(optimizer=False).arrays
    value, inner = "encoder.layer.1.attention.self.value", "encoder.layer.1.output.dense"
    factors = {name: arrays[f"weight/model.{name}.ia3_l.lora"] for name in (value, inner)}
    assert factors[value].shape == (32, 1)
    assert factors[inner].shape == (1, 64)
    for name, factor in factors.items():
        expected = before.get_submodule(name).weight.detach().numpy() * factor
        assert np.abs(after.get_submodule(name).weight.detach().numpy() - expected).max() <= 1e-6
    bias = before.get_submodule(value).bias.detach().numpy() * factors[value][:, 0]
    assert np.abs(after.get_submodule(value).bias.detach().numpy() - bias).max() <= 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_the_output_layer_of_a_model_that_writes_stays_as_it_is(
    tmp_path: Path, tiny_writing_llama: Path, method: str
) -> None:
    from transformers import AutoConfig, AutoTokenizer, LlamaForCausalLM

    config = AutoConfig.from_pretrained(tiny_writing_llama, tie_word_embeddings=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_writing_llama).save_pretrained(tmp_path)
    backbone = loaded(tmp_path, "generate", **METHODS[method])
    own = {"lora": "lora_", "ia3": "ia3_", "prompt": "prompt", "prefix": "prefix_"}[method]
    assert all(own in name for name in trained(backbone._network))
    before = backbone._network.model.lm_head.weight.detach().clone()
    stepped(backbone, 2)
    assert torch.equal(backbone._network.model.lm_head.weight, before)
