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
PARTS = ("train", "validation", "test")


def audit_head(say: Say, audit: Json, name: str) -> Head:
    """Return how many findings there are, the gravest first, and what was looked at."""
    findings: Sequence[Json] = audit["findings"]
    parts = say["audit.and"].join(
        f"{part_name(say, part)} {numbers.count(size)}" for part, size in audit["parts"].items()
    )
    subtitle = say["audit.subtitle"].format(task=say.name("task", str(audit["task"])), parts=parts)
    kicker = say["audit.kicker"]
    if not findings:
        return Head(kicker, name, subtitle, "better", say["audit.none"], ())
    counts = {kind: sum(one["severity"] == kind for one in findings) for kind in SEVERITIES}
    told = [_counted(say, kind, number) for kind, number in counts.items() if number]
    tone = "worse" if counts["error"] else "open"
    return Head(kicker, name, subtitle, tone, say["audit.found"].format(told=say["audit.and"].join(told)), ())


def _counted(say: Say, severity: str, number: int) -> str:
    many = "one" if number == 1 else "more"
    return say[f"audit.counted.{severity}.{many}"].format(number=numbers.count(number))


def audit_sections(say: Say, audit: Json) -> tuple[Section, ...]:
    """Return a table of all findings, and a section of each."""
    findings: Sequence[Json] = audit["findings"]
    if not findings:
        return (Section("all", say["audit.caption"], (Paragraph(say["audit.none"]),)),)
    columns = (
        Column(say["audit.severity"]),
        Column(say["audit.check"]),
        Column(say["audit.where"]),
        Column(say["audit.count"], True),
    )
    rows = tuple(
        (
            _severity(say, one),
            Cell(_check(say, one)),
            Cell(found_in(say, one) or numbers.NONE),
            Cell(numbers.count(one["count"])),
        )
        for one in findings
    )
    whole = Section("all", say["audit.caption"], (Table("audit", "", columns, rows, findings),))
    return (whole, *(_section(say, number, one) for number, one in enumerate(findings, start=1)))


def _section(say: Say, number: int, finding: Json) -> Section:
    told = _begun(in_language(str(finding["advice"]), say.language), finding.get("parts") or ())
    if told[-1:].isalnum() or told.endswith((")", "）")):
        told += say["sentence stop"]
    why = in_language(str(finding.get("why") or ""), say.language)
    parts: list[Part] = [Paragraph(told)]
    if why:
        parts.append(Paragraph(say["audit.why"].format(told=why)))
    examples = [str(one) for one in finding["examples"]]
    if examples:
        records = [{"example": one} for one in examples]
        rows = tuple((Cell(one_line(one)),) for one in examples)
        parts.append(Table(f"finding-{number}", "", (Column(say["audit.examples"]),), rows, records))
    where = found_in(say, finding)
    title = say["audit.in"].format(check=_check(say, finding), parts=where) if where else _check(say, finding)
    return Section(f"finding-{number}", f"{number}. {_begun(title, ())}", tuple(parts))


def found_in(say: Say, finding: Json) -> str:
    """Return the parts that a finding is about, in the words of the page; empty where it names none."""
    return say["audit.and"].join(part_name(say, one_line(str(name))) for name in finding.get("parts") or ())


def _severity(say: Say, finding: Json) -> Cell:
    kind = str(finding["severity"])
    return Cell(say.name("severity", kind), css=f"severity {kind}")


def _check(say: Say, finding: Json) -> str:
    return in_language(one_line(str(finding["check"])), say.language)


def _begun(text: str, names: Sequence[str]) -> str:
    """Return a sentence with a capital, unless it begins with a file's name."""
    first = text.split(" ")[0]
    return text if first in names and first not in PARTS else text[:1].upper() + text[1:]


def part_name(say: Say, name: str) -> str:
    """Return a part's name in the words of the page; a file is itself."""
    return say[f"audit.part.{name}"] if name in PARTS else name
