"""How often a model breaks what is expected of it when texts are changed, with Wilson's intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truetune.errors import DataError, nearest
from truetune.evaluation.behaviour.changes import CHANGES, Change
from truetune.stats.binomial import wilson
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile

TOLERANCE = 0.1
"""By how much the probability of the label may rise where it should not."""
SHOWN = 5

Predict = Callable[[Sequence[tuple[int, str]]], Sequence[Mapping[str, Any]]]
"""Numbers of texts, and the texts, to predictions with `label` or `labels`, and `scores`."""


@dataclass(frozen=True)
class Broken:
    """A text whose answer is not what was expected."""

    text: str
    changed: str
    before: str
    after: str


@dataclass(frozen=True)
class Checked:
    """One kind of change."""

    name: str
    about: str
    expected: str
    changed: int
    """Texts to which it applies."""
    broken: int
    rate: float
    low: float
    high: float
    examples: tuple[Broken, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; the rate of no texts is None."""
        numbers = {name: getattr(self, name) if self.changed else None for name in ("rate", "low", "high")}
        return {
            "change": self.name,
            "about": self.about,
            "expected": self.expected,
            "changed": self.changed,
            "broken": self.broken,
            **numbers,
            "examples": [vars(one) for one in self.examples],
        }


def checked(texts: Sequence[str], predict: Predict, judged: Sequence[str], plan: Plan) -> tuple[Checked, ...]:
    """Return how the model takes each change of the texts.

    A negation is expected to lower, or leave (within `TOLERANCE`), the probability of the label that was given; only
    texts with a label of `judged` are asked so: labels that a negation turns round, as positive and negative. Without
    any, negations are left out. Raises `DataError` for a label that no text gets.
    """
    plain = list(predict(list(enumerate(texts)))) if texts else []
    given = sorted({label for one in plain for label in (*_labels(one), *one.get("scores", ()))})
    for label in judged:
        if plain and label not in given:
            raise DataError(f"--judged: the model has no label {label!r}; {nearest(label, given)}")
    return tuple(
        _checked(change, list(zip(texts, plain, strict=True)), (predict, judged), plan)
        for change in CHANGES
        if change.expected == "same" or judged
    )


def _checked(
    change: Change, known: Sequence[tuple[str, Mapping[str, Any]]], asked: tuple[Predict, Sequence[str]], plan: Plan
) -> Checked:
    predict, judged = asked
    rng = plan.generator(f"change {change.name}")
    pairs = []
    for place, (text, said) in enumerate(known):
        if change.expected == "less" and said.get("label") not in judged:
            continue
        other = change.apply(text, rng)
        if other is not None and other != text:
            pairs.append((place, text, said, other))
    after = predict([(place, other) for place, *_, other in pairs]) if pairs else []
    broken = [
        Broken(text, other, _shown(said), _shown(now))
        for (_, text, said, other), now in zip(pairs, after, strict=True)
        if _breaks(change, said, now)
    ]
    low, high = wilson(len(broken), len(pairs), normal_quantile(plan.tail)) if pairs else (float("nan"), float("nan"))
    rate = len(broken) / len(pairs) if pairs else float("nan")
    return Checked(
        change.name, change.about, change.expected, len(pairs), len(broken), rate, low, high, tuple(broken[:SHOWN])
    )


def _breaks(change: Change, said: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    if change.expected == "same":
        return _labels(said) != _labels(now)
    label = said["label"]
    return bool(now["scores"][label] > said["scores"][label] + TOLERANCE)


def _labels(said: Mapping[str, Any]) -> list[str]:
    return sorted(said["labels"]) if "labels" in said else [said["label"]]


def _shown(said: Mapping[str, Any]) -> str:
    labels = ", ".join(_labels(said)) or "none"
    score = said["scores"].get(said["label"]) if "label" in said and "scores" in said else None
    return labels if score is None else f"{labels} ({score:.2f})"
