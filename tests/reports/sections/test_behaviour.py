"""The section of small changes: rates by hand, what changed marked in the texts, both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from truetune.evaluation.behaviour.changes import CHANGES
from truetune.reports.content import Examples, Paragraph, Section, Table
from truetune.reports.phrases import in_language
from truetune.reports.run import SavedRun
from truetune.reports.sections.behaviour import behaviour_section
from truetune.reports.words import say_in

EMPTY = SavedRun("x", "", {}, None, None, None, None, (), None, None, ())


def check(name: str, changed: int, examples: list[dict[str, str]]) -> dict[str, Any]:
    about = next(one for one in CHANGES if one.name == name)
    broken = len(examples)
    numbers = {"rate": broken / changed, "low": 0.1, "high": 0.5} if changed else dict.fromkeys(("rate", "low", "high"))
    return {
        "change": name,
        "about": about.about,
        "expected": about.expected,
        "changed": changed,
        "broken": broken,
        **numbers,
        "examples": examples,
    }


TYPO = {
    "text": "a <b>lovely</b> film",
    "changed": "a <b>loevly</b> film",
    "before": "pos (0.90)",
    "after": "neg (0.60)",
}
LONG = {"text": "x" * 500 + ".", "changed": "x" * 500, "before": "pos", "after": "neg"}
FOUND = {
    "checks": [check("typo", 4, [TYPO]), check("end", 2, [LONG]), check("place", 0, []), check("negation", 8, [])],
    "above": ["typo"],
    "most": 0.1,
    "level": 0.95,
    "texts": 12,
    "source": None,
    "judged": ["pos"],
}


def section(language: str = "en", **changes: Any) -> Section:
    found = behaviour_section(say_in(language), replace(EMPTY, behaviour=FOUND | changes))
    assert found is not None
    return found


def said(found: Section) -> str:
    return " ".join(part.text for part in found.parts if isinstance(part, Paragraph))


def test_a_run_that_nobody_checked_has_no_section() -> None:
    assert behaviour_section(say_in("en"), EMPTY) is None


def test_rates_and_what_was_left_out_are_told() -> None:
    found = section()
    (table,) = (part for part in found.parts if isinstance(part, Table))
    assert [[cell.text for cell in row][2:] for row in table.rows] == [
        ["4", "1", "25.0%"],
        ["2", "1", "50.0%"],
        ["8", "0", "0.0%"],
    ]
    assert "12 texts of the validation part" in said(found)
    assert "Shown to be broken more often than 10.0%: two neighbouring letters swapped." in said(found)
    assert "Applied to no text: another city." in said(found)
    assert "Negations were left out" not in said(found)
    assert "Negations were left out" in said(section(judged=[]))
    assert "12 texts of <other>.txt" in said(section(source="<other>.txt")), "escaped by the template"


def test_what_changed_is_marked() -> None:
    lists = [part for part in section().parts if isinstance(part, Examples)]
    assert [part.title for part in lists] == [
        "Not as expected: two neighbouring letters swapped",
        "Not as expected: a full stop added or taken away",
    ]
    before, after = lists[0].items[0].readings
    assert [(piece.text, piece.css) for piece in before.pieces] == [
        ("a <b>lo", ""),
        ("ve", "changed"),
        ("ly</b> film", ""),
    ]
    assert [piece.text for piece in after.pieces] == ["a <b>lo", "ev", "ly</b> film"]
    (start, end), (cut,) = (reading.pieces for reading in lists[1].items[0].readings)
    assert start.text == cut.text == "… " + "x" * 120
    assert (end.text, end.css) == (".", "changed")


def test_the_page_is_in_chinese_too() -> None:
    found = section("zh")
    assert "交换两个相邻字母" in said(found)
    assert "12 个文本" in said(found)
    for change in CHANGES:
        assert in_language(change.about, "zh") != change.about
