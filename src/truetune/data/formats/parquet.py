"""Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from operator import eq
from pathlib import Path

from truetune.data.record import Record
from truetune.errors import DataError


def read_parquet(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a Parquet file, a batch of rows in memory at a time; maps become dicts."""
    import pyarrow.parquet as parquet
    from pyarrow.lib import ArrowException

    number = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=8192):
            for row in batch.to_pylist(maps_as_pydicts="strict"):
                number += 1
                yield Record(f"{path}:{number}", row)
    except (ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet ({error})") from None


def same_ids(first: Path, second: Path) -> bool:
    """Return whether two files hold the same ids in the same order, or as many rows and no ids.

    Only the ids are read, a batch at a time.
    """
    import pyarrow.parquet as parquet
    from pyarrow.lib import ArrowException

    try:
        files = parquet.ParquetFile(first), parquet.ParquetFile(second)
        if files[0].metadata.num_rows != files[1].metadata.num_rows:
            return False
        named = ["id" in file.schema_arrow.names for file in files]
        if not any(named):
            return True
        batches = (file.iter_batches(batch_size=65_536, columns=["id"]) for file in files)
        ids = [(str(one) for batch in side for one in batch.column(0).to_pylist()) for side in batches]
        return all(named) and all(map(eq, *ids))
    except (ArrowException, OSError):
        return False
