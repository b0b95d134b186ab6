"""Agreement of raters: published values, statsmodels, scikit-learn, and the laws of rows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from truetune.errors import MetricError
from truetune.metrics.agreement import agreement, cohen_kappa
from truetune.metrics.confusion import confusion_matrix
from truetune.rows import joined

NONE = None
KRIPPENDORFF_2011 = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]
"""Computing Krippendorff's Alpha-Reliability, section C: four observers, twelve units, missing data."""

FLEISS_1971 = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
"""The worked example of fourteen raters, ten items, five values; kappa is 0.210."""

rated = st.integers(2, 4).flatmap(
    lambda raters: st.lists(st.lists(st.integers(1, 4), min_size=raters, max_size=raters), min_size=1, max_size=20)
)


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_the_published_one(level: str, value: float) -> None:
    items = list(zip(*KRIPPENDORFF_2011, strict=True))
    assert agreement(items, level).value("krippendorff_alpha") == pytest.approx(value, abs=5e-4)
    with_nan = [[np.nan if rating is None else rating for rating in item] for item in items]
    assert agreement(with_nan, level).value("krippendorff_alpha") == pytest.approx(value, abs=5e-4)


def test_fleiss_is_the_published_one() -> None:
    items = [np.repeat(np.arange(1, 6), counts).tolist() for counts in FLEISS_1971]
    assert agreement(items).value("fleiss_kappa") == pytest.approx(0.210, abs=5e-4)


@given(rated)
def test_fleiss_equals_statsmodels(items: list) -> None:
    ours = agreement(items).value("fleiss_kappa")
    if len({rating for item in items for rating in item}) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(fleiss_kappa(aggregate_raters(np.array(items))[0]), abs=1e-9)


def alpha_by_definition(items: list, difference: object) -> float:
    """All pairs of ratings within items, against all pairs of ratings there are."""
    items = [item for item in items if len(item) > 1]
    every = [rating for item in items for rating in item]
    within = sum(
        sum(difference(one, other) for one in item for other in item) / (len(item) - 1)  # type: ignore[operator]
        for item in items
    )
    between = sum(difference(one, other) for one in every for other in every)  # type: ignore[operator]
    return 1 - within / len(every) / (between / (len(every) * (len(every) - 1)))


@given(st.lists(st.lists(st.integers(1, 4), max_size=4), min_size=1, max_size=12))
def test_alpha_equals_its_definition(items: list) -> None:
    paired = [rating for item in items if len(item) > 1 for rating in item]
    nominal, interval = (agreement(items, level).value("krippendorff_alpha") for level in ("nominal", "interval"))
    if len(set(paired)) < 2:
        assert np.isnan(nominal)
        assert np.isnan(interval)
        return
    assert nominal == pytest.approx(alpha_by_definition(items, lambda one, other: one != other), abs=1e-9)
    assert interval == pytest.approx(alpha_by_definition(items, lambda one, other: (one - other) ** 2), abs=1e-9)


@given(rated, rated)
def test_items_merge_and_resample(first: list, second: list) -> None:
    values = (1, 2, 3, 4)
    for level in ("nominal", "ordinal", "interval"):
        one, other, both = (agreement(items, level, values) for items in (first, second, first + second))
        alpha = both.metrics[0]
        merged = joined(one.rows, other.rows)
        np.testing.assert_allclose(alpha.value(merged), both.value("krippendorff_alpha"), rtol=0, atol=1e-9)
        counts = np.stack([both.rows.counts, 2 * both.rows.counts])
        assert alpha.value(both.rows, counts).shape == (2,)
        np.testing.assert_allclose(alpha.value(both.rows, counts)[0], alpha.value(both.rows), rtol=0, atol=1e-12)
        np.testing.assert_allclose(alpha.rows(first + second, None).totals(), both.rows.totals(), rtol=0, atol=1e-9)


def test_names_in_an_order() -> None:
    named = [["low", "mid"], ["high", "high"], ["low", "low"], ["mid", "high"]]
    numbers = [[1, 2], [3, 3], [1, 1], [2, 3]]
    found = agreement(named, "ordinal", ["low", "mid", "high"])
    assert found.value("krippendorff_alpha") == agreement(numbers, "ordinal").value("krippendorff_alpha")
    assert found.value("krippendorff_alpha") > agreement(named).value("krippendorff_alpha")


def test_fleiss_needs_as_many_ratings_of_every_item() -> None:
    found = agreement([["a", "b", "a"], ["a", "a"]])
    assert [metric.name for metric in found.metrics] == ["krippendorff_alpha"]
    with pytest.raises(MetricError, match="no metric 'fleiss_kappa' here"):
        found.value("fleiss_kappa")


def test_what_cannot_be_rated_is_named() -> None:
    with pytest.raises(MetricError, match="rating 'c' of item 1 is not one of the values 'a', 'b'"):
        agreement([["a"], ["c"]], values=["a", "b"])
    with pytest.raises(MetricError, match="interval ratings are numbers, found 'a'"):
        agreement([["a", 1]], "interval")
    with pytest.raises(MetricError, match="need `values`: their names in order"):
        agreement([["low", "high"]], "ordinal")
    with pytest.raises(MetricError, match="did you mean 'ordinal'"):
        agreement([[1, 2]], "ordnal")  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="unknown weights 'linaer'"):
        cohen_kappa(np.eye(2), "linaer")  # type: ignore[arg-type]


def test_nothing_rated_twice_is_undefined() -> None:
    for items in ([], [[1], [2], []], [[1, 1], [1, 1]]):
        assert np.isnan(agreement(items, "interval").value("krippendorff_alpha"))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_weighted_cohen_equals_scikit_learn(pairs: list) -> None:
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    labels, matrix = confusion_matrix(first, second)
    places = [labels.index(str(one)) for one in first], [labels.index(str(one)) for one in second]
    several = cohen_kappa(np.stack([matrix, 2 * matrix]), "linear")
    for weights, theirs in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
        ours = cohen_kappa(matrix, weights)
        if len(labels) == 1:
            assert np.isnan(ours)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert ours == pytest.approx(cohen_kappa_score(*places, weights=theirs), abs=1e-9)
    np.testing.assert_allclose(several, cohen_kappa(matrix, "linear"), rtol=0, atol=1e-12)
