"""What to try next: Optuna, kept in step with the trials on disk."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from truetune.errors import ConfigError, MissingPackageError
from truetune.optimization.space import Move, Range, holds
from truetune.optimization.trial import Trial, best_value

if TYPE_CHECKING:
    import optuna

CMA_ES = "cma-es"
RANDOM_FIRST = 8
"""Trials drawn at random before the sampler begins to learn from them."""


class Proposals:
    """Asks a sampler for changes, and tells it what became of them. A proposal that is not told costs nothing."""

    def __init__(
        self,
        space: Sequence[Move],
        sampler: str,
        seed: int,
        sign: int,
        current: Mapping[str, Any] | None = None,
        costs: Sequence[str] = (),
    ) -> None:
        """`current`: what the config has for the settings of the space, where a trial does not change them.

        Raises `ConfigError` where CMA-ES is asked for and has no two numbers to vary, or several objectives.
        """
        try:
            import optuna
        except ImportError as error:
            raise MissingPackageError("optuna", "`truetune optimize`", "optimize") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._states = optuna.trial.TrialState
        self._space, self._sign, self._current, self._costs = space, sign, current or {}, costs
        self._distributions = {move.key: distribution_of(move, ordered=sampler == CMA_ES) for move in space}
        if sampler == CMA_ES:
            _ensure_evolvable(self._distributions, costs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=optuna.exceptions.ExperimentalWarning)
            directions = [optuna.study.StudyDirection.MINIMIZE] * (1 + len(costs))
            self._study = optuna.create_study(sampler=_sampler(sampler, seed), directions=directions)
        self._asked: dict[int, optuna.trial.Trial] = {}

    def next(self, number: int) -> dict[str, Any]:
        """Return the changes that the trial of this number is to try: what is not as the config has it."""
        asked = self._asked[number] = self._study.ask(self._distributions)
        found = {move.key: value_of(move, asked.params[move.key]) for move in self._space}
        return {key: value for key, value in found.items() if key not in self._current or value != self._current[key]}

    def learn(self, trial: Trial) -> None:
        """Say what became of a trial: proposed here, asked for by somebody else, or of an earlier session."""
        asked = self._asked.pop(trial.number, None)
        state, values = self._state(trial), self._values(trial)
        if asked is None:
            self._add(trial, state, values)
            return
        if state is self._states.PRUNED:
            for place, value in self._reported(trial).items():
                asked.report(value, place)
        self._study.tell(asked, values, state)

    def _add(self, trial: Trial, state: optuna.trial.TrialState, values: list[float] | None) -> None:
        from optuna.trial import create_trial

        had = {**self._current, **trial.changes}
        if not all(move.key in had and holds(move, had[move.key]) for move in self._space):
            return
        known = create_trial(
            params={move.key: param_of(move, had[move.key]) for move in self._space},
            distributions=self._distributions,
            state=state,
            values=values,
            intermediate_values=self._reported(trial) if state is self._states.PRUNED else {},
        )
        self._study.add_trial(known)

    def _values(self, trial: Trial) -> list[float] | None:
        """Return what the sampler minimises; None for a trial that it takes for pruned or failed."""
        if self._state(trial) is not self._states.COMPLETE:
            return None
        return [-self._sign * best_value(trial, self._sign), *(trial.costs[name] for name in self._costs)]

    def _reported(self, trial: Trial) -> dict[int, float]:
        return {place: -self._sign * one.value for place, one in enumerate(trial.rungs) if one.value is not None}

    def _state(self, trial: Trial) -> optuna.trial.TrialState:
        states = self._states
        if trial.state == "stopped" and not trial.rungs:  # not trained at all: nothing to learn from
            return states.FAIL
        if trial.state == "stopped" and self._costs:  # of several values Optuna knows no pruning: what it had counts
            return states.COMPLETE
        return {"finished": states.COMPLETE, "stopped": states.PRUNED, "failed": states.FAIL}[trial.state]


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name == CMA_ES:
        # With margin [Hamano et al. 2022], so that whole numbers do not freeze. Stopped trials count with what they had
        # reached: racing leaves few others.
        return optuna.samplers.CmaEsSampler(
            seed=seed,
            independent_sampler=optuna.samplers.RandomSampler(seed=seed),
            warn_independent_sampling=False,
            consider_pruned_trials=True,
            with_margin=True,
        )
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_FIRST, multivariate=True, constant_liar=True)


def _ensure_evolvable(distributions: Mapping[str, Any], costs: Sequence[str]) -> None:
    from optuna.distributions import CategoricalDistribution

    if importlib.util.find_spec("cmaes") is None:
        raise MissingPackageError("cmaes", f"optimize.sampler: {CMA_ES}", "optimize")
    if costs:
        raise ConfigError(f"optimize.sampler: {CMA_ES} has one objective, and {', '.join(costs)} count too; use tpe")
    numbers = [key for key, one in distributions.items() if not isinstance(one, CategoricalDistribution)]
    if len(numbers) < 2:
        raise ConfigError(
            f"optimize.sampler: {CMA_ES} varies numbers together, and the space has {len(numbers)} "
            f"({', '.join(numbers) or 'none'}); expected two or more ranges or ascending lists of numbers, or use tpe"
        )


def distribution_of(move: Move, ordered: bool = False) -> optuna.distributions.BaseDistribution:
    """Return what a sampler draws from for a move; `ordered`: of ascending numbers by their places in the list."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(move.values, Range):
        return FloatDistribution(move.values.low, move.values.high, log=move.values.log)
    if ordered and _ascending(move.values):
        return IntDistribution(0, len(move.values) - 1)
    # Positions: Optuna takes plain values only, and a setting may be null or a list.
    return CategoricalDistribution(tuple(range(len(move.values))))


def _ascending(values: Sequence[Any]) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return numbers and len(values) > 1 and all(one < other for one, other in pairwise(values))


def value_of(move: Move, param: Any) -> Any:
    """Return the setting that a drawn parameter stands for."""
    return param if isinstance(move.values, Range) else move.values[param]


def param_of(move: Move, value: Any) -> Any:
    """Return the parameter that a sampler draws for a setting that the move holds."""
    return value if isinstance(move.values, Range) else move.values.index(value)
