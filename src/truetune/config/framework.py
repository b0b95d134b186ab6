"""Which settings are there for which framework: what one does not have is refused, never passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ONLY_PYTORCH: Mapping[str, tuple[Any, ...]] = {
    "model.dtype": ("auto", "float32"),
    "model.device": ("auto", "cpu"),
    "model.layers": (None,),
    "model.gradient_checkpointing": (False,),
    "train.packing": (False,),
    "recipe.contrastive": (False,),
    "recipe.teacher": (None,),
    "recipe.r_drop": (0.0,),
    "recipe.fgm": (0.0,),
    "recipe.lora_rank": (0,),
    "recipe.ia3": (False,),
    "recipe.prompt_pieces": (0,),
    "recipe.prefix_pieces": (0,),
    "recipe.mixout": (0.0,),
    "recipe.ema": (0.0,),
    "generate.beams": (1,),
    "scale": ("single",),
    "workers": (1,),
    "shard": (False,),
}
"""Setting -> the values that TensorFlow takes, too."""


def has(framework: str, key: str, value: Any) -> bool:
    """Return whether a framework has a value of a setting (`section.key`)."""
    return framework == "pytorch" or key not in ONLY_PYTORCH or value in ONLY_PYTORCH[key]


def lacking(config: Any) -> list[str]:
    """Return the settings of a config, with their values, that its framework does not have."""
    found = []
    for key in ONLY_PYTORCH:
        group, _, name = key.rpartition(".")
        value = getattr(getattr(config, group) if group else config, name)
        if not has(config.model.framework, key, value):
            found.append(f"{key}: {str(value).lower() if isinstance(value, bool) else value}")
    return found
