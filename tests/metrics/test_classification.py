"""Classification: equal to scikit-learn, its laws, and where we differ on purpose."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from sklearn.preprocessing import MultiLabelBinarizer

from truetune.metric import PerLabel
from truetune.metrics.classification import MULTIPLE, SINGLE, undefined_labels
from truetune.metrics.confusion import confusion_matrix, confusion_of_rows
from truetune.metrics.counts import label_counts, label_set_counts
from truetune.rows import joined

label = st.sampled_from(["a", "b", "c", "d", "e"])
pairs = st.lists(st.tuples(label, label), min_size=1, max_size=40)
label_sets = st.lists(st.tuples(st.frozensets(label), st.frozensets(label)), min_size=1, max_size=25)
MEASURES = ("precision", "recall", "f1")


def sides(found: list) -> tuple[list, list]:
    return [gold for gold, _ in found], [predicted for _, predicted in found]


def values(metrics: tuple, gold: list, predicted: list) -> dict[str, float]:
    found = {}
    for metric in metrics:
        rows = metric.rows(gold, predicted)
        each = metric.metrics(rows.labels) if isinstance(metric, PerLabel) else (metric,)
        found.update({one.name: float(one.value(rows)) for one in each})
    return found


@pytest.fixture(autouse=True)
def _quiet_reference() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def reference_averages(gold: object, predicted: object, averages: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for average in averages:
        scores = sklearn_metrics.precision_recall_fscore_support(gold, predicted, average=average, zero_division=np.nan)
        found.update({f"{measure}_{average}": score for measure, score in zip(MEASURES, scores[:3], strict=True)})
    return found


def without_weightless(theirs: dict[str, float], gold: list, predicted: list) -> dict[str, float]:
    """Drop weighted averages whose defined labels all weigh 0: undefined for us, a plain mean for the reference."""
    in_gold = {name for one in gold for name in one}
    guessed = {name for one in predicted for name in one}
    weightless = {
        "precision_weighted": not in_gold & guessed,
        "recall_weighted": not in_gold,
        "f1_weighted": not in_gold,
    }
    return {name: value for name, value in theirs.items() if not weightless.get(name)}


def same(ours: dict[str, float], theirs: dict[str, float]) -> None:
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=0, atol=1e-9, err_msg=name)


@given(pairs)
def test_equal_to_scikit_learn(found: list) -> None:
    gold, predicted = sides(found)
    theirs = reference_averages(gold, predicted, ("macro", "micro", "weighted"))
    theirs["accuracy"] = sklearn_metrics.accuracy_score(gold, predicted)
    labels = sorted({*gold, *predicted})
    each = sklearn_metrics.precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=np.nan)
    for measure, scores in zip(MEASURES, each[:3], strict=True):
        theirs.update({f"{measure}/{name}": score for name, score in zip(labels, scores, strict=True)})
    same(values(SINGLE, gold, predicted), without_weightless(theirs, gold, predicted))


def test_a_weighted_average_without_weight_is_undefined() -> None:
    ours = values(SINGLE, ["a", "a"], ["b", "b"])
    assert np.isnan(ours["precision_weighted"])  # only b has a precision, and b has no support
    assert ours["f1_weighted"] == ours["precision_macro"] == 0


@given(pairs)
def test_correlation_and_kappa_equal_scikit_learn_where_they_are_defined(found: list) -> None:
    gold, predicted = sides(found)
    ours = values(SINGLE, gold, predicted)
    assert np.isnan(ours["mcc"]) == (len(set(gold)) == 1 or len(set(predicted)) == 1)
    assert np.isnan(ours["kappa"]) == (len({*gold, *predicted}) == 1)
    if np.isfinite(ours["mcc"]):
        same(ours, {"mcc": sklearn_metrics.matthews_corrcoef(gold, predicted)})
    if np.isfinite(ours["kappa"]):
        same(ours, {"kappa": sklearn_metrics.cohen_kappa_score(gold, predicted)})


def test_one_class_is_undefined_where_the_reference_says_0() -> None:
    ours = values(SINGLE, ["a"] * 5, ["a"] * 5)
    assert np.isnan(ours["mcc"])
    assert np.isnan(ours["kappa"])
    assert sklearn_metrics.matthews_corrcoef(["a"] * 5, ["a"] * 5) == 0  # says "no correlation" of all right
    assert ours["accuracy"] == ours["f1_macro"] == 1


@given(label_sets)
def test_label_sets_equal_scikit_learn(found: list) -> None:
    gold, predicted = sides(found)
    standing = sorted({name for pair in found for side in pair for name in side})
    assume(len(standing) > 1)  # scikit-learn takes one column for binary labels
    binarizer = MultiLabelBinarizer(classes=standing)
    true, guess = binarizer.fit_transform(gold), binarizer.transform(predicted)
    theirs = reference_averages(true, guess, ("macro", "micro", "weighted", "samples"))
    theirs["accuracy"] = sklearn_metrics.accuracy_score(true, guess)
    theirs["hamming_loss"] = sklearn_metrics.hamming_loss(true, guess)
    each = sklearn_metrics.precision_recall_fscore_support(true, guess, zero_division=np.nan)
    for measure, scores in zip(MEASURES, each[:3], strict=True):
        theirs.update({f"{measure}/{name}": score for name, score in zip(standing, scores, strict=True)})
    same(values(MULTIPLE, gold, predicted), without_weightless(theirs, gold, predicted))


def test_no_example_is_undefined_everywhere() -> None:
    for metrics in (SINGLE, MULTIPLE):
        found = values(metrics, [], [])
        assert found
        assert np.isnan(list(found.values())).all()


def test_label_sets_without_any_label() -> None:
    found = values(MULTIPLE, [[], []], [[], []])
    assert found["accuracy"] == 1
    assert np.isnan([found["f1_macro"], found["f1_micro"], found["f1_samples"], found["hamming_loss"]]).all()


@given(pairs, st.randoms(use_true_random=False))
def test_order_of_examples_and_names_of_labels_do_not_matter(found: list, random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    renamed = dict(zip("abcde", "vzxyw", strict=True))
    ours = values(SINGLE, *sides(found))
    same(values(SINGLE, *sides(shuffled)), ours)
    other = values(SINGLE, *sides([(renamed[gold], renamed[predicted]) for gold, predicted in found]))
    whole = {name: value for name, value in ours.items() if "/" not in name}
    same(other, whole)
    for name, value in ours.items():
        measure, slash, one = name.partition("/")
        if slash:
            same(other, {f"{measure}/{renamed[one]}": value})


@given(pairs)
def test_swapping_gold_and_predicted_swaps_precision_and_recall(found: list) -> None:
    gold, predicted = sides(found)
    ours, swapped = values(SINGLE, gold, predicted), values(SINGLE, predicted, gold)
    for average in ("_macro", "_micro", *(f"/{name}" for name in {*gold, *predicted})):
        same(swapped, {f"precision{average}": ours[f"recall{average}"]})
        same(swapped, {f"recall{average}": ours[f"precision{average}"]})
    same(swapped, {name: ours[name] for name in ("accuracy", "f1_macro", "f1_macro_of_means", "mcc", "kappa")})


@given(pairs)
def test_with_one_label_an_example_micro_averages_are_accuracy(found: list) -> None:
    ours = values(SINGLE, *sides(found))
    same(
        ours,
        dict.fromkeys(("precision_micro", "recall_micro", "f1_micro", "recall_weighted"), ours["accuracy"]),
    )


@given(pairs)
def test_ratio_and_formula_are_one_number(found: list) -> None:
    gold, predicted = sides(found)
    for metric in (*SINGLE, *MULTIPLE):
        as_sets = metric.gold == "labels"
        rows = metric.rows(
            [[one] for one in gold] if as_sets else gold, [[one] for one in predicted] if as_sets else predicted
        )
        for one in metric.metrics(rows.labels) if isinstance(metric, PerLabel) else (metric,):
            if getattr(one, "ratio", None) is not None:
                above, below = one.ratio(rows.totals())
                per_row = one.ratio(rows.table)
                np.testing.assert_allclose([rows.counts @ part for part in per_row], [above, below], rtol=1e-12)
                value = float(one.value(rows))
                assert value == pytest.approx(float(above / below)) if below else np.isnan(value)
                assert one.interval in ("wilson", "t")
            else:
                assert one.interval == "bca"


def test_dependent_labels_get_no_wilson_interval() -> None:
    intervals = {metric.name: metric.interval for metric in MULTIPLE}
    assert intervals["accuracy"] == intervals["precision"] == "wilson"
    assert intervals["f1_micro"] == intervals["precision_micro"] == intervals["recall_weighted"] == "bca"


@given(pairs, pairs)
def test_values_of_merged_shards_are_those_of_one_pass(first: list, second: list) -> None:
    merged = joined(label_counts(*sides(first)), label_counts(*sides(second)))
    whole = values(SINGLE, *sides(first + second))
    for metric in SINGLE:
        for one in metric.metrics(merged.labels) if isinstance(metric, PerLabel) else (metric,):
            np.testing.assert_allclose(one.value(merged), whole[one.name], rtol=0, atol=1e-12)


@given(pairs, st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_resampled_values_are_those_of_the_resample(found: list, times: list) -> None:
    """Inside a resample the averages run over the labels that stand in it, as in any other sample."""
    rows = label_counts(*sides(found))
    drawn = np.repeat(np.arange(len(found)), times[: len(found)])
    counts = np.bincount(rows.index[drawn], minlength=len(rows.table))
    resample = [found[place] for place in drawn]
    assume(resample)
    theirs = values(SINGLE, *sides(resample))
    for metric in SINGLE:
        if not isinstance(metric, PerLabel):
            both = metric.value(rows, np.stack([counts, rows.counts]))
            np.testing.assert_allclose(both[0], theirs[metric.name], rtol=0, atol=1e-12)
            np.testing.assert_allclose(both[1], metric.value(rows), rtol=0, atol=1e-12)


@given(pairs)
def test_confusion_matrix_equals_scikit_learn(found: list) -> None:
    gold, predicted = sides(found)
    labels, matrix = confusion_matrix(gold, predicted)
    assert np.array_equal(matrix, sklearn_metrics.confusion_matrix(gold, predicted, labels=list(labels)))
    assert matrix.dtype == np.int64
    swapped = confusion_matrix(predicted, gold)
    assert swapped[0] == labels
    assert np.array_equal(swapped[1], matrix.T)
    half = label_counts(gold[::2], predicted[::2])
    both = confusion_of_rows(joined(half, label_counts(gold[1::2], predicted[1::2])))
    assert np.array_equal(both[1], matrix)


def test_confusion_matrix_of_nothing() -> None:
    labels, matrix = confusion_matrix([], [])
    assert labels == ()
    assert matrix.shape == (0, 0)


def test_undefined_labels_are_named() -> None:
    warned = undefined_labels(label_counts(["a", "b", "c"], ["a", "a", "z"]))
    assert len(warned) == 2
    assert warned[0].startswith("never predicted: b, c;")
    assert warned[1].startswith("predicted but not in gold: z;")
    assert undefined_labels(label_counts(["a", "b"], ["b", "a"])) == ()
    many = [[str(number)] for number in range(30)]
    assert "and 20 more" in undefined_labels(label_set_counts(many, [[]] * 30))[0]


def test_definitions_are_distinct_and_say_the_averaging() -> None:
    for metrics in (SINGLE, MULTIPLE):
        texts = [metric.definition for metric in metrics]
        assert len(set(texts)) == len(texts)
        for metric in metrics:
            if metric.name.endswith("_macro"):
                assert "unweighted mean" in metric.definition
                assert "stand in gold or predicted" in metric.definition
            if metric.name.endswith("_weighted"):
                assert "weighted by gold support" in metric.definition
