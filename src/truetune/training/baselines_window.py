"""`window-linear`: a linear tagger of words by what stands around them; nothing pretrained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from truetune.data.stored import values_at
from truetune.text import words
from truetune.training.baselines import Baseline, Candidate, Columns, Part, Progress, Score, chosen, some_examples
from truetune.training.baselines_lookup import Gazetteer, Seen, entities_seen
from truetune.training.linear_path import TAGGER, probabilities
from truetune.training.tagging import TagSet, Units, best_codes, code_spans, span_codes, types_of
from truetune.training.window_features import Features, Sentence
from truetune.types import Floats

MOST_WORK = 2_500_000
"""How many targets (words times tags) are fitted at most, about."""

PURE = 0.25
"""The least purity of a listed entity (see `Seen`)."""


def window_linear(
    train: Part, validation: Part, test_inputs: Sequence[str], score: Score, progress: Progress
) -> Baseline:
    """Return spans from logistic regressions of IOB2 tags, decoded to proper sequences.

    Inputs are texts, gold are character spans; in Chinese every character is a word. A word is described
    by `window_features.TEMPLATES`; one view is whether a list of the entities of other training texts
    knows it. C is chosen on the validation part.
    """
    tags = types_of(train.gold)
    seen = entities_seen(train)
    every, shared = (_listed(seen, texts) for texts in (1, 2))
    number = sum(len(words(text)) for text in train.inputs)
    limit = max(500, int(len(train.inputs) * MOST_WORK / max(number * len(tags.tags), 1)))
    kept, notes = some_examples(len(train.gold), limit, "training texts")
    progress(f"window-linear: fitting on {len(kept):,} texts")

    def candidates() -> Iterator[Candidate]:
        fitted = _cut(values_at(train.inputs, kept), shared, tags)
        gold = values_at(train.gold, kept)
        targets = [span_codes(spans, units, tags) for spans, units in zip(gold, fitted.units, strict=True)]
        features = Features.of(fitted.sentences)
        parts = [_cut(texts, every, tags) for texts in (validation.inputs, test_inputs)]
        others = [features.matrix(part.sentences) for part in parts]
        inputs = features.matrix(fitted.sentences)
        for strength, found in probabilities(TAGGER, inputs, np.concatenate(targets), others, len(tags.tags)):
            columns = [tagged_columns(array, part.units, tags) for array, part in zip(found, parts, strict=True)]
            yield Candidate({"C": strength}, *columns)

    return chosen("window-linear", candidates(), validation.gold, score, notes)


def tagged_columns(probabilities: Floats, units: Sequence[Units], tags: TagSet) -> Columns:
    """Return the predicted spans of `[units of all texts, tags]` probabilities."""
    with np.errstate(divide="ignore"):
        codes = best_codes(np.log(probabilities), [len(text.starts) for text in units], tags)
    return {"spans": [code_spans(found, text, tags) for found, text in zip(codes, units, strict=True)]}


def _listed(seen: Mapping[str, Seen], texts: int) -> Gazetteer:
    """Return the entities of at least so many training texts: of 2 for a training text, to hide its own."""
    return Gazetteer.of(
        {string: entity.type for string, entity in seen.items() if entity.texts >= texts and entity.purity >= PURE}
    )


class _Cut(NamedTuple):
    units: list[Units]
    sentences: list[Sentence]


def _cut(texts: Sequence[str], listed: Gazetteer, tags: TagSet) -> _Cut:
    """Return texts in words, with the tags that the listed entities give."""
    cut = _Cut([], [])
    for text in texts:
        offsets = words(text)
        array = np.array(offsets, dtype=np.int64).reshape(-1, 2)
        units = Units(array[:, 0], array[:, 1])
        codes = span_codes(listed.matches(text), units, tags)
        cut.units.append(units)
        cut.sentences.append(Sentence([text[start:end] for start, end in offsets], codes))
    return cut
