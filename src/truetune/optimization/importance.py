"""Which settings made the difference between the trials: what each explains of how far they were ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import f as f_distribution

from truetune.optimization.space import Move, Range
from truetune.optimization.trial import Trial
from truetune.stats.adjust import holm
from truetune.types import Floats, Ints

FEWEST = 12
"""Trials with a lead from which on shares are told."""
GROUPS = 3
"""Into so many groups of as many trials each a range is cut."""
SPARE = 4
"""So many more trials than groups there must be to tell the settings apart."""


@dataclass(frozen=True)
class Importance:
    """What a setting explains of the trials' leads."""

    key: str
    share: float
    """Of the variance of the leads, by the setting alone: epsilon squared, which is about 0 where it does nothing."""
    p_adjusted: float | None
    """Holm's over the settings, of what it explains beyond all others; None where it cannot be told from them."""


def leads(trials: Sequence[Trial]) -> dict[int, float]:
    """Return how far each trial was ahead of trial 0 where it ended or was stopped, in the units of the metric.

    Trial 0 is read at the same share of training, on the straight line between its rungs: the score of a trial that
    was stopped early says more of when it was stopped than of its settings. Trials without a score are left out.
    """
    known = [(rung.share, rung.value) for rung in trials[0].rungs if rung.value is not None] if trials else []
    if not known:
        return {}
    shares, values = zip(*known, strict=True)
    found = {}
    for trial in trials:
        scored = [rung for rung in trial.rungs if rung.value is not None]
        if scored:
            found[trial.number] = float((scored[-1].value or 0.0) - np.interp(scored[-1].share, shares, values))
    return found


def importances(moves: Sequence[Move], trials: Sequence[Trial], given: Mapping[str, Any]) -> tuple[Importance, ...]:
    """Return the settings that varied, the most important first; none where fewer than `FEWEST` trials have a lead.

    `given` is what the config has where a trial does not change it. Trials of one value are a group; a range is cut
    into thirds of the trials. The share is epsilon squared (Kelley 1935): 1 - (n - 1) / (n - groups) times the share of
    the squared deviations inside the groups. A sampler that learns moves settings together, and then each alone gets
    the credit of both: so p-values are those of F-tests in one additive model of all settings, with and without one.
    """
    ahead = leads(trials)
    scored = [trial for trial in trials if trial.number in ahead]
    values = np.array([ahead[trial.number] for trial in scored])
    if len(scored) < FEWEST or not np.ptp(values) > 0:
        return ()
    found = {move.key: _groups(move, [{**given, **trial.changes}[move.key] for trial in scored]) for move in moves}
    kept = {key: groups for key, groups in found.items() if 1 < groups.max() + 1 < len(scored)}
    chances = _chances(values, list(kept.values()))
    known = [place for place, chance in enumerate(chances) if chance is not None]
    adjusted = dict(zip(known, holm([chances[place] or 0.0 for place in known]), strict=True))
    one_by_one = (
        Importance(key, _share(values, groups), adjusted.get(place)) for place, (key, groups) in enumerate(kept.items())
    )
    return tuple(sorted(one_by_one, key=lambda one: -one.share))


def _groups(move: Move, values: Sequence[Any]) -> Ints:
    """Return the group of each trial, from 0 without gaps."""
    if not isinstance(move.values, Range):
        return np.unique([_name(value) for value in values], return_inverse=True)[1].astype(np.int64)
    numbers = np.array(values, dtype=np.float64)
    edges = np.quantile(numbers, np.arange(1, GROUPS) / GROUPS)
    return np.unique(np.searchsorted(edges, numbers, side="left"), return_inverse=True)[1].astype(np.int64)


def _name(value: Any) -> str:
    """Return what tells a value apart; 2 and 2.0 are one, 1 and true are two."""
    return repr(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _share(values: Floats, groups: Ints) -> float:
    """Return epsilon squared of values `[trials]`, at least 0."""
    sizes = np.bincount(groups)
    means = np.bincount(groups, values) / sizes
    within, whole = ((values - means[groups]) ** 2).sum(), ((values - values.mean()) ** 2).sum()
    return float(max(0.0, 1 - (len(values) - 1) / (len(values) - len(sizes)) * within / whole))


def _chances(values: Floats, settings: Sequence[Ints]) -> list[float | None]:
    """Return for each setting the p-value of the F-test that it explains nothing beyond all others."""
    columns = [np.eye(groups.max() + 1)[groups][:, 1:] for groups in settings]
    whole, rank = _left(values, columns)
    spare = len(values) - rank
    found: list[float | None] = []
    for place in range(len(columns)):
        without, fewer = _left(values, columns[:place] + columns[place + 1 :])
        if spare < SPARE or fewer == rank:
            found.append(None)
        elif whole <= 1e-12 * without:
            found.append(0.0)
        else:
            ratio = (without - whole) / (rank - fewer) / (whole / spare)
            found.append(float(f_distribution.sf(ratio, rank - fewer, spare)))
    return found


def _left(values: Floats, columns: Sequence[Floats]) -> tuple[float, int]:
    """Return what is left of the squared deviations when columns are fitted beside a constant, and their rank."""
    table = np.hstack([np.ones((len(values), 1)), *columns])
    weights, _, rank, _ = np.linalg.lstsq(table, values, rcond=None)
    return float(((values - table @ weights) ** 2).sum()), int(rank)
