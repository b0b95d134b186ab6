"""Rankings, values and likelihoods: the wrong way round, against their scores, too good to be true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .planted import found

ITEMS = [f"item {number}" for number in range(12)]


def ranked(seed: int, strength: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rng = np.random.default_rng(seed)
    gold, said = [], []
    for _ in range(60):
        relevant = set(rng.choice(ITEMS, 2, replace=False).tolist())
        scores = {item: float(rng.normal() + strength * (item in relevant)) for item in ITEMS}
        gold.append({"relevant": dict.fromkeys(relevant, 1)})
        said.append({"ranking": sorted(ITEMS, key=lambda item: -scores[item]), "scores": scores})
    return gold, said


@pytest.mark.parametrize("seed", range(20))
def test_fair_and_random_rankings_are_clean(seed: int) -> None:
    gold, said = ranked(seed, 0.15 * seed)
    assert not found("retrieval", gold, said)
    assert not found("retrieval", gold, [one["ranking"][:5] for one in said])


def test_reversed_rankings_are_found() -> None:
    gold, said = ranked(1, 1.5)
    reversed_ones = [one["ranking"][::-1] for one in said]
    assert found("retrieval", gold, reversed_ones)["rankings are reversed"].severity == "error"
    both = [{**one, "ranking": order} for one, order in zip(said, reversed_ones, strict=True)]
    assert set(found("retrieval", gold, both)) == {"rankings are reversed", "rankings contradict their scores"}


def test_values_that_fall_as_gold_rises_are_found() -> None:
    rng = np.random.default_rng(4)
    gold = rng.normal(size=200)
    similar = gold + rng.normal(size=200)
    assert not found("regression", gold.tolist(), similar.tolist())
    assert not found("regression", gold.tolist(), rng.normal(size=200).tolist())
    assert list(found("regression", gold.tolist(), (-similar).tolist())) == ["values run the other way"]


def test_likelihoods_that_no_model_has_are_found() -> None:
    rng = np.random.default_rng(5)
    gold = [{"tokens": int(number)} for number in rng.integers(5, 60, 40)]
    nats = [one["tokens"] * float(rng.uniform(2, 5)) for one in gold]
    assert not found("language-modeling", gold, [-one for one in nats])
    assert list(found("language-modeling", gold, nats)) == ["log-likelihoods above 0"]
    unmasked = [-0.01 * one["tokens"] for one in gold]
    assert list(found("language-modeling", gold, unmasked)) == ["likelihoods near certainty"]
