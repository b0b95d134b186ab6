"""Baselines of question answering: sentences are found, and parts of them, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from truetune.metrics.qa import QA
from truetune.training.baselines import Columns, Part
from truetune.training.baselines_answers import no_answer, rest_of, sentences, tfidf_sentence

ENGLISH = "The tower was built in 1889. It is 330 m tall. Gustave Eiffel led the company that built it!"
CHINESE = "埃菲尔铁塔建于1889年。塔高330米。它位于巴黎！"


def silent(line: str) -> None:
    pass


def f1(gold: Sequence[Any], predicted: Columns) -> float:
    (metric,) = (one for one in QA if one.name == "qa_f1")
    return float(metric.value(metric.rows(gold, predicted["answer"])))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            ENGLISH,
            ["The tower was built in 1889.", "It is 330 m tall.", "Gustave Eiffel led the company that built it!"],
        ),
        (CHINESE, ["埃菲尔铁塔建于1889年。", "塔高330米。", "它位于巴黎！"]),
        ("3.5 of 4", ["3.5 of 4"]),
        ("  one\n two ", ["one", "two"]),
        ("...", ["..."]),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == found


def test_the_rest_of_a_sentence_is_what_the_question_does_not_have() -> None:
    assert rest_of("The tower was built in 1889.", "When was the tower built?") == "in 1889"
    assert rest_of("塔高330米。", "塔高多少？") == "330米"
    assert rest_of("the tower", "The tower") == "the tower"


def questions(gold: list[tuple[str, ...]]) -> Part:
    asked = ["When was the tower built?", "How tall is it?", "What colour does the sea have?"]
    return Part([(ENGLISH, question) for question in asked], gold)


def test_the_likest_sentence_is_answered_and_likeness_decides_whether() -> None:
    gold: list[tuple[str, ...]] = [("in 1889",), ("330 m",), ()]
    part = questions(gold)
    found = tfidf_sentence(part, part, part.inputs, True, f1, silent)
    assert found.settings["answer"] == "rest"
    assert found.predicted["answer"][0] == "in 1889"
    assert found.predicted["answer"][2] == "", "nothing in the text is like the last question"
    assert all(0 <= chance <= 1 for chance in found.predicted["no_answer_probability"])
    always = tfidf_sentence(part, part, part.inputs, False, f1, silent)
    assert all(always.predicted["answer"])
    assert "no_answer_probability" not in always.predicted


def test_never_answering_scores_the_share_of_unanswerable_questions() -> None:
    found = no_answer(questions([("x",), ("y",), ()]), 2, f1)
    assert found.predicted == {"answer": ["", ""]}
    assert found.validation == pytest.approx(1 / 3)
