"""Conditions by which examples are told apart: words, length, language, labels, columns; each true or false of each."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.evaluation.derived import texts_of
from truetune.text import is_cjk, script, words
from truetune.types import Bools, Ints

FEW_VALUES = 20
"""A column with more distinct values makes no conditions."""
MOST_WORDS = 300
QUARTERS = (0.25, 0.75)
SHAPES = {
    "digit": re.compile(r"\d"),
    "question": re.compile(r"[?？]"),
    "exclamation": re.compile(r"[!！]"),
    "negation": re.compile(
        r"\b(?:no|not|never|none|nothing|neither|nor|without|cannot)\b|n['’]t\b|[不没无未]|非(?!常)|(?<![特区分])别",
        re.IGNORECASE,
    ),
    "contrast": re.compile(r"\b(?:but|although|though|however|yet|despite)\b|但|却|虽然|然而|不过", re.IGNORECASE),
    "capitals": re.compile(r"\b[A-Z]{2,}\b"),
}


@dataclass(frozen=True)
class Condition:
    """What is asked of an example; `value` is empty where `what` says all."""

    what: str
    value: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return JSON-ready values."""
        return {"what": self.what, "value": self.value}


@dataclass(frozen=True, eq=False)
class Conditions:
    """Conditions and of which examples they are true, `[examples, conditions]`."""

    each: tuple[Condition, ...]
    true: Bools

    @property
    def apart(self) -> Bools:
        """Which two make no rule, `[conditions, conditions]`: one of gold and one of predictions together are an error
        by their own meaning, and say nothing of where errors are.
        """
        sides = [np.array([one.what.startswith(side) for one in self.each]) for side in ("gold ", "predicted ")]
        found: Bools = np.outer(*sides) | np.outer(*reversed(sides))
        return found


def conditions_of(
    gold: Mapping[str, Sequence[Any]],
    predicted: Mapping[str, Sequence[Any]],
    others: Mapping[str, Sequence[Any]],
    seen: Ints,
) -> Conditions:
    """Return conditions; which words and lengths they are of is taken from the examples at the places `seen` only.

    A condition that is true of all of those, or of fewer than five, is left out.
    """
    examples = len(next(iter(gold.values())))
    found: dict[Condition, Bools] = {}
    for condition, true in _all(gold, predicted, others, seen):
        inside = int(true[seen].sum())
        if 5 <= inside < len(seen):
            found[condition] = true
    table = np.column_stack([*found.values()]) if found else np.zeros((examples, 0), dtype=np.bool_)
    return Conditions(tuple(found), table)


def _all(
    gold: Mapping[str, Sequence[Any]],
    predicted: Mapping[str, Sequence[Any]],
    others: Mapping[str, Sequence[Any]],
    seen: Ints,
) -> Iterator[tuple[Condition, Bools]]:
    for side, columns in (("gold", gold), ("predicted", predicted)):
        for name in ("label", "labels", "spans"):
            if name in columns:
                yield from _holding(f"{side} {name.removesuffix('s')}", _values(columns[name]))
    if "answers" in gold:
        yield Condition("no gold answer"), np.array([not one for one in gold["answers"]])
    texts = texts_of({**others, **gold})
    for name, column in others.items():
        short = [str(value) for value in column]
        if len(set(short)) <= FEW_VALUES and name not in ("id", "group"):
            yield from _holding(f"column {name}", [{value} for value in short])
    if texts is None:
        return
    lengths = np.array([len(text) for text in texts])
    low, high = (int(one) for one in np.quantile(lengths[seen], QUARTERS))
    yield Condition("at most characters", str(low)), lengths <= low
    yield Condition("at least characters", str(high)), lengths >= high
    for language in ("zh", "en"):
        yield Condition("language", language), np.array([script([text]) == language for text in texts])
    for shape, pattern in SHAPES.items():
        yield Condition(shape), np.array([pattern.search(text) is not None for text in texts])
    yield from _words(texts, seen)


def true_of(condition: Condition, texts: Sequence[str], labels: Sequence[Any] | None = None) -> Bools | None:
    """Return of which new texts a condition is true, `[texts]`; None for one that asks for gold or a column.

    `labels`: what is predicted of them.
    """
    what, value = condition.what, condition.value
    if what in ("at most characters", "at least characters"):
        lengths = np.array([len(text) for text in texts])
        return np.asarray(lengths <= int(value) if what == "at most characters" else lengths >= int(value))
    if what == "language":
        return np.array([script([text]) == value for text in texts])
    if what == "word":
        return np.array([value in _units(text) for text in texts])
    if what == "predicted label" and labels is not None:
        return np.array([value in one for one in _values(labels)])
    if what in SHAPES:
        return np.array([SHAPES[what].search(text) is not None for text in texts])
    return None


def _values(column: Sequence[Any]) -> list[set[str]]:
    return [
        {value} if isinstance(value, str) else {one if isinstance(one, str) else str(one.type) for one in value}
        for value in column
    ]


def _holding(what: str, sets: Sequence[set[str]]) -> Iterator[tuple[Condition, Bools]]:
    for value in sorted(set().union(*sets)):
        yield Condition(what, value), np.array([value in one for one in sets])


def _words(texts: Sequence[str], seen: Ints) -> Iterator[tuple[Condition, Bools]]:
    """Yield the most frequent words of the seen examples; of CJK, pairs of neighbouring characters."""
    sets = [_units(text) for text in texts]
    counts: Counter[str] = Counter(unit for place in seen.tolist() for unit in sets[place])
    for unit, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]:
        yield Condition("word", unit), np.array([unit in one for one in sets])


def _units(text: str) -> set[str]:
    pieces = [text[start:end].casefold() for start, end in words(text)]
    pairs = itertools.pairwise(pieces)
    joined = {one + other for one, other in pairs if is_cjk(one[0]) and is_cjk(other[0])}
    return joined | {piece for piece in pieces if piece[0].isalnum() and not is_cjk(piece[0])}
