"""The task of question answering: answers as lists, as one text, as SQuAD writes them."""

from __future__ import annotations

import pytest

from truetune.tasks.qa import QA_SCORING, as_answers, as_probability


def test_answers() -> None:
    assert as_answers(["Paris", "the city"]) == ("Paris", "the city")
    assert as_answers("Paris") == ("Paris",)
    assert as_answers({"text": ["Paris"], "answer_start": [3]}) == ("Paris",)
    assert as_answers([]) == as_answers({"text": [], "answer_start": []}) == ()
    for bad in (None, 3, [3], {"answers": ["Paris"]}):
        with pytest.raises(ValueError, match="expected"):
            as_answers(bad)


def test_probabilities() -> None:
    assert as_probability("0.5") == 0.5
    for bad in (-0.1, 1.5, float("nan"), "x"):
        with pytest.raises(ValueError, match="expected"):
            as_probability(bad)


def test_the_primary_metric_is_f1() -> None:
    assert QA_SCORING.primary == ("qa_f1",)
    assert [metric.name for metric in QA_SCORING.metrics] == ["exact_match", "qa_f1"]
