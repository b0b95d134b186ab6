"""The files of a run that say how it was made, and those of each system."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from truetune.files import write_json


def common_files(folder: Path, task: str, language: str, labels: Mapping[str, int], metric: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(
        f"task: {task}\ndata:\n  source: builtin:reviews\nmodel:\n  name: builtin:minilm\ntrain:\n  epochs: 3\n",
        encoding="utf-8",
    )
    write_json(
        folder / "manifest.json",
        {
            "truetune": "0.1.0",
            "python": "3.11.7",
            "versions": {"numpy": "2.4.0", "torch": "2.13.0", "transformers": "5.1.0"},
            "platform": "Linux-6.1-x86_64",
            "processor": "x86_64",
            "cores": 2,
            "device": "cpu",
            "dtype": "bfloat16",
            "seed": 0,
            "commit": "93cae73",
            "command": f"truetune finetune {task}.yaml train.epochs=3",
            "started": "2025-06-01T09:30:00Z",
            "finished": "2025-06-01T09:33:20Z",
            "seconds": {"audit": 1.2, "baselines": 8.4, "train": 134.7, "evaluate": 3.9},
            "peak_memory_bytes": 1_503_238_553,
            "data": {"source": "builtin:reviews", "fingerprint": "sha256:9f2c5f7a11d0"},
            "model": {"name": "builtin:minilm", "parameters": 22_713_216, "sha256": "4d1a1f0e7f1b"},
            "task": task,
            "language": language,
        },
    )
    parts = {"train": 7.0, "validation": 0.5, "test": 1.0}
    write_json(
        folder / "data.json",
        {
            "splits": {
                name: {
                    "examples": int(sum(labels.values()) * share),
                    "groups": int(sum(labels.values()) * share * 0.8),
                    "labels": {label: int(count * share) for label, count in labels.items()},
                    "characters": {"median": 84, "p95": 231, "max": 4_500},
                }
                for name, share in parts.items()
            },
            "made": "80% train, 10% validation, 10% test; stratified, seed 0; by group",
            "removed": {"repeated texts dropped": 311, "texts with contrary gold dropped": 0},
            "test_looks": 1,
        },
    )
    write_json(
        folder / "audit.json",
        {
            "findings": [
                {
                    "check": "labels that look alike",
                    "severity": "note",
                    "count": 2,
                    "examples": ["a text with two labels"],
                    "advice": "each pair may be one label in two spellings; join them in the data if so",
                },
                {
                    "check": "repeated texts",
                    "severity": "warning",
                    "count": 311,
                    "examples": ["送餐很快，味道不错", "<b>bold</b>"],
                    "advice": "train holds texts more than once (equal after normalisation); each copy weighs again. "
                    "data.drop_duplicates keeps one",
                },
            ]
        },
    )
    write_events(folder, metric)


def write_events(folder: Path, metric: str) -> None:
    rng = np.random.default_rng(7)
    lines = []
    steps, epochs = 360, 3
    for step in range(1, steps + 1):
        loss = 0.25 + 0.6 * math.exp(-step / 90) + float(abs(rng.normal())) * 0.06
        done = step / steps
        event: dict[str, Any] = {
            "event": "step",
            "step": step,
            "epoch": epochs * done,
            "loss": loss,
            "learning_rate": 1e-4 * (1 - done),
            "tokens": 1024,
            "seconds": 0.37,
        }
        lines.append(event)
        if step % 60 == 0:
            score = 0.93 - 0.25 * math.exp(-step / 110) - (0.01 if step > 280 else 0)
            lines.append(
                {
                    "event": "evaluation",
                    "step": step,
                    "epoch": epochs * done,
                    "scores": {metric: score, "log_loss": 0.3 + 0.1 * math.exp(-step / 90)},
                    "best": step <= 240,
                }
            )
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def write_system(folder: Path, table: pa.Table, evaluation: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "predictions.parquet")
    write_json(folder / "scores.json", evaluation)
