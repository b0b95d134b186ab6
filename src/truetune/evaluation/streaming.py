"""Evaluation of Parquet files that need not fit into memory: read and counted some thousand examples at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from truetune.data.formats.parquet import same_ids
from truetune.data.read import detected_format, read
from truetune.data.record import Record
from truetune.evaluation.beside import one_file
from truetune.evaluation.doctor.examine import told
from truetune.evaluation.evaluate import EvaluationResult
from truetune.evaluation.incremental import Evaluation
from truetune.evaluation.tables import Source

BATCH = 16_384
"""Examples that are in memory at a time."""


def streamable(gold: Source, predicted: Source) -> tuple[Path, Path] | None:
    """Return both files where they are Parquet with the same ids in the same order (or both without), else None."""
    if not (isinstance(gold, str | Path) and isinstance(predicted, str | Path)):
        return None
    files = Path(gold), Path(predicted)
    return files if all(map(_is_parquet, files)) and same_ids(*files) else None


def streamed(evaluation: Evaluation, gold: Path, predicted: Path) -> EvaluationResult:
    """Return the scores of two `streamable` files, whose examples are added to the evaluation.

    They equal those of the files as a whole. Of faults the message lists those of the first batch that has any.
    """
    sides = _numbered(gold), _numbered(predicted)
    while batch := list(islice(sides[0], BATCH)):
        evaluation.add_records(batch, list(islice(sides[1], BATCH)))
    result = evaluation.result()
    same = tuple(one_file(gold, predicted, evaluation.read_twice))
    return replace(result, findings=(*same, *result.findings), warnings=(*told(same), *result.warnings))


def _is_parquet(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0 and detected_format(file) == "parquet"


def _numbered(file: Path) -> Iterator[Record]:
    """Yield the records of a file; where it has no ids, an example's is its number."""
    for number, record in enumerate(read(file), start=1):
        yield record if "id" in record.fields else record._replace(fields={**record.fields, "id": str(number)})
