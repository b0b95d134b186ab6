"""Preferences: Bradley-Terry does not see the order of games, Elo does; both have intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.errors import MetricError
from truetune.metrics.bradley_terry import log_strengths
from truetune.metrics.preference import (
    POINTS,
    Bootstrap,
    Games,
    Rating,
    bradley_terry,
    elo,
    elo_values,
    games_of,
    win_rows,
)

played = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from(["a", "b", "tie"])), min_size=1, max_size=30
).map(lambda games: [(f"s{one}", f"s{(one + step) % 4}", who) for one, step, who in games])


def games(found: list) -> Games:
    return games_of(*([game[side] for game in found] for side in range(3)))


def few(seed: int = 0, **changed: object) -> Bootstrap:
    return Bootstrap(np.random.default_rng(seed), resamples=40, **changed)  # type: ignore[arg-type]


def values(ratings: tuple[Rating, ...]) -> dict[str, float]:
    return {rating.system: rating.value for rating in ratings}


def by_minorisation(wins: np.ndarray, steps: int = 20_000) -> np.ndarray:
    """The MM algorithm of Hunter (2004), slow and sure."""
    strength, number = np.ones(len(wins)), wins + wins.T
    for _ in range(steps):
        strength = wins.sum(axis=1) / (number / (strength[:, None] + strength)).sum(axis=1)
        strength /= np.exp(np.log(strength).mean())
    return np.log(strength)


def test_two_systems_by_hand() -> None:
    found = bradley_terry(games([("x", "y", "a")] * 10 + [("y", "x", "a")]), few())
    assert [rating.system for rating in found] == ["x", "y"]
    assert found[0].value - found[1].value == pytest.approx(400)  # ten to one
    assert found[0].value + found[1].value == pytest.approx(2000)
    assert found[0].games == 11


def test_a_tie_is_half_a_win_for_both() -> None:
    tied = bradley_terry(games([("x", "y", "tie")] * 2 + [("x", "y", "a")]), few())
    assert tied[0].value - tied[1].value == pytest.approx(400 * np.log10(2))


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_strengths_equal_those_of_the_mm_algorithm(seed: int, systems: int) -> None:
    wins = np.random.default_rng(seed).integers(1, 9, (systems, systems)).astype(np.float64)
    np.fill_diagonal(wins, 0)
    np.testing.assert_allclose(log_strengths(wins), by_minorisation(wins, 300), rtol=0, atol=1e-6)


def test_sparse_games_equal_the_mm_algorithm() -> None:
    ring = np.array([[0, 9, 0, 0], [1, 0, 5, 0], [0, 2, 0, 8], [0.5, 0, 1, 0]])
    np.testing.assert_allclose(log_strengths(ring), by_minorisation(ring), rtol=0, atol=1e-8)


@given(played, st.randoms(use_true_random=False))
def test_the_order_of_games_does_not_matter_to_bradley_terry(found: list, random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    turned = {"a": "b", "b": "a", "tie": "tie"}
    one = values(bradley_terry(games(found), few(), prior=0.5))
    for other in (shuffled, [(b, a, turned[who]) for a, b, who in found]):
        again = values(bradley_terry(games(other), few(), prior=0.5))
        assert again == pytest.approx(one, abs=1e-6)


def test_the_order_of_games_matters_to_elo() -> None:
    found = [("x", "y", "a")] * 5 + [("x", "y", "b")] * 5
    one, other = values(elo(games(found), few())), values(elo(games(found[::-1]), few()))
    assert one["x"] < 1000 < other["x"]


def test_elo_by_hand() -> None:
    found = values(elo(games([("x", "y", "a"), ("y", "x", "tie")]), few(), step=32))
    after_first = 1016.0
    expected = 1 / (1 + 10 ** (-(after_first - 984) / 400))
    assert found["x"] == pytest.approx(after_first + 32 * (0.5 - expected))
    assert found["x"] + found["y"] == pytest.approx(2000)


@given(played, st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_elo_of_a_resample_is_that_of_its_games_in_order(found: list, times: list) -> None:
    all_games = games(found)
    counts = np.array([times[: len(found)], [1] * len(found)])
    drawn = np.repeat(np.arange(len(found)), counts[0])
    part = Games(all_games.systems, all_games.first[drawn], all_games.second[drawn], all_games.points[drawn])
    both = elo_values(all_games, counts, 16.0)
    np.testing.assert_allclose(both[0], elo_values(part, np.ones((1, len(drawn)), dtype=np.int64), 16.0)[0])
    np.testing.assert_allclose(both[1], elo_values(all_games, counts[1:], 16.0)[0])


def test_without_finite_ratings_the_reason_names_the_systems() -> None:
    unbeaten = [("top", "x", "a"), ("x", "y", "a"), ("y", "x", "a")]
    found = bradley_terry(games(unbeaten), few())
    assert np.isnan([rating.value for rating in found]).all()
    assert "outside of top has beaten" in found[0].reason
    islands = [("x", "y", "a"), ("y", "x", "a"), ("p", "q", "a"), ("q", "p", "a")]
    assert "outside of p, q has beaten, or met" in bradley_terry(games(islands), few())[0].reason
    finite = bradley_terry(games(unbeaten), few(), prior=1.0)
    assert [rating.system for rating in finite] == ["top", "x", "y"] or finite[0].system == "top"
    assert np.isfinite([rating.value for rating in finite]).all()


def test_too_few_games_have_ratings_but_no_interval() -> None:
    found = bradley_terry(games([("x", "y", "a"), ("y", "x", "a")]), few())
    assert found[0].value == pytest.approx(1000)
    assert np.isnan(found[0].low)
    assert "of the resamples have no finite ratings" in found[0].reason


def simulated(rng: np.random.Generator, strengths: np.ndarray, number: int) -> Games:
    first = rng.integers(0, len(strengths), number)
    second = (first + rng.integers(1, len(strengths), number)) % len(strengths)
    chance = 1 / (1 + np.exp(strengths[second] - strengths[first]))
    won = rng.random(number) < chance
    return games_of(first, second, np.where(won, "a", "b"))


def test_games_that_all_end_alike_have_no_interval_of_no_width() -> None:
    games = games_of(["x"] * 5, ["y"] * 5, ["a"] * 5)
    for rating in elo(games, Bootstrap(np.random.default_rng(0), resamples=200)):
        assert np.isfinite(rating.value)
        assert np.isnan([rating.low, rating.high]).all()
        assert rating.reason == "all 5 games contribute alike: they show no spread to build bounds from"
    ties = games_of(["x"] * 3 + ["z"] * 3, ["y"] * 3 + ["x"] * 3, ["tie"] * 6)
    for rating in elo(ties, Bootstrap(np.random.default_rng(0), resamples=200)):
        assert rating.value == 1000
        assert rating.reason.startswith("no resample of the 6 games moves this value")
    mixed = games_of(["x"] * 5, ["y"] * 5, ["a", "a", "b", "a", "a"])
    assert all(one.low < one.value < one.high for one in elo(mixed, Bootstrap(np.random.default_rng(0), resamples=200)))


def test_intervals_surround_the_value_and_are_seeded() -> None:
    found = simulated(np.random.default_rng(5), np.array([-0.5, 0.0, 0.5]), 300)
    for rate in (bradley_terry, elo):
        ratings = rate(found, few(seed=1))
        for rating in ratings:
            assert rating.low < rating.value < rating.high
        assert rate(found, few(seed=1)) == ratings
        assert rate(found, few(seed=2)) != ratings


def test_games_of_a_group_are_drawn_together() -> None:
    """Ten copies of every game say no more than one: by group the interval keeps its width."""
    one = simulated(np.random.default_rng(5), np.array([-0.5, 0.0, 0.5]), 120)
    tenfold = Games(one.systems, *(np.tile(part, 10) for part in (one.first, one.second, one.points)))
    groups = np.tile(np.arange(120), 10)

    def width(ratings: tuple[Rating, ...]) -> float:
        return float(np.mean([rating.high - rating.low for rating in ratings]))

    def bootstrap(groups: np.ndarray | None = None) -> Bootstrap:
        return Bootstrap(np.random.default_rng(0), resamples=300, groups=groups)

    plain = width(bradley_terry(one, bootstrap()))
    assert width(bradley_terry(tenfold, bootstrap(groups))) == pytest.approx(plain, rel=0.15)
    assert width(bradley_terry(tenfold, bootstrap())) < 0.5 * plain
    assert width(elo(tenfold, bootstrap(groups), step=1)) > 1.5 * width(elo(tenfold, bootstrap(), step=1))


def test_win_rows_sum_to_the_points() -> None:
    found = games([("x", "y", "a"), ("y", "x", "tie"), ("x", "y", "a")])
    rows = win_rows(found)
    assert rows.totals().tolist() == [[0, 2.5], [0.5, 0]]
    assert len(rows) == 3


def test_wrong_games_are_named() -> None:
    with pytest.raises(MetricError, match="winner of game 1 is 'x'; expected 'a', 'b' or 'tie'"):
        games_of(["x", "x"], ["y", "y"], ["a", "x"])
    with pytest.raises(MetricError, match="game 0 is 'x' against itself"):
        games_of(["x"], ["x"], ["a"])
    with pytest.raises(MetricError, match="2 systems a, 1 systems b and 1 winners"):
        games_of(["x", "x"], ["y"], ["a"])


@pytest.mark.slow
def test_bradley_terry_intervals_cover() -> None:
    """200 worlds, 5 systems, 300 games: within four binomial standard errors of 95 %, the systems dependent."""
    rng, strengths = np.random.default_rng(11), np.linspace(-0.8, 0.8, 5)
    covered = []
    for _ in range(200):
        ratings = bradley_terry(simulated(rng, strengths, 300), Bootstrap(rng, resamples=500))
        covered += [rating.low <= 1000 + POINTS * strengths[int(rating.system)] <= rating.high for rating in ratings]
    assert 0.91 <= np.mean(covered) <= 0.98
