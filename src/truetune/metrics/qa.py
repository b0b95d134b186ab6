"""Extractive question answering: exact match and F1, as SQuAD (v1.1, v2) and, for Chinese, CMRC 2018.

Each answer is compared with every gold answer and takes the best; scores are means over questions, as
fractions. A question without gold answers is unanswerable: an empty answer is right. As in the script of
SQuAD v2, gold answers that normalise to nothing are left out, and two empty answers agree (v1.1's script
gives them F1 0). Chinese F1 is over the longest common run of characters, not over words at white space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, RowsOf
from truetune.metrics.answers import bag_f1, cmrc_text, cmrc_tokens, squad_tokens, substring_f1
from truetune.metrics.f_measures import quotient
from truetune.metrics.references import rows_by_script
from truetune.rows import Rows
from truetune.text import Script, script
from truetune.types import Column, Floats, Numbers

EXACT, F1, QUESTIONS = range(3)
"""Statistics of a row."""


def squad_rows(gold: Column, predicted: Column) -> Rows:
    """Return `[distinct, 3]`: exact match, F1, 1, by SQuAD's rules.

    `gold` holds a tuple of answers a question (empty: unanswerable), `predicted` one answer (empty: none).
    """
    texts = _distinct_texts(gold, predicted)
    tokens = dict(zip(texts, squad_tokens(texts), strict=True))
    return _rows(gold, predicted, lambda text: (tokens[text], tokens[text]), bag_f1)


def cmrc_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows as `squad_rows`, by the rules of CMRC 2018."""
    made = {text: (cmrc_text(text), cmrc_tokens(text)) for text in _distinct_texts(gold, predicted)}
    return _rows(gold, predicted, made.__getitem__, substring_f1)


def qa_rows(gold: Column, predicted: Column) -> Rows:
    """Return `cmrc_rows` where all gold answers together are Chinese by `text.script`, else `squad_rows`."""
    return _rows_by_script(gold)(gold, predicted)


def _rows_by_script(gold: Column) -> RowsOf:
    return _ROWS[script(["".join(chain.from_iterable(gold))])]


def _rows_of_script(gold: Column, predicted: Column, language: Script | None) -> Rows:
    return (qa_rows if language is None else _ROWS[language])(gold, predicted)


_ROWS: dict[Script, RowsOf] = {"en": squad_rows, "zh": cmrc_rows}


@dataclass(frozen=True, slots=True)
class NoAnswerThreshold:
    """An answer stands where its no-answer probability is at most `threshold`; `value` is the score then."""

    threshold: float
    value: float


def with_no_answer(answers: Sequence[str], probabilities: Sequence[float], threshold: float) -> list[str]:
    """Return the answers, empty where the no-answer probability exceeds the threshold (SQuAD v2)."""
    return [
        "" if probability > threshold else answer for answer, probability in zip(answers, probabilities, strict=True)
    ]


def best_no_answer_threshold(
    gold: Sequence[Sequence[str]],
    answers: Sequence[str],
    probabilities: Sequence[float],
    measure: Literal["exact_match", "qa_f1"] = "qa_f1",
) -> NoAnswerThreshold:
    """Return the threshold with the best score: to be chosen on validation data, never on the test set.

    Answers of equal probability stand or fall together. Raises `MetricError` for no questions and for
    probabilities that are no numbers.
    """
    keys = np.asarray(probabilities, dtype=np.float64)
    if not len(keys) or len(keys) != len(answers) or not np.isfinite(keys).all():
        raise MetricError(
            f"{len(keys):,} no-answer probabilities for {len(answers):,} answers; expected a finite number each"
        )
    statistic = EXACT if measure == "exact_match" else F1
    rows = _rows_by_script(gold)
    answered = rows(gold, answers).dense()[:, statistic]
    silent = rows(gold, [""] * len(answers)).dense()[:, statistic]
    order = np.argsort(keys, kind="stable")
    totals = silent.sum() + np.concatenate(([0.0], np.cumsum((answered - silent)[order])))
    cuts = np.concatenate(([np.nextafter(keys.min(), -np.inf)], keys[order]))
    whole = np.append(cuts[1:] != cuts[:-1], True)
    best = np.flatnonzero(whole)[np.argmax(totals[whole])]
    return NoAnswerThreshold(float(cuts[best]), float(totals[best] / len(keys)))


def _distinct_texts(gold: Column, predicted: Column) -> list[str]:
    if len(gold) != len(predicted):
        raise MetricError(f"{len(gold):,} questions have gold answers, {len(predicted):,} predicted ones")
    return list(dict.fromkeys(chain(chain.from_iterable(gold), predicted, ("",))))


Read = Callable[[str], tuple[str | list[str], list[str]]]
"""Answer -> what is compared exactly, and the tokens."""


def _rows(gold: Column, predicted: Column, read: Read, f1: Callable[[list[str], list[str]], float]) -> Rows:
    scores = np.ones((len(gold), 3))
    for number, (answers, answer) in enumerate(zip(gold, predicted, strict=True)):
        exact, tokens = read(answer)
        golds = [pair for pair in map(read, answers) if pair[0]] or [read("")]
        if all(exact != known for known, _ in golds):
            scores[number, EXACT] = 0
            scores[number, F1] = max(f1(known, tokens) for _, known in golds)
    return Rows.of(scores)


_SQUAD = "SQuAD: small letters, without punctuation and articles, tokens at white space, F1 over bags of tokens"
_CMRC = (
    "CMRC 2018: small letters, without its signs, tokens are Chinese characters and Treebank words, F1 over "
    "the longest common run of tokens"
)
_RULES: dict[str, tuple[RowsOf, str]] = {
    "en": (squad_rows, _SQUAD),
    "zh": (cmrc_rows, _CMRC),
    "auto": (
        rows_by_script(_rows_of_script),
        f"{_CMRC}, where three in ten letters of all gold answers are Chinese characters; else {_SQUAD}",
    ),
}


def qa_metrics(language: Literal["auto", "en", "zh"]) -> tuple[Additive, Additive]:
    """Return exact match and F1 by the rules of one language, or by those that the gold answers call for.

    `auto` decides once for all questions that it is given; where they come in parts, by all parts together.
    """
    rows, rules = _RULES[language]
    return (
        _metric("exact_match", rows, EXACT, f"questions answered as in gold / questions; {rules}"),
        _metric("qa_f1", rows, F1, f"mean over questions of F1 with the best gold answer; {rules}"),
    )


def _metric(name: str, rows: RowsOf, statistic: int, definition: str) -> Additive:
    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return sums[..., statistic], sums[..., QUESTIONS]

    def formula(sums: Numbers) -> Floats:
        return quotient(*parts(sums))

    return Additive(
        name=name,
        rows=rows,
        formula=formula,
        gold="answers",
        predicted="answer",
        definition=definition,
        unit="question",
        interval="wilson" if statistic == EXACT else "t",
        ratio=parts,
        undefined="there is no question",
        limits=(0.0, 1.0),
    )


QA = qa_metrics("auto")
"""Gold answers and one predicted answer a question: fields `answers`, `answer`."""
