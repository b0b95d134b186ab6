"""How often each system wins, from pairwise comparisons: a ratio that needs no model of strengths."""

from __future__ import annotations

import numpy as np

from truetune.metric import PerLabel
from truetune.metrics.f_measures import quotient
from truetune.metrics.preference import Games, games_of, win_rows
from truetune.rows import Rows
from truetune.types import Column, Floats, Numbers

POINTS, GAMES = 0, 1
"""The statistics of a row, in order."""


def games_from_pairs(pairs: Column, winner: Column) -> Games:
    """Return games from pairs of systems `(a, b)` and the winners `a`, `b` or `tie`."""
    return games_of([a for a, _ in pairs], [b for _, b in pairs], winner)


def point_rows(pairs: Column, winner: Column) -> Rows:
    """Return rows `[distinct, 2, systems]`: each system's points in a game (a tie is half a win), and its games."""
    games = games_from_pairs(pairs, winner)
    won = win_rows(games)
    points, lost = won.table.sum(axis=2), won.table.sum(axis=1)
    return Rows(np.stack([points, points + lost], axis=1), won.index, games.systems)


def win_rate(sums: Numbers) -> Floats:
    """Return points over games, `[..., systems]`; NaN for a system without a game."""
    return quotient(sums[..., POINTS, :], sums[..., GAMES, :])


WIN_RATE = PerLabel(
    name="win_rate",
    rows=point_rows,
    formula=win_rate,
    gold="pair",
    predicted="winner",
    definition="points of one system / its games, a win one point and a tie half of one; depends on whom it met",
    unit="game",
    interval="wilson",
    ratio=lambda sums: (sums[..., POINTS, :], sums[..., GAMES, :]),
    undefined="the system met no other one",
    limits=(0.0, 1.0),
)
