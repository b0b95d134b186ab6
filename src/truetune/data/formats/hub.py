"""Data sets of the Hugging Face Hub: `hub:NAME`, `hub:NAME:CONFIG`, `hub:NAME:CONFIG:SPLIT`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from truetune.data.formats.annotations import plain_fields
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
    names = {column: found for column, feature in rows.features.items() if (found := _names(feature))}
    for number, row in enumerate(rows, start=1):
        fields = {column: _named(value, names.get(column, ())) for column, value in row.items()}
        try:
            yield Record(f"hub:{name}[{number}]", plain_fields(fields))
        except ValueError as error:
            yield Record(f"hub:{name}[{number}]", {}, str(error))


def _names(feature: Any) -> Sequence[str]:
    """Return the names of a feature of labels, or of a list of them (tags); none of any other."""
    inner = getattr(feature, "feature", feature)
    return getattr(inner, "names", None) or ()


def _named(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list) and names:
        return [_named(item, names) for item in value]
    return names[value] if names and isinstance(value, int) and value >= 0 else value
