"""Reading the text of a classification report, as scikit-learn and seqeval print it and as people paste it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from truetune.errors import DataError
from truetune.evaluation.report_cells import Cell, cell_of

SHARES = ("precision", "recall", "f1-score")
SUPPORT = "support"
AVERAGES = ("accuracy", "micro avg", "macro avg", "weighted avg", "samples avg")
"""The rows below the classes, in the order in which they are printed."""

EXPECTED = (
    "expected the text that scikit-learn's or seqeval's classification_report prints: a header line "
    "'precision recall f1-score support', then a row a class with its name, three shares and a support"
)

_HEADER = re.compile(r"precision\W+recall\W+f1(?:[-_ ]?score)?\W+support\W*$", re.IGNORECASE)
_RULE = re.compile(r"[\s|:+=_.`~>#─-]*")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_WEIGHTED_MEAN_OF_OLD = "avg / total"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the name and line where it stands, and its cells.

    The `accuracy` row has only `f1` and `support`, in the columns under which they are printed.
    """

    name: str
    line: int
    """Line of the text, from 1."""
    precision: Cell | None
    recall: Cell | None
    f1: Cell
    support: Cell | None

    @property
    def shares(self) -> dict[str, Cell]:
        """Column -> cell, of the shares that the row prints."""
        cells = zip(SHARES, (self.precision, self.recall, self.f1), strict=True)
        return {column: cell for column, cell in cells if cell is not None}


@dataclass(frozen=True, slots=True)
class Report:
    """A classification report: the rows of its classes, and those below them by their standard names."""

    line: int
    """Line of the header, from 1."""
    classes: tuple[Row, ...]
    averages: dict[str, Row]
    """Name of `AVERAGES` -> row."""

    @property
    def weighted(self) -> bool:
        """Whether examples may have had weights: then a support is no whole number."""
        return not all(row.support is not None and row.support.is_count for row in self.classes)

    @property
    def support(self) -> float:
        """The sum of the supports of the classes."""
        return float(sum(row.support.value for row in self.classes if row.support is not None))


def parse_report(text: str, where: str = "report") -> Report:
    """Return the one report in `text`; `DataError` when there is none, several, or a broken one."""
    reports = parse_reports(text, where)
    if len(reports) > 1:
        lines = ", ".join(str(report.line) for report in reports)
        raise DataError(f"{where}: {len(reports)} reports (lines {lines}); expected one: cut the others out")
    return reports[0]


def parse_reports(text: str, where: str = "report") -> tuple[Report, ...]:
    """Return every report in `text`, in order; `DataError` when there is none, or one is broken.

    Whatever stands around a report is passed over: prose, prompts, code fences, colours. A report ends with
    the first line that is no row, unless the rows of its averages are still to come: then that line is
    an error, for to stop there would leave out classes in silence.
    """
    lines = _unescaped(_COLOUR.sub("", text)).splitlines()
    starts = [number for number, line in enumerate(lines) if _HEADER.search(line)]
    if not starts:
        seen = f"{len(lines)} lines" if text.strip() else "nothing"
        raise DataError(f"{where}: no classification report in {seen}; {EXPECTED}")
    ends = [*starts[1:], len(lines)]
    return tuple(_report(lines, start, end, where) for start, end in zip(starts, ends, strict=True))


def _unescaped(text: str) -> str:
    """Return the text with its lines broken, when it is the `repr` of a report and so one long line."""
    if any(_HEADER.search(line) for line in text.splitlines()):
        return text
    return text.replace("\\n", "\n").replace("\\t", "\t")


def _report(lines: list[str], start: int, end: int, where: str) -> Report:
    header = _HEADER.search(lines[start])
    assert header is not None
    prefix = lines[start][: header.start()].strip(" \t|'\"")
    rows: list[Row] = []
    for number in range(start + 1, end):
        if _RULE.fullmatch(lines[number]):
            continue
        row = _row(lines[number], prefix, number + 1)
        if row is not None:
            rows.append(row)
        elif rows:
            _check_end(lines, number, end, prefix, rows, where)
            break
    averages = _popped_averages(rows)
    if not rows:
        raise DataError(f"{where}: line {start + 1}: no class row under the header; {EXPECTED}")
    return Report(start + 1, tuple(rows), averages)


def _row(line: str, prefix: str, number: int) -> Row | None:
    """Return the row that a line prints, or None. A name is all that stands before the last four numbers."""
    line = line.strip()
    if prefix and line.startswith(prefix):
        line = line[len(prefix) :].strip()
    if line.startswith("|") and line.endswith("|"):
        line = line.strip("|").replace("|", " ")
    words = line.strip("'\"").rsplit(None, 4)
    cells = [cell_of(word) for word in words[-4:]]
    if len(cells) == 4 and None not in cells:
        precision, recall, f1, support = cells
        assert f1 is not None
        name = words[0].strip() if len(words) == 5 else ""
        return Row(name, number, precision, recall, f1, support)
    accuracy, support = (cells[-2], cells[-1]) if len(words) == 3 else (None, None)
    if accuracy is not None and support is not None and _standard(words[0]) == "accuracy":
        return Row(words[0], number, None, None, accuracy, support)
    return None


def _check_end(lines: list[str], stop: int, end: int, prefix: str, rows: list[Row], where: str) -> None:
    if any(_standard(row.name) in AVERAGES for row in rows):
        return
    for number in range(stop + 1, end):
        later = _row(lines[number], prefix, number + 1)
        if later is not None and _standard(later.name) in AVERAGES:
            raise DataError(
                f"{where}: line {stop + 1}: {lines[stop].strip()[:60]!r} is no row of the report; expected a name "
                "and four numbers: precision, recall, f1-score, support; mend the line, or take it out"
            )


def _popped_averages(rows: list[Row]) -> dict[str, Row]:
    """Take the rows below the classes off the end of `rows`.

    They are printed in a fixed order, so a class that is itself named `macro avg` stays a class.
    """
    averages: dict[str, Row] = {}
    place = len(AVERAGES)
    while rows:
        row = rows[-1]
        name = _standard(row.name)
        if name not in AVERAGES or AVERAGES.index(name) >= place:
            break
        if name == "accuracy" and row.precision is not None:
            if "macro avg" not in averages or "micro avg" in averages or not _one_number(row):
                break
            row = Row(row.name, row.line, None, None, row.f1, None)
        place = AVERAGES.index(name)
        averages[name] = row
        rows.pop()
    return dict(reversed(averages.items()))


def _one_number(row: Row) -> bool:
    """Return whether all four cells are one number, as a data frame of the report prints the accuracy."""
    cells = (row.precision, row.recall, row.f1, row.support)
    return len({cell.value for cell in cells if cell is not None}) == 1


def _standard(name: str) -> str:
    """Return the name of an average as scikit-learn writes it today; before 0.20 it wrote `avg / total`."""
    plain = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
    return "weighted avg" if plain == _WEIGHTED_MEAN_OF_OLD else plain
