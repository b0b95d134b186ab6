"""Model inputs of a large corpus: kept in a file without a name, and made arrays again when they are asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
import numpy.typing as npt

from truetune.data.stored import Mapping
from truetune.types import Encoded, Ints

IN_MEMORY = 2_000_000
"""Pieces of all inputs up to which they stay in memory, some 100 MB."""
NOTHING = np.zeros(0)
Ints32 = npt.NDArray[np.int32]
RELEASED = 1 << 25
"""Bytes read after which the pages of the file are given back."""


def kept(parts: Iterable[Sequence[Encoded]], folder: Path) -> Sequence[Encoded]:
    """Return the inputs of all parts as one sequence: a list where they are few, else on disk.

    The file lies in `folder` and has no name: it is gone when the sequence, or the process, is. Targets are of one
    kind: a code (int), a row of numbers (float), a code a piece, or any number of rows of codes.
    """
    few: list[Encoded] = []
    pieces = 0
    rest = iter(parts)
    for part in rest:
        few += part
        pieces += sum(len(one.ids) for one in part)
        if pieces > IN_MEMORY:
            break
    else:
        return few
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        sizes: list[Ints] = []
        examples: list[Ints] = []
        target = few[0].target
        for inputs in _first(few, rest):
            sizes.append(np.fromiter((_written(file, one) for one in inputs), dtype=np.int64, count=len(inputs)))
            examples.append(np.fromiter((one.example for one in inputs), dtype=np.int64, count=len(inputs)))
        file.flush()
        ends = np.concatenate([np.zeros(1, dtype=np.int64), *sizes]).cumsum()
        return Inputs(Mapping(file), ends, np.concatenate(examples), target)


class Inputs(Sequence[Encoded]):
    """Encoded inputs in a mapped file; 16 bytes of each are in memory."""

    def __init__(self, mapping: Mapping, ends: Ints, examples: Ints, target: npt.NDArray[Any]) -> None:
        """`ends` `[inputs + 1]` is where each input begins, and the last one ends; `target` is that of the first."""
        self._mapping = mapping
        self._ends = ends
        self._examples = examples
        self._by_piece = target.ndim == 1 and target.dtype.kind == "i"
        self._width = 0 if self._by_piece or target.ndim == 2 else target.size
        self._shape, self._type = target.shape, target.dtype
        self._read = 0

    def __len__(self) -> int:
        return len(self._examples)

    @overload
    def __getitem__(self, place: int) -> Encoded: ...

    @overload
    def __getitem__(self, place: slice) -> list[Encoded]: ...

    def __getitem__(self, place: int | slice) -> Encoded | list[Encoded]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"input {place} of {len(self)}")
        place %= len(self)
        begin, end = int(self._ends[place]), int(self._ends[place + 1])
        self._read += end - begin
        if self._read > RELEASED:
            self._mapping.release()
            self._read = 0
        return self._made(int(self._examples[place]), self._mapping.bytes[begin:end])

    def _made(self, example: int, record: bytes) -> Encoded:
        rows = np.zeros(0, dtype=np.int32)
        if len(self._shape) == 2:
            record, rows = _rows_apart(record)
        length = (len(record) - 8 * self._width) // (17 if self._by_piece else 13)
        codes = np.frombuffer(record, dtype=np.int32, count=length * (4 if self._by_piece else 3))
        table = codes.reshape(-1, length).astype(np.int64)
        target: npt.NDArray[Any]
        if self._by_piece:
            target = table[3]
        elif len(self._shape) == 2:
            target = rows.astype(np.int64).reshape(-1, self._shape[1])
        else:
            numbers = np.frombuffer(record, dtype=self._type, count=self._width, offset=12 * length)
            target = numbers.reshape(self._shape)
        segments = np.frombuffer(record, dtype=np.uint8, offset=len(record) - length).astype(np.int64)
        return Encoded(example, table[0], segments, target, table[1], table[2])


def _written(file: BinaryIO, one: Encoded) -> int:
    """Write an input and return how many bytes it takes.

    Ids, starts, ends, 4 bytes each; the target, 4 bytes a piece or 8 a number; segments, one byte each. Rows of codes,
    4 bytes a code, stand behind all that, and their number of codes, 4 bytes, at the end.
    """
    if one.target.ndim == 2:
        codes = one.target.astype(np.int32)
        return _written(file, replace(one, target=NOTHING)) + file.write(
            codes.tobytes() + np.array([codes.size], dtype=np.int32).tobytes()
        )
    by_piece = one.target.ndim == 1 and one.target.dtype.kind == "i"
    table = np.stack([one.ids, one.starts, one.ends, *([one.target] if by_piece else [])]).astype(np.int32)
    target = b"" if by_piece else one.target.tobytes()
    return file.write(table.tobytes() + target + one.segments.astype(np.uint8).tobytes())


def _rows_apart(record: bytes) -> tuple[bytes, Ints32]:
    """Return a record without the codes behind it, and these."""
    size = 4 * int(np.frombuffer(record, dtype=np.int32, offset=len(record) - 4)[0])
    codes = np.frombuffer(record, dtype=np.int32, count=size // 4, offset=len(record) - 4 - size)
    return record[: len(record) - 4 - size], codes


def _first(few: list[Encoded], rest: Iterator[Sequence[Encoded]]) -> Iterator[Sequence[Encoded]]:
    yield few
    few.clear()
    yield from rest
