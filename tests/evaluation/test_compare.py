"""Comparisons of several candidates, metrics and slices: what is adjusted over what, and by which method."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import truetune
from truetune.errors import DataError
from truetune.evaluation.compare import ComparisonResult, Gate, compared
from truetune.evaluation.tables import aligned
from truetune.stats.adjust import benjamini_hochberg, holm
from truetune.stats.plan import Plan
from truetune.tasks.classification import CLASSIFICATION

PLAN = Plan(resamples=1_000)
LABELS = ("a", "b", "c")


def records(shares: tuple[float, ...], number: int = 300, seed: int = 0) -> tuple[list[dict[str, Any]], list[Any]]:
    """Gold, and systems that are right on such shares of the examples."""
    rng = np.random.default_rng(seed)
    gold = rng.choice(LABELS, number).tolist()
    part = ["rare" if place < 12 else "xy"[place % 2] for place in range(number)]
    rows = [
        {"label": label, "part": where, "document": place // 4}
        for place, (label, where) in enumerate(zip(gold, part, strict=True))
    ]
    systems = [
        [label if right else LABELS[(LABELS.index(label) + 1) % 3] for label, right in zip(gold, hits, strict=True)]
        for hits in (rng.random(number) < share for share in shares)
    ]
    return rows, systems


def run(
    shares: tuple[float, ...], *, group: str | None = None, gate: Gate | None = None, **more: Any
) -> ComparisonResult:
    gold, systems = records(shares, **{key: more.pop(key) for key in ("number", "seed") if key in more})
    named = dict(zip("ABCD", systems, strict=False))
    table = aligned(CLASSIFICATION.scoring, gold, named, group)
    return compared(CLASSIFICATION, table, gate=gate or Gate(plan=PLAN), **more)


def test_one_candidate_in_the_metric_that_decides_is_not_adjusted() -> None:
    first, *others = run((0.7, 0.76)).comparisons
    assert (first.metric, first.p_adjusted, first.correction) == ("accuracy", first.p_value, "")
    assert {one.correction for one in others} == {f"step-down max-T over {len(others)} tests, 1,000 joint swaps"}
    assert all(one.p_adjusted >= one.p_value for one in others)


def test_metrics_that_go_together_cost_less_than_by_holm() -> None:
    others = run((0.7, 0.79)).comparisons[1:]
    by_holm = holm([one.p_value for one in others])
    assert np.mean([one.p_adjusted for one in others]) < 0.5 * np.mean(by_holm)


def test_several_candidates_are_adjusted_in_the_metric_that_decides() -> None:
    found = run((0.7, 0.76, 0.77, 0.7)).comparisons
    deciding = [one for one in found if one.metric == "accuracy"]
    assert [one.candidate for one in deciding] == ["B", "C", "D"]
    assert {one.correction for one in deciding} == {"step-down max-T over 3 tests, 1,000 joint swaps"}
    assert all(one.p_adjusted >= one.p_value for one in deciding)
    assert min(one.p_adjusted for one in deciding) > min(one.p_value for one in deciding)
    assert len({one.correction for one in found}) == 2


def test_the_same_candidate_twice_costs_nothing() -> None:
    gold, (base, better) = records((0.7, 0.8))
    table = aligned(CLASSIFICATION.scoring, gold, {"A": base, "B": better, "C": better})
    twice = [
        one for one in compared(CLASSIFICATION, table, gate=Gate(plan=PLAN)).comparisons if one.metric == "accuracy"
    ]
    assert twice[0].p_adjusted == pytest.approx(twice[0].p_value, abs=0.005)
    assert twice[0].p_adjusted == twice[1].p_adjusted


def test_identical_systems_have_p_values_of_one() -> None:
    gold, (base,) = records((0.7,))
    table = aligned(CLASSIFICATION.scoring, gold, {"A": base, "B": base, "C": base})
    found = compared(CLASSIFICATION, table, gate=Gate(plan=PLAN))
    assert {(one.p_value, one.p_adjusted) for one in found.comparisons} == {(1.0, 1.0)}
    assert not found.passed


def test_margins_are_adjusted_over_candidates() -> None:
    gate = Gate(margin=0.06, plan=PLAN)
    alone = run((0.75, 0.75), gate=gate).comparisons[0]
    together = [one for one in run((0.75, 0.75, 0.75, 0.75), gate=gate).comparisons if one.metric == "accuracy"]
    assert alone.correction == ""
    assert together[0].correction.endswith("margin: Holm over 3 candidates")
    assert together[0].p_margin > alone.p_margin
    assert np.isnan(run((0.75, 0.75)).comparisons[0].p_margin)
    assert run((0.75, 0.75)).comparisons[0].to_dict()["p_margin"] is None


def test_slices_are_compared_and_adjusted_together() -> None:
    found = run((0.7, 0.8, 0.75), slice_by="part")
    assert [(part.column, part.value) for part in found.slices] == [("part", "rare"), ("part", "x"), ("part", "y")]
    tests = [one for part in found.slices for one in part.comparisons]
    assert {one.metric for one in tests} == {"accuracy"}
    assert [one.p_adjusted for one in tests] == benjamini_hochberg([one.p_value for one in tests])
    assert {one.correction for one in tests} == {"Benjamini-Hochberg over 6 slices and candidates"}
    assert found.slices[0].warning == "12 examples: too few to measure"
    assert any("rare (12 examples)" in warning for warning in found.warnings)
    assert not found.slices[1].warning
    assert found.to_dict()["slices"][0]["comparisons"][0]["candidate"] == "B"
    assert "slices" not in run((0.7, 0.8)).to_dict()
    with pytest.raises(DataError, match="did you mean 'part'"):
        run((0.7, 0.8), slice_by="parts")


def test_groups_are_the_unit_of_swapping_everywhere() -> None:
    found = run((0.7, 0.8), group="document", slice_by="part")
    assert all("groups" in one.signature for one in found.comparisons)
    assert "3 groups" in found.slices[0].warning
    assert run((0.7, 0.8), group="document", number=120).warnings == (
        "only 30 groups: intervals and tests by group need about 50 to hold what they promise",
    )


def test_the_doctor_looks_at_every_system() -> None:
    gold = np.random.default_rng(0).choice(list("abc"), 300).tolist()
    fair = [label if place % 7 else "a" for place, label in enumerate(gold)]
    shifted = [{"a": "b", "b": "c", "c": "a"}[one] for one in fair]
    found = truetune.compare(task="classification", gold=gold, predicted={"fair": fair, "shifted": shifted})
    assert found.findings["fair"] == ()
    assert [one.check for one in found.findings["shifted"]] == ["label order"]
    assert found.to_dict()["findings"][0]["system"] == "shifted"
    assert [warning for warning in found.warnings if warning.startswith("shifted: label order (300)")]
    unlabelled = truetune.compare(task="classification", gold=["0"] * 60, predicted=[["0", "1"] * 30, ["1", "0"] * 30])
    assert [warning[:16] for warning in unlabelled.warnings].count("placeholder gold") == 1


def test_the_warnings_of_a_score_are_those_of_a_comparison() -> None:
    spans = [[[0, 2, "X"], [1, 3, "X"]]] + [[[0, 2, "X"]]] * 11
    rare = [[[0, 2, "X"]]] * 11 + [[[0, 2, "Y"]]]
    found = truetune.compare(task="ner", gold=rare, predicted={"old": rare, "new": spans}, gate=Gate(plan=PLAN))
    low = [one for one in found.warnings if one.startswith("fewer than 10 gold examples of Y (1)")]
    assert low == [one for one in truetune.evaluate(task="ner", gold=rare, predicted=rare).warnings if one in low]
    assert len(low) == 1, "what gold lacks is told once, of no system"
    alone = [one for one in truetune.evaluate(task="ner", gold=rare, predicted=spans).warnings if "overlap" in one]
    assert len(alone) == 1
    assert f"new: {alone[0]}" in found.warnings
    assert not any(one.startswith("old: ") for one in found.warnings)
    both = truetune.compare(task="ner", gold=rare, predicted={"old": spans, "new": spans}, gate=Gate(plan=PLAN))
    assert alone[0] in both.warnings, "what all systems show is told once"


def test_improper_tags_are_told_where_systems_are_compared() -> None:
    gold = [["B-X", "I-X", "O"]] * 20
    improper = [["O", "I-X", "O"]] * 20
    alone = truetune.evaluate(task="ner", gold=[{"tags": one} for one in gold], predicted=improper).warnings
    told = [one for one in alone if "imprope" in one or "repair" in one or "begin" in one]
    found = truetune.compare(
        task="ner", gold=[{"tags": one} for one in gold], predicted={"a": gold, "b": improper}, gate=Gate(plan=PLAN)
    )
    assert told
    assert all(f"b: {one}" in found.warnings for one in told)


def test_clean_systems_give_no_warning() -> None:
    gold, said = ["a", "b"] * 15, ["a", "b", "b"] * 10
    assert (
        truetune.compare(task="classification", gold=gold, predicted=[said, gold], gate=Gate(plan=PLAN)).warnings == ()
    )
