"""The decision log: what was tried, why, what it cost, what it brought, as JSON from which the page is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from truetune.metric import Metric
from truetune.optimization.confirm import Confirmation
from truetune.optimization.importance import importances, leads
from truetune.optimization.objectives import UNITS, Aims, front
from truetune.optimization.space import Move, Range, Space
from truetune.optimization.trial import Trial


def decisions_of(
    metric: Metric, space: Space, trials: Sequence[Trial], found: Confirmation, optimism: float, aims: Aims
) -> dict[str, Any]:
    """Return the whole search as JSON-ready values."""
    by_number = {trial.number: trial for trial in trials}
    ahead, sign = leads(trials), 1 if metric.better == "higher" else -1
    return {
        "metric": metric.name,
        "better": metric.better,
        "space": [_move(move) for move in space.moves],
        "objectives": {"costs": {name: UNITS[name] for name in aims.costs}, "give": aims.give},
        "front": [trial.number for trial in front(trials, sign)] if aims.costs else [],
        "diagnosis": space.diagnosis,
        "first": [
            {"trial": number, "cause": cause, "changes": dict(changes)}
            for number, (cause, changes) in enumerate(space.first, start=1)
            if number in by_number
        ],
        "given": dict(space.given),
        "importances": [asdict(one) for one in importances(space.moves, trials, space.given)],
        "trials": [{**asdict(trial), "lead": ahead.get(trial.number)} for trial in trials],
        "seconds": sum(trial.seconds for trial in trials),
        "optimism": optimism,
        "confirming_seconds": found.seconds,
        "confirmation": [one.to_dict() for one in found.finalists],
        "not_confirmed": list(found.failed),
        "winner": found.winner,
        "changes": dict(by_number[found.winner].changes),
        "why": found.why,
    }


def _move(move: Move) -> dict[str, Any]:
    values = asdict(move.values) if isinstance(move.values, Range) else list(move.values)
    return {"key": move.key, "values": values, "why": move.why, "source": move.source}
