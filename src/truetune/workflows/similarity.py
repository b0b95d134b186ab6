"""BERTScore of texts with a local encoder: embed every distinct text once, match pieces, score with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from truetune.backbones.base import Backbone, ModelSettings, Recipe
from truetune.backbones.outputs import piece_features_of
from truetune.errors import DataError
from truetune.evaluation.evaluate import scores
from truetune.evaluation.families import Family
from truetune.metrics.embedding_similarity import (
    Baseline,
    EmbeddedText,
    embedding_similarity,
    inverse_document_frequencies,
)
from truetune.stats.plan import Plan
from truetune.types import IGNORED, Encoded, Score
from truetune.workflows.model import model_place, need_packages
from truetune.workflows.progress import Progress


@dataclass(frozen=True)
class Similarity:
    """How similar texts are to references, and the encoder's settings."""

    model: str
    """A Hub name, a local folder, or `builtin:NAME`."""
    idf: bool = False
    """Weigh pieces by their inverse document frequency in the references."""
    baseline: Baseline | None = None
    """What unrelated texts score with this encoder; None: raw cosines."""


def similarity(
    gold: Sequence[str | Sequence[str]],
    predicted: Sequence[str],
    settings: Similarity,
    *,
    plan: Plan | None = None,
    progress: Progress | None = None,
) -> tuple[Score, ...]:
    """Return `bertscore_f1`, `bertscore_precision` and `bertscore_recall` of texts against references.

    `gold` holds one reference or several a text. The last layer of the model is compared; texts beyond its
    longest input are read to there, and the signature says how many. Raises `DataError` for unequal numbers.
    """
    if len(gold) != len(predicted):
        raise DataError(f"{len(gold):,} references and {len(predicted):,} texts; expected one of each an example")
    references = [[one] if isinstance(one, str) else list(one) for one in gold]
    backbone = _encoder(settings.model, progress or Progress(quiet=True))
    texts = sorted({*predicted, *(text for listed in references for text in listed)})
    embedded, cut = embedded_texts(backbone, texts)
    weights = None
    if settings.idf:
        first = [embedded[text].ids.tolist() for listed in references for text in listed]
        weights = inverse_document_frequencies(first)
    named = f"{settings.model}, last layer" + (f", {cut:,} texts cut" if cut else "")
    metrics = embedding_similarity(named, weights, settings.baseline)
    rows = metrics[0].rows(
        [[embedded[one] for one in listed] for listed in references], [embedded[t] for t in predicted]
    )
    return scores([Family(metrics, (rows,))], None, plan or Plan())


def embedded_texts(backbone: Backbone, texts: Sequence[str]) -> tuple[Mapping[str, EmbeddedText], int]:
    """Return the last layer's vector of each piece of each text, and how many texts were too long to be read whole."""
    tokenizer = backbone.tokenizer
    encoded, marks, cut = [], [], 0
    room = tokenizer.max_length - len(tokenizer.wrapped(np.zeros(0, dtype=np.int64))[0])
    for place, pieces in enumerate(tokenizer.pieces(texts)):
        kept = pieces.ids[:room]
        cut += len(kept) < len(pieces.ids)
        ids, segments, begins = tokenizer.wrapped(kept)
        special = np.ones(len(ids), dtype=np.bool_)
        special[begins : begins + len(kept)] = False
        nowhere = np.full(len(ids), -1, dtype=np.int64)
        encoded.append(Encoded(place, ids, segments, np.array(IGNORED), nowhere, nowhere))
        marks.append(special)
    vectors = piece_features_of(backbone, encoded)
    found = {
        text: EmbeddedText(one.ids, vector, special)
        for text, one, vector, special in zip(texts, encoded, vectors, marks, strict=True)
    }
    return found, cut


def _encoder(name: str, progress: Progress) -> Backbone:
    need_packages(f"embedding texts with {name}")
    from truetune.backbones.pretrained import load_tokenizer
    from truetune.backbones.torch import load_backbone

    settings = ModelSettings(model_place(name, progress), "classify", ("any",))
    return load_backbone(settings, Recipe(), load_tokenizer(settings))
