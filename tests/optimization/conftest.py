"""A runner whose trials cost nothing: answers drawn with a known share of right ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from truetune.optimization.race import Judge
from truetune.optimization.trial import Rung
from truetune.tasks.table import task_named

RUNGS = (0.25, 0.5, 0.75, 1.0)


def accuracy() -> Any:
    return next(one for one in task_named("classification").scoring.metrics if one.name == "accuracy")


def answers(gold: list[str], share: float, rng: np.random.Generator) -> list[str]:
    """Return answers of which this share is right, the same number in every draw up to chance."""
    right = rng.random(len(gold)) < share
    other = {"a": "b", "b": "a"}
    return [one if good else other[one] for one, good in zip(gold, right, strict=True)]


class Drawn:
    """Skill is a function of the changes; luck is one of the seed and the changes, as in real training."""

    def __init__(self, skill: Callable[[Mapping[str, Any]], float], examples: int = 400) -> None:
        rng = np.random.default_rng(5)
        self.gold = {part: rng.choice(["a", "b"], examples).tolist() for part in ("search", "confirm")}
        self.skill = skill
        self.rungs_trained = 0
        self.asked: list[tuple[dict[str, Any], int, bool]] = []

    def judge(self, part: str) -> Judge:
        return Judge(accuracy(), {"label": self.gold[part]})

    def run(self, changes: Mapping[str, Any], seed: int, confirms: bool) -> Iterator[Rung]:
        self.asked.append((dict(changes), seed, confirms))
        rng = np.random.default_rng(list(f"{sorted(changes.items())} {seed}".encode()))
        for share in RUNGS:
            self.rungs_trained += 1
            skill = 0.5 + (self.skill(changes) - 0.5) * share
            yield Rung(share, {"label": answers(self.gold["search"], skill, rng)}, 10 * share)
        if confirms:
            yield Rung(1.0, {"label": answers(self.gold["confirm"], self.skill(changes), rng)}, 10.5, "confirm")


@pytest.fixture
def drawn() -> Callable[..., Drawn]:
    """Return the function that makes such a runner."""
    return Drawn
