"""Texts as a page can show them: anything may stand in labelled data, and all of it must stay visible."""

from __future__ import annotations

import re
import unicodedata

HIDDEN = (
    *(code for code in range(0x20) if code not in (0x09, 0x0A)),
    *range(0x7F, 0xA0),
    *(0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069),
    *range(0xD800, 0xE000),
    *(0xFEFF, 0xFFFE, 0xFFFF),
)
"""Controls, line and bidirectional overrides (which reorder what follows), lone surrogates, non-characters."""

ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in HIDDEN}

_JOINED = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


def visible(text: str) -> str:
    r"""Return the text with each character that HTML forbids, or that could mislead, written as its escape.

    `\x07` stands for a bell, `\u202e` for a right-to-left override. Lines may end in CR LF.
    """
    return text.replace("\r\n", "\n").translate(ESCAPES)


def one_line(text: str) -> str:
    """Return the text with runs of white space as one space: for labels in tables and figures."""
    return " ".join(visible(text).split())


def cut_line(text: str, characters: int) -> str:
    """Return the text on one line, cut with an ellipsis after so many characters."""
    line = one_line(text)
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"


def width(text: str, size: float) -> float:
    """Return the width of a line in pixels, estimated for a sans-serif of `size` pixels.

    Wide East Asian characters and emoji take one em; the rest are averages of common sans-serif fonts.
    """
    return size * sum(_ems(character) for character in text)


def shortened(text: str, room: float, size: float) -> str:
    """Return the text, cut with an ellipsis where it would not fit into `room` pixels."""
    if width(text, size) <= room:
        return text
    kept, left = 0, room - size
    while (left := left - size * _ems(text[kept])) >= 0:
        kept += 1
    while kept and _inside_a_character(text, kept):
        kept -= 1
    return text[:kept].rstrip() + "…"


def _ems(character: str) -> float:
    if unicodedata.combining(character) or _JOINED.match(character):
        return 0.0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1.0
    if character in "ijlI.,:;'|!()[] ":
        return 0.3
    if character in "mwMW%@":
        return 0.86
    return 0.68 if character.isupper() else 0.55


def _inside_a_character(text: str, place: int) -> bool:
    """Tell whether a cut at `place` would part a base character from what belongs to it."""
    after = text[place] if place < len(text) else ""
    before = text[place - 1]
    return bool(after and (unicodedata.combining(after) or _JOINED.match(after))) or before == "\u200d"
