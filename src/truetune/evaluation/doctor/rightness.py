"""Which examples a system gets right, whatever the task: what a score is compared by when some are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from truetune.data.keys import Keys, hashed
from truetune.evaluation.beside import OR_NAMES, are_names
from truetune.evaluation.doctor.case import Case, listed
from truetune.text import normalised
from truetune.types import Bools

TEXTS = (("text",), ("first", "second"), ("source",), ("context", "question"), ("question",), ("document",))
"""The columns, of gold or beside it, that an example is told by; the first that are all there."""


def right(case: Case) -> Bools | None:
    """Return which examples are wholly right, `[examples]`; None where no example is right or wrong by itself."""
    for name in ("label", "labels", "tags", "spans", "triples"):
        columns = case.both(name)
        if columns is not None:
            return _truths(_same(one, other) for one, other in zip(*columns, strict=True))
    for known, said in (("answers", "answer"), ("references", "text")):
        if known in case.gold and said in case.predicted:
            pairs = zip(listed(case.gold[known]), listed(case.predicted[said]), strict=True)
            return _truths(normalised(text) in map(normalised, some or ("",)) for some, text in pairs)
    return None


def named_only(case: Case) -> bool:
    """Return whether what `text_keys` would take for texts are names, by which examples are grouped or sliced."""
    names = next((names for names in TEXTS if all(name in case.others or name in case.gold for name in names)), ())
    return any(name in OR_NAMES and name in case.others and are_names(case.others[name]) for name in names)


def text_keys(case: Case) -> list[str] | None:
    """Return the text of each example as it is after normalisation; None where no column holds it."""
    texts = _normal_texts({**case.others, **case.gold})
    return None if texts is None else list(texts)


def keys_of_texts(columns: Mapping[str, Any], number: int) -> Keys | None:
    """Return `[number]` hashes of what `text_keys` returns; the columns may be on disk."""
    texts = _normal_texts(columns)
    return None if texts is None else hashed(texts, number)


def _normal_texts(columns: Mapping[str, Any]) -> Iterator[str] | None:
    for names in TEXTS:
        found = [columns[name] for name in names if name in columns]
        if len(found) == len(names) and all(isinstance(value, str) for column in found for value in column):
            return ("\n".join(map(normalised, texts)) for texts in zip(*found, strict=True))
    return None


def _same(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, str) else sorted(one) == sorted(other)


def _truths(values: Any) -> Bools:
    return np.fromiter(values, dtype=np.bool_)


def share(chosen: Sequence[bool] | Bools) -> float:
    """Return the share of true ones."""
    return float(np.mean(chosen)) if len(chosen) else float("nan")
