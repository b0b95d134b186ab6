"""Inputs on disk are the inputs that were encoded, bit for bit, and leave no file behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truetune.data import encoded as module
from truetune.data.batch import padded
from truetune.data.encoded import Inputs, kept
from truetune.types import IGNORED, Encoded


def inputs(kind: str, number: int = 40) -> list[Encoded]:
    rng = np.random.default_rng(0)
    found = []
    for place in range(number):
        length = int(rng.integers(1, 9))
        targets = {
            "code": np.array(place % 3 if place % 5 else IGNORED),
            "labels": rng.integers(0, 2, 4).astype(np.float64),
            "rows": rng.integers(0, 500, (int(rng.integers(0, 4)), 3)),
            "pieces": np.where(rng.random(length) < 0.5, IGNORED, rng.integers(0, 9, length)),
        }
        starts, ends = np.sort(rng.integers(-1, 70_000, (2, length)), axis=0)
        segments = rng.integers(0, 2, length)
        ids = rng.integers(0, 250_000, length)
        found.append(Encoded(place // 2, ids, segments, targets[kind], starts, ends))
    return found


def same(one: Encoded, other: Encoded) -> bool:
    arrays = ((getattr(one, name), getattr(other, name)) for name in ("ids", "segments", "target", "starts", "ends"))
    return one.example == other.example and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in arrays
    )


@pytest.mark.parametrize("kind", ["code", "labels", "pieces", "rows"])
def test_what_is_read_is_what_was_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 20)
    monkeypatch.setattr(module, "RELEASED", 100)
    expected = inputs(kind)
    found = kept((expected[start : start + 7] for start in range(0, 40, 7)), tmp_path / "data")
    assert isinstance(found, Inputs)
    assert len(found) == 40
    for _ in range(2):
        assert all(map(same, found, expected))
    assert same(found[-1], expected[-1])
    assert all(map(same, found[3:9], expected[3:9]))
    positions = np.array([30, 2, 17])
    first, second = padded(found, positions, 0), padded(expected, positions, 0)
    assert (first.ids == second.ids).all()
    assert (first.targets == second.targets).all()
    assert not list((tmp_path / "data").iterdir())
    with pytest.raises(IndexError):
        found[40]


def test_few_inputs_stay_in_memory(tmp_path: Path) -> None:
    expected = inputs("code")
    assert kept([expected[:10], expected[10:]], tmp_path / "data") == expected
    assert kept([], tmp_path) == []
    assert not list(tmp_path.iterdir())
