"""Outputs of a backbone for any number of inputs, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from truetune.backbones.base import Backbone, Predictor, Together
from truetune.data.batch import padded, token_batches
from truetune.types import Batch, Encoded, Floats, Ints, Writing, Written

TOKENS = 4096
"""Pieces of one batch, padding counted."""


Watch = Callable[[Sequence[Ints]], Iterable[Ints]]
"""Hands batches on, one by one, and may show how far they are."""


def unwatched(batches: Sequence[Ints]) -> Iterable[Ints]:
    """Hand batches on and show nothing."""
    return batches


def logits_of(
    backbone: Predictor, encoded: Sequence[Encoded], tokens: int = TOKENS, watch: Watch = unwatched
) -> list[Floats]:
    """Return the logits of each input: `[labels]` for `classify`, `[its length, labels]` for `tag`.

    Where several processes learn together, each predicts its share, and all of them get all logits.
    """
    if backbone.together is not None:
        return _shared(backbone, backbone.together, encoded, tokens)
    return _in_order(encoded, _each(backbone.predict, backbone.tokenizer.pad, encoded, tokens, watch))


def texts_of(
    backbone: Predictor, encoded: Sequence[Encoded], writing: Writing, tokens: int = TOKENS, watch: Watch = unwatched
) -> list[Written]:
    """Return what the model writes for each input; the pieces to be written count as those of the batch."""
    lengths = np.array([len(one.ids) + writing.pieces for one in encoded], dtype=np.int64)
    found: dict[int, Written] = {}
    for positions in watch(token_batches(lengths, tokens)):
        batch = padded(encoded, positions, backbone.tokenizer.pad)
        found |= zip(positions.tolist(), backbone.write(batch, writing), strict=True)
    return [found[place] for place in range(len(encoded))]


def features_of(
    backbone: Backbone, encoded: Sequence[Encoded], tokens: int = TOKENS, watch: Watch = unwatched
) -> Floats:
    """Return the mean of each input's last hidden states, `[inputs, hidden]`."""
    return np.stack(_in_order(encoded, _each(backbone.features, backbone.tokenizer.pad, encoded, tokens, watch)))


def piece_features_of(
    backbone: Backbone, encoded: Sequence[Encoded], tokens: int = TOKENS, watch: Watch = unwatched
) -> list[Floats]:
    """Return the last hidden states of each input, `[its length, hidden]`."""
    return _in_order(encoded, _each(backbone.piece_features, backbone.tokenizer.pad, encoded, tokens, watch))


def _each(
    outputs: Callable[[Batch], Floats], pad: int, encoded: Sequence[Encoded], tokens: int, watch: Watch
) -> Iterator[tuple[int, Floats]]:
    lengths = np.array([len(one.ids) for one in encoded], dtype=np.int64)
    for positions in watch(token_batches(lengths, tokens)):
        found = outputs(padded(encoded, positions, pad))
        for place, output in zip(positions.tolist(), found, strict=True):
            yield place, output[: lengths[place]] if output.ndim == 2 else output


def _shared(backbone: Predictor, together: Together, encoded: Sequence[Encoded], tokens: int) -> list[Floats]:
    """Return the logits of all inputs: each process writes those of its batches into zeros, and all are added.

    No input is predicted twice, so none is counted twice.
    """
    own: dict[int, Floats] = {}
    watch: Watch = lambda batches: batches[together.rank :: together.size]  # noqa: E731
    for place, output in _each(backbone.predict, backbone.tokenizer.pad, encoded, tokens, watch):
        own[place] = output
    if together.sharded:
        batches = token_batches(np.array([len(one.ids) for one in encoded], dtype=np.int64), tokens)
        if together.rank >= len(batches) % together.size > 0:
            # The others predict one batch more, and need this process for it; nothing is kept of it.
            backbone.predict(padded(encoded, batches[0], backbone.tokenizer.pad))
    some = next(iter(own.values()), None)
    told = together.summed(np.array([0.0, 0, 0] if some is None else [1.0, some.ndim, some.shape[-1]]))
    dimensions, labels = (int(one / told[0]) for one in told[1:])
    lengths = [len(one.ids) if dimensions == 2 else 1 for one in encoded]
    ends = np.cumsum([0, *lengths])
    whole = np.zeros((int(ends[-1]), labels))
    for place, output in own.items():
        whole[ends[place] : ends[place + 1]] = output
    whole = together.summed(whole)
    parts = [whole[ends[place] : ends[place + 1]] for place in range(len(encoded))]
    return parts if dimensions == 2 else [part[0] for part in parts]


def _in_order(encoded: Sequence[Encoded], outputs: Iterator[tuple[int, Floats]]) -> list[Floats]:
    found = dict(outputs)
    return [found[place] for place in range(len(encoded))]
