"""Wrong documents that look right: those with most words of a query, by TF-IDF, among which one is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truetune.errors import DataError
from truetune.training.baselines_text import vectoriser


def drawn_negatives(
    queries: Sequence[str], documents: Sequence[Sequence[str]], number: int, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Return, for each document of each query, one of the `number` likest documents that do not answer it.

    All documents of the queries are looked at, and no others; a document that answers an equal query is not wrong.
    Raises `DataError` for a query that every document answers.
    """
    from sklearn.preprocessing import normalize

    known = sorted({one for several in documents for one in several})
    place_of = {one: place for place, one in enumerate(known)}
    right: dict[str, set[int]] = {}
    for query, several in zip(queries, documents, strict=True):
        right.setdefault(query, set()).update(place_of[one] for one in several)
    made = vectoriser(characters=False, texts=len(known))
    weights = normalize(made.fit_transform(known))
    asked = normalize(made.transform(list(queries)))
    found = []
    for row, (query, several) in enumerate(zip(queries, documents, strict=True)):
        if len(right[query]) == len(known):
            raise DataError(
                f"recipe.hard_negatives: every document of the training part answers {query[:40]!r}, so none is wrong; "
                "set it to 0"
            )
        like = np.asarray((asked[[row]] @ weights.T).toarray()).ravel()
        like[list(right[query])] = -np.inf
        best = np.argsort(-like, kind="stable")[: min(number, len(known) - len(right[query]))]
        found.append(tuple(known[place] for place in rng.choice(best, size=len(several)).tolist()))
    return found
