"""Preferences from files and lists: ratings by hand, groups, orders, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.cli.main import main
from truetune.errors import DataError, MetricError
from truetune.stats.plan import Plan

FAST = Plan(resamples=400)


def game(a: str, b: str, winner: str, **more: Any) -> dict[str, Any]:
    return {"a": a, "b": b, "winner": winner, **more}


GAMES = [game("x", "y", "a")] * 30 + [game("y", "x", "a")] * 10 + [game("z", "y", "tie")] * 20


def test_ratings_by_hand() -> None:
    result = truetune.preference(GAMES, plan=FAST)
    x, y, z = (result.score(f"bradley_terry/{name}") for name in "xyz")
    assert x.value - y.value == pytest.approx(400 * np.log10(3))
    assert z.value == pytest.approx(y.value)
    assert x.low < x.value < x.high
    assert (x.examples, y.examples, x.unit) == (40, 60, "game")
    assert result.score("win_rate/x").value == pytest.approx(30 / 40)
    assert result.score("win_rate/y").value == pytest.approx((10 + 10) / 60)
    assert result.score("win_rate/x").low < 0.75 < result.score("win_rate/x").high
    assert result.score("elo/x").value > result.score("elo/y").value
    assert result.points.tolist() == [[0, 30, 0], [10, 0, 10], [0, 10, 0]]
    assert result.to_dict()["win_rates"] == {
        "x": {"y": 0.75, "z": None},
        "y": {"x": 0.25, "z": 0.5},
        "z": {"x": None, "y": 0.5},
    }


def test_order_matters_to_elo_alone() -> None:
    one, other = truetune.preference(GAMES, plan=FAST), truetune.preference(GAMES[::-1], plan=FAST)
    assert one.score("bradley_terry/x").value == pytest.approx(other.score("bradley_terry/x").value)
    assert one.score("elo/x").value != other.score("elo/x").value


def test_games_of_a_judge_are_drawn_together() -> None:
    """Ten copies of a judge's game are no ten games."""
    games = [game("x", "y", "ab"[place % 3 == 0], judge=f"j{place}") for place in range(60) for _ in range(10)]

    def width(result: Any, metric: str) -> float:
        score = result.score(metric)
        return float(score.high - score.low)

    alone, together = truetune.preference(games, plan=FAST), truetune.preference(games, group="judge", plan=FAST)
    for metric in ("bradley_terry/x", "win_rate/x"):
        assert width(together, metric) > 2 * width(alone, metric)
    assert "groups of games" in together.score("bradley_terry/x").signature


def test_a_system_that_never_lost_needs_a_prior() -> None:
    games = [game("top", "x", "a"), game("x", "y", "a"), game("y", "x", "a")] * 10
    score = truetune.preference(games, plan=FAST).score("bradley_terry/top")
    assert np.isnan(score.value)
    assert "outside of top has beaten" in score.reason
    finite = truetune.preference(games, prior=1.0, plan=FAST).score("bradley_terry/top")
    assert finite.value > 1000
    assert "1 prior ties" in finite.signature
    with pytest.raises(MetricError, match="prior is -1"):
        truetune.preference(games, prior=-1)


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_the_command_prints_ratings_and_the_matrix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "games.jsonl", GAMES)
    assert main(["preference", file, "--resamples", "200", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["systems"] == ["x", "y", "z"]
    assert found["win_rates"]["x"]["y"] == 0.75
    assert {"bradley_terry/x", "elo/x", "win_rate/x"} <= {score["metric"] for score in found["scores"]}
    assert main(["preference", file, "--resamples", "200"]) == 0
    assert "share of points" in capsys.readouterr().out


def test_evaluate_reads_the_task_from_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = write(tmp_path / "gold.jsonl", [{"a": one["a"], "b": one["b"]} for one in GAMES])
    said = write(tmp_path / "said.jsonl", [{"winner": one["winner"]} for one in GAMES])
    base = ["evaluate", "--task", "preference", "--gold", gold, "--predicted", said, "--resamples", "200"]
    assert main([*base, "--json", "--html", str(tmp_path / "page.html")]) == 0
    found = {score["metric"]: score for score in json.loads(capsys.readouterr().out)["scores"]}
    assert found["win_rate/x"]["value"] == 0.75
    same = {score.metric: score for score in truetune.preference(GAMES, plan=Plan(resamples=200)).scores}
    assert set(found) == set(same)
    assert found["bradley_terry/x"]["low"] == same["bradley_terry/x"].low
    assert (tmp_path / "page.html").exists()
    assert main([*base, "--json", "--metric", "bradley_terry", "--metric", "elo/x"]) == 0
    asked = [score["metric"] for score in json.loads(capsys.readouterr().out)["scores"]]
    assert asked == ["bradley_terry/x", "bradley_terry/y", "bradley_terry/z", "elo/x"]
    assert main([*base, "--metric", "bradly_terry"]) == 2
    assert main(["compare", *base[1:-2], said]) == 2, "two judges are compared by a system's win rate"
    assert "win_rate" in capsys.readouterr().err
    assert main(["compare", *base[1:-2], said, "--metric", "win_rate/x"]) == 1


@pytest.mark.parametrize(
    ("games", "message"),
    [
        ([game("x", "x", "a")], "'x' is compared with itself"),
        ([game("x", "y", "c")], "expected 'a', 'b' or 'tie', found 'c'"),
        ([{"a": "x", "b": "y"}], "`winner`"),
        ([], "holds no example"),
    ],
)
def test_wrong_games_are_named(games: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        truetune.preference(games, plan=FAST)
