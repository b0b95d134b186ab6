"""How logits come out of a Transformers model: by its own head or one of ours, whatever framework runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from truetune.backbones.base import ModelSettings, Pooling
from truetune.errors import ModelError

BOTH_WAYS = {"span": "an answer", "nested": "spans within spans", "joint": "slots"}
"""Heads of models that see what follows, and what they mark."""
LEAST = -1e4
"""A score whose share in a softmax is 0, and whose differences are finite."""


@dataclass(frozen=True)
class Form:
    """How logits come out of a Transformers model."""

    pooling: Pooling | None
    """None for `tag`."""
    own_head: bool
    """Whether the head is ours, on the plain model, or the model's own class has it."""
    ends: bool = False
    """Whether each piece has a score as the first and as the last of an answer."""
    writes: bool = False
    """Whether each piece of an answer is predicted from those before it."""
    embeds: bool = False
    """Whether the vector of a text is what comes out, of length 1, without any head."""
    masks: bool = False
    """Whether the pieces of the vocabulary have scores at the places that segments mark."""
    detects: bool = False
    """Whether the pieces that segments mark have two scores each: of being as written, and of being replaced."""
    contrasts: bool = False
    """Whether in training vectors of texts come out, of length 1, and the head is for predictions alone."""
    joins: int = 0
    """How many outputs of each piece are of the whole text, before those of the piece itself."""
    chooses: int = 0
    """How many choices an input may have, each read by itself: what comes out are their scores."""
    nests: bool = False
    """Whether every stretch of pieces has a score for each type."""
    vector: int = 0
    """To how many numbers a vector that comes out is cut; 0: it is whole."""
    marks: bool = False
    """Whether segments mark the pieces of a pair; the model itself is told of one segment only."""


def chosen_form(settings: ModelSettings, config: Any) -> Form:
    """Return how logits come out: decoders read the last piece, encoders as `pooling` says."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_QUESTION_ANSWERING_MAPPING as ANSWER,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING as CLASSIFY,
    )
    from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING as TAG

    if settings.head == "generate":
        if not getattr(config, "is_encoder_decoder", False) and not is_decoder(config):
            raise ModelError(
                f"{settings.name}: an encoder ({config.model_type}) cannot write texts; expected a decoder (GPT style) "
                "or an encoder-decoder (T5, BART, Marian)"
            )
        return Form(None, own_head=False, writes=True)
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{settings.name}: an encoder-decoder ({config.model_type}) cannot {settings.head} yet; "
            "expected an encoder (BERT style) or a decoder (GPT style)"
        )
    if settings.head == "tag":
        return Form(None, own_head=type(config) not in TAG)
    decoder = is_decoder(config)
    if settings.head in ("mask", "detect"):
        if decoder:
            raise ModelError(
                f"{settings.name}: a decoder ({config.model_type}) does not read what follows, so it cannot tell what "
                f"is {'masked' if settings.head == 'mask' else 'replaced'}; expected an encoder (BERT style), or the "
                "task language-modeling"
            )
        detects = settings.head == "detect"
        return Form(None, own_head=detects, masks=not detects, detects=detects)
    if settings.head in BOTH_WAYS and decoder:
        raise ModelError(
            f"{settings.name}: a decoder ({config.model_type}) reads a text before it knows what follows, so it "
            f"cannot mark {BOTH_WAYS[settings.head]} in it; expected an encoder (BERT style)"
        )
    if settings.head == "joint":
        return Form("mean", own_head=True, joins=len(settings.labels))
    if settings.head == "nested":
        return Form(None, own_head=True, nests=True)
    if settings.head == "span":
        return Form(None, own_head=type(config) not in ANSWER, ends=True)
    if settings.head not in ("classify", "regress", "choose", "embed"):
        raise ModelError(
            f"head {settings.head!r} is not known to this backbone; known: classify, regress, tag, joint, nested, "
            "span, choose, generate, embed, mask, detect"
        )
    if settings.contrast:
        if decoder or settings.head != "classify":
            raise ModelError(
                f"{settings.name}: recipe.contrastive is for labels of whole texts and encoders (BERT style), this is "
                f"a {config.model_type} with the head {settings.head}; set it to false"
            )
        return Form("mean", own_head=True, contrasts=True, marks=settings.pooling == "marked")
    if settings.pooling == "marked":
        return Form("last" if decoder else "marked", own_head=not decoder or type(config) not in CLASSIFY, marks=True)
    pooling: Pooling = ("last" if decoder else "mean") if settings.pooling == "auto" else settings.pooling
    if pooling == "last" and not decoder:
        raise ModelError(f"{settings.name}: pooling `last` is for decoders; this is an encoder: mean or first")
    if settings.head == "embed":
        return Form(pooling, own_head=False, embeds=True)
    if settings.head == "choose":
        return Form(pooling, own_head=True, chooses=len(settings.labels))
    own = pooling == "mean" or type(config) not in CLASSIFY or (pooling == "first" and decoder)
    return Form(pooling, own_head=own)


def is_decoder(config: Any) -> bool:
    """Return whether each piece of a model sees only what stands before it."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING as CAUSAL
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING as MASKED

    return type(config) in CAUSAL and type(config) not in MASKED


def plain(form: Form) -> bool:
    """Return whether the Transformers model stands without a head: ours is on it, or none."""
    return form.own_head or form.embeds


def check_sizes(sizes: Sequence[int], whole: int, where: str) -> None:
    """Raise `ModelError` where a vector of `whole` numbers cannot be cut to one of these sizes."""
    for size in sizes:
        if not 0 < size < whole:
            raise ModelError(
                f"{where}: the vectors of this model have {whole:,} numbers, so they cannot be cut to {size:,}; "
                f"expected 1 to {whole - 1:,}"
            )
