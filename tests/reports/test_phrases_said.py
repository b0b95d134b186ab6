"""What findings, evaluations, comparisons and a run's page say has its Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.audit.parts import AuditPart
from truetune.audit.run import audit
from truetune.reports.page import comparison_page, run_page, scores_page
from truetune.reports.phrases import in_language
from truetune.types import Span

from .english import without_chinese


def part(name: str, texts: list[str], gold: list[Any], groups: list[str] | None = None) -> AuditPart:
    return AuditPart(name, [f"{name}{place}" for place in range(len(texts))], [texts], gold, groups)


def faulty() -> dict[str, AuditPart]:
    """Two parts with nearly every fault of labels, texts and groups."""
    long = [
        f"sentence {place} of a text that is long enough to be compared {'xyz'[place % 3] * place}"
        for place in range(40)
    ]
    texts = [*long, "", "caf\ufffd", "<br>line", "w " * 900, "same text", "same text"]
    gold = ["good"] * 30 + ["goood", "n/a"] + ["bad"] * 12 + ["good", "bad"]
    groups = [f"user {place // 3}" for place in range(len(texts))]
    test = [*long[:3], f"{long[5]} now", *(f"other {place} {'abc'[place % 3]}" for place in range(6))]
    return {
        "train": part("train", texts, gold, groups),
        "test": part("test", test, ["bad", "good", "new", *["good"] * 7], groups[: len(test)]),
    }


def faulty_spans() -> dict[str, AuditPart]:
    text = "Ann Lee lives in Paris"
    spans = [
        Span(0, 3, "PER"),
        Span(0, 3, "PER"),
        Span(0, 7, "PER"),
        Span(16, 22, "LOC"),
        Span(18, 22, "LOC"),
        Span(90, 99, "LOC"),
    ]
    return {"train": part("train", [text, f"{text}!"], [spans, []])}


def one_label(label: str) -> dict[str, AuditPart]:
    return {"validation": part("validation", ["a text", "another one"], [label, label])}


@pytest.mark.parametrize(
    ("parts", "least"), [(faulty(), 14), (faulty_spans(), 5), (one_label("0"), 1), (one_label("x"), 1)]
)
def test_findings_of_faulty_data_have_their_chinese(parts: dict[str, AuditPart], least: int) -> None:
    found = audit(parts)
    assert len({finding.check for finding in found}) >= least
    for finding in found:
        assert without_chinese(finding.check) == []
        assert without_chinese(finding.advice) == []
        assert not re.search(r"\b(train|test|validation)\b", in_language(finding.advice, "zh"))


LABELS = ["a", "b", "c", "a", "b", "a"] * 8
SAID = ["a", "b", "b", "a", "d", "a"] * 8
SCORES = [{"a": 0.5, "b": 0.2, "c": 0.2, "d": 0.1}, {"a": 0.1, "b": 0.6, "c": 0.2, "d": 0.1}] * 24
GROUPS = [f"user {place // 4}" for place in range(48)]
TAGGED = [{"text": "Ann in Rome", "spans": [[0, 3, "PER"], [7, 11, "LOC"]]}] * 12
FOUND = [{"spans": [[0, 3, "PER"], [0, 3, "PER"]]}, {"spans": [[0, 5, "LOC"], [2, 6, "PER"], [7, 30, "LOC"]]}] * 6
EVALUATED: dict[str, dict[str, Any]] = {
    "labels": {"task": "classification", "gold": LABELS, "predicted": SAID},
    "scores": {
        "task": "classification",
        "gold": LABELS,
        "predicted": [{"label": said, "scores": scores} for said, scores in zip(SAID, SCORES, strict=True)],
    },
    "groups": {"task": "classification", "gold": LABELS, "predicted": SAID, "group": GROUPS},
    "one label": {"task": "classification", "gold": ["a"] * 3, "predicted": ["a"] * 3},
    "one example": {"task": "classification", "gold": ["a"], "predicted": ["b"]},
    "spans": {"task": "ner", "gold": TAGGED, "predicted": FOUND},
    "games": {
        "task": "preference",
        "gold": [{"a": "one", "b": "two"}, {"a": "two", "b": "three"}, {"a": "three", "b": "one"}] * 4,
        "predicted": ["a", "a", "a", "b", "tie", "b", "a", "a", "b", "tie", "a", "b"],
    },
    "a game": {"task": "preference", "gold": [{"a": "one", "b": "two"}] * 3, "predicted": ["a"] * 3},
    "rankings": {
        "task": "retrieval",
        "gold": [{"relevant": {"x": 1}}, {"relevant": {"y": 2, "x": 1}}, {"relevant": {}}],
        "predicted": [{"ranking": ["x", "y"]}, {"ranking": ["z", "x"]}, {"ranking": ["y"]}],
    },
    "texts": {"task": "translation", "gold": ["a b c d", "e f g h"], "predicted": ["a b c d", "e f x h"]},
    "answers": {"task": "qa", "gold": [["Rome"], [], ["a"]], "predicted": ["Rome", "", "b"]},
    "values": {"task": "regression", "gold": [1.0, 2.0, 0.0, 4.0], "predicted": [1.0, 2.5, 0.0, 3.0]},
}


@pytest.mark.parametrize("name", EVALUATED)
def test_what_evaluate_says_has_its_chinese(name: str) -> None:
    found = truetune.evaluate(**EVALUATED[name]).to_dict()
    for sentence in found["warnings"]:
        assert without_chinese(sentence) == []
    for score in found["scores"]:
        assert without_chinese(score["reason"]) == []
        assert without_chinese(score["signature"]) == []
    assert "interval" not in shown(scores_page(found, "zh"))


def shown(page: str) -> str:
    """Return the words of a page: no markup, and no table for programs."""
    return re.sub(r"<[^>]*>", " ", page.partition("<main>")[2])


COMPARED = [name for name, asked in EVALUATED.items() if asked["task"] in ("classification", "ner", "regression")]


@pytest.mark.parametrize("name", COMPARED)
def test_what_compare_says_has_its_chinese(name: str) -> None:
    asked = EVALUATED[name]
    perfect = [{"spans": one["spans"]} for one in TAGGED] if name == "spans" else asked["gold"]
    found = truetune.compare(**(asked | {"predicted": {"old": asked["predicted"], "new": perfect}})).to_dict()
    for sentence in found["warnings"]:
        assert without_chinese(sentence) == []
    for one in found["comparisons"]:
        for field in ("reason", "signature", "correction"):
            assert without_chinese(one.get(field)) == []
    assert "interval" not in shown(comparison_page(found, "zh"))


def test_a_run_page_says_it_in_chinese(run_folder: Callable[[str], Path]) -> None:
    page = run_page(run_folder("two-zh"), "zh")
    english = run_page(run_folder("two-zh"), "en")
    for saved, shown in (
        ("each pair may be one label in two spellings", "每一对可能是同一标签的两种写法"),
        ("80% train, 10% validation", "训练集 80%，验证集 10%"),
        ("repeated texts dropped", "重复文本 311"),
        ("Tango score interval", "Tango 得分区间"),
        ("(exact McNemar test (mid-p))", "（McNemar 精确 mid-p 检验）"),
        ("no interval of ece is known to cover", "ece 没有已知可靠的置信区间"),
    ):
        assert saved in english
        assert shown in page
        assert saved not in page
