"""Pairwise preferences: two systems a line, and which of them a judge found better; scored here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.data.parse import Field
from truetune.metrics.preference import Bootstrap, Games, Rating, bradley_terry, elo
from truetune.metrics.win_rate import WIN_RATE, games_from_pairs
from truetune.stats.plan import Plan
from truetune.tasks.base import Scoring, Task, Together
from truetune.tasks.fields import as_label
from truetune.types import Column, Ints, Score

ELO_WORK = 5_000_000
"""Games played over in all resamples of Elo together: some seconds."""
ELO_LEAST = 200

ABOUT = {
    "bradley_terry": "rating of one system, odds of a over b = 10^(difference / 400), maximum likelihood, ties half a "
    "win, mean 1000 (Bradley and Terry 1952); the order of games does not matter",
    "elo": "rating of one system, moved by 16 (points - expected points) after each game, start 1000 (Elo 1978); it "
    "depends on the order of games",
}


def as_winner(value: object) -> str:
    """Return `a`, `b` or `tie`."""
    if isinstance(value, str) and value.strip().lower() in ("a", "b", "tie"):
        return value.strip().lower()
    raise ValueError(f"expected 'a', 'b' or 'tie', found {value!r}")


def _pair(row: Mapping[str, Any]) -> tuple[str, str]:
    if row["a"] == row["b"]:
        raise ValueError(f"{row['a']!r} is compared with itself; expected two systems")
    return row["a"], row["b"]


def ratings(
    gold: Mapping[str, Column], predicted: Mapping[str, Column], groups: Ints | None, plan: Plan, prior: float = 0.0
) -> tuple[Score, ...]:
    """Return each system's Bradley-Terry and Elo ratings, best first.

    Elo goes over all games of all resamples one by one: of many games it gets fewer resamples, and its
    signature says how many.
    """
    games = games_from_pairs(gold["pair"], predicted["winner"])
    whole = Bootstrap(plan.generator("bradley_terry"), plan.resamples, plan.level, groups)
    fewer = min(plan.resamples, max(ELO_LEAST, ELO_WORK // max(1, len(games))))
    strengths = bradley_terry(games, whole, prior)
    moved = elo(games, Bootstrap(plan.generator("elo"), fewer, plan.level, groups))
    return (*_scores("bradley_terry", strengths, games), *_scores("elo", moved, games))


def _scores(name: str, rated: tuple[Rating, ...], games: Games) -> list[Score]:
    return [
        Score(f"{name}/{one.system}", one.value, one.low, one.high, one.games, "game", one.signature, one.reason)
        for one in rated
    ]


PREFERENCE = Task(
    name="preference",
    about="which of two systems a judge prefers, game by game",
    about_zh="成对偏好：两个系统中评审更喜欢哪一个",
    scoring=Scoring(
        gold=((Field("a", as_label), Field("b", as_label), Field("pair", derive=_pair)),),
        predicted=((Field("winner", as_winner),),),
        metrics=(WIN_RATE,),
        primary=("win_rate",),
        together=Together(ABOUT, "game", ratings),
    ),
)
