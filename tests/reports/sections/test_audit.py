"""The page of an audit: where each finding is, sentences that begin and end as such, counts that are said right."""

from __future__ import annotations

from typing import Any

import pytest

from truetune.reports.content import Paragraph, Table
from truetune.reports.sections.audit import audit_head, audit_sections
from truetune.reports.words import say_in


def finding(check: str, severity: str, parts: list[str], advice: str) -> dict[str, Any]:
    return {"check": check, "severity": severity, "count": 3, "examples": ["x"], "advice": advice, "parts": parts}


AUDIT = {
    "task": "classification",
    "parts": {"train": 1200, "shop.csv": 30},
    "findings": [
        finding("repeated texts", "warning", ["train"], "train holds texts more than once (and again)"),
        finding("repeated texts", "warning", ["shop.csv"], "shop.csv holds texts more than once"),
        finding("text in two parts", "error", ["train", "shop.csv"], "they stand in both. Remove them?"),
    ],
}


def test_the_same_check_of_two_parts_names_the_part() -> None:
    whole, *sections = audit_sections(say_in("en"), AUDIT)
    assert [one.title for one in sections] == [
        "1. Repeated texts: train",
        "2. Repeated texts: shop.csv",
        "3. Text in two parts: train, shop.csv",
    ]
    (table,) = whole.parts
    assert isinstance(table, Table)
    assert [row[2].text for row in table.rows] == ["train", "shop.csv", "train, shop.csv"]


def test_sentences_begin_with_a_capital_and_end() -> None:
    told = [one.parts[0] for one in audit_sections(say_in("en"), AUDIT)[1:]]
    assert [part.text for part in told if isinstance(part, Paragraph)] == [
        "Train holds texts more than once (and again).",
        "shop.csv holds texts more than once.",
        "They stand in both. Remove them?",
    ]


@pytest.mark.parametrize(
    ("language", "statement", "subtitle"),
    [
        ("en", "Found: 1 error, 2 warnings.", "Text classification; examples: train 1,200, shop.csv 30"),
        ("zh", "发现：错误 1 项，警告 2 项。", "文本分类；样本数：训练集 1,200，shop.csv 30"),
    ],
)
def test_what_was_found_is_counted(language: str, statement: str, subtitle: str) -> None:
    head = audit_head(say_in(language), AUDIT, "shop")
    assert (head.statement, head.subtitle, head.tone) == (statement, subtitle, "worse")


def test_an_audit_before_findings_named_parts_is_shown() -> None:
    old = [{key: value for key, value in one.items() if key != "parts"} for one in AUDIT["findings"]]  # type: ignore[attr-defined]
    _, first, *_ = audit_sections(say_in("en"), AUDIT | {"findings": old})
    assert first.title == "1. Repeated texts"
