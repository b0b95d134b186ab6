"""The task of relations: labels or triples, never both at once."""

from __future__ import annotations

import pytest

from truetune import evaluate
from truetune.tasks.relations import RELATIONS_SCORING


def test_metrics_by_fields() -> None:
    for field in ("label", "triples"):
        names = [one.name for one in RELATIONS_SCORING.metrics if one.gold == one.predicted == field]
        assert len(set(names)) == len(names)
        assert RELATIONS_SCORING.primary[0] in names
    assert {one.gold for one in RELATIONS_SCORING.metrics} == {"label", "triples"}
    assert {one.predicted for one in RELATIONS_SCORING.metrics} == {"label", "scores", "triples"}


def test_fields_are_parsed() -> None:
    label, triples = (fields[0] for fields in RELATIONS_SCORING.gold)
    assert label.parse is not None
    assert triples.parse is not None
    assert label.parse(" 拥有 ") == "拥有"
    assert triples.parse([[[0, 1, "A"], "r", [2, 3, "B"]]])[0][1] == "r"


def test_scores_of_relations_are_read_by_the_metrics_of_probabilities() -> None:
    gold = ["owns", "none", "owns", "born"]
    predicted = [
        {"label": label, "scores": {"owns": owns, "none": none, "born": 1 - owns - none}}
        for label, owns, none in (("owns", 0.5, 0.25), ("none", 0.25, 0.5), ("none", 0.25, 0.5), ("born", 0.25, 0.25))
    ]
    result = evaluate(task="relations", gold=gold, predicted=predicted)
    assert result.primary == "relation_f1_micro"
    assert result.score("log_loss").value == pytest.approx((3 * 0.6931471805599453 + 1.3862943611198906) / 4)
    assert result.score("roc_auc/born").value == 1
    assert {"brier", "ece", "roc_auc", "roc_auc_ovo", "average_precision"} <= {one.metric for one in result.scores}
