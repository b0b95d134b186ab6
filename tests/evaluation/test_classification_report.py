"""The classification report: scikit-learn's text to the letter without intervals, and readable with them."""

from __future__ import annotations

import json
import re
import warnings
from math import nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import classification_report as reference_report
from sklearn.preprocessing import MultiLabelBinarizer

from truetune.evaluation.check_report import check_report
from truetune.evaluation.classification_report import Table, classification_table
from truetune.metric import PerLabel
from truetune.metrics import f_measures as f
from truetune.metrics.classification import MULTIPLE, SINGLE
from truetune.types import Score

label = st.sampled_from(["a", "bb", "a long name of a label", "d"])
pairs = st.lists(st.tuples(label, label), min_size=1, max_size=40)
label_sets = st.lists(st.tuples(st.frozensets(label), st.frozensets(label)), min_size=1, max_size=20)


def score(metric: str, value: float, low: float = nan, high: float = nan, reason: str = "") -> Score:
    return Score(metric, value, low, high, 10, "example", "", reason)


def with_whole_supports(text: str) -> str:
    """scikit-learn prints supports as 2.0 when it found no true positive at all."""
    return re.sub(r"  (\s*\d+)\.0$", r"    \1", text, flags=re.MULTILINE)


def table_of(metrics: tuple, gold: list, predicted: list) -> Table:
    scores, supports = [], {}
    for metric in metrics:
        rows = metric.rows(gold, predicted)
        if rows.labels:
            supports = dict(zip(rows.labels, f.golds(rows.totals()).tolist(), strict=True))
        for one in metric.metrics(rows.labels) if isinstance(metric, PerLabel) else (metric,):
            value = float(one.value(rows))
            scores.append(score(one.name, value, value / 2, (1 + value) / 2))
    return classification_table(scores, supports)


@given(pairs, st.integers(1, 4))
def test_without_intervals_it_is_scikit_learns_text(found: list, digits: int) -> None:
    gold, predicted = [one for one, _ in found], [other for _, other in found]
    if not set(gold) & set(predicted):
        return  # weighted precision: 0/0 for us, see the tests of classification
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = reference_report(gold, predicted, digits=digits, zero_division=np.nan)
    assert table_of(SINGLE, gold, predicted).text(width=0, digits=digits) == with_whole_supports(theirs)


@given(label_sets)
def test_label_sets_print_as_scikit_learn_does(found: list) -> None:
    gold, predicted = [one for one, _ in found], [other for _, other in found]
    standing = sorted({name for pair in found for side in pair for name in side})
    in_gold, guessed = ({name for side in sides for name in side} for sides in (gold, predicted))
    if len(standing) < 2 or not in_gold & guessed:
        return
    binarizer = MultiLabelBinarizer(classes=standing)
    true, guess = binarizer.fit_transform(gold), binarizer.transform(predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Averages summed in another order may differ in the last bit: with two digits a tie would round apart.
    theirs = reference_report(true, guess, target_names=standing, digits=6, zero_division=np.nan)
    assert table_of(MULTIPLE, gold, predicted).text(width=0, digits=6) == with_whole_supports(theirs)


@given(pairs)
def test_our_own_report_can_be_true(found: list) -> None:
    gold, predicted = [one for one, _ in found], [other for _, other in found]
    if not set(gold) & set(predicted):
        return
    assert check_report(table_of(SINGLE, gold, predicted).text(width=0)).consistent


def test_the_width_decides_where_intervals_stand() -> None:
    table = table_of(SINGLE, ["a", "b", "b"], ["a", "a", "b"])
    wide, middle, narrow = (table.text(width=width) for width in (120, 80, 60))
    assert wide.count("interval") == 3
    assert middle.count("interval") == 1
    assert narrow.count("interval") == 0
    row = next(line for line in wide.splitlines() if line.split()[:1] == ["b"])
    assert row.split() == ["b", "1.00", "[0.50,", "1.00]", "0.50", "[0.25,", "0.75]", "0.67", "[0.33,", "0.83]", "2"]
    row = next(line for line in middle.splitlines() if line.split()[:1] == ["accuracy"])
    assert row.split() == ["accuracy", "0.67", "[0.33,", "0.83]", "3"]
    for text, width in ((wide, 120), (middle, 80), (narrow, 60)):
        assert max(map(len, text.splitlines())) <= width


def test_chinese_labels_keep_the_columns_straight() -> None:
    scores = [
        score(f"{measure}/{name}", 0.5) for measure in ("precision", "recall", "f1") for name in ("体育新闻", "x")
    ]
    lines = classification_table(scores, {"体育新闻": 3, "x": 4}).text(width=60).splitlines()
    chinese, latin = (next(line for line in lines if name in line) for name in ("体育新闻", "x"))
    assert len(chinese) + 4 == len(latin)  # four characters, two columns each
    assert chinese.split() == ["体育新闻", "0.50", "0.50", "0.50", "3"]


def test_undefined_numbers_say_why() -> None:
    scores = [
        score("precision/a", nan, reason="0/0: the label is never predicted"),
        score("recall/a", 0.0, 0.0, 0.3),
        score("f1/a", 0.0, 0.0, 0.3),
        score("mcc", 0.4),
    ]
    table = classification_table(scores, {"a": 9})
    assert " nan " in table.text()
    assert table.text().endswith("\n\nprecision/a: 0/0: the label is never predicted\n")
    (row,) = json.loads(json.dumps(table.to_dict(), allow_nan=False))["rows"]
    assert (row["name"], row["kind"], row["support"]) == ("a", "label", 9)
    assert row["precision"]["value"] is None
    assert row["precision"]["reason"] == "0/0: the label is never predicted"
    assert (row["f1"]["low"], row["f1"]["high"]) == (0.0, 0.3)


def test_spans_have_a_micro_average_and_blank_cells_where_nothing_is_given() -> None:
    scores = [
        *(score(f"{measure}/PER", 0.5) for measure in ("precision", "recall", "f1")),
        *(score(f"span_{measure}", 0.25) for measure in ("precision", "recall", "f1")),
        score("span_f1_macro", 0.75),
    ]
    table = classification_table(scores, {"PER": 2})
    assert [row.name for row in table.rows] == ["PER", "micro avg", "macro avg"]
    lines = table.text(width=60).splitlines()
    assert lines[-2].split() == ["micro", "avg", "0.25", "0.25", "0.25", "2"]
    assert lines[-1].split() == ["macro", "avg", "0.75", "2"]
    assert table.to_dict()["rows"][2]["precision"] is None


def test_labels_come_in_the_order_of_supports_and_others_follow() -> None:
    scores = [score(f"f1/{name}", 0.5) for name in ("a", "b", "only predicted")]
    rows = classification_table(scores, {"b": 1, "a": 2, "not scored": 4}).rows
    assert [(row.name, row.support) for row in rows] == [("b", 1), ("a", 2), ("only predicted", 0)]


def test_no_scores_make_an_empty_table() -> None:
    assert classification_table([], {}).text(width=0).split() == ["precision", "recall", "f1-score", "support"]
