"""Question answering: equal to SQuAD's script, v2's threshold, Chinese by CMRC 2018."""

from __future__ import annotations

import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.errors import MetricError
from truetune.metrics.qa import (
    QA,
    best_no_answer_threshold,
    cmrc_rows,
    qa_metrics,
    qa_rows,
    squad_rows,
    with_no_answer,
)
from truetune.rows import joined

texts = st.lists(st.sampled_from(["the", "cat", "Sat", "on", "mat.", "-", "a"]), max_size=4).map(" ".join)
questions = st.lists(st.tuples(st.lists(texts, max_size=3).map(tuple), texts), min_size=1, max_size=8)


def normalised(text: str) -> str:
    text = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad_v2(answers: tuple[str, ...], answer: str) -> tuple[float, float]:
    """Exact match and F1 by the published steps of SQuAD's evaluate-v2.0."""
    golds = [one for one in answers if normalised(one)] or [""]
    exact = max(float(normalised(one) == normalised(answer)) for one in golds)
    scores = []
    for one in golds:
        gold, said = normalised(one).split(), normalised(answer).split()
        same = sum((Counter(gold) & Counter(said)).values())
        if not gold or not said:
            scores.append(float(gold == said))
        elif same == 0:
            scores.append(0.0)
        else:
            precision, recall = same / len(said), same / len(gold)
            scores.append(2 * precision * recall / (precision + recall))
    return exact, max(scores)


def values(gold: list, predicted: list, language: str = "auto") -> list[float]:
    return [float(metric.value(metric.rows(gold, predicted))) for metric in qa_metrics(language)]


@given(questions)
def test_equal_to_the_squad_script(found: list) -> None:
    gold, predicted = [answers for answers, _ in found], [answer for _, answer in found]
    theirs = np.array([squad_v2(*one) for one in found])
    np.testing.assert_allclose(squad_rows(gold, predicted).dense()[:, :2], theirs, atol=1e-12)
    assert values(gold, predicted) == pytest.approx(theirs.mean(axis=0).tolist())


def test_by_hand() -> None:
    gold = [("the Eiffel Tower", "Eiffel Tower in Paris"), ("1889",), ()]
    assert values(gold, ["Eiffel Tower!", "in 1889", ""]) == pytest.approx([2 / 3, (1 + 2 / 3 + 1) / 3])
    # The best gold answer counts: 2 common tokens, of 3 said and of 4.
    assert values(gold[:1], ["Eiffel Tower Paris"]) == pytest.approx([0, 6 / 7])


def test_an_unanswerable_question_wants_an_empty_answer() -> None:
    assert values([()], [""]) == [1, 1]
    assert values([()], ["Paris"]) == [0, 0]
    assert values([("Paris",)], [""]) == [0, 0]
    assert values([("", "the")], [""]) == [1, 1]  # v2 leaves out gold answers that normalise to nothing
    assert values([("", "Paris")], [""]) == [0, 0]


def test_two_empty_answers_agree_as_in_v2_not_as_in_v1() -> None:
    """Why we differ from v1.1: its F1 of two empty answers is 0, although they match exactly."""
    assert values([("the",)], ["a"]) == [1, 1]


def test_chinese_f1_is_over_the_common_run_of_characters() -> None:
    gold, said = [("北京大学",)], ["在北京的大学"]
    assert values(gold, said) == pytest.approx([0, 2 * 2 / (4 + 6)])
    assert values(gold, said, "en") == [0, 0]  # split at white space: nothing in common
    assert values([("《红楼梦》",)], ["红楼梦。"]) == [1, 1]
    assert values([("19.2平方公里",)], ["19.2平方米"]) == pytest.approx([0, 2 * 3 / (5 + 4)])


def test_the_language_is_that_of_all_gold_answers_together() -> None:
    gold, said = [("北京大学",), ("the NBA",), ("1889年",)], ["北京大学", "NBA", "1889"]
    np.testing.assert_array_equal(qa_rows(gold, said).dense(), cmrc_rows(gold, said).dense())
    assert qa_rows(gold, said).dense()[1, 0] == 0  # an article is no article in a Chinese data set
    english = [("the NBA",), ("Beijing (北京)",), ("in 1889",)]
    np.testing.assert_array_equal(qa_rows(english, said).dense(), squad_rows(english, said).dense())


def test_the_signature_says_which_rules() -> None:
    for metric in QA:
        assert "CMRC 2018" in metric.definition
        assert "SQuAD" in metric.definition
    assert all("CMRC" not in metric.definition for metric in qa_metrics("en"))
    assert QA[0].interval == "wilson"
    assert QA[1].interval == "t"


def test_no_questions_are_undefined_and_unequal_numbers_refused() -> None:
    assert np.isnan(values([], [])).all()
    with pytest.raises(MetricError, match="2 questions have gold answers, 1 predicted ones"):
        squad_rows([("a",), ("b",)], ["a"])


@given(questions)
def test_shards_merge(found: list) -> None:
    gold, predicted = [answers for answers, _ in found], [answer for _, answer in found]
    cut = len(found) // 2
    parts = joined(squad_rows(gold[:cut], predicted[:cut]), squad_rows(gold[cut:], predicted[cut:]))
    np.testing.assert_allclose(parts.totals(), squad_rows(gold, predicted).totals())


def test_a_threshold_turns_doubtful_answers_into_none() -> None:
    assert with_no_answer(["x", "y", "z"], [0.2, 0.5, 0.9], 0.5) == ["x", "y", ""]
    with pytest.raises(ValueError, match="shorter"):
        with_no_answer(["x"], [], 0.5)


def test_the_best_threshold_by_hand() -> None:
    gold = [("x",), (), ("y",), ()]
    said, probabilities = ["x", "q", "y", "q"], [0.1, 0.6, 0.3, 0.9]
    found = best_no_answer_threshold(gold, said, probabilities)
    assert (found.threshold, found.value) == (0.3, 1.0)
    assert best_no_answer_threshold(gold, said, [0.5] * 4).value == 0.5  # ties stand or fall together
    never = best_no_answer_threshold([(), ()], ["q", "q"], [0.0, 0.4])
    assert never.threshold < 0
    assert never.value == 1


@given(
    st.lists(
        st.tuples(st.lists(texts, max_size=2).map(tuple), texts, st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["exact_match", "qa_f1"]),
)
def test_the_best_threshold_by_trying_all(found: list, measure: str) -> None:
    gold, said, probabilities = (list(column) for column in zip(*found, strict=True))
    place = ["exact_match", "qa_f1"].index(measure)

    def score(threshold: float) -> float:
        return values(gold, with_no_answer(said, probabilities, threshold), "en")[place]

    best = best_no_answer_threshold(gold, said, probabilities, measure)
    assert best.value == pytest.approx(max(score(one) for one in (-1.0, *probabilities)))
    assert score(best.threshold) == pytest.approx(best.value)


@pytest.mark.parametrize("probabilities", [[], [0.1], [0.1, float("nan")]])
def test_thresholds_need_a_finite_probability_each(probabilities: list[float]) -> None:
    with pytest.raises(MetricError, match="expected a finite number each"):
        best_no_answer_threshold([("x",), ()], ["x", ""], probabilities)
