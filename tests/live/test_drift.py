"""Drift of a file: planted changes with clean twins, and what the table says."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.live.drift import drift, median, quantile
from truetune.live.features import Observed
from truetune.live.reference import counted, reference_of


def world(number: int, rng: np.random.Generator, **change: float) -> list[Observed]:
    """Return examples: two labels, sure predictions, texts of about a hundred characters; `change` moves one."""
    label = rng.random(number) < change.get("label", 0.3)
    confidence = 1 / (1 + np.exp(-rng.normal(2 + change.get("confidence", 0.0), 1, number)))
    characters = np.exp(rng.normal(4.5 + change.get("characters", 0.0), 0.5, number)).round()
    foreign = rng.random(number) < change.get("script", 0.02)
    return [
        {"label": "ab"[one], "confidence": float(c), "characters": float(n), "script": "Chinese" if f else "Latin"}
        for one, c, n, f in zip(label.astype(int), confidence, characters, foreign, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "change"), [("label", 0.5), ("confidence", -0.5), ("characters", 0.3), ("script", 0.15)]
)
def test_one_planted_change_is_found_by_its_name(name: str, change: float) -> None:
    rng = np.random.default_rng(0)
    reference = reference_of(world(500, rng), None)
    clean = drift(reference, counted(world(400, rng)), 400, 0.05, rng)
    assert not clean.shown
    found = drift(reference, counted(world(400, rng, **{name: change})), 400, 0.05, rng)
    assert [one.feature for one in found.features if one.drifted] == [name]
    assert found.to_dict()["drift"] is True


def test_what_is_said_of_a_feature() -> None:
    reference = reference_of([{"label": "a", "characters": 4.0}] * 60 + [{"label": "b", "characters": 4.0}] * 40, None)
    after = counted([{"label": "a", "characters": 4.5}] * 20 + [{"label": "b", "characters": 4.5}] * 80)
    label, characters = drift(reference, after, 100, 0.05, np.random.default_rng(0)).features
    assert (label.bin, label.before, label.after, label.drifted) == ("b", 0.4, 0.8, True)
    assert label.distance == pytest.approx(0.4)
    assert (characters.distance, characters.p_value) == (0.0, 1.0)


def test_features_of_only_one_side_are_left_out() -> None:
    reference = reference_of([{"characters": 4.0}] * 50, None)
    found = drift(reference, counted([{"label": "a"}] * 50), 50, 0.05, np.random.default_rng(0))
    assert found.features == ()
    assert not found.shown


def test_quantiles_from_bins_are_near_those_of_the_values() -> None:
    rng = np.random.default_rng(1)
    seen = world(4000, rng)
    counts = counted(seen)
    lengths = [float(one["characters"]) for one in seen]
    sure = [float(one["confidence"]) for one in seen]
    assert median("characters", counts["characters"]) == pytest.approx(float(np.median(lengths)), rel=0.05)
    for share in (0.1, 0.5, 0.9):
        assert quantile("confidence", counts["confidence"], share) == pytest.approx(
            float(np.quantile(sure, share)), abs=0.02
        )
