"""What a process of training holds in memory, with all weights and with a share of them (`shard: true`).

    python benchmarks/shard_memory.py [--model builtin:e5-small-multi] [--workers 2]

Three steps of classification with the embeddings trained whole, in float32 on processors; printed is what the first
process holds after them (resident memory, without what it held before the model was loaded), and its greatest.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
from pathlib import Path

import numpy as np

TEXTS = [f"a short text of some words, number {number}" for number in range(16)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--model", default="builtin:e5-small-multi")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--as-worker", choices=("whole", "share"), help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    from truetune.backbones.builtin import builtin_folder

    name = chosen.model
    place = str(builtin_folder(name.removeprefix("builtin:"), lambda _: None)) if name.startswith("builtin:") else name
    if chosen.as_worker:
        measured(place, chosen.as_worker)
        return
    from truetune.backbones.torch_launch import launched

    print(f"{platform.machine()}, {name}, {chosen.workers} processes", flush=True)
    for how in ("whole", "share"):
        launched([__file__, "--model", place, "--as-worker", how], chosen.workers)


def measured(place: str, how: str) -> None:
    """Train as one of the processes, and print what it took."""
    from truetune.backbones.base import ModelSettings, Recipe
    from truetune.backbones.torch import load_backbone, load_tokenizer
    from truetune.backbones.torch_together import joined
    from truetune.data.batch import padded, target_number
    from truetune.tasks.base import Labels, Lengths
    from truetune.tasks.classify_encoding import encode

    labels = Labels(("even", "odd"))
    settings = ModelSettings(place, "classify", labels.names, precision="float32", device="cpu")
    with joined(how == "share") as processes:
        tokenizer = load_tokenizer(settings)
        gold = {"label": [labels.names[number % 2] for number in range(len(TEXTS))]}
        inputs = encode([TEXTS], gold, labels, tokenizer, Lengths(64)).inputs
        before = resident()
        backbone = load_backbone(settings, Recipe(), tokenizer, None, processes)
        batch = padded(inputs, np.arange(processes.rank, len(inputs), processes.size), tokenizer.pad)
        for _ in range(3):
            backbone.train_step([batch], dict.fromkeys(backbone.groups, 1e-5), len(inputs))
        assert target_number(batch) == len(inputs) // processes.size
        if not processes.rank:
            held, most = resident() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            weights = backbone.facts["trained_parameters"] * 4 / 2**30
            print(f"{how}: {held:.2f} GiB held, {most:.2f} GiB at most; the weights are {weights:.2f} GiB", flush=True)


def resident() -> float:
    """Return the memory of this process in GiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**30


if __name__ == "__main__":
    sys.exit(main())
