"""The model card: its numbers are those of scores.json, and names from the data stay names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import yaml

from truetune.bundle.format import SCORES, Bundle, read_bundle, write_bundle
from truetune.decisions.calibration import Calibration
from truetune.decisions.decision import Decision
from truetune.files import write_json
from truetune.reports.model_card import OWN_CLASS, model_card, plain_code, write_card

SIGNATURE = "accuracy; 95% interval: Wilson; truetune 0.1.0"


def score(metric: str, value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    numbers = {"metric": metric, "value": value, "low": low, "high": high, "examples": 1234}
    return {**numbers, "unit": "example", "signature": SIGNATURE, "reason": None}


SCORE_LIST = [
    score("accuracy", 0.87654, 0.81234, 0.92345),
    score("f1_macro", 0.71, 0.6, 0.8),
    score("mcc", None),
    score("f1/pos", 0.5, 0.4, 0.6),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundle = Bundle(
        "classification",
        ("neg", "pos"),
        multiple=True,
        max_length=128,
        base_model="someone/bert",
        threshold=0.35,
        licence="Apache-2.0 (package: MIT)",
        language="zh",
        data={"train": "aa11", "test": "bb22"},
    )
    write_bundle(tmp_path, bundle)
    write_json(tmp_path / SCORES, {"scores": SCORE_LIST})
    return tmp_path


def rewritten(folder: Path, **changes: Any) -> str:
    base = {"task": "classification", "labels": ("a",), "multiple": False, "max_length": 8, "base_model": "b"}
    write_bundle(folder, Bundle(**{**base, **changes}))
    return model_card(folder)


def test_every_score_of_the_card_is_in_the_file(folder: Path) -> None:
    card = model_card(folder)
    known = {"0.877", "[0.812, 0.923]", "0.710", "[0.600, 0.800]", "–", "", "1,234"}
    rows = [line for line in card.splitlines() if re.match(r"\| .*`\w+` \|", line)]
    assert len(rows) == 2 * 3, "three scores, in two languages"
    assert {cell.strip() for row in rows for cell in row.split("|")[2:5]} == known
    assert "0.5 |" not in card, "scores of single labels stand in the file only"


def test_the_hub_reads_its_metadata(folder: Path) -> None:
    write_card(folder)
    data = huggingface_hub.ModelCard.load(folder / "README.md").data
    assert (data.license, data.language, data.pipeline_tag) == ("apache-2.0", ["zh"], "text-classification")
    assert data.base_model == "someone/bert"
    results = {one.metric_type: one.metric_value for one in data.eval_results}
    assert results == {"accuracy": 0.87654, "f1_macro": 0.71}
    assert {one.dataset_type for one in data.eval_results} == {"fingerprint bb22"}


def test_it_says_the_same_in_both_languages(folder: Path) -> None:
    card = model_card(folder)
    for text in ("## Use", "## 使用", "Scores on the test part", "测试集得分", "0.35", "`train`: `aa11`"):
        assert text in card
    assert card.count("0.35") == card.count("`bb22`") == card.count("[0.812, 0.923]") == 2
    assert "Apache\\-2.0 \\(package: MIT\\)" in card


def test_names_from_the_data_stay_names(tmp_path: Path) -> None:
    labels = ("{{ 7*7 }}", "---\nlicense: mit\n---", "<script>alert(1)</script>", "[x](javascript:1)", "`code`", "a|b")
    card = rewritten(tmp_path, labels=labels, licence="x\n# y", base_model="---\nevil: 1")
    head, body = card.removeprefix("---\n").split("---\n\n", 1)
    assert yaml.safe_load(head)["license"] == "unknown"
    assert "evil" not in yaml.safe_load(head)
    for raw in ("<script", "](javascript", "`code`", "49", "\n---", "\n# y"):
        assert raw not in body, raw
    assert "\\{\\{ 7\\*7 \\}\\}" in body


def test_a_model_without_scores_says_so(tmp_path: Path) -> None:
    card = rewritten(tmp_path)
    assert "has not been scored" in card
    assert "尚未在测试集上计分" in card
    assert "model-index" not in card
    assert "base_model" not in card, "no name of the Hub"


def test_many_labels_are_counted_and_not_listed(tmp_path: Path) -> None:
    card = rewritten(tmp_path, labels=tuple(f"label{number}" for number in range(1000)))
    assert "label49, … (1,000)" in card
    assert "label50" not in card


def test_the_code_for_a_head_of_transformers_own() -> None:
    assert plain_code({"own_head": False, "pooling": None}) == OWN_CLASS.replace(
        "CLASS", "AutoModelForTokenClassification"
    )
    assert "AutoModelForSequenceClassification" in plain_code({"own_head": False, "pooling": "last"})
    answers = plain_code({"own_head": False, "pooling": None, "ends": True})
    assert "AutoModelForQuestionAnswering" in answers
    assert "tokenizer(questions, texts," in answers
    assert ".start_logits" in answers


@pytest.mark.parametrize(("learnt", "framework"), [({"prompt_pieces": 4}, "pytorch"), ({}, "onnx"), ({}, "pytorch")])
def test_plain_code_stands_where_it_gives_the_same(folder: Path, learnt: dict[str, int], framework: str) -> None:
    write_json(folder / "backbone.json", {"settings": learnt, "form": {"own_head": True, "pooling": "mean"}})
    card = rewritten(folder, framework=framework)
    assert ("AutoModel.from_pretrained" in card) == (not learnt and framework == "pytorch")
    assert "reads some characters as others" not in card
    write_json(
        folder / "backbone.json", {"settings": {"fold": ["width"]}, "form": {"own_head": True, "pooling": "mean"}}
    )
    assert "reads some characters as others" in model_card(folder) or framework == "onnx"
    assert ("Transformers alone does not, and gives other answers" in card) == bool(learnt)


def test_decisions_are_told_and_stand_for_the_threshold(folder: Path) -> None:
    decision = Decision(Calibration("temperature", False, 1.5), {"neg": 0.4, "pos": 0.6})
    bundle = replace(read_bundle(folder), decision=decision)
    write_bundle(folder, bundle)
    write_card(folder)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "(calibrated probabilities, thresholds of labels)" in card
    assert "（校准概率、标签阈值）" in card
    assert "0.35" not in card
