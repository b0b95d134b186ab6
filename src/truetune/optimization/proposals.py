"""What to try next: Optuna, kept in step with the trials on disk."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from truetune.errors import MissingPackageError
from truetune.optimization.space import Move, Range, holds
from truetune.optimization.trial import Trial

if TYPE_CHECKING:
    import optuna

RANDOM_FIRST = 8
"""Trials drawn at random before the sampler begins to learn from them."""


class Proposals:
    """Asks a sampler for changes, and tells it what became of them. A proposal that is not told costs nothing."""

    def __init__(
        self, space: Sequence[Move], sampler: str, seed: int, sign: int, current: Mapping[str, Any] | None = None
    ) -> None:
        """`current`: what the config has for the settings of the space, where a trial does not change them."""
        try:
            import optuna
        except ImportError as error:
            raise MissingPackageError("optuna", "`truetune optimize`", "optimize") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._states = optuna.trial.TrialState
        self._space, self._sign, self._current = space, sign, current or {}
        self._distributions = {move.key: distribution_of(move) for move in space}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=optuna.exceptions.ExperimentalWarning)
            self._study = optuna.create_study(sampler=_sampler(sampler, seed))
        self._asked: optuna.trial.Trial | None = None

    def next(self) -> dict[str, Any]:
        """Return the changes to try next."""
        self._asked = self._study.ask(self._distributions)
        return {move.key: value_of(move, self._asked.params[move.key]) for move in self._space}

    def tell(self, trial: Trial) -> None:
        """Say what became of the trial that was proposed last."""
        asked, self._asked = self._asked, None
        assert asked is not None
        state = self._state(trial)
        if state is self._states.PRUNED:
            for place, value in self._reported(trial).items():
                asked.report(value, place)
        self._study.tell(asked, self._value(trial), state)

    def remember(self, trial: Trial) -> None:
        """Say what became of a trial of an earlier session, or of one that was not proposed here."""
        from optuna.trial import create_trial

        had = {**self._current, **trial.changes}
        if not all(move.key in had and holds(move, had[move.key]) for move in self._space):
            return
        params = {move.key: _param(move, had[move.key]) for move in self._space}
        state = self._state(trial)
        known = create_trial(
            params=params,
            distributions=self._distributions,
            state=state,
            value=self._value(trial),
            intermediate_values=self._reported(trial) if state is self._states.PRUNED else {},
        )
        self._study.add_trial(known)

    def _value(self, trial: Trial) -> float | None:
        """Return what the sampler minimises; None for a trial that is not finished."""
        return -self._sign * best_value(trial, self._sign) if trial.state == "finished" else None

    def _reported(self, trial: Trial) -> dict[int, float]:
        return {place: -self._sign * one.value for place, one in enumerate(trial.rungs) if one.value is not None}

    def _state(self, trial: Trial) -> optuna.trial.TrialState:
        states = self._states
        return {"finished": states.COMPLETE, "stopped": states.PRUNED, "failed": states.FAIL}[trial.state]


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_FIRST, multivariate=True)


def best_value(trial: Trial, sign: int) -> float:
    """Return the best score of a trial's rungs, or the worst thinkable one where none is defined."""
    value = trial.rungs[trial.best(sign)].value if trial.rungs else None
    return -sign * math.inf if value is None else value


def distribution_of(move: Move) -> optuna.distributions.BaseDistribution:
    """Return what a sampler draws from for a move."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(move.values, Range):
        return FloatDistribution(move.values.low, move.values.high, log=move.values.log)
    # Positions: Optuna takes plain values only, and a setting may be null or a list.
    return CategoricalDistribution(tuple(range(len(move.values))))


def value_of(move: Move, param: Any) -> Any:
    """Return the setting that a drawn parameter stands for."""
    return param if isinstance(move.values, Range) else move.values[param]


def _param(move: Move, value: Any) -> Any:
    return value if isinstance(move.values, Range) else move.values.index(value)
