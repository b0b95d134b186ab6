"""What the TensorFlow backbone does not do, told before anything is spent on it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.form import Form
from truetune.backbones.tf_bert import BERT_TYPES
from truetune.backbones.tf_gpt2 import GPT2_TYPES
from truetune.errors import ModelError

HEADS = ("classify", "regress", "tag", "span", "generate")
RECIPES = ("r_drop", "fgm", "mixout", "ema")
"""Recipes that only PyTorch has."""
INSTEAD = "leave it out, or set model.framework to pytorch"


def refuse_settings(settings: ModelSettings, recipe: Recipe) -> None:
    """Raise ModelError for a setting or recipe that is not there on TensorFlow."""
    plain = {one.name: one.default for one in fields(Recipe)}
    set_ones = {
        "model.layers": settings.layers is not None,
        "recipe.contrastive": settings.contrast,
        "recipe.lora_rank": settings.lora is not None,
        "recipe.ia3": settings.ia3,
        "recipe.prompt_pieces": settings.prompt_pieces > 0,
        "recipe.prefix_pieces": settings.prefix_pieces > 0,
        "model.gradient_checkpointing": settings.gradient_checkpointing,
        "model.dtype: bfloat16": settings.precision == "bfloat16",
        f"model.device: {settings.device}": settings.device not in ("auto", "cpu"),
        **{f"recipe.{name}": getattr(recipe, name) != plain[name] for name in RECIPES},
    }
    for name, is_set in set_ones.items():
        if is_set:
            raise ModelError(f"{name}: the TensorFlow backbone does not have it; {INSTEAD}")
    if settings.head not in HEADS:
        raise ModelError(
            f"the head {settings.head!r} is not there on TensorFlow; known: {', '.join(HEADS)}. "
            "Set model.framework to pytorch"
        )
    if settings.pooling not in ("auto", "mean", "marked"):
        raise ModelError(f"pooling {settings.pooling!r} is not there on TensorFlow, which takes the mean of pieces")


def refuse_model(name: str, config: Any, form: Form) -> None:
    """Raise ModelError for a model that is no plain BERT, RoBERTa or GPT-2, or for a decoder that is not to write."""
    known = BERT_TYPES | GPT2_TYPES
    if config.model_type not in known:
        raise ModelError(
            f"{name}: is a {config.model_type}; the TensorFlow backbone reads {', '.join(sorted(known))}. "
            "Set model.framework to pytorch"
        )
    if config.model_type in GPT2_TYPES and not form.writes:
        raise ModelError(f"{name}: on TensorFlow a GPT-2 only writes texts; take an encoder, or set model.framework")
    # What makes a model of such a type another one: (its setting, the value that is understood).
    for setting, plain in (
        ("is_decoder", False),
        ("add_cross_attention", False),
        ("position_embedding_type", "absolute"),
        ("scale_attn_by_inverse_layer_idx", False),
        ("scale_attn_weights", True),
        ("tie_word_embeddings", True),
    ):
        if getattr(config, setting, plain) != plain:
            raise ModelError(
                f"{name}: its config.json has {setting}: {getattr(config, setting)}, which the TensorFlow backbone "
                "does not know; set model.framework to pytorch"
            )
