"""What stays English where a sentence is said in Chinese."""

from __future__ import annotations

import re

from truetune.reports.phrases import in_parts

WORD = re.compile(r"[A-Za-z-]{2,}")
VERSION = re.compile(r"truetune \S+")


def without_chinese(sentence: str | None) -> list[str]:
    """Return the parts of a sentence that stay English; numbers and the version are no English."""
    parts = in_parts(sentence or "")
    return [part for part, known in parts if known is None and WORD.search(part) and not VERSION.fullmatch(part)]
