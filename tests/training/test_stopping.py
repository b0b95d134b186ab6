"""The best evaluation and when to stop."""

import math

import pytest

from truetune.errors import RunError
from truetune.training.stopping import Progress, Selection


def test_the_direction_decides_what_is_better() -> None:
    rising, falling = Progress(), Progress()
    for step, score in enumerate([0.5, 0.7, 0.6], start=1):
        rising, falling = rising.after(score, step, "higher"), falling.after(score, step, "lower")
    assert (rising.best, rising.best_step, rising.since) == (0.7, 2, 1)
    assert (falling.best, falling.best_step, falling.since) == (0.5, 1, 2)


def test_of_equal_scores_the_first_is_kept() -> None:
    assert Progress().after(0.5, 1, "higher").after(0.5, 2, "higher").best_step == 1


def test_an_undefined_score_is_never_the_best() -> None:
    progress = Progress().after(math.nan, 1, "higher")
    assert progress.best_step == 0
    assert progress.after(0.1, 2, "higher").best_step == 2
    assert progress.after(0.1, 2, "higher").after(math.nan, 3, "higher").best_step == 2


def test_patience_counts_evaluations_without_gain() -> None:
    progress = Progress().after(0.5, 1, "higher").after(0.4, 2, "higher")
    assert not progress.exhausted(2)
    assert progress.after(0.5, 3, "higher").exhausted(2)
    assert not progress.exhausted(None)


def test_a_metric_that_was_not_computed_is_an_error_with_the_nearest() -> None:
    selection = Selection("f1_macro")
    assert selection.score({"f1_macro": 0.3}) == 0.3
    with pytest.raises(RunError, match=r"'f1_macro'.* was not computed; did you mean 'f1_micro'"):
        selection.score({"f1_micro": 0.3, "accuracy": 0.9})
