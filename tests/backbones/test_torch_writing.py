"""Models that write: the loss is on the answer alone, against one worked out text by text; padding changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import texts_of
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.backbones.torch_writing import written_ids
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.text_encoding import source_encoder
from truetune.types import IGNORED, Encoded, Writing

WRITING = Writing("Say: {source} =", pieces=8)
LABELS = Labels((), writing=WRITING)
PAIRS = (["Anna", "Bob in Paris"], {"references": [("lovely",), ("a dull film", "bad")]})


def backbone_of(folder: Path) -> TorchBackbone:
    settings = ModelSettings(str(folder), "generate", (), dropout=0.0, precision="float32", device="cpu")
    return load_backbone(settings, Recipe(), load_tokenizer(settings))


def inputs_of(backbone: TorchBackbone, answered: bool = True) -> list[Encoded]:
    gold = PAIRS[1] if answered else None
    return source_encoder("beginning")([PAIRS[0]], gold, LABELS, backbone.tokenizer, Lengths(64)).inputs


def test_an_input_is_prompt_and_answer_with_its_end(tiny_gpt2: Path, tiny_t5: Path) -> None:
    for folder in (tiny_gpt2, tiny_t5):
        tokenizer = backbone_of(folder).tokenizer
        first, *others = inputs_of(backbone_of(folder))
        assert [one.example for one in others] == [1, 1], "each reference is an input"
        asked, answer = first.ids[first.segments == 0], first.ids[first.segments == 1]
        assert tokenizer.text(asked) == "Say: Anna ="
        assert tokenizer.text(answer) == "lovely"
        assert answer[-1] == tokenizer.end
        assert first.target.tolist() == [IGNORED] * len(asked) + answer.tolist()
        (unanswered, _) = inputs_of(backbone_of(folder), answered=False)
        assert unanswered.ids.tolist() == asked.tolist()


def test_the_loss_of_a_decoder_is_that_of_the_answer_given_what_stands_before(tiny_gpt2: Path) -> None:
    backbone = backbone_of(tiny_gpt2)
    inputs = inputs_of(backbone)
    expected = 0.0
    for one in inputs:
        with torch.inference_mode():
            logits = backbone._network.model(input_ids=torch.from_numpy(one.ids)[None]).logits[0].numpy()
        begin = int((one.segments == 0).sum())
        for place in range(begin, len(one.ids)):
            expected -= log_softmax(logits[place - 1].astype(np.float64))[one.ids[place]]
    batch = padded(inputs, np.arange(3), backbone.tokenizer.pad)
    targets = target_number(batch)
    assert targets == sum(int((one.segments == 1).sum()) for one in inputs), "ends count although they are padding too"
    rates = dict.fromkeys(backbone.groups, 0.0)
    assert backbone.train_step([batch], rates, targets) == pytest.approx(expected / targets, rel=1e-4)


@pytest.mark.parametrize("model", ["tiny_t5", "tiny_bart", "tiny_marian"])
def test_the_loss_of_an_encoder_decoder_is_that_of_transformers(request: pytest.FixtureRequest, model: str) -> None:
    backbone = backbone_of(request.getfixturevalue(model))
    inputs = inputs_of(backbone)
    expected = 0.0
    for one in inputs:
        asked, answer = (torch.from_numpy(one.ids[one.segments == side])[None] for side in (0, 1))
        with torch.inference_mode():
            expected += backbone._network.model(input_ids=asked, labels=answer).loss.item() * answer.shape[1]
    batch = padded(inputs, np.arange(3), backbone.tokenizer.pad)
    targets = target_number(batch)
    rates = dict.fromkeys(backbone.groups, 0.0)
    assert backbone.train_step([batch], rates, targets) == pytest.approx(expected / targets, rel=1e-4)


def test_what_is_written_does_not_depend_on_the_batch(
    tiny_gpt2: Path, tiny_t5: Path, tiny_bart: Path, tiny_marian: Path, tiny_chinese_gpt2: Path
) -> None:
    for folder in (tiny_gpt2, tiny_t5, tiny_bart, tiny_marian, tiny_chinese_gpt2):
        backbone = backbone_of(folder)
        prompts = inputs_of(backbone, answered=False)
        for writing in (WRITING, Writing(WRITING.prompt, 8, beams=3)):
            together = texts_of(backbone, prompts, writing)
            alone = [texts_of(backbone, [one], writing)[0] for one in prompts]
            assert together == alone
            assert all(one.pieces <= 8 and (one.finished or one.pieces == 8) for one in together)
        drawn = Writing(WRITING.prompt, 8, temperature=2.0, seed=1)
        assert texts_of(backbone, prompts, drawn) == texts_of(backbone, prompts, drawn)


def test_a_text_that_reaches_its_most_pieces_is_not_said_to_be_finished(tiny_bart: Path) -> None:
    backbone = backbone_of(tiny_bart)
    backbone._network.model.final_logits_bias[0, backbone.tokenizer.end] = -100.0
    said = texts_of(backbone, inputs_of(backbone, answered=False), WRITING)
    assert [(one.finished, one.pieces) for one in said] == [(False, 8), (False, 8)]


def test_settings_in_the_files_of_a_model_change_nothing_of_what_it_writes(
    tmp_path: Path, tiny_gpt2: Path, tiny_bart: Path
) -> None:
    own = {"min_new_tokens": 7, "repetition_penalty": 9.0, "no_repeat_ngram_size": 1, "suppress_tokens": [5, 6, 7, 8]}
    for folder in (tiny_gpt2, tiny_bart):
        other = tmp_path / folder.name
        shutil.copytree(folder, other)
        (other / "generation_config.json").write_text(json.dumps({**own, "eos_token_id": 0}), encoding="utf-8")
        first, second = backbone_of(folder), backbone_of(other)
        prompts = inputs_of(first, answered=False)
        assert texts_of(first, prompts, WRITING) == texts_of(second, prompts, WRITING)
        assert second._network.model.generation_config.min_new_tokens == 7, "the files are shipped as they were"


def test_pieces_are_drawn_among_all_of_the_vocabulary(tiny_gpt2: Path) -> None:
    backbone = backbone_of(tiny_gpt2)
    (prompt, _) = inputs_of(backbone, answered=False)
    with torch.inference_mode():
        scores = backbone._network.model(input_ids=torch.from_numpy(prompt.ids)[None]).logits[0, -1]
    likely = set(scores.topk(50).indices.tolist())
    batch = padded([prompt], np.arange(1), backbone.tokenizer.pad)
    drawn = set()
    for seed in range(20):
        writing = Writing(WRITING.prompt, 1, temperature=1e4, seed=seed)
        (ids,) = written_ids(backbone._network, batch, writing, backbone.tokenizer)
        drawn.add(int(ids[0]))
    assert not drawn <= likely, "so hot all 300 pieces are alike"


def test_an_encoder_cannot_write(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match="an encoder \\(bert\\) cannot write texts"):
        backbone_of(tiny_bert)
