"""Legal sequences of BIO tags: the most probable one (Viterbi), and the spans in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truetune.types import Bools, Floats, Span


def legal_path(logits: Floats, tags: Sequence[str]) -> list[int]:
    """Return the tag of each unit, `[units]`, in the legal sequence with the greatest sum of log-probabilities.

    Legal means that `I-X` stands only behind `B-X` or `I-X`. `logits` `[units, tags]`. Where the best tag of each
    unit already makes a legal sequence, that is the one [Viterbi 1967].
    """
    if not len(logits):
        return []
    follows, opens = allowed(tags)
    greedy = logits.argmax(axis=1)
    if opens[greedy[0]] and follows[greedy[:-1], greedy[1:]].all():
        return [int(place) for place in greedy]
    shifted = logits - logits.max(axis=1, keepdims=True)
    scores = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    forbidden = np.where(follows, 0.0, -np.inf)
    best = np.where(opens, scores[0], -np.inf)
    came = np.zeros(logits.shape, dtype=np.int64)
    for unit in range(1, len(logits)):
        reached = best[:, None] + forbidden
        came[unit] = reached.argmax(axis=0)
        best = reached.max(axis=0) + scores[unit]
    path = [int(best.argmax())]
    for unit in range(len(logits) - 1, 0, -1):
        path.append(int(came[unit, path[-1]]))
    return path[::-1]


def allowed(tags: Sequence[str]) -> tuple[Bools, Bools]:
    """Return which tag may follow on which, `[tags, tags]`, and which may open a sequence, `[tags]`."""
    inside = np.array([tag.startswith("I-") for tag in tags])
    kinds = np.array([tag[2:] for tag in tags])
    follows: Bools = ~inside[None, :] | (
        (kinds[:, None] == kinds[None, :]) & np.array([tag != "O" for tag in tags])[:, None]
    )
    return follows, ~inside


def spans_of(tags: Sequence[str], starts: Sequence[int], ends: Sequence[int]) -> list[Span]:
    """Return the spans of a legal sequence of tags on units with these character offsets."""
    spans: list[Span] = []
    for tag, start, end in zip(tags, starts, ends, strict=True):
        if tag.startswith("B-"):
            spans.append(Span(start, end, tag[2:]))
        elif tag.startswith("I-"):
            spans[-1] = spans[-1]._replace(end=end)
    return spans
