"""Runs of two real processes, one of which is killed: a clear end, or another in its place, and the same result."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from truetune.backbones.torch_ray import launched_by_ray
from truetune.bundle.run_folder import RunFolder
from truetune.config import from_settings, to_yaml
from truetune.errors import ConfigError, MissingPackageError
from truetune.files import read_json

WORDS = {"pos": ["lovely", "brilliant", "warm"], "neg": ["dull", "tedious", "bad"]}


def config(folder: Path, model: Path, name: str, scale: str = "torchrun", shard: bool = False) -> Path:
    rows = [
        {"text": f"{WORDS[label][place % 3]} film {place} {WORDS[label][place % 2]} plot", "label": label}
        for place in range(60)
        for label in ("pos", "neg")
    ]
    (folder / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings: dict[str, Any] = {
        "task": "classification",
        "data": {"source": str(folder / "reviews.jsonl"), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": 8.0, "learning_rate": 1e-3, "tokens_per_batch": 128, "checkpoint_seconds": 0.0},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "decide": {"calibrate": "temperature", "conformal": "lac"},
        "track": {"output": str(folder / "runs"), "name": name},
        "scale": scale,
        "workers": 2,
        "shard": shard,
    }
    path = folder / f"{name}.yaml"
    path.write_text(to_yaml(from_settings(settings)), encoding="utf-8")
    return path


def started(path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "truetune", "finetune", str(path), *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def children(parent: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()]


def steps_of(run: RunFolder) -> list[dict[str, Any]]:
    if not run.events.exists():
        return []
    lines = [json.loads(line) for line in run.events.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return [line for line in lines if line["event"] == "step"]


def killed(path: Path, run: RunFolder) -> str:
    """Kill one of the two processes after some steps, and return what the command said."""
    process = started(path)
    while len(steps_of(run)) < 10:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    os.kill(children(process.pid)[-1], signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == 2
    return said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes under /proc")
@pytest.mark.parametrize("shard", [False, True])
def test_a_run_of_which_one_process_is_killed_goes_on_to_the_same_result(
    tmp_path: Path, tiny_bert: Path, shard: bool
) -> None:
    broken, unbroken = (RunFolder(tmp_path / "runs" / name) for name in ("broken", "unbroken"))
    said = killed(config(tmp_path, tiny_bert, "broken", shard=shard), broken)
    assert "was killed (SIGKILL), and the others were ended with it" in said
    assert "Go on with --resume" in said
    assert "Traceback" not in said
    done = started(tmp_path / "broken.yaml", "--resume")
    assert done.communicate()[1] is not None
    assert done.returncode == 0
    whole = started(config(tmp_path, tiny_bert, "unbroken", shard=shard))
    whole.communicate()
    assert whole.returncode == 0
    told = [[(step["step"], step["loss"]) for step in steps_of(run)] for run in (broken, unbroken)]
    assert told[0] == told[1]
    assert [number for number, _ in told[0]] == list(range(1, len(told[0]) + 1))
    after = [read_json(run.scores("after"))["scores"] for run in (broken, unbroken)]
    assert after[0] == after[1]
    decided = [read_json(run.decisions) for run in (broken, unbroken)]
    assert decided[0] == decided[1]
    assert decided[0]


def descendants(parent: int) -> list[int]:
    found = children(parent)
    return [*found, *(deeper for one in found for deeper in descendants(one))]


def ray_workers(parent: int) -> list[int]:
    """Return the processes below one in which Ray trains; those that end meanwhile are left out."""
    found = []
    for one in descendants(parent):
        with contextlib.suppress(OSError):
            if b"RayTrainWorker" in Path(f"/proc/{one}/cmdline").read_bytes():
                found.append(one)
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes under /proc")
def test_under_ray_a_lost_process_is_replaced_and_the_result_is_that_of_torchrun(
    tmp_path: Path, tiny_bert: Path
) -> None:
    pytest.importorskip("ray")
    broken, unbroken = (RunFolder(tmp_path / "runs" / name) for name in ("ray", "torchrun"))
    process = started(config(tmp_path, tiny_bert, "ray", "ray"))
    while len(steps_of(broken)) < 10:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    os.kill(ray_workers(process.pid)[-1], signal.SIGKILL)
    said = "".join(process.communicate())
    assert process.returncode == 0, said
    assert "going on from the last checkpoint" in said
    whole = started(config(tmp_path, tiny_bert, "torchrun"))
    whole.communicate()
    assert whole.returncode == 0
    told = [[(step["step"], step["loss"]) for step in steps_of(run)] for run in (broken, unbroken)]
    assert told[0] == told[1]
    after = [read_json(run.scores("after"))["scores"] for run in (broken, unbroken)]
    assert after[0] == after[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes under /proc")
def test_under_ray_a_lost_machine_is_replaced_by_another(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each machine of the cluster is a Ray node of its own with room for one process; one stands by."""
    utils = pytest.importorskip("ray.cluster_utils")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        broken, unbroken = (RunFolder(tmp_path / "runs" / name) for name in ("ray", "torchrun"))
        process = started(config(tmp_path, tiny_bert, "ray", "ray"))
        while len(steps_of(broken)) < 10:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        at_work = [node for node in nodes if ray_workers(node.all_processes["raylet"][0].process.pid)]
        assert at_work  # The other process may be where the cluster is led from.
        cluster.remove_node(at_work[-1], allow_graceful=False)
        said = "".join(process.communicate())
    finally:
        cluster.shutdown()
    assert process.returncode == 0, said
    assert "going on from the last checkpoint" in said
    monkeypatch.delenv("RAY_ADDRESS")
    whole = started(config(tmp_path, tiny_bert, "torchrun"))
    whole.communicate()
    assert whole.returncode == 0
    told = [[(step["step"], step["loss"]) for step in steps_of(run)] for run in (broken, unbroken)]
    assert told[0] == told[1]
    after = [read_json(run.scores("after"))["scores"] for run in (broken, unbroken)]
    assert after[0] == after[1]


def test_ray_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'truetune\[ray\]'"):
        launched_by_ray("truetune.workflows.worker:under_ray", tmp_path, False, 2, print)


def test_several_workers_need_a_scale_and_no_adversary(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"task": "classification", "data": {"source": "x.csv"}, "model": {"name": "m"}}
    with pytest.raises(ConfigError, match="`workers: 2` needs `scale: torchrun` or `scale: ray`"):
        from_settings({**settings, "workers": 2})
    with pytest.raises(ConfigError, match=r"`recipe\.fgm`"):
        from_settings({**settings, "workers": 2, "scale": "torchrun", "recipe": {"fgm": 0.1}})
