"""CoNLL columns: a token a line, its tag in the last column, an empty line behind each sentence.

The scheme (IOB1, IOB2, BIOES, BILOU, BMES) is found from the tags; improper sequences are read as
conlleval reads them. The text is made of the tokens, see `tagged.joined_tokens`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from truetune.data.encoding import opened
from truetune.data.formats.tagged import sentence_fields
from truetune.data.record import Record
from truetune.errors import DataError
from truetune.tags import Tagged, detect_scheme, span_table
from truetune.text import script

_TAG = re.compile(r"O|[BIESLUMW][-_]\S+|\S+[-_][BIESLUMW]")
_DOCUMENT = "-DOCSTART-"
_LOOKED_AT = 500


@dataclass
class _Sentence:
    line: int
    document: int | None
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read_conll(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield sentences with `text`, `tokens` ([start, end] in characters), `tags` and `spans`.

    Documents begin at `-DOCSTART-` lines and are the group.
    """
    sentences, problems = _sentences(path, encoding)
    yield from problems
    if not sentences:
        raise DataError(f"{path}: holds no sentence; expected a token and its tag a line")
    tagged = Tagged.of([sentence.tags for sentence in sentences])
    try:
        spans = span_table(tagged, detect_scheme(tagged, "conll")).lists()
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    chinese = script(token for sentence in sentences[:_LOOKED_AT] for token in sentence.tokens) == "zh"
    for sentence, found in zip(sentences, spans, strict=True):
        fields = sentence_fields(sentence.tokens, sentence.tags, found, chinese=chinese)
        if sentence.document is not None:
            fields["group"] = f"document {sentence.document}"
        yield Record(f"{path}:{sentence.line}", fields)


def looks_like_conll(sample: Sequence[str]) -> bool:
    """Return whether lines are columns whose last one is a tag."""
    rows = [line.split() for line in sample if line.strip() and not line.startswith((_DOCUMENT, "# "))]
    return bool(rows) and all(len(row) >= 2 and _TAG.fullmatch(row[-1]) for row in rows)


def _columns(line: str) -> list[str]:
    return [column.strip() for column in (line.split("\t") if "\t" in line else line.split())]


def _sentences(path: Path, encoding: str | None) -> tuple[list[_Sentence], list[Record]]:
    found: list[_Sentence] = []
    problems: list[Record] = []
    current: _Sentence | None = None
    document: int | None = None
    width = _width(path, encoding)
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            columns = _columns(line.rstrip("\n"))
            if not line.strip():
                current = None
            elif columns[0] == _DOCUMENT:
                document, current = (document or 0) + 1, None
            elif len(columns) == width and columns[0] and columns[-1]:
                if current is None:
                    current = _Sentence(number, document)
                    found.append(current)
                current.tokens.append(columns[0])
                current.tags.append(columns[-1])
            elif not line.startswith("#"):  # a comment has another number of columns
                expected = f"expected a token and its tag in {width} columns"
                problems.append(Record(f"{path}:{number}", {}, f"{expected}, found {line.strip()[:60]!r}"))
    return found, problems


def _width(path: Path, encoding: str | None) -> int:
    """Return the number of columns that most of the first lines have, at least 2."""
    with opened(path, encoding) as file:
        lines = islice((line for line in file if line.strip()), _LOOKED_AT)
        numbers = Counter(len(_columns(line.rstrip("\n"))) for line in lines)
    return max(2, numbers.most_common(1)[0][0]) if numbers else 2
