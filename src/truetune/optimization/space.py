"""What may be changed: a plain table of moves, each with its range, its reason and its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

from truetune.config import Config, has
from truetune.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """A number between two bounds, drawn evenly, or evenly in its logarithm."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Move:
    """One setting that the search may change."""

    key: str
    """`section.key` of the config."""
    values: Range | tuple[Any, ...]
    why: str
    source: str = ""


@dataclass(frozen=True)
class Space:
    """What a search may change, and what it tries first."""

    moves: tuple[Move, ...]
    first: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(cause, change) of the trials behind the config itself."""
    diagnosis: str | None = None
    """The run whose diagnosis asks for them."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What the config has for the settings of the moves."""


IMBALANCED = 5.0
"""From how many times as many examples in the most frequent as in the rarest label on balanced weights are tried."""


def default_space(config: Config, label_counts: Mapping[str, int]) -> tuple[Move, ...]:
    """Return the moves around a config: what published recipes vary, and what its data asks for."""
    rate, epochs = config.train.learning_rate, config.train.epochs
    moves = [
        Move("train.learning_rate", Range(rate / 5, rate * 5, log=True), "decides most", "Devlin et al. 2019, A.3"),
        Move("train.epochs", (epochs / 2, epochs, epochs * 2), "too few or too many passes", "Mosbach et al. 2021"),
        Move("train.weight_decay", (0.0, 0.01, 0.1), "over-fitting", "Loshchilov and Hutter 2019"),
        Move("train.warmup", (0.0, 0.1, 0.3), "unsteady beginning", "Mosbach et al. 2021"),
        Move("train.tokens_per_batch", (512, 1024, 2048), "noise of the gradient", "Popel and Bojar 2018"),
        Move("train.layer_decay", (0.8, 0.9, 1.0), "forgetting what was pretrained", "Howard and Ruder 2018"),
        Move("model.dropout", (None, 0.0, 0.2), "over-fitting", "Srivastava et al. 2014"),
        Move("recipe.label_smoothing", (0.0, 0.05, 0.1), "overconfidence, wrong labels", "Szegedy et al. 2016"),
        Move("recipe.ema", (0.0, 0.99), "unsteady end", "Polyak and Juditsky 1992"),
    ]
    if label_counts and max(label_counts.values()) >= IMBALANCED * max(1, min(label_counts.values())):
        weights = ("none", "balanced")
        moves.append(Move("recipe.class_weights", weights, "rare labels are passed over", "King and Zeng 2001"))
    framework = config.model.framework
    return tuple(move for move in moves if all(has(framework, move.key, value) for value in _listed(move)))


def openings(moves: Sequence[Move], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is tried before a sampler is asked: more passes and a higher rate, together and each alone.

    A model that was hardly trained is the most frequent of what holds fine-tuning on few examples back [Mosbach et al.
    2021], and the dearest to find by chance: most of what is drawn at random learns less than the config as it is.
    """
    raised = {move.key: value for move in moves if (value := _raised(move, given.get(move.key))) is not None}
    alone = [{key: value} for key, value in raised.items()]
    return [raised, *alone] if len(alone) > 1 else alone


def _raised(move: Move, value: Any) -> Any:
    """Return the greatest value of a list, or of a range the middle (of logarithms) between a value and the top."""
    if (
        move.key not in ("train.epochs", "train.learning_rate")
        or not isinstance(value, int | float)
        or not holds(move, value)
    ):
        return None
    if isinstance(move.values, Range):
        high = move.values.high
        middle = sqrt(value * high) if move.values.log else (value + high) / 2
        return float(f"{middle:.3g}") if value < high else None
    highest = max(move.values)
    return highest if highest > value else None


def smaller_models(layers: int, current: int | None) -> Move:
    """Return the move that leaves out upper layers of a model that has so many, for searches in which costs count."""
    kept = layers if current is None else current
    fewer = dict.fromkeys(max(1, round(kept * share)) for share in (2 / 3, 1 / 2, 1 / 3))
    values = (current, *(number for number in fewer if number < kept))
    return Move("model.layers", values, "time and room in use", "Sajjad et al. 2023")


def _listed(move: Move) -> tuple[Any, ...]:
    return move.values if isinstance(move.values, tuple) else ()


def space_of(asked: Mapping[str, Any]) -> tuple[Move, ...]:
    """Return the moves that a config names: a list of values, or `{low, high, log}`, for each key."""
    return tuple(Move(key, _values(key, given), "asked for") for key, given in asked.items())


def _values(key: str, given: Any) -> Range | tuple[Any, ...]:
    where = f"optimize.space: {key}"
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        return tuple(given)
    if isinstance(given, Mapping) and {"low", "high"} <= set(given) <= {"low", "high", "log"}:
        low, high, log = given["low"], given["high"], given.get("log", False)
        if isinstance(low, int | float) and isinstance(high, int | float) and isinstance(log, bool) and low < high:
            if log and low <= 0:
                raise ConfigError(f"{where}: low is {low}; expected more than 0 where log is true")
            return Range(float(low), float(high), log)
    raise ConfigError(f"{where}: expected a list of values, or low, high and log, found {given!r}")


def with_cures(
    moves: Sequence[Move], cures: Sequence[tuple[str, Mapping[str, Any]]], current: Callable[[str], Any]
) -> tuple[Move, ...]:
    """Return the moves with those of a diagnosis: wider where they do not hold its values, and what they lack in front.

    `cures` are (cause, change of one setting); `current(key)` is what the config has.
    """
    asked: dict[str, list[Any]] = {}
    causes: dict[str, str] = {}
    for cause, change in cures:
        for key, value in change.items():
            asked.setdefault(key, []).append(value)
            causes.setdefault(key, cause)
    known = {move.key: move for move in moves}
    new = [
        Move(key, tuple(dict.fromkeys((current(key), *values))), causes[key], DIAGNOSED)
        for key, values in asked.items()
        if key not in known
    ]
    wider = [_wider(move, asked.get(move.key, [])) for move in moves]
    return (*new, *wider)


def holds(move: Move, value: Any) -> bool:
    """Return whether a move has a value of its setting."""
    if isinstance(move.values, Range):
        return isinstance(value, int | float) and move.values.low <= value <= move.values.high
    return value in move.values


DIAGNOSED = "diagnosis"
"""The source of moves that a diagnosis asked for."""


def _wider(move: Move, values: Sequence[Any]) -> Move:
    if not values:
        return move
    if isinstance(move.values, Range):
        numbers = [float(value) for value in values]
        wider = replace(move.values, low=min(move.values.low, *numbers), high=max(move.values.high, *numbers))
        return replace(move, values=wider)
    return replace(move, values=tuple(dict.fromkeys((*move.values, *values))))
