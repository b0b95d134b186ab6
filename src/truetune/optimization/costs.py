"""What a model costs in use: the time of one text, and the room that it takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from truetune.backbones.base import Backbone
from truetune.backbones.outputs import logits_of
from truetune.types import Encoded

TEXTS, ROUNDS = 32, 3


def costs_of(backbone: Backbone, texts: Sequence[Sequence[Encoded]]) -> dict[str, float]:
    """Return `latency`, milliseconds, and `size`, MiB.

    Latency is the median over `TEXTS` texts, each alone with all its windows, of the fastest of `ROUNDS`: what the
    processor does besides must not decide. Size is that of the files of the model as they are saved, in float32.
    """
    some = texts[:TEXTS]
    for text in some[:3]:
        logits_of(backbone, text)
    taken = []
    for text in some:
        rounds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            logits_of(backbone, text)
            rounds.append(time.perf_counter() - began)
        taken.append(min(rounds))
    with tempfile.TemporaryDirectory(prefix="truetune-size-") as folder:
        place = Path(folder) / "model"
        backbone.save(place)
        size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return {"latency": 1000 * median(taken), "size": size / 2**20}
