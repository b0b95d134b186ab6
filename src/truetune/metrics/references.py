"""One or several references a segment, as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import chain

from truetune.errors import MetricError
from truetune.metric import RowsByConvention, Seen
from truetune.rows import Rows
from truetune.text import Script, script_letters, script_of
from truetune.types import Column


def aligned_references(gold: Column, predicted: Column) -> list[list[str | None]]:
    """Return the first, second, ... reference of every segment; None where a segment has fewer.

    `gold` holds a text or a non-empty sequence of texts a segment. Raises `MetricError` for unequal numbers
    of segments and for a segment without a reference.
    """
    if len(gold) != len(predicted):
        raise MetricError(f"{len(gold):,} segments have references, {len(predicted):,} a text; expected as many")
    listed: list[Sequence[str]] = [(one,) if isinstance(one, str) else one for one in gold]
    for place, references in enumerate(listed):
        if not references:
            raise MetricError(f"segment {place} has no reference; expected at least one")
    width = max(map(len, listed), default=1)
    return [[references[place] if place < len(references) else None for references in listed] for place in range(width)]


def rows_by_script(rows: Callable[[Column, Column, Script | None], Rows]) -> RowsByConvention:
    """Return rows by the rules of the script that all references (or answers) together are written in.

    `rows` takes gold, predicted and the script; None for the script of gold itself.
    """

    def under(gold: Column, predicted: Column, names: Collection[str]) -> dict[str, Rows]:
        return {name: rows(gold, predicted, "zh" if name == "zh" else "en") for name in names}

    return RowsByConvention(
        whole=lambda gold, predicted: rows(gold, predicted, None),
        seen=letters_seen,
        possible=lambda seen: ("en", "zh"),
        decided=lambda seen: script_of(seen["cjk"], seen["letters"]),
        under=under,
    )


def letters_seen(gold: Column, predicted: Column) -> Seen:
    """Count the CJK characters and the letters of gold: of one text, or of several, an example."""
    cjk, letters = script_letters(chain.from_iterable((one,) if isinstance(one, str) else one for one in gold))
    return Counter({"cjk": cjk, "letters": letters})
