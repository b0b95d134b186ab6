"""Reading the text of a classification report, as scikit-learn and seqeval print it and as people paste it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import fsum

from truetune.errors import DataError
from truetune.evaluation.report_cells import ANY_SHARE, Cell, Shares, cell_of

AVERAGES = ("accuracy", "micro avg", "macro avg", "weighted avg", "samples avg")
"""The rows below the classes, in the order in which they are printed."""

EXPECTED = (
    "expected the text that scikit-learn's or seqeval's classification_report prints: a header line "
    "'precision recall f1-score support', then a row a class with its name, three shares and a support"
)

_GAP = r"(?:[\s|]+interval)?[\s|]+"
_HEADER = re.compile(
    rf"precision{_GAP}recall{_GAP}f1(?:[-_ ]?score)?{_GAP}support[\s|'\"]*$",
    re.IGNORECASE,
)
_INTERVAL = re.compile(r"\[[^\[\],]*,[^\[\],]*\](?=\s)")
"""As truetune's own report prints it beside a number."""
_RULE = re.compile(r"[\s|:+=_.`~>#─-]*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_WEIGHTED_MEAN_OF_OLD = "avg / total"


@dataclass(frozen=True, slots=True)
class Row:
    """The row of a class or of an average."""

    name: str
    line: int
    """Line of the text, from 1."""
    shares: Shares
    support: Cell


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """The row of the accuracy: one share, printed in the column of F1."""

    name: str
    line: int
    """Line of the text, from 1."""
    accuracy: Cell
    support: Cell | None
    """None where a data frame of the report was printed: it repeats the accuracy there."""


@dataclass(frozen=True, slots=True)
class Report:
    """A classification report: the rows of its classes, its accuracy and its averages."""

    line: int
    """Line of the header, from 1."""
    classes: tuple[Row, ...]
    accuracy: AccuracyRow | None
    averages: dict[str, Row]
    """`micro avg`, `macro avg`, `weighted avg`, `samples avg`, those that are there -> row."""

    @property
    def weighted(self) -> bool:
        """Whether examples may have had weights: then a support is no whole number."""
        return not all(row.support.is_count for row in self.classes)

    @property
    def support(self) -> float:
        """The sum of the supports of the classes."""
        return fsum(row.support.value for row in self.classes)


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
    lines = _unescaped(_COLOUR.sub("", text).replace("\u00a0", " ")).splitlines()
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
    rows: list[Row | AccuracyRow] = []
    body = [_without(prefix, line) for line in lines[start + 1 : end]]
    if "interval" in header.group():
        body = [_INTERVAL.sub("", line) for line in body]
    for number, line in enumerate(body):
        if _RULE.fullmatch(line):
            continue
        row = _row(line, start + 2 + number)
        if row is not None:
            rows.append(row)
        elif rows:
            if _breaks_off(rows, line, body[number + 1 :]):
                raise DataError(
                    f"{where}: line {start + 2 + number}: {line[:60]!r} is no row of the report; expected a name and "
                    "four numbers: precision, recall, f1-score, support; mend the line, or take it out"
                )
            break
    accuracy, averages = _popped_averages(rows)
    classes = [row for row in rows if isinstance(row, Row)]
    if not classes:
        raise DataError(f"{where}: line {start + 1}: no class row under the header; {EXPECTED}")
    if len(classes) < len(rows):
        stray = next(row for row in rows if isinstance(row, AccuracyRow))
        raise DataError(
            f"{where}: line {stray.line}: a row of the accuracy among the classes; expected it below them, "
            "once; put the rows in the order in which they were printed"
        )
    return Report(start + 1, tuple(classes), accuracy, averages)


def _without(prefix: str, line: str) -> str:
    """Return a line without the mark that its header begins with: of a quote, a comment, a logger."""
    line = line.strip()
    return line[len(prefix) :].strip() if prefix and line.startswith(prefix) else line


def _row(line: str, number: int) -> Row | AccuracyRow | None:
    """Return the row that a line prints, or None. A name is all that stands before the last four numbers.

    An average may print its F1 and support alone, as truetune's own report of spans does.
    """
    if line.startswith("|") and line.endswith("|"):
        line = line.strip("|").replace("|", " ")
    words = line.strip("'\"").rsplit(None, 4)
    if words and _THOUSANDS.fullmatch(words[-1]):
        words[-1] = words[-1].replace(",", "")
    cells = [cell_of(word) for word in words[-4:]]
    numbers = [cell for cell in cells if cell is not None]
    if len(numbers) == 4:
        name = words[0].strip() if len(words) == 5 else ""
        return Row(name, number, Shares(*numbers[:3]), numbers[3])
    if len(numbers) == 2 and cells[-2:] == numbers:
        name = " ".join(words[:-2])
        if _standard(name) == AVERAGES[0]:
            return AccuracyRow(name, number, *numbers)
        if _standard(name) in AVERAGES[2:]:
            return Row(name, number, Shares(ANY_SHARE, ANY_SHARE, numbers[0]), numbers[1])
    return None


def _breaks_off(rows: list[Row | AccuracyRow], line: str, rest: list[str]) -> bool:
    """Return whether a line that is no row stands within a report, and not behind it."""
    if any(_standard(row.name) in AVERAGES for row in rows):
        return _standard(line).startswith(AVERAGES[1:])
    later = (_row(after, 0) for after in rest)
    return any(row is not None and _standard(row.name) in AVERAGES for row in later)


def _popped_averages(rows: list[Row | AccuracyRow]) -> tuple[AccuracyRow | None, dict[str, Row]]:
    """Take the rows below the classes off the end of `rows`.

    They are printed in a fixed order, so a class that is itself named `macro avg` stays a class.
    """
    averages: dict[str, Row] = {}
    place = len(AVERAGES)
    while rows and _standard(rows[-1].name) in AVERAGES[:place]:
        row = rows[-1]
        place = AVERAGES.index(_standard(row.name))
        if isinstance(row, Row) and place == 0:
            if [*averages][-1:] != ["macro avg"] or not _one_number(row):
                break
            row = AccuracyRow(row.name, row.line, row.shares.f1, None)
        rows.pop()
        if isinstance(row, AccuracyRow):
            return row, averages
        averages[AVERAGES[place]] = row
    return None, averages


def _one_number(row: Row) -> bool:
    """Return whether all four cells are one number, as a data frame of the report prints the accuracy."""
    return len({cell.value for cell in (*row.shares.columns.values(), row.support)}) == 1


def _standard(name: str) -> str:
    """Return the name of an average as scikit-learn writes it today; before 0.20 it wrote `avg / total`."""
    plain = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
    return "weighted avg" if plain == _WEIGHTED_MEAN_OF_OLD else plain
