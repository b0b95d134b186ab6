"""How much of held-out documents stands inside those of training: runs of characters that both have.

Documents that are equal, or nearly so, are found by their whole; a paragraph within a long page is not. Runs are those
of normalised texts, about a dozen English words long, as in the decontamination of GPT-3 [Brown et al. 2020].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain

import numpy as np
import numpy.typing as npt

from truetune.audit.parts import SHOWN, finding, shortened
from truetune.data.dataset import Dataset
from truetune.text import normalised, script
from truetune.types import Finding, Floats

RUN = {"zh": 20, "en": 50}
"""Characters of a run, without spaces and punctuation."""
MOST = 2_000_000
"""Runs of held-out documents that are looked for; of more, those with the same remainder in both."""
HALF = 0.5
"""Share of the runs of a document from which on it is told."""
SOME = 1000
"""Documents by which the script of a corpus is known."""
HELD_OUT = ("validation", "test")
BASE, BACK = 0x9E3779B97F4A7C15, 0xF1DE83E19937733D
"""An odd number, and its inverse modulo 2^64."""

Hashes = npt.NDArray[np.uint64]


def inside_training(parts: Mapping[str, Dataset]) -> Iterator[Finding]:
    """Yield the held-out documents of which at least half stands inside documents of training."""
    train, held_out = parts["train"].stored("text"), {name: parts[name].stored("text") for name in HELD_OUT}
    length = RUN[script(train[:SOME])]
    found = shared(map(normalised, chain(*held_out.values())), map(normalised, train), length)
    for name, texts in held_out.items():
        shares, found = found[: len(texts)], found[len(texts) :]
        told = np.flatnonzero(np.nan_to_num(shares) >= HALF)
        if len(told):
            ids = parts[name].stored_ids
            yield finding(
                "held-out documents inside training documents",
                "warning",
                [f"{ids[place]} ({shares[place]:.0%}): {shortened(texts[place])}" for place in told[:SHOWN].tolist()],
                f"at least half of these documents of {name} stands, in runs of {length} characters, inside other "
                f"documents of training: the score on {name} counts in part what was memorised. Take them out, or hold "
                "out documents of another origin",
                len(told),
                parts=(name,),
            )


def shared(held_out: Iterable[str], train: Iterable[str], length: int) -> Floats:
    """Return which share of the runs of each held-out text stands in training; NaN for a text that has none."""
    runs = [runs_of(text, length) for text in held_out]
    every = np.uint64(max(1, sum(map(len, runs)) // MOST))
    runs = [_chosen(one, every) for one in runs]
    values, place = np.unique(np.concatenate([*runs, np.zeros(0, dtype=np.uint64)]), return_inverse=True)
    seen = np.zeros(len(values), dtype=np.bool_)
    if len(values):
        for text in train:
            found = _chosen(runs_of(text, length), every)
            near = np.minimum(np.searchsorted(values, found), len(values) - 1)
            seen[near[values[near] == found]] = True
    _many_powers.cache_clear()
    ends = np.cumsum([0, *map(len, runs)])
    hits = np.concatenate([[0], np.cumsum(seen[place])])
    counts = np.diff(ends).astype(np.float64)
    shares: Floats = np.diff(hits[ends]) / np.where(counts > 0, counts, np.nan)
    return shares


def runs_of(text: str, length: int) -> Hashes:
    """Return a number for each run of so many characters, equal for equal runs."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(codes) < length:
        return np.zeros(0, dtype=np.uint64)
    # A polynomial of the characters: that of a run is the difference of two sums, moved to where the text begins.
    powers, back = _powers(BASE, len(codes)), _powers(BACK, len(codes))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(codes * powers, dtype=np.uint64)])
    found: Hashes = (sums[length:] - sums[:-length]) * back[: len(codes) - length + 1]
    return found


def _powers(base: int, number: int) -> Hashes:
    return _many_powers(base, 1 << (number - 1).bit_length())[:number]


@lru_cache(maxsize=64)
def _many_powers(base: int, number: int) -> Hashes:
    factors = np.full(number, base, dtype=np.uint64)
    factors[0] = 1
    found: Hashes = np.cumprod(factors, dtype=np.uint64)
    return found


def _chosen(runs: Hashes, every: np.uint64) -> Hashes:
    found: Hashes = runs[(runs >> np.uint64(33)) % every == 0]
    return found
