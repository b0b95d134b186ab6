"""Are predictions some rows beside their gold? A shift that agrees far better says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from truetune.evaluation.doctor.case import ENOUGH, Case, finding, listed
from truetune.types import Finding, Floats

SHIFTS = (-3, -2, -1, 1, 2, 3)
ROWS, TEXT_ROWS = 20_000, 300
"""Of the beginning of the data so many rows are looked at."""
LEAST_GAIN = 0.15
LEAST_Z = 6.0
"""How much more predictions must agree with the gold of another row, as a share and in standard errors."""

Alike = Callable[[Sequence[Any], Sequence[Any]], Floats]
"""(gold, predicted) -> agreement of each pair, 0 to 1 (for numbers the product of standardised values)."""


def shift_findings(case: Case) -> Iterator[Finding]:
    """Yield that predictions agree with the gold of k rows further far better than with their own.

    A shift must gain 15 points of agreement and six standard errors: sorted data, guessers and constants agree with
    their neighbours' gold as well as with their own, not better. It must also agree better by 15 points than gold half
    the file away does: predictions that are all wrong agree with any gold better than with their own.
    """
    sides = _sides(case)
    if sides is None:
        return
    gold, predicted, alike = sides
    if len(gold) < ENOUGH + 2 * max(SHIFTS):
        return
    edge = max(SHIFTS)
    inner = slice(edge, len(gold) - edge)
    own = alike(gold[inner], predicted[inner])
    if own.mean() > 1 - LEAST_GAIN:
        return
    best = max(SHIFTS, key=lambda k: float(alike(gold[edge + k : len(gold) - edge + k], predicted[inner]).mean()))
    other = alike(gold[edge + best : len(gold) - edge + best], predicted[inner])
    gain = other - own
    error = float(gain.std()) / np.sqrt(len(gain))
    if min(gain.mean(), other.mean()) < LEAST_GAIN or gain.mean() < LEAST_Z * error:
        return
    half = len(gold) // 2
    chance = alike([*gold[half:], *gold[:half]][inner], predicted[inner])
    if other.mean() < max(1.5 * own.mean(), chance.mean() + LEAST_GAIN):
        return
    where = np.flatnonzero(gain > 0)[:5].tolist()
    yield finding(
        "predictions are shifted",
        "error",
        len(case),
        [f"prediction of {case.ids[edge + place]} fits {case.ids[edge + place + best]}" for place in where],
        f"predictions agree with the gold {_rows(best)} far better ({other.mean():.3f}) than with their own "
        f"({own.mean():.3f}): a line was lost or added on one side. "
        "Write the id of each example beside its prediction",
    )


def _rows(shift: int) -> str:
    return f"{abs(shift)} row{'s' * (abs(shift) > 1)} {'further' if shift > 0 else 'before'}"


def _sides(case: Case) -> tuple[Sequence[Any], Sequence[Any], Alike] | None:
    for name in ("label", "value", "labels", "tags", "spans"):
        columns = case.both(name)
        if columns is not None:
            gold, predicted = (side[: ROWS if name in ("label", "value") else ROWS // 10] for side in columns)
            if name == "value":
                return _standardised(gold), _standardised(predicted), np.multiply
            return gold, predicted, _equal if name == "label" else _shared_places if name == "tags" else _shared
    if "answers" in case.gold and "answer" in case.predicted:
        return _text_sides([" ".join(each[:1]) for each in listed(case.gold["answers"])[:TEXT_ROWS]], case, "answer")
    if "references" in case.gold and "text" in case.predicted:
        return _text_sides([" ".join(each[:1]) for each in listed(case.gold["references"])[:TEXT_ROWS]], case, "text")
    return None


def _text_sides(gold: Sequence[str], case: Case, name: str) -> tuple[Sequence[Any], Sequence[Any], Alike]:
    said = listed(case.predicted[name])[:TEXT_ROWS]
    return [_parts(text) for text in gold], [_parts(text) for text in said], _shared


def _parts(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters of a text's beginning."""
    begin = text[:200].lower()
    return frozenset(map(str.__add__, begin, begin[1:]))


def _equal(gold: Sequence[Any], predicted: Sequence[Any]) -> Floats:
    return np.array([one == other for one, other in zip(gold, predicted, strict=True)], dtype=np.float64)


def _shared(gold: Sequence[Any], predicted: Sequence[Any]) -> Floats:
    """Return the share of what either set holds that both hold; nothing is shared where both are empty."""
    pairs = ((set(one), set(other)) for one, other in zip(gold, predicted, strict=True))
    return np.array([len(one & other) / len(one | other) if one else 0.0 for one, other in pairs], dtype=np.float64)


def _shared_places(gold: Sequence[Any], predicted: Sequence[Any]) -> Floats:
    """Return the same of tags that are not O at their places."""
    marked = (
        [{(place, tag) for place, tag in enumerate(tags) if tag != "O"} for tags in side] for side in (gold, predicted)
    )
    return _shared(*marked)


def _standardised(values: Sequence[float]) -> Any:
    numbers = np.asarray(values, dtype=np.float64)
    spread = numbers.std()
    return (numbers - numbers.mean()) / spread if spread else np.zeros_like(numbers)
