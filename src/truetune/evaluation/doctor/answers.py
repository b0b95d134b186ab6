"""Answers of extractive question answering that cannot come from their text, or are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from truetune.evaluation.doctor.case import Case, finding, listed
from truetune.text import normalised
from truetune.types import Finding

EXTRACTIVE = 0.95
"""Where so many gold answers stand in their context, answers are taken from it."""


def answer_findings(case: Case) -> Iterator[Finding]:
    """Yield predicted answers that do not stand in `context` although gold's do, and answers missing everywhere."""
    if "answers" not in case.gold or "answer" not in case.predicted:
        return
    gold, said = listed(case.gold["answers"]), listed(case.predicted["answer"])
    silent = [place for place, answer in enumerate(said) if not answer.strip()]
    if len(silent) > 0.2 * len(said) and all(any(map(str.strip, answers)) for answers in gold):
        yield finding(
            "empty outputs",
            "warning",
            len(silent),
            [case.ids[place] for place in silent],
            "no answer was given although every question has one: generation failed, or a threshold for unanswerable "
            "questions was applied to a set without any",
        )
    contexts: Sequence[Any] = case.others.get("context", ())
    if not contexts or not all(isinstance(context, str) for context in contexts):
        return
    known = [(place, answers[0]) for place, answers in enumerate(gold) if answers and answers[0]]
    if sum(_stands(answer, contexts[place]) for place, answer in known) < EXTRACTIVE * max(len(known), 1):
        return
    strange = [place for place, answer in enumerate(said) if answer.strip() and not _stands(answer, contexts[place])]
    if strange:
        yield finding(
            "answers outside their context",
            "error" if len(strange) > 0.2 * len(said) else "warning",
            len(strange),
            [case.shown(place, said[place]) for place in strange],
            "gold answers stand in their context, these do not: contexts and predictions belong to different rows, "
            "offsets were read in other units, or the system makes answers up",
        )


def _stands(answer: str, context: str) -> bool:
    return answer in context or normalised(answer) in normalised(context)
