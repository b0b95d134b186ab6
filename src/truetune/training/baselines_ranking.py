"""What a model fine-tuned to rank has to beat: words in common, by TF-IDF and by BM25."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from truetune.tasks.retrieval_encoding import RANKED, item_of
from truetune.text import words
from truetune.training.baselines import Baseline, Candidate, Columns, Part, Progress, Score, chosen
from truetune.training.baselines_text import MOST_CHARACTERS, vectoriser

SATURATIONS, NORMALISATIONS = (0.6, 1.2, 2.0), (0.0, 0.4, 0.75, 1.0)
"""k1 and b of BM25 that are tried."""


Pools = tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]
"""Which documents each query of validation and test is answered from; none: all."""


def tfidf_ranking(
    validation: Part,
    tests: Sequence[str],
    documents: Sequence[str],
    score: Score,
    progress: Progress,
    pools: Pools = ((), ()),
) -> Baseline:
    """Return documents by the cosine of TF-IDF with the query; whether character sequences count is validated."""
    progress(f"tfidf-ranking: of {len(documents):,} documents")

    def candidates() -> Iterator[Candidate]:
        for characters in (True, False) if sum(map(len, documents)) <= MOST_CHARACTERS else (False,):
            made = vectoriser(characters, len(documents))
            known = _unit(made.fit_transform(documents))
            parts = (
                _ranked(_unit(made.transform(texts)) @ known.T, documents, pool)
                for texts, pool in zip((validation.inputs, tests), pools, strict=True)
            )
            yield Candidate({"characters": int(characters)}, *parts)

    return chosen("tfidf-ranking", candidates(), validation.gold, score, ())


def bm25(
    validation: Part,
    tests: Sequence[str],
    documents: Sequence[str],
    score: Score,
    progress: Progress,
    pools: Pools = ((), ()),
) -> Baseline:
    """Return documents by BM25 [Robertson and Zaragoza 2009], k1 and b chosen on the validation part.

    A document's score is the sum, over the words w of the query, of log(1 + (N - n + 0.5) / (n + 0.5)) f (k1 + 1) /
    (f + k1 (1 - b + b l / L)): of N documents n hold w, this one f times; it has l words, the mean one L.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    progress(f"bm25: of {len(documents):,} documents")
    made = CountVectorizer(analyzer=_words, dtype=np.float64)
    counts = sparse.csr_array(made.fit_transform(documents))
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    holding = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log1p((len(documents) - holding + 0.5) / (holding + 0.5))
    asked = [sparse.csr_array(made.transform(texts)) for texts in (validation.inputs, tests)]

    def candidates() -> Iterator[Candidate]:
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        for k1 in SATURATIONS:
            for b in NORMALISATIONS:
                weights = counts.copy()
                longer = 1 - b + b * lengths[rows] / lengths.mean()
                weights.data = rarity[counts.indices] * counts.data * (k1 + 1) / (counts.data + k1 * longer)
                both = zip(asked, pools, strict=True)
                yield Candidate({"k1": k1, "b": b}, *(_ranked(one @ weights.T, documents, pool) for one, pool in both))

    return chosen("bm25", candidates(), validation.gold, score, ())


def _words(text: str) -> list[str]:
    return [text[start:end].lower() for start, end in words(text)]


def _unit(rows: Any) -> Any:
    from sklearn.preprocessing import normalize

    return normalize(rows)


def _ranked(scores: Any, documents: Sequence[str], pools: Sequence[Sequence[str]]) -> Columns:
    """Return the best documents of each row of sparse scores; equal ones by name, descending, as trec_eval does."""
    names = np.array([item_of(one) for one in documents])
    order = np.argsort(names)[::-1]
    place_of = {document: place for place, document in enumerate(documents)} if any(map(len, pools)) else {}
    rankings = []
    for row in range(scores.shape[0]):
        own = np.asarray(scores[[row]].toarray()).ravel()
        known = order
        if len(pools) and len(pools[row]):
            known = order[np.isin(order, [place_of[one] for one in pools[row]])]
        rankings.append(names[known[np.argsort(-own[known], kind="stable")[:RANKED]]].tolist())
    return {"ranking": rankings}
