"""Recall of entities by what training has of them, by hand and in simulation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from truetune.evaluation.entities import entity_counts, entity_recall
from truetune.stats.plan import Plan
from truetune.types import Span

ANN, ROME, BOB = Span(0, 3, "PER"), Span(7, 11, "LOC"), Span(0, 3, "PER")


def test_by_hand() -> None:
    known = entity_counts(["Ann in Rome", "ann in rome", "ANN"], [[ANN, ROME], [ANN], [ANN]])
    assert known == {("ann", "PER"): 3, ("rome", "LOC"): 1}
    texts = ["Ann in Rome", "Bob in Rome"]
    found = entity_recall(known, (texts, [[ANN, ROME], [BOB, ROME]], [[ANN], [Span(7, 11, "PER")]]), None, Plan())
    assert [(one.seen, one.entities, one.found, one.examples) for one in found] == [
        ("never", 1, 0, 1),
        ("rare", 2, 0, 2),
        ("often", 1, 1, 1),
    ]
    assert (found[2].recall, found[0].to_dict()["low"]) == (1.0, None), "one example has no interval"


def test_another_type_is_another_entity() -> None:
    known = Counter({("ann", "LOC"): 5})
    never, _, often = entity_recall(known, (["Ann"], [[ANN]], [[ANN]]), None, Plan())
    assert (never.entities, often.entities, often.to_dict()["recall"]) == (1, 0, None)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_covers(grouped: bool) -> None:
    """Entities of a group are found all or none: of 200 intervals of 95 %, at least 182 cover (P(X < 182) is .01)."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        groups = np.repeat(np.arange(60), 3) if grouped else None
        hit = np.repeat(rng.random(60) < 0.7, 3) if grouped else rng.random(180) < 0.7
        test = (["Ann"] * 180, [[ANN]] * 180, [[ANN] if one else [] for one in hit])
        never = entity_recall(Counter(), test, groups, Plan())[0]
        covered += never.low <= 0.7 <= never.high
    assert covered >= 182
