"""Any supported source as records: the format is found from the name and the first lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from truetune.data.builtin import builtin_records
from truetune.data.encoding import opened
from truetune.data.formats.annotations import read_brat
from truetune.data.formats.conll import looks_like_conll, read_conll
from truetune.data.formats.excel import read_excel
from truetune.data.formats.hub import read_hub
from truetune.data.formats.lines import line_kind, read_label_first, read_label_last, read_lines, read_paragraphs
from truetune.data.formats.objects import read_json, read_jsonl
from truetune.data.formats.parquet import read_parquet
from truetune.data.formats.tables import read_csv, read_csv_rows, read_tsv, read_tsv_rows
from truetune.data.record import Record
from truetune.errors import DataError, nearest

Reader = Callable[[Path, str | None], Iterator[Record]]

FORMATS: dict[str, Reader] = {
    "csv": read_csv,
    "csv-rows": read_csv_rows,
    "tsv": read_tsv,
    "tsv-rows": read_tsv_rows,
    "jsonl": read_jsonl,
    "json": read_json,
    "parquet": read_parquet,
    "excel": read_excel,
    "conll": read_conll,
    "brat": read_brat,
    "label-text": read_label_first,
    "text-label": read_label_last,
    "lines": read_lines,
    "paragraphs": read_paragraphs,
}

_ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".iob2": "conll",
    ".bioes": "conll",
    ".bmes": "conll",
}
_LOOKED_AT = 2000

SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}


def read(
    source: str | Path,
    *,
    format: str | None = None,
    encoding: str | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Iterator[Record]:
    """Yield the records of a file, a brat folder, `hub:NAME` or `builtin:NAME`.

    Raises `DataError` for a source that cannot be read at all; what is wrong with single records stands in
    their `problem`, so that the caller can list all of it.
    """
    name = str(source)
    if name.startswith("builtin:"):
        return (
            Record(f"{name}[{number}]", fields)
            for number, fields in enumerate(builtin_records(name.removeprefix("builtin:"), progress), start=1)
        )
    if name.startswith("hub:"):
        return read_hub(name.removeprefix("hub:"))
    path = Path(name)
    if not path.exists():
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = nearest(path.name, beside) if 0 < len(beside) < 20 else "check the path"
        raise DataError(f"{path}: is not there; {hint}")
    chosen = format or detected_format(path, encoding)
    if chosen not in FORMATS:
        raise DataError(f"{path}: unknown format {chosen!r}; {nearest(chosen, FORMATS)}")
    return FORMATS[chosen](path, encoding)


def detected_format(path: Path, encoding: str | None = None) -> str:
    """Return the format of a file by its ending, else by its first lines."""
    if path.is_dir():
        if any(path.glob("*.ann")):
            return "brat"
        raise DataError(f"{path}: is a folder; expected a file, a folder of splits (train, test), or of brat files")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty; expected one example a line")
    if path.suffix.lower() in _ENDINGS:
        return _ENDINGS[path.suffix.lower()]
    with opened(path, encoding) as file:
        sample = [line.rstrip("\n") for line in islice(file, _LOOKED_AT)]
    first = next((line.strip() for line in sample if line.strip()), "")
    if first.startswith('{"') and first.endswith("}"):
        return "jsonl"
    if first in ("{", "[") or first.startswith(('{"', "[{")):
        return "json"
    return "conll" if looks_like_conll(sample) else line_kind(sample)


def folder_splits(folder: Path) -> dict[str, Path]:
    """Return the files of a folder that are named as splits: train, validation (dev, valid), test.

    Raises `DataError` where two files look like the same one.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        split = split_named(file)
        if split is None or not file.is_file() or file.name.startswith("."):
            continue
        if split in found:
            raise DataError(
                f"{folder}: both {found[split].name} and {file.name} look like {split}; name one of them "
                f"under data.{split}"
            )
        found[split] = file
    return found


def split_named(file: Path) -> str | None:
    """Return the split that a file's name says it is, None where it says nothing."""
    words = set(re.split(r"[^a-z]+", file.name.lower()))
    return next((split for split, names in SPLITS.items() if words & set(names)), None)
