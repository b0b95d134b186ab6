"""Train, validation and test: made once by a rule that does not look at the order of the file, saved by id.

Examples of a group, and texts that are equal after normalisation, stay on one side. What stays together is
put in an order that depends on the seed and on its ids only; labels are spread evenly along that order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from truetune.errors import DataError
from truetune.files import read_json, write_json

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
        parts = {"train": list(self.train), "validation": list(self.validation), "test": list(self.test)}
        write_json(path, {"made": self.made, **parts})

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
    """Split examples; equal `keys` stay together, `strata` (labels) are spread evenly.

    `validation` and `test` are shares of all examples; a share of 0 makes an empty part. Raises
    `DataError` where a part that was asked for would be empty.
    """
    units: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        units.setdefault(key, []).append(place)
    by_stratum: dict[str, list[str]] = {}
    for key, places in units.items():
        common = Counter(strata[place] for place in places)
        stratum = min(common, key=lambda label: (-common[label], label))
        by_stratum.setdefault(stratum, []).append(key)
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    wanted = {"test": test, "validation": validation}
    total = 0
    for stratum in sorted(by_stratum):
        order = sorted(by_stratum[stratum], key=lambda key: content_rank(key, seed))
        for key in order:
            total += len(units[key])
            # Whichever part lags most behind its share takes the next unit.
            lag = {name: share * total - len(parts[name]) for name, share in wanted.items()}
            behind = max(lag, key=lambda name: lag[name])
            share_of_unit = len(units[key]) / 2
            parts[behind if lag[behind] >= share_of_unit else "train"] += units[key]
    for name, share in (("train", 1.0), *wanted.items()):
        if share and not parts[name]:
            raise DataError(
                f"{len(ids):,} examples in {len(units):,} groups leave nothing for {name}; give more data, other "
                "shares, or a file of its own for it"
            )
    chosen = {name: tuple(ids[place] for place in sorted(places)) for name, places in parts.items()}
    made = f"{1 - validation - test:.0%} train, {validation:.0%} validation, {test:.0%} test; stratified, seed {seed}"
    return Split(chosen["train"], chosen["validation"], chosen["test"], made)


def content_rank(key: str, seed: int) -> str:
    """Return what puts keys into an order that looks random and depends on seed and keys only."""
    return hashlib.sha256(f"{seed}\n{key}".encode()).hexdigest()


def joined(*columns: Sequence[str]) -> list[str]:
    """Return one key an example: equal for examples that are linked by equal values in any of the columns.

    Links are followed: a document shared with a second example, and that one's text with a third, put all
    three together. The key does not depend on the order of the examples, but for those whose values are all
    empty: empty values link nothing.
    """
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(node: tuple[int, str]) -> tuple[int, str]:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = node = parent[above]
        return node

    rows = [[(number, value) for number, value in enumerate(row) if value] for row in zip(*columns, strict=True)]
    for row in rows:
        for one, other in pairwise(row):
            first, second = sorted((root(one), root(other)))
            parent[second] = first
    return [f"{root(row[0])[0]} {root(row[0])[1]}" if row else f"alone {place}" for place, row in enumerate(rows)]
