"""Choices in a row taken apart, by hand; each is read as it would be alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.pretrained import load_tokenizer
from truetune.backbones.torch import load_backbone
from truetune.backbones.torch_choices import choice_scores, choices_apart
from truetune.data.batch import padded
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.choice_encoding import encode_choices


def test_choices_are_taken_apart() -> None:
    ids = torch.tensor([[5, 6, 7, 8, 9], [3, 4, 2, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.bool)
    segments = torch.tensor([[0, 1, 2, 2, 3], [0, 0, 1, 0, 0]])
    rows, filled, own, there = choices_apart(ids, mask, segments)
    assert rows.tolist() == [[5, 6, 5], [7, 8, 9], [3, 4, 2], [5, 5, 5]]
    assert filled.tolist() == [[True, True, False], [True] * 3, [True] * 3, [True, False, False]]
    assert own.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert there.tolist() == [[True, True], [True, False]]
    scores = choice_scores(torch.tensor([[1.0], [2.0], [3.0], [9.0]]), there, 3, -1e4)
    assert scores.tolist() == [[1.0, 2.0, -1e4], [3.0, -1e4, -1e4]]


def test_each_choice_is_read_as_it_would_be_alone_and_the_loss_is_that_of_a_softmax(tiny_bert: Path) -> None:
    settings = ModelSettings(str(tiny_bert), "choose", ("1", "2", "3"), dropout=0.0, precision="float32")
    tokenizer = load_tokenizer(settings)
    backbone = load_backbone(settings, Recipe(), tokenizer)
    labels = Labels(("1", "2", "3"))
    columns = [[("Paris", "Berlin", "a dull film"), ("Anna", "Bob")], ["Anna visited Paris.", ""], ["Where?", "Who?"]]
    gold = {"choice": ["Berlin", "Anna"]}
    inputs = encode_choices(columns, gold, labels, tokenizer, Lengths(64)).inputs
    assert [one.target.item() for one in inputs] == [1, 0]
    batch = padded(inputs, np.arange(2), tokenizer.pad)
    scores = backbone.predict(batch)
    assert scores.shape == (2, 3)
    assert scores[1, 2] == -1e4
    turned = [[("a dull film", "Berlin", "Paris")], columns[1][:1], columns[2][:1]]
    other = encode_choices(turned, None, labels, tokenizer, Lengths(64)).inputs
    alone = backbone.predict(padded(other, np.arange(1), tokenizer.pad))
    assert alone[0] == pytest.approx(scores[0, ::-1], abs=1e-5)
    expected = -log_softmax(scores[0])[1] - log_softmax(scores[1])[0]
    loss = backbone.train_step([batch], dict.fromkeys(backbone.groups, 0.0), 2)
    assert loss == pytest.approx(expected / 2, rel=1e-5)
