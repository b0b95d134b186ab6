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
    "confirming_seconds": 61.0,
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
        "The runs that confirm took 1 min 01 s more.",
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


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("with one of the new seeds they could not be trained: trials 2, 5.", "the same settings as trial 1")),
        ("zh", ("用某个新种子无法训练而排除的试验：2, 5。", "设置与试验 1 相同")),
    ],
)
def test_what_was_left_out_or_not_trained_again_is_told(language: str, said: tuple[str, ...]) -> None:
    log = copy.deepcopy(LOG) | {"not_confirmed": [2, 5]}
    log["trials"][-1] |= {"state": "stopped", "reason": "the same settings as trial 1"}
    page = search_page(log, "x", language)
    assert all(one in page for one in said)
    assert all(one not in search_page(LOG, "x", language) for one in said)


def test_the_chinese_page_is_chinese() -> None:
    page = search_page(LOG, "reviews-search", "zh")
    for text in (
        "采用试验 1",
        "确认用的训练另用",
        "证明比原配置更好",
        "落后最好者",
        "影响最大的设置",
        "种子间标准差",
        "中途停止",
    ):
        assert text in page, text
    assert "shown better" not in page


def searched(trials: int) -> dict[str, Any]:
    """Return a log in which many trials vary two settings."""
    log = copy.deepcopy(LOG)
    log["given"] = {"train.learning_rate": 2e-3, "model.dropout": None}
    changes = [{"train.learning_rate": 1e-5 * 1.1**place, "model.dropout": 0.2} for place in range(1, trials)]
    log["trials"] = [
        {"number": place, "changes": one, "state": "finished", "rungs": rungs(0.5), "reason": "", "lead": 0.01 * place}
        for place, one in enumerate([{}, *changes])
    ]
    log["importances"] = [
        {"key": "train.learning_rate", "share": 0.423, "p_adjusted": 0.0123},
        {"key": "model.dropout", "share": 0.1, "p_adjusted": None},
    ]
    return log


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_settings_did_is_told_and_drawn(language: str) -> None:
    page = search_page(searched(20), "x", language)
    section = page.split('<section id="settings"', 1)[1].split("</section>", 1)[0]
    assert "42.3%" in section
    assert "0.012" in section
    parallel, slices = section.split("<svg", 2)[1:]
    # A line for each trial; a dot for each trial and setting, and the legend's four.
    assert parallel.count("<polyline") == 20
    assert slices.count("<circle") == 2 * 20 + 4
    assert [parallel.count(f'class="{css}"') for css in ("before", "after", "good")] == [2, 2, 6]
    # What the config itself has, 0.002, lies beyond the range and still on the axis.
    assert 'points="-' not in parallel


def test_values_that_need_escaping_are_choices() -> None:
    log = searched(14)
    log["space"][1]["values"] = ["<i>", "😀"]
    for trial in log["trials"][1:]:
        trial["changes"]["model.dropout"] = "<i>"
    page = search_page(log, "x", "en")
    assert "<i>" not in page
    assert "&lt;i&gt;" in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_costs_stand_beside_scores_where_they_count(language: str) -> None:
    log = searched(14)
    log["objectives"] = {"costs": {"latency": "ms", "size": "MiB"}, "give": 0.015}
    for trial in log["trials"]:
        trial["costs"] = {"latency": 12.25 - 0.5 * trial["number"], "size": 40.0}
    log["front"] = [3, 5]
    log["confirmation"] = [{**log["confirmation"][0], "number": 5, "better": False, "kept": True}]
    log |= {"winner": 5, "why": "the cheapest of those shown to keep the score"}
    page = search_page(log, "x", language)
    section = page.split('<section id="front"', 1)[1].split("</section>", 1)[0]
    for text in ("0.015", "12.25", "9.750", "40.00"):
        assert text in section, text
    assert section.count("<circle") == 2 * 14 + 4
    kept = "shown to keep the score" if language == "en" else "证明保住得分"
    assert kept in section
    # The front is trials 3 and 5; 0 is shown beside it.
    assert section.count("<tr>") == 1 + 3


def test_few_trials_or_none_say_so_instead() -> None:
    log = searched(5) | {"importances": []}
    assert "Fewer than 12 trials have a score" in search_page(log, "x", "en")
    log["trials"] = [{**log["trials"][0], "lead": None, "rungs": []}]
    assert "Fewer than 12 trials have a score" in search_page(log, "x", "en")


def test_a_long_table_of_trials_is_folded() -> None:
    assert "All 20 trials" in search_page(searched(20), "x", "en")
    assert "All 12 trials" not in search_page(searched(12), "x", "en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_search_that_found_nothing_and_one_without_scores_have_pages(language: str) -> None:
    log = copy.deepcopy(LOG)
    log |= {"winner": 0, "changes": {}, "confirmation": [], "why": "no other trial came to its end"}
    log["trials"] = [{**log["trials"][0], "rungs": rungs(None)}]
    page = search_page(log, "x", language)
    assert ("The config stays as it was given." if language == "en" else "配置保持原样。") in page
