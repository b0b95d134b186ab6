"""Thresholds: by hand, by trying all of them, and floors that hold for new examples as often as they are sure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.decisions.choosing import chosen
from truetune.decisions.thresholds import NEVER, Rule, best_cut, cuts_of
from truetune.errors import MetricError
from truetune.stats.plan import Plan
from truetune.types import Bools, Floats

GOLD = np.array([True, True, False, True, False, False])
SCORE = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.1])


def threshold(rule: Rule, gold: Bools = GOLD, score: Floats = SCORE) -> float:
    cuts = cuts_of(gold, score)
    return float(cuts.thresholds[int(best_cut(cuts.tallied(), rule))])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("f1"), 0.35),  # 3 of 4 said right, all found: 6/7; two of two: 4/5
        (Rule("cost"), 0.75),  # errors: none said 3, one 2, two 1, three 2, four 1: the highest of the two with 1
        (Rule("cost", missed_cost=5), 0.35),
        (Rule("cost", false_cost=5), 0.75),
        (Rule("precision", 0.7), 0.35),  # 3 of 4
        (Rule("precision", 0.9), 0.75),  # 2 of 2
        (Rule("recall", 0.6), 0.75),  # 2 of 3
        (Rule("recall", 0.7), 0.35),
    ],
)
def test_by_hand(rule: Rule, expected: float) -> None:
    assert threshold(rule) == pytest.approx(expected)


def test_a_floor_that_nothing_keeps() -> None:
    assert threshold(Rule("precision", 0.9), ~GOLD) == NEVER
    few = chosen("x", GOLD, SCORE, Rule("recall", 0.9, sure=0.95), Plan(resamples=100))
    assert few.threshold == 0
    assert "too few examples have the label" in few.reason
    never = chosen("x", ~GOLD, SCORE, Rule("precision", 0.9), Plan(resamples=100))
    assert never.reason.startswith("no threshold keeps the floor")


@given(st.integers(0, 10_000), st.sampled_from(["f1", "cost", "precision", "recall"]))
def test_no_other_threshold_is_better(seed: int, by: str) -> None:
    rng = np.random.default_rng(seed)
    score = rng.random(30).round(1)
    gold = rng.random(30) < score
    rule = Rule(by, floor=0.6, missed_cost=2)  # type: ignore[arg-type]
    said = score >= threshold(rule, gold, score)

    def worth(said: Bools) -> float:
        hits = int((said & gold).sum())
        if by == "f1":
            return 2 * hits / max(said.sum() + gold.sum(), 1)
        if by == "cost":
            return -float((said & ~gold).sum() + 2 * (~said & gold).sum())
        if by == "precision":
            return hits if said.any() and hits >= 0.6 * said.sum() - 1e-9 else -1
        return -int(said.sum()) if gold.any() and hits >= 0.6 * gold.sum() - 1e-9 else -1000

    best = max(worth(score >= one) for one in [*np.linspace(-0.05, 1.05, 12)])
    assert worth(said) >= best - 1e-12 or best in (-1, -1000)


def test_one_score_for_all_leaves_two_cuts() -> None:
    cuts = cuts_of(GOLD, np.full(6, 0.5))
    assert cuts.thresholds.tolist() == [NEVER, 0]
    assert cuts.ends.tolist() == [0, 6]


def test_unlike_lengths_are_refused() -> None:
    with pytest.raises(MetricError, match="expected one each"):
        cuts_of(GOLD, SCORE[:3])


def test_weights_are_repeated_examples() -> None:
    weights = np.array([2, 0, 1, 1, 0, 3])
    weighted = cuts_of(GOLD, SCORE).tallied(weights)
    repeated = cuts_of(np.repeat(GOLD, weights), np.repeat(SCORE, weights)).tallied()
    for name, cost in weighted.measures(Rule("f1")).items():
        assert set(np.round(cost[np.isfinite(cost)], 9)) == set(
            np.round((other := repeated.measures(Rule("f1"))[name])[np.isfinite(other)], 9)
        )


def sample(rng: np.random.Generator, examples: int) -> tuple[Bools, Floats]:
    score = rng.beta(0.6, 0.6, examples)
    return rng.random(examples) < score, score


@pytest.mark.parametrize("by", ["precision", "recall"])
def test_a_sure_floor_holds_for_new_examples(by: str) -> None:
    """Of 200 validation parts, with a risk of 10 %: 20 ± 8.5 (two standard errors) may fail at most."""
    rng = np.random.default_rng(0)
    gold, score = sample(rng, 200_000)
    failed = {None: 0, 0.9: 0}
    for _ in range(200):
        own_gold, own_score = sample(rng, 400)
        for sure in failed:
            cut = threshold(Rule(by, 0.85, sure), own_gold, own_score)  # type: ignore[arg-type]
            said = score >= cut
            hits = (said & gold).sum()
            failed[sure] += bool(hits < 0.85 * (said.sum() if by == "precision" else gold.sum()))
    assert failed[0.9] <= 28
    assert failed[None] >= 60, "without being sure, the floor that holds on validation fails about half the time"


def test_the_interval_covers_what_the_threshold_is_worth_on_others() -> None:
    """95 % intervals of F1 and precision at the chosen threshold: at least 54 of 60 (P(X < 54) is .04 at .95)."""
    rng = np.random.default_rng(1)
    gold, score = sample(rng, 200_000)
    covered = {"f1": 0, "precision": 0}
    bias = []
    for _ in range(60):
        own_gold, own_score = sample(rng, 200)
        choice = chosen("x", own_gold, own_score, Rule("f1"), Plan(resamples=300))
        said = score >= choice.threshold
        hits = float((said & gold).sum())
        true = {"f1": 2 * hits / (said.sum() + gold.sum()), "precision": hits / said.sum()}
        for name in covered:
            covered[name] += choice.worth[name].low <= true[name] <= choice.worth[name].high
        bias.append((choice.worth["f1"].seen - true["f1"], choice.worth["f1"].value - true["f1"]))
    assert min(covered.values()) >= 53
    seen, corrected = np.mean(bias, axis=0)
    assert abs(corrected) < abs(seen)


def test_groups_are_drawn_whole() -> None:
    """Ten copies of each example in a group of their own say no more than the example: as wide an interval."""
    rng = np.random.default_rng(2)
    gold, score = sample(rng, 80)
    plan = Plan(resamples=2000)
    alone = chosen("x", gold, score, Rule("f1"), plan)
    copies = chosen("x", np.repeat(gold, 10), np.repeat(score, 10), Rule("f1"), plan, np.repeat(np.arange(80), 10))
    blind = chosen("x", np.repeat(gold, 10), np.repeat(score, 10), Rule("f1"), plan)

    def width(choice: object) -> float:
        worth = choice.worth["f1"]  # type: ignore[attr-defined]
        return float(worth.high - worth.low)

    assert width(copies) == pytest.approx(width(alone), rel=0.15)
    assert width(blind) < 0.6 * width(alone)
