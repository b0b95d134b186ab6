"""Parquet."""

from __future__ import annotations

from collections.abc import Iterator
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
