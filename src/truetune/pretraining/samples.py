"""What a decoder writes behind the beginnings of held-out documents: to be read, not scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from truetune.backbones.base import Backbone
from truetune.data.batch import padded
from truetune.tasks.piece_encoding import causal_inputs
from truetune.types import Writing

SHOWN = 5
BEGINNING, WRITTEN = 16, 48
"""Pieces of a document that are given at most (and at most a third of it, or of what the model takes), and that are
written behind them at most (and at most as many as the model takes)."""
DRAWN = Writing(prompt="{source}", pieces=WRITTEN, temperature=1.0, top_p=0.9, seed=0)


@dataclass(frozen=True)
class Sample:
    """A beginning, what the model wrote behind it, and how the document goes on."""

    beginning: str
    written: str
    document: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


def samples(backbone: Backbone, texts: Sequence[str]) -> list[Sample]:
    """Return what is written behind the first texts that are long enough, pieces drawn by `DRAWN`."""
    tokenizer = backbone.tokenizer
    longest = tokenizer.max_length
    found = []
    for text, cut in zip(texts, tokenizer.pieces(texts), strict=True):
        given = min(BEGINNING, len(cut.ids) // 3, longest // 3)
        beginning = text[: int(cut.ends[given - 1])] if given else ""
        asked = causal_inputs([beginning], tokenizer, ended=False)[:1]
        if not asked:
            continue
        drawn = replace(DRAWN, pieces=min(WRITTEN, longest - len(asked[0].ids)))
        (written,) = backbone.write(padded(asked, np.arange(1), tokenizer.pad), drawn)
        found.append(Sample(beginning, written.text, text[len(beginning) :][: 4 * WRITTEN]))
        if len(found) == SHOWN:
            break
    return found
