"""`check_report` rule by rule: a report that is true, and the same with one cell that cannot be."""

from __future__ import annotations

import json

import pytest
from sklearn.metrics import classification_report

from truetune.errors import DataError
from truetune.evaluation.check_report import check_report

# Printed in an article on evaluation as the result of a fine-tuned tagger, and called an F1 of 97.3 %.
ARTICLE = """
              precision    recall  f1-score   support

       B-LOC      0.926     0.906     0.916      1668
       I-LOC      0.900     0.805     0.850       257
      B-MISC      0.875     0.856     0.865       702
      I-MISC      0.838     0.782     0.809       216
       B-ORG      0.914     0.898     0.906      1661
       I-ORG      0.911     0.894     0.902       835
       B-PER      0.964     0.957     0.960      1617
       I-PER      0.983     0.980     0.982      1156
           O      0.993     0.995     0.994     38323

   micro avg      0.973     0.973     0.973     46435
   macro avg      0.923     0.897     0.909     46435
weighted avg      0.973     0.973     0.973     46435
"""

GOLD = ["cat"] * 30 + ["dog"] * 50 + ["eel"] * 20
PREDICTED = ["cat"] * 24 + ["dog"] * 6 + ["dog"] * 41 + ["eel"] * 9 + ["eel"] * 13 + ["cat"] * 7
TRUE = classification_report(GOLD, PREDICTED, digits=3)
"""
         cat      0.774     0.800     0.787        30
         dog      0.872     0.820     0.845        50
         eel      0.591     0.650     0.619        20

    accuracy                          0.780       100
   macro avg      0.746     0.757     0.750       100
weighted avg      0.787     0.780     0.783       100
"""
SUBSET = classification_report(GOLD, PREDICTED, digits=3, labels=["cat", "dog"])
"""
   micro avg      0.833     0.812     0.823        80
   macro avg      0.823     0.810     0.816        80
weighted avg      0.835     0.812     0.823        80
"""


def found_in(text):
    return {(found.row, found.column) for found in check_report(text).findings}


def replaced(text, old, new):
    assert text.count(old) == 1, text
    return text.replace(old, new)


def test_the_report_of_the_article():
    check = check_report(ARTICLE)
    assert not check.consistent
    possible = {(found.row, found.column): found.possible for found in check.findings}
    assert set(possible) == {
        *((row, column) for row in ("micro avg", "weighted avg") for column in ("precision", "recall", "f1-score")),
        ("I-MISC", "precision"),
        ("I-ORG", "recall"),
        ("I-PER", "f1-score"),
    }
    # The rows imply an accuracy of .981, and weighted averages of .982, .981 and .981.
    assert possible["micro avg", "recall"] == pytest.approx((0.98023, 0.98112), abs=1e-5)
    assert possible["weighted avg", "precision"] == pytest.approx((0.98155, 0.98246), abs=1e-5)
    assert possible["weighted avg", "recall"] == possible["micro avg", "recall"]
    assert possible["weighted avg", "f1-score"] == pytest.approx((0.98087, 0.98177), abs=1e-5)
    # 169 of 216 is the only recall that prints .782; 746 and 747 of 835 print .893 and .895.
    assert possible["I-MISC", "precision"] == pytest.approx((169 / 202, 169 / 202))
    assert possible["I-ORG", "recall"] == pytest.approx((746 / 835, 746 / 835))
    assert possible["I-PER", "f1-score"] == pytest.approx((2266 / 2309, 2266 / 2309))


def test_a_token_report_without_one_prediction_a_token_is_noted():
    assert check_report(ARTICLE).notes == (
        "line 14: the report lists 'O' and its micro avg prints one number three times, as where each token has one "
        "tag; but the rows leave 46,318 to 46,402 predictions for 46,435 tokens",
    )
    assert check_report(ARTICLE.replace("       O ", "       P ")).notes == ()
    tags = ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O", "O"]
    all_tags = ["B-LOC", "B-PER", "I-PER", "O", "X"]
    tokens = classification_report(tags, tags[1:] + tags[:1], labels=all_tags, zero_division=0)
    assert check_report(tokens.replace("    accuracy                          ", "micro avg 0.38 0.38")).notes == ()


def test_the_json_of_a_check():
    document = json.loads(json.dumps(check_report(ARTICLE).to_dict(), allow_nan=False))
    assert document["consistent"] is False
    assert document["findings"][0] == {
        "row": "I-MISC",
        "column": "precision",
        "printed": 0.838,
        "possible": [169 / 202, 169 / 202],
        "why": "a recall of 0.782 leaves 169 true positives, and no whole number of predictions prints so: "
        "169/201 is 0.84080, 169/202 is 0.83663",
        "line": 7,
    }
    assert check_report(TRUE).to_dict() == {"consistent": True, "findings": [], "notes": [], "reports": 1}


def test_a_finding_reads_as_a_sentence():
    sentences = [str(found) for found in check_report(ARTICLE).findings]
    assert sentences[-1] == (
        "line 16, weighted avg, f1-score: 0.973; possible 0.98087 to 0.98177: "
        "the classes' f1-score, weighted by support"
    )


@pytest.mark.parametrize("text", [TRUE, SUBSET])
def test_the_clean_twins_have_no_finding(text):
    check = check_report(text)
    assert check.consistent
    assert not check.findings


@pytest.mark.parametrize(
    ("text", "old", "new", "cell"),
    [
        # A row against itself.
        (TRUE, "0.774     0.800     0.787", "0.774     0.810     0.787", ("cat", "recall")),  # 24.3 of 30
        (TRUE, "0.774     0.800     0.787", "0.776     0.800     0.787", ("cat", "precision")),  # 24 / 30.9
        (TRUE, "0.774     0.800     0.787", "0.774     0.800     0.789", ("cat", "f1-score")),
        (
            SUBSET,
            "0.833     0.812     0.823        80",
            "0.833     0.812     0.825        80",
            ("micro avg", "f1-score"),
        ),
        (TRUE, "0.774     0.800     0.787", "1.774     0.800     0.787", ("cat", "precision")),
        (TRUE, "0.774     0.800     0.787        30", "0.774     0.800     0.787        31", ("cat", "recall")),
        # An average against the rows.
        (TRUE, "0.746     0.757     0.750", "0.748     0.757     0.750", ("macro avg", "precision")),
        (TRUE, "0.746     0.757     0.750", "0.746     0.755     0.750", ("macro avg", "recall")),
        (TRUE, "0.746     0.757     0.750", "0.746     0.757     0.752", ("macro avg", "f1-score")),
        (TRUE, "0.787     0.780     0.783", "0.785     0.780     0.783", ("weighted avg", "precision")),
        (TRUE, "0.787     0.780     0.783", "0.787     0.782     0.783", ("weighted avg", "recall")),
        (TRUE, "0.787     0.780     0.783", "0.787     0.780     0.781", ("weighted avg", "f1-score")),
        (
            SUBSET,
            "0.833     0.812     0.823        80",
            "0.835     0.812     0.823        80",
            ("micro avg", "precision"),
        ),
        (SUBSET, "0.833     0.812     0.823        80", "0.833     0.815     0.823        80", ("micro avg", "recall")),
        (TRUE, "0.780       100\n   macro", "0.790       100\n   macro", ("accuracy", "f1-score")),
        # Sums of support.
        (TRUE, "0.780       100\n   macro", "0.780       101\n   macro", ("accuracy", "support")),
        (TRUE, "0.750       100", "0.750        99", ("macro avg", "support")),
        (TRUE, "0.783       100", "0.783      1000", ("weighted avg", "support")),
        (
            SUBSET,
            "0.833     0.812     0.823        80",
            "0.833     0.812     0.823       100",
            ("micro avg", "support"),
        ),
    ],
)
def test_one_wrong_cell_is_named(text, old, new, cell):
    assert cell in found_in(replaced(text, old, new))


def test_an_accuracy_that_counts_no_whole_examples():
    text = classification_report([0, 1, 1], [0, 1, 0], digits=1)
    assert "accuracy                            0.7" in text
    assert check_report(text).consistent
    # .6 and .8 are outside of what the rows leave; .68 and .65 within, but they are no thirds.
    assert found_in(
        replaced(text, "accuracy                            0.7", "accuracy                           0.68")
    ) == {("accuracy", "f1-score")}


def test_with_an_accuracy_there_is_one_prediction_an_example():
    rows = """              precision    recall  f1-score   support
           a       0.50      0.50      0.50        10
           b       0.50      1.00      0.67        10
"""
    assert check_report(rows).consistent
    # 10 + 20 predictions for 20 examples: true of a subset or of several labels an example, false of an accuracy.
    assert found_in(rows + "    accuracy                           0.75        20\n") == {("accuracy", "support")}
    assert check_report(rows + "   micro avg       0.50      0.75      0.60        20\n").consistent


def test_with_an_accuracy_a_false_positive_is_a_miss_of_another_class():
    text = """              precision    recall  f1-score   support
           a      0.800     0.800     0.800        10
           b      1.000     1.000     1.000        10
    accuracy                          0.900        20
"""
    # 20 predictions of 20 examples, but `a` is wrongly given two of `b`, which misses none.
    assert found_in(text) == {("a", "precision"), ("a", "recall")}


def test_the_weighted_recall_and_the_accuracy_are_one_number():
    text = """              precision    recall  f1-score   support
           a       0.90      0.90      0.90     30000
           b       0.90      0.90      0.90     30000
    accuracy                          0.903     60000
   macro avg       0.90      0.90      0.90     60000
weighted avg       0.90     0.898      0.90     60000
"""
    assert found_in(text) == {("weighted avg", "recall")}
    assert check_report(replaced(text, "0.898", "0.903")).consistent


def test_f1_of_averages_is_not_held_against_their_precision_and_recall():
    gold, predicted = [0] * 9 + [1], [1] * 8 + [0, 1]
    text = classification_report(gold, predicted, digits=3)
    # Macro: P .556, R .556 and F1 .200; as of one row, F1 would be .556.
    assert "macro avg      0.556     0.556     0.200" in text
    assert check_report(text).consistent


WEIGHTED = classification_report([0, 1, 1, 0, 1], [0, 1, 0, 1, 1], sample_weight=[1, 2.5, 1, 0.3, 1], digits=3)


def test_weighted_examples_need_no_whole_numbers():
    assert "1.3" in WEIGHTED
    assert check_report(WEIGHTED).consistent
    # The same cells with whole supports have no whole counts.
    rows = [line.rsplit(None, 1)[0] + "  3" for line in WEIGHTED.splitlines()[2:4]]
    header = WEIGHTED.splitlines()[0]
    assert not check_report("\n".join([header, *rows])).consistent


@pytest.mark.parametrize("column", [0, 1, 2])
def test_weighted_reports_are_still_held_to_their_averages(column):
    line = next(line for line in WEIGHTED.splitlines() if "macro avg" in line)
    number = line.split()[2 + column]
    assert ("macro avg", ("precision", "recall", "f1-score")[column]) in found_in(
        WEIGHTED.replace(line, line.replace(number, f"{float(number) - 0.01:.3f}"))
    )


def test_undefined_cells_are_left_out_with_their_weight():
    text = """              precision    recall  f1-score   support
           a       1.00      0.50      0.67         4
           b        nan      0.00      0.00         4

   micro avg       1.00      0.25      0.40         8
   macro avg       1.00      0.25      0.33         8
weighted avg       1.00      0.25      0.33         8
"""
    assert check_report(text).consistent
    assert found_in(replaced(text, "macro avg       1.00", "macro avg       0.50")) == {("macro avg", "precision")}
    assert found_in(replaced(text, "weighted avg       1.00", "weighted avg       0.50")) == {
        ("weighted avg", "precision")
    }
    assert found_in(replaced(text, "micro avg       1.00", "micro avg        nan")) >= {("micro avg", "recall")}


def test_zero_by_zero_is_printed_in_one_way():
    text = """              precision    recall  f1-score   support
           a       1.00      0.00      0.00         4
           b       0.00      0.00      0.00         0
"""
    # With zero_division=1 the recall of `b` prints 1.00; with 0 the precision of `a` prints 0.00.
    assert not check_report(text).consistent
    assert check_report(replaced(text, "b       0.00      0.00", "b       0.00      1.00")).consistent
    assert check_report(replaced(text, "a       1.00", "a       0.00")).consistent


def test_samples_average_is_held_to_its_range_and_support_alone():
    text = classification_report([[1, 0], [1, 1]], [[1, 1], [0, 1]], zero_division=0)
    line = next(line for line in text.splitlines() if "samples avg" in line)
    assert check_report(text.replace(line, " samples avg       0.11      0.99      0.50         3")).consistent
    assert found_in(text.replace(line, " samples avg       1.11      0.99      0.50         4")) == {
        ("samples avg", "precision"),
        ("samples avg", "support"),
    }


def test_the_macro_average_of_old_seqeval_is_noted():
    text = """             precision    recall  f1-score   support

       MISC      0.500     1.000     0.667         1
        PER      1.000     1.000     1.000         9

  micro avg      0.909     1.000     0.952        10
  macro avg      0.950     1.000     0.967        10
"""
    check = check_report(text)
    assert check.consistent
    assert check.notes == (
        "line 7: 'macro avg' holds the means weighted by support, as seqeval before 0.0.13 printed them under "
        "this name; it is not the macro average",
    )
    assert check_report(replaced(text, "0.950", "0.750")).findings
    assert not check_report(text + "weighted avg      0.950     1.000     0.967        10\n").consistent


def test_negative_support_and_percentages_are_findings():
    text = replaced(TRUE, "0.787        30", "0.787       -30")
    assert ("cat", "support") in found_in(text)
    percent = "precision recall f1-score support\na 92.6 90.6 91.6 1668\n"
    assert found_in(percent) == {("a", "precision"), ("a", "recall"), ("a", "f1-score")}


def test_all_reports_of_a_text_are_checked():
    check = check_report(f"epoch 1\n{TRUE}\nepoch 2\n{ARTICLE}\n")
    assert check.reports == 2
    assert {found.line for found in check.findings} == {19, 21, 23, 26, 28}
    assert check_report(TRUE + TRUE).consistent


def test_a_text_that_is_no_report_is_an_error():
    with pytest.raises(DataError, match=r"scores.txt: no classification report in 1 lines; expected"):
        check_report("f1 0.97", where="scores.txt")


@pytest.mark.parametrize("digits", [2, 3, 4, 6, 9])
def test_ten_million_examples(digits):
    def row(name, tp, predictions, support):
        values = (tp / predictions, tp / support, 2 * tp / (support + predictions))
        return f"{name:>12} " + "".join(f" {value:>9.{digits}f}" for value in values) + f" {support}\n"

    header = "precision recall f1-score support\n"
    rows = row("a", 9_100_000, 9_500_001, 9_900_000) + row("b", 123_456, 654_321, 700_000)
    micro = row("micro avg", 9_223_456, 10_154_322, 10_600_000)
    assert check_report(header + rows + micro).consistent
    assert not check_report(header + rows + row("micro avg", 9_023_456, 10_154_322, 10_600_000)).consistent
