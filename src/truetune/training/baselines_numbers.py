"""What a fine-tuned regression has to beat: a constant, and ridge regressions on words, overlap, frozen features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from truetune.data.stored import values_at
from truetune.text import words
from truetune.training.baselines import Baseline, Candidate, Part, Progress, Score, chosen, some_examples
from truetune.training.baselines_frozen import standardised
from truetune.training.baselines_text import MOST_CHARACTERS, vectoriser
from truetune.types import Floats

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Ridge's alpha for texts; for columns of features it grows with the rows: each is this times 1 % of their number."""

MOST_TEXTS = 50_000
"""How many training texts are fitted at most."""

SEQUENCES = (1, 2, 3, 4)
"""Lengths of the character sequences whose overlap is counted."""


def constant(train: Part, validation: Part, tests: int, score: Score) -> Baseline:
    """Return the mean of the training numbers, or their median where that is better on the validation part."""
    numbers = np.fromiter(train.gold, dtype=np.float64)

    def candidates() -> Iterator[Candidate]:
        for name, number in (("mean", numbers.mean()), ("median", np.median(numbers))):
            parts = ({"value": [float(number)] * size} for size in (len(validation.gold), tests))
            yield Candidate({"constant": name}, *parts)

    return chosen("constant", candidates(), validation.gold, score, ())


def tfidf_ridge(
    train: Part, validation: Part, test_inputs: Sequence[str], score: Score, progress: Progress
) -> Baseline:
    """Return ridge regression on the TF-IDF of `tfidf-linear`; inputs are texts, the penalty is chosen."""
    kept, notes = some_examples(len(train.gold), MOST_TEXTS, "training texts")
    texts = values_at(train.inputs, kept)
    characters = sum(map(len, texts)) <= MOST_CHARACTERS
    if not characters:
        notes.append("words alone, without character sequences, to save time on long texts")
    progress(f"tfidf-ridge: fitting on {len(texts):,} texts")
    made = vectoriser(characters, len(texts))
    features = made.fit_transform(texts)
    others = [made.transform(validation.inputs), made.transform(test_inputs)]
    found = _ridges(features, values_at(train.gold, kept), others, PENALTIES)
    return chosen("tfidf-ridge", found, validation.gold, score, notes)


def frozen_ridge(train: Part, validation: Part, test_inputs: Floats, score: Score, progress: Progress) -> Baseline:
    """Return ridge regression on standardised `[examples, hidden]` features of the frozen model."""
    kept, notes = some_examples(len(train.gold), MOST_TEXTS, "training texts")
    progress(f"frozen-ridge: fitting on {len(kept):,} texts")
    features, *others = standardised(train.inputs[kept], validation.inputs, test_inputs)
    found = _ridges(features, values_at(train.gold, kept), others, [one * len(kept) / 100 for one in PENALTIES])
    return chosen("frozen-ridge", found, validation.gold, score, notes)


def overlap_ridge(
    train: Part, validation: Part, test_inputs: Sequence[tuple[str, str]], score: Score, progress: Progress
) -> Baseline:
    """Return ridge regression on how much two texts have in common; inputs are pairs of texts."""
    kept, notes = some_examples(len(train.gold), MOST_TEXTS, "training pairs")
    pairs = values_at(train.inputs, kept)
    progress(f"overlap-ridge: fitting on {len(pairs):,} pairs")
    parts = (np.array([overlap(*pair) for pair in some]) for some in (pairs, validation.inputs, test_inputs))
    features, *others = standardised(*parts)
    found = _ridges(features, values_at(train.gold, kept), others, [one * len(kept) / 100 for one in PENALTIES])
    return chosen("overlap-ridge", found, validation.gold, score, notes)


def overlap(first: str, second: str) -> list[float]:
    """Return the share of words and of character sequences that two texts have in common, and of their lengths.

    A share is the size of the intersection divided by that of the union, 1 where both have none.
    """
    one, other = first.lower(), second.lower()
    sets = [({text[start:end] for start, end in words(text)}) for text in (one, other)]
    shares = [_shared(sets[0], sets[1])]
    for size in SEQUENCES:
        shares.append(_shared(*({text[at : at + size] for at in range(len(text) - size + 1)} for text in (one, other))))
    longest = max(len(first), len(second))
    return [*shares, min(len(first), len(second)) / longest if longest else 1.0]


def _shared(one: set[str], other: set[str]) -> float:
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def _ridges(
    features: Any, gold: Sequence[float], others: Sequence[Any], penalties: Sequence[float]
) -> Iterator[Candidate]:
    from sklearn.linear_model import Ridge

    targets: Floats = np.asarray(gold, dtype=np.float64)
    for penalty in penalties:
        model = Ridge(alpha=penalty).fit(features, targets)
        parts = ({"value": model.predict(other).astype(np.float64).tolist()} for other in others)
        yield Candidate({"alpha": penalty}, *parts)
