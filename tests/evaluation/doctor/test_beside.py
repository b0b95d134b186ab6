"""Texts beside predictions that are not those of gold, and one file for both sides; each with its clean twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import truetune
from truetune.evaluation.tables import aligned
from truetune.tasks.table import task_named
from truetune.types import Finding

Records = list[dict[str, Any]]
TEXTS = [f"Review number {place}: fine." for place in range(30)]
GOLD: Records = [{"text": text, "label": "ab"[place % 3 == 0]} for place, text in enumerate(TEXTS)]


def found(task: str, gold: Any, said: Any) -> list[Finding]:
    return list(aligned(task_named(task).scoring, gold, {"said": said}).findings)


def test_a_lost_line_shows_by_its_texts() -> None:
    lost = [*GOLD[:10], *GOLD[11:], {"text": "Review number 30: fine.", "label": "a"}]
    (one,) = found("classification", GOLD, lost)
    assert (one.check, one.severity, one.count) == ("predictions beside other texts", "error", 20)
    assert one.examples[0] == "11: Review number 10: fine."
    assert "20 of 30 predictions stand beside another `text` than gold does, the first is id '11'" in one.advice
    told = truetune.evaluate(task="classification", gold=GOLD, predicted=lost).warnings
    assert any(line.startswith("predictions beside other texts (20): ") for line in told)
    assert found("classification", GOLD, GOLD) == []


def test_ids_put_the_texts_together_in_any_order() -> None:
    named = [{"id": f"r{place}", **one} for place, one in enumerate(GOLD)]
    assert found("classification", named, named[::-1]) == []
    swapped = [{**one, "id": other["id"]} for one, other in zip(named, named[::-1], strict=True)]
    (one,) = found("classification", named, swapped)
    assert one.count == 30


def test_other_case_and_width_are_the_same_text_but_not_for_spans() -> None:
    lower = [{**one, "text": one["text"].lower().replace(":", "\uff1a")} for one in GOLD]
    assert found("classification", GOLD, lower) == []
    gold = [{"text": "Anna met Bob", "spans": [[0, 4, "P"]]}] * 3
    assert [one.count for one in found("ner", gold, [{**one, "text": "anna met Bob"} for one in gold])] == [3]
    assert found("ner", gold, gold) == []


def test_translations_are_no_texts_beside_predictions() -> None:
    gold = [{"text": "你好", "reference": "hello"}] * 3
    assert found("translation", gold, [{"text": "hello"}] * 3) == []


def test_tokens_that_are_not_those_of_gold_are_told(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.conll" for name in ("gold", "said", "other")}
    files["gold"].write_text("Anna B-PER\nmet O\n\nBerlin B-LOC\n", encoding="utf-8")
    files["said"].write_text("Anna O\nmet O\n\nBerlin B-LOC\n", encoding="utf-8")
    files["other"].write_text("Anna O\nmet O\n\nBremen B-LOC\n", encoding="utf-8")
    assert found("ner", files["gold"], files["said"]) == []
    (one,) = found("ner", files["gold"], files["other"])
    assert (one.count, one.examples) == (1, ("2: Berlin",))
    assert str(files["other"]) in one.advice


def test_one_file_for_both_is_told(tmp_path: Path) -> None:
    both, said = tmp_path / "both.conll", tmp_path / "said.conll"
    both.write_text("Anna B-PER O\nmet O O\n\nBerlin B-LOC B-LOC\n", encoding="utf-8")
    said.write_text("Anna O\nmet O\n\nBerlin B-LOC\n", encoding="utf-8")
    (one,) = found("ner", both, tmp_path / "." / "both.conll")
    assert one.check == "gold compared with itself"
    assert "of CoNLL columns the last one" in one.advice
    assert found("ner", both, said) == []


def test_one_file_may_hold_both_sides_under_their_names(tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    path.write_text('{"reference": "hello", "text": "hallo"}\n' * 3, encoding="utf-8")
    assert found("translation", path, path) == []
    path.write_text('{"a": "x", "b": "y", "winner": "a"}\n' * 3, encoding="utf-8")
    assert not any("compared with itself" in line for line in truetune.preference(path).warnings)
