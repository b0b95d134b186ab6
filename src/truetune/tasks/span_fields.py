"""How spans, triples, tags and tokens are read from the raw values of files; see `tasks.fields`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from truetune.tasks.fields import as_count, as_label, as_list, shown
from truetune.types import Span

Item = TypeVar("Item")


def as_span(value: object) -> Span:
    """Return `[start, end, type]`, in characters, `end` exclusive and beyond `start`."""
    expected = "a span [start, end, type] in characters, end exclusive"
    if (
        isinstance(value, list | tuple)
        and value
        and all(isinstance(part, list | tuple) for part in value[:-1] or value)
    ):
        raise ValueError(
            f"expected {expected}, found {shown(value)}: a span of several pieces (discontinuous), which truetune does "
            "not take; make one span of it, or one of each piece"
        )
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise ValueError(f"expected {expected}, found {shown(value)}")
    try:
        start, end, kind = as_count(value[0]), as_count(value[1]), as_label(value[2])
    except ValueError as error:
        raise ValueError(f"expected {expected}, found {shown(list(value))}: {error}") from None
    if end <= start:
        raise ValueError(f"expected {expected}, found {shown(list(value))}, which ends before it begins")
    return Span(start, end, kind)


def as_entity(value: object) -> Span:
    """Return `[start, end, type]`, or `[start, end]` with an empty type; JSON text of a list is read as one."""
    items = as_list(value)
    if len(items) != 2:
        return as_span(items)
    return as_span([*items, "entity"])._replace(type="")


def as_spans(value: object) -> tuple[Span, ...]:
    """Return a list of spans, in the order given; overlapping and doubled ones are kept."""
    return tuple(as_span(item) for item in as_list(value))


def as_gold_spans(value: object) -> tuple[Span, ...]:
    """Return a list of spans, each once; a doubled one is an error in the annotation."""
    return _each_once(as_spans(value), "span")


def as_triples(value: object) -> tuple[tuple[Span, str, Span], ...]:
    """Return a list of `[head span, relation, tail span]`, in the order given."""
    triples = []
    for item in as_list(value):
        if not isinstance(item, list | tuple) or len(item) != 3:
            raise ValueError(
                f"expected a triple [[start, end, type], relation, [start, end, type]], found {shown(item)}"
            )
        triples.append((as_span(item[0]), as_label(item[1]), as_span(item[2])))
    return tuple(triples)


def as_gold_triples(value: object) -> tuple[tuple[Span, str, Span], ...]:
    """Return a list of triples, each once; a doubled one is an error in the annotation."""
    return _each_once(as_triples(value), "triple")


def as_tags(value: object) -> tuple[str, ...]:
    """Return one tag a token; text is split at white space."""
    items = value.split() if isinstance(value, str) and value[:1] != "[" else as_list(value)
    if not items:
        raise ValueError("expected one tag a token, found none")
    for item in items:
        if not isinstance(item, str) or not item.strip():
            raise ValueError(f"expected a tag (a text like B-PER or O), found {shown(item)}")
    return tuple(items)


def as_tokens(value: object) -> tuple[tuple[int, int], ...] | tuple[str, ...]:
    """Return the tokens of a text: `[start, end]` of each in characters, or their words."""
    items = as_list(value)
    if items and all(isinstance(item, str) for item in items):
        return tuple(items)
    return tuple(_offsets(item) for item in items)


def located(tokens: Sequence[Any], text: str) -> tuple[tuple[int, int], ...]:
    """Return tokens as `(start, end)` in the text, in order and apart; words are looked up one after the other.

    Raises ValueError for a word that does not stand in the rest of the text, for offsets outside of it
    and for ones out of order.
    """
    found: list[tuple[int, int]] = []
    before = 0
    for number, token in enumerate(tokens, start=1):
        if isinstance(token, str):
            start = text.find(token, before)
            end = start + len(token)
            if start < 0 or not token:
                raise ValueError(f"token {number}, {token!r}, does not stand in the rest of the text")
        else:
            start, end = token
        if not before <= start < end <= len(text):
            raise ValueError(
                f"token {number} is [{start}, {end}]; expected tokens in order and apart, within the "
                f"{len(text)} characters of the text"
            )
        found.append((start, end))
        before = end
    return tuple(found)


def check_inside(spans: Sequence[Span], text: str) -> None:
    """Raise ValueError for the first span that ends beyond the text."""
    for start, end, kind in spans:
        if end > len(text):
            raise ValueError(
                f"span [{start}, {end}, {kind!r}] ends beyond the text, which has {len(text)} characters; "
                "offsets count characters (not bytes), from 0, end exclusive"
            )


def _offsets(value: object) -> tuple[int, int]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"expected a token [start, end] or a word, found {shown(value)}")
    return as_count(value[0]), as_count(value[1])


def _each_once(items: tuple[Item, ...], what: str) -> tuple[Item, ...]:
    if len(set(items)) != len(items):
        doubled = next(item for place, item in enumerate(items) if item in items[:place])
        raise ValueError(f"{what} {shown(doubled)} is given twice; remove one")
    return items
