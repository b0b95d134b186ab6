"""Words that a corpus says often and a tokenizer cuts: those that are worth pieces of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from truetune.text import is_cjk, words

LEAST = 5
"""How often a word must stand in the corpus."""
TRIED = 20
"""Words that are counted for each that is wanted: most are one piece already."""


Cut = Callable[[str], Sequence[tuple[int, int]]]
"""A text -> its words as character offsets."""


def frequent_words(texts: Iterable[str], number: int, folded: bool, cut: Cut | None = None) -> list[str]:
    """Return the most frequent words of letters, at most `TRIED` times `number`; of equally frequent ones by alphabet.

    Chinese and Japanese ones, which no spaces stand around, are among them only where `cut` finds them. `folded`: in
    small letters.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        shown = text.casefold() if folded else text
        counts.update(shown[start:end] for start, end in (cut or words)(shown))
    usual = ((word, times) for word, times in counts.items() if times >= LEAST and _of_letters(word))
    ordered = sorted(usual, key=lambda one: (-one[1], one[0]))
    return [word for word, _ in islice(ordered, TRIED * number)]


def _of_letters(word: str) -> bool:
    # Of a word that is cut by script every character is of it, or none.
    return len(word) > 1 and word.isalpha() and len({is_cjk(character) for character in word}) == 1
