"""BERT or GPT-2 with a head on TensorFlow: how logits come out of hidden states, as `torch_network` says."""

from __future__ import annotations

from typing import Any

import numpy as np

from truetune.backbones.base import ModelSettings
from truetune.backbones.form import LEAST, Form
from truetune.backbones.tf_bert import Bert
from truetune.backbones.tf_gpt2 import GPT2_TYPES, Gpt2
from truetune.backbones.tf_layers import Dropout, Linear, Sites
from truetune.backbones.tf_start import tf
from truetune.backbones.tf_weights import Weight, weights_of
from truetune.types import HEAD_MARK, TAIL_MARK

EMBEDDINGS, HEAD = "embeddings", "head"


class Network(tf.Module):  # type: ignore[misc]
    """A model with its head."""

    def __init__(self, config: Any, form: Form, settings: ModelSettings) -> None:
        super().__init__()
        self.config = config
        self.form = form
        sites = Sites()
        self.body = Gpt2(config, sites) if config.model_type in GPT2_TYPES else Bert(config, sites)
        self.head = None if form.writes else Linear(_head_width(config, form), len(settings.labels))
        self.dropout = Dropout(0.0 if form.ends else _head_dropout(config), 0)
        if self.head is not None:
            # As BERT draws it: a normal of the config's `initializer_range`, no bias.
            drawn = np.random.default_rng(settings.seed).normal(0.0, config.initializer_range, self.head.kernel.shape)
            self.head.kernel.assign(drawn.astype(np.float32))

    @property
    def head_name(self) -> str:
        """What the head is called in the files: ours has one of its own."""
        if self.form.own_head:
            return "1"
        return "qa_outputs" if self.form.ends else "classifier"

    def weights(self) -> dict[str, Weight]:
        """Return all weights by name, from input to output; those of the head begin with `head/`."""
        found = weights_of(self.body)
        return found if self.head is None else found | weights_of(self.head, f"head/{self.head_name}")

    def group_of(self, name: str) -> str:
        """Return the group of a weight; what stands after the layers goes with the last of them."""
        if name.startswith("head/"):
            return HEAD
        for begin in ("encoder.layer.", "h."):
            if name.startswith(begin):
                return f"layer.{name.removeprefix(begin).partition('.')[0]}"
        return f"layer.{len(self.body.layers) - 1}" if name.startswith("ln_f") else EMBEDDINGS

    def logits(self, ids: Any, mask: Any, segments: Any, seed: Any = None) -> Any:
        """Return logits, `[batch, labels]`, or `[batch, length, labels]` for `tag` and `span`.

        For `generate` they are those of every piece of an answer, `[pieces, vocabulary]`. With a `seed` `[2]` (int32)
        there is dropout, a function of it.
        """
        hidden = self.hidden(ids, mask, segments, seed)
        if self.form.writes:
            return self.written(tf.boolean_mask(hidden[:, :-1], segments[:, 1:] == 1))
        if self.form.pooling == "marked":
            hidden = self._pair_states(hidden, segments)
        elif self.form.pooling is not None:
            weights = tf.cast(mask, tf.float32)[..., None]
            hidden = tf.reduce_sum(hidden * weights, axis=1) / tf.reduce_sum(weights, axis=1)
        assert self.head is not None
        scores = self.head(self.dropout(hidden, seed))
        return tf.where(mask[..., None], scores, LEAST) if self.form.ends else scores

    def hidden(self, ids: Any, mask: Any, segments: Any, seed: Any = None) -> Any:
        """Return the last hidden states, `[batch, length, hidden]`; the model is told of no marks."""
        kinds = tf.where(segments > 1, tf.zeros_like(segments), segments) if self.form.marks else segments
        return self.body(ids, mask, kinds, seed)

    def _pair_states(self, hidden: Any, segments: Any) -> Any:
        marks = tf.cast(tf.stack([segments == mark for mark in (HEAD_MARK, TAIL_MARK)], axis=1), tf.float32)
        states = tf.matmul(marks, hidden) / tf.maximum(tf.reduce_sum(marks, axis=2, keepdims=True), 1)
        return tf.reshape(states, (-1, _head_width(self.config, self.form)))

    def written(self, hidden: Any) -> Any:
        """Return the scores of the pieces of the vocabulary, `[..., vocabulary]`."""
        return tf.matmul(hidden, self.body.words.rows.value, transpose_b=True)


def _head_width(config: Any, form: Form) -> int:
    return int(config.hidden_size) * (2 if form.pooling == "marked" else 1)


def _head_dropout(config: Any) -> float:
    rates = (getattr(config, name, None) for name in ("classifier_dropout", "hidden_dropout_prob", "resid_pdrop"))
    return float(next((rate for rate in rates if rate is not None), 0.0))
