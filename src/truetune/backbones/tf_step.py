"""One step of training on TensorFlow: losses, gradients, clipping, AdamW; all its randomness is of seed and number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.tf_layers import Table
from truetune.backbones.tf_losses import loss_of
from truetune.backbones.tf_network import Network
from truetune.backbones.tf_start import tf
from truetune.backbones.tf_weights import Weight
from truetune.errors import ModelError
from truetune.types import Batch

INPUTS = (
    tf.TensorSpec((None, None), tf.int64),
    tf.TensorSpec((None, None), tf.bool),
    tf.TensorSpec((None, None), tf.int64),
)
"""Ids, mask and segments of a batch; any size, so that one graph is built and no more."""


class Learner:
    """Moves the trained weights of a network as a recipe says."""

    def __init__(
        self, network: Network, weights: Mapping[str, Weight], settings: ModelSettings, recipe: Recipe
    ) -> None:
        """`weights`: those that are trained, by name."""
        self._network, self._settings, self._recipe = network, settings, recipe
        self._names = list(weights)
        self._variables = [one.variable.value for one in weights.values()]
        self._mean = [tf.Variable(tf.zeros_like(one), trainable=False) for one in self._variables]
        self._square = [tf.Variable(tf.zeros_like(one), trainable=False) for one in self._variables]
        self._decayed = [_is_matrix(one) for one in weights.values()]
        self._groups = [network.group_of(name) for name in self._names]
        self._loss = loss_of(settings)
        targets = tf.TensorSpec(*TARGETS["several" if settings.multiple else settings.head])
        number, seed = tf.TensorSpec((), tf.float32), tf.TensorSpec((2,), tf.int32)
        self._gradients = tf.function(
            self._traced_gradients, input_signature=(*INPUTS, targets, number, seed), autograph=False, jit_compile=False
        )
        self._move = tf.function(self._traced_move, autograph=False, jit_compile=False)
        self.steps = self.moves = 0
        """How many steps were taken, and how many of them changed the weights."""

    def step(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        """Learn from several micro-batches as from one batch, and return the loss before the step."""
        total, gradients = self.gradients(micro_batches, targets)
        self.steps += 1
        if not math.isfinite(total):
            return math.nan
        norm = float(tf.linalg.global_norm(gradients))
        if not math.isfinite(norm):
            return math.nan
        self.moves += 1
        clipped = min(1.0, self._recipe.clip / norm) if norm else 1.0
        first, second = self._recipe.betas
        # Keras and TensorFlow add epsilon before the correction of the squares, PyTorch after it [Kingma and Ba 2015].
        square = 1 - second**self.moves
        numbers = (clipped, first**self.moves, second**self.moves, self._recipe.epsilon * math.sqrt(square))
        self._move(
            gradients,
            tf.constant([rates[group] for group in self._groups], tf.float32),
            tf.constant(numbers, tf.float32),
        )
        return total

    def gradients(self, micro_batches: Sequence[Batch], targets: int) -> tuple[float, list[Any]]:
        """Return the loss over all targets, and its gradient for each trained weight, in their order."""
        total, summed = 0.0, list[Any]()
        for place, batch in enumerate(micro_batches):
            self._refuse_unknown(batch)
            loss, found = self._gradients(
                tf.constant(batch.ids),
                tf.constant(batch.mask),
                tf.constant(batch.segments),
                tf.constant(batch.targets, TARGETS["several" if self._settings.multiple else self._settings.head][1]),
                tf.constant(float(targets)),
                tf.constant(_seed(self._settings.seed, self.steps, place)),
            )
            total += float(loss)
            summed = found if not summed else [one + other for one, other in zip(summed, found, strict=True)]
        return total, summed

    def memory(self) -> dict[str, npt.NDArray[Any]]:
        """Return the running means of gradients and of their squares: `mean/NAME`, `square/NAME`."""
        found = {f"mean/{name}": one.numpy() for name, one in zip(self._names, self._mean, strict=True)}
        return found | {f"square/{name}": one.numpy() for name, one in zip(self._names, self._square, strict=True)}

    def remember(self, arrays: Mapping[str, npt.NDArray[Any]], steps: int, moves: int) -> None:
        """Go on from what `memory` returned; without running means the optimizer begins anew."""
        for kind, variables in (("mean", self._mean), ("square", self._square)):
            for name, variable in zip(self._names, variables, strict=True):
                found = arrays.get(f"{kind}/{name}")
                variable.assign(tf.zeros_like(variable) if found is None else found)
        self.steps, self.moves = steps, moves if any(name.startswith("mean/") for name in arrays) else 0

    def _traced_gradients(
        self, ids: Any, mask: Any, segments: Any, targets: Any, number: Any, seed: Any
    ) -> tuple[Any, list[Any]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._variables)
            loss = self._loss(self._network.logits(ids, mask, segments, seed), targets, self._recipe) / number
        found = tape.gradient(loss, self._variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return loss, [tf.convert_to_tensor(one) for one in found]

    def _traced_move(self, gradients: Sequence[Any], rates: Any, numbers: Any) -> None:
        clipped, first_power, second_power, epsilon = tf.unstack(numbers)
        first, second = self._recipe.betas
        for place, variable in enumerate(self._variables):
            if self._decayed[place] and self._recipe.weight_decay:
                variable.assign(variable * (1 - rates[place] * self._recipe.weight_decay))
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._mean[place].handle,
                v=self._square[place].handle,
                beta1_power=first_power,
                beta2_power=second_power,
                lr=rates[place],
                beta1=first,
                beta2=second,
                epsilon=epsilon,
                grad=gradients[place] * clipped,
                use_locking=False,
            )

    def _refuse_unknown(self, batch: Batch) -> None:
        table: Table = self._network.body.words
        if table.places is not None and (unknown := batch.ids[table.places[batch.ids] < 0]).size:
            some = sorted(set(unknown.tolist()))[:5]
            raise ModelError(f"training met the pieces {some}, which are not in the vocabulary that it was given")


TARGETS = {
    "classify": ((None,), tf.int64),
    "several": ((None, None), tf.float32),
    "regress": ((None, 1), tf.float32),
    "span": ((None, 2), tf.float32),
    "tag": ((None, None), tf.int64),
    "generate": ((None, None), tf.int64),
}
"""Head -> shape and type of the targets of a batch; `several`: of labels of which a text has any number."""


def _is_matrix(weight: Weight) -> bool:
    """Return whether decay is for it: a matrix of a layer, no bias, norm or table."""
    return weight.table is None and len(weight.variable.shape) > 1


def _seed(seed: int, step: int, place: int) -> npt.NDArray[np.int32]:
    return np.random.SeedSequence([seed, step, place]).generate_state(2).view(np.int32)
