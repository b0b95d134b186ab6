"""What each setting explains of the trials' leads, against values worked by hand and against statsmodels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from statsmodels.api import OLS

from truetune.optimization.importance import importances, leads
from truetune.optimization.space import Move, Range
from truetune.optimization.trial import Seen, Trial

X, Y, Z = Move("train.x", (0, 1, 2), ""), Move("train.y", (None, "on"), ""), Move("train.z", Range(0.0, 1.0), "")
GIVEN = {"train.x": 0, "train.y": None, "train.z": 0.5}


def trial(number: int, value: float | None, share: float = 1.0, **changes: object) -> Trial:
    named = {f"train.{key}": one for key, one in changes.items()}
    return Trial(number, named, "finished" if share == 1 else "stopped", (Seen(share, value, 1.0),))


def test_a_lead_is_over_the_config_at_the_same_share_of_training() -> None:
    given = Trial(0, {}, "finished", tuple(Seen(share, value, 1.0) for share, value in ((0.25, 0.4), (0.75, 0.6))))
    others = [trial(1, 0.55, 0.5), trial(2, 0.9), trial(3, None), Trial(4, {}, "failed"), trial(5, 0.35, 0.1)]
    assert leads([given, *others]) == pytest.approx({0: 0.0, 1: 0.05, 2: 0.3, 5: -0.05})
    assert leads([]) == {}
    assert leads([trial(0, None), trial(1, 0.5)]) == {}


def test_shares_worked_by_hand() -> None:
    # Two trials of each x and y; the score is 0.1 x, and 0.01 apart within a pair that differs in nothing else.
    grid = [*itertools.product((0, 1, 2), (None, "on"), (-1, 1))]
    trials = [trial(n, 0.5 + 0.1 * x + 0.005 * luck, x=x, y=y) for n, (x, y, luck) in enumerate(grid)]
    found = {one.key: one for one in importances([X, Y, Z], trials, GIVEN)}
    assert set(found) == {"train.x", "train.y"}, "z never varied"
    # Squared deviations: 8 of 0.1 between x, 12 of 0.005 within them; 12 trials in 3 groups.
    within = 12 * 0.005**2
    assert found["train.x"].share == pytest.approx(1 - 11 / 9 * within / (within + 8 * 0.1**2))
    assert found["train.y"].share == 0
    assert found["train.x"].p_adjusted == pytest.approx(0, abs=1e-9)
    assert found["train.y"].p_adjusted == pytest.approx(1)


def test_p_values_are_those_of_an_additive_model() -> None:
    rng = np.random.default_rng(3)
    trials = []
    for number in range(40):
        x, y, z = int(rng.integers(3)), (None, "on")[int(rng.integers(2))], float(rng.random())
        trials.append(trial(number, 0.5 + 0.02 * x + 0.02 * (y == "on") + 0.03 * rng.normal(), x=x, y=y, z=z))
    ahead = leads(trials)
    thirds = np.array([one.changes["train.z"] for one in trials])
    ranks = np.searchsorted(np.quantile(thirds, [1 / 3, 2 / 3]), thirds)
    columns = {
        "train.x": [[one.changes["train.x"] == value for value in (1, 2)] for one in trials],
        "train.y": [[one.changes["train.y"] == "on"] for one in trials],
        "train.z": [[rank == value for value in (1, 2)] for rank in ranks],
    }
    values = np.array([ahead[number] for number in range(40)])

    def fitted(keys: list[str]) -> object:
        return OLS(values, np.hstack([np.ones((40, 1)), *(np.array(columns[key], float) for key in keys)])).fit()

    whole = fitted([*columns])
    raw = {key: whole.compare_f_test(fitted([one for one in columns if one != key]))[1] for key in columns}  # type: ignore[attr-defined]
    ordered = sorted(raw, key=lambda key: raw[key])
    expected, last = {}, 0.0
    for place, key in enumerate(ordered):
        last = expected[key] = min(1.0, max(last, (3 - place) * raw[key]))
    found = {one.key: one.p_adjusted for one in importances([X, Y, Z], trials, GIVEN)}
    assert found == pytest.approx(expected)


def test_settings_that_move_together_are_not_told_apart() -> None:
    trials = [trial(n, 0.5 + 0.1 * (n % 2) + 0.001 * (n // 2), x=n % 2, y=(None, "on")[n % 2]) for n in range(16)]
    found = {one.key: one for one in importances([X, Y], trials, GIVEN)}
    assert found["train.x"].share == found["train.y"].share > 0.9
    assert found["train.x"].p_adjusted is found["train.y"].p_adjusted is None


def test_nothing_is_said_of_few_trials_or_of_equal_ones() -> None:
    few = [trial(n, 0.5 + 0.01 * n, x=n % 3) for n in range(11)]
    assert importances([X], few, GIVEN) == ()
    assert importances([X], [trial(n, 0.5, x=n % 3) for n in range(20)], GIVEN) == ()
    assert importances([X], [trial(n, 0.5 + 0.01 * n) for n in range(20)], GIVEN) == ()


def test_a_number_is_one_value_however_it_is_written() -> None:
    trials = [trial(n, 0.5 + 0.01 * n, **({"x": 1} if n % 2 else {})) for n in range(14)]
    (one,) = importances([X], trials, {"train.x": 1.0} | GIVEN)
    assert one.key == "train.x"
    assert importances([Move("train.x", (1,), "")], trials, {"train.x": 1.0}) == ()
