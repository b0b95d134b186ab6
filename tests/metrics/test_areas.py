"""ROC AUC and average precision: equal to scikit-learn, in any resample, with ties, for any labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from truetune.errors import MetricError
from truetune.metrics.areas import AVERAGE_PRECISION, MULTIPLE, ROC_AUC, ROC_AUC_OVO, area_metrics
from truetune.metrics.label_scores import LabelScores
from truetune.metrics.score_rows import binary_rows, score_rows
from truetune.rows import Rows, joined

scored = st.lists(
    st.tuples(st.booleans(), st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))),
    min_size=1,
    max_size=40,
)


def columns(found: list) -> tuple[np.ndarray, np.ndarray]:
    return np.array([one for one, _ in found]), np.array([score for _, score in found], dtype=np.float64)


def check(ours: object, theirs: float) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@given(scored)
def test_two_labels_equal_scikit_learn(found: list) -> None:
    positive, score = columns(found)
    rows = binary_rows(positive, score)
    assert np.array_equal(rows.dense(), np.stack([positive, score], axis=1))
    assert len(rows.table) == len({(bool(one), value) for one, value in found})
    assert (np.diff(rows.table[:, 1]) >= 0).all()
    assert np.isnan(ROC_AUC.value(rows)) == (positive.all() or not positive.any())
    assert np.isnan(AVERAGE_PRECISION.value(rows)) == (not positive.any())
    if positive.any():
        check(AVERAGE_PRECISION.value(rows), average_precision_score(positive, score))
    if positive.any() and not positive.all():
        check(ROC_AUC.value(rows), roc_auc_score(positive, score))


@given(scored, st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_resamples_are_the_values_of_the_resample(found: list, times: list) -> None:
    positive, score = columns(found)
    rows = binary_rows(positive, score)
    shuffled = Rows.of(rows.dense())  # another order of the distinct rows
    drawn = np.repeat(np.arange(len(found)), times[: len(found)])
    resample = binary_rows(positive[drawn], score[drawn])
    for metric in (ROC_AUC, AVERAGE_PRECISION):
        for one in (rows, shuffled):
            counts = np.bincount(one.index[drawn], minlength=len(one.table))
            both = metric.value(one, np.stack([counts, one.counts])[None])
            assert both.shape == (1, 2)
            check(both[0, 0], metric.value(resample))
            check(both[0, 1], metric.value(rows))


@given(scored, scored)
def test_shards_merge(first: list, second: list) -> None:
    merged = joined(binary_rows(*columns(first)), binary_rows(*columns(second)))
    whole = binary_rows(*columns(first + second))
    for metric in (ROC_AUC, AVERAGE_PRECISION):
        check(metric.value(merged), metric.value(whole))


def test_ties_count_half_and_average_precision_is_stepwise() -> None:
    rows = binary_rows(np.array([True, False, True, False]), np.array([0.5, 0.5, 0.9, 0.1]))
    assert ROC_AUC.value(rows) == pytest.approx((0.5 + 1 + 1 + 1) / 4)
    # at 0.9: R 1/2, P 1; at 0.5: R 1, P 2/3. Trapezoids would give more than 5/6.
    assert AVERAGE_PRECISION.value(rows) == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    constant = binary_rows(np.array([True, False, False]), np.full(3, 0.5))
    assert ROC_AUC.value(constant) == 0.5
    assert AVERAGE_PRECISION.value(constant) == pytest.approx(1 / 3)


@given(scored)
def test_a_monotone_change_of_scores_changes_nothing_and_a_reversal_mirrors(found: list) -> None:
    positive, score = columns(found)
    ranks = np.unique(score, return_inverse=True)[1].astype(np.float64)
    value = ROC_AUC.value(binary_rows(positive, score))
    check(ROC_AUC.value(binary_rows(positive, 3 * ranks - 7)), value)
    check(ROC_AUC.value(binary_rows(positive, -ranks)), 1 - value)
    check(ROC_AUC.value(binary_rows(~positive, score)), 1 - value)


@st.composite
def several_labels(draw: st.DrawFn) -> tuple[np.ndarray, LabelScores]:
    number, labels = draw(st.integers(1, 25)), draw(st.integers(3, 5))
    gold = draw(st.lists(st.integers(0, labels - 1), min_size=number, max_size=number))
    raw = draw(st.lists(st.integers(1, 6), min_size=number * labels, max_size=number * labels))
    values = np.array(raw, dtype=np.float64).reshape(number, labels)
    names = tuple(str(label) for label in range(labels))
    return np.array(gold), LabelScores(names, values / values.sum(axis=1, keepdims=True))


@given(several_labels())
def test_one_against_the_rest_equals_scikit_learn(found: tuple) -> None:
    gold, scores = found
    rows = score_rows(gold, scores)
    areas, precisions = [], []
    metrics = {metric.name: metric for metric in area_metrics(scores.labels)}
    for place, label in enumerate(scores.labels):
        positive = gold == place
        for name, reference, values, defined in (
            ("roc_auc", roc_auc_score, areas, positive.any() and not positive.all()),
            ("average_precision", average_precision_score, precisions, positive.any()),
        ):
            one = metrics[f"{name}/{label}"]
            ours = one.value(one.rows(gold, scores))
            assert np.isfinite(ours) == defined
            if defined:
                values.append(reference(positive, scores.values[:, place]))
                check(ours, values[-1])
    check(ROC_AUC.value(rows), np.mean(areas) if areas else np.nan)
    check(AVERAGE_PRECISION.value(rows), np.mean(precisions))
    if len(set(gold.tolist())) == len(scores.labels):
        check(ROC_AUC.value(rows), roc_auc_score(gold, scores.values, multi_class="ovr"))


@given(several_labels())
def test_one_against_one_equals_scikit_learn(found: tuple) -> None:
    gold, scores = found
    assume(len(set(gold.tolist())) == len(scores.labels))
    check(ROC_AUC_OVO.value(score_rows(gold, scores)), roc_auc_score(gold, scores.values, multi_class="ovo"))


@given(several_labels(), st.integers(0, 2**32 - 1))
def test_pairs_of_many_draws_are_as_each_drawn_alone(found: tuple, seed: int) -> None:
    gold, scores = found
    rows = score_rows(gold, scores)
    counts = np.random.default_rng(seed).integers(0, 3, (4, len(rows.table)))
    for row, value in zip(counts, ROC_AUC_OVO.value(rows, counts), strict=True):
        chosen = np.repeat(np.arange(len(rows.table)), row)
        if rows.table.ndim == 3:
            drawn = rows.table[chosen]
            if drawn[:, 1].any(axis=0).all():
                check(value, roc_auc_score(drawn[:, 1].argmax(axis=1), drawn[:, 0], multi_class="ovo"))
        check(ROC_AUC_OVO.value(rows, row), value)


@given(several_labels(), several_labels())
def test_shards_of_several_labels_merge(first: tuple, second: tuple) -> None:
    assume(first[1].labels == second[1].labels)
    merged = joined(score_rows(*first), score_rows(*second))
    whole = LabelScores(first[1].labels, np.concatenate([first[1].values, second[1].values]))
    for metric in (ROC_AUC, AVERAGE_PRECISION):
        check(metric.value(merged), metric.value(score_rows(np.concatenate([first[0], second[0]]), whole)))


@given(several_labels(), st.integers(0, 2**32 - 1))
def test_label_sets_equal_scikit_learn(found: tuple, seed: int) -> None:
    _, scores = found
    gold = np.random.default_rng(seed).random(scores.values.shape) < 0.5
    sets = [[label for label, here in zip(scores.labels, row, strict=True) if here] for row in gold]
    assume(gold.any(axis=0).all() and not gold.all(axis=0).any())
    for metric, reference in zip(MULTIPLE, (roc_auc_score, average_precision_score), strict=True):
        check(metric.value(metric.rows(sets, scores)), reference(gold, scores.values, average="macro"))
    names = {metric.name for metric in area_metrics(scores.labels, multiple=True)}
    assert {f"roc_auc/{label}" for label in scores.labels} < names
    for metric in area_metrics(scores.labels, multiple=True):
        if metric.name == "roc_auc/1":
            check(metric.value(metric.rows(sets, scores)), roc_auc_score(gold[:, 1], scores.values[:, 1]))


def test_of_two_labels_the_second_in_sorted_order_is_positive() -> None:
    gold = ["yes", "no", "yes", "no"]
    scores = [{"yes": value, "no": 1 - value} for value in (0.9, 0.2, 0.6, 0.7)]
    area, precision = area_metrics(["yes", "no"])
    assert "positive is the second label in sorted order" in area.definition
    assert area.interval == "delong"
    assert precision.interval == "bca"
    rows = area.rows(gold, scores)
    assert rows.note == "positive is 'yes'"
    assert rows.table.shape == (4, 2)
    assert set(rows.table[:, 0]) == {0, 1}
    assert area.value(rows) == pytest.approx(3 / 4)
    # the same model, read from the other side, is as good
    swapped = {"yes": "a", "no": "b"}
    renamed = [{swapped[label]: value for label, value in one.items()} for one in scores]
    assert area.value(area.rows([swapped[label] for label in gold], renamed)) == pytest.approx(3 / 4)


def test_one_raw_logit_of_a_two_way_softmax_is_refused() -> None:
    """The logit of one output orders examples otherwise than its probability: another AUC, without notice."""
    logits = np.array([[4.0, 3.0], [0.0, 1.0], [0.5, 0.0], [3.0, 4.0]])
    gold = np.array([0, 1, 0, 1])
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    clean = LabelScores(("0", "1"), right)
    assert ROC_AUC.value(ROC_AUC.rows(gold, clean)) == 1
    assert roc_auc_score(gold, logits[:, 1]) < 1
    with pytest.raises(MetricError, match="raw logit"):
        ROC_AUC.rows(gold, LabelScores(("0", "1"), logits))
    with pytest.raises(MetricError, match="sum to"):
        ROC_AUC.rows(gold, LabelScores(("0", "1"), 1 / (1 + np.exp(-logits))))


def test_scores_must_be_finite_and_one_an_example() -> None:
    with pytest.raises(MetricError, match="score of example 1 is nan"):
        binary_rows(np.array([True, False]), np.array([0.5, np.nan]))
    with pytest.raises(MetricError, match="expected one of each"):
        binary_rows(np.array([True, False]), np.array([0.5]))


def test_no_example_is_undefined() -> None:
    for metric in (ROC_AUC, AVERAGE_PRECISION, *MULTIPLE, *area_metrics(["a", "b", "c"])):
        assert np.isnan(metric.value(metric.rows([], [])))
    assert np.isnan(ROC_AUC_OVO.value(score_rows([], [])))
