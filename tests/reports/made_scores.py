"""Scores, a comparison and its verdict as a run has them, computed from what simulated systems predict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from truetune.metric import Metric, PerLabel
from truetune.reports.metric_names import LOWER
from truetune.rows import Rows

METHOD = "BCa bootstrap, 60 resamples, seed 0"


TEST = "exact McNemar test (mid-p)"


def named_values(family: Metric | PerLabel, rows: Rows, counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return name -> values `[resamples]` of a metric, or of each label of a metric by label."""
    if not isinstance(family, PerLabel):
        return {family.name: np.atleast_1d(family.value(rows, counts))}
    with np.errstate(divide="ignore", invalid="ignore"):
        values = family.formula(rows.totals(counts))
    return {f"{family.name}/{label}": values[:, place] for place, label in enumerate(rows.labels)}


def scored(metrics: Sequence[Metric | PerLabel], gold: Mapping[str, Any], predicted: Mapping[str, Any]) -> list[Any]:
    """Return the scores of the evaluate JSON; intervals by a plain percentile bootstrap."""
    found = []
    for family in metrics:
        rows = family.rows(gold[family.gold], predicted[family.predicted])
        draws = np.random.default_rng(0).multinomial(len(rows), rows.counts / len(rows), size=60)
        values = named_values(family, rows, rows.counts[None, :])
        for name, resampled in named_values(family, rows, draws).items():
            value = float(values[name][0])
            resampled = resampled[np.isfinite(resampled)]
            known = len(resampled) > 12 and family.interval != "none" and math.isfinite(value)
            low, high = np.quantile(resampled, (0.025, 0.975)).tolist() if known else (None, None)
            reason = None if known else f"no interval of {name} is known to cover"
            found.append(
                {
                    "metric": name,
                    "value": value if math.isfinite(value) else None,
                    "low": low,
                    "high": high,
                    "examples": len(rows),
                    "unit": family.unit,
                    "signature": f"{family.definition}; unit {family.unit}; 95% interval by {METHOD}",
                    "reason": reason if math.isfinite(value) else family.undefined,
                }
            )
    return found


def compared(before: Mapping[str, Any], after: Mapping[str, Any], flips: tuple[int, int]) -> dict[str, Any]:
    """Return the compare JSON; standard errors by the normal approximation from both intervals."""
    earlier = {score["metric"]: score for score in before["scores"]}
    ones = []
    for score in after["scores"]:
        old = earlier.get(score["metric"])
        if "/" in score["metric"] or not old or None in (old["low"], old["value"], score["low"], score["value"]):
            continue
        difference = score["value"] - old["value"]
        lower = score["metric"] in LOWER
        error = math.hypot(score["high"] - score["low"], old["high"] - old["low"]) / 3.92 * 0.8 or 1e-9
        p = max(math.erfc(abs(difference) / error / math.sqrt(2)), 1e-7)
        ones.append(
            {
                "metric": score["metric"],
                "baseline": before["system"],
                "candidate": after["system"],
                "difference": difference,
                "low": difference - 1.96 * error,
                "high": difference + 1.96 * error,
                "p_value": p,
                "p_adjusted": p if score["metric"] == after["primary"] else min(1.0, 3 * p),
                "detectable": 2.8 * error,
                "gained": flips[0],
                "lost": flips[1],
                "verdict": "no difference found" if p > 0.05 else ("better" if (difference > 0) != lower else "worse"),
                "signature": f"{TEST}; Tango score interval; truetune 0.1.0",
                "reason": None,
            }
        )
    ones.sort(key=lambda one: one["metric"] != after["primary"])
    systems = [before["system"], after["system"]]
    return {"systems": systems, "primary": after["primary"], "comparisons": ones, "warnings": []}


def shown_p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"


def verdict_lines(comparison: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    one = comparison["comparisons"][0]
    first, last = (next(s for s in part["scores"] if s["metric"] == one["metric"]) for part in scores)
    bounds = f"{one['low']:+.3f} to {one['high']:+.3f}"
    zh = {"better": "更好", "worse": "更差"}.get(one["verdict"], "未发现差异")
    return {
        "metric": one["metric"],
        "verdict": one["verdict"],
        "lines": {
            "en": [
                f"{one['verdict'].capitalize()}: {one['metric']} {first['value']:.3f} before ({one['baseline']}), "
                f"{last['value']:.3f} after fine-tuning, on {last['examples']:,} test examples.",
                f"Difference {one['difference']:+.3f}, 95% interval {bounds}.",
                f"p {shown_p(one['p_value'])} ({TEST}); a difference of {one['detectable']:.3f} would be "
                "found four times in five. This is one training run: another seed may score differently.",
            ],
            "zh": [
                f"{zh}：在 {last['examples']:,} 个测试样本上，{one['metric']} 微调前 {first['value']:.3f}"
                f"（{one['baseline']}），微调后 {last['value']:.3f}。",
                f"差值 {one['difference']:+.3f}，95% 区间 {one['low']:+.3f} 至 {one['high']:+.3f}。",
                f"p {shown_p(one['p_value'])}（{TEST}）；{one['detectable']:.3f} 的差异五次中能发现四次。"
                "这只是一次训练：换一个随机种子，得分可能不同。",
            ],
        },
    }
