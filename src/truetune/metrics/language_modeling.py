"""Language modelling: perplexity and bits a unit, from log-likelihoods of whole texts.

Perplexity is exp of the sum of negative log-likelihoods over the sum of tokens, never a mean of
per-text perplexities. It depends on the tokenizer: compare models of different tokenizers by bits per byte.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive
from truetune.rows import Rows
from truetune.types import Column, Floats, Numbers


def likelihood_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 2]`: negative log-likelihood in nats, and how many units the text has."""
    units = np.asarray(gold, dtype=np.float64)
    nats = -np.asarray(predicted, dtype=np.float64)
    return Rows.of(np.stack([nats, units], axis=1))


def _perplexity(sums: Numbers) -> Floats:
    value: Floats = np.exp(sums[..., 0] / np.where(sums[..., 1] > 0, sums[..., 1], np.nan))
    return value


def _bits(sums: Numbers) -> Floats:
    value: Floats = sums[..., 0] / np.where(sums[..., 1] > 0, sums[..., 1], np.nan) / np.log(2)
    return value


def _bit_parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    return sums[..., 0] / np.log(2), sums[..., 1]


PERPLEXITY = Additive(
    name="perplexity",
    rows=likelihood_rows,
    formula=_perplexity,
    gold="tokens",
    predicted="log_likelihood",
    definition="exp(sum of negative log-likelihoods / sum of tokens); depends on the tokenizer",
    unit="text",
    better="lower",
    undefined="there is no token",
    limits=(0.0, np.inf),
)


def _bits_per(name: str, unit: str) -> Additive:
    return Additive(
        name=f"bits_per_{name}",
        rows=likelihood_rows,
        formula=_bits,
        gold=unit,
        predicted="log_likelihood",
        definition=f"sum of negative log-likelihoods / sum of {unit} / ln 2; comparable across tokenizers that lose "
        "nothing of a text",
        unit="text",
        better="lower",
        interval="t",
        ratio=_bit_parts,
        undefined=f"there is no {name}",
        limits=(0.0, np.inf),
    )


LANGUAGE_MODELING = (PERPLEXITY, _bits_per("byte", "bytes"), _bits_per("character", "characters"))


def hit_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 2]`: pieces that were told right, and how many there are.

    Raises `MetricError` where more were told right than there are.
    """
    hits, pieces = np.asarray(predicted, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    over = np.flatnonzero(hits > pieces)
    if len(over):
        first = over[0]
        raise MetricError(
            f"example {first + 1} has {hits[first]:g} hits of {pieces[first]:g} tokens ({len(over):,} such); expected "
            "no more hits than tokens: count the masked pieces alone in both"
        )
    return Rows.of(np.stack([hits, pieces], axis=1))


def _share(sums: Numbers) -> Floats:
    value: Floats = sums[..., 0] / np.where(sums[..., 1] > 0, sums[..., 1], np.nan)
    return value


def _share_parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    return sums[..., 0], sums[..., 1]


PSEUDO_PERPLEXITY = replace(
    PERPLEXITY,
    name="pseudo_perplexity",
    definition="exp(sum of negative log-probabilities of masked pieces / their number); depends on the tokenizer and "
    "on how many pieces are masked at once",
)
MASKED_ACCURACY = Additive(
    name="masked_accuracy",
    rows=hit_rows,
    formula=_share,
    gold="tokens",
    predicted="hits",
    definition="masked pieces told right / masked pieces; depends on the tokenizer",
    unit="text",
    interval="t",
    ratio=_share_parts,
    undefined="there is no token",
    limits=(0.0, 1.0),
)
MASKED_LANGUAGE_MODELING = (MASKED_ACCURACY, PSEUDO_PERPLEXITY)
REPLACED_TOKEN_DETECTION = (
    replace(
        MASKED_ACCURACY,
        name="detection_accuracy",
        definition="pieces told right, as written or replaced / pieces; depends on the tokenizer and on what is "
        "replaced by what",
    ),
    replace(
        _bits_per("piece", "tokens"),
        definition="sum of negative log-probabilities of what pieces are, as written or replaced / pieces / ln 2; "
        "depends on the tokenizer and on what is replaced by what",
    ),
)
