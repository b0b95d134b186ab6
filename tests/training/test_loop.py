"""The loop: it learns, selects, stops, resumes, and ends with the weights that it chose."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer, used_pieces
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.errors import RunError
from truetune.metric import Additive
from truetune.rows import Rows
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classification import CLASSIFICATION
from truetune.tasks.classify_encoding import encode as encode_texts
from truetune.tasks.tag_encoding import decode as decode_tags
from truetune.tasks.tag_encoding import encode as encode_tags
from truetune.tasks.tag_encoding import tag_labels
from truetune.training.checkpoint import Checkpoints
from truetune.training.loop import train
from truetune.training.order import Plan
from truetune.training.plateau import Margin
from truetune.training.stopping import Selection
from truetune.types import Encoded, Span

WORDS = ["bad", "dull", "great", "funny", "film", "story", "plot", "and", "the"]
LABELS = Labels(("bad", "good"))


class Toy(NamedTuple):
    backbone: TorchBackbone
    encoded: list[Encoded]
    gold: list[str]

    def accuracy(self) -> dict[str, float]:
        chosen = [LABELS.names[int(logits.argmax())] for logits in logits_of(self.backbone, self.encoded)]
        return {"accuracy": float(np.mean([one == other for one, other in zip(chosen, self.gold, strict=True)]))}


def toy(folder: Path, dropout: float | None = None) -> Toy:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, rng.integers(2, 10))) for _ in range(80)]
    gold = ["good" if {"great", "funny"} & set(text.split()) else "bad" for text in texts]
    settings = ModelSettings(str(folder), "classify", LABELS.names, dropout=dropout, precision="float32", device="cpu")
    tokenizer = load_tokenizer(settings)
    encoded = encode_texts([texts], {"label": gold}, LABELS, tokenizer, Lengths(64)).inputs
    return Toy(load_backbone(settings, Recipe(), tokenizer, used_pieces([one.ids for one in encoded])), encoded, gold)


PLAN = Plan(3e-3, epochs=1, tokens=96, evaluations=3)
SELECTION = Selection("accuracy")


def scripted(values: list[float]) -> Callable[[], Mapping[str, float]]:
    left = iter(values)
    return lambda: {"accuracy": next(left)}


@pytest.mark.parametrize("family", ["tiny_bert", "tiny_gpt2", "tiny_llama"])
def test_a_toy_set_is_learnt(family: str, request: pytest.FixtureRequest) -> None:
    one = toy(request.getfixturevalue(family), dropout=0.0)
    before = one.accuracy()["accuracy"]
    steps = list(train(one.backbone, one.encoded, replace(PLAN, epochs=12), (SELECTION, one.accuracy)))
    assert before < 0.9
    assert one.accuracy()["accuracy"] >= 0.97
    assert steps[-1].loss < 0.3 < steps[0].loss


def test_tags_are_learnt(tiny_bert: Path) -> None:
    people, places = ["Anna", "Bob"], ["Paris", "Berlin"]
    texts, spans = [], []
    for number in range(40):
        person, place = people[number % 2], places[number // 2 % 2]
        text = f"{person} visited {place} and" if number % 3 else f"visited {place} with {person}"
        texts.append(text)
        kinds = {person: "person", place: "place"}
        spans.append([Span(text.index(name), text.index(name) + len(name), kind) for name, kind in kinds.items()])
    labels = tag_labels({"spans": spans})
    settings = ModelSettings(str(tiny_bert), "tag", labels.names, precision="float32", device="cpu")
    tokenizer = load_tokenizer(settings)
    encoded = encode_tags([texts], {"spans": spans}, labels, tokenizer, Lengths(64)).inputs
    backbone = load_backbone(settings, Recipe(), tokenizer)

    def exact() -> dict[str, float]:
        found = decode_tags(texts, encoded, logits_of(backbone, encoded), labels, 0.5)["spans"]
        return {
            "exact": float(np.mean([sorted(one) == sorted(other) for one, other in zip(found, spans, strict=True)]))
        }

    list(train(backbone, encoded, replace(PLAN, learning_rate=1e-2, epochs=12), (Selection("exact"), exact)))
    assert exact()["exact"] >= 0.97


def test_steps_tell_what_was_done(tiny_bert: Path) -> None:
    one = toy(tiny_bert)
    steps = list(train(one.backbone, one.encoded, PLAN, (SELECTION, one.accuracy)))
    assert [step.number for step in steps] == list(range(1, steps[0].steps + 1))
    assert sum(step.inputs for step in steps) == 80
    assert sum(step.pieces for step in steps) == sum(len(encoded.ids) for encoded in one.encoded)
    assert all(0 <= step.padding < 0.2 for step in steps)
    assert sum(step.scores is not None for step in steps) == 3
    assert [step.learning_rate for step in steps] == sorted((step.learning_rate for step in steps), reverse=True)
    assert steps[0].learning_rate == 3e-3


@pytest.mark.parametrize("on_disk", [False, True])
def test_it_ends_with_the_weights_of_the_best_evaluation(tiny_bert: Path, tmp_path: Path, on_disk: bool) -> None:
    one = toy(tiny_bert)
    scores = iter([0.4, 0.8, 0.6])
    seen: list[dict[str, np.ndarray]] = []

    def evaluate() -> dict[str, float]:
        seen.append(dict(one.backbone.state(optimizer=False).arrays))
        return {"accuracy": next(scores)}

    checkpoints = Checkpoints(tmp_path) if on_disk else None
    steps = list(train(one.backbone, one.encoded, PLAN, (SELECTION, evaluate), checkpoints))
    assert [step.best for step in steps if step.scores] == [True, True, False]
    ended = one.backbone.state(optimizer=False).arrays
    assert all((ended[name] == array).all() for name, array in seen[1].items())
    assert any((ended[name] != array).any() for name, array in seen[2].items())


def test_lower_may_be_better(tiny_bert: Path) -> None:
    one = toy(tiny_bert)
    chosen = (Selection("accuracy", "lower"), scripted([0.4, 0.8, 0.6]))
    assert [step.best for step in train(one.backbone, one.encoded, PLAN, chosen) if step.scores] == [True, False, False]


def test_it_stops_when_patience_ends(tiny_bert: Path) -> None:
    one = toy(tiny_bert)
    chosen = (Selection("accuracy", patience=2), scripted([0.5, 0.4, 0.5, 0.9, 0.9, 0.9]))
    steps = list(train(one.backbone, one.encoded, replace(PLAN, epochs=2), chosen))
    assert sum(step.scores is not None for step in steps) == 3
    assert len(steps) < steps[0].steps


def test_a_metric_that_is_not_computed_stops_the_run(tiny_bert: Path) -> None:
    one = toy(tiny_bert)
    with pytest.raises(RunError, match="was not computed"):
        list(train(one.backbone, one.encoded, PLAN, (Selection("accurcy"), one.accuracy)))


def test_a_metric_that_is_never_defined_chooses_nothing(tiny_bert: Path) -> None:
    one = toy(tiny_bert)
    with pytest.raises(RunError, match="undefined at every evaluation"):
        list(train(one.backbone, one.encoded, PLAN, (SELECTION, scripted([math.nan] * 3))))


def test_a_loss_that_is_not_finite_stops_the_run_and_names_step_and_examples(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, again = toy(tiny_bert), toy(tiny_bert)
    losses = iter([0.5, 0.4, 0.3, math.nan])
    monkeypatch.setattr(one.backbone, "train_step", lambda batches, rates, targets: next(losses))
    checkpoints = Checkpoints(tmp_path, seconds=0.0)
    with pytest.raises(RunError, match=r"step 4: the loss or its gradient .* training examples \d+"):
        list(train(one.backbone, one.encoded, PLAN, (SELECTION, one.accuracy), checkpoints))
    rest = train(again.backbone, again.encoded, PLAN, (SELECTION, again.accuracy), checkpoints, resume=True)
    assert next(rest).number == 4


def test_a_run_resumed_at_any_step_is_the_unbroken_one(tiny_bert: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=2, accumulate=2)
    unbroken = toy(tiny_bert)
    expected = list(train(unbroken.backbone, unbroken.encoded, plan, (SELECTION, unbroken.accuracy)))
    weights = unbroken.backbone.state(optimizer=False).arrays
    for broken_at in range(1, len(expected), 3):
        checkpoints = Checkpoints(tmp_path / str(broken_at), seconds=0.0)
        first = toy(tiny_bert)
        steps = train(first.backbone, first.encoded, plan, (SELECTION, first.accuracy), checkpoints)
        for _ in range(broken_at):
            next(steps)
        steps.close()
        second = toy(tiny_bert)
        rest = list(
            train(second.backbone, second.encoded, plan, (SELECTION, second.accuracy), checkpoints, resume=True)
        )
        tail = expected[len(expected) - len(rest) :]
        assert [replace(step, seconds=0.0) for step in rest] == [replace(step, seconds=0.0) for step in tail]
        assert all(
            (array == weights[name]).all() for name, array in second.backbone.state(optimizer=False).arrays.items()
        )


def test_a_checkpoint_of_other_data_or_another_plan_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    one = toy(tiny_bert)
    checkpoints = Checkpoints(tmp_path)
    list(train(one.backbone, one.encoded, PLAN, (SELECTION, one.accuracy), checkpoints))
    for encoded, plan in ((one.encoded[1:], PLAN), (one.encoded, replace(PLAN, learning_rate=1e-4))):
        with pytest.raises(RunError, match="belongs to other data"):
            list(train(one.backbone, encoded, plan, (SELECTION, one.accuracy), checkpoints, resume=True))


def test_resuming_an_ended_run_takes_no_step_and_gives_its_best_weights(tiny_bert: Path, tmp_path: Path) -> None:
    one, other = toy(tiny_bert), toy(tiny_bert)
    checkpoints = Checkpoints(tmp_path)
    list(train(one.backbone, one.encoded, PLAN, (SELECTION, one.accuracy), checkpoints))
    assert list(train(other.backbone, other.encoded, PLAN, (SELECTION, other.accuracy), checkpoints, resume=True)) == []
    ended = one.backbone.state(optimizer=False).arrays
    assert all((array == ended[name]).all() for name, array in other.backbone.state(optimizer=False).arrays.items())


def test_only_files_that_hold_no_code_are_written(tiny_bert: Path, tmp_path: Path) -> None:
    one = toy(tiny_bert)
    list(train(one.backbone, one.encoded, PLAN, (SELECTION, one.accuracy), Checkpoints(tmp_path, every=4)))
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names[:2] == ["best.safetensors", "last.safetensors"]
    assert all(name.startswith("step-") and name.endswith(".safetensors") for name in names[2:])
    assert len(names) > 2


# --------------------------------------------------------------------------- the mean of checkpoints, and margins


def test_the_mean_of_checkpoints_is_chosen_where_it_scores_best(tiny_bert: Path) -> None:
    """Evaluations behind half of the steps are averaged: the last two of four; the fifth score is that of the mean."""
    one = toy(tiny_bert)
    seen: list[dict[str, np.ndarray]] = []
    scores = iter([0.1, 0.2, 0.3, 0.4, 0.9])

    def evaluate() -> dict[str, float]:
        seen.append(dict(one.backbone.state(optimizer=False).arrays))
        return {"accuracy": next(scores)}

    plan = replace(PLAN, evaluations=4, average_from=0.5)
    steps = list(train(one.backbone, one.encoded, plan, (SELECTION, evaluate)))
    told = [(step.scores, step.averaged, step.best) for step in steps if step.scores]
    assert told[-2] == ({"accuracy": 0.3}, None, True)
    assert told[-1] == ({"accuracy": 0.4}, {"accuracy": 0.9}, True)
    for name, array in one.backbone.state(optimizer=False).arrays.items():
        assert (array == seen[4][name]).all()
        assert np.abs(array - (seen[2][name] + seen[3][name].astype(np.float64)) / 2).max() <= 1e-6


def test_an_earlier_mean_that_scored_best_is_what_is_kept(tiny_bert: Path) -> None:
    """Means behind a fifth of the steps, kept in memory: the first is the best, later ones are not."""
    one = toy(tiny_bert)
    means: list[dict[str, np.ndarray]] = []
    scores = iter([0.1, 0.2, 0.9, 0.3, 0.4, 0.5, 0.6])

    def evaluate() -> dict[str, float]:
        score = next(scores)
        if score == 0.9:
            means.append({name: array.copy() for name, array in one.backbone.state(optimizer=False).arrays.items()})
        return {"accuracy": score}

    plan = replace(PLAN, evaluations=4, average_from=0.2)
    told = [step.averaged for step in train(one.backbone, one.encoded, plan, (SELECTION, evaluate)) if step.averaged]
    assert told == [{"accuracy": 0.9}, {"accuracy": 0.4}, {"accuracy": 0.6}]
    ended = one.backbone.state(optimizer=False).arrays
    assert all((array == means[0][name]).all() for name, array in ended.items())


def test_a_mean_that_is_no_better_changes_nothing(tiny_bert: Path) -> None:
    plain, averaged = toy(tiny_bert), toy(tiny_bert)
    plan = replace(PLAN, epochs=2, average_from=0.2)
    for one, chosen, scores in ((plain, replace(plan, average_from=None), [0.5] * 6), (averaged, plan, [0.5] * 20)):
        list(train(one.backbone, one.encoded, chosen, (SELECTION, scripted(scores))))
    ended = plain.backbone.state(optimizer=False).arrays
    assert all((array == ended[name]).all() for name, array in averaged.backbone.state(optimizer=False).arrays.items())


def judged(one: Toy) -> Selection:
    """A margin that tiny runs reach: what each text contributed to the accuracy at the last evaluation."""
    accuracy = next(metric for metric in CLASSIFICATION.scoring.metrics if metric.name == "accuracy")
    assert isinstance(accuracy, Additive)

    def rows() -> Rows:
        chosen = [LABELS.names[int(logits.argmax())] for logits in logits_of(one.backbone, one.encoded)]
        return accuracy.rows(one.gold, chosen)

    return Selection("accuracy", margin=Margin(0.2, accuracy, rows))


def test_a_run_with_margin_and_mean_stops_early_and_resumes_exactly(tiny_bert: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=12, evaluations=2, average_from=0.0)
    unbroken = toy(tiny_bert)
    expected = list(train(unbroken.backbone, unbroken.encoded, plan, (judged(unbroken), unbroken.accuracy)))
    assert len(expected) < expected[0].steps, "it stopped before the end"
    assert any(step.averaged for step in expected)
    weights = unbroken.backbone.state(optimizer=False).arrays
    for broken_at in range(3, len(expected), len(expected) // 3):
        checkpoints = Checkpoints(tmp_path / str(broken_at), seconds=0.0)
        first, second = toy(tiny_bert), toy(tiny_bert)
        steps = train(first.backbone, first.encoded, plan, (judged(first), first.accuracy), checkpoints)
        for _ in range(broken_at):
            next(steps)
        steps.close()
        rest = list(train(second.backbone, second.encoded, plan, (judged(second), second.accuracy), checkpoints, True))
        tail = expected[len(expected) - len(rest) :]
        assert [replace(step, seconds=0.0) for step in rest] == [replace(step, seconds=0.0) for step in tail]
        ended = second.backbone.state(optimizer=False).arrays
        assert all((array == weights[name]).all() for name, array in ended.items())
    plain = toy(tiny_bert)
    with pytest.raises(RunError, match="belongs to other data"):
        list(train(plain.backbone, plain.encoded, plan, (SELECTION, plain.accuracy), checkpoints, resume=True))


def test_a_decoder_learns_from_texts_that_share_rows(tiny_llama: Path) -> None:
    one = toy(tiny_llama, dropout=0.0)
    plan = replace(PLAN, epochs=12, packing=True)
    steps = list(train(one.backbone, one.encoded, plan, (SELECTION, one.accuracy)))
    assert sum(step.inputs for step in steps) == 12 * 80
    assert one.accuracy()["accuracy"] >= 0.97
