"""Spans within spans: scores and losses against formulas written out in numpy; places; padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.pretrained import load_tokenizer
from truetune.backbones.torch import load_backbone
from truetune.backbones.torch_nested import (
    WIDTH,
    ends_of,
    stretch_scores,
    stretches_disagreement,
    stretches_loss,
    width_of,
)
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.nested_encoding import encode
from truetune.tasks.nested_encoding import stretch_scores as scores_in_numpy
from truetune.types import IGNORED, Floats, Span

RNG = np.random.default_rng(3)
TYPES = 2
ENDS = RNG.normal(size=(2, 4, width_of(TYPES)))
TARGETS = np.array([[[0, 3, 0], [1, 2, 0], [1, 1, 1]], [[2, 2, 1], [IGNORED] * 3, [IGNORED] * 3]])


def hand_scores(ends: Floats) -> Floats:
    found = np.zeros((4, 4, TYPES))
    for begin in range(4):
        for end in range(4):
            for kind in range(TYPES):
                q, k = ends[begin, :WIDTH], ends[end, WIDTH : 2 * WIDTH]
                b, e = ends[begin, 2 * WIDTH + kind], ends[end, 2 * WIDTH + TYPES + kind]
                found[begin, end, kind] = sum(q * k) / 8 + b + e if begin <= end else -np.inf
    return found


def test_scores_are_those_of_decoding_and_by_hand() -> None:
    found = stretch_scores(torch.from_numpy(ENDS)).numpy()
    for ends, scores in zip(ENDS, found, strict=True):
        by_hand = hand_scores(ends)
        upper = np.isfinite(by_hand)
        assert scores[upper] == pytest.approx(by_hand[upper])
        assert (scores[~upper] < -1000).all()
        assert scores_in_numpy(ends, TYPES)[upper] == pytest.approx(by_hand[upper])


def test_the_loss_by_hand() -> None:
    expected = 0.0
    for ends, spans in zip(ENDS, TARGETS.tolist(), strict=True):
        scores = hand_scores(ends)
        for kind in range(TYPES):
            right = [(begin, end) for begin, end, own in spans if own == kind]
            wrong = [(i, j) for i in range(4) for j in range(i, 4) if (i, j) not in right]
            expected += np.log(1 + sum(np.exp(scores[i, j, kind]) for i, j in wrong)) / TYPES
            expected += np.log(1 + sum(np.exp(-scores[i, j, kind]) for i, j in right)) / TYPES
    assert stretches_loss(torch.from_numpy(ENDS), torch.from_numpy(TARGETS)).item() == pytest.approx(expected)


def test_the_disagreement_by_hand() -> None:
    other = ENDS + RNG.normal(size=ENDS.shape) / 10
    expected = 0.0
    for first, second in zip(ENDS, other, strict=True):
        s, t = hand_scores(first), hand_scores(second)
        upper = np.isfinite(s)
        expected += ((expit(s) - expit(t))[upper] * (s[upper] - t[upper])).sum() / 2 / TYPES
    found = stretches_disagreement(torch.from_numpy(ENDS), torch.from_numpy(other), torch.from_numpy(TARGETS))
    assert found.item() == pytest.approx(expected)


def test_turning_tells_how_far_two_pieces_are_apart_and_nothing_else() -> None:
    same = torch.from_numpy(np.tile(RNG.normal(size=(1, 1, width_of(1))), (1, 6, 1)))
    scores = stretch_scores(ends_of(same, torch.ones(1, 6, dtype=torch.bool)))[0, :, :, 0].numpy()
    for distance in range(5):
        along = np.diagonal(scores, distance)
        assert along == pytest.approx(np.full(len(along), along[0]), abs=1e-4)
    assert abs(scores[0, 1] - scores[0, 3]) > 1e-3
    # By hand, where one number of q and k is turned alone: q . k = cos(distance) for the first frequency, which is 1.
    lone = torch.zeros(1, 6, width_of(1))
    lone[..., 0] = lone[..., WIDTH] = 1.0
    turned = stretch_scores(ends_of(lone, torch.ones(1, 6, dtype=torch.bool)))[0, 0, :, 0]
    assert turned.tolist() == pytest.approx((np.cos(np.arange(6)) / 8).tolist(), abs=1e-6)


def test_padding_changes_nothing(tiny_bert: Path) -> None:
    settings = ModelSettings(str(tiny_bert), "nested", ("LOC", "PER"), dropout=0.0, precision="float32")
    tokenizer = load_tokenizer(settings)
    backbone = load_backbone(settings, Recipe(), tokenizer)
    texts = ["Anna visited Paris and Berlin with Bob.", "Anna"]
    gold = {"spans": [[Span(0, 18, "PER"), Span(13, 18, "LOC")], []]}
    inputs = encode([texts], gold, Labels(("LOC", "PER")), tokenizer, Lengths(64)).inputs
    both = padded(inputs, np.arange(2), tokenizer.pad)
    assert both.targets.shape == (2, 2, 3)
    assert target_number(both) == 2, "all spans of a text are one target"
    alone = [padded(inputs, np.array([place]), tokenizer.pad) for place in range(2)]
    apart = backbone.train_step(alone, dict.fromkeys(backbone.groups, 0.0), 2)
    together = backbone.train_step([both], dict.fromkeys(backbone.groups, 0.0), 2)
    assert together == pytest.approx(apart, rel=1e-4)
    size = len(inputs[1].ids)
    assert backbone.predict(both)[1, :size] == pytest.approx(backbone.predict(alone[1])[0], abs=1e-4)


def test_a_decoder_is_refused(tiny_gpt2: Path) -> None:
    settings = ModelSettings(str(tiny_gpt2), "nested", ("LOC",))
    with pytest.raises(ModelError, match="cannot mark spans within spans"):
        load_backbone(settings, Recipe(), load_tokenizer(settings))
