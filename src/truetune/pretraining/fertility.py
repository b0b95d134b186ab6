"""How a tokenizer cuts the texts of a corpus: pieces a word, words that stay whole, and what it cannot read.

Fertility is the mean number of pieces that begin in a word (Rust et al. 2021, How Good is Your Tokenizer?); Chinese and
Japanese are written without spaces, so there it is that of a character.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from truetune.stats.quantiles import normal_quantile
from truetune.text import is_cjk, words
from truetune.types import Floats, Ints, Pieces

AT_ONCE = 1024
KINDS = ("words", "characters")


@dataclass(frozen=True)
class Fertility:
    """How words, or CJK characters, are cut. Each share and mean is of all of them."""

    kind: str
    """`words` or `characters`."""
    documents: int
    """Of how many documents, with at least one of them."""
    units: int
    pieces: float
    """Pieces that begin in one, on average."""
    low: float | None
    high: float | None
    """Of the mean, over documents; None of a single one."""
    whole: float
    """Share that is one piece."""
    unknown: float
    """Share with a piece that stands for what the tokenizer does not know."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


def fertilities(tokenizer: Any, texts: Iterable[str], level: float) -> list[Fertility]:
    """Return how texts are cut, a document at a time in memory: of words and of CJK characters, where there are any."""
    found: dict[str, list[Ints]] = {kind: [] for kind in KINDS}
    rest = iter(texts)
    while some := list(islice(rest, AT_ONCE)):
        for text, cut in zip(some, tokenizer.pieces(some), strict=True):
            for kind, counts in _counted(text, cut, tokenizer.unknown).items():
                found[kind].append(counts)
    return [_fertility(kind, np.array(counts), level) for kind, counts in found.items() if counts]


def _counted(text: str, cut: Pieces, unknown: int | None) -> dict[str, Ints]:
    """Return `[units, pieces, whole, unknown]` of a text, by kind."""
    spans = [(start, end) for start, end in words(text) if text[start].isalnum()]
    if not spans:
        return {}
    starts = np.array([start for start, _ in spans])
    ends = np.array([end for _, end in spans])
    place = np.searchsorted(starts, cut.starts, side="right") - 1
    # Pieces of signs and spaces begin behind a word; so do those without a character of their own.
    inside = (place >= 0) & (cut.starts < ends[place]) & (cut.ends > cut.starts)
    begun = np.bincount(place[inside], minlength=len(spans))
    lost = np.bincount(place[inside & (cut.ids == unknown)], minlength=len(spans)) > 0
    kinds = np.array([is_cjk(text[start]) for start in starts.tolist()])
    return {
        kind: np.array([chosen.sum(), begun[chosen].sum(), (begun[chosen] == 1).sum(), lost[chosen].sum()])
        for kind, chosen in zip(KINDS, (~kinds, kinds), strict=True)
        if chosen.any()
    }


def _fertility(kind: str, counts: Ints, level: float) -> Fertility:
    units, pieces, whole, unknown = counts.sum(axis=0).tolist()
    low, high = _ratio_bounds(counts[:, 1].astype(np.float64), counts[:, 0].astype(np.float64), level)
    return Fertility(kind, len(counts), units, pieces / units, low, high, whole / units, unknown / units)


def _ratio_bounds(above: Floats, below: Floats, level: float) -> tuple[float | None, float | None]:
    """Return the interval of sum(above) / sum(below) over documents, by linearisation (Cochran 1977, chapter 6)."""
    if len(above) < 2:
        return None, None
    ratio = above.sum() / below.sum()
    spread = np.sqrt(((above - ratio * below) ** 2).sum() * len(above) / (len(above) - 1)) / below.sum()
    reach = normal_quantile((1 + level) / 2) * spread
    return float(ratio - reach), float(ratio + reach)


def lost_texts(tokenizer: Any, texts: Iterable[str]) -> int:
    """Return how many texts do not come back from their pieces as they were written, but for white space at edges."""
    lost = 0
    rest = iter(texts)
    while some := list(islice(rest, AT_ONCE)):
        back = (tokenizer.text(cut.ids) for cut in tokenizer.pieces(some))
        lost += sum(text.strip() != one for text, one in zip(some, back, strict=True))
    return lost


def used_share(inputs: Iterable[Ints], size: int) -> float:
    """Return the share of a vocabulary that stands in inputs."""
    used = np.zeros(size, dtype=np.bool_)
    for ids in inputs:
        used[ids] = True
    return float(used.mean())
