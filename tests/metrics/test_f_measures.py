"""Formulas over counts: they work on leading axes, and leave out what is 0/0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.metrics import f_measures as f

FORMULAS = [
    *(average(measure) for average in (f.macro, f.micro, f.weighted) for measure in (f.precision, f.recall, f.f1)),
    f.accuracy,
    f.f1_of_means,
    f.mcc,
    f.kappa,
]


@st.composite
def confusion_sums(draw: st.DrawFn) -> np.ndarray:
    """Sums `[3, labels]` of a random confusion matrix, with empty rows and columns."""
    labels = draw(st.integers(1, 4))
    matrix = np.array(draw(st.lists(st.integers(0, 4), min_size=labels**2, max_size=labels**2)))
    square = matrix.reshape(labels, labels)
    return np.stack([np.diag(square), square.sum(axis=1), square.sum(axis=0)])


@given(st.lists(confusion_sums(), min_size=1, max_size=4))
def test_leading_axes_are_independent(several: list) -> None:
    labels = max(sums.shape[1] for sums in several)
    padded = [np.pad(sums, ((0, 0), (0, labels - sums.shape[1]))) for sums in several]
    for formula in FORMULAS:
        together = formula(np.stack(padded))
        each = [formula(sums) for sums in several]
        np.testing.assert_allclose(together, each, rtol=0, atol=1e-12)  # labels without counts change nothing
        as_floats = formula(np.stack(padded).astype(np.float64))
        np.testing.assert_allclose(as_floats, together, rtol=0, atol=1e-12)


def test_f1_is_defined_as_soon_as_a_label_stands_in_gold_or_predicted() -> None:
    #                 gold only, predicted only, both, neither
    sums = np.array([[0, 0, 1, 0], [2, 0, 1, 0], [0, 3, 1, 0]])
    assert f.f1(sums)[:3].tolist() == [0, 0, 1]
    assert np.isnan(f.f1(sums)[3])
    assert np.isnan(f.precision(sums)).tolist() == [True, False, False, True]
    assert np.isnan(f.recall(sums)).tolist() == [False, True, False, True]
    assert f.macro(f.f1)(sums) == pytest.approx(1 / 3)
    assert f.macro(f.precision)(sums) == pytest.approx(1 / 2)
    assert f.weighted(f.precision)(sums) == pytest.approx(1)  # the undefined label leaves with its weight


def test_macro_f1_has_two_formulas() -> None:
    # a: P 1, R 1/4; b: P 1/4, R 1 (1 of 4 a found, 3 called b; 1 b found)
    sums = np.array([[1, 1], [4, 1], [1, 4]])
    assert f.macro(f.f1)(sums) == pytest.approx(0.4)
    assert f.f1_of_means(sums) == pytest.approx(0.625)


def test_large_counts_do_not_overflow() -> None:
    sums = np.array([[1, 1], [2, 2], [2, 2]]) * 10**9
    assert f.mcc(sums) == pytest.approx(0)
    assert f.kappa(3 * sums) == pytest.approx(0)
