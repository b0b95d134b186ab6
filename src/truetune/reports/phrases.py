"""Saved English sentences in the language of the page, from the one table `phrases.toml`.

Findings, reasons, warnings and methods are made, and saved, in English by modules that know of no page. A page in
another language finds each sentence's template in the table and fills the other one in.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

WORDS = "words"
"""The group of single words, which stand for themselves unless a template asks for them."""
PARTS = ("split", "methods", "definitions")
"""The groups of what is joined by `; ` into one line: how a split, or a number, was made."""
NUMBER = "number"
JOINTS = {"zh": "；"}
"""What joins the parts of a sentence, `; ` in English, in each other language of the table."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """An English template and the Chinese one; what the first finds by name, the second has in its place."""

    english: re.Pattern[str]
    chinese: str
    kinds: Mapping[str, str]
    """Name -> the group of phrases that its text is put into Chinese by; only of names that have one."""

    def filled(self, sentence: str) -> str | None:
        """Return the sentence in Chinese; None for one that is not of this template."""
        found = self.english.fullmatch(sentence)
        if found is None:
            return None
        texts = found.groupdict()
        nested = {name: _in_chinese(texts[name], (kind,)) or texts[name] for name, kind in self.kinds.items()}
        return self.chinese.format(**(texts | nested))


def in_language(sentence: str, language: str) -> str:
    """Return a saved English sentence in the language of the page; as it stands where no phrase is known."""
    if language not in JOINTS:
        return sentence
    parts = in_parts(sentence)
    if not any(known for _, known in parts):
        return sentence
    return JOINTS[language].join(known or part for part, known in parts)


def in_parts(sentence: str) -> list[tuple[str, str | None]]:
    """Return a sentence that is in the table with its Chinese; else its parts, each with its Chinese or None."""
    whole = _in_chinese(sentence, tuple(group for group in table() if group not in (WORDS, *PARTS)))
    whole = whole or _of_system(sentence)
    if whole is not None:
        return [(sentence, whole)]
    return [(part, _in_chinese(part, PARTS)) for part in sentence.split("; ")]


def _of_system(sentence: str) -> str | None:
    """Return a warning behind the name of the system that it is of, `NAME: WARNING`; None for anything else."""
    name, _, warning = sentence.partition(": ")
    chinese = _in_chinese(warning, ("warnings",)) if warning else None
    return None if chinese is None else f"{name}：{chinese}"


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """Return the whole table: group -> English template -> Chinese template."""
    return tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))


def phrase_of(english: str, chinese: str) -> Phrase:
    """Return the phrase of two templates; names in braces match any text, with `:number` digits and signs only."""
    pattern, kinds = "", {}
    for literal, name, kind, _ in string.Formatter().parse(english):
        pattern += re.escape(literal)
        if name is not None:
            pattern += rf"(?P<{name}>[-+]?[\d.,]+(?:e[-+]?\d+)?%?)" if kind == NUMBER else f"(?P<{name}>.+?)"
            if kind and kind != NUMBER:
                kinds[name] = kind
    return Phrase(re.compile(pattern, re.DOTALL), chinese, kinds)


@lru_cache(maxsize=4096)
def _in_chinese(sentence: str, groups: tuple[str, ...]) -> str | None:
    return next((text for phrase in _phrases(groups) if (text := phrase.filled(sentence)) is not None), None)


@cache
def _phrases(groups: tuple[str, ...]) -> tuple[Phrase, ...]:
    """Return the phrases of some groups, those with the most text of their own first."""
    templates = [pair for group in groups for pair in table()[group].items()]
    return tuple(phrase_of(*pair) for pair in sorted(templates, key=lambda pair: -_own_text(pair[0])))


def _own_text(template: str) -> int:
    return sum(len(literal) for literal, _, _, _ in string.Formatter().parse(template))
