"""The edits of TER: words added, dropped, replaced, and blocks of words shifted, each for 1 (Snover et al. 2006).

The best shifts cannot be found in reasonable time. Tercom's search, which defines the number that everyone
prints, takes the best single shift again and again. Its rules are kept: which blocks may go where, which of
equal shifts is taken, how far and how long it looks. What is not kept is the work: a shift exchanges two
neighbouring blocks, so the table before them is known, and it gains at most two edits a word of the shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from truetune.metrics.edit_band import Band, banded_path
from truetune.metrics.edits import ADD, DROP, KEEP, Column, Masks, column_after, distance, masks_of, path_of, table_of

LONGEST = 10
"""Words of a shifted block."""
FARTHEST = 50
"""Words between a block and its match in the reference."""
MOST = 1_000
"""Shifts that are looked at for one pair of texts; the search ends before the shift that reaches it."""


class Aligned(NamedTuple):
    """A text beside its reference."""

    words: list[str]
    path: list[int]
    edits: int
    """Of the path, which the band may have kept from being a shortest one."""
    fewest: int
    """Of a shortest path."""
    columns: list[Column]


class Shift(NamedTuple):
    """Two neighbouring blocks, `[start, middle)` and `[middle, end)`, that change places."""

    rank: tuple[int, int, int]
    """Among shifts of equal gain: the longest, then the first block, then the first target (negated)."""
    start: int
    middle: int
    end: int


def edits(text: Sequence[str], reference: Sequence[str]) -> int:
    """Return shifts and edits between two lists of words, as Tercom's search finds them."""
    if not reference:
        return len(text)
    search = _Search(list(text), list(reference))
    now, shifted, seen = search.start, 0, 0
    while now.edits > search.least:
        shifts = list(search.shifts(now))
        seen += len(shifts)
        if seen >= MOST:
            break
        best = search.best(now, shifts)
        if best is None:
            break
        now, shifted = best, shifted + 1
    return now.edits + shifted


class _Search:
    """One pair of texts: what all its shifts share."""

    def __init__(self, text: list[str], reference: list[str]) -> None:
        self.reference = reference
        self.masks: Masks = masks_of(reference)
        self.full = (1 << len(reference)) - 1
        self.band = Band(len(text), len(reference))
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(reference):
            self.places.setdefault(word, []).append(place)
        self.least = abs(len(text) - len(reference))
        self.start = self.aligned(text)

    def aligned(self, words: list[str]) -> Aligned:
        """Return the shortest path of a text inside the band."""
        table = table_of(words, self.masks, self.full)
        path = path_of(table, words, self.reference)
        fewest = count = distance(table.columns[-1], len(words))
        if not self.band.holds(path):
            path = banded_path(words, self.reference, self.band)
            count = len(path) - path.count(KEEP)
        return Aligned(words, path, count, fewest, table.columns)

    def shifts(self, now: Aligned) -> Iterator[Shift]:
        """Yield the shifts that Tercom looks at: from where the text is wrong to where the reference is unmet."""
        words, reference = now.words, self.reference
        after, text_errors, reference_errors = _errors(now.path)
        for start, word in enumerate(words):
            for place in self.places.get(word, ()):
                if abs(place - start) > FARTHEST:
                    continue
                longest = min(LONGEST, len(words) - start, len(reference) - place)
                for length in range(1, longest + 1):
                    if words[start + length - 1] != reference[place + length - 1]:
                        break
                    end = start + length
                    if (
                        text_errors[start] == text_errors[end]
                        or reference_errors[place] == reference_errors[place + length]
                        or start < after[place + 1] <= end
                    ):
                        continue
                    last = -1
                    for target in after[place : place + length + 1]:
                        if target != last:
                            last = target
                            yield _shift(start, length, target, len(words))

    def best(self, now: Aligned, shifts: list[Shift]) -> Aligned | None:
        """Return the text after the shift that gains most; None where none gains."""
        room, hidden = now.edits - self.least, now.edits - now.fewest
        ranked = sorted(
            (
                (min(room, hidden + 2 * min(one.middle - one.start, one.end - one.middle)), one)
                for one in shifts
                if one.start < one.middle < one.end
            ),
            reverse=True,
        )
        best, found = (0, (0, 0, 0)), None
        for most, one in ranked:
            if (most, one.rank) <= best or most <= 0:
                break
            if now.edits - self._fewest_after(now, one) < max(best[0], 1):
                continue
            words = now.words
            after = self.aligned(
                words[: one.start] + words[one.middle : one.end] + words[one.start : one.middle] + words[one.end :]
            )
            gain = (now.edits - after.edits, one.rank)
            if gain > best and gain[0] > 0:
                best, found = gain, after
        return found

    def _fewest_after(self, now: Aligned, one: Shift) -> int:
        """Return the distance after a shift, ignoring the band: a lower bound."""
        words = now.words
        exchanged = words[one.middle : one.end] + words[one.start : one.middle]
        column = column_after(exchanged, now.columns[one.start], self.masks, self.full)
        if column == now.columns[one.end]:
            return now.fewest
        return distance(column_after(words[one.end :], column, self.masks, self.full), len(words))


def _shift(start: int, length: int, target: int, words: int) -> Shift:
    rank = (length, -start, -target)
    if target < start:
        return Shift(rank, target, start, start + length)
    end = target if target > start + length else min(target + length, words)
    return Shift(rank, start, start + length, end)


def _errors(path: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Return where each reference word stands in the text, and errors before each word of both.

    The first list counts, before the first and after each reference word, the words of the text that are
    used up.
    """
    after, text_errors, reference_errors = [0], [], []
    used = 0
    for operation in reversed(path):
        wrong = operation != KEEP
        if operation != ADD:
            used += 1
            text_errors.append(wrong)
        if operation != DROP:
            after.append(used)
            reference_errors.append(wrong)
    return after, list(accumulate(text_errors, initial=0)), list(accumulate(reference_errors, initial=0))
