"""The page of an audit: what was found, each with its examples, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Head, Paragraph, Part, Section, Table
from truetune.reports.phrases import in_language
from truetune.reports.visible import one_line
from truetune.reports.words import Say

Json = Mapping[str, Any]
SEVERITIES = ("error", "warning", "note")


def audit_head(say: Say, audit: Json, name: str) -> Head:
    """Return how many findings there are, the gravest first, and what was looked at."""
    findings: Sequence[Json] = audit["findings"]
    parts = say["audit.and"].join(f"{_part(say, part)} {numbers.count(size)}" for part, size in audit["parts"].items())
    subtitle = say["audit.subtitle"].format(task=say.name("task", str(audit["task"])), parts=parts)
    kicker = say["audit.kicker"]
    if not findings:
        return Head(kicker, name, subtitle, "better", say["audit.none"], ())
    counts = {kind: sum(one["severity"] == kind for one in findings) for kind in SEVERITIES}
    told = [say[f"audit.counted.{kind}"].format(number=numbers.count(counts[kind])) for kind in SEVERITIES]
    tone = "worse" if counts["error"] else "open"
    return Head(kicker, name, subtitle, tone, say["audit.found"].format(told=say["audit.and"].join(told)), ())


def audit_sections(say: Say, audit: Json) -> tuple[Section, ...]:
    """Return a table of all findings, and a section of each."""
    findings: Sequence[Json] = audit["findings"]
    if not findings:
        return (Section("all", say["audit.caption"], (Paragraph(say["audit.none"]),)),)
    columns = (Column(say["audit.severity"]), Column(say["audit.check"]), Column(say["audit.count"], True))
    rows = tuple((_severity(say, one), Cell(_check(say, one)), Cell(numbers.count(one["count"]))) for one in findings)
    whole = Section("all", say["audit.caption"], (Table("audit", "", columns, rows, findings),))
    return (whole, *(_section(say, number, one) for number, one in enumerate(findings, start=1)))


def _section(say: Say, number: int, finding: Json) -> Section:
    told = in_language(str(finding["advice"]), say.language)
    why = in_language(str(finding.get("why") or ""), say.language)
    parts: list[Part] = [Paragraph(told)]
    if why:
        parts.append(Paragraph(say["audit.why"].format(told=why)))
    examples = [str(one) for one in finding["examples"]]
    if examples:
        records = [{"example": one} for one in examples]
        rows = tuple((Cell(one_line(one)),) for one in examples)
        parts.append(Table(f"finding-{number}", "", (Column(say["audit.examples"]),), rows, records))
    return Section(f"finding-{number}", f"{number}. {_check(say, finding)}", tuple(parts))


def _severity(say: Say, finding: Json) -> Cell:
    kind = str(finding["severity"])
    return Cell(say.name("severity", kind), css=f"severity {kind}")


def _check(say: Say, finding: Json) -> str:
    return in_language(one_line(str(finding["check"])), say.language)


def _part(say: Say, name: str) -> str:
    return say[f"data.split.{name}"] if name in ("train", "validation", "test") else name
