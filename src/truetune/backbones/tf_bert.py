"""BERT and RoBERTa as Keras layers [Devlin et al. 2019, Liu et al. 2019], with the names of Transformers' files."""

from __future__ import annotations

from typing import Any

from truetune.backbones.tf_layers import (
    HIDDEN_SCORE,
    Linear,
    Norm,
    Part,
    Sites,
    Table,
    activation,
    attended,
    split_heads,
)
from truetune.backbones.tf_start import tf
from truetune.types import Ints

COUNTING = frozenset({"roberta", "xlm-roberta", "camembert"})
"""Model types whose positions are counted from behind the padding id, over pieces that are no padding."""
BERT_TYPES = COUNTING | {"bert"}


class Embeddings(Part):
    """The sum of what a piece, its place and its text stand for."""

    def __init__(self, config: Any, sites: Sites) -> None:
        super().__init__()
        width, padding = config.hidden_size, config.pad_token_id
        self.counting = config.model_type in COUNTING
        self.padding = padding
        self.segmented = config.type_vocab_size > 1
        self.words = Table(config.vocab_size, width, padding)
        self.positions = Table(config.max_position_embeddings, width, padding if self.counting else None)
        self.kinds = Table(config.type_vocab_size, width)
        self.norm = Norm(width, config.layer_norm_eps)
        self.dropout = sites.dropout(config.hidden_dropout_prob)
        self.parts = {
            "word_embeddings": self.words,
            "position_embeddings": self.positions,
            "token_type_embeddings": self.kinds,
            "LayerNorm": self.norm,
        }

    def call(self, ids: Any, segments: Any, seed: Any = None) -> Any:
        """Return `[batch, length, width]`."""
        if self.counting:
            told = tf.cast(ids != self.padding, ids.dtype)
            places = tf.cumsum(told, axis=1) * told + self.padding
        else:
            places = tf.range(tf.shape(ids)[1])[None]
        kinds = self.kinds(segments if self.segmented else tf.zeros_like(segments))
        found = self.words(ids) + self.positions(places) + kinds
        return self.dropout(self.norm(found), seed)


class Layer(Part):
    """Attention and two matrices, each added to what went in, and normed."""

    def __init__(self, config: Any, sites: Sites) -> None:
        super().__init__()
        width, inner, epsilon = config.hidden_size, config.intermediate_size, config.layer_norm_eps
        self.heads = config.num_attention_heads
        self.query, self.key, self.value = (Linear(width, width) for _ in range(3))
        self.shares_dropout = sites.dropout(config.attention_probs_dropout_prob)
        self.mixed, self.mixed_norm = Linear(width, width), Norm(width, epsilon)
        self.mixed_dropout = sites.dropout(config.hidden_dropout_prob)
        self.wide, self.activation = Linear(width, inner), activation(config.hidden_act)
        self.narrow, self.narrow_norm = Linear(inner, width), Norm(width, epsilon)
        self.narrow_dropout = sites.dropout(config.hidden_dropout_prob)
        self.parts = {
            "attention.self.query": self.query,
            "attention.self.key": self.key,
            "attention.self.value": self.value,
            "attention.output.dense": self.mixed,
            "attention.output.LayerNorm": self.mixed_norm,
            "intermediate.dense": self.wide,
            "output.dense": self.narrow,
            "output.LayerNorm": self.narrow_norm,
        }

    def call(self, values: Any, hidden: Any, seed: Any = None) -> Any:
        """Return `[batch, length, width]`; `hidden` `[batch, 1, 1, length]` is added to the scores of pieces."""
        asked, known, told = (split_heads(one(values), self.heads) for one in (self.query, self.key, self.value))
        mixed = self.mixed(attended(asked, known, told, hidden, lambda shares: self.shares_dropout(shares, seed)))
        values = self.mixed_norm(values + self.mixed_dropout(mixed, seed))
        narrow = self.narrow(self.activation(self.wide(values)))
        return self.narrow_norm(values + self.narrow_dropout(narrow, seed))


class Bert(Part):
    """An encoder without a head."""

    def __init__(self, config: Any, sites: Sites) -> None:
        super().__init__()
        self.embeddings = Embeddings(config, sites)
        self.layers = [Layer(config, sites) for _ in range(config.num_hidden_layers)]
        self.parts = {
            "embeddings": self.embeddings,
            **{f"encoder.layer.{place}": layer for place, layer in enumerate(self.layers)},
        }

    @property
    def words(self) -> Table:
        """The word embeddings."""
        table: Table = self.embeddings.words
        return table

    def trim(self, vocabulary: Ints) -> None:
        """Train only the word embeddings of these ids, sorted and distinct."""
        embeddings = self.embeddings
        embeddings.words = embeddings.parts["word_embeddings"] = embeddings.words.trimmed(vocabulary)

    def call(self, ids: Any, mask: Any, segments: Any, seed: Any = None) -> Any:
        """Return the last hidden states, `[batch, length, width]`."""
        hidden = tf.where(mask, 0.0, HIDDEN_SCORE)[:, None, None]
        values = self.embeddings(ids, segments, seed)
        for layer in self.layers:
            values = layer(values, hidden, seed)
        return values
