"""GPT-2 as Keras layers [Radford et al. 2019], with the names of Transformers' files."""

from __future__ import annotations

from typing import Any

from truetune.backbones.tf_layers import (
    HIDDEN_SCORE,
    Conv1D,
    Norm,
    Part,
    Sites,
    Table,
    activation,
    attended,
    split_heads,
)
from truetune.backbones.tf_start import tf

GPT2_TYPES = frozenset({"gpt2"})


class Layer(Part):
    """Attention and two matrices, each of what is normed, and added to what went in."""

    def __init__(self, config: Any, sites: Sites) -> None:
        super().__init__()
        width, epsilon = config.hidden_size, config.layer_norm_epsilon
        inner = config.n_inner or 4 * width
        self.heads = config.num_attention_heads
        self.first_norm, self.second_norm = Norm(width, epsilon), Norm(width, epsilon)
        self.asked, self.mixed = Conv1D(width, 3 * width), Conv1D(width, width)
        self.shares_dropout = sites.dropout(config.attn_pdrop)
        self.mixed_dropout, self.narrow_dropout = (sites.dropout(config.resid_pdrop) for _ in range(2))
        self.wide, self.activation = Conv1D(width, inner), activation(config.activation_function)
        self.narrow = Conv1D(inner, width)
        self.parts = {
            "ln_1": self.first_norm,
            "attn.c_attn": self.asked,
            "attn.c_proj": self.mixed,
            "ln_2": self.second_norm,
            "mlp.c_fc": self.wide,
            "mlp.c_proj": self.narrow,
        }

    def call(self, values: Any, hidden: Any, past: Any, seed: Any = None) -> tuple[Any, Any]:
        """Return `[batch, length, width]`, and keys and values, those of before included.

        `hidden` `[batch, 1, length, all]` is added to the scores; `past` `[2, batch, heads, before, width of a head]`.
        """
        parts = tf.split(self.asked(self.first_norm(values)), 3, axis=-1)
        query, key, value = (split_heads(part, self.heads) for part in parts)
        known = tf.concat([past, tf.stack([key, value])], axis=3)
        mixed = attended(query, known[0], known[1], hidden, lambda shares: self.shares_dropout(shares, seed))
        values = values + self.mixed_dropout(self.mixed(mixed), seed)
        narrow = self.narrow(self.activation(self.wide(self.second_norm(values))))
        return values + self.narrow_dropout(narrow, seed), known


class Gpt2(Part):
    """A decoder; its word embeddings are also what it writes with."""

    def __init__(self, config: Any, sites: Sites) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.words = Table(config.vocab_size, width)
        self.positions = Table(config.max_position_embeddings, width)
        self.dropout = sites.dropout(config.embd_pdrop)
        self.layers = [Layer(config, sites) for _ in range(config.num_hidden_layers)]
        self.norm = Norm(width, config.layer_norm_epsilon)
        self.parts = {
            "wte": self.words,
            "wpe": self.positions,
            **{f"h.{place}": layer for place, layer in enumerate(self.layers)},
            "ln_f": self.norm,
        }

    def nothing(self, batch: Any) -> Any:
        """Return the keys and values of no piece, `[layers, 2, batch, heads, 0, width of a head]`."""
        width = self.words.rows.shape[1] // self.heads
        return tf.zeros((len(self.layers), 2, batch, self.heads, 0, width))

    def call(self, ids: Any, mask: Any, segments: Any, seed: Any = None) -> Any:
        """Return the last hidden states, `[batch, length, width]`."""
        return self.went_on(ids, mask, self.nothing(tf.shape(ids)[0]), seed)[0]

    def went_on(self, ids: Any, mask: Any, past: Any, seed: Any = None) -> tuple[Any, Any]:
        """Return the last hidden states of `ids` `[batch, length]`, and keys and values to go on with.

        `mask` `[batch, before + length]` tells pieces from padding; places are counted over pieces.
        """
        before, length = tf.shape(past)[4], tf.shape(ids)[1]
        counted = tf.maximum(tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1, 0)
        row, column = tf.range(before, before + length)[:, None], tf.range(before + length)[None]
        seen = (column <= row)[None] & mask[:, None]
        hidden = tf.where(seen, 0.0, HIDDEN_SCORE)[:, None]
        values = self.dropout(self.words(ids) + self.positions(counted[:, before:]), seed)
        known = []
        for place, layer in enumerate(self.layers):
            values, one = layer(values, hidden, past[place], seed)
            known.append(one)
        return self.norm(values), tf.stack(known)
