"""A label and spans of one text, learnt by one model: the label stands before the tags, at the first special token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from truetune.errors import ModelError
from truetune.tasks import classify_encoding, tag_encoding
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.types import IGNORED, Encoded, Floats, Tokenizer


def joint_labels(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return the label schema: labels, sorted, and the tags of the types in `spans`."""
    return Labels(tuple(sorted(set(gold["label"]))), tags=tag_encoding.tag_labels(gold).names)


def encode(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return model inputs of one text column with a tag on the first piece of each unit, and the label before them.

    Targets are `[length]`; a text that is read in windows has its label in each. `first` is the number of the first
    example. Raises `ModelError` for a tokenizer that puts no special token before a text.
    """
    tags = Labels(labels.tags)
    found = tag_encoding.encode(columns, gold, tags, tokenizer, lengths, first)
    if gold is None:
        return found
    codes = classify_encoding.targets_of(gold, labels, len(columns[0]), first)
    return replace(found, inputs=[_with_label(one, int(codes[one.example - first])) for one in found.inputs])


def decode(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `label` with `scores`, and `spans`; what windows of a text say of its label is averaged."""
    number = len(labels.names)
    whole = [output[0, :number] for output in outputs]
    pieces = [output[:, number:] for output in outputs]
    return {
        **classify_encoding.decode(texts, encoded, whole, labels, threshold),
        **tag_encoding.decode(texts, encoded, pieces, Labels(labels.tags), threshold),
    }


def _with_label(one: Encoded, code: int) -> Encoded:
    if one.starts[0] >= 0 or one.target[0] != IGNORED:
        raise ModelError(
            "the tokenizer of this model puts no special token before a text, so a label and tags cannot be learnt "
            "together; expected an encoder (BERT style)"
        )
    target = np.concatenate([[code], one.target[1:]])
    return replace(one, target=target)
