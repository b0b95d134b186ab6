"""`frozen-linear` for tagging: logistic regression on the frozen model's features of each piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from truetune.training.baselines import Baseline, Candidate, Part, Progress, Score, chosen
from truetune.training.baselines_frozen import standardised
from truetune.training.baselines_window import tagged_columns
from truetune.training.linear_path import DENSE, probabilities
from truetune.training.tagging import Units, span_codes, types_of

MOST_PIECES = 60_000
"""How many pieces are fitted at most, about."""


class PieceFeatures(NamedTuple):
    """A text in the model's pieces, without special tokens and without empty pieces."""

    features: npt.NDArray[np.floating]
    """`[pieces, hidden]`"""
    units: Units
    """Character offsets of the pieces, without the white space before them."""


def frozen_pieces(
    train: Part, validation: Part, test_inputs: Sequence[PieceFeatures], score: Score, progress: Progress
) -> Baseline:
    """Return spans from a logistic regression of IOB2 tags on standardised features of pieces.

    Inputs are `PieceFeatures`, gold are character spans. C is chosen on the validation part.
    """
    tags = types_of(train.gold)
    kept, notes = _some_texts(train.inputs)
    progress(f"frozen-linear: fitting on {len(kept):,} texts")

    def candidates() -> Iterator[Candidate]:
        targets = [span_codes(train.gold[place], train.inputs[place].units, tags) for place in kept]
        arrays = standardised(
            np.concatenate([train.inputs[place].features for place in kept]),
            *(np.concatenate([text.features for text in texts]) for texts in (validation.inputs, test_inputs)),
        )
        units = [[text.units for text in texts] for texts in (validation.inputs, test_inputs)]
        found = probabilities(DENSE, arrays[0], np.concatenate(targets), arrays[1:], len(tags.tags))
        for strength, parts in found:
            columns = [tagged_columns(array, part, tags) for array, part in zip(parts, units, strict=True)]
            yield Candidate({"C": strength}, *columns)

    return chosen("frozen-linear", candidates(), validation.gold, score, notes)


def _some_texts(texts: Sequence[PieceFeatures]) -> tuple[list[int], list[str]]:
    """Return the positions of texts, in random order, whose pieces are about `MOST_PIECES` together."""
    order = np.random.default_rng(0).permutation(len(texts)).tolist()
    pieces = np.cumsum([len(texts[place].features) for place in order])
    number = int(np.searchsorted(pieces, MOST_PIECES)) + 1
    if number >= len(texts):
        return list(range(len(texts))), []
    note = f"fitted on {number:,} of {len(texts):,} training texts, drawn at random, to save time"
    return sorted(order[:number]), [note]
