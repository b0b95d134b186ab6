"""Relation scores: by hand by the rules of the SemEval-2010 task 8 scorer, and against scikit-learn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from truetune.errors import MetricError
from truetune.metric import PerLabel
from truetune.metrics.relations import (
    RELATION_LABELS,
    RELATION_TRIPLES,
    is_no_relation,
    relation_rows,
    triple_warnings,
    without_direction,
)
from truetune.rows import joined
from truetune.types import Span

CAUSE, CAUSE_BACK = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"
WHOLE, WHOLE_BACK = "Component-Whole(e1,e2)", "Component-Whole(e2,e1)"
OTHER = "Other"

label = st.sampled_from([CAUSE, CAUSE_BACK, WHOLE, WHOLE_BACK, "Message-Topic(e1,e2)", OTHER])
pairs = st.lists(st.tuples(label, label), min_size=1, max_size=30)
plain = st.lists(st.tuples(*[st.sampled_from(["owns", "sues", "unknown"])] * 2), min_size=1, max_size=30)


def values(metrics: tuple, gold: list, predicted: list) -> dict[str, float]:
    found = {}
    for metric in metrics:
        rows = metric.rows(gold, predicted)
        each = metric.metrics(rows.labels) if isinstance(metric, PerLabel) else (metric,)
        found.update({one.name: float(one.value(rows)) for one in each})
    return found


def test_by_hand_as_the_official_scorer_counts() -> None:
    gold = [CAUSE, CAUSE, CAUSE_BACK, WHOLE, WHOLE_BACK, OTHER, OTHER, WHOLE]
    said = [CAUSE, CAUSE_BACK, CAUSE_BACK, WHOLE, CAUSE, WHOLE, OTHER, OTHER]
    # Cause-Effect: gold 3, predicted 4 (the wrong direction and the wrong relation included), right 2.
    # Component-Whole: gold 3, predicted 2 (one where gold is Other), right 1.
    rows = relation_rows(gold, said)
    assert rows.labels == ("Cause-Effect", "Component-Whole")
    assert rows.totals().tolist() == [[2, 1], [3, 3], [4, 2]]
    found = values(RELATION_LABELS, gold, said)
    assert found["f1/Cause-Effect"] == pytest.approx(4 / 7)
    assert found["f1/Component-Whole"] == pytest.approx(2 / 5)
    assert found["relation_f1_macro"] == pytest.approx((4 / 7 + 2 / 5) / 2)
    assert found["relation_f1_micro"] == pytest.approx(2 * 3 / (6 + 6))
    # With Other as a class: right 1, gold 2, predicted 2.
    assert found["relation_f1_macro_with_none"] == pytest.approx((4 / 7 + 2 / 5 + 2 / 4) / 3)
    assert found["relation_f1_micro_with_none"] == pytest.approx(4 / 8)


def official(gold: list[str], said: list[str]) -> float:
    """The rules of semeval2010_task8_scorer-v1.2 (9+1 classes, directions into account), by its own steps."""
    confusion: Counter = Counter()
    proposed: Counter = Counter()
    answers = Counter(without_direction(right) for right in gold)
    for right, guess in zip(gold, said, strict=True):
        relation, guessed = without_direction(right), without_direction(guess)
        shown = "WRONG_DIR" if right != guess and relation == guessed else guessed
        confusion[shown, relation] += 1
        proposed[shown] += 1
    scores = []
    for relation in sorted(set(answers) - {OTHER}):
        hit = confusion[relation, relation]
        wrong_direction = confusion["WRONG_DIR", relation]
        precision = hit / (proposed[relation] + wrong_direction) if proposed[relation] else 0
        recall = hit / answers[relation]
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0)
    return float(np.mean(scores))


@given(pairs)
def test_macro_f1_is_the_official_score_where_all_predicted_relations_stand_in_gold(found: list) -> None:
    gold, said = [one for one, _ in found], [one for _, one in found]
    relations = {without_direction(one) for one in gold} - {OTHER}
    assume(relations and {without_direction(one) for one in said} - {OTHER} <= relations)
    assert values(RELATION_LABELS, gold, said)["relation_f1_macro"] == pytest.approx(official(gold, said))


def test_a_predicted_relation_that_gold_does_not_know_is_an_error_here() -> None:
    """Why we differ: the official scorer lets such predictions go, "which is probably not optimal"."""
    gold, said = [CAUSE, OTHER], [CAUSE, WHOLE]
    assert official(gold, said) == 1
    found = values(RELATION_LABELS, gold, said)
    assert found["relation_f1_macro"] == 0.5
    assert found["relation_f1_micro"] == pytest.approx(2 / 3)


@given(plain)
def test_equal_to_scikit_learn_without_directions(found: list) -> None:
    gold, said = [one for one, _ in found], [one for _, one in found]
    ours = values(RELATION_LABELS, gold, said)
    relations = sorted({*gold, *said} - {"unknown"})
    everything = sorted({*gold, *said})
    for name, labels in (("", relations), ("_with_none", everything)):
        for average in ("micro", "macro"):
            theirs = f1_score(gold, said, labels=labels, average=average, zero_division=0) if labels else np.nan
            assert ours[f"relation_f1_{average}{name}"] == pytest.approx(theirs, nan_ok=True)


@given(pairs)
def test_shards_merge(found: list) -> None:
    gold, said = [one for one, _ in found], [one for _, one in found]
    cut = len(found) // 3
    parts = joined(relation_rows(gold[:cut], said[:cut]), relation_rows(gold[cut:], said[cut:]))
    whole = relation_rows(gold, said)
    assert parts.labels == whole.labels
    assert parts.totals().tolist() == whole.totals().tolist()
    assert len(parts) == len(whole) == len(found)


@pytest.mark.parametrize(
    "name", ["Other", "no_relation", "NO RELATION", "NA", "N/A", "None", "unknown", "无关系", "其他"]
)
def test_names_of_no_relation(name: str) -> None:
    assert is_no_relation(name)


@pytest.mark.parametrize("name", ["Cause-Effect(e1,e2)", "other_family", "org:nationality", "拥有", "no"])
def test_names_of_relations(name: str) -> None:
    assert not is_no_relation(name)


def test_the_direction_is_a_suffix() -> None:
    assert without_direction("Cause-Effect(e2,e1)") == without_direction("Cause-Effect (e1, e2)") == "Cause-Effect"
    assert without_direction("per:title(e3)") == "per:title(e3)"


def test_only_no_relation_on_both_sides_is_undefined() -> None:
    found = values(RELATION_LABELS, [OTHER], [OTHER])
    assert np.isnan([found["relation_f1_micro"], found["relation_f1_macro"]]).all()
    assert found["relation_f1_micro_with_none"] == 1


def test_unequal_numbers_of_examples_are_refused() -> None:
    with pytest.raises(MetricError, match="2 examples, predicted of 1"):
        relation_rows([OTHER, OTHER], [OTHER])


ANNA, ACME, PARIS = Span(0, 4, "PER"), Span(14, 18, "ORG"), Span(22, 27, "LOC")


def test_triples_by_hand() -> None:
    gold = [((ANNA, "works_for", ACME), (ACME, "in", PARIS))]
    said = [((ANNA, "works_for", Span(14, 18, "LOC")), (PARIS, "in", ACME), (ACME, "in", PARIS))]
    found = values(RELATION_TRIPLES, gold, said)
    assert found["relation_f1_micro"] == pytest.approx(2 * 1 / (2 + 3))  # a wrong type, a wrong order
    assert found["f1/in"] == pytest.approx(2 / 3)
    assert found["f1/works_for"] == 0
    assert found["relation_f1_macro"] == pytest.approx(1 / 3)
    assert found["relation_f1_micro_boundaries"] == pytest.approx(2 * 2 / (2 + 3))
    assert found["relation_f1_macro_boundaries"] == pytest.approx((2 / 3 + 1) / 2)


def test_a_wrong_boundary_is_wrong_in_both() -> None:
    gold, said = [((ANNA, "works_for", ACME),)], [((ANNA, "works_for", Span(14, 19, "ORG")),)]
    found = values(RELATION_TRIPLES, gold, said)
    assert found["relation_f1_micro"] == found["relation_f1_micro_boundaries"] == 0


def test_doubled_triples_and_ones_of_no_relation_do_not_count_and_are_named() -> None:
    right = (ANNA, "works_for", ACME)
    clean, odd = [(right,)], [(right, right, (ANNA, "no_relation", PARIS))]
    assert values(RELATION_TRIPLES, clean, odd) == values(RELATION_TRIPLES, clean, clean)
    assert triple_warnings(odd) == (
        "1 predicted triples are given more than once; each is counted once",
        "predicted triples that say there is no relation are not counted: no_relation (1)",
    )
    assert triple_warnings(clean) == ()
