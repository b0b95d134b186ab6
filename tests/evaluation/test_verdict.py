"""The verdict in words: three lines, both languages, never a p-value of 0."""

from __future__ import annotations

from dataclasses import replace

import pytest

from truetune.evaluation.verdict import p_value, sentence, verdict_of
from truetune.types import Comparison, Score

COMPARISON = Comparison(
    "accuracy", "tfidf-linear", "fine-tuned", 0.05, 0.01, 0.09, 0.00004, 0.00004, 0.03, 30, 10, "better", "exact test"
)
BEFORE = Score("accuracy", 0.8, 0.7, 0.9, 1234, "text", "signature")
AFTER = replace(BEFORE, value=0.85)


def test_the_lines_hold_the_numbers_in_both_languages() -> None:
    verdict = verdict_of(COMPARISON, BEFORE, AFTER, 0.95, 1)
    assert set(verdict.lines) == {"en", "zh"}
    for lines in verdict.lines.values():
        told = " ".join(lines)
        for number in ("0.800", "0.850", "1,234", "tfidf-linear", "+0.050", "+0.010", "+0.090", "< 0.0001", "0.030"):
            assert number in told
    assert verdict.lines["en"][0].startswith("Better: ")
    assert verdict.lines["zh"][0].startswith("更好：")


@pytest.mark.parametrize(("word", "start"), [("worse", "Worse: "), ("no difference found", "No difference found: ")])
def test_other_verdicts_are_said_as_they_are(word: str, start: str) -> None:
    verdict = verdict_of(replace(COMPARISON, verdict=word), BEFORE, AFTER, 0.95, 1)
    assert verdict.lines["en"][0].startswith(start)


def test_a_missing_interval_says_why() -> None:
    unknown = replace(COMPARISON, low=float("nan"), high=float("nan"), reason="one group alone")
    assert "no interval: one group alone" in verdict_of(unknown, BEFORE, AFTER, 0.95, 1).lines["en"][1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "< 0.0001"), (0.0004, "= 0.0004"), (0.04, "= 0.040"), (1.0, "= 1.000"), (float("nan"), "–")],
)
def test_p_values_are_never_zero(value: float, shown: str) -> None:
    assert p_value(value) == shown


def test_looks_are_counted_and_correct_the_p_value() -> None:
    first = verdict_of(COMPARISON, BEFORE, AFTER, 0.95, 1).lines
    assert first["en"][2].endswith("It is the first system whose score on this test set was looked at.")
    corrected = replace(COMPARISON, p_value=0.02, p_adjusted=0.06, verdict="no difference found")
    third = verdict_of(corrected, BEFORE, AFTER, 0.95, 3).lines
    assert third["en"][0].startswith("No difference found: ")
    assert third["zh"][0].startswith("未发现差异：")
    assert third["en"][2].startswith("p = 0.020 ")
    assert third["en"][2].endswith(
        "looked at for 3 systems: over that many looks p = 0.060 (Bonferroni), from which the verdict comes."
    )
    assert "已为 3 个系统打开过" in third["zh"][2]
    assert "p = 0.060，结论由它得出" in third["zh"][2]


def test_a_comparison_in_one_sentence() -> None:
    assert sentence(COMPARISON, 0.95) == (
        "fine-tuned against tfidf-linear: better. accuracy +0.050, 95% interval +0.010 to +0.090; p < 0.0001 by exact "
        "test; a difference of 0.030 would be found four times in five."
    )
    nan = float("nan")
    unknown = replace(COMPARISON, low=nan, high=nan, detectable=nan, reason="all alike", correction="max-T")
    assert sentence(unknown, 0.9).endswith("+0.050, no interval (all alike); p < 0.0001 by exact test, adjusted.")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("not worse", "not worse by 0.02"),
        ("equivalent", "equivalent within 0.02"),
        ("not shown", "not shown within 0.02"),
    ],
)
def test_with_a_margin_the_question_is_another_one(word: str, told: str) -> None:
    said = sentence(replace(COMPARISON, verdict=word, p_margin=0.012), 0.95, 0.02)
    assert said.startswith(f"fine-tuned against tfidf-linear: {told}. ")
    assert "; p = 0.012; a difference" in said
