"""The ids of the examples that were counted, in 16 bytes each, so that none is counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.errors import DataError
from truetune.evaluation.tally import pile_up

Keys = npt.NDArray[Any]
"""`[ids]`, 16 bytes each."""

ROOM = 15
_HASHED = 255


def id_keys(ids: Sequence[str]) -> Keys:
    """Return the key of each id: the id itself up to 15 bytes of UTF-8, else a hash (BLAKE2b) of 120 bits.

    The last byte tells the two apart, and short ids of different lengths. Two of n longer ids share a key with
    a probability of about n**2 / 2**121: 4e-21 for 100 million. Then an example would be refused as doubled;
    none can be counted twice or dropped.
    """
    return np.array([_key(one.encode("utf-8", "surrogatepass")) for one in ids], dtype="S16")


def _key(text: bytes) -> bytes:
    if len(text) <= ROOM:
        return text.ljust(ROOM, b"\0") + bytes([len(text) + 1])
    return blake2b(text, digest_size=ROOM).digest() + bytes([_HASHED])


def id_of(key: bytes) -> str:
    """Return the id that a key stands for, or what is known of a longer one."""
    if key[-1] == _HASHED:
        return f"(longer than {ROOM} bytes, BLAKE2b {key[:ROOM].hex()})"
    return repr(key[: key[-1] - 1].decode("utf-8", "surrogatepass"))


@dataclass
class Ids:
    """A set of ids as sorted arrays of keys."""

    runs: list[Keys] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.runs))

    def check_new(self, keys: Keys, where: str) -> None:
        """Raise `DataError` that names every key which is in the set, or stands twice in `keys`."""
        ordered = np.sort(keys)
        doubled = [np.unique(ordered[1:][ordered[1:] == ordered[:-1]])]
        doubled += [ordered[_stand_in(ordered, run)] for run in self.runs]
        found = sorted({id_of(key) for part in doubled for key in part.tolist()})
        if found:
            raise DataError(
                f"{where}: {len(found):,} example{'s' * (len(found) > 1)} counted before; nothing was added. Each id "
                "may come once, in one batch of one shard",
                [f"id {name} is doubled" for name in found],
            )

    def add(self, keys: Keys) -> None:
        """Add keys that are new."""
        pile_up(self.runs, np.sort(keys), len, _merged)

    def all(self) -> Keys:
        """Return all keys, ascending."""
        return reduce(_merged, self.runs) if self.runs else np.zeros(0, dtype="S16")


def _merged(first: Keys, second: Keys) -> Keys:
    return np.sort(np.concatenate([first, second]), kind="stable")


def _stand_in(keys: Keys, run: Keys) -> npt.NDArray[np.bool_]:
    if not len(run):
        return np.zeros(len(keys), dtype=np.bool_)
    found: npt.NDArray[np.bool_] = run[np.minimum(np.searchsorted(run, keys), len(run) - 1)] == keys
    return found
