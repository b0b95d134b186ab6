"""What trackers really wrote is read back: TensorBoard's event files, W&B's offline file, MLflow's store."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from truetune.errors import MissingPackageError
from truetune.tracking.mlflow import allowed
from truetune.tracking.trackers import Begin, Outcome, Trackers, need_trackers, opened_trackers
from truetune.tracking.wandb import mode

EVENTS = [
    {"event": "step", "step": 1, "epoch": 0.5, "loss": 0.75, "learning_rate": 1e-4, "seconds": 0.1, "tokens": 64},
    {"event": "step", "step": 2, "epoch": 1.0, "loss": 0.5, "learning_rate": 2e-4, "seconds": 0.1, "tokens": 64},
    {"event": "evaluation", "step": 2, "epoch": 1.0, "scores": {"accuracy": 0.875, "hits@1": 0.5}, "best": True},
]


def score(metric: str, value: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {"metric": metric, "value": value, "low": low, "high": high, "examples": 40, "signature": "Wilson | 95%"}


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    run = tmp_path / "run 一"
    return Begin("run 一", run / "tracking", tmp_path, "项目", {"task": "ner", "train": {"epochs": 2.0}})


@pytest.fixture
def outcome(begin: Begin) -> Outcome:
    run = begin.folder.parent
    (run / "model").mkdir(parents=True)
    (run / "report.html").write_text("<p>The report 报告</p>", encoding="utf-8")
    (run / "model" / "README.md").write_text("card", encoding="utf-8")
    scores = {"before": [score("accuracy", 0.5, 0.4, 0.6)], "after": [score("accuracy", 0.9, 0.8, None)]}
    return Outcome(scores, run / "report.html", (run / "model" / "README.md",))


FINAL = {
    "before/accuracy": 0.5,
    "before.low/accuracy": 0.4,
    "before.high/accuracy": 0.6,
    "after/accuracy": 0.9,
    "after.low/accuracy": 0.8,
}
"""An undefined bound is left out, never 0."""


def follow(name: str, begin: Begin, outcome: Outcome | None) -> None:
    said: list[str] = []
    trackers = opened_trackers([name], begin, said.append)
    for event in EVENTS:
        trackers.event(event)
    trackers.finish(outcome)
    assert said == []


def test_tensorboard_reads_curves_scores_and_texts(begin: Begin, outcome: Outcome) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    follow("tensorboard", begin, outcome)
    follow("tensorboard", begin, outcome)  # a run that goes on replaces what its first start wrote
    (file,) = (begin.folder / "tensorboard").iterdir()
    found = EventAccumulator(str(file))
    found.Reload()
    assert [(one.step, one.value) for one in found.Scalars("train/loss")] == [(1, 0.75), (2, 0.5)]
    assert [(one.step, one.value) for one in found.Scalars("validation/accuracy")] == [(2, 0.875)]
    for name, value in FINAL.items():
        assert found.Scalars(name)[0].value == pytest.approx(value)
    assert "after.high/accuracy" not in found.Tags()["scalars"]
    texts = {tag: make_ndarray(found.Tensors(tag)[0].tensor_proto).item().decode() for tag in found.Tags()["tensors"]}
    assert "epochs: 2.0" in texts["config"]
    assert "| after | accuracy | 0.9000 | 0.8000 | – | 40 | Wilson \\| 95% |" in texts["scores"]
    assert texts["report"] == str(outcome.report)
    assert "README.md" in texts["files"]


def wandb_records(folder: Path) -> Iterator[Any]:
    """Yield what an offline file holds: after 7 bytes, blocks of 32 KiB of LevelDB's log with protobuf records."""
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    content, place, parts = file.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            record = Record()
            record.ParseFromString(parts)
            parts = b""
            yield record


def whole_file(folder: Path) -> list[Any]:
    """Return the records once the last is there: W&B's own process may write it after `finish` has returned."""
    for _ in range(200):
        records = list(wandb_records(folder))
        if records and records[-1].HasField("exit"):
            return records
        time.sleep(0.1)
    raise AssertionError("the file never came to its end")


def items(found: Any) -> dict[str, Any]:
    return {"/".join(one.nested_key) or one.key: json.loads(one.value_json) for one in found}


def test_weights_and_biases_writes_offline_without_an_account(begin: Begin, outcome: Outcome) -> None:
    follow("wandb", begin, outcome)
    records = whole_file(begin.folder)
    runs = [one.run for one in records if one.HasField("run")]
    assert (runs[0].project, runs[0].display_name) == (begin.project, begin.name)
    assert items(runs[0].config.update)["train"] == {"epochs": 2.0}
    assert not runs[0].host
    history = [items(one.history.item) for one in records if one.HasField("history")]
    assert [one["train/loss"] for one in history if "train/loss" in one] == [0.75, 0.5]
    assert [one["validation/hits@1"] for one in history if "validation/hits@1" in one] == [0.5]
    summary: dict[str, Any] = {}
    for one in records:
        if one.HasField("summary"):
            summary |= items(one.summary.update)
    assert {name: summary[name] for name in FINAL} == FINAL
    (artefact,) = [one.artifact for one in records if one.HasField("artifact") and one.artifact.type == "run"]
    assert {entry.path for entry in artefact.manifest.contents} >= {"model/README.md"}
    (page,) = begin.folder.rglob("media/html/report*.html")
    assert page.read_text(encoding="utf-8") == "<p>The report 报告</p>"
    (table,) = begin.folder.rglob("scores*.table.json")
    assert ["after", "accuracy", 0.9, 0.8, None, 40, "Wilson | 95%"] in json.loads(table.read_text())["data"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "offline"),
        ({"WANDB_API_KEY": "k"}, "online"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "offline"),
        ({"WANDB_MODE": "disabled"}, "disabled"),
    ],
)
def test_without_a_key_weights_and_biases_stays_offline(environment: Mapping[str, str], expected: str) -> None:
    assert mode(environment) == expected


def test_mlflow_reads_settings_curves_scores_and_files(begin: Begin, outcome: Outcome) -> None:
    from mlflow import MlflowClient

    follow("mlflow", begin, outcome)
    client = MlflowClient(tracking_uri=(begin.shared / "mlruns").as_uri())
    experiment = client.get_experiment_by_name(begin.project)
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == (begin.name, "FINISHED")
    assert run.data.params == {"task": "ner", "train.epochs": "2.0"}
    losses = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(one.step, one.value) for one in losses] == [(1, 0.75), (2, 0.5)]
    assert run.data.metrics["validation/hits-1"] == 0.5
    assert {name: run.data.metrics[name] for name in FINAL} == FINAL
    assert {one.path for one in client.list_artifacts(run.info.run_id)} == {"report.html", "model"}
    assert [one.path for one in client.list_artifacts(run.info.run_id, "model")] == ["model/README.md"]


def test_a_run_that_broke_off_is_marked_as_failed(begin: Begin) -> None:
    from mlflow import MlflowClient

    follow("mlflow", begin, None)
    client = MlflowClient(tracking_uri=(begin.shared / "mlruns").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name(begin.project).experiment_id])
    assert run.info.status == "FAILED"


def test_names_that_mlflow_refuses_are_made_fit() -> None:
    assert allowed("after/f1/好评") == "after/f1.好评"
    assert allowed("validation/hits@1 (a+b)") == "validation/hits-1 -a-b-"


class Failing:
    def event(self, event: Mapping[str, Any]) -> None:
        raise OSError("no network")

    def finish(self, outcome: Outcome | None) -> None:
        raise AssertionError("it was left out already")


def broken() -> Failing:
    raise RuntimeError("no server")


def test_a_tracker_that_fails_is_told_once_and_left_out() -> None:
    said: list[str] = []
    trackers = Trackers([("wandb", Failing), ("mlflow", broken)], said.append)
    for event in EVENTS:
        trackers.event(event)
    trackers.finish(None)
    assert said == [
        "track.to mlflow: RuntimeError: no server; the run goes on without it",
        "track.to wandb: OSError: no network; the run goes on without it",
    ]


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    need_trackers(["tensorboard", "wandb", "mlflow"])
    monkeypatch.setitem(__import__("truetune.tracking.trackers", fromlist=["x"]).PACKAGES, "wandb", "no_such_package")
    with pytest.raises(MissingPackageError, match=r"truetune\[wandb\]"):
        need_trackers(["wandb"])
