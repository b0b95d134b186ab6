"""Logistic regression along a path of strengths, each fit starting from the one before."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from truetune.types import Floats


@dataclass(frozen=True, slots=True)
class Path:
    """Inverse strengths of the L2 penalty (scikit-learn's C), strongest penalty first, and the solver.

    `saga` stops after some sweeps over sparse data, near the optimum; `lbfgs` suits few dense columns;
    `sgd` fits one against all the others, by a fixed number of sweeps, where rows are very many.
    """

    strengths: tuple[float, ...]
    solver: Literal["saga", "lbfgs", "sgd"]
    iterations: int
    tolerance: float = 0.0


SPARSE = Path((1.0, 3.0, 10.0, 30.0, 100.0), "saga", 20, 1e-2)
TAGGER = Path((2.0, 8.0), "sgd", 5)
DENSE = Path((1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0), "lbfgs", 100, 1e-4)


ENOUGH = 1_000_000
"""Stochastic descent sees about so many rows at least."""


def probabilities(
    path: Path, features: Any, targets: npt.NDArray[Any], others: Sequence[Any], labels: int
) -> Iterator[tuple[float, list[Floats]]]:
    """Give, for each strength, `[rows, labels]` probabilities of each of `others`.

    `features` and `others` are `[rows, columns]`, dense or sparse. `targets` are `[rows]` codes below
    `labels`, or `[rows, labels]` booleans: then each label is a regression of its own. A label that no row
    has gets 0; a regression whose rows all agree gets what they say.
    """
    if targets.ndim == 1:
        yield from _one_of_many(path, features, targets, others, labels)
        return
    columns = [_one_of_many(path, features, targets[:, label].astype(np.int64), others, 2) for label in range(labels)]
    for fits in zip(*columns, strict=True):
        yield fits[0][0], [np.stack([fit[1][place][:, 1] for fit in fits], axis=1) for place in range(len(others))]


def _one_of_many(
    path: Path, features: Any, codes: npt.NDArray[Any], others: Sequence[Any], labels: int
) -> Iterator[tuple[float, list[Floats]]]:
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    seen = np.unique(codes)
    model = _model(path, len(codes))
    for strength in path.strengths:
        found = [np.zeros((other.shape[0], labels)) for other in others]
        if len(seen) > 1:
            # One thread: these products are small, and threads that wait for each other on a busy machine
            # cost up to fifty times as long.
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # Stopping early is meant: see Path.
                model.set_params(**_penalty(path, strength, len(codes))).fit(features, codes)
            for place, other in enumerate(others):
                if other.shape[0]:
                    found[place][:, seen] = model.predict_proba(other)
        else:
            for array in found:
                array[:, seen] = 1.0
        yield strength, found


def _model(path: Path, rows: int) -> Any:
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    if path.solver == "sgd":
        sweeps = max(path.iterations, min(ENOUGH // rows, 20 * path.iterations))
        return SGDClassifier(loss="log_loss", max_iter=sweeps, tol=None, n_jobs=2, random_state=0)
    return LogisticRegression(
        solver=path.solver, max_iter=path.iterations, tol=path.tolerance, warm_start=True, random_state=0
    )


def _penalty(path: Path, strength: float, rows: int) -> dict[str, float]:
    return {"alpha": 1 / (strength * rows)} if path.solver == "sgd" else {"C": strength}


def label_targets(gold: Sequence[Any], names: Sequence[str], multiple: bool) -> npt.NDArray[Any]:
    """Return `[rows]` codes of labels, or `[rows, labels]` booleans where a row may carry several."""
    code = {name: place for place, name in enumerate(names)}
    if not multiple:
        return np.array([code[label] for label in gold], dtype=np.int64)
    targets = np.zeros((len(gold), len(names)), dtype=np.bool_)
    for row, carried in enumerate(gold):
        targets[row, [code[label] for label in carried]] = True
    return targets
