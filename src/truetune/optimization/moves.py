"""What to try against each cause that a diagnosis names: one table.

A row with a key is a change of the config, which `truetune optimize` tries first; a row without is something that only
people can do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from truetune.config import Config, has
from truetune.optimization.diagnosis import cause


@dataclass(frozen=True)
class Advice:
    """Something to do against a cause."""

    cause: str
    key: str
    """`section.key` of the config; empty for what is no setting."""
    values: Callable[[Any], tuple[Any, ...]] | None
    """The values to try, the most promising first, from the one that is set."""
    what: str
    source: str = ""


def _times(*factors: float) -> Callable[[Any], tuple[Any, ...]]:
    return lambda value: tuple(float(f"{value * factor:.3g}") for factor in factors)


def _to(*values: Any) -> Callable[[Any], tuple[Any, ...]]:
    return lambda value: tuple(one for one in values if one != value)


def _faster_head(value: float | None) -> tuple[float, ...]:
    """Return the rate that few steps ask for, or three times one that is as high already."""
    return (1e-3,) if value is None or value < 1e-3 else (float(f"{3 * value:.3g}"),)


RATE, EPOCHS, DECAY = "train.learning_rate", "train.epochs", "train.weight_decay"
WEIGHTS, SMOOTHING = "recipe.class_weights", "recipe.label_smoothing"

TABLE = (
    Advice(cause.RATE_HIGH, RATE, _times(0.1, 0.01), "a lower peak rate", "Mosbach et al. 2021"),
    Advice(cause.RATE_HIGH, "train.warmup", _to(0.1), "a slower beginning", "Mosbach et al. 2021"),
    Advice(cause.RATE_LOW, RATE, _times(3, 10), "a higher peak rate", "Devlin et al. 2019, A.3"),
    Advice(cause.FEW_EPOCHS, EPOCHS, _times(3, 2), "more passes", "Mosbach et al. 2021"),
    Advice(cause.MANY_EPOCHS, EPOCHS, _times(0.5), "fewer passes, or train.patience", "Prechelt 1998"),
    Advice(cause.DROPOUT, "model.dropout", _to(None, 0.1), "the model's own dropout", "Srivastava et al. 2014"),
    Advice(cause.NOTHING, RATE, _times(3, 0.3), "another peak rate", "Devlin et al. 2019, A.3"),
    Advice(cause.NOTHING, "train.head_learning_rate", _faster_head, "a faster head", "Howard and Ruder 2018"),
    Advice(cause.NOTHING, EPOCHS, _times(3), "more passes", "Mosbach et al. 2021"),
    Advice(cause.NOTHING, "", None, "look at whether inputs tell the labels apart (audit)", ""),
    Advice(cause.UNDER, RATE, _times(3, 0.3), "another peak rate", "Devlin et al. 2019, A.3"),
    Advice(cause.UNDER, EPOCHS, _times(3), "more passes", "Mosbach et al. 2021"),
    Advice(cause.OVER, "recipe.r_drop", _to(1.0, 4.0), "two passes with other dropout agree", "Liang et al. 2021"),
    Advice(cause.OVER, DECAY, _to(0.1), "stronger decay", "Loshchilov and Hutter 2019"),
    Advice(cause.OVER, "model.dropout", _to(0.2), "more dropout", "Srivastava et al. 2014"),
    Advice(cause.OVER, "recipe.mixout", _to(0.5), "stay near what was pretrained", "Lee et al. 2020"),
    Advice(cause.IMBALANCE, WEIGHTS, _to("balanced"), "each label has the same say", "King and Zeng 2001"),
    Advice(cause.IMBALANCE, "recipe.focal_gamma", _to(2.0), "what is sure counts less", "Lin et al. 2017"),
    Advice(cause.WRONG, SMOOTHING, _to(0.1, 0.2), "no label is learnt as certain", "Lukasik et al. 2020"),
    Advice(cause.WRONG, "", None, "look at the suspects and correct them (audit --suspects)", "Northcutt et al. 2021"),
    Advice(cause.CUT, "model.max_length", _to(None), "inputs as long as the model takes", ""),
    Advice(cause.FEW, "recipe.lora_rank", _to(8), "train fewer weights", "Hu et al. 2022"),
    Advice(cause.FEW, "train.layer_decay", _to(0.9), "keep more of what was pretrained", "Howard and Ruder 2018"),
    Advice(cause.FEW, "", None, "label more, first what the model is unsure of", "Settles 2009"),
    Advice(cause.REPEATS, "", None, "data.drop_duplicates: true keeps one of equal texts", "Lee et al. 2022"),
    Advice(cause.WEAK_LABELS, WEIGHTS, _to("balanced"), "each label has the same say", "King and Zeng 2001"),
    Advice(cause.WEAK_LABELS, "", None, "look at what these labels are taken for; label more of them", ""),
    Advice(cause.WEAK_SLICES, "", None, "label more texts of these lengths", ""),
    Advice(cause.CALIBRATION, SMOOTHING, _to(0.1), "no label is learnt as certain", "Szegedy et al. 2016"),
    Advice(cause.SEEDS, "recipe.ema", _to(0.99), "average the weights", "Polyak and Juditsky 1992"),
    Advice(cause.SEEDS, "", None, "compare several seeds, not single runs", "Reimers and Gurevych 2017"),
)


def setting(config: Config, key: str) -> Any:
    """Return what a config has under `section.key`."""
    group, _, name = key.partition(".")
    return getattr(getattr(config, group), name)


def advice_for(name: str, config: Config) -> list[dict[str, Any]]:
    """Return what to do against a cause, JSON-ready: key, values for this config, words and source."""
    found = []
    for row in TABLE:
        if row.cause == name:
            values = list(row.values(setting(config, row.key))) if row.values is not None else []
            values = [value for value in values if has(config.model.framework, row.key, value)]
            found.append({"key": row.key or None, "values": values, "what": row.what, "source": row.source})
    return found


def cures(causes: list[Mapping[str, Any]], config: Config) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (cause, change) pairs to try first, in the order of the causes of a saved diagnosis.

    The first value of every row of a cause, then of the next cause; a key is changed once for each of its values.
    """
    found: list[tuple[str, Mapping[str, Any]]] = []
    for one in causes:
        for row in advice_for(str(one["name"]), config):
            for value in row["values"]:
                change = {row["key"]: value}
                if all(change != known for _, known in found):
                    found.append((str(one["name"]), change))
    return found
