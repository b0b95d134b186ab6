"""Ratings of systems from pairwise preferences: Bradley-Terry, which does not depend on order, and Elo.

Both are on the scale of chess: 400 points are odds of ten to one, and the mean over systems is 1000, so
that only differences mean something.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from truetune.errors import MetricError
from truetune.metrics.bradley_terry import log_strengths, unbeaten
from truetune.rows import Rows
from truetune.types import Column, Floats, Ints

MEAN = 1000.0
POINTS = 400 / np.log(10)
"""Points of one nat of log odds."""

POINTS_OF_A = {"a": 1.0, "b": 0.0, "tie": 0.5}
CELLS = 4_000_000
"""Numbers in one array of a chunk of resamples."""
MOST_FAILED = 0.01
"""With more resamples than this share without finite ratings, percentiles of the rest say nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Games:
    """Comparisons of two systems each, in the order in which they took place."""

    systems: tuple[str, ...]
    first: Ints
    """`[games]`, positions in `systems`"""
    second: Ints
    points: Floats
    """`[games]`: 1 where `first` won, 0 where `second` did, 0.5 for a tie"""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True)
class Rating:
    """A system's rating with its interval; NaN with a reason where there is none."""

    system: str
    value: float
    low: float
    high: float
    games: int
    signature: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are found: percentiles over resamples of games, or of groups of them."""

    rng: np.random.Generator
    resamples: int = 1000
    level: float = 0.95
    groups: Ints | None = None
    """`[games]`, from 0: games of one group (a prompt, a judge) are drawn together."""


def games_of(a: Column, b: Column, winner: Column) -> Games:
    """Return games from the names of two systems each and the winner: `a`, `b` or `tie`.

    Raises `MetricError` for unequal lengths, another winner, and a system against itself.
    """
    names = [[str(name) for name in column] for column in (a, b)]
    if not len(names[0]) == len(names[1]) == len(winner):
        raise MetricError(
            f"{len(names[0]):,} systems a, {len(names[1]):,} systems b and {len(winner):,} winners; "
            "expected one of each a game"
        )
    for position, (one, other, who) in enumerate(zip(*names, winner, strict=True)):
        if who not in POINTS_OF_A:
            raise MetricError(f"the winner of game {position} is {who!r}; expected 'a', 'b' or 'tie'")
        if one == other:
            raise MetricError(f"game {position} is {one!r} against itself; expected two systems")
    systems = tuple(sorted({*names[0], *names[1]}))
    place = {name: position for position, name in enumerate(systems)}
    first, second = (np.array([place[name] for name in column], dtype=np.int64) for column in names)
    return Games(systems, first, second, np.array([POINTS_OF_A[who] for who in winner], dtype=np.float64))


def win_rows(games: Games) -> Rows:
    """Return rows `[distinct, systems, systems]`: the points of one system over the other in a game."""
    number = len(games.systems)
    cells = (games.first * number + games.second) * 3 + np.rint(2 * games.points).astype(np.int64)
    distinct, index = np.unique(cells, return_inverse=True)
    pair, twice = np.divmod(distinct, 3)
    first, second = np.divmod(pair, max(1, number))
    table = np.zeros((len(distinct), number, number))
    table[np.arange(len(distinct)), first, second] = twice / 2
    table[np.arange(len(distinct)), second, first] = 1 - twice / 2
    return Rows(table, index.astype(np.int64))


def bradley_terry(games: Games, bootstrap: Bootstrap, prior: float = 0.0) -> tuple[Rating, ...]:
    """Return the systems' Bradley-Terry ratings, best first.

    A tie is half a win. Ratings are not finite where a set of systems was never beaten from outside; then
    all are NaN and the reason names the set. `prior` ties of every system with one of mean strength make
    them finite, and pull them together.
    """
    rows = win_rows(games)
    wins = rows.totals()
    values = MEAN + POINTS * log_strengths(wins, prior)
    signature = (
        "Bradley-Terry maximum likelihood, ties half a win, "
        + (f"{prior:g} prior ties with a system of mean strength, " if prior else "")
        + f"400 points = odds 10:1, mean of {len(games.systems)} systems {MEAN:g}"
    )
    if not np.isfinite(values).all():
        set_apart = ", ".join(np.array(games.systems)[unbeaten(wins)])
        reason = (
            f"no finite ratings: no system outside of {set_apart} has beaten, or met, one of these; "
            "more games, or `prior`, would make them finite"
        )
        return _ratings(games, values, np.full((1, len(values)), np.nan), bootstrap, (signature, reason))
    units = rows if bootstrap.groups is None else rows.by_group(bootstrap.groups)
    number, weights = len(units), units.counts
    drawn = []
    for size in _chunks(bootstrap.resamples, max(len(weights), wins.size)):
        counts = bootstrap.rng.multinomial(number, weights / number, size=size)
        drawn.append(MEAN + POINTS * log_strengths(units.totals(counts), prior))
    return _ratings(games, values, np.concatenate(drawn), bootstrap, (signature, ""))


def elo(games: Games, bootstrap: Bootstrap, step: float = 16.0) -> tuple[Rating, ...]:
    """Return the systems' Elo ratings (1978) after the last game, best first; all begin at 1000.

    Each game moves both systems by `step` times (points - expected points). The number depends on the
    order of games and remembers only recent ones: use it where strengths change, Bradley-Terry else.
    Resamples keep the order of games.
    """
    values = elo_values(games, np.ones((1, len(games)), dtype=np.int64), step)[0]
    drawn = []
    for size in _chunks(bootstrap.resamples, max(1, len(games))):
        drawn.append(elo_values(games, _times_drawn(len(games), size, bootstrap), step))
    signature = f"Elo, step {step:g}, games in the order given, 400 points = odds 10:1, start {MEAN:g}"
    return _ratings(games, values, np.concatenate(drawn), bootstrap, (signature, ""))


def elo_values(games: Games, times: Ints, step: float) -> Floats:
    """Return ratings `[samples, systems]` after each game was played `times[sample, game]` times in a row."""
    ratings = np.full((len(times), len(games.systems)), MEAN)
    each = np.arange(len(times))
    for game, (first, second, points) in enumerate(zip(games.first, games.second, games.points, strict=True)):
        for time in range(int(times[:, game].max(initial=0))):
            playing = each[times[:, game] > time]
            apart = (ratings[playing, second] - ratings[playing, first]) / POINTS
            change = step * (points - 1 / (1 + np.exp(apart)))
            ratings[playing, first] += change
            ratings[playing, second] -= change
    return ratings


def _times_drawn(games: int, samples: int, bootstrap: Bootstrap) -> Ints:
    """Return how often each game is drawn in each sample, `[samples, games]`."""
    groups = np.arange(games) if bootstrap.groups is None else bootstrap.groups
    number = int(groups.max(initial=-1)) + 1
    drawn = bootstrap.rng.integers(0, max(1, number), size=(samples, number))
    cells = (drawn + number * np.arange(samples)[:, None]).ravel()
    times: Ints = np.bincount(cells, minlength=samples * number).reshape(samples, number)[:, groups]
    return times


def _chunks(resamples: int, width: int) -> Iterator[int]:
    size = max(1, CELLS // width)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _ratings(
    games: Games, values: Floats, drawn: Floats, bootstrap: Bootstrap, told: tuple[str, str]
) -> tuple[Rating, ...]:
    """Return ratings with percentile intervals over `drawn` `[resamples, systems]`, best first."""
    signature, reason = told
    tail = (1 - bootstrap.level) / 2
    failed = 1 - float(np.isfinite(drawn).all(axis=1).mean()) if len(drawn) else 1.0
    low, high = np.full((2, len(values)), np.nan)
    if failed <= MOST_FAILED:
        low, high = np.nanquantile(drawn, (tail, 1 - tail), axis=0)
    elif not reason:
        reason = f"no interval: {failed:.1%} of the resamples have no finite ratings; too few games"
    still = low == high
    low, high = np.where(still, np.nan, low), np.where(still, np.nan, high)
    why_still = f"no resample of the {len(games):,} games moves this value: it shows no spread to build bounds from"
    if len(win_rows(games).table) == 1:
        why_still = f"all {len(games):,} games contribute alike: they show no spread to build bounds from"
    unit = "games" if bootstrap.groups is None else "groups of games"
    signature += f"; {bootstrap.level:.0%} percentile interval, {bootstrap.resamples:,} resamples of {unit}"
    played = np.bincount(np.r_[games.first, games.second].astype(np.int64), minlength=len(values))
    order = sorted(range(len(values)), key=lambda place: (-np.nan_to_num(values[place]), games.systems[place]))
    return tuple(
        Rating(
            games.systems[place],
            float(values[place]),
            float(low[place]),
            float(high[place]),
            int(played[place]),
            signature,
            why_still if still[place] else reason,
        )
        for place in order
    )
