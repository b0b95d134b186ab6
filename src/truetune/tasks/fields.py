"""How raw values of files become typed ones: the parse functions that tasks share.

Each takes what JSON, CSV or a Python list holds and returns the typed value, or raises ValueError with
"expected ..., found ..."; the reader adds file, line and field.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from truetune.metrics.label_scores import SUM_TOLERANCE

SHOWN_CHARACTERS = 60


def as_text(value: object) -> str:
    """Return a text that holds more than white space."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {shown(value)}")
    if not value.strip():
        raise ValueError("expected a text, found an empty one")
    return value


def as_any_text(value: object) -> str:
    """Return a text that may be empty: what a system said, which may be nothing."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {shown(value)}")
    return value


def as_label(value: object) -> str:
    """Return a label as a string; whole numbers are labels too (1, 1.0 and "1" are the same one)."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    found = "an empty one" if isinstance(value, str) else shown(value)
    raise ValueError(f"expected a label (a text or a whole number), found {found}")


def as_labels(value: object) -> tuple[str, ...]:
    """Return the set of labels of one example, sorted, each once; JSON text of a list is read as one."""
    items = _listed(value, "a list of labels")
    return tuple(sorted({as_label(item) for item in items}))


def as_scores(value: object) -> dict[str, float]:
    """Return finite scores by label from `{label: score}` (or JSON text of it)."""
    mapping = _decoded(value)
    if not isinstance(mapping, Mapping) or not mapping:
        raise ValueError(f"expected scores as {{label: number}}, found {shown(value)}")
    return {as_label(label): as_number(score) for label, score in mapping.items()}


def as_probabilities(value: object) -> dict[str, float]:
    """Return the probability of each label, each in [0, 1]; several labels may hold at once."""
    scores = as_scores(value)
    for label, score in scores.items():
        if not 0 <= score <= 1:
            raise ValueError(
                "expected a probability between 0 and 1 of each label (a raw logit? apply softmax, or sigmoid where "
                f"labels are independent), found {score:.6g} of label {label!r}"
            )
    return scores


def as_distribution(value: object) -> dict[str, float]:
    """Return the probability of each label, of which one holds: they sum to 1."""
    scores = as_probabilities(value)
    total = sum(scores.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise ValueError(
            "expected probabilities that sum to 1 (apply softmax to logits; independent probabilities belong to "
            f"examples with several labels, the field `labels`), found a sum of {total:.6g}"
        )
    return scores


def as_number(value: object) -> float:
    """Return a finite number; text of a number is read as one."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"expected a number, found {shown(value)}") from None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        raise ValueError(f"expected a number, found {shown(value)}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, found {number}")
    return number


def as_count(value: object) -> int:
    """Return a whole number of at least 0."""
    number = as_number(value)
    if number < 0 or not number.is_integer():
        raise ValueError(f"expected a whole number of at least 0, found {shown(value)}")
    return int(number)


def as_truth(value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError(f"expected true or false, found {shown(value)}")


def as_texts(value: object) -> tuple[str, ...]:
    """Return a list of texts; a single text is a list of one."""
    if is_one_text(value):
        return (as_any_text(value),)
    return tuple(as_any_text(item) for item in _listed(value, "a list of texts"))


def is_one_text(value: object) -> bool:
    """Return whether a value is a text, and no list in JSON: one may begin with a bracket, as `[laughs] well` does."""
    return isinstance(value, str) and not (value.lstrip().startswith("[") and isinstance(_decoded(value), list))


def as_list(value: object) -> list[Any]:
    """Return a list of anything; JSON text of a list is read as one."""
    return list(_listed(value, "a list"))


def shown(value: object) -> str:
    """Return a value as an error message shows it: short, on one line, with its type."""
    if value is None:
        return "nothing"
    text = repr(value)
    short = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
    return f"{short} ({type(value).__name__})"


def _listed(value: object, expected: str) -> Sequence[Any]:
    decoded = _decoded(value)
    if isinstance(decoded, np.ndarray):
        decoded = decoded.tolist()
    if isinstance(decoded, set | frozenset):
        decoded = sorted(decoded)
    if not isinstance(decoded, list | tuple):
        raise ValueError(f"expected {expected}, found {shown(value)}")
    return decoded


def _decoded(value: object) -> object:
    """Return JSON text decoded (columns of CSV files hold lists and mappings that way), else the value."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value
