"""Two processes against one on this machine: the same losses, and the speed that its processors allow.

    python benchmarks/together_speed.py [--model builtin:minilm-en] [--texts 512] [--tokens 1024 4096] [--repeats 5]

Each measurement learns the same texts of SST-2 once, without dropout, in float32, with so many pieces a step: by one
process with one thread, by one with two, and by two with a thread each (gloo), in turns. Printed are medians of
labelled sentences a second, and the greatest difference of any step's loss from that of one process with one thread.
Data come from the folder that TRUETUNE_DATA (or --data) names.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

WAYS = {"1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2), "2 processes, 1 thread each": (2, 2)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    arguments.add_argument("--model", default="builtin:minilm-en")
    arguments.add_argument("--texts", type=int, default=512)
    arguments.add_argument("--tokens", type=int, nargs="+", default=[1024, 4096])
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--measure", type=int, metavar="PROCESSES", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.data is None:
        arguments.error("name the data folder: set TRUETUNE_DATA or give --data")
    if chosen.measure:
        measured(chosen)
        return
    from training import described, folder_of

    described()
    chosen.model = folder_of(chosen.model)
    print("| pieces a step | way | sentences/s | against one thread | greatest difference of a loss |")
    print("|---|---|---|---|---|")
    for tokens in chosen.tokens:
        compared(chosen, tokens)


def compared(chosen: argparse.Namespace, tokens: int) -> None:
    """Print the rows of one size of steps."""
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(chosen.repeats):
        for way, (processes, threads) in WAYS.items():
            command = [sys.executable, __file__, "--measure", str(processes), "--data", str(chosen.data)]
            command += ["--model", chosen.model, "--texts", str(chosen.texts), "--tokens", str(tokens)]
            if processes > 1:
                command[1:1] = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
            # The threads of a machine are shared by the processes that train on it together.
            environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "GLOO_SOCKET_IFNAME": "lo"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stderr)
            found[way].append(json.loads(done.stdout.splitlines()[-1]))
    alone = found["1 process, 1 thread"]
    for way, some in found.items():
        speed = statistics.median(one["speed"] for one in some)
        ratio = statistics.median(one["speed"] / other["speed"] for one, other in zip(some, alone, strict=True))
        apart = max(np.abs(np.array(one["losses"]) - alone[0]["losses"]).max() for one in some)
        print(f"| {tokens:,} | {way} | {speed:.1f} | {ratio:.2f}x | {apart:.1e} |", flush=True)


def measured(chosen: argparse.Namespace) -> None:
    """Learn as one process, or as one of several; the first prints losses and sentences a second."""
    from training import labels_of, sst_part
    from truetune.backbones.base import ModelSettings, Recipe
    from truetune.backbones.torch import load_backbone, load_tokenizer, used_pieces
    from truetune.tasks.base import Lengths
    from truetune.tasks.classification import CLASSIFICATION
    from truetune.training.loop import train
    from truetune.training.order import Plan
    from truetune.training.stopping import Selection

    training = CLASSIFICATION.training
    assert training is not None
    part = sst_part(chosen.data, "train")
    part = part.taken(np.random.default_rng(0).permutation(len(part.texts))[: chosen.texts])
    labels = labels_of(training, part)
    settings = ModelSettings(chosen.model, "classify", labels.names, dropout=0.0, precision="float32", device="cpu")
    tokenizer = load_tokenizer(settings)
    inputs = training.encode([part.texts], part.gold, labels, tokenizer, Lengths(128, 0)).inputs
    with _joined(chosen.measure) as processes:
        backbone = load_backbone(settings, Recipe(), tokenizer, used_pieces(one.ids for one in inputs), processes)
        plan = Plan(1e-4, epochs=1, tokens=chosen.tokens[0])
        start, losses = time.perf_counter(), []
        for step in train(backbone, inputs, plan, (Selection("none"), lambda: {"none": 0.0})):
            losses.append(step.loss)
        speed = len(inputs) / (time.perf_counter() - start)
        if processes is None or not processes.rank:
            print(json.dumps({"speed": speed, "losses": losses}))


@contextlib.contextmanager
def _joined(processes: int) -> Iterator[Any]:
    from truetune.backbones.torch_together import joined

    if processes == 1:
        yield None
        return
    with joined() as found:
        yield found


if __name__ == "__main__":
    main()
