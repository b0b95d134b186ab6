"""Leads, and when a trial is stopped."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import pytest

from truetune.optimization.race import Judge, Lead, Race
from truetune.tasks.table import task_named


def judge(gold: list[str], metric: str = "accuracy", groups: np.ndarray | None = None) -> Judge:
    metrics = task_named("classification").scoring.metrics
    return Judge(next(one for one in metrics if one.name == metric), {"label": gold}, groups)  # type: ignore[arg-type]


def test_the_lead_of_shares_of_right_answers_is_the_paired_difference_with_its_standard_error() -> None:
    gold = ["a"] * 10
    best = {"label": ["a"] * 7 + ["b"] * 3}
    candidate = {"label": ["a"] * 5 + ["b"] * 2 + ["a"] * 1 + ["b"] * 2}
    lead = judge(gold).lead(best, candidate)
    differences = np.array([0] * 5 + [-1] * 2 + [1] + [0] * 2)
    assert lead.difference == pytest.approx(-0.1)
    assert lead.error == pytest.approx(differences.std(ddof=1) / sqrt(10))


def test_groups_are_the_units_of_the_standard_error() -> None:
    gold = ["a"] * 8
    best, candidate = {"label": ["a"] * 8}, {"label": ["b", "b", "a", "a", "a", "a", "a", "a"]}
    apart = judge(gold).lead(best, candidate)
    together = judge(gold, groups=np.array([0, 0, 1, 1, 2, 2, 3, 3])).lead(best, candidate)
    assert together.difference == apart.difference
    assert together.error > apart.error


def test_a_lead_in_a_metric_where_less_is_better_counts_the_other_way() -> None:
    scores = [{"a": 0.9, "b": 0.1}, {"a": 0.2, "b": 0.8}]
    worse = [{"a": 0.6, "b": 0.4}, {"a": 0.5, "b": 0.5}]
    lead = judge(["a", "b"], "log_loss").lead({"scores": scores}, {"scores": worse})
    assert lead.difference < 0


@pytest.mark.parametrize(("difference", "error", "margin"), [(0.02, 0.01, 0.0), (0.0, 0.01, 0.0), (0.01, 0.02, 0.03)])
def test_the_chance_of_a_lead_is_the_normal_tail(difference: float, error: float, margin: float) -> None:
    expected = erfc(-(difference - margin) / error / sqrt(2)) / 2
    assert Lead(difference, error).chance(margin) == pytest.approx(expected)


def test_equal_answers_may_still_part() -> None:
    same = {"label": ["a", "b"]}
    assert judge(["a", "b"]).lead(same, same) == Lead(0.0, 0.0)
    assert not Race().hopeless(Lead(0.0, 0.0), 0.25)
    # Early in training many say the most frequent label alone; a margin must not stop all of them for that.
    assert not Race(margin=0.01).hopeless(Lead(0.0, 0.0), 0.25)
    assert Race().hopeless(Lead(-0.1, 0.0), 0.25)


def test_what_is_behind_is_stopped_sooner_late_in_training() -> None:
    behind, race = Lead(-0.02, 0.01), Race(risk=0.1)
    assert behind.chance(0.0) == pytest.approx(0.0228, abs=1e-4)
    assert not race.hopeless(behind, 0.2)
    assert race.hopeless(behind, 0.5)
    assert not Race(risk=0.0).hopeless(behind, 1.0)


def test_a_margin_stops_what_could_only_lead_by_less() -> None:
    equal = Lead(0.0, 0.005)
    assert not Race().hopeless(equal, 1.0)
    assert Race(margin=0.01).hopeless(equal, 1.0)
