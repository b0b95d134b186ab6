"""All checks of data, in one visible table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from truetune.audit.duplicates import duplicate_findings
from truetune.audit.groups import group_findings
from truetune.audit.labels import label_findings
from truetune.audit.parts import Parts
from truetune.audit.texts import text_findings
from truetune.types import Finding

CHECKS: tuple[Callable[[Parts], Iterator[Finding]], ...] = (
    duplicate_findings,
    group_findings,
    label_findings,
    text_findings,
)

SEVERITIES = ("error", "warning", "note")


def audit(parts: Parts) -> list[Finding]:
    """Return all findings, the severe ones first."""
    found = [finding for check in CHECKS for finding in check(parts)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
