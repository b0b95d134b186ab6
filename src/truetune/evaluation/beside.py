"""What stands beside the predictions: the texts that they are of must be those of gold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from truetune.data.parse import Columns
from truetune.text import normalised
from truetune.types import Finding

TEXTS = ("text", "first", "second", "context", "question", "source", "document", "sentence")
"""Columns that hold what was asked of the system."""
OR_NAMES = frozenset({"context", "question", "source", "document"})
"""Those that hold names of places in other files: where an example comes from, which document it is of."""
ENOUGH, NAME = 20, 20
"""From so many values names are told by how often they come again; so many characters have few names."""
SHOWN, LONGEST = 5, 80
Apart = dict[str, tuple[int, tuple[tuple[str, str], ...]]]
"""Text column -> how many predictions stand beside another text, and id and text of gold of the first of them."""


def other_texts(right: Columns, said: Columns, order: Sequence[int]) -> Iterator[Finding]:
    """Yield, for each text column of both sides, that predictions stand beside another text than gold of their id."""
    yield from apart_findings(texts_apart(right, said, order), len(right), said.where)


def texts_apart(right: Columns, said: Columns, order: Sequence[int]) -> Apart:
    """Return, by text column of both sides, the predictions that stand beside another text than gold of their id.

    `order` are the places in `said` of the examples of `right`. Where there are no ids, examples are joined by
    their number, and a line that was lost shows here. Spans count in the text of gold, so it must be the same to the
    character (but for outer spaces); elsewhere case, width and punctuation may differ.
    """
    exact = "spans" in right.fields or "tags" in right.fields
    of_gold: Mapping[str, Sequence[Any]] = {**right.others, **right.fields}
    found: Apart = {}
    for name in TEXTS:
        if name not in of_gold or name not in said.others or (name in OR_NAMES and are_names(of_gold[name])):
            continue
        column = said.others[name]
        apart = [
            (one, there)
            for one, place, there in zip(right.ids, order, of_gold[name], strict=True)
            if isinstance(there, str) and isinstance(column[place], str) and not _same(there, column[place], exact)
        ]
        if apart:
            found[name] = len(apart), tuple(apart[:SHOWN])
    return found


def added(one: Apart, more: Apart) -> Apart:
    """Return what was found in some examples and in more of them; the first ones are shown."""
    both = dict(one)
    for name, (number, shown) in more.items():
        before, first = both.get(name, (0, ()))
        both[name] = before + number, (*first, *shown)[:SHOWN]
    return both


def apart_findings(apart: Apart, examples: int, where: str) -> Iterator[Finding]:
    """Yield a finding for each text column in which some of so many predictions stand beside another text."""
    for name, (number, shown) in apart.items():
        yield Finding(
            "predictions beside other texts",
            "error",
            number,
            tuple(f"{one}: {' '.join(text.split())[:LONGEST]}" for one, text in shown),
            f"{where}: {number:,} of {examples:,} predictions stand beside another `{name}` than gold "
            f"does, the first is id {shown[0][0]!r}: rows do not belong together, or the text was changed. Write "
            "the id of each example beside its prediction, and predict the text of gold",
        )


def are_names(values: Sequence[Any]) -> bool:
    """Return whether a column holds names (of a site, a document), no texts: short ones that come again."""
    texts = [value for value in values if isinstance(value, str)]
    if not texts or sum(map(len, texts)) >= NAME * len(texts):
        return False
    return len(texts) < ENOUGH or len(set(texts)) < len(texts) / 2


def _same(gold: str, said: str, exact: bool) -> bool:
    return gold.strip() == said.strip() or (not exact and normalised(gold) == normalised(said))


def one_file(gold: object, predicted: object, both: Collection[str]) -> Iterator[Finding]:
    """Yield that gold and predictions are one and the same file, of which the same columns (`both`) are read twice.

    One file may hold both sides where they have other names: `reference` and `text`, `answers` and `answer`.
    """
    if not both or not (isinstance(gold, str | Path) and isinstance(predicted, str | Path)):
        return
    if Path(gold).resolve() == Path(predicted).resolve():
        yield Finding(
            "gold compared with itself",
            "error",
            1,
            (str(predicted),),
            f"{predicted} is read as gold and as predictions: the same column of it is compared with itself (of CoNLL "
            "columns the last one). Write what the system said into a file of its own",
        )
