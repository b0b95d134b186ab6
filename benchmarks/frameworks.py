"""What a step and a prediction cost with PyTorch and with TensorFlow, in processor time on one thread.

    OMP_NUM_THREADS=1 python benchmarks/frameworks.py [MODEL]

Processor time, because other work on a machine does not sway it; the two take turns, and the fastest of each counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from truetune.backbones.base import Backbone, ModelSettings, Recipe
from truetune.backbones.builtin import builtin_folder
from truetune.backbones.choice import load_backbone
from truetune.backbones.pretrained import load_tokenizer
from truetune.types import Batch

ROWS, LENGTH, TURNS = 32, 32, 5


def batch_for(backbone: Backbone, rng: np.random.Generator) -> Batch:
    ids = rng.integers(1000, 20_000, (ROWS, LENGTH))
    filled = np.ones_like(ids, dtype=bool)
    return Batch(ids, filled, np.zeros_like(ids), rng.integers(0, 2, ROWS), np.arange(ROWS))


def seconds(work: Callable[[], Any]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "builtin:minilm-en"
    place = str(builtin_folder(name.removeprefix("builtin:"), print)) if name.startswith("builtin:") else name
    settings = ModelSettings(place, "classify", ("a", "b"), precision="float32", device="cpu")
    works: dict[str, dict[str, Callable[[], Any]]] = {}
    for framework in ("pytorch", "tensorflow"):
        backbone = load_backbone(framework, settings, Recipe(), load_tokenizer(settings))
        batch, rates = batch_for(backbone, np.random.default_rng(0)), dict.fromkeys(backbone.groups, 1e-5)
        works[framework] = {
            "step": lambda backbone=backbone, batch=batch, rates=rates: backbone.train_step([batch], rates, ROWS),
            "prediction": lambda backbone=backbone, batch=batch: backbone.predict(batch),
        }
    print(f"{name}, float32, {ROWS} inputs of {LENGTH} pieces; processor seconds: the first, then the best of {TURNS}")
    first = {key: {what: seconds(work) for what, work in own.items()} for key, own in works.items()}
    best: dict[str, dict[str, float]] = {key: dict.fromkeys(own, float("inf")) for key, own in works.items()}
    for _ in range(TURNS):
        for key, own in works.items():
            for what, work in own.items():
                best[key][what] = min(best[key][what], seconds(work))
    for key, own in best.items():
        print(key, *(f"{what}: {first[key][what]:.2f}, {value:.3f}" for what, value in own.items()))


if __name__ == "__main__":
    main()
