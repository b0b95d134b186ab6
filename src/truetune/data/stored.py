"""Columns that stay on disk: rows of a mapped file, of which some thousand are in memory at a time."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
import pyarrow as pa

from truetune.data.arrow import from_array
from truetune.data.arrow_writer import BATCH
from truetune.errors import RunError
from truetune.types import Ints

NEAR = 512
"""Values that are read with one of them, for those who ask for one after the other."""


class Mapping:
    """A file in the address space of the process; its pages are given back when they have been read."""

    def __init__(self, file: BinaryIO) -> None:
        self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def release(self) -> None:
        """Let the system take the pages back; they are read again where they are needed."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.bytes.madvise(mmap.MADV_DONTNEED)


class Rows:
    """Rows of a mapped table: all of them, or those at some positions."""

    def __init__(self, table: pa.Table, chosen: Ints | None = None, release: Callable[[], None] = lambda: None) -> None:
        self.table = table
        self._chosen = chosen
        self._release = release
        self._batches = table.to_batches()
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])

    @classmethod
    def of(cls, path: Path) -> Rows:
        """Map an Arrow file; raises `RunError` where that cannot be done."""
        try:
            with path.open("rb") as file:
                mapping = Mapping(file)
            return cls(pa.ipc.open_file(pa.py_buffer(mapping.bytes)).read_all(), None, mapping.release)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise RunError(f"{path}: cannot be read ({error}); prepare the data again") from None

    def __len__(self) -> int:
        return int(self.table.num_rows) if self._chosen is None else len(self._chosen)

    def take(self, positions: Ints) -> Rows:
        """Return the rows at some positions of these, in that order."""
        chosen = positions if self._chosen is None else self._chosen[positions]
        return Rows(self.table, chosen, self._release)

    def without(self, names: Sequence[str]) -> Rows:
        """Return the rows without some columns."""
        return Rows(self.table.drop_columns(list(names)), self._chosen, self._release)

    def blocks(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield some columns of all rows in order, at most some thousand rows at a time."""
        if self._chosen is None:
            for batch in self._batches:
                yield pa.Table.from_batches([batch.select(list(names))])
                self._release()
            return
        for start in range(0, len(self._chosen), BATCH):
            yield self._taken(names, self._chosen[start : start + BATCH])
            self._release()

    def at(self, names: Sequence[str], positions: Ints) -> pa.Table:
        """Return some columns of the rows at positions, in that order."""
        return self._taken(names, positions if self._chosen is None else self._chosen[positions])

    def _taken(self, names: Sequence[str], positions: Ints) -> pa.Table:
        """Return rows of the table batch by batch: a take from the whole would first join its batches."""
        order = np.argsort(positions, kind="stable")
        ordered = positions[order]
        batches = np.searchsorted(self._starts, ordered, side="right") - 1
        borders = [0, *(np.flatnonzero(np.diff(batches)) + 1).tolist(), len(ordered)]
        parts = []
        for start, end in pairwise(borders) if len(ordered) else ():
            batch = int(batches[start])
            inside = pa.array(ordered[start:end] - self._starts[batch])
            parts.append(self._batches[batch].select(list(names)).take(inside))
        if not parts:
            return self.table.select(list(names)).slice(0, 0)
        found = pa.Table.from_batches(parts)
        if (order == np.arange(len(order))).all():
            return found
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        return found.combine_chunks().take(pa.array(places))


class Stored(Sequence[Any]):
    """A column on disk as a sequence: values are made when they are asked for, and not kept but for the last few."""

    def __init__(self, rows: Rows, name: str) -> None:
        self._rows = rows
        self._name = name
        self._near: tuple[int, list[Any]] = -1, []
        """The number of the neighbours that were read last, and their values."""

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return self.at(np.arange(*place.indices(len(self)), dtype=np.int64))
        if not -len(self) <= place < len(self):
            raise IndexError(f"place {place} of {len(self)}")
        number, inside = divmod(place % len(self), NEAR)
        if self._near[0] != number:
            self._near = number, self[number * NEAR : (number + 1) * NEAR]
        return self._near[1][inside]

    def __iter__(self) -> Iterator[Any]:
        for block in self._rows.blocks([self._name]):
            yield from from_array(block[self._name])

    def at(self, positions: Sequence[int] | Ints) -> list[Any]:
        """Return the values at some positions, in that order."""
        return from_array(self._rows.at([self._name], np.asarray(positions, dtype=np.int64))[self._name])


class Made(Sequence[Any]):
    """Values made from those of other sequences of one length, when they are asked for, and not kept."""

    def __init__(self, make: Callable[..., Any], *columns: Sequence[Any]) -> None:
        self._make = make
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        found = (column[place] for column in self._columns)
        return list(map(self._make, *found)) if isinstance(place, slice) else self._make(*found)

    def __iter__(self) -> Iterator[Any]:
        return map(self._make, *self._columns)

    def at(self, positions: Sequence[int] | Ints) -> list[Any]:
        """Return the values at some positions, in that order."""
        return list(map(self._make, *(values_at(column, positions) for column in self._columns)))


def values_at(values: Sequence[Any], positions: Sequence[int] | Ints) -> list[Any]:
    """Return the values of a sequence at some positions; of one on disk nothing else is read."""
    if isinstance(values, Stored | Made):
        return values.at(positions)
    return [values[int(place)] for place in positions]


def some(values: Sequence[Any], positions: Ints) -> Iterator[Any]:
    """Yield the values at some positions, some thousand of them in memory at a time."""
    for start in range(0, len(positions), BATCH):
        yield from values_at(values, positions[start : start + BATCH])
