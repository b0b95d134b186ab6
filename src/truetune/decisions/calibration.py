"""Calibration: maps from a model's probabilities to ones that are right as often as they say, fitted on validation.

Temperature: Guo et al. (2017). Platt: Platt (1999) with the targets of Lin, Lin and Weng (2007). Isotonic: Zadrozny
and Elkan (2002). All read probabilities, so they can be fitted and checked from a predictions table alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from truetune.errors import MetricError
from truetune.types import Bools, Floats

Method = Literal["temperature", "platt", "isotonic"]
METHODS: tuple[str, ...] = get_args(Method)
TINY = 1e-300
"""The least probability that has a logarithm here."""
EDGE = 1e-15
"""Probabilities of one label are kept this far from 0 and 1 before they are mapped."""
COLDEST, HOTTEST = 0.02, 50.0
"""Between which temperatures the best is looked for."""
STEPS = 100
"""Of Newton's method; it ends after about ten."""


@dataclass(frozen=True)
class Calibration:
    """How probabilities are mapped; plain numbers, so that they can be stored as JSON."""

    method: Method
    exclusive: bool
    """Whether the probabilities of an example sum to 1 (one label a text), or each label has its own."""
    temperature: float = 1.0
    lines: tuple[tuple[float, float], ...] = ()
    """Platt: slope and offset of the logit, a line a column; of two exclusive labels the second column's only."""
    steps: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()
    """Isotonic: places and values between which is interpolated, a pair a column, as above."""

    def applied(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities `[examples, labels]` of `[examples, labels]`."""
        if self.method == "temperature":
            return _tempered(probabilities, self.temperature, self.exclusive)
        columns = _columns(probabilities, self.exclusive)
        mapped = np.column_stack([self.mapped(columns[:, place], place) for place in range(columns.shape[1])])
        if not self.exclusive:
            return mapped
        if columns.shape[1] == 1:
            return np.column_stack([1 - mapped[:, 0], mapped[:, 0]])
        total = mapped.sum(axis=1, keepdims=True)
        return np.where(total > 0, mapped / np.where(total > 0, total, 1), probabilities)

    def mapped(self, probability: Floats, place: int) -> Floats:
        """Return the calibrated probability of one column by itself, before columns are made to sum to 1."""
        if self.method == "temperature":
            return _sigmoid(_logit(probability) / self.temperature)
        if self.method == "platt":
            slope, offset = self.lines[place]
            return _sigmoid(slope * _logit(probability) + offset)
        places, values = self.steps[place]
        return np.interp(np.clip(probability, EDGE, 1 - EDGE), places, values)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "method": self.method,
            "exclusive": self.exclusive,
            "temperature": self.temperature,
            "lines": [list(line) for line in self.lines],
            "steps": [[list(places), list(values)] for places, values in self.steps],
        }


def calibration_from(stored: Mapping[str, Any]) -> Calibration:
    """Return what `to_dict` wrote; raises ValueError, KeyError or TypeError for anything else."""
    if stored["method"] not in METHODS or set(stored) != {"method", "exclusive", "temperature", "lines", "steps"}:
        raise ValueError(f"calibration {stored!r:.80}")
    lines = tuple((float(slope), float(offset)) for slope, offset in stored["lines"])
    steps = tuple((tuple(map(float, places)), tuple(map(float, values))) for places, values in stored["steps"])
    if not float(stored["temperature"]) > 0 or any(
        len(places) != len(values) or not places for places, values in steps
    ):
        raise ValueError(f"calibration {stored!r:.80}")
    return Calibration(stored["method"], bool(stored["exclusive"]), float(stored["temperature"]), lines, steps)


def fitted_calibration(method: Method, probabilities: Floats, gold: Bools, exclusive: bool) -> Calibration:
    """Fit on probabilities and gold, both `[examples, labels]`; gold is true where the example has the label.

    Raises `MetricError` where there is no example.
    """
    if not len(probabilities):
        raise MetricError("no example to fit a calibration on; expected a validation part that is not empty")
    if method == "temperature":
        return Calibration(method, exclusive, temperature=_best_temperature(probabilities, gold, exclusive))
    columns, truth = _columns(probabilities, exclusive), _columns(gold, exclusive)
    places = range(columns.shape[1])
    if method == "platt":
        return Calibration(method, exclusive, lines=tuple(platt_line(columns[:, one], truth[:, one]) for one in places))
    return Calibration(method, exclusive, steps=tuple(isotonic_steps(columns[:, one], truth[:, one]) for one in places))


def _columns(table: Any, exclusive: bool) -> Any:
    """Return the columns that are mapped: of two exclusive labels the second, whose complement the first is."""
    return table[:, 1:] if exclusive and table.shape[1] == 2 else table


def _best_temperature(probabilities: Floats, gold: Bools, exclusive: bool) -> float:
    """Return the temperature with the least log loss; the loss is convex in 1 / temperature, so there is one."""
    from scipy import optimize

    def loss(log_temperature: float) -> float:
        found = _tempered(probabilities, float(np.exp(log_temperature)), exclusive)
        chance = np.where(gold, found, 1 if exclusive else 1 - found)
        return float(-np.log(np.maximum(chance, TINY)).sum())

    bounds = (float(np.log(COLDEST)), float(np.log(HOTTEST)))
    return float(np.exp(optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8}).x))


def platt_line(probability: Floats, gold: Bools) -> tuple[float, float]:
    """Return slope and offset of the logit with the least log loss against Platt's targets.

    The targets are (hits + 1) / (hits + 2) and 1 / (misses + 2) instead of 1 and 0, so that a perfect ordering
    does not ask for an endless slope.
    """
    x, hits = _logit(probability), int(gold.sum())
    target = np.where(gold, (hits + 1) / (hits + 2), 1 / (len(gold) - hits + 2))
    design = np.column_stack([x, np.ones_like(x)])
    line = np.array([1.0, 0.0])

    def loss(at: Floats) -> float:
        z = design @ at
        return float((np.logaddexp(0, z) - target * z).sum())

    for _ in range(STEPS):
        said = _sigmoid(design @ line)
        gradient = design.T @ (said - target)
        curvature = design.T @ (design * (said * (1 - said))[:, None]) + 1e-10 * np.eye(2)
        move, size, before = np.linalg.solve(curvature, gradient), 1.0, loss(line)
        while loss(line - size * move) > before and size > 1e-10:
            size /= 2
        line = line - size * move
        if np.abs(size * move).max() < 1e-10:
            break
    return float(line[0]), float(line[1])


def isotonic_steps(probability: Floats, gold: Bools) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the rising steps with the least squared error, as the ends of each step and their values.

    Values stay within 1 / (n + 2) of 0 and 1: no n examples show that something never happens.
    """
    kept = np.clip(probability, EDGE, 1 - EDGE)  # Places that differ by less would have endless slopes between them.
    places, inverse, counts = np.unique(kept, return_inverse=True, return_counts=True)
    hits = np.bincount(inverse, weights=gold, minlength=len(places))
    blocks: list[list[float]] = []  # hits, examples, first place, last place
    for place, hit, count in zip(places.tolist(), hits.tolist(), counts.tolist(), strict=True):
        blocks.append([hit, count, place, place])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last = blocks.pop()
            blocks[-1][0] += last[0]
            blocks[-1][1] += last[1]
            blocks[-1][3] = last[3]
    least = 1 / (len(gold) + 2)
    ends: list[float] = []
    values: list[float] = []
    for hit, count, first, last_place in blocks:
        share = min(max(hit / count, least), 1 - least)
        for end in (first,) if first == last_place else (first, last_place):
            ends.append(end)
            values.append(share)
    return tuple(ends), tuple(values)


def _tempered(probabilities: Floats, temperature: float, exclusive: bool) -> Floats:
    if not exclusive:
        return _sigmoid(_logit(probabilities) / temperature)
    logs = np.log(np.maximum(probabilities, TINY)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _logit(probability: Floats) -> Floats:
    kept = np.clip(probability, EDGE, 1 - EDGE)
    logit: Floats = np.log(kept) - np.log1p(-kept)
    return logit


def _sigmoid(x: Floats) -> Floats:
    powers = np.exp(-np.abs(x))
    shares: Floats = np.where(x >= 0, 1.0, powers) / (1 + powers)
    return shares
