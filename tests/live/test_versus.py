"""Two models in a journal: pairs and arms by hand, planted differences, and what is not counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from truetune.errors import DataError
from truetune.live.versus import versus

Row = dict[str, Any]


def answer(id: int, arm: str, label: str, model: str = "") -> Row:
    return {"kind": "answer", "id": f"r{id}/0", "arm": arm, "model": model or arm, "label": label, "confidence": 0.9}


def gold(id: int, label: str = "a") -> Row:
    return {"kind": "label", "id": f"r{id}/0", "label": label}


def pairs(outcomes: str) -> Iterator[Row]:
    """Yield rows of pairs: g gained, l lost, b both right, n neither."""
    for id, one in enumerate(outcomes):
        yield answer(id, "first", "a" if one in "lb" else "b")
        yield answer(id, "shadow", "a" if one in "gb" else "b")
        yield gold(id)


def test_pairs_by_hand() -> None:
    found = versus(pairs("gggggggggb" + "n"))
    assert (found.gained, found.lost, found.labelled, found.right) == (9, 0, (11, 11), (1, 10))
    assert found.evidence == pytest.approx(2**9 / 10)
    assert found.verdict == "better"
    assert found.after == 8, "2**8 / 9 is the first above 20"
    assert versus(pairs("llllllll")).verdict == "worse"
    assert versus(pairs("gl" * 30)).verdict == "no difference found"
    assert found.difference == pytest.approx(9 / 11)


def test_what_was_shown_stays_shown() -> None:
    found = versus(pairs("g" * 8 + "l" * 8))
    assert (found.verdict, found.after) == ("better", 8)
    assert found.evidence == pytest.approx(2**8 / 9)


def arms(number: int, shares: tuple[float, float], rng: np.random.Generator) -> Iterator[Row]:
    """Yield labelled answers, every fourth of the second model, each right with its chance."""
    for id in range(number):
        arm = "second" if id % 4 == 3 else "first"
        yield answer(id, arm, "a" if rng.random() < shares[arm == "second"] else "b")
        yield gold(id)


def test_arms() -> None:
    rng = np.random.default_rng(0)
    found = versus(arms(800, (0.6, 0.9), rng))
    assert not found.paired
    assert (found.texts, found.labelled) == ((600, 200), (600, 200))
    assert found.difference == pytest.approx(found.right[1] / 200 - found.right[0] / 600)
    assert (found.verdict, found.low > 0) == ("better", True)
    assert versus(arms(800, (0.9, 0.6), rng)).verdict == "worse"
    assert versus(arms(800, (0.8, 0.8), rng)).verdict == "no difference found"


def test_labels_before_the_shadow_unlabelled_pairs_and_other_models() -> None:
    rows = [
        answer(1, "first", "a"),
        gold(1),
        answer(1, "shadow", "b"),
        answer(2, "first", "a"),
        answer(2, "shadow", "b"),
        answer(3, "first", "a"),
        answer(4, "first", "a", "an older model"),
        answer(5, "first", "a"),
        answer(5, "shadow", "a"),
        gold(99),
    ]
    found = versus([answer(0, "first", "b", "an older model"), gold(0), *rows, answer(6, "first", "a")])
    assert (found.texts, found.labelled, found.disagreements) == ((3, 3), (1, 1), 2)
    assert (found.gained, found.lost) == (0, 1)
    assert found.unlabelled == ("r2/0",)


def test_a_label_counts_once() -> None:
    rows = list(pairs("g"))
    assert versus([*rows, gold(0), gold(0, "b")]).labelled == (1, 1)


def test_one_model_alone_is_told() -> None:
    with pytest.raises(DataError, match="one model only; serve with --shadow"):
        versus([answer(0, "first", "a"), gold(0)])
    assert versus([answer(0, "first", "a"), answer(0, "shadow", "a")]).difference is None


def test_equally_good_models_are_seldom_told_apart_however_often_one_looks() -> None:
    rng = np.random.default_rng(0)
    shown = sum(
        versus(pairs("".join(rng.choice(list("glbn"), 200, p=[0.1, 0.1, 0.7, 0.1])))).after is not None
        for _ in range(200)
    )
    assert shown / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
