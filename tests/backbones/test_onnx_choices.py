"""What an exported model is given: choices as rows, by hand and as the network itself takes them apart; marks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from truetune.backbones import onnx_choices, torch_choices
from truetune.backbones.form import Form
from truetune.backbones.onnx_model import model_inputs
from truetune.types import Batch


def batch_of(ids: list[list[int]], mask: list[list[int]], segments: list[list[int]]) -> Batch:
    nothing = np.zeros(len(ids), dtype=np.int64)
    return Batch(np.array(ids), np.array(mask, dtype=bool), np.array(segments), nothing, nothing)


def test_choices_are_rows_and_their_scores_are_put_together() -> None:
    batch = batch_of(
        [[5, 6, 7, 8, 9], [3, 4, 2, 0, 0]], [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], [[0, 1, 2, 2, 3], [0, 0, 1, 0, 0]]
    )
    rows = onnx_choices.choices_apart(batch)
    assert rows.ids.tolist() == [[5, 6, 5], [7, 8, 9], [3, 4, 2]]
    assert rows.mask.tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert rows.segments.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1]]
    scores = onnx_choices.choice_scores(np.array([[1.0], [2.0], [3.0]]), batch, 3)
    assert scores.tolist() == [[1.0, 2.0, -1e4], [3.0, -1e4, -1e4]]


@pytest.mark.parametrize("seed", range(5))
def test_they_are_those_that_the_network_takes_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = [[rng.integers(2, 5, size=2) for _ in range(rng.integers(2, 5))] for _ in range(4)]
    segments = [np.concatenate([np.repeat([2 * n, 2 * n + 1], one) for n, one in enumerate(each)]) for each in inputs]
    longest = max(map(len, segments))
    mask = np.arange(longest) < np.array([[len(one)] for one in segments])
    ids = np.where(mask, rng.integers(1, 100, mask.shape), 0)
    own = np.stack([np.pad(one, (0, longest - len(one))) for one in segments])
    batch = Batch(ids, mask, own, ids[:, 0], ids[:, 0])
    *rows, there = torch_choices.choices_apart(*map(torch.from_numpy, (ids, mask, own)))
    found = onnx_choices.choices_apart(batch)
    kept = there.flatten().numpy()
    for mine, other in zip((found.ids, found.mask, found.segments), rows, strict=True):
        assert mine.tolist() == other.numpy()[kept].tolist()
    values = torch.from_numpy(rng.normal(size=(len(kept), 1)))
    wanted = torch_choices.choice_scores(values, there, 6, -1e4)
    assert onnx_choices.choice_scores(values.numpy()[kept], batch, 6).tolist() == wanted.tolist()


def test_only_a_head_that_reads_marks_is_given_them() -> None:
    batch = batch_of([[5, 6, 7, 8, 0]], [[1, 1, 1, 1, 0]], [[0, 2, 1, 3, 0]])
    assert model_inputs(batch, Form("marked", own_head=True))["segments"].tolist() == [[0, 2, 1, 3, 0]]
    assert model_inputs(batch, Form("mean", own_head=True))["segments"].tolist() == [[0, 0, 1, 0, 0]]
