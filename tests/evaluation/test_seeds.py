"""Several runs of a recipe: the spread between runs counts, and a genuine difference is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.cli.main import main
from truetune.errors import DataError, MetricError

RNG = np.random.default_rng(3)
GOLD = RNG.choice(["a", "b", "c"], 400).tolist()


def system(share: float) -> list[str]:
    """Return labels of which about `share` are right."""
    return [label if RNG.random() < share else "abc"[RNG.integers(3)] for label in GOLD]


GOOD = [system(share) for share in (0.88, 0.85, 0.91)]
POOR = [system(share) for share in (0.55, 0.6, 0.5)]


def test_where_runs_differ_much_one_run_is_too_sure_of_itself() -> None:
    result = truetune.seeds(task="classification", gold=GOLD, predicted=[GOOD[0], POOR[0], POOR[1]])
    score = result.score("accuracy")
    one = truetune.evaluate(task="classification", gold=GOLD, predicted=GOOD[0]).score("accuracy")
    assert score.runs[0] == one.value
    assert score.found.value == pytest.approx(np.mean(score.runs))
    assert score.found.high - score.found.low > 2 * (one.high - one.low)
    assert score.found.seed_deviation == pytest.approx(np.std(score.runs, ddof=1), rel=0.1)
    assert np.isnan(score.found.p_value)
    assert "variance components of 3 runs" in score.signature
    assert "f1/a" not in {each.metric for each in result.scores}


def test_a_better_recipe_is_told_from_a_worse_one() -> None:
    result = truetune.seeds(task="classification", gold=GOLD, predicted=GOOD, baseline=POOR)
    score = result.score("f1_macro")
    assert score.found.low > 0.1
    assert score.found.p_value < 0.01
    assert score.found.value == pytest.approx(np.mean(score.runs) - np.mean(score.baseline_runs))
    same = truetune.seeds(task="classification", gold=GOLD, predicted=GOOD, baseline=GOOD).score("f1_macro")
    assert same.found.value == pytest.approx(0, abs=1e-12)
    assert same.found.p_value == pytest.approx(1)


def test_groups_make_the_interval_honest() -> None:
    gold = [{"label": label} for label in GOLD]
    alone = truetune.seeds(task="classification", gold=gold, predicted=GOOD).score("accuracy")
    grouped = truetune.seeds(
        task="classification", gold=gold, predicted=GOOD, group=[place // 8 for place in range(400)]
    ).score("accuracy")
    assert "50 units" in grouped.signature
    assert grouped.found.value == pytest.approx(alone.found.value)


def test_metrics_without_an_interval_say_so() -> None:
    records = [{"label": label, "scores": {name: float(name == label) for name in "abc"}} for label in GOOD[0]]
    result = truetune.seeds(task="classification", gold=GOLD, predicted=[records, records])
    found = result.score("ece").to_dict()
    assert found["value"] is not None
    assert found["low"] is None
    assert "known to cover" in found["reason"]


def test_one_run_shows_no_spread() -> None:
    with pytest.raises(MetricError, match="1 runs and 0 of a baseline"):
        truetune.seeds(task="classification", gold=GOLD, predicted=GOOD[:1])
    with pytest.raises(MetricError, match="2 runs and 1 of a baseline"):
        truetune.seeds(task="classification", gold=GOLD, predicted=GOOD[:2], baseline=POOR[:1])
    with pytest.raises(DataError, match="after: system 2"):
        truetune.seeds(task="classification", gold=GOLD, predicted=[GOOD[0], GOOD[1][1:]])


def write(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps({"label": row}) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_the_command_reads_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = write(tmp_path / "gold.jsonl", GOLD)
    runs = [write(tmp_path / f"run{place}.jsonl", run) for place, run in enumerate(GOOD)]
    base = [write(tmp_path / f"base{place}.jsonl", run) for place, run in enumerate(POOR)]
    words = ["seeds", "--task", "classification", "--gold", gold, "--predicted", *runs]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == ["run0", "run1", "run2"]
    assert found["scores"][0]["p_value"] is None
    assert main([*words, "--baseline", *base]) == 0
    assert "3 runs less 3 of the baseline" in capsys.readouterr().out
    assert main(["seeds", "--predicted", *runs]) == 2
