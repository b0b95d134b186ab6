"""Span scores: by hand, equal to seqeval and conlleval, laws, and what must not flatter."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as default_scores
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.scheme import IOB2 as SEQEVAL_IOB2

from truetune.errors import DataError, MetricError
from truetune.metric import PerLabel
from truetune.metrics.spans import (
    SPANS,
    TAGS,
    conll_tag_rows,
    row_keys,
    span_rows,
    span_warnings,
    strict_tag_rows,
    tag_rows,
    tag_warnings,
)
from truetune.rows import Rows, joined
from truetune.tags import BILOU, BIOES, IOB1, IOB2, spans_to_tags
from truetune.types import Span

FIXTURE = Path(__file__).parent.parent / "fixtures" / "seqeval" / "ground_truth.txt"

triple = st.tuples(st.integers(0, 6), st.integers(1, 4), st.sampled_from("XYZ")).map(
    lambda made: (made[0], made[0] + made[1], made[2])
)
examples = st.lists(st.tuples(st.lists(triple, max_size=4), st.lists(triple, max_size=4)), min_size=1, max_size=8)
tag = st.sampled_from(["O", "O", "B-X", "I-X", "B-Y", "I-Y", "B-A-B", "I-A-B"])
corpora = st.lists(st.lists(st.tuples(tag, tag), min_size=1, max_size=8), min_size=1, max_size=6)


@pytest.fixture(autouse=True)
def _quiet_reference() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def values(metrics: tuple, gold: list, predicted: list) -> dict[str, float]:
    found = {}
    for metric in metrics:
        rows = metric.rows(gold, predicted)
        each = metric.metrics(rows.labels) if isinstance(metric, PerLabel) else (metric,)
        found.update({one.name: float(one.value(rows)) for one in each})
    return found


def test_by_hand() -> None:
    gold = [[(0, 2, "PER"), (5, 9, "LOC")], [(0, 4, "PER")], []]
    predicted = [[(0, 2, "PER"), (5, 8, "LOC")], [(0, 4, "LOC")], []]
    rows = span_rows(gold, predicted)
    assert rows.labels == ("LOC", "PER")
    assert rows.dense().tolist() == [[[0, 1], [1, 1], [1, 1]], [[0, 0], [0, 1], [1, 0]], [[0, 0], [0, 0], [0, 0]]]
    found = values(SPANS, gold, predicted)
    assert found["span_precision"] == pytest.approx(1 / 3)
    assert found["span_recall"] == pytest.approx(1 / 3)
    assert found["span_f1"] == pytest.approx(1 / 3)
    assert found["f1/PER"] == pytest.approx(2 / 3)
    assert found["f1/LOC"] == 0
    assert found["span_f1_macro"] == pytest.approx(1 / 3)
    assert found["precision/PER"] == 1
    assert found["recall/PER"] == 0.5


def test_start_end_and_type_must_all_be_equal() -> None:
    gold = [[(2, 5, "X")]]
    for wrong in ((1, 5, "X"), (2, 6, "X"), (2, 5, "Y")):
        assert values(SPANS, gold, [[wrong]])["span_f1"] == 0
    assert values(SPANS, gold, [[Span(2, 5, "X")]])["span_f1"] == 1


def test_a_doubled_prediction_counts_once_and_is_named() -> None:
    gold, clean, doubled = [[(0, 2, "X")]], [[(0, 2, "X")]], [[(0, 2, "X"), (0, 2, "X")]]
    assert values(SPANS, gold, doubled) == values(SPANS, gold, clean)
    assert span_warnings(doubled) == ("1 predicted spans are given more than once; each is counted once",)
    assert span_warnings(clean) == ()


def test_overlapping_and_nested_spans_are_scored_as_given_and_named() -> None:
    gold = [[(0, 6, "ORG"), (0, 2, "LOC")]]
    predicted = [[(0, 2, "LOC"), (0, 6, "ORG"), (1, 3, "LOC")]]
    assert values(SPANS, gold, predicted)["span_precision"] == pytest.approx(2 / 3)
    assert span_warnings(predicted) == ("predicted spans overlap in 1 examples; they are scored as given",)
    assert span_warnings([[(0, 2, "X"), (2, 4, "X")]]) == ()


def test_a_span_beyond_the_text_is_named() -> None:
    assert span_warnings([[(3, 8, "X")]], [5]) == ("1 predicted spans end beyond their text; they count as wrong",)
    assert span_warnings([[(3, 5, "X")]], [5]) == ()


def test_nothing_to_find_and_nothing_found_is_undefined() -> None:
    found = values(SPANS, [[], []], [[], []])
    assert set(found) == {"span_f1", "span_precision", "span_recall", "span_f1_macro"}
    assert all(np.isnan(value) for value in found.values())
    missed = values(SPANS, [[(0, 1, "X")]], [[]])
    assert missed["span_f1"] == missed["span_recall"] == 0
    assert np.isnan(missed["span_precision"])
    assert np.isnan(missed["precision/X"])


def test_unequal_numbers_of_examples_are_refused() -> None:
    with pytest.raises(MetricError, match="gold has spans of 2 examples, predicted of 1"):
        span_rows([[], []], [[]])


@pytest.mark.parametrize("bad", [(3, 3, "X"), (4, 2, "X"), (-1, 2, "X")])
def test_what_is_no_span_is_refused(bad: tuple) -> None:
    with pytest.raises(MetricError, match="is no span"):
        span_rows([[(0, 1, "X")]], [[bad]])


def test_a_cut_sentence_is_refused_and_one_filled_with_o_counts_as_missed() -> None:
    gold = [["B-X", "O", "B-X", "I-X"]]
    with pytest.raises(MetricError, match=r"number 1 \(4 and 2\)"):
        strict_tag_rows(gold, [["B-X", "O"]])
    with pytest.raises(MetricError, match="gold has 1 tagged sentences, predicted 2"):
        strict_tag_rows(gold, [["B-X"], ["O"]])
    assert values(TAGS, gold, [["B-X", "O", "O", "O"]])["span_recall"] == 0.5


def test_the_lenient_reading_is_not_passed_off_as_strict() -> None:
    gold, predicted = [["O", "B-X", "I-X"]], [["O", "I-X", "I-X"]]
    found = values(TAGS, gold, predicted)
    assert found["span_f1_conll"] == 1
    assert found["span_f1"] == 0
    assert values(TAGS, gold, gold)["span_f1"] == 1
    assert tag_warnings(gold, predicted) == (
        "1 predicted tags stand where IOB2 does not allow them: span_f1 leaves such spans out, "
        "span_f1_conll repairs them",
    )
    assert tag_warnings(gold, gold) == ()


def test_the_strict_reading_can_be_the_higher_one() -> None:
    gold, predicted = [["B-X", "O", "O"]], [["B-X", "O", "I-X"]]
    found = values(TAGS, gold, predicted)
    assert found["span_f1"] == 1  # the false alarm is no span
    assert found["span_f1_conll"] == pytest.approx(2 / 3)


def test_the_outside_anchor_of_conlleval() -> None:
    gold, predicted = [[]], [[]]
    for line in FIXTURE.read_text(encoding="utf-8").splitlines():
        if line.strip():
            *_, right, said = line.split()
            gold[-1].append(right)
            predicted[-1].append(said)
        elif gold[-1]:
            gold.append([])
            predicted.append([])
    rows = conll_tag_rows(gold, predicted)
    hit, right, said = rows.totals().sum(axis=-1)
    assert round(100 * hit / said, 2) == 68.83
    assert round(100 * hit / right, 2) == 80.83
    found = values(TAGS, gold, predicted)
    assert round(100 * found["span_f1_conll"], 2) == 74.35
    assert found["span_f1"] == pytest.approx(f1_score(gold, predicted, mode="strict", scheme=SEQEVAL_IOB2), abs=1e-12)


@given(corpora)
def test_equal_to_seqeval_in_both_modes(corpus: list) -> None:
    gold = [[right for right, _ in sentence] for sentence in corpus]
    predicted = [[said for _, said in sentence] for sentence in corpus]
    scheme = {"scheme": SEQEVAL_IOB2}
    modes = (("conll", default_scores, {}, {}), ("drop", strict_scores, scheme, {"mode": "strict", **scheme}))
    for repair, by_label, options, arguments in modes:
        rows = tag_rows(gold, predicted, repair, IOB2)
        precision, recall, f1, support = by_label(gold, predicted, average=None, zero_division=0, **options)
        ours = {
            metric.name: float(metric.value(rows))
            for maker in SPANS
            if isinstance(maker, PerLabel)
            for metric in maker.metrics(rows.labels)
        }
        assert rows.totals()[1].tolist() == list(support)
        for name, theirs in (("precision", precision), ("recall", recall), ("f1", f1)):
            mine = [ours[f"{name}/{label}"] for label in rows.labels]
            np.testing.assert_allclose(np.nan_to_num(mine), theirs, atol=1e-12)  # theirs: 0 where 0/0
        if rows.labels:
            by_name = {metric.name: metric for metric in SPANS}
            micro = f1_score(gold, predicted, zero_division=0, **arguments)
            macro = f1_score(gold, predicted, average="macro", zero_division=0, **arguments)
            assert float(by_name["span_f1"].value(rows)) == pytest.approx(micro, abs=1e-12)
            assert float(by_name["span_f1_macro"].value(rows)) == pytest.approx(macro, abs=1e-12)


@given(examples)
def test_rows_count_sets_of_spans(found: list) -> None:
    gold, predicted = [right for right, _ in found], [said for _, said in found]
    rows = span_rows(gold, predicted)
    dense = rows.dense()
    assert len(rows) == len(gold)
    for number, (right, said) in enumerate(found):
        for place, label in enumerate(rows.labels):
            golds, says = ({one for one in side if one[2] == label} for side in (right, said))
            assert dense[number, :, place].tolist() == [len(golds & says), len(golds), len(says)]


@given(examples, st.randoms())
def test_laws(found: list, random: object) -> None:
    gold, predicted = [right for right, _ in found], [said for _, said in found]
    here = values(SPANS, gold, predicted)
    mixed = list(found)
    random.shuffle(mixed)
    assert values(SPANS, [right for right, _ in mixed], [said for _, said in mixed]) == pytest.approx(here, nan_ok=True)
    swapped = values(SPANS, predicted, gold)
    assert swapped["span_f1"] == pytest.approx(here["span_f1"], nan_ok=True)
    assert swapped["span_precision"] == pytest.approx(here["span_recall"], nan_ok=True)
    names = {"X": "Z", "Y": "X", "Z": "Y"}
    renamed = [[[(a, b, names[kind]) for a, b, kind in spans] for spans in side] for side in (gold, predicted)]
    assert values(SPANS, *renamed)["span_f1_macro"] == pytest.approx(here["span_f1_macro"], nan_ok=True)
    cut = len(found) // 2
    parts = joined(span_rows(gold[:cut], predicted[:cut]), span_rows(gold[cut:], predicted[cut:]))
    assert parts.totals().tolist() == span_rows(gold, predicted).totals().tolist()


def test_tags_of_any_scheme_give_the_same_rows() -> None:
    spans = [[(0, 1, "X"), (1, 3, "X"), (4, 5, "Y")], [(0, 3, "Y")]]
    said = [[(0, 1, "X"), (1, 2, "X")], [(0, 3, "Y")]]
    wanted = span_rows(spans, said).dense().tolist()
    for scheme in (IOB1, IOB2, BIOES, BILOU):
        gold, predicted = ([spans_to_tags(one, 5, scheme) for one in side] for side in (spans, said))
        for rows in (strict_tag_rows(gold, predicted), conll_tag_rows(gold, predicted)):
            assert rows.dense().tolist() == wanted
    mixed = [spans_to_tags(one, 5, BILOU) for one in said]  # the two sides need not be in one scheme
    gold = [spans_to_tags(one, 5, IOB2) for one in spans]
    assert strict_tag_rows(gold, mixed).dense().tolist() == wanted


def test_predictions_are_read_in_the_scheme_of_gold_where_their_letters_allow_it() -> None:
    gold, predicted = [["I-X", "O", "I-X", "B-X"]], [["I-X", "O", "I-X", "O"]]
    assert values(TAGS, gold, predicted)["span_recall"] == pytest.approx(2 / 3)  # IOB1: an I begins
    closed, unclosed = [["B-X", "E-X"]], [["B-X", "I-X"]]
    assert values(TAGS, closed, unclosed)["span_f1"] == 0  # BIOES: never closed, no span


def test_tags_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(DataError, match="no tag scheme fits"):
        strict_tag_rows([["E-mail", "phone"]], [["O", "O"]])


@given(st.lists(st.tuples(*[st.integers(0, 2**40)] * 3), min_size=1, max_size=20))
def test_keys_are_equal_exactly_where_rows_are(found: list) -> None:
    keys = row_keys(*np.array(found, dtype=np.int64).T)
    assert len(set(keys.tolist())) == len(set(found))
    assert len(set(zip(keys.tolist(), found, strict=True))) == len(set(found))


def test_many_spans_of_one_type_in_one_text_are_all_counted() -> None:
    spans = [[(place, place + 1, "X") for place in range(1000)]]
    rows = span_rows(spans, spans)
    assert isinstance(rows, Rows)
    assert rows.totals().ravel().tolist() == [1000, 1000, 1000]
