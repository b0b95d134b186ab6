"""Where a system is worst: rules of one or two conditions, found on one half of the examples, measured on the other.

A rule that is searched for among thousands looks worse on the examples it was found on than it is: the best of many
noisy numbers. So the halves share no example (no group), rules are ranked on the first, and the few best are tested on
the second, with Holm's correction over those few. Only numbers of the second half are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.evaluation.conditions import Condition, Conditions, conditions_of
from truetune.evaluation.families import Fields
from truetune.evaluation.slice_tests import Parts, against_rest
from truetune.evaluation.tables import Aligned
from truetune.metrics.chrf import CHRF
from truetune.metrics.qa import F1, qa_rows
from truetune.stats.adjust import holm
from truetune.stats.binomial import wilson
from truetune.stats.linearised import effective_wilson, linearised
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile
from truetune.types import Bools, Floats, Ints

FEWEST = 15
"""Examples of the first half that a rule must hold, and at least one in a hundred."""
TESTED = 10
LEAST_Z = 2.0
"""By how many standard errors of chance the first half has to be worse for a rule to be tested at all."""
ALIKE = 0.6
"""Rules that share more than this of their examples (of both together) are one."""
SHOWN = 8
FEWEST_EXAMPLES = 200
"""Below it no half is large enough to find, and to confirm, anything."""

Rule = tuple[int, ...]
"""Columns of the conditions that all hold."""


@dataclass(frozen=True)
class Weak:
    """A slice in which the system is worse, as the second half shows it."""

    rule: tuple[Condition, ...]
    examples: int
    value: float
    """Mean loss in the slice."""
    low: float
    high: float
    rest: float
    """Mean loss of all other examples of the second half."""
    difference: float
    p_value: float
    p_adjusted: float
    shown: bool
    """Whether it is shown to be worse than the rest, with all rules that were tested."""
    places: tuple[int, ...]
    """Some of the wrong examples."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        numbers = ("value", "low", "high", "rest", "difference", "p_value", "p_adjusted")
        return {
            "rule": [one.to_dict() for one in self.rule],
            "examples": self.examples,
            **{name: _known(getattr(self, name)) for name in numbers},
            "shown": self.shown,
            "places": list(self.places),
        }


@dataclass(frozen=True)
class WeakSlices:
    """What was found, and how much was looked at."""

    loss: str
    """What is worse where it is higher: `wrong`, `1 - F1`, `1 - chrF`, `absolute error`."""
    examples: int
    found_on: int
    confirmed_on: int
    rules: int
    """Rules that were ranked on the first half."""
    mean: float
    """Of the loss over the second half."""
    slices: tuple[Weak, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "loss": self.loss,
            "examples": self.examples,
            "found_on": self.found_on,
            "confirmed_on": self.confirmed_on,
            "rules": self.rules,
            "mean": self.mean,
            "slices": [one.to_dict() for one in self.slices],
        }


def weak_slices(table: Aligned, plan: Plan) -> WeakSlices | None:
    """Return where the table's system is worst; None where there are too few examples, or no loss of one example."""
    found = loss_of(table.gold, table.predicted)
    if found is None or len(table) < FEWEST_EXAMPLES:
        return None
    name, loss = found
    first, second = _halves(table, plan)
    if not (len(first) and len(second)):
        return None
    conditions = conditions_of(table.gold, table.predicted, table.others, first)
    ranked, number = _ranked(conditions.true[first], conditions.apart, loss[first])
    slices = _tested(ranked, conditions, loss, (table, second), plan)
    return WeakSlices(name, len(table), len(first), len(second), number, float(loss[second].mean()), tuple(slices))


def loss_of(gold: Fields, predicted: Fields) -> tuple[str, Floats] | None:
    """Return what each example loses `[examples]`, and its name; None for fields of which no single example has one."""
    for name in ("label", "labels", "spans"):
        if name in gold and name in predicted:
            pairs = zip(gold[name], predicted[name], strict=True)
            unlike = [one != other if name == "label" else set(one) != set(other) for one, other in pairs]
            return "wrong", np.array(unlike, dtype=np.float64)
    if "answers" in gold and "answer" in predicted:
        return "1 - F1", 1 - qa_rows(gold["answers"], predicted["answer"]).dense()[:, F1]
    if "value" in gold and "value" in predicted:
        values = (np.asarray(one["value"], dtype=np.float64) for one in (gold, predicted))
        return "absolute error", np.abs(np.subtract(*values))
    if "references" in gold and "text" in predicted:
        rows = CHRF.rows(gold["references"], predicted["text"])
        each = np.array([float(CHRF.formula(row)) for row in rows.table.astype(np.float64)])
        return "1 - chrF", 1 - np.nan_to_num(each[rows.index]) / (100 if np.nanmax(each, initial=0) > 1 else 1)
    return None


def _halves(table: Aligned, plan: Plan) -> tuple[Ints, Ints]:
    owner = np.arange(len(table)) if table.groups is None else table.groups
    units = int(owner.max()) + 1
    first = np.zeros(units, dtype=np.bool_)
    first[plan.generator("halves of weak slices").permutation(units)[: units // 2]] = True
    return np.flatnonzero(first[owner]).astype(np.int64), np.flatnonzero(~first[owner]).astype(np.int64)


def _ranked(true: Bools, apart: Bools, loss: Floats) -> tuple[list[Rule], int]:
    """Return the rules of the first half that are worst by standard errors of chance, and how many were looked at."""
    held = true.astype(np.float64)
    sizes, sums = held.T @ held, held.T @ (held * loss[:, None])
    mean, spread = float(loss.mean()), float(loss.std())
    least = max(FEWEST, len(loss) // 100)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where((sizes >= least) & ~apart & (spread > 0), (sums / sizes - mean) * np.sqrt(sizes) / spread, -np.inf)
    rows, columns = np.triu_indices(len(sizes))
    scores = z[rows, columns]
    own = np.diag(z)
    # A second condition must make a rule plainly worse than each condition alone.
    needed = np.where(rows == columns, -np.inf, np.maximum(own[rows], own[columns]) + 0.5)
    scores = np.where(scores > needed, scores, -np.inf)
    chosen: list[Rule] = []
    covered: list[Bools] = []
    for place in np.argsort(-scores, kind="stable").tolist():
        if scores[place] < LEAST_Z or len(chosen) == TESTED:
            break
        rule = tuple(dict.fromkeys((int(rows[place]), int(columns[place]))))
        inside = _inside(true, rule)
        if all((inside & other).sum() <= ALIKE * (inside | other).sum() for other in covered):
            chosen.append(rule)
            covered.append(inside)
    return chosen, int(((sizes >= least) & ~apart)[rows, columns].sum())


def _inside(true: Bools, rule: Rule) -> Bools:
    """Return the examples of which all conditions of a rule are true."""
    found: Bools = np.logical_and.reduce([true[:, place] for place in rule])
    return found


def _tested(
    rules: Sequence[Rule], conditions: Conditions, loss: Floats, where: tuple[Aligned, Ints], plan: Plan
) -> list[Weak]:
    table, second = where
    own = loss[second]
    groups = None if table.groups is None else np.unique(table.groups[second], return_inverse=True)[1]
    parts = Parts(own, np.ones_like(own), groups)
    found = []
    for rule in rules:
        inside = _inside(conditions.true[second], rule)
        found.append((rule, inside, against_rest(parts, inside, plan.level)))
    adjusted = holm([difference.p_greater for *_, difference in found])
    weak = []
    for (rule, inside, difference), p_adjusted in zip(found, adjusted, strict=True):
        low, high = _bounds(own, inside, groups, plan)
        wrong = second[inside & (own > own.mean())]
        weak.append(
            Weak(
                rule=tuple(conditions.each[place] for place in rule),
                examples=int(inside.sum()),
                value=difference.inside,
                low=low,
                high=high,
                rest=difference.rest,
                difference=difference.difference,
                p_value=difference.p_greater,
                p_adjusted=p_adjusted,
                shown=bool(p_adjusted < plan.alpha),
                places=tuple(wrong[np.argsort(-loss[wrong], kind="stable")][:SHOWN].tolist()),
            )
        )
    return sorted(weak, key=lambda one: (not one.shown, -one.difference if one.difference == one.difference else 0.0))


def _bounds(loss: Floats, inside: Bools, groups: Ints | None, plan: Plan) -> tuple[float, float]:
    """Return the bounds of the share of losses inside a slice, whose examples depend on each other within groups."""
    if not inside.any() or not np.isin(loss[inside], (0.0, 1.0)).all():
        return float("nan"), float("nan")
    share, size = float(loss[inside].mean()), int(inside.sum())
    if groups is None:
        return wilson(share * size, size, normal_quantile(plan.tail))
    change, sizes = (
        np.bincount(groups, np.where(inside, values, 0.0) / size).astype(np.float64)
        for values in (loss - share, np.ones_like(loss))
    )
    units = linearised(change, sizes, np.ones_like(sizes), share)
    if not np.isfinite(units.standard_error):
        return float("nan"), float("nan")
    return effective_wilson(units, size, float((sizes > 0).sum()), plan.tail)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
