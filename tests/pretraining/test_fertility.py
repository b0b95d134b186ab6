"""How texts are cut, against counts by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from truetune.pretraining.fertility import fertilities, lost_texts, used_share
from truetune.types import Pieces

UNKNOWN = 1


class Cutter:
    """Cuts texts at the places that a test gives."""

    unknown = UNKNOWN

    def __init__(self, cuts: dict[str, list[tuple[int, int, int]]]) -> None:
        self.cuts = cuts

    def pieces(self, texts: list[str]) -> list[Pieces]:
        return [Pieces(*np.array(self.cuts[text], dtype=np.int64).reshape(-1, 3).T) for text in texts]


def of(kind: str, found: list[Any]) -> Any:
    return next(one for one in found if one.kind == kind)


def test_pieces_of_words_and_of_characters_by_hand() -> None:
    # "un|happy", "cat", the sign "!"; then two characters in one piece, and one that is not known.
    cuts = {
        "unhappy cat!": [(5, 0, 2), (6, 2, 7), (7, 8, 11), (8, 11, 12)],
        "中国龘 ok": [(9, 0, 2), (UNKNOWN, 2, 3), (10, 4, 6)],
    }
    found = fertilities(Cutter(cuts), list(cuts), 0.95)
    words, characters = of("words", found), of("characters", found)
    assert (words.units, words.documents, words.pieces) == (3, 2, 4 / 3)
    assert (words.whole, words.unknown) == (2 / 3, 0)
    # A piece of two characters begins in the first of them.
    assert (characters.units, characters.pieces) == (3, 2 / 3)
    assert characters.unknown == pytest.approx(1 / 3)
    assert characters.low is None


def test_the_interval_over_documents_is_that_of_a_ratio() -> None:
    # Documents of one word each, of 1 and of 3 pieces: as the mean of the numbers 1 and 3.
    cuts = {f"word{n}": [(5, 0, 2), (5, 2, 3), (5, 3, 4)][: 1 + 2 * (n % 2)] for n in range(10)}
    (found,) = fertilities(Cutter(cuts), list(cuts), 0.95)
    error = np.std([1, 3] * 5, ddof=1) / np.sqrt(10)
    assert found.pieces == 2
    assert found.low == pytest.approx(2 - 1.959964 * error)
    assert found.high == pytest.approx(2 + 1.959964 * error)


def test_texts_without_words_say_nothing() -> None:
    assert fertilities(Cutter({"": [], "?!": [(5, 0, 2)]}), ["", "?!"], 0.95) == []


def test_the_share_of_a_vocabulary_that_is_used() -> None:
    assert used_share([np.array([1, 1, 3]), np.array([3])], 8) == 2 / 8


class Lower:
    """Holds a text in small letters, whole."""

    def pieces(self, texts: list[str]) -> list[Pieces]:
        return [Pieces(np.array([ord(one) for one in text.lower()]), np.zeros(0), np.zeros(0)) for text in texts]

    def text(self, ids: np.ndarray[Any, Any]) -> str:
        return "".join(map(chr, ids)).strip()


def test_texts_that_do_not_come_back_are_counted() -> None:
    assert lost_texts(Lower(), [" a cat\n", "", "中 😀"]) == 0
    assert lost_texts(Lower(), ["a cat", "A cat", "USA"] * 1000) == 2000
