"""Keras layers of which BERT and GPT-2 are made, and the names that their weights have in Transformers' files.

A layer of layers says in `parts` what each is called in the files; `tf_weights` follows them.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from truetune.backbones.tf_start import keras, tf
from truetune.errors import ModelError
from truetune.types import Floats, Ints

HIDDEN_SCORE = -1e9
"""Added to the score of a piece that may not be seen: its share in a softmax is 0."""

ACTIVATIONS = {
    "gelu": lambda values: tf.nn.gelu(values, approximate=False),
    "gelu_new": lambda values: tf.nn.gelu(values, approximate=True),
    "gelu_pytorch_tanh": lambda values: tf.nn.gelu(values, approximate=True),
    "relu": tf.nn.relu,
}
"""What configs call the functions between two matrices; GELU is the exact one, by the error function."""


def activation(name: str) -> Any:
    """Return the function of a config's name; raises ModelError for one that is not known."""
    if name not in ACTIVATIONS:
        raise ModelError(
            f"the TensorFlow backbone knows the activations {', '.join(ACTIVATIONS)}, not {name!r}; "
            "set model.framework to pytorch"
        )
    return ACTIVATIONS[name]


class Linear(keras.layers.Dense):  # type: ignore[misc]
    """A matrix `[inputs, outputs]` and a bias; in the files of BERT the matrix stands the other way round."""

    transposed = True

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(outputs)
        self.build((None, None, inputs))


class Conv1D(Linear):
    """The same as GPT-2 stores it: `[inputs, outputs]`, which its own code calls a convolution."""

    transposed = False


class Norm(keras.layers.LayerNormalization):  # type: ignore[misc]
    """Layer norm with the epsilon of a config."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__(epsilon=epsilon)
        self.build((None, None, width))


class Part(keras.layers.Layer):  # type: ignore[misc]
    """A layer whose weights are there from the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.built = True


class Table(Part):
    """Embeddings `[ids, width]`, of which all rows are trained, or those that training will meet.

    With a vocabulary the others stay as they are: without gradient and decay they could not change anyway.
    """

    def __init__(self, ids: int, width: int, padding: int | None = None) -> None:
        """`padding`: the id whose row never has a gradient."""
        super().__init__()
        self.padding = padding
        self.rows = self.add_weight(shape=(ids, width), initializer="zeros", name="rows")
        self.places: Ints | None = None
        self._kept: Ints | None = None
        self._full: Any = None
        self._where: Any = None

    def trimmed(self, vocabulary: Ints) -> Table:
        """Return embeddings with the same rows, of which only those of these ids, sorted and distinct, are trained."""
        full = self.rows.numpy()
        found = Table(len(vocabulary), full.shape[1], self.padding)
        found.rows.assign(full[vocabulary])
        found.places = np.full(len(full), -1, dtype=np.int64)
        found.places[vocabulary] = np.arange(len(vocabulary))
        found._kept = vocabulary
        found._full, found._where = tf.constant(full), tf.constant(found.places)
        return found

    def whole(self) -> Floats:
        """Return the matrix of all ids, trained rows included."""
        if self._kept is None:
            found: Floats = self.rows.numpy()
            return found
        full: Floats = self._full.numpy().copy()
        full[self._kept] = self.rows.numpy()
        return full

    def call(self, ids: Any) -> Any:
        """Return `[..., width]`."""
        if self._kept is None:
            found = tf.gather(self.rows.value, ids)
        else:
            places = tf.gather(self._where, ids)
            own = tf.gather(self.rows.value, tf.maximum(places, 0))
            found = tf.where((places >= 0)[..., None], own, tf.gather(self._full, ids))
        if self.padding is None:
            return found
        return tf.where((ids == self.padding)[..., None], tf.stop_gradient(found), found)


class Dropout(Part):
    """Dropout whose mask is a function of a seed and of where it stands: there is no state to save."""

    def __init__(self, rate: float, site: int) -> None:
        """`site`: a number that no other dropout of the model has."""
        super().__init__()
        self.rate, self.site = rate, site

    def call(self, values: Any, seed: Any = None) -> Any:
        """Drop elements where there is a seed, `[2]` (int32); else return the values as they are."""
        if seed is None or not self.rate:
            return values
        own = seed + tf.constant([0, self.site], tf.int32)
        kept = tf.random.stateless_uniform(tf.shape(values), own) >= self.rate
        return tf.where(kept, values / (1 - self.rate), 0.0)


class Sites:
    """Hands out the dropouts of one model, each with a number of its own."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def dropout(self, rate: float) -> Dropout:
        """Return a dropout that stands nowhere else."""
        return Dropout(rate, next(self._next))


def split_heads(values: Any, heads: int) -> Any:
    """Return `[batch, heads, length, width]` of `[batch, length, heads * width]`."""
    batch, length = tf.unstack(tf.shape(values)[:2])
    return tf.transpose(tf.reshape(values, (batch, length, heads, values.shape[-1] // heads)), (0, 2, 1, 3))


def attended(query: Any, key: Any, value: Any, hidden: Any, dropped: Any) -> Any:
    """Return softmax(Q K' / sqrt(width) + hidden) V, `[batch, length, heads * width]` [Vaswani et al. 2017].

    Queries, keys and values are `[batch, heads, length, width]`; `hidden` is added to the scores; `dropped` is what
    drops some of the shares.
    """
    scores = tf.matmul(query, key, transpose_b=True) * query.shape[-1] ** -0.5 + hidden
    mixed = tf.transpose(tf.matmul(dropped(tf.nn.softmax(scores)), value), (0, 2, 1, 3))
    batch, length = tf.unstack(tf.shape(mixed)[:2])
    return tf.reshape(mixed, (batch, length, mixed.shape[2] * mixed.shape[3]))
