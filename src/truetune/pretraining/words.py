"""Words that are masked whole: Chinese ones as jieba cuts them, others between spaces and signs."""

from __future__ import annotations

import logging

from truetune.errors import MissingPackageError
from truetune.text import is_cjk, words


def segmented(text: str) -> list[tuple[int, int]]:
    """Return the words of a text as character offsets; raises MissingPackageError for Chinese without jieba."""
    if not any(map(is_cjk, text)):
        return words(text)
    try:
        import jieba
    except ImportError:
        raise MissingPackageError("jieba", "words of Chinese in pretraining", "zh") from None
    jieba.setLogLevel(logging.WARNING)
    return [(start, end) for word, start, end in jieba.tokenize(text) if word.strip()]
