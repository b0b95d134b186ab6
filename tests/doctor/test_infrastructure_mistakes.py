"""Mistakes 23 to 30: normalisers, ends, padding, packing, duplicates, stale files, nothing masked, parity."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import truetune
from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.bundle.run_folder import RunFolder
from truetune.data.batch import padded, target_number
from truetune.errors import DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.tag_encoding import encode, tag_labels
from truetune.types import IGNORED, Encoded, Span
from truetune.workflows.rescore import run_table
from truetune.workflows.systems import read_predicted

from . import planting
from .systems import evaluated, found, labelled

TEXTS = ["Anna visited Paris", "Bob", "Anna visited Paris and Berlin with Bob and Anna"]
SPANS = {"spans": [[Span(0, 4, "PER")], [Span(0, 3, "PER")], [Span(0, 4, "PER"), Span(13, 18, "LOC")]]}
TAGS = tag_labels(SPANS)


def tagger(folder: Path, labels: Labels = TAGS) -> tuple[TorchBackbone, list[Encoded]]:
    settings = ModelSettings(str(folder), "tag", labels.names, dropout=0.0, precision="float32", device="cpu")
    backbone = load_backbone(settings, Recipe(), load_tokenizer(settings), None)
    return backbone, encode([TEXTS], SPANS, labels, backbone.tokenizer, Lengths(64)).inputs


def test_23_micro_batches_are_normalised_by_all_targets(tiny_bert: Path) -> None:
    places = [np.array([0, 1]), np.array([2])]
    losses: list[float] = []
    for parts in ([np.arange(3)], places, *([part] for part in places)):
        backbone, inputs = tagger(tiny_bert)
        batches = [padded(inputs, part, backbone.tokenizer.pad) for part in parts]
        rates = dict.fromkeys(backbone.groups, 1e-3)
        losses.append(backbone.train_step(batches, rates, sum(map(target_number, batches))))
    whole, accumulated, first, second = losses
    assert accumulated == pytest.approx(whole, rel=1e-5)
    assert abs((first + second) / 2 - whole) > 1e-3, "the mean of means is another number"


def test_24_the_end_of_a_sequence_counts_although_it_is_the_padding_token(tiny_gpt2: Path) -> None:
    backbone, inputs = tagger(tiny_gpt2)
    pad = backbone.tokenizer.pad
    ended = [replace(one, ids=np.append(one.ids[:-1], pad)) for one in inputs]
    batch = padded(ended, np.arange(3), pad)
    assert batch.mask.sum(axis=1).tolist() == [len(one.ids) for one in ended]
    assert (batch.ids != pad).sum() < batch.mask.sum(), "a mask made of ids would lose the end"


def test_25_padding_counts_neither_in_the_loss_nor_in_a_mean(tiny_bert: Path) -> None:
    backbone, inputs = tagger(tiny_bert)
    batch = padded(inputs, np.arange(3), backbone.tokenizer.pad)
    assert not batch.mask.all()
    assert (batch.targets[~batch.mask] == IGNORED).all()
    assert target_number(batch) == sum(int((one.target != IGNORED).sum()) for one in inputs)


def test_26_examples_of_one_batch_do_not_see_each_other(tiny_bert: Path) -> None:
    backbone, inputs = tagger(tiny_bert)
    together = logits_of(backbone, inputs, 1000)
    for place, one in enumerate(inputs):
        alone = logits_of(backbone, [replace(one, example=0)], 1000)[0]
        assert together[place] == pytest.approx(alone, abs=1e-5)
    assert len(padded(inputs, np.arange(3), 0).ids) == len(inputs), "a row holds one input: nothing is packed"


def test_27_duplicates_of_the_last_batch_are_refused_or_recognised() -> None:
    gold, predicted, _ = labelled(3)
    ids = [str(number) for number in range(len(gold))]
    twice = [planting.filled_up(column, 64) for column in (ids, gold, predicted)]
    parts = truetune.Evaluation("classification")
    with pytest.raises(DataError, match="stands already"):
        parts.add(*twice)
    parts.add(ids, gold, predicted)
    assert (
        parts.result().score("accuracy").value == evaluated("classification", gold, predicted).score("accuracy").value
    )
    wrong = np.mean([one == other for one, other in zip(*twice[1:], strict=True)])
    (finding,) = truetune.check_scores(
        task="classification", gold=gold, predicted=predicted, claimed={"accuracy": f"{wrong:.7f}"}
    )
    assert "all examples and the first ones again, to fill up batches of 64" in finding.examples


def test_28_predictions_of_other_data_or_settings(runs: Callable[[str], RunFolder], tmp_path: Path) -> None:
    shutil.copytree(runs("plain").path, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    assert not run_table(run.path)[1].findings
    run.config.write_text(run.config.read_text(encoding="utf-8").replace("epochs: 1", "epochs: 3"), encoding="utf-8")
    shutil.copy(run.data("validation"), run.data("test"))
    (finding,) = run_table(run.path)[1].findings
    assert (finding.check, set(finding.examples)) == ("stale predictions", {"settings", "test part"})


def test_29_a_perplexity_of_1_because_nothing_was_masked() -> None:
    rng = np.random.default_rng(4)
    gold = [{"tokens": int(number)} for number in rng.integers(5, 60, 40)]
    seen = [-0.003 * one["tokens"] for one in gold]
    assert found("language-modeling", gold, seen) == {"likelihoods near certainty"}
    assert not found("language-modeling", gold, [-2.5 * one["tokens"] for one in gold])


def test_30_the_loaded_model_says_what_the_trained_one_said(runs: Callable[[str], RunFolder]) -> None:
    run = runs("plain")
    columns = read_predicted(run, "after")
    _, table = run_table(run.path)
    again = truetune.load(run.path).predict(table.column("text"))
    assert [one["label"] for one in again] == columns["label"]
    for one, scores in zip(again, columns["scores"], strict=True):
        assert one["scores"] == pytest.approx(scores, abs=1e-6)
    other = truetune.load(runs("another seed").path).predict(table.column("text"))
    assert max(abs(a["scores"]["NP"] - b["scores"]["NP"]) for a, b in zip(again, other, strict=True)) > 1e-4
