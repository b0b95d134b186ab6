"""The page as a document: self-contained, escaped, complete, in both languages."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from truetune.errors import ConfigError, RunError
from truetune.files import read_json
from truetune.reports.page import comparison_page, run_page, scores_page, write
from truetune.reports.phrases import in_language
from truetune.reports.words import say_in

Runs = Callable[[str], Path]
NAMES = ("two-en", "two-zh", "five-zh", "many-en", "no-scores-en", "ner-zh", "label-sets-en")
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Document(HTMLParser):
    """Elements, texts and ids of a page; closing tags must match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    @property
    def said(self) -> str:
        return "".join(self.text)


def downloads(document: Document) -> dict[str, Any]:
    links = [attributes for tag, attributes in document.elements if tag == "a" and "download" in attributes]
    start = "data:application/json;base64,"
    assert all((link["href"] or "").startswith(start) for link in links)
    return {link["download"] or "": json.loads(base64.b64decode((link["href"] or "")[len(start) :])) for link in links}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_one_well_formed_document_that_asks_for_nothing(run_folder: Runs, name: str, language: str) -> None:
    html = run_page(run_folder(name), language)
    html.encode("utf-8")
    document = Document(html)
    assert document.open == []
    tags = Counter(tag for tag, _ in document.elements)
    assert tags["script"] == tags["iframe"] == tags["object"] == tags["img"] == 0
    for tag, attributes in document.elements:
        for key in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(key) or "#").startswith(("#", "data:")), (tag, attributes)
        assert not any(key.startswith("on") for key in attributes), attributes
    assert not re.search(r"@import|url\(", html)
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {
        (attributes["href"] or "")[1:]
        for tag, attributes in document.elements
        if tag == "a" and (attributes.get("href") or "").startswith("#")
    }
    assert targets <= set(ids)
    assert dict(document.elements)["html"]["lang"] == {"en": "en", "zh": "zh-CN"}[language]


def test_the_verdict_stands_first(run_folder: Runs) -> None:
    for language in ("en", "zh"):
        said = Document(run_page(run_folder("two-zh"), language)).said
        lines = read_json(run_folder("two-zh") / "verdict.json")["lines"][language]
        test = "exact McNemar test (mid-p)"
        assert test in lines[2]
        places = [said.index(line.replace(test, in_language(test, language))) for line in lines]
        assert places == sorted(places)
        assert places[-1] < said.index({"en": "Scores on the test part", "zh": "测试集得分"}[language])


def test_every_section_is_there(run_folder: Runs) -> None:
    document = Document(run_page(run_folder("two-en"), "en"))
    ids = [attributes["id"] for tag, attributes in document.elements if tag == "section"]
    assert ids == [
        "scores", "labels", "baselines", "changes", "kinds", "errors", "confusion", "curves", "reliability", "learning",
        "data", "audit", "manifest",
    ]  # fmt: skip
    figures = sum(tag == "svg" for tag, _ in document.elements)
    assert figures >= 10


def test_texts_may_be_anything(run_folder: Runs) -> None:
    document = Document(run_page(run_folder("two-en"), "en"))
    for text in (
        "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">",
        "{{ 7 * 7 }} {% raw %} ${x} <!-- comment ]]> &amp; &lt;b&gt;",
        "👩‍👩‍👧‍👦 🇨🇳",
        "مرحبا، هذا نص عربي",
        "null \\x00 bell \\x07 escape \\x1b[31m, bidi override \\u202etxet desrever\\u202c end",
        "多行文本\n第二行\t制表符",
        "[… 3,500 more characters]",
    ):
        assert text in document.said
    raw = run_page(run_folder("two-en"), "en")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202e]", raw)


def test_tables_are_on_the_page_for_programs_unrounded(run_folder: Runs) -> None:
    found = downloads(Document(run_page(run_folder("two-en"), "en")))
    scores = read_json(run_folder("two-en") / "after" / "scores.json")["scores"]
    accuracy = next(score for score in scores if score["metric"] == "accuracy")
    assert next(row for row in found["scores.json"] if row["metric"] == "accuracy")["after"] == accuracy
    assert found["errors.json"][0]["text"].startswith("</script>")
    assert {"roc.json", "precision-recall.json", "confusion.json", "reliability.json", "learning.json"} <= set(found)


def test_chinese_pages_speak_chinese(run_folder: Runs) -> None:
    said = Document(run_page(run_folder("five-zh"), "zh")).said
    for word in ("得分", "混淆矩阵", "可靠性", "学习曲线", "最难的错误", "数据审计", "科技与互联网"):
        assert word in said
    assert not re.search(r"\b(Scores|Before|Hardest|Gold|Confidence)\b", said)


def test_pairs_with_label_sets_show_both_texts_and_each_label_against_the_rest(run_folder: Runs) -> None:
    document = Document(run_page(run_folder("label-sets-en"), "en"))
    fields = [text for text in document.text if text in ("first", "second")]
    assert fields[:4] == ["first", "second", "first", "second"]
    assert "After: each of 3 labels against the rest" in document.said
    for key in ("confusion.none for task", "reliability.none for task", "missing.predictions.both", "head.no verdict"):
        assert say_in("en")[key] in document.said
    assert {"roc.json", "labels.json", "errors.json"} <= set(downloads(document))


def test_an_unfinished_run_says_what_it_lacks(run_folder: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    shutil.copytree(run_folder("two-en"), folder)
    for part in ("after", "before", "baselines"):
        shutil.rmtree(folder / part)
    for part in ("verdict.json", "comparison.json", "data.json", "audit.json", "manifest.json"):
        (folder / part).unlink()
    for language in ("en", "zh"):
        document = Document(run_page(folder, language))
        missing = [
            attributes for tag, attributes in document.elements if tag == "p" and attributes.get("class") == "missing"
        ]
        assert len(missing) >= 8
    assert "No verdict yet." in Document(run_page(folder, "en")).said
    (folder / "events.jsonl").unlink()
    run_page(folder, "en")


@pytest.mark.parametrize(
    "part", ["before", "after", "baselines", "comparison.json", "verdict.json", "data.json", "events.jsonl"]
)
@pytest.mark.parametrize("name", ["two-en", "ner-zh"])
def test_any_one_part_may_be_missing(run_folder: Runs, tmp_path: Path, name: str, part: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder(name), folder)
    path = folder / part
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    Document(run_page(folder, "zh"))


@pytest.mark.parametrize("system", ["before", "after"])
def test_predictions_may_be_missing(run_folder: Runs, tmp_path: Path, system: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder("five-zh"), folder)
    (folder / system / "predictions.parquet").unlink()
    Document(run_page(folder, "en"))


def test_no_run_and_no_language_are_errors(tmp_path: Path, run_folder: Runs) -> None:
    with pytest.raises(RunError):
        run_page(tmp_path, "en")
    with pytest.raises(ConfigError):
        run_page(run_folder("two-en"), "fr")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_of_scores_alone(run_folder: Runs, language: str) -> None:
    evaluation = read_json(run_folder("five-zh") / "after" / "scores.json")
    parts = [{"column": "length", "value": value, "scores": evaluation["scores"]} for value in ("<b>long</b>", "short")]
    document = Document(scores_page({**evaluation, "slices": parts}, language))
    assert {"scores.json", "labels.json", "slices.json"} <= set(downloads(document))
    assert "<b>long</b>" in document.said
    statement = document.said[: document.said.index("f1_macro")]
    assert f"{next(s['value'] for s in evaluation['scores'] if s['metric'] == 'accuracy'):.3f}" in statement


def test_a_page_of_scores_without_a_value_says_why() -> None:
    score = {
        "metric": "mcc",
        "value": None,
        "low": None,
        "high": None,
        "examples": 1,
        "unit": "example",
        "signature": "s",
        "reason": "0/0",
    }
    said = Document(
        scores_page({"task": "classification", "examples": 1, "scores": [score], "warnings": []}, "en")
    ).said
    assert "The metric that decides has no value." in said
    assert "0/0" in said


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_of_comparisons_alone(run_folder: Runs, language: str) -> None:
    comparison = read_json(run_folder("two-en") / "comparison.json")
    second = [{**one, "candidate": "<other>", "verdict": "not shown"} for one in comparison["comparisons"]]
    whole = {
        **comparison,
        "systems": [*comparison["systems"], "<other>"],
        "comparisons": [*comparison["comparisons"], *second],
    }
    document = Document(comparison_page(whole, language))
    assert downloads(document)["comparisons.json"] == whole["comparisons"]
    assert document.said.index("<other>") < document.said.index("f1_macro")
    assert {"en": "not shown", "zh": "未能证明"}[language] in document.said


def compared_in(language: str, **changed: object) -> str:
    """A page of three systems with slices, of which the metric that decides has `changed` values."""
    one = {
        "metric": "accuracy",
        "baseline": "old",
        "candidate": "new",
        "difference": 0.1,
        "low": 0.02,
        "high": 0.18,
        "p_value": 0.011,
        "p_adjusted": 0.022,
        "p_margin": None,
        "detectable": 0.112,
        "gained": 30,
        "lost": 10,
        "verdict": "better",
        "signature": "exact test; s",
        **changed,
    }
    other = {**one, "candidate": "<third>", "p_adjusted": 0.031}
    slices = [{"column": "part", "value": "<x>", "comparisons": [{**one, "p_adjusted": 0.044}], "warning": None}]
    return comparison_page(
        {"systems": ["old", "new", "<third>"], "primary": "accuracy", "comparisons": [one, other], "slices": slices},
        language,
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_slices_of_a_comparison_are_on_its_page(language: str) -> None:
    document = Document(compared_in(language))
    (part,) = downloads(document)["compared-slices.json"]
    assert (part["value"], part["comparisons"][0]["p_adjusted"]) == ("<x>", 0.044)
    assert "<x>" in document.said
    assert "0.044" in document.said
    assert "Benjamini" in document.said


def test_each_candidate_has_its_p_value_and_nothing_is_said_of_what_is_unknown() -> None:
    said = Document(compared_in("en")).said
    assert said.index("p = 0.022") < said.index("<third> against old: better.") < said.index("p = 0.031")
    assert "A difference of 0.112 would be found" in said
    unknown = Document(compared_in("en", detectable=None)).said
    assert "would be found" not in unknown
    assert "p = 0.022." in unknown
    assert "p = 0.007" in Document(compared_in("en", p_margin=0.007, verdict="not worse")).said


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    write(tmp_path / "new" / "report.html", "<p>页面</p>")
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8") == "<p>页面</p>"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["report.html"]
