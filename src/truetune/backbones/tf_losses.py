"""The losses of the heads on TensorFlow: sums over all targets, so that micro-batches add up to one step.

Formulas and shapes are those of `torch_losses`, which says where they come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.tf_start import tf
from truetune.types import IGNORED

TINY = 1.1754944e-38
"""The smallest normal number of 32 bits."""

Loss = Callable[[Any, Any, Recipe], Any]
"""(logits, targets, recipe) -> the sum of the losses of all targets."""


def loss_of(settings: ModelSettings) -> Loss:
    """Return what the head of these settings learns."""
    if settings.head == "regress":
        return squared_loss
    if settings.head == "span":
        return ends_loss
    if settings.head == "generate":
        return pieces_loss
    return sigmoids_loss if settings.multiple else labels_loss


def squared_loss(values: Any, targets: Any, recipe: Recipe) -> Any:
    """Return the sum of (value - target)^2 over `[batch, 1]` numbers; `IGNORED` targets have no loss."""
    return tf.reduce_sum(tf.where(targets == IGNORED, 0.0, tf.square(values - targets)))


def ends_loss(logits: Any, targets: Any, recipe: Recipe) -> Any:
    """Return the sum of the cross-entropies over pieces of `[batch, length, 2]`; targets `[batch, 2]` are places."""
    places = tf.cast(targets, tf.int64)
    return _cross_entropies(tf.transpose(logits, (0, 2, 1)), places)


def pieces_loss(logits: Any, targets: Any, recipe: Recipe) -> Any:
    """Return the sum of the cross-entropies of `[pieces, vocabulary]`, which `[batch, length]` targets name in turn."""
    return _cross_entropies(logits, tf.boolean_mask(targets, targets != IGNORED))


def labels_loss(logits: Any, targets: Any, recipe: Recipe) -> Any:
    """Return the sum of the losses of `[..., labels]` logits; targets `[...]` are places of labels."""
    if not (recipe.label_smoothing or recipe.class_weights or recipe.focal_gamma):
        return _cross_entropies(logits, targets)
    counted = targets != IGNORED
    logs = tf.nn.log_softmax(tf.boolean_mask(logits, counted))
    labels = logits.shape[-1]
    shares = tf.one_hot(tf.boolean_mask(targets, counted), labels) * (1 - recipe.label_smoothing)
    shares = shares + recipe.label_smoothing / labels
    if recipe.class_weights:
        shares = shares * tf.constant(recipe.class_weights, tf.float32)
    return tf.reduce_sum(shares * _unsure(logs, recipe.focal_gamma) * -logs)


def sigmoids_loss(logits: Any, targets: Any, recipe: Recipe) -> Any:
    """Return the sum of the losses of `[batch, labels]` logits, a sigmoid each; targets are 0, 1 or `IGNORED`."""
    aims = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
    shares = tf.stack([1 - aims, aims])
    logs = tf.stack([tf.math.log_sigmoid(-logits), tf.math.log_sigmoid(logits)])
    if recipe.class_weights:
        shares = shares * tf.reshape(tf.constant(recipe.class_weights, tf.float32), (2, 1, -1))
    each = tf.reduce_sum(shares * _unsure(logs, recipe.focal_gamma) * -logs, axis=0)
    return tf.reduce_sum(tf.where(targets == IGNORED, 0.0, each))


def _cross_entropies(logits: Any, targets: Any) -> Any:
    """Return the sum of -log of the shares of targets `[...]` in softmaxes over the last dimension of logits."""
    counted = targets != IGNORED
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(counted, targets, 0), logits)
    return tf.reduce_sum(tf.where(counted, each, 0.0))


def _unsure(logs: Any, gamma: float) -> Any:
    """Return (1 - p)^gamma of log-probabilities; where p rounds to 1 its slope stays finite for every gamma."""
    if not gamma:
        return tf.ones_like(logs)
    return tf.pow(tf.maximum(-tf.math.expm1(logs), TINY), gamma)
