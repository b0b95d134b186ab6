"""How tag sequences are read: in the scheme that the whole corpus is written in, whatever parts it comes in.

A scheme is chosen by the tags and the faults of all sentences (`tags.detect_scheme`). A part of a corpus cannot
know it: ten sentences without a span fit every scheme. Until all parts are seen, a part is therefore read in
each way that may turn out to be the right one. Schemes with the same letters read alike, so that these are few:
one where improper tags are repaired, and up to three, for gold and for predicted, where they are dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from truetune.errors import MetricError
from truetune.metric import RowsByConvention, RowsOf, Seen
from truetune.rows import Rows
from truetune.tags import (
    BEGIN,
    END,
    INSIDE,
    LETTERED,
    PLAIN,
    SINGLE,
    Repair,
    Scheme,
    SpanTable,
    Tagged,
    fitting_schemes,
    has_letters,
    improper_tags,
    likeliest_scheme,
    span_table,
)
from truetune.types import Column, Ints

SIDES = ("gold", "predicted")

_CLOSED = Scheme(
    "closed",
    {"B": BEGIN, "I": INSIDE, "M": INSIDE, "E": END, "L": END, "S": SINGLE, "U": SINGLE, "W": SINGLE},
)
"""Reads the tags of every scheme that marks the ends of spans; no letter has two roles in them."""

RowsOfTables = Callable[[SpanTable, SpanTable, Ints], Rows]
"""(gold spans, predicted spans, tokens of each sentence) -> rows."""


def rows_by_reading(repair: Repair, whole: RowsOf, rows: RowsOfTables) -> RowsByConvention:
    """Return the rows of tag sequences from those of their spans; `whole` gives them where nothing is missing."""

    def possible(seen: Seen) -> list[str]:
        sides = (fitting_schemes(_tags(seen, side)) for side in SIDES)
        names = [sorted({_name(_reading(scheme, repair)) for scheme in schemes}) for schemes in sides]
        return [f"{gold} {predicted}" for gold, predicted in product(*names)]

    def decided(seen: Seen) -> str:
        return " ".join(_name(_reading(scheme, repair)) for scheme in decided_schemes(seen))

    def under(gold: Column, predicted: Column, names: Collection[str]) -> dict[str, Rows]:
        sides = Tagged.of(gold), Tagged.of(predicted)
        check_lengths(*sides)
        pairs = {name: name.split(" ") for name in names}
        golds, found = (
            {name: span_table(side, _READINGS[name], repair) for name in dict.fromkeys(of_side)}
            for side, of_side in zip(sides, zip(*pairs.values(), strict=True), strict=True)
        )
        return {name: rows(golds[first], found[second], sides[0].lengths) for name, (first, second) in pairs.items()}

    return RowsByConvention(whole, tags_seen, possible, decided, under)


def tags_seen(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Seen:
    """Count what the choice of schemes rests on: which tags there are, and the faults in each scheme."""
    seen: Seen = Counter()
    for side, tagged in zip(SIDES, (Tagged.of(gold), Tagged.of(predicted)), strict=True):
        seen.update({(side, "tag", str(tag)): 1 for tag in tagged.tags})
        seen.update(
            {(side, "improper", _name(scheme)): improper_tags(tagged, scheme) for scheme in _lettered(tagged.tags)}
        )
    return seen


def decided_schemes(seen: Seen) -> tuple[Scheme, Scheme]:
    """Return the schemes of gold and predicted; predicted is read as gold, or where its letters differ in its own."""
    gold = likeliest_scheme(_tags(seen, "gold"), lambda scheme: seen["gold", "improper", _name(scheme)])
    said = _tags(seen, "predicted")
    if has_letters(said, gold):
        return gold, gold
    return gold, likeliest_scheme(said, lambda scheme: seen["predicted", "improper", _name(scheme)])


def improper_warnings(seen: Seen) -> tuple[str, ...]:
    """Name what is improperly written, on which the strict and the conlleval reading differ."""
    found = []
    for side, scheme in zip(SIDES, decided_schemes(seen), strict=True):
        number = seen[side, "improper", _name(scheme)]
        if number:
            found.append(
                f"{number:,} {side} tags stand where {scheme.name} does not allow them: span_f1 leaves such "
                "spans out, span_f1_conll repairs them"
            )
    return tuple(found)


def check_lengths(golds: Tagged, found: Tagged) -> None:
    """Raise `MetricError` where gold and predicted do not have as many sentences, and tokens in each."""
    if len(golds.lengths) != len(found.lengths):
        raise MetricError(f"gold has {len(golds.lengths):,} tagged sentences, predicted {len(found.lengths):,}")
    unequal = np.flatnonzero(golds.lengths != found.lengths)
    if len(unequal):
        first = int(unequal[0])
        raise MetricError(
            f"{len(unequal):,} sentences have a different number of gold and predicted tags, the first is "
            f"number {first + 1} ({golds.lengths[first]} and {found.lengths[first]}); a model that cuts "
            "long sentences must say `O` for the rest, so that what it missed counts as missed"
        )


def _reading(scheme: Scheme, repair: Repair) -> Scheme:
    """Return the scheme that stands for all those that read the same tags alike."""
    if not scheme.roles or (repair != "conll" and not scheme.closed):
        return scheme
    return replace(_CLOSED, separator=scheme.separator)


def _name(scheme: Scheme) -> str:
    return scheme.name + scheme.separator


_READINGS = {
    _name(scheme): scheme for scheme in (PLAIN, *LETTERED, *(replace(_CLOSED, separator=sign) for sign in "-_"))
}


def _tags(seen: Seen, side: str) -> list[str]:
    return [key[2] for key in seen if isinstance(key, tuple) and key[:2] == (side, "tag")]


def _lettered(tags: Sequence[str]) -> list[Scheme]:
    return [scheme for scheme in fitting_schemes(tags) if scheme.roles]
