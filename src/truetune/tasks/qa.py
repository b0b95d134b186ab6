"""Extractive question answering: the answers that stand in gold, and one predicted answer."""

from __future__ import annotations

from collections.abc import Mapping

from truetune.data.parse import Field
from truetune.metrics.qa import QA
from truetune.tasks.answer_encoding import answer_schema, decode_answers, encode_answers
from truetune.tasks.base import Inputs, Scoring, Task, Training
from truetune.tasks.fields import as_any_text, as_list, as_number, as_text, as_texts, shown


def as_answers(value: object) -> tuple[str, ...]:
    """Return the answers of a question, none for an unanswerable one; SQuAD's `{"text": [...]}` is read too."""
    if isinstance(value, Mapping):
        if "text" not in value:
            raise ValueError(f'expected a list of answers or {{"text": [answers]}}, found {shown(value)}')
        value = value["text"]
    return as_texts(value)


def as_probability(value: object) -> float:
    """Return a number from 0 to 1."""
    number = as_number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"expected a probability from 0 to 1, found {number}")
    return number


def as_offset(value: object) -> int:
    """Return a whole number; -1 says nowhere."""
    number = as_number(value)
    if number < -1 or not number.is_integer():
        raise ValueError(f"expected an offset in characters, from 0 (-1: nowhere), found {shown(value)}")
    return int(number)


def as_offsets(value: object) -> list[int]:
    """Return where each answer begins in its text."""
    return [as_offset(item) for item in as_list(value)]


def _context(context: str, question: str) -> str:
    return context


QA_SCORING = Scoring(
    gold=((Field("answers", as_answers), Field("answer_starts", as_offsets, required=False)),),
    predicted=(
        (
            Field("answer", as_any_text),
            Field("start", as_offset, required=False),
            Field("no_answer_probability", as_probability, required=False),
        ),
    ),
    metrics=QA,
    primary=("qa_f1",),
)

QUESTION_ANSWERING = Task(
    name="qa",
    about="answers that stand in a text (SQuAD, CMRC), or none",
    about_zh="抽取式问答：答案在原文中，或无答案",
    scoring=QA_SCORING,
    training=Training(
        "span",
        Inputs((Field("context", as_text), Field("question", as_text)), together=_context),
        answer_schema,
        encode_answers,
        decode_answers,
        baselines=("no-answer", "tfidf-sentence"),
    ),
)
