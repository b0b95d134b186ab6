"""What a fine-tuned model of choices has to beat: a draw, the usual place, and words in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from truetune.training.baselines import Baseline, Candidate, Columns, Part, Progress, Score, chosen
from truetune.training.baselines_text import vectoriser

Asked = Sequence[tuple[Sequence[str], str, str]]
"""Choices, context and question of each example."""

MOST_TEXTS = 5_000
"""From how many texts the weights of words are counted at most."""
COMPARED = ("context", "question", "both")
"""With what a choice is compared."""


def chance(validation: Part, tests: Asked, score: Score) -> Baseline:
    """Return the baseline that draws a choice, all alike, with a fixed seed; inputs are `Asked`."""
    rng = np.random.default_rng(0)

    def drawn(asked: Asked) -> Columns:
        return {"answer": [choices[int(rng.integers(len(choices)))] for choices, _, _ in asked]}

    return chosen("chance", [Candidate({}, drawn(validation.inputs), drawn(tests))], validation.gold, score, ())


def position(train: Part, validation: Part, tests: Asked, score: Score) -> Baseline:
    """Return the baseline that always gives the place that is right most often in training, the last where it lacks."""
    counts = Counter(list(row[0]).index(gold) for row, gold in zip(train.inputs, train.gold, strict=True))
    most = min(counts, key=lambda place: (-counts[place], place))

    def given(asked: Asked) -> Columns:
        return {"answer": [choices[min(most, len(choices) - 1)] for choices, _, _ in asked]}

    candidate = Candidate({"place": most}, given(validation.inputs), given(tests))
    return chosen("position", [candidate], validation.gold, score, ())


def tfidf_choice(train: Part, validation: Part, tests: Asked, score: Score, progress: Progress) -> Baseline:
    """Return the choice most like the context, the question or both by TF-IDF, or least: chosen on validation.

    Of equally like ones the first.
    """
    texts = list(dict.fromkeys(f"{context}\n{question}" for _, context, question in train.inputs))[:MOST_TEXTS]
    progress(f"tfidf-choice: fitting on {len(texts):,} texts")
    made = vectoriser(characters=True, texts=len(texts)).fit(texts)

    def given(asked: Asked, compared: str, sign: int) -> Columns:
        sides = {
            "context": [context for _, context, _ in asked],
            "question": [question for _, _, question in asked],
            "both": [f"{context}\n{question}" for _, context, question in asked],
        }
        choices = made.transform([one for every, _, _ in asked for one in every])
        counts = [len(every) for every, _, _ in asked]
        others = made.transform(sides[compared])[np.repeat(np.arange(len(counts)), counts)]
        like = np.asarray(choices.multiply(others).sum(axis=1)).ravel()
        ends = np.cumsum([0, *counts])
        best = [int(np.argmax(sign * like[start:end])) for start, end in pairwise(ends)]
        return {"answer": [every[place] for (every, _, _), place in zip(asked, best, strict=True)]}

    candidates = (
        Candidate(
            {"compared": compared, "likest": str(sign > 0).lower()},
            *(given(asked, compared, sign) for asked in (validation.inputs, tests)),
        )
        for compared in COMPARED
        for sign in (1, -1)
    )
    return chosen("tfidf-choice", candidates, validation.gold, score, ())
