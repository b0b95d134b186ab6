"""CoNLL columns: a token a line, its tag in the last column, an empty line behind each sentence.

The scheme (IOB1, IOB2, BIOES, BILOU, BMES) is found from the tags; improper sequences are read as
conlleval reads them. The text is made of the tokens, see `tagged.joined_tokens`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from truetune.data.encoding import detected, opened
from truetune.data.formats.tagged import sentence_fields
from truetune.data.record import Record
from truetune.errors import DataError
from truetune.tags import LETTERED, Scheme, Tagged, has_letters, improper_tags, likeliest_scheme, span_table
from truetune.text import script

_TAG = re.compile(r"O|[BIESLUMW][-_]\S+|\S+[-_][BIESLUMW]")
_DOCUMENT = "-DOCSTART-"
_NO_TYPE = re.compile(r"[BIESLUMW][-_]")
_LOOKED_AT = 500
AT_ONCE = 1 << 17
"""Tokens of whole sentences that are in memory at a time."""


@dataclass
class _Sentence:
    line: int
    document: int | None
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read_conll(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield sentences with `text`, `tokens` ([start, end] in characters), `tags` and `spans`.

    Documents begin at `-DOCSTART-` lines and are the group. The scheme is that of the whole file: one of more than
    `AT_ONCE` tokens is read twice.
    """
    encoding = encoding or detected(path)
    corpus = _Corpus()
    for one in _sentences(path, encoding):
        if isinstance(one, Record):
            yield one
        else:
            corpus.add(one)
    try:
        scheme = corpus.scheme()
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    chinese = script(token for sentence in corpus.first[:_LOOKED_AT] for token in sentence.tokens) == "zh"
    again = (one for one in _sentences(path, encoding) if isinstance(one, _Sentence))
    for part in [corpus.first] if corpus.parts == 1 else _parts(again):
        spans = span_table(Tagged.of([sentence.tags for sentence in part]), scheme).lists()
        for sentence, found in zip(part, spans, strict=True):
            fields = sentence_fields(sentence.tokens, sentence.tags, found, chinese=chinese)
            if sentence.document is not None:
                fields["group"] = f"document {sentence.document}"
            yield Record(f"{path}:{sentence.line}", fields)


class _Corpus:
    """What must be known of all sentences before the first one can be read."""

    def __init__(self) -> None:
        self.first: list[_Sentence] = []
        """The first part, kept."""
        self.parts = 0
        self._waiting: list[_Sentence] = []
        self._tokens = 0
        self._tags: dict[str, None] = {}
        self._faults: Counter[tuple[str, str]] = Counter()

    def add(self, sentence: _Sentence) -> None:
        """Add a sentence."""
        self._waiting.append(sentence)
        self._tokens += len(sentence.tokens)
        if self._tokens >= AT_ONCE:
            self._count()

    def scheme(self) -> Scheme:
        """Return the scheme of all tags; raises `DataError` where there is no sentence, or no scheme fits."""
        if self._waiting:
            self._count()
        if not self.parts:
            raise DataError("holds no sentence; expected a token and its tag a line")
        return likeliest_scheme(tuple(self._tags), lambda scheme: self._faults[scheme.name, scheme.separator])

    def _count(self) -> None:
        tagged = Tagged.of([sentence.tags for sentence in self._waiting])
        self._tags.update(dict.fromkeys(tagged.tags))
        for scheme in LETTERED:
            if has_letters(tagged.tags, scheme):
                self._faults[scheme.name, scheme.separator] += improper_tags(tagged, scheme)
        self.first = self.first or self._waiting
        self.parts += 1
        self._waiting, self._tokens = [], 0


def _parts(sentences: Iterable[_Sentence]) -> Iterator[list[_Sentence]]:
    """Yield sentences in parts of `AT_ONCE` tokens or a little more."""
    part: list[_Sentence] = []
    tokens = 0
    for sentence in sentences:
        part.append(sentence)
        tokens += len(sentence.tokens)
        if tokens >= AT_ONCE:
            yield part
            part, tokens = [], 0
    if part:
        yield part


def looks_like_conll(sample: Sequence[str]) -> bool:
    """Return whether lines are columns whose last one is a tag."""
    rows = [line.split() for line in sample if line.strip() and not line.startswith((_DOCUMENT, "# "))]
    return bool(rows) and all(len(row) >= 2 and _TAG.fullmatch(row[-1]) for row in rows)


def _columns(line: str) -> list[str]:
    return [column.strip() for column in (line.split("\t") if "\t" in line else line.split())]


def _sentences(path: Path, encoding: str | None) -> Iterator[_Sentence | Record]:
    """Yield sentences, and the lines that are no part of one with what is wrong with them."""
    current: _Sentence | None = None
    document: int | None = None
    width = _width(path, encoding)
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            columns = _columns(line.rstrip("\n"))
            begins = not line.strip() or columns[0] == _DOCUMENT
            if begins and current is not None:
                yield current
                current = None
            if begins:
                document = (document or 0) + 1 if line.strip() else document
            elif len(columns) == width and _NO_TYPE.fullmatch(columns[-1]):
                yield Record(
                    f"{path}:{number}", {}, f"tag {columns[-1]!r} has no type; expected {columns[-1]}TYPE or O"
                )
            elif len(columns) == width and columns[0] and columns[-1]:
                current = current or _Sentence(number, document)
                current.tokens.append(columns[0])
                current.tags.append(sys.intern(columns[-1]))
            elif not line.startswith("#"):  # a comment has another number of columns
                expected = f"expected a token and its tag in {width} columns"
                yield Record(f"{path}:{number}", {}, f"{expected}, found {line.strip()[:60]!r}")
    if current is not None:
        yield current


def _width(path: Path, encoding: str | None) -> int:
    """Return the number of columns that most of the first lines have, at least 2."""
    with opened(path, encoding) as file:
        lines = islice((line for line in file if line.strip()), _LOOKED_AT)
        numbers = Counter(len(_columns(line.rstrip("\n"))) for line in lines)
    return max(2, numbers.most_common(1)[0][0]) if numbers else 2
