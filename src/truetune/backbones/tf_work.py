"""How much arithmetic a step needs on TensorFlow, and how fast the machine multiplies matrices at best.

Formulas are those of `torch_work`, which says where they come from.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from truetune.backbones.tf_network import EMBEDDINGS, Network
from truetune.backbones.tf_start import tf
from truetune.backbones.tf_weights import Weight

SIDE, REPEATS = 1024, 9
"""Of the square matrices whose product is measured."""


class Work:
    """Floating point operations of a step: those of the model, not those that an implementation adds."""

    def __init__(self, network: Network, trained: Mapping[str, Weight]) -> None:
        matrices = {
            name: int(np.prod(one.variable.shape))
            for name, one in network.weights().items()
            if one.table is None and len(one.variable.shape) > 1
        }
        if network.form.writes:  # the words that are read are also what is written with
            matrices["wte.weight"] = int(np.prod(network.body.words.rows.shape))
        layers = len(network.body.layers)
        groups = {network.group_of(name) for name in trained}
        numbers = [int(one.removeprefix("layer.")) for one in groups if one.startswith("layer.")]
        share = 1.0 if EMBEDDINGS in groups else 1 - min(numbers, default=layers) / layers
        whole, learnt = sum(matrices.values()), sum(size for name, size in matrices.items() if name in trained)
        self._of_piece = 2 * (whole * (1 + share) + learnt)
        self._of_pair = 4 * network.config.hidden_size * layers * (1 + 2 * share)

    def of(self, pieces: int, pairs: int) -> float:
        """Return the operations of a step; `pairs` is the sum of the squared lengths of its inputs."""
        return float(self._of_piece * pieces + self._of_pair * pairs)


def best_speed() -> float:
    """Return the operations a second of a large matrix product, on all threads; the fastest of a few counts."""
    rng = np.random.default_rng(0)
    one, other = (tf.constant(rng.normal(size=(SIDE, SIDE)).astype(np.float32)) for _ in range(2))

    def seconds() -> float:
        start = time.perf_counter()
        tf.matmul(one, other).numpy()
        return time.perf_counter() - start

    return float(2 * SIDE**3 / min(seconds() for _ in range(REPEATS)))
