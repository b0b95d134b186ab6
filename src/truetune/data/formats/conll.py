"""CoNLL columns: a token a line, its tag in the last column, an empty line behind each sentence.

The scheme (IOB1, IOB2, BIOES, BILOU, BMES) is found from the tags; improper sequences are read as
conlleval reads them. The text is the tokens with a space between them, except between CJK characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from truetune.data.encoding import text_of
from truetune.data.record import Record
from truetune.errors import DataError
from truetune.tags import Tagged, detect_scheme, span_table
from truetune.text import is_cjk

_TAG = re.compile(r"O|[BIESLUM][-_]\S+|\S+[-_][BIESLUM]")


@dataclass
class _Sentence:
    line: int
    document: int | None
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read_conll(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield sentences with `text`, `tokens` ([start, end] in characters) and `spans`.

    Documents begin at `-DOCSTART-` lines and are the group.
    """
    sentences, problems = _sentences(path, text_of(path, encoding))
    yield from problems
    if not sentences:
        raise DataError(f"{path}: holds no sentence; expected a token and its tag a line")
    tagged = Tagged.of([sentence.tags for sentence in sentences])
    try:
        spans = span_table(tagged, detect_scheme(tagged, "conll")).lists()
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    for sentence, found in zip(sentences, spans, strict=True):
        text, places = joined_tokens(sentence.tokens)
        fields: dict[str, object] = {
            "text": text,
            "tokens": places,
            "tags": sentence.tags,
            "spans": [[places[span.start][0], places[span.end - 1][1], span.type] for span in found],
        }
        if sentence.document is not None:
            fields["group"] = f"document {sentence.document}"
        yield Record(f"{path}:{sentence.line}", fields)


def joined_tokens(tokens: list[str]) -> tuple[str, list[list[int]]]:
    """Return the text of tokens and their places in it; no space stands between two CJK characters."""
    text, places = "", []
    for token in tokens:
        if text and not (is_cjk(text[-1]) and is_cjk(token[0])):
            text += " "
        places.append([len(text), len(text) + len(token)])
        text += token
    return text, places


def looks_like_conll(sample: list[str]) -> bool:
    """Return whether lines are columns whose last one is a tag."""
    rows = [line.split() for line in sample if line.strip() and not line.startswith("-DOCSTART-")]
    return bool(rows) and all(len(row) >= 2 and _TAG.fullmatch(row[-1]) for row in rows)


def _sentences(path: Path, text: str) -> tuple[list[_Sentence], list[Record]]:
    found: list[_Sentence] = []
    problems: list[Record] = []
    current: _Sentence | None = None
    document: int | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        columns = line.split("\t") if "\t" in line else line.split()
        columns = [column.strip() for column in columns]
        if not line.strip():
            current = None
        elif columns[0] == "-DOCSTART-":
            document, current = (document or 0) + 1, None
        elif len(columns) < 2 or not columns[0] or not columns[-1]:
            if not line.startswith("#"):
                problems.append(Record(f"{path}:{number}", {}, f"expected a token and its tag, found {line[:60]!r}"))
        else:
            if current is None:
                current = _Sentence(number, document)
                found.append(current)
            current.tokens.append(columns[0])
            current.tags.append(columns[-1])
    return found, problems
