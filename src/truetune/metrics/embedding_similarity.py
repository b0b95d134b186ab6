"""Similarity of texts by the embeddings of their pieces: BERTScore (Zhang et al. 2020), whatever encoder made them.

Each piece of one text is matched with the most similar piece of the other one. The encoder, its layer, the
weights and the baseline are part of the number: they stand in the signature.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log

import numpy as np
import numpy.typing as npt

from truetune.errors import MetricError
from truetune.metric import Additive
from truetune.rows import Rows
from truetune.types import Bools, Column, Floats, Ints, Numbers

PRECISION, RECALL, F1, TEXTS = 0, 1, 2, 3
"""The statistics of a row, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedText:
    """The pieces of a text as an encoder sees them, special tokens included."""

    ids: Ints
    """`[pieces]`"""
    vectors: npt.NDArray[np.floating]
    """`[pieces, dimensions]`, not zero; any length"""
    special: Bools
    """`[pieces]`: pieces that are no text ([CLS], [SEP]); they may be matched, but do not count"""

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or not len(self.ids) == len(self.vectors) == len(self.special):
            raise MetricError(
                f"{len(self.ids)} pieces have vectors of shape {list(self.vectors.shape)} and {len(self.special)} "
                "marks of special ones; expected [pieces, dimensions] and one mark a piece"
            )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What unrelated texts score with an encoder; scores are rescaled so that this becomes 0 and 1 stays 1."""

    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0

    def rescaled(self, scores: Floats) -> Floats:
        """Return precision, recall and F1 `[..., 3]` on the new scale."""
        base = np.array([self.precision, self.recall, self.f1])
        if not (base < 1).all():
            raise MetricError(f"the baseline is {base.tolist()}; expected values below 1")
        found: Floats = (scores - base) / (1 - base)
        return found


def inverse_document_frequencies(documents: Iterable[Iterable[int]]) -> Mapping[int, float]:
    """Return ln((N + 1) / (n + 1)) of each piece that stands in n of the N documents, and of -1 for any other."""
    held = [set(document) for document in documents]
    counts = Counter(piece for document in held for piece in document)
    found = {int(piece): log((len(held) + 1) / (number + 1)) for piece, number in counts.items()}
    return {**found, -1: log(len(held) + 1)}


def matched(gold: EmbeddedText, said: EmbeddedText, idf: Mapping[int, float] | None = None) -> tuple[float, float]:
    """Return precision and recall: the weighted mean, over pieces, of the best cosine with the other text.

    Weights are 1, or those of `idf`; special pieces weigh 0. Both are 0 where either text has no weight.
    """
    weights = [_weights(text, idf) for text in (said, gold)]
    if any(weight.sum() <= 0 for weight in weights):
        return 0.0, 0.0
    cosines = _directions(said) @ _directions(gold).T
    best = (cosines.max(axis=1), cosines.max(axis=0))
    precision, recall = (float(side @ weight / weight.sum()) for side, weight in zip(best, weights, strict=True))
    return precision, recall


def _weights(text: EmbeddedText, idf: Mapping[int, float] | None) -> Floats:
    plain = np.where(text.special, 0.0, 1.0)
    if idf is None:
        return plain
    other = idf[-1]
    found: Floats = plain * np.array([idf.get(piece, other) for piece in text.ids.tolist()])
    return found


def _directions(text: EmbeddedText) -> Floats:
    vectors = text.vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise MetricError("a piece has a vector of zeros or of no numbers; it has no direction to compare")
    found: Floats = vectors / lengths
    return found


def similarity_rows(
    gold: Column, predicted: Column, idf: Mapping[int, float] | None = None, baseline: Baseline | None = None
) -> Rows:
    """Return rows `[distinct, 4]`: precision, recall, F1 and 1.

    `gold` holds one `EmbeddedText` or several an example; of several references each score takes its best.
    """
    if len(gold) != len(predicted):
        raise MetricError(f"{len(gold):,} references and {len(predicted):,} texts; expected as many")
    table = np.ones((len(predicted), 4))
    for row, references, said in zip(table, gold, predicted, strict=True):
        listed: Sequence[EmbeddedText] = [references] if isinstance(references, EmbeddedText) else list(references)
        if not listed:
            raise MetricError("a text has no reference; expected at least one")
        scores = np.array([_scores(reference, said, idf) for reference in listed])
        row[:TEXTS] = (baseline or Baseline()).rescaled(scores.max(axis=0))
    return Rows.of(table)


def _scores(gold: EmbeddedText, said: EmbeddedText, idf: Mapping[int, float] | None) -> tuple[float, float, float]:
    precision, recall = matched(gold, said, idf)
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def embedding_similarity(
    encoder: str, idf: Mapping[int, float] | None = None, baseline: Baseline | None = None
) -> tuple[Additive, Additive, Additive]:
    """Return `bertscore_f1`, `bertscore_precision` and `bertscore_recall` of one encoder.

    `encoder` names model and layer; it stands in the signature, as do weights and baseline. Fields `vectors`.
    """
    rows = partial(similarity_rows, idf=idf, baseline=baseline)
    weights = "weights by inverse document frequency in the references" if idf else "all pieces weigh the same"
    settings = f"{encoder}; {weights}"
    if baseline:
        settings += f"; rescaled, baseline P {baseline.precision:g} R {baseline.recall:g} F1 {baseline.f1:g}"
    told = {
        F1: ("bertscore_f1", "harmonic mean of precision and recall of pieces"),
        PRECISION: ("bertscore_precision", "mean over pieces of the text of the best cosine in the reference"),
        RECALL: ("bertscore_recall", "mean over pieces of the reference of the best cosine in the text"),
    }

    def metric(place: int) -> Additive:
        name, formula = told[place]

        def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
            return sums[..., place], sums[..., TEXTS]

        def mean(sums: Numbers) -> Floats:
            value: Floats = sums[..., place] / sums[..., TEXTS]
            return value

        return Additive(
            name=name,
            rows=rows,
            formula=mean,
            gold="vectors",
            predicted="vectors",
            definition=f"{formula}, best reference, mean over texts (BERTScore, Zhang et al. 2020); {settings}",
            unit="text",
            interval="t",
            ratio=parts,
            undefined="there is no text",
        )

    return metric(F1), metric(PRECISION), metric(RECALL)
