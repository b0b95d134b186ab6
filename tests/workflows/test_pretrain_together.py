"""Pretraining by two processes: the same losses, scores and weights as by one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from truetune.bundle.run_folder import RunFolder
from truetune.files import read_json

LINES = [
    f"the {animal} {deed} the {place} {number}"
    for number, (animal, deed, place) in enumerate(
        (animal, deed, place)
        for animal in ("cat", "fish", "bird", "horse", "snail")
        for deed in ("leaves", "sees", "likes", "enters", "loses")
        for place in ("house", "river", "tree", "field", "town")
    )
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "family", "packing"),
    [("masked-language-modeling", "bert", False), ("language-modeling", "gpt2", True)],
)
def test_two_processes_learn_what_one_does(
    task: str, family: str, packing: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (tmp_path / "corpus.txt").write_text("\n".join(LINES), encoding="utf-8")
    runs = []
    for workers in (1, 2):
        settings = {
            "task": task,
            "data": {"source": str(tmp_path / "corpus.txt"), "validation_share": 0.2, "test_share": 0.2},
            "model": {"name": str(request.getfixturevalue(f"tiny_{family}")), "dtype": "float32", "dropout": 0.0},
            "train": {"epochs": 4.0, "learning_rate": 1e-3, "tokens_per_batch": 128, "packing": packing},
            "evaluate": {"resamples": 200},
            "track": {"output": str(tmp_path / "runs"), "name": f"by-{workers}"},
            "scale": "single" if workers == 1 else "torchrun",
            "workers": workers,
        }
        file = tmp_path / f"by-{workers}.yaml"
        file.write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "truetune", "pretrain", str(file)]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True)
        runs.append(RunFolder(tmp_path / "runs" / f"by-{workers}"))
    losses = [
        [one["loss"] for one in map(json.loads, run.events.read_text(encoding="utf-8").splitlines()) if "loss" in one]
        for run in runs
    ]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    assert losses[0][-1] < losses[0][0]
    values = [[one["value"] for one in read_json(run.scores("after"))["scores"]] for run in runs]
    assert values[1] == pytest.approx(values[0], rel=1e-3)
    one, other = (load_file(run.model / "model.safetensors") for run in runs)
    assert one.keys() == other.keys()
    assert all(np.allclose(one[name], other[name], atol=1e-3) for name in one)
