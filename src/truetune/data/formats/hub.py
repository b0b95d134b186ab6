"""Data sets of the Hugging Face Hub: `hub:NAME`, `hub:NAME:CONFIG`, `hub:NAME:CONFIG:SPLIT`."""

from __future__ import annotations

from collections.abc import Iterator

from truetune.data.record import Record
from truetune.errors import DataError, MissingPackageError


def read_hub(name: str) -> Iterator[Record]:
    """Yield the rows of one split (default: `train`); whole-number labels become their names.

    Raises `DataError` where the data set cannot be had, with what the library said.
    """
    try:
        import datasets
    except ImportError:
        raise MissingPackageError("datasets", f"reading hub:{name}", "hub") from None
    dataset, config, split = (*name.split(":"), "", "")[:3]
    try:
        rows = datasets.load_dataset(dataset, config or None, split=split or "train")
    except Exception as error:
        raise DataError(
            f"hub:{name}: cannot be loaded ({type(error).__name__}: {str(error)[:200]}); check the name and the "
            "network, or download it and give the files"
        ) from None
    names = {
        column: feature.names for column, feature in rows.features.items() if isinstance(feature, datasets.ClassLabel)
    }
    for number, row in enumerate(rows, start=1):
        fields = dict(row)
        for column, labels in names.items():
            if isinstance(fields[column], int) and fields[column] >= 0:
                fields[column] = labels[fields[column]]
        yield Record(f"hub:{name}[{number}]", fields)
