"""Reading reports as they are pasted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report

from truetune.errors import DataError
from truetune.evaluation.check_report import check_report
from truetune.evaluation.report_cells import ANY_SHARE
from truetune.evaluation.report_text import parse_report, parse_reports

GOLD = ["cat", "cat", "dog", "dog", "dog", "eel", "eel", "eel", "eel", "cat"]
PREDICTED = ["cat", "dog", "dog", "dog", "cat", "eel", "eel", "cat", "eel", "cat"]
TEXT = classification_report(GOLD, PREDICTED, digits=3)


SPANS = """              precision    recall  f1-score   support
         LOC       0.50      0.50      0.50         2
         PER       1.00      1.00      1.00         2

   micro avg       0.75      0.75      0.75         4
   macro avg       0.75      0.75      0.75         4
weighted avg       0.75      0.75      0.75         4
"""


def names(report):
    return [row.name for row in report.classes]


def cells(text):
    """Everything that a report says, without where it stood."""
    report = parse_report(text)
    rows = [(row.name, row.shares, row.support) for row in (*report.classes, *report.averages.values())]
    return rows, report.accuracy and (report.accuracy.accuracy, report.accuracy.support)


def test_a_report_is_read_cell_by_cell():
    report = parse_report(TEXT)
    assert names(report) == ["cat", "dog", "eel"]
    assert [row.shares.precision.text for row in report.classes] == ["0.500", "0.667", "1.000"]
    assert [row.shares.recall.value for row in report.classes] == [0.667, 0.667, 0.75]
    assert [row.shares.f1.text for row in report.classes] == ["0.571", "0.667", "0.857"]
    assert [row.support.value for row in report.classes] == [3, 3, 4]
    assert (report.line, [row.line for row in report.classes], report.accuracy.line) == (1, [3, 4, 5], 7)
    assert report.accuracy.accuracy.text == "0.700"
    assert list(report.averages) == ["weighted avg", "macro avg"]
    assert not report.weighted
    assert report.support == 10


def as_markdown(text):
    lines = [line.rsplit(None, 4) for line in text.splitlines() if line.strip()]
    rows = [["", *lines[0]]] + [line if len(line) == 5 else [line[0], "", "", *line[1:]] for line in lines[1:]]
    table = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([table[0], "|---|---|---|---|---|", *table[1:]])


@pytest.mark.parametrize(
    "pasted",
    [
        "Epoch 3, dev results:\n" + TEXT + "\nTime: 12.3 s, 4 workers",
        ">>> print(classification_report(gold, predicted, digits=3))\n" + TEXT + ">>> ",
        "```\n" + TEXT + "```\n\nAccuracy is 70 % on 10 examples.\n",
        "\n".join("> " + line for line in TEXT.splitlines()),
        "\n".join("# " + line for line in TEXT.splitlines()),
        "\n".join("INFO eval: " + line for line in TEXT.splitlines()),
        TEXT.replace("\n\n", "\n"),
        TEXT.replace("\n", "\r\n"),
        "\n".join("\t".join(line.split("  ")) for line in TEXT.splitlines()),
        "\n".join(line.strip() for line in TEXT.splitlines()),
        "\ufeff" + TEXT,
        "\x1b[1m" + TEXT.replace("\n", "\x1b[0m\n"),
        repr(TEXT),
        f"Out[3]: {TEXT!r}",
        TEXT.replace(" ", "\u00a0"),
        as_markdown(TEXT),
    ],
    ids=[
        *("log", "prompt", "fence", "quote", "comment", "logger", "no blank lines", "crlf", "tabs", "stripped"),
        *("byte order mark", "colours", "repr", "notebook", "no-break spaces", "markdown table"),
    ],
)
def test_what_stands_around_a_report_is_passed_over(pasted):
    assert cells(pasted) == cells(TEXT)


def test_the_print_of_a_data_frame_repeats_the_accuracy():
    frame = """              precision    recall  f1-score    support
cat            0.500000  0.666667  0.571429   3.000000
dog            0.666667  0.666667  0.666667   3.000000
eel            1.000000  0.750000  0.857143   4.000000
accuracy       0.700000  0.700000  0.700000   0.700000
macro avg      0.722222  0.694444  0.698413  10.000000
weighted avg   0.750000  0.700000  0.714286  10.000000
"""
    report = parse_report(frame)
    assert names(report) == ["cat", "dog", "eel"]
    assert (report.accuracy.accuracy.value, report.accuracy.support) == (0.7, None)
    assert report.weighted


def test_the_average_of_old_scikit_learn_is_the_weighted_one():
    text = TEXT[: TEXT.index("    accuracy")] + " avg / total      0.750     0.700     0.714        10\n"
    assert list(parse_report(text).averages) == ["weighted avg"]


NAMES = [
    *("accuracy", "micro avg", "macro avg", "weighted avg", "samples avg", "precision", "support", "avg / total"),
    *("负面 情感", "0", "1", "-1", "3.5", "1 2 3 4", "class 1", "a  b", "x|y", "O", "-", "nan", "ｆｕｌｌ", "I-组织"),
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True), st.booleans())
def test_any_class_names_are_kept_apart_from_the_averages(labels, subset):
    codes = list(range(len(labels)))
    text = classification_report(
        codes + [99] * subset, codes + [99] * subset, labels=codes, target_names=labels, zero_division=0
    )
    report = parse_report(text)
    assert names(report) == labels
    assert list(report.averages) == ["weighted avg", "macro avg"] + ["micro avg"] * subset
    assert (report.accuracy is None) is subset


def test_an_empty_class_name_is_read():
    report = parse_report(classification_report([0, 1], [0, 1], target_names=["", "b"]))
    assert names(report) == ["", "b"]


def test_intervals_beside_the_numbers_are_passed_over():
    text = """             precision      interval      recall      interval    f1-score      interval      support

           b      1.00   [0.50, 1.00]     0.50   [0.25, 0.75]      0.67   [0.33, 0.83]         2
         [a]       nan                    0.00   [0.00, 0.84]      0.00                        1

    accuracy                                                       0.33   [0.33, 0.83]         3
"""
    report = parse_report(text)
    assert names(report) == ["b", "[a]"]
    assert [[cell.text for cell in row.shares.columns.values()] for row in report.classes] == [
        ["1.00", "0.50", "0.67"],
        ["nan", "0.00", "0.00"],
    ]
    assert (report.accuracy.accuracy.text, report.accuracy.support.text) == ("0.33", "3")


def test_an_average_may_print_its_f1_alone():
    text = SPANS.replace("macro avg       0.75      0.75      0.75", "macro avg                           0.75")
    report = parse_report(text)
    assert report.averages["macro avg"].shares.f1.text == "0.75"
    assert [*report.averages["macro avg"].shares.columns.values()][:2] == [ANY_SHARE, ANY_SHARE]
    assert check_report(text).consistent
    assert [
        found.column
        for found in check_report(
            text.replace("     0.75         4\nweighted", "     0.70         4\nweighted")
        ).findings
    ] == ["f1-score"]


def test_a_support_may_have_thousands_separators():
    assert parse_report(TEXT.replace("        10", "    46,435")).averages["macro avg"].support.value == 46435


def test_several_reports_are_read_in_order():
    text = "first\n" + TEXT + "\nsecond\n" + TEXT
    assert [report.line for report in parse_reports(text)] == [2, 13]
    with pytest.raises(DataError, match=r"mine.txt: 2 reports \(lines 2, 13\); expected one"):
        parse_report(text, "mine.txt")


@pytest.mark.parametrize("text", ["", "\n\n", "loss 0.3\naccuracy 0.97 100\n", "a,b\n1,2\n", "precision recall\n"])
def test_a_text_without_a_report_is_refused(text):
    with pytest.raises(
        DataError, match=r"no classification report in .*; expected .*precision recall f1-score support"
    ):
        parse_reports(text)


def test_a_header_without_rows_is_refused_with_its_line():
    with pytest.raises(DataError, match="report: line 2: no class row under the header"):
        parse_reports("results\n  precision    recall  f1-score   support\n\nnothing here\n")


def test_averages_alone_are_refused():
    text = TEXT.splitlines()
    with pytest.raises(DataError, match="line 1: no class row"):
        parse_reports("\n".join([text[0], *text[6:]]))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("0.667     0.667     0.667", "0.667     0.6x7     0.667"),
        ("0.667     0.667     0.667", "0.667     0.667"),
        ("0.722     0.694     0.698        10", "0.722     0.694     0.698        1O"),
        ("0.750     0.700     0.714", "0.750     0,700     0.714"),
    ],
)
def test_a_broken_row_is_an_error_not_the_end(good, bad):
    assert TEXT.count(good) == 1
    line = TEXT[: TEXT.index(good)].count("\n") + 1
    with pytest.raises(DataError, match=f"line {line}: .* is no row of the report; expected"):
        parse_reports(TEXT.replace(good, bad))


def test_an_accuracy_among_the_classes_is_refused():
    lines = TEXT.splitlines()
    with pytest.raises(DataError, match="line 4: a row of the accuracy among the classes"):
        parse_reports("\n".join([*lines[:3], lines[6], *lines[3:6], *lines[7:]]))
