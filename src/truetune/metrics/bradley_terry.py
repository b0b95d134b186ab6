"""The Bradley-Terry model: log strengths from how often each system beat each other one."""

from __future__ import annotations

import numpy as np

from truetune.types import Bools, Floats, Numbers

LARGEST_STEP = 2.0
"""Newton's steps are cut to this many nats, which keeps them from running away far from the solution."""
MOST_STEPS = 200
TOLERANCE = 1e-10


def log_strengths(wins: Numbers, prior: float = 0.0) -> Floats:
    """Return the strengths in nats, `[..., systems]`, of mean 0, for `wins[..., i, j]` of i over j.

    P(i beats j) = 1 / (1 + exp(s_j - s_i)) (Bradley and Terry 1952), by maximum likelihood; a tie is half
    a win for both. `prior` adds so many ties of every system with a system of mean strength. The order of
    games does not enter. NaN where no finite strengths exist: without a prior that is where the systems
    split into two sets such that no game was won by one over the other (Ford 1957).
    """
    wins = np.asarray(wins, dtype=np.float64)
    games = wins + np.swapaxes(wins, -1, -2)
    number = wins.shape[-1]
    strengths = np.zeros(wins.shape[:-1])
    fixed = np.eye(number) * 1e-12 if prior else np.full((number, number), 1 / max(1, number))
    won = wins.sum(axis=-1) + prior / 2
    scale = np.maximum(games.sum(axis=-1).max(axis=-1, initial=1.0), 1.0)
    exists: Bools = np.ones(wins.shape[:-2], dtype=np.bool_) if prior else connected(wins)
    solvable = np.where(exists[..., None, None], games, 1.0)
    for _ in range(MOST_STEPS):
        share = _logistic(strengths[..., :, None] - strengths[..., None, :])
        against_mean = _logistic(strengths)
        slope = won - (games * share).sum(axis=-1) - prior * against_mean
        slope = np.where(exists[..., None], slope, 0.0)
        if (np.abs(slope).max(axis=-1, initial=0.0) <= TOLERANCE * scale).all():
            break
        bend = solvable * share * (1 - share)
        inner = bend.sum(axis=-1) + prior * against_mean * (1 - against_mean)
        curvature = np.eye(number) * inner[..., None] - bend + fixed
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=-1, keepdims=True)
        strengths = strengths + step * np.minimum(1.0, LARGEST_STEP / np.maximum(longest, LARGEST_STEP))
    else:
        exists = exists & (np.abs(slope).max(axis=-1, initial=0.0) <= 1e-6 * scale)
    centred = strengths - strengths.mean(axis=-1, keepdims=True)
    return np.where(exists[..., None], centred, np.nan)


def connected(wins: Numbers) -> Bools:
    """Return whether every system has, through others, beaten every other one, `[...]`."""
    return np.asarray(reached(wins).all(axis=(-2, -1)))


def reached(wins: Numbers) -> Bools:
    """Return whether i has beaten j, or one that beat j, and so on; `[..., systems, systems]`."""
    number = wins.shape[-1]
    reach = (wins > 0) | np.eye(number, dtype=np.bool_)
    for _ in range(max(1, number - 1).bit_length()):
        as_counts = reach.astype(np.float32)
        reach = (as_counts @ as_counts) > 0
    return reach


def unbeaten(wins: Numbers) -> Bools:
    """Return the systems, `[systems]`, of a set that nobody outside it ever beat, the whole set if connected."""
    reach = reached(wins)
    mutual = reach & reach.T
    for system in range(len(wins)):
        outside = ~mutual[system]
        if not reach[outside, system].any():
            members: Bools = mutual[system]
            return members
    raise AssertionError("a finite order of sets has a first one")


def _logistic(values: Floats) -> Floats:
    found: Floats = 0.5 * (1 + np.tanh(values / 2))
    return found
