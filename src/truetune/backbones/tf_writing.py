"""A GPT-2 that writes on TensorFlow: piece by piece, keys and values of what was read kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.backbones.tf_network import Network
from truetune.backbones.tf_start import tf
from truetune.backbones.tokenizer import FastTokenizer
from truetune.errors import ModelError
from truetune.types import Batch, Floats, Ints, Told, Writing, Written


class Writer:
    """Writes greedily, or draws pieces by their probability."""

    def __init__(self, network: Network) -> None:
        self._body = network.body
        heads, width = self._body.heads, network.config.hidden_size // self._body.heads
        past = tf.TensorSpec((len(self._body.layers), 2, None, heads, None, width), tf.float32)
        ids, mask = tf.TensorSpec((None, None), tf.int64), tf.TensorSpec((None, None), tf.bool)

        def next_scores(ids: Any, mask: Any, past: Any) -> tuple[Any, Any]:
            hidden, known = self._body.went_on(ids, mask, past)
            return network.written(hidden[:, -1]), known

        self._next = tf.function(next_scores, input_signature=(ids, mask, past), autograph=False, jit_compile=False)

    def written(
        self, batch: Batch, writing: Writing, tokenizer: FastTokenizer, told: Told | None = None
    ) -> list[Written]:
        """Return what is written for each prompt; `told`, for one prompt, is asked after each piece whether to go on.

        Raises ModelError for a search with beams.
        """
        if writing.beams > 1:
            raise ModelError(f"generate.beams: {writing.beams}: TensorFlow has no search with beams here; set it to 1")
        rows = self._rows(batch, writing, tokenizer, told)
        return [
            Written(tokenizer.text(row), bool(len(row)) and int(row[-1]) == tokenizer.end, len(row)) for row in rows
        ]

    def _rows(self, batch: Batch, writing: Writing, tokenizer: FastTokenizer, told: Told | None) -> list[Ints]:
        # A decoder goes on behind the last piece, so the padding stands before the first.
        order = np.argsort(batch.mask, axis=1, kind="stable")
        ids, mask = (np.take_along_axis(one, order, axis=1) for one in (batch.ids, batch.mask))
        rng = np.random.default_rng(writing.seed)
        found = np.zeros((len(ids), 0), dtype=np.int64)
        open_rows = np.ones(len(ids), dtype=bool)
        past = self._body.nothing(len(ids))
        while found.shape[1] < writing.pieces and open_rows.any():
            scores, past = self._next(tf.constant(ids), tf.constant(mask), past)
            ids = np.where(open_rows, _chosen(scores.numpy(), writing, rng), tokenizer.end)[:, None]
            mask = np.concatenate([mask, np.ones_like(ids, dtype=bool)], axis=1)
            found = np.concatenate([found, ids], axis=1)
            open_rows &= ids[:, 0] != tokenizer.end
            if told is not None and not told(tokenizer.text(_to_end(found[0], tokenizer.end))):
                break
        return [_to_end(row, tokenizer.end) for row in found]


def _chosen(scores: npt.NDArray[np.float32], writing: Writing, rng: np.random.Generator) -> Ints:
    """Return the next piece of each row of `[rows, vocabulary]` scores: the best, or drawn among the likely ones."""
    if not writing.temperature:
        best: Ints = scores.argmax(axis=1)
        return best
    shares = _shares(scores.astype(np.float64) / writing.temperature)
    return np.array([rng.choice(len(row), p=_likely(row, writing.top_p)) for row in shares], dtype=np.int64)


def _shares(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _likely(shares: Floats, top_p: float) -> Floats:
    """Return shares of which the least likely ones are 0: those beyond `top_p` of all [Holtzman et al. 2020]."""
    order = np.argsort(-shares, kind="stable")
    before = np.cumsum(shares[order]) - shares[order]
    kept = np.where(before < top_p, shares[order], 0.0)
    found = np.zeros_like(shares)
    found[order] = kept / kept.sum()
    return found


def _to_end(row: Ints, end: int) -> Ints:
    """Return ids up to the first end token, which is kept: what follows it is padding."""
    ends = np.flatnonzero(row == end)
    return row[: int(ends[0]) + 1] if len(ends) else row
