"""Texts beside predictions that are not those of gold, and one file for both sides; each with its clean twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import truetune
from truetune.evaluation import streaming
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


def test_batches_and_shards_tell_of_other_texts_too() -> None:
    lost = [*GOLD[:10], *GOLD[11:], {"text": "Review number 30: fine.", "label": "a"}]
    whole = truetune.evaluate(task="classification", gold=GOLD, predicted=lost)
    shards = [truetune.Evaluation("classification") for _ in range(2)]
    for start in range(0, 30, 5):
        part = slice(start, start + 5)
        shards[start >= 15].add(range(1, 31)[part], GOLD[part], lost[part])
    shards[0].merge(shards[1])
    (one,) = [one for one in shards[0].result().findings if one.check == "predictions beside other texts"]
    assert one == next(other for other in whole.findings if other.check == one.check)
    assert any(line.startswith("predictions beside other texts (20): ") for line in shards[0].result().warnings)
    clean = truetune.Evaluation("classification")
    clean.add(range(30), GOLD, GOLD)
    assert not any("beside" in line for line in clean.result().warnings)


def test_streamed_files_tell_of_other_texts_and_of_one_file_for_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH", 8)
    files = {}
    for name, texts in (("gold", TEXTS), ("lost", [*TEXTS[1:], "x"]), ("same", TEXTS)):
        files[name] = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({"text": texts, "label": [one["label"] for one in GOLD]}), files[name])
    assert streaming.streamable(files["gold"], files["lost"])

    def checks(said: str) -> list[tuple[str, int]]:
        result = truetune.evaluate(task="classification", gold=files["gold"], predicted=files[said])
        assert len(result.warnings) >= len([one for one in result.findings if one.severity != "note"])
        return [(one.check, one.count) for one in result.findings if one.severity == "error"]

    assert checks("lost") == [("predictions beside other texts", 30)]
    assert checks("gold") == [("gold compared with itself", 1)]
    assert checks("same") == []


def test_names_of_where_an_example_comes_from_are_no_texts() -> None:
    gold = [{**one, "source": "web" if place % 2 else "app"} for place, one in enumerate(GOLD)]
    said = [{**one, "source": "model A"} for one in GOLD]
    assert found("classification", gold, said) == []
    long = [{**one, "source": f"{one['text']} It was read in the shop."} for one in GOLD]
    assert [one.count for one in found("classification", long, said)] == [30]
