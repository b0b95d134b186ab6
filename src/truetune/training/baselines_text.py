"""`tfidf-linear`: logistic regression on weighted words and character sequences, and nothing pretrained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from truetune.data.stored import values_at
from truetune.tasks.base import Labels
from truetune.text import words
from truetune.training.baselines import (
    Baseline,
    Candidate,
    Part,
    Progress,
    Score,
    chosen,
    label_candidates,
    some_examples,
)
from truetune.training.linear_path import SPARSE, label_targets, probabilities

MOST_CHARACTERS = 3_000_000
"""How many characters of training text may be cut into character sequences; longer corpora use words alone."""

MOST_WORK = 1_500_000
"""How many targets (examples times labels) are fitted at most."""


FEW = 100
"""Up to so many training texts, a character sequence of one text alone is kept."""


def tfidf_linear(
    train: Part, validation: Part, test_inputs: Sequence[str], labels: Labels, score: Score, progress: Progress
) -> Baseline:
    """Return predictions from TF-IDF of words (1 and 2) and of character sequences (3 to 5) within words.

    Inputs are texts. In Chinese every character is a word, so these are sequences of 1 to 5 characters.
    Counts enter as 1 + log; character sequences of one training text alone are left out. C, and the
    threshold where an example may carry several labels, are chosen on the validation part.
    """
    limit = max(2_000, MOST_WORK // max(len(labels.names), 1))
    kept, notes = some_examples(len(train.gold), limit, "training texts")
    texts = values_at(train.inputs, kept)
    characters = sum(map(len, texts)) <= MOST_CHARACTERS
    if not characters:
        notes.append("words alone, without character sequences, to save time on long texts")
    progress(f"tfidf-linear: fitting on {len(texts):,} texts")

    def candidates() -> Iterator[Candidate]:
        counting = vectoriser(characters, len(texts))
        features = counting.fit_transform(texts)
        others = [counting.transform(validation.inputs), counting.transform(test_inputs)]
        targets = label_targets(values_at(train.gold, kept), labels.names, labels.multiple)
        for strength, found in probabilities(SPARSE, features, targets, others, len(labels.names)):
            yield from label_candidates({"C": strength}, found[0], found[1], labels)

    return chosen("tfidf-linear", candidates(), validation.gold, score, notes)


def word_sequences(text: str) -> list[str]:
    """Return the words of a text in lower case, and its pairs of neighbours."""
    found = [text[start:end].lower() for start, end in words(text)]
    return found + [f"{first} {second}" for first, second in pairwise(found)]


def vectoriser(characters: bool, texts: int) -> Any:
    """Return what counts words, and character sequences where these are wanted, in so many training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    whole = TfidfVectorizer(analyzer=word_sequences, sublinear_tf=True, dtype=np.float32)
    if not characters:
        return whole
    least = 2 if texts > FEW else 1
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=least, sublinear_tf=True, dtype=np.float32)
    return make_union(whole, parts)
