"""What a label might be told from without reading: a value of each text, by simple rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from truetune.text import words
from truetune.types import Bools, Ints

OFTEN = 10
"""Texts of the first half in which a value or a word must stand to be given a label of its own."""
BINS = 10
"""Classes of length, with as many texts in each."""
SPARSE = 2
"""Texts in which a word must stand to be counted."""

Kind = Literal["length", "word", "name", "column", "side"]


@dataclass(frozen=True)
class Sample:
    """Some examples of a part, each text once, and the half that rules are fitted on."""

    texts: Sequence[str]
    """All texts of each example as one."""
    columns: Sequence[Sequence[str]]
    """The text columns."""
    codes: Ints
    """`[examples]`, positions in `labels`"""
    labels: Sequence[str]
    fitted: Bools
    """`[examples]`"""
    units: Ints
    """`[examples]`, what counts once in the test: the group, or the example itself."""


@dataclass(frozen=True)
class Rule:
    """What is looked at, and its value for each example (-1: none)."""

    kind: Kind
    values: Ints
    shown: str = ""
    """The word, the column, the number of the text."""


def rules_of(sample: Sample) -> Iterator[Rule]:
    """Yield the rules over the texts of a sample; nothing of the half that they are tried on decides them."""
    sizes = np.fromiter(map(len, sample.texts), dtype=np.int64, count=len(sample.texts))
    edges = np.unique(np.quantile(sizes[sample.fitted], np.arange(1, BINS) / BINS))
    yield Rule("length", np.searchsorted(edges, sizes).astype(np.int64))
    found = [_words(text) for text in sample.texts]
    word = _best_word(sample, [set(some) for some in found])
    if word is not None:
        yield Rule("word", np.array([word in some for some in found], dtype=np.int64), word)
    names = {f" {' '.join(_letters(_words(label)))} ": code for code, label in enumerate(sample.labels)}
    named = np.array([_named(f" {' '.join(_letters(some))} ", names) for some in found], dtype=np.int64)
    if (named >= 0).any():
        yield Rule("name", named)
    if len(sample.columns) > 1:
        for number, column in enumerate(sample.columns, start=1):
            yield Rule("side", _by_words(sample, [_words(text) for text in column]), str(number))


def _words(text: str) -> list[str]:
    return [text[start:end].lower() for start, end in words(text)]


def _letters(found: Sequence[str]) -> list[str]:
    return [word for word in found if word[0].isalnum()]


def _best_word(sample: Sample, found: Sequence[set[str]]) -> str | None:
    """Return the word that gets most labels of the first half right by whether it is there."""
    vocabulary, counts = _counted(sample, found)
    whole = np.bincount(sample.codes[sample.fitted], minlength=len(sample.labels))
    sums = counts.sum(axis=0)
    usable = (sums >= OFTEN) & (sums <= whole.sum() - OFTEN)
    if not usable.any():
        return None
    hits = np.where(usable, counts.max(axis=0) + (whole[:, None] - counts).max(axis=0), -1)
    return min(word for word, place in vocabulary.items() if hits[place] == hits.max())


def _counted(sample: Sample, found: Sequence[set[str]]) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
    """Return words of the first half with their places, and in how many of its texts of each label each stands."""
    inside = [(found[place], int(sample.codes[place])) for place in np.flatnonzero(sample.fitted).tolist()]
    often: dict[str, int] = {}
    for some, _ in inside:
        for word in some:
            often[word] = often.get(word, 0) + 1
    vocabulary = {word: place for place, word in enumerate(w for w, number in often.items() if number >= SPARSE)}
    counts = np.zeros((len(sample.labels), len(vocabulary)), dtype=np.int32)
    for some, code in inside:
        counts[code, [vocabulary[word] for word in some if word in vocabulary]] += 1
    return vocabulary, counts


def _named(text: str, names: dict[str, int]) -> int:
    """Return the one label whose name stands in a text as words; -1 for none, or several."""
    there = [code for name, code in names.items() if len(name.strip()) > 1 and name in text]
    return there[0] if len(there) == 1 else -1


def _by_words(sample: Sample, found: Sequence[list[str]]) -> Ints:
    """Return the label of each text by the words in it: naive Bayes on whether they are there, with one added."""
    from scipy.sparse import csr_matrix

    vocabulary, counts = _counted(sample, [set(some) for some in found])
    carried = np.bincount(sample.codes[sample.fitted], minlength=len(sample.labels))
    weights = np.log((counts + 1) / (carried[:, None] + 2))
    prior = np.log((carried + 1) / (carried.sum() + len(carried)))
    known = [[vocabulary[word] for word in set(some) if word in vocabulary] for some in found]
    ends = np.cumsum([0, *map(len, known)])
    places = np.fromiter((place for some in known for place in some), dtype=np.int64, count=int(ends[-1]))
    there = csr_matrix((np.ones(len(places)), places, ends), shape=(len(found), len(vocabulary)))
    best: Ints = (there @ weights.T + prior).argmax(axis=1).astype(np.int64)
    return best
