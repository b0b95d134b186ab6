"""Multiple choice: a text, a question, and choices of which one is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.data.parse import Field
from truetune.metrics.exact import CHOICES
from truetune.tasks.base import Inputs, Scoring, Task, Training
from truetune.tasks.choice_encoding import choice_labels, decode_choices, encode_choices
from truetune.tasks.fields import as_any_text, as_label, as_list, as_number, as_text

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def as_choices(value: object) -> tuple[str, ...]:
    """Return two or more choices, each once, in the order given."""
    choices = tuple(as_label(one) for one in as_list(value))
    if len(choices) < 2:
        raise ValueError(f"expected two or more choices, found {len(choices)}")
    if len(set(choices)) < len(choices):
        doubled = next(one for place, one in enumerate(choices) if one in choices[:place])
        raise ValueError(f"expected each choice once, found {doubled!r} twice")
    return choices


def chosen_of(answer: str, choices: Sequence[str]) -> str:
    """Return the choice that an answer names: by its text, else by its letter from A or its place from 0.

    Raises ValueError where none does.
    """
    if answer in choices:
        return answer
    place = int(answer) if answer.isdecimal() else LETTERS.find(answer) if len(answer) == 1 else -1
    if not 0 <= place < len(choices):
        raise ValueError(
            f"the answer {answer!r} is none of the {len(choices)} choices; expected the text of one, its letter (A to "
            f"{LETTERS[min(len(choices), 26) - 1]}) or its place (0 to {len(choices) - 1})"
        )
    return choices[place]


def as_shares(value: object) -> list[float]:
    """Return the probability of each choice, in their order."""
    shares = [as_number(one) for one in as_list(value)]
    if not all(0 <= one <= 1 for one in shares):
        raise ValueError("expected the probability of each choice, from 0 to 1")
    return shares


def _choice(record: Mapping[str, Any]) -> str:
    return chosen_of(record["answer"], record["choices"])


def _answer(record: Mapping[str, Any]) -> str:
    return str(record["answer"])


def _options(record: Mapping[str, Any]) -> int:
    return len(record["choices"])


def _asked(choices: Sequence[str], context: str, question: str) -> str:
    return "\n".join([question, *choices])


def _context(choices: Sequence[str], context: str, question: str) -> str:
    return context


def _together(choices: Sequence[str], context: str, question: str) -> str:
    """Return what questions of one text share: the text, or without one the question itself."""
    return context if context.strip() else question


def _whole(choices: Sequence[str], context: str, question: str) -> str:
    return "\n".join([context, question, *choices])


GIVEN, CHOICE = Field("choices", as_choices), Field("choice", derive=_choice)

MULTIPLE_CHOICE = Task(
    name="multiple-choice",
    about="one of several choices",
    about_zh="多项选择：阅读材料、问题和若干选项",
    scoring=Scoring(
        gold=(
            (GIVEN, Field("answer", as_label), CHOICE, Field("options", derive=_options)),
            (Field("answer", as_label), Field("choice", derive=_answer)),
        ),
        predicted=((Field("answer", as_label), Field("probabilities", as_shares, required=False)),),
        metrics=(CHOICES,),
        primary=("accuracy",),
    ),
    training=Training(
        "choose",
        Inputs(
            (GIVEN, Field("context", as_any_text), Field("question", as_text)),
            whole=_whole,
            compared=(_context, _asked),
            together=_together,
        ),
        choice_labels,
        encode_choices,
        decode_choices,
        baselines=("chance", "position", "tfidf-choice"),
    ),
)
