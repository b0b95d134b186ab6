"""The section of a diagnosis, in both languages, from its saved JSON alone."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from truetune.reports.page import run_page

FOUND: dict[str, Any] = {
    "metric": "accuracy",
    "score": {"value": 0.61, "low": 0.56, "high": 0.66, "train": 0.64},
    "gap": {"value": 0.03, "low": -0.01, "high": 0.07},
    "causes": [
        {
            "name": "too much dropout",
            "evidence": ["dropout is 0.8", "the same training with model.dropout=None scores better"],
            "gain": {
                "metric": "accuracy",
                "value": 0.21,
                "low": 0.151,
                "high": 0.269,
                "how": "by the same training with only that changed, one seed",
            },
            "shown": True,
            "moves": [
                {
                    "key": "model.dropout",
                    "values": [None, 0.1],
                    "what": "the model's own dropout",
                    "source": "Srivastava et al. 2014",
                }
            ],
        },
        {
            "name": "label imbalance",
            "evidence": ["the most frequent label has 50 times as many training examples as the rarest: <b>x</b> (4)"],
            "gain": None,
            "shown": False,
            "moves": [
                {"key": None, "values": [], "what": "label more, first what the model is unsure of", "source": "S"}
            ],
        },
    ],
    "learning_curve": {
        "sizes": [50, 100, 200, 400, 800],
        "scores": [0.5, 0.55, 0.58, 0.6, 0.61],
        "more": [{"examples": 1000, "value": 0.012, "low": 0.008, "high": 0.021}],
    },
    "not_tried": [
        "too few epochs was not tried: the last epoch still brought 0.0200, but a training with train.epochs=12.0 "
        "takes about 30.0 minutes, and 9.8 are left"
    ],
}


def page(run: Path, folder: Path, found: dict[str, Any] | None, language: str) -> str:
    copied = folder / language / "run"
    shutil.copytree(run, copied, dirs_exist_ok=True)
    if found is not None:
        (copied / "diagnosis.json").write_text(json.dumps(found), encoding="utf-8")
    return run_page(copied, language)


def test_a_page_shows_causes_what_they_cost_and_what_to_try(run_folder: Callable[[str], Path], tmp_path: Path) -> None:
    html = page(run_folder("two-zh"), tmp_path, FOUND, "en")
    assert "What holds the score back" in html
    assert html.index("too much dropout") < html.index("label imbalance")
    assert "+0.210" in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "<b>x</b>" not in html
    assert "1,000 more labels would bring +0.008 to +0.021 (likeliest +0.012)" in html
    assert "null, 0.1" in html


def test_a_page_says_it_in_chinese(run_folder: Callable[[str], Path], tmp_path: Path) -> None:
    html = page(run_folder("two-zh"), tmp_path, FOUND, "zh")
    for english, chinese in (
        ("too much dropout", "dropout 过大"),
        ("the same training with", "同样的训练改为 model.dropout=None 后得分更高"),
        ("by the same training", "同样的训练只改这一项，一个种子"),
        ("was not tried", "未尝试“轮数过少”：最后一轮仍带来 0.0200"),
        ("first what the model is unsure of", "先标模型最没把握的"),
    ):
        assert chinese in html
        assert english not in html


def test_a_run_without_a_diagnosis_has_no_section_and_a_healthy_one_says_so(
    run_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    assert "What holds the score back" not in page(run_folder("two-zh"), tmp_path / "none", None, "en")
    healthy = {**copy.deepcopy(FOUND), "causes": [], "learning_curve": None, "not_tried": []}
    assert "Nothing is named" in page(run_folder("two-zh"), tmp_path / "healthy", healthy, "en")
