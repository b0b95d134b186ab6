"""The texts of the pages in English and Chinese, from the one table `words.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from truetune.errors import ConfigError, nearest

Language = Literal["en", "zh"]
LANGUAGES: tuple[str, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Say:
    """The texts of one language by key: `say["scores.title"]`. An unknown key is a `KeyError`."""

    language: str
    texts: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def of(self, kind: str) -> Say:
        """Return the same texts, but of a kind of run its own: `KIND.KEY` of the table in the place of `KEY`."""
        start = f"{kind}."
        own = {key.removeprefix(start): text for key, text in self.texts.items() if key.startswith(start)}
        return Say(self.language, {**self.texts, **own})

    def name(self, group: str, key: str) -> str:
        """Return the word for one value of a closed set (a task, a verdict); the value itself if it has none."""
        return self.texts.get(f"{group}.{key}", key)


def say_in(language: str) -> Say:
    """Return the texts of a language; raises `ConfigError` for any but `en` and `zh`."""
    if language not in LANGUAGES:
        raise ConfigError(f"language {language!r} is not one that pages are written in; {nearest(language, LANGUAGES)}")
    return Say(language, {key: texts[language] for key, texts in table().items()})


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """Return the whole table: key -> language -> text."""
    raw = files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(raw)))


def _flat(prefix: str, part: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for key, value in part.items():
        if set(value) & set(LANGUAGES):
            yield prefix + key, value
        else:
            yield from _flat(f"{prefix}{key}.", value)
