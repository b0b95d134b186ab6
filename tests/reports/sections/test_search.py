"""The page of a search: what was tried and what was taken, in both languages, from its saved JSON alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from truetune.reports.page import search_page

DIFFERENCE = {
    "value": 0.0312,
    "low": 0.0101,
    "high": 0.0523,
    "p_value": 0.008,
    "seed_deviation": 0.004,
    "example_error": 0.009,
    "degrees": 40.0,
    "method": "variance components of 3 and 3 runs x 400 units, t, 40 degrees of freedom",
}


def rungs(*values: float | None) -> list[dict[str, Any]]:
    return [{"share": (place + 1) / 4, "value": value, "seconds": 5.0 * place} for place, value in enumerate(values)]


LOG: dict[str, Any] = {
    "metric": "accuracy",
    "better": "higher",
    "space": [
        {
            "key": "train.learning_rate",
            "values": {"low": 1e-5, "high": 1e-3, "log": True},
            "why": "decides most",
            "source": "A",
        },
        {"key": "model.dropout", "values": [None, 0.0, 0.2], "why": "over-fitting", "source": "<b>B</b>"},
    ],
    "trials": [
        {"number": 0, "changes": {}, "state": "finished", "rungs": rungs(0.5, 0.6, 0.7, 0.71), "reason": ""},
        {
            "number": 1,
            "changes": {"model.dropout": None},
            "state": "finished",
            "rungs": rungs(0.5, 0.7, 0.75, 0.74),
            "reason": "",
        },
        {
            "number": 2,
            "changes": {"train.learning_rate": 0.000123},
            "state": "stopped",
            "rungs": rungs(0.4),
            "reason": "0.1000 (standard error 0.0200) behind the best after 25% of training",
        },
        {
            "number": 3,
            "changes": {},
            "state": "failed",
            "rungs": [],
            "reason": "step 7: the loss is not a finite number",
        },
    ],
    "seconds": 125.0,
    "optimism": 0.0123,
    "confirmation": [{"number": 1, "difference": DIFFERENCE, "p_adjusted": 0.008, "better": True}],
    "winner": 1,
    "changes": {"model.dropout": None},
    "why": "shown better than the config as it was given, beyond seeds and examples",
}


def test_the_page_says_what_was_taken_and_why() -> None:
    page = search_page(LOG, "reviews-search", "en")
    for text in (
        "Trial 1 is taken: model.dropout=null",
        "4 trials in 2 min 05 s of training: 2 finished, 1 stopped, 1 failed.",
        "looks better by about 0.012 than it is",
        "+0.031",
        "0.008",
        "1e-05 to 0.001, by its logarithm",
        "behind the best after 25% of training",
        "train.learning_rate=0.000123",
        "step 7: the loss is not a finite number",
    ):
        assert text in page, text
    assert "<b>B</b>" not in page
    assert "&lt;b&gt;B&lt;/b&gt;" in page
    assert page.count("<polyline") == 3, "a line for each trial that was scored"


def test_the_chinese_page_is_chinese() -> None:
    page = search_page(LOG, "reviews-search", "zh")
    for text in ("采用试验 1", "证明比原配置更好", "落后最好者", "影响最大的设置", "种子间标准差", "中途停止"):
        assert text in page, text
    assert "shown better" not in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_search_that_found_nothing_and_one_without_scores_have_pages(language: str) -> None:
    log = copy.deepcopy(LOG)
    log |= {"winner": 0, "changes": {}, "confirmation": [], "why": "no other trial came to its end"}
    log["trials"] = [{**log["trials"][0], "rungs": rungs(None)}]
    page = search_page(log, "x", language)
    assert ("The config stays as it was given." if language == "en" else "配置保持原样。") in page
