"""Tokens with tags, as CoNLL files and records with `tokens` and `ner_tags` have them, made text with spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from truetune.errors import DataError
from truetune.tags import Tagged, detect_scheme, tags_to_spans
from truetune.text import is_cjk, script

TAG_NAMES = ("ner_tags", "tags")


def tagged_fields(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a record of `tokens` (words) and tags with `text`, token offsets and `spans`; None for any other record.

    Raises ValueError for tags that fit no scheme, and where there are not as many tags as tokens.
    """
    tokens = fields.get("tokens")
    name = next((name for name in TAG_NAMES if name in fields), None)
    tags = fields[name] if name is not None else None
    if "text" in fields or not _are_texts(tokens) or not _are_texts(tags):
        return None
    if len(tags) != len(tokens):
        raise ValueError(f"has {len(tokens):,} tokens and {len(tags):,} `{name}`; expected a tag a token")
    try:
        spans = tags_to_spans(tags, detect_scheme(Tagged.of([tags]), "conll"))
    except DataError as error:
        raise ValueError(f"`{name}`: {error}") from None
    rest = {key: value for key, value in fields.items() if key not in ("tokens", name)}
    return {**rest, **sentence_fields(tokens, tags, spans, chinese=script(tokens) == "zh")}


def sentence_fields(
    tokens: Sequence[str], tags: Sequence[str], spans: Iterable[tuple[int, int, str]], *, chinese: bool
) -> dict[str, Any]:
    """Return `text`, `tokens` ([start, end] in characters), `tags` and `spans`, which are given in tokens."""
    text, places = joined_tokens(tokens, chinese=chinese)
    in_text = [[places[start][0], places[end - 1][1], kind] for start, end, kind in spans]
    return {"text": text, "tokens": places, "tags": list(tags), "spans": in_text}


def joined_tokens(tokens: Sequence[str], *, chinese: bool) -> tuple[str, list[list[int]]]:
    """Return the text of tokens, and their places in it as [start, end].

    A space stands between two tokens, but not between two CJK characters. In a Chinese corpus it stands only
    where two words of letters or digits meet, one of them longer than a character (`iPhone 4`): a corpus of
    single characters (`2`, `0`, `0`, `8`, `年`) gets its text back.
    """
    text, places, before = "", [], ""
    for token in tokens:
        text += " " if before and _apart(before, token, chinese) else ""
        places.append([len(text), len(text) + len(token)])
        text += token
        before = token
    return text, places


def _apart(before: str, token: str, chinese: bool) -> bool:
    if is_cjk(before[-1]) and is_cjk(token[0]):
        return False
    if not chinese:
        return True
    return all(one.isalnum() and not is_cjk(one) for one in (before[-1], token[0])) and len(before) + len(token) > 2


def _are_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) and item for item in value)
