"""The data: how it was split, what each part holds, what was taken out, and what the audit found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Paragraph, Part, Section, Table
from truetune.reports.phrases import in_language
from truetune.reports.run import SavedRun
from truetune.reports.sections.audit import found_in
from truetune.reports.visible import cut_line, one_line
from truetune.reports.words import Say

FOLDED = 12
SEVERITIES = ("error", "warning", "note")


def data_section(say: Say, run: SavedRun) -> Section:
    """Return the facts of the splits; a sentence where the run did not record them."""
    title = say["data.title"]
    if run.data is None:
        return Section("data", title, (Paragraph(say["missing.data"], "missing"),))
    splits: Mapping[str, Any] = run.data.get("splits", {})
    parts: list[Part] = []
    if run.data.get("made"):
        parts.append(Paragraph(say["data.made"].format(made=in_language(run.data["made"], say.language))))
    removed = {name: number for name, number in (run.data.get("removed") or {}).items() if number}
    if removed:
        listed = "; ".join(f"{in_language(name, say.language)} {_value(number)}" for name, number in removed.items())
        parts.append(Paragraph(say["data.removed"].format(listed=listed)))
    looks = run.data.get("test_looks")
    if looks is not None:
        many = looks > 1
        text = say["data.looks.many" if many else "data.looks"].format(looks=numbers.count(looks))
        parts.append(Paragraph(text, "warning" if many else "plain"))
    parts.append(_splits(say, splits))
    labels = _labels(say, splits)
    parts += [labels] if labels else []
    return Section("data", title, tuple(parts))


def _splits(say: Say, splits: Mapping[str, Any]) -> Table:
    grouped = any(part.get("groups") for part in splits.values())
    columns = [Column(say["data.part"]), Column(say["column.examples"], True)]
    columns += [Column(say["data.groups"], True)] if grouped else []
    columns += [Column(say[f"data.characters.{name}"], True) for name in ("median", "p95", "max")]
    rows = []
    for name, part in splits.items():
        characters = part.get("characters") or {}
        row = [Cell(_split_name(say, name)), Cell(numbers.count(part.get("examples")))]
        row += [Cell(numbers.count(part.get("groups")))] if grouped else []
        row += [Cell(numbers.count(characters.get(key))) for key in ("median", "p95", "max")]
        rows.append(tuple(row))
    records = [{"part": name, **part} for name, part in splits.items()]
    return Table("splits", say["data.caption"], tuple(columns), tuple(rows), records)


def _labels(say: Say, splits: Mapping[str, Any]) -> Table | None:
    counts = {name: part.get("labels") or {} for name, part in splits.items()}
    first: Mapping[str, int] = next(iter(counts.values()), {})
    labels = dict.fromkeys(label for part in counts.values() for label in part)
    if not labels:
        return None
    ordered = sorted(labels, key=lambda label: (-first.get(label, 0), label))
    sums = {name: sum(part.values()) for name, part in counts.items()}
    columns = (Column(say["column.label"]), *(Column(_split_name(say, name), True) for name in counts))
    most = max((part.get(label, 0) / (sums[name] or 1) for name, part in counts.items() for label in labels), default=1)
    rows = tuple(
        (Cell(one_line(label)), *(_bar(part.get(label, 0), sums[name], most) for name, part in counts.items()))
        for label in ordered
    )
    records = [{"label": label, **{name: part.get(label, 0) for name, part in counts.items()}} for label in ordered]
    folded = say["data.labels.folded"].format(all=numbers.count(len(ordered))) if len(ordered) > FOLDED else ""
    return Table("label-counts", say["data.labels"], columns, rows, records, folded)


def _bar(number: int, total: int, most: float) -> Cell:
    part = number / total if total else 0.0
    return Cell(numbers.count(number), numbers.share(part), bar=part / (most or 1))


def _split_name(say: Say, name: str) -> str:
    return say[f"data.split.{name}"] if name in ("train", "validation", "test") else name


def audit_section(say: Say, run: SavedRun) -> Section:
    """Return what the audit found, the gravest first; nothing found is said too."""
    title = say["audit.title"]
    if run.audit is None:
        return Section("audit", title, (Paragraph(say["missing.audit"], "missing"),))
    if not run.audit:
        return Section("audit", title, (Paragraph(say["audit.none"]),))
    known = [finding for finding in run.audit if finding.get("severity") in SEVERITIES]
    other = [finding for finding in run.audit if finding.get("severity") not in SEVERITIES]
    ordered = [*sorted(known, key=lambda finding: SEVERITIES.index(finding["severity"])), *other]
    columns = (
        Column(say["audit.severity"]),
        Column(say["audit.check"]),
        Column(say["audit.where"]),
        Column(say["audit.count"], True),
        Column(say["audit.advice"]),
    )
    rows = tuple(_finding(say, finding) for finding in ordered)
    table = Table("audit", say["audit.caption"], columns, rows, ordered)
    return Section("audit", title, (table,))


def _finding(say: Say, finding: Mapping[str, Any]) -> tuple[Cell, ...]:
    examples: Sequence[Any] = finding.get("examples") or ()
    shown = " · ".join(cut_line(str(example), 160) for example in examples[:3])
    severity = str(finding.get("severity", ""))
    return (
        Cell(say.name("severity", severity), css=f"severity {severity}"),
        Cell(in_language(one_line(str(finding.get("check", ""))), say.language), css="code"),
        Cell(found_in(say, finding) or numbers.NONE),
        Cell(numbers.count(finding.get("count"))),
        Cell(in_language(str(finding.get("advice", "")), say.language), shown),
    )


def _value(value: Any) -> str:
    return numbers.count(value) if isinstance(value, int | float) else one_line(str(value))
