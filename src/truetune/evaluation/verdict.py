"""The verdict in three lines: better or not, by how much, how sure. English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from truetune.types import Comparison, Score

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "better": "Better",
        "worse": "Worse",
        "no difference found": "No difference found",
        "scores": "{verdict}: {metric} {before} before ({system}), {after} after {work}, on {examples} test examples.",
        "difference": "Difference {difference}, {level} interval {low} to {high}.",
        "difference alone": "Difference {difference}, no interval: {reason}.",
        "sure": "p {p} ({method}); a difference of {detectable} would be found four times in five. "
        "This is one training run: another seed may score differently.",
        "first": "It is the first system whose score on this test set was looked at.",
        "looks": "This test set was looked at for {looks} systems: over that many looks p {p} (Bonferroni), "
        "from which the verdict comes.",
    },
    "zh": {
        "better": "更好",
        "worse": "更差",
        "no difference found": "未发现差异",
        "scores": "{verdict}：在 {examples} 个测试样本上，{metric} {work}前 {before}（{system}），{work}后 {after}。",
        "difference": "差值 {difference}，{level} 区间 {low} 至 {high}。",
        "difference alone": "差值 {difference}，无区间：{reason}。",
        "sure": "p {p}（{method}）；{detectable} 的差异五次中能发现四次。"
        "这只是一次训练：换一个随机种子，得分可能不同。",
        "first": "这是第一个在该测试集上看过得分的系统。",
        "looks": "该测试集已为 {looks} 个系统打开过：按打开次数做 Bonferroni 校正后 p {p}，结论由它得出。",
    },
}

Work = Literal["fine-tuning", "pretraining"]
WORK: Mapping[str, Mapping[Work, str]] = {
    "en": {"fine-tuning": "fine-tuning", "pretraining": "pretraining"},
    "zh": {"fine-tuning": "微调", "pretraining": "预训练"},
}

JOINTS = {"en": " ", "zh": ""}
"""What stands between two sentences."""


@dataclass(frozen=True)
class Verdict:
    """What a run's first lines say, in both languages, with the numbers that they were made of."""

    metric: str
    verdict: str
    lines: Mapping[str, tuple[str, str, str]]


def verdict_of(
    comparison: Comparison, before: Score, after: Score, level: float, looks: int, work: Work = "fine-tuning"
) -> Verdict:
    """Return the verdict that a paired comparison of `before` and `after` gives.

    `looks` is for how many systems, this one included, the test set was opened: the comparison is one that allows
    for them (`Gate.earlier`). `work` is what was done to the model.
    """
    lines = {}
    for language in WORDS:
        scores, difference, sure = _lines(comparison, (before, after), (language, WORK[language][work]), level)
        lines[language] = scores, difference, sure + JOINTS[language] + _looks(comparison, language, looks)
    return Verdict(comparison.metric, comparison.verdict, lines)


def sentence(one: Comparison, level: float, margin: float | None = None) -> str:
    """Return a comparison as a sentence in English: the verdict, by how much, how sure, what could have been seen.

    The p-value is the adjusted one, from which the verdict comes; with a `margin` that of being worse by it.
    """
    verdict: str = one.verdict
    if margin is not None:
        verdict = {"not worse": "not worse by", "equivalent": "equivalent within", "not shown": "not shown within"}.get(
            verdict, verdict
        ) + f" {margin:g}"
    bounds = f"no interval ({one.reason})"
    if math.isfinite(one.low) and math.isfinite(one.high):
        bounds = f"{level:.0%} interval {signed(one.low)} to {signed(one.high)}"
    method = one.signature.partition("; ")[0]
    sure = f"p {p_value(one.p_adjusted if margin is None else one.p_margin)}"
    if margin is None:
        sure += f" by {method}" + (", adjusted" if one.correction else "")
    seen = f"; a difference of {number(one.detectable)} would be found four times in five"
    return (
        f"{one.candidate} against {one.baseline}: {verdict}. {one.metric} {signed(one.difference)}, {bounds}; "
        f"{sure}{seen if math.isfinite(one.detectable) else ''}."
    )


def _lines(
    comparison: Comparison, scores: tuple[Score, Score], said: tuple[str, str], level: float
) -> tuple[str, str, str]:
    (before, after), (language, work) = scores, said
    words = WORDS[language]
    known = math.isfinite(comparison.low) and math.isfinite(comparison.high)
    return (
        words["scores"].format(
            verdict=words[comparison.verdict],
            metric=comparison.metric,
            before=number(before.value),
            after=number(after.value),
            work=work,
            system=comparison.baseline,
            examples=f"{after.examples:,}",
        ),
        words["difference" if known else "difference alone"].format(
            difference=signed(comparison.difference),
            level=f"{level:.0%}",
            low=signed(comparison.low),
            high=signed(comparison.high),
            reason=comparison.reason,
        ),
        words["sure"].format(
            p=p_value(comparison.p_value),
            method=comparison.signature.partition("; ")[0],
            detectable=number(comparison.detectable),
        ),
    )


def _looks(comparison: Comparison, language: str, looks: int) -> str:
    words = WORDS[language]
    if looks < 2:
        return words["first"]
    return words["looks"].format(looks=looks, p=p_value(comparison.p_adjusted))


def number(value: float) -> str:
    """Return a score with three digits after the point; an undefined one is a dash."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return f"{value:+.3f}" if math.isfinite(value) else "–"


def p_value(value: float) -> str:
    """Return `= 0.012`, or `< 0.0001`, never 0."""
    if not math.isfinite(value):
        return "–"
    return "< 0.0001" if value < 0.0001 else f"= {value:.{3 if value >= 0.001 else 4}f}"
