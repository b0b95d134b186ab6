"""Openings of test sets by runs, in the ledger beside the run folders."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path

from truetune.bundle.run_folder import RunFolder
from truetune.data.keys import hashed
from truetune.evaluation.tables import Aligned
from truetune.files import read_json
from truetune.tracking.ledger import NAME, Look, looks, systems_seen, write_look
from truetune.workflows.manifest import now

Result = tuple[str, float | None]
"""Metric and value."""


def looked(ledger: Path, run: RunFolder, result: Result) -> int:
    """Write that a run was scored on its test part (`result`: metric, value); return the systems seen so far."""
    test = test_of(run)
    write_look(ledger, Look(test, now(), run.path.name, predictions_of(run), *result))
    return systems_seen(looks(ledger, test))


def looks_of_run(path: Path, ledger: str | None = None) -> int:
    """Return for how many systems the test part of a run was opened, as a ledger has it (by default the one beside)."""
    run = RunFolder(path)
    if not run.facts.is_file():
        return 0
    return systems_seen(looks(Path(ledger) if ledger else path.absolute().parent / NAME, test_of(run)))


def others_than_runs(paths: Sequence[Path], ledger: str | None = None) -> int:
    """Return for how many systems beside those of some runs the test part of the first was opened."""
    runs = [RunFolder(path) for path in paths]
    if not all(run.facts.is_file() for run in runs):
        return 0
    place = Path(ledger) if ledger else paths[0].absolute().parent / NAME
    return _others(place, test_of(runs[0]), {predictions_of(run) for run in runs})


def others_than_files(ledger: Path, table: Aligned) -> int:
    """Return for how many systems beside those of a table its gold was opened."""
    systems = (replace(table, systems={name: columns}) for name, columns in table.systems.items())
    return _others(ledger, _fingerprint(table, "gold"), {_fingerprint(one, "predicted") for one in systems})


def _others(ledger: Path, test: str, known: Set[str]) -> int:
    return systems_seen(one for one in looks(ledger, test) if one.predictions not in known)


def test_of(run: RunFolder) -> str:
    """Return the fingerprint of a run's test part."""
    return str(read_json(run.facts)["splits"]["test"]["fingerprint"])


def predictions_of(run: RunFolder) -> str:
    """Return the fingerprint of the predictions of a run's model on its test part."""
    return hashlib.sha256(run.predictions("after").read_bytes()).hexdigest()[:32]


def looked_at_files(ledger: Path, table: Aligned, by: str, result: Result) -> int:
    """Write that predictions of a file were scored; return for how many different ones the gold was opened so far."""
    test = _fingerprint(table, "gold")
    write_look(ledger, Look(test, now(), by, _fingerprint(table, "predicted"), *result))
    return systems_seen(looks(ledger, test))


def looked_at_data(run: RunFolder, tables: tuple[Aligned, Aligned], result: Result, ledger: Path | None = None) -> int:
    """Write that a run's model was scored on a labelled file; return for how many systems it was opened so far.

    `tables`: the file's, and that of the run's own test part. Where the two hold the same examples the file is that
    test part, and where the answers are the same too (scores may differ in their last digits) this is no new look.
    """
    table, own = tables
    place = ledger or run.path.absolute().parent / NAME
    test, predictions = _fingerprint(table, "gold"), _fingerprint(table, "predicted")
    if test == _fingerprint(own, "gold"):
        test = test_of(run)
        if predictions == _fingerprint(own, "predicted"):
            predictions = predictions_of(run)
    write_look(place, Look(test, now(), run.path.name, predictions, *result))
    return systems_seen(looks(place, test))


def _fingerprint(table: Aligned, side: str) -> str:
    """Return a hash of ids and values of gold or predicted; the order of the examples changes nothing.

    Scores beside answers are left out: they differ in their last digits from machine to machine.
    """
    columns = dict(table.gold if side == "gold" else table.predicted)
    if side == "predicted" and len(columns) > 1:
        columns.pop("scores", None)
    rows = (repr(row) for row in zip(table.ids, *columns.values(), strict=True))
    keys = sorted(hashed(rows, len(table)).tolist())
    return hashlib.sha256(b"".join(key.ljust(16, b"\0") for key in keys)).hexdigest()[:32]
