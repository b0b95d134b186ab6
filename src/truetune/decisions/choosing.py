"""A chosen threshold with what the choice leaves open: how else it could have fallen, and what it is worth on others.

The value on the examples that a threshold was chosen by is too good. The bootstrap repeats the choice: on each resample
a threshold is chosen, and its value on the resample, less its value on all examples, is how much too good the choice
looks (Efron 1983). The mean of that is taken off; its quantiles, turned round, are the interval (the basic bootstrap).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.decisions.thresholds import Rule, best_cut, cuts_of
from truetune.stats.binomial import wilson
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile
from truetune.stats.resampling import chunks
from truetune.types import Bools, Floats, Ints

MOST, FEWEST = 2000, 200
WORK = 20_000_000
"""Resamples: each goes over all examples, so that there are fewer of many examples."""
MEASURES = ("precision", "recall", "f1", "cost")


@dataclass(frozen=True)
class Worth:
    """What a threshold is worth in one measure."""

    seen: float
    """On the examples it was chosen by; NaN where undefined."""
    value: float
    """That, less what choosing makes it look too good."""
    low: float
    high: float
    """Of the value on new examples, at the plan's level."""


@dataclass(frozen=True)
class Choice:
    """A threshold of one label, and how it was chosen."""

    label: str
    rule: Rule
    threshold: float
    low: float
    high: float
    """Between these the threshold falls in that share of resamples which the plan's level says."""
    examples: int
    gold: int
    worth: Mapping[str, Worth]
    kept: float | None
    """In which share of the resamples the floor holds on all examples; None without a floor."""
    reason: str = ""
    """Why the rule could not be followed; empty where it could."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: undefined numbers are None."""
        rule: dict[str, Any] = {"by": self.rule.by}
        if self.rule.by == "cost":
            rule |= {"false_cost": self.rule.false_cost, "missed_cost": self.rule.missed_cost}
        if self.rule.by in ("precision", "recall"):
            rule |= {"floor": self.rule.floor, "sure": self.rule.sure}
        numbers = {
            name: {key: _number(getattr(one, key)) for key in ("seen", "value", "low", "high")}
            for name, one in self.worth.items()
        }
        return {
            "label": self.label,
            **rule,
            "threshold": self.threshold,
            "low": self.low,
            "high": self.high,
            "examples": self.examples,
            "gold": self.gold,
            "kept": self.kept,
            "reason": self.reason or None,
            "worth": numbers,
        }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def chosen(label: str, gold: Bools, score: Floats, rule: Rule, plan: Plan, groups: Ints | None = None) -> Choice:
    """Choose the threshold of a label by gold and score `[examples]`, and repeat the choice on resamples.

    Resamples are of whole groups (`[examples]`, numbers from 0) where there are some.
    """
    cuts = cuts_of(gold, score)
    tallies = cuts.tallied()
    place = int(best_cut(tallies, rule))
    seen = tallies.measures(rule)
    number = min(plan.resamples, MOST, max(FEWEST, WORK // len(gold)))
    rng = plan.generator(f"threshold of {label}")
    others = np.zeros(number, dtype=np.int64)
    too_good = {name: np.full(number, np.nan) for name in MEASURES}
    units = len(gold) if groups is None else int(groups.max()) + 1
    for part in chunks(number, 6 * len(gold)):
        weights = rng.multinomial(units, np.full(units, 1 / units), size=part.stop - part.start)
        drawn = cuts.tallied(weights if groups is None else weights[:, groups])
        best = best_cut(drawn, rule)
        others[part] = best
        for name, values in drawn.measures(rule).items():
            there = np.take_along_axis(values, best[:, None], axis=1)[:, 0]
            too_good[name][part] = there - seen[name][best]
    tail = 1 - plan.tail
    low, high = np.quantile(cuts.thresholds[others], (tail, 1 - tail))
    worth = {name: _worth(float(seen[name][place]), too_good[name], tail) for name in MEASURES}
    said, hits, total = int(tallies.said[place]), int(tallies.hits[place]), int(gold.sum())
    for name, trials in (("precision", said), ("recall", total)):
        worth[name] = _widened(worth[name], trials, tail)
    if total and hits == total == said:
        worth["f1"] = _widened(worth["f1"], total, tail)
    kept = None
    if rule.by in ("precision", "recall"):
        kept = float((np.nan_to_num(seen[rule.by][others], nan=1.0) >= rule.floor - 1e-12).mean())
    return Choice(
        label=label,
        rule=rule,
        threshold=float(cuts.thresholds[place]),
        low=float(low),
        high=float(high),
        examples=len(gold),
        gold=total,
        worth=worth,
        kept=kept,
        reason=_reason(rule, float(np.nan_to_num(seen[rule.by][place], nan=-1.0)), total, said),
    )


def _reason(rule: Rule, reached: float, gold: int, said: int) -> str:
    if not gold:
        return "no validation example has the label: nothing could be chosen"
    if rule.by == "precision" and not said:
        return "no threshold keeps the floor, so that the label is never said"
    if rule.by == "recall" and rule.sure is not None and rule.floor**gold > 1 - rule.sure:
        return "too few examples have the label to be that sure of the floor, so that it is always said"
    return ""


def _worth(seen: float, too_good: Floats, tail: float) -> Worth:
    known = too_good[np.isfinite(too_good)]
    if not np.isfinite(seen) or not len(known):
        return Worth(seen, float("nan"), float("nan"), float("nan"))
    low, high = seen - np.quantile(known, 1 - tail), seen - np.quantile(known, tail)
    return Worth(seen, max(seen - float(known.mean()), 0.0), max(float(low), 0.0), float(high))


def _widened(worth: Worth, trials: int, tail: float) -> Worth:
    """Return a share that is nowhere surer than Wilson's bounds allow: resamples of all hits are all hits."""
    if not np.isfinite(worth.value) or not trials:
        return worth
    value = min(worth.value, 1.0)
    low, high = wilson(value * trials, trials, normal_quantile(1 - tail))
    return Worth(worth.seen, value, min(worth.low, low), min(max(worth.high, high), 1.0))
