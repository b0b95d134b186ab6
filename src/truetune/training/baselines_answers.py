"""What a fine-tuned model of answers has to beat: no answer at all, and the sentence that has most of the question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from truetune.metrics.qa import best_no_answer_threshold
from truetune.text import sentences, words
from truetune.training.baselines import Baseline, Candidate, Columns, Part, Progress, Score, chosen
from truetune.training.baselines_text import vectoriser
from truetune.types import Floats, Ints

Asked = Sequence[tuple[str, str]]
"""Text and question of each example."""

WAYS = ("sentence", "rest")
"""The whole sentence, or its longest run of words that the question does not have."""

MOST_TEXTS = 5_000
"""From how many texts the weights of words are counted at most."""


def no_answer(validation: Part, tests: int, score: Score) -> Baseline:
    """Return the baseline that never answers."""
    candidate = Candidate({}, _silent(len(validation.gold)), _silent(tests))
    return chosen("no-answer", [candidate], validation.gold, score, ())


def tfidf_sentence(
    train: Part, validation: Part, tests: Asked, optional: bool, score: Score, progress: Progress
) -> Baseline:
    """Return the sentence most like the question by TF-IDF, or a part of it; inputs are `Asked`.

    Which part is chosen on the validation part, and where questions may have no answer also from which likeness on one
    is given.
    """
    texts = list(dict.fromkeys(text for text, _ in train.inputs))[:MOST_TEXTS]
    progress(f"tfidf-sentence: fitting on {len(texts):,} texts")
    made = vectoriser(characters=True, texts=len(texts)).fit(texts)
    parts = (validation.inputs, tests)
    found = [_likest(made, asked) for asked in parts]

    def candidates() -> Iterator[Candidate]:
        for way in WAYS:
            sides = [_answers(asked, places, way) for asked, (places, _) in zip(parts, found, strict=True)]
            unlike = [1 - likeness for _, likeness in found]
            if not optional:
                yield Candidate({"answer": way}, *({"answer": side} for side in sides))
                continue
            cut = best_no_answer_threshold(validation.gold, sides[0], unlike[0].tolist()).threshold
            columns = [_kept(side, chance, cut) for side, chance in zip(sides, unlike, strict=True)]
            yield Candidate({"answer": way, "likeness": float(1 - cut)}, *columns)

    return chosen("tfidf-sentence", candidates(), validation.gold, score, ())


def rest_of(sentence: str, question: str) -> str:
    """Return the longest run of words of a sentence that the question does not have; signs do not end a run's count.

    The whole sentence where the question has all its words.
    """
    known = {question[start:end].lower() for start, end in words(question)}
    runs: list[tuple[int, int, int]] = []
    count, first, last = 0, 0, 0
    for start, end in words(sentence):
        word = sentence[start:end].lower()
        if word in known or not word[0].isalnum():
            runs.append((count, first, last))
            count = 0
            continue
        first = start if not count else first
        count, last = count + 1, end
    runs.append((count, first, last))
    most, first, last = max(runs, key=lambda run: run[0])
    return sentence[first:last] if most else sentence


def _likest(made: Any, asked: Asked) -> tuple[list[tuple[int, int]], Floats]:
    """Return the place of the sentence that is most like each question, and how like it is (cosine)."""
    places = {text: sentences(text) for text in dict.fromkeys(text for text, _ in asked)}
    rows = made.transform([text[start:end] for text, cut in places.items() for start, end in cut])
    firsts: Ints = np.cumsum([0, *map(len, places.values())])
    first_of = dict(zip(places, firsts.tolist(), strict=False))
    questions = made.transform([question for _, question in asked])
    found, likeness = [], np.zeros(len(asked))
    for row, (text, _) in enumerate(asked):
        begin = first_of[text]
        likely = (rows[begin : begin + len(places[text])] @ questions[row].T).toarray().ravel()
        best = int(likely.argmax())
        found.append(places[text][best])
        likeness[row] = likely[best] / _length(rows[begin + best], questions[row])
    return found, likeness


def _length(one: Any, other: Any) -> float:
    """Return the product of two rows' lengths, 1 where one of them is empty."""
    product = float(np.sqrt(one.multiply(one).sum() * other.multiply(other).sum()))
    return product or 1.0


def _answers(asked: Asked, places: Sequence[tuple[int, int]], way: str) -> list[str]:
    found = []
    for (text, question), (start, end) in zip(asked, places, strict=True):
        sentence = text[start:end]
        found.append(sentence if way == "sentence" else rest_of(sentence, question))
    return found


def _kept(answers: Sequence[str], chances: Floats, threshold: float) -> Columns:
    given = ["" if chance > threshold else answer for answer, chance in zip(answers, chances.tolist(), strict=True)]
    return {"answer": given, "no_answer_probability": np.clip(chances, 0, 1).tolist()}


def _silent(number: int) -> Columns:
    return {"answer": [""] * number}
