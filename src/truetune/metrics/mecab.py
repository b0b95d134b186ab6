"""Words of Japanese by MeCab with the IPA dictionary, as sacreBLEU's `ja-mecab` finds them (Kudo et al. 2004)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

from truetune.errors import MetricError, MissingPackageError

ENTRIES = 392_126
"""Of the IPA dictionary in the package `ipadic`: another one gives other words, and other scores."""


def tokenize_ja_mecab(lines: Sequence[str]) -> list[list[str]]:
    """Return the words of each line.

    Raises `MissingPackageError` without MeCab or its dictionary, `MetricError` for another dictionary.
    """
    tagger = _tagger()
    return [tagger.parse(line.strip()).split() for line in lines]


def mecab_version() -> str:
    """Return the version of MeCab and the name of the dictionary, as sacreBLEU's signature has them."""
    return f"{_tagger().version()}-IPA"


@cache
def _tagger() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import ipadic
            import MeCab
    except ImportError as error:
        package = "ipadic" if error.name == "ipadic" else "mecab-python3"
        raise MissingPackageError(package, "the tokeniser ja-mecab", "ja") from None
    tagger = MeCab.Tagger(f"{ipadic.MECAB_ARGS} -Owakati")
    dictionary = tagger.dictionary_info()
    if dictionary.size != ENTRIES or dictionary.next is not None:
        raise MetricError(
            f"the tokeniser ja-mecab found a MeCab dictionary of {dictionary.size:,} entries; expected the "
            f"{ENTRIES:,} of the package ipadic alone. Remove the user dictionary, or install ipadic 1.0"
        )
    return tagger
