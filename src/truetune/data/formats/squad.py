"""SQuAD's JSON (also CMRC, DRCD, XQuAD): articles of paragraphs of questions, made one example a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from truetune.data.record import Record


def is_article(value: Any) -> bool:
    """Return whether an object is an article: a list of paragraphs with context and questions."""
    paragraphs = value.get("paragraphs") if isinstance(value, Mapping) else None
    return isinstance(paragraphs, list) and bool(paragraphs) and all(map(_is_paragraph, paragraphs))


def _is_paragraph(value: Any) -> bool:
    return isinstance(value, Mapping) and "context" in value and isinstance(value.get("qas"), list)


def questions(where: str, article: Mapping[str, Any]) -> Iterator[Record]:
    """Yield `id`, `group` (the paragraph), `title`, `context`, `question`, `answers`, `answer_starts`.

    An unanswerable question has no answers, whatever plausible ones are given beside them.
    """
    for number, paragraph in enumerate(article["paragraphs"], start=1):
        group = paragraph.get("id") or f"{article.get('title') or where} / {number}"
        for place, asked in enumerate(paragraph["qas"], start=1):
            there = f"{where} paragraph {number}, question {place}"
            try:
                answers = [] if asked.get("is_impossible") else _answers(asked)
            except (AttributeError, KeyError, TypeError):
                yield Record(there, {}, 'has answers of another form; expected [{"text": ..., "answer_start": ...}]')
                continue
            fields = {
                "group": str(group),
                "title": article.get("title"),
                "context": paragraph["context"],
                "question": asked.get("question"),
                "answers": [text for text, _ in answers],
                "answer_starts": [start for _, start in answers],
            }
            yield Record(there, fields if asked.get("id") is None else {"id": asked["id"], **fields})


def _answers(asked: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(answer["text"], answer.get("answer_start", -1)) for answer in asked.get("answers") or ()]
