"""What is told of training: by hand, from steps that are made up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from truetune.tracking.local import EventLog
from truetune.training.loop import Step
from truetune.workflows.progress import Progress
from truetune.workflows.watching import Watcher, _duration


class Machine:
    """Of a backbone what a watcher asks: 3 operations a piece, 1 a pair, at best 1,000 a second."""

    def work(self, pieces: int, pairs: int) -> float:
        return 3.0 * pieces + pairs

    def best_speed(self) -> float:
        return 1000.0

    def readings(self) -> Mapping[str, float]:
        return {"gpu_memory_bytes": 7}


def step(number: int, **changes: object) -> Step:
    values = {"steps": 10, "epoch": 1, "loss": 0.5, "inputs": 4, "pieces": 80, "pairs": 160, "padding": 0.2}
    return Step(**{"number": number, **values, "learning_rate": 1e-3, "seconds": 0.5, **changes})  # type: ignore[arg-type]


def watched(folder: Path, steps: list[Step]) -> tuple[list[dict[str, object]], list[tuple[int, str]]]:
    bar: list[tuple[int, str]] = []
    with EventLog(folder / "events.jsonl") as log:
        watcher = Watcher(log, Machine(), Progress(quiet=True), "accuracy")  # type: ignore[arg-type]
        for one in steps:
            watcher.seen(one, lambda position, text: bar.append((position, text)))
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()], bar


def test_speed_padding_utilisation_and_time_left_are_shown(tmp_path: Path) -> None:
    """160 pieces in 1 s; 80 of 100 and 80 of 160 computed: 260 - 160 of 260; (3 x 160 + 320) / 1 s of 1,000."""
    _, bar = watched(tmp_path, [step(1), step(2, padding=0.5)])
    assert bar[1][0] == 200
    assert bar[1][1].startswith("loss 0.500, 160 tokens/s, padding 38.5%, 80% of the best matrix product, ")
    assert bar[1][1].endswith(" left")


def test_every_step_evaluation_and_reading_is_logged(tmp_path: Path) -> None:
    scores = {"accuracy": 0.5, "nothing": float("nan")}
    events, _ = watched(tmp_path, [step(1), step(2, scores=scores, averaged={"accuracy": 0.6}, best=True)])
    assert [event["event"] for event in events] == ["machine", "step", "hardware", "step", "evaluation"]
    assert events[0]["best_flops_per_second"] == 1000
    assert events[1]["utilisation"] == 0.8
    assert events[1]["step"] < events[1]["steps"]
    assert events[2]["gpu_memory_bytes"] == 7
    assert {"memory_bytes", "peak_memory_bytes", "processors_busy"} <= set(events[2])
    assert events[4] == {
        "event": "evaluation",
        "step": 2,
        "epoch": 1,
        "scores": {"accuracy": 0.5},
        "averaged": {"accuracy": 0.6},
        "best": True,
    }


@pytest.mark.parametrize(("seconds", "said"), [(4.4, "4 s"), (61, "1 min 01 s"), (7260, "2 h 01 min")])
def test_durations_are_said_in_two_units(seconds: float, said: str) -> None:
    assert _duration(seconds) == said
