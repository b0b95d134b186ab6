"""Train, validation and test: made once by a rule that does not look at the order of the file, saved by id.

Examples of a group, and texts that are equal after normalisation, stay on one side. What stays together is
put in an order that depends on the seed and on its ids only; labels are spread evenly along that order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from truetune.data.keys import Keys, ranked
from truetune.errors import DataError
from truetune.files import read_json, whole_file
from truetune.types import Ints

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """The ids of each part."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    made: str
    """How it was made, for the report."""

    def write(self, path: Path) -> None:
        """Write the ids as JSON."""
        write_split(path, self.made, {"train": self.train, "validation": self.validation, "test": self.test})

    @classmethod
    def read(cls, path: Path) -> Split:
        """Read what `write` has written; raises `DataError` for anything else."""
        try:
            stored = read_json(path)
            train, validation, test = (tuple(map(str, stored[name])) for name in PARTS)
            made = str(stored["made"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}: is no saved split ({type(error).__name__}: {error}); expected the ids of {', '.join(PARTS)}. "
                "Delete it to split again"
            ) from None
        return cls(train, validation, test, made)

    def check(self, ids: Sequence[str]) -> None:
        """Raise `DataError` unless every one of the data's ids stands in one part, and no other id does."""
        known, placed = set(ids), Counter(chain(self.train, self.validation, self.test))
        problems = [f"id {name!r} of the split is not in the data" for name in placed if name not in known]
        problems += [f"id {name!r} of the data is not in the split" for name in ids if name not in placed]
        problems += [f"id {name!r} stands {number} times in the split" for name, number in placed.items() if number > 1]
        if problems:
            raise DataError("the saved split does not fit the data; delete it to split again", problems)


def make_split(
    ids: Sequence[str],
    keys: Sequence[str],
    strata: Sequence[str],
    *,
    validation: float,
    test: float,
    seed: int,
) -> Split:
    """Split examples; equal `keys` stay together, `strata` (labels) are spread evenly; see `places_of`."""
    found = places_of(ranked(keys, len(keys), seed), strata, validation=validation, test=test)
    chosen = {name: tuple(ids[place] for place in places.tolist()) for name, places in found.items()}
    made = how_made(validation, test, seed, stratified=len(set(strata)) > 1)
    return Split(chosen["train"], chosen["validation"], chosen["test"], made)


def how_made(validation: float, test: float, seed: int, *, stratified: bool) -> str:
    """Return how a split was made, for people; `stratified`: there was more than one label to spread."""
    shares = f"{1 - validation - test:.0%} train, {validation:.0%} validation, {test:.0%} test"
    return f"{shares}; {'stratified, ' if stratified else ''}seed {seed}"


def places_of(keys: Keys, strata: Iterable[str], *, validation: float, test: float) -> dict[str, Ints]:
    """Return the positions of the examples of each part, in order.

    Examples with equal `keys` stay together; the parts are filled in the order of the keys, so these have to be
    `ranked`. `strata` (labels) are spread evenly; a unit of several examples counts for its most frequent one.
    `validation` and `test` are shares of all examples; a share of 0 makes an empty part. Raises `DataError` where a
    part that was asked for would be empty.
    """
    _, units, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    stratum = _strata_of_units(units, strata)
    wanted = {"test": test, "validation": validation}
    filled = dict.fromkeys(PARTS, 0)
    part_of = np.zeros(len(sizes), dtype=np.int8)
    total = 0
    for number in np.unique(stratum).tolist():
        inside = np.flatnonzero(stratum == number)
        chosen = np.zeros(len(inside), dtype=np.int8)
        for place, size in enumerate(sizes[inside].tolist()):
            total += size
            # Whichever part lags most behind its share takes the next unit.
            lag = {name: share * total - filled[name] for name, share in wanted.items()}
            behind = max(lag, key=lambda name: lag[name])
            name = behind if lag[behind] >= size / 2 else "train"
            filled[name] += size
            chosen[place] = PARTS.index(name)
        part_of[inside] = chosen
    for name, share in (("train", 1.0), *wanted.items()):
        if share and not filled[name]:
            raise DataError(
                f"{len(keys):,} examples in {len(sizes):,} groups leave nothing for {name}; give more data, other "
                "shares, or a file of its own for it"
            )
    parts = part_of[units]
    return {name: np.flatnonzero(parts == number) for number, name in enumerate(PARTS)}


def write_split(path: Path, made: str, parts: Mapping[str, Iterable[str]]) -> None:
    """Write the ids of parts as JSON, one by one: they need not be in memory together."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(f'{{\n "made": {json.dumps(made, ensure_ascii=False)}')
        for name, ids in parts.items():
            file.write(f",\n {json.dumps(name)}: [")
            between = "\n"
            for one in ids:
                file.write(f"{between}  {json.dumps(one, ensure_ascii=False)}")
                between = ",\n"
            file.write("]" if between == "\n" else "\n ]")
        file.write("\n}\n")


def _strata_of_units(units: Ints, strata: Iterable[str]) -> Ints:
    """Return the most frequent stratum of each unit, of equally frequent ones the first; numbered in their order."""
    names: dict[str, int] = {}
    met = np.fromiter((names.setdefault(name, len(names)) for name in strata), dtype=np.int64, count=len(units))
    order = {names[name]: number for number, name in enumerate(sorted(names))}
    codes = np.array([order[number] for number in range(len(order))], dtype=np.int64)[met]
    pairs, counts = np.unique(units * max(len(names), 1) + codes, return_counts=True)
    of_unit, code = np.divmod(pairs, max(len(names), 1))
    best = np.lexsort((code, -counts, of_unit))
    first = np.flatnonzero(np.r_[True, np.diff(of_unit[best]) > 0]) if len(best) else best
    most_frequent: Ints = code[best[first]]
    return most_frequent
