"""Mistakes 5 to 10: label order, means of batches, label sets, placeholders, one logit, thresholds."""

from __future__ import annotations

import numpy as np

from truetune import check_scores

from . import planting
from .systems import LABELS, TWO, evaluated, found, labelled, probabilities


def with_scores(labels: list[str], scores: list[dict[str, float]]) -> list[dict[str, object]]:
    return [{"label": label, "scores": one} for label, one in zip(labels, scores, strict=True)]


def test_05_labels_in_another_order() -> None:
    gold, predicted, _ = labelled(1)
    assert found("classification", gold, planting.in_another_order(predicted)) == {"label order"}
    assert not found("classification", gold, predicted)


def test_06_a_mean_over_batches() -> None:
    gold, predicted, _ = labelled(2)
    each = [
        evaluated("classification", *batch).score("f1_macro").value
        for batch in zip(planting.in_batches(gold, 64), planting.in_batches(predicted, 64), strict=True)
    ]
    claimed = {"f1_macro": f"{np.mean(each):.6f}"}
    (finding,) = check_scores(task="classification", gold=gold, predicted=predicted, claimed=claimed)
    assert finding.examples[0] == "a mean over batches of 64"
    whole = {"f1_macro": f"{evaluated('classification', gold, predicted).score('f1_macro').value:.6f}"}
    assert check_scores(task="classification", gold=gold, predicted=predicted, claimed=whole) == ()


def test_07_macro_f1_over_labels_that_nobody_stated() -> None:
    gold, predicted, _ = labelled(3)
    predicted = ["never in gold", *predicted[1:]]
    score = evaluated("classification", gold, predicted)
    assert "labels never in gold, noun, other, verb" in score.score("f1_macro").signature
    each = np.mean([score.score(f"f1/{label}").value for label in LABELS])
    claimed = {"f1_macro": f"{each:.6f}"}
    (finding,) = check_scores(task="classification", gold=gold, predicted=predicted, claimed=claimed)
    assert "the mean over the labels of gold only" in finding.examples


def test_08_placeholders_for_gold() -> None:
    gold, predicted, _ = labelled(4)
    assert found("classification", planting.filled(gold, "-1"), predicted) >= {"placeholder gold"}
    assert not found("classification", gold, predicted)


def test_09_one_raw_logit_of_two() -> None:
    gold, predicted, logits = labelled(5, labels=TWO)
    planted = with_scores(predicted, planting.one_logit(logits, TWO))
    assert found("classification", gold, planted) == {"scores contradict the label"}
    assert not found("classification", gold, with_scores(predicted, probabilities(logits, TWO)))


def test_10_a_threshold_chosen_on_the_test_set() -> None:
    gold, _, logits = labelled(6, labels=TWO)
    other_gold, _, other_logits = labelled(7, labels=TWO)
    scores = probabilities(logits, TWO)
    values = [one["positive"] for one in scores]

    def findings(threshold: float) -> set[str]:
        said = ["positive" if one >= threshold else "negative" for one in values]
        return found("classification", gold, with_scores(said, scores))

    assert findings(planting.best_threshold(gold, values, "positive")) == {"threshold is the best one here"}
    others = [one["positive"] for one in probabilities(other_logits, TWO)]
    assert not findings(planting.best_threshold(other_gold, others, "positive"))
    assert not findings(0.5)
