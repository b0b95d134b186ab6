"""All checks of data, in one visible table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from truetune.audit.artefacts import artefact_findings
from truetune.audit.duplicates import duplicate_findings
from truetune.audit.groups import group_findings
from truetune.audit.labels import label_findings
from truetune.audit.mentions import mention_findings
from truetune.audit.near import near_findings
from truetune.audit.parts import FEW, Parts
from truetune.audit.personal import personal_findings
from truetune.audit.scripts import script_findings
from truetune.audit.size import size_findings
from truetune.audit.spans import span_findings
from truetune.audit.texts import text_findings
from truetune.types import Finding

Check = Callable[[Parts], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    duplicate_findings,
    group_findings,
    label_findings,
    size_findings,
    text_findings,
    script_findings,
    personal_findings,
    span_findings,
    mention_findings,
    artefact_findings,
)
THOROUGH: tuple[Check, ...] = (*CHECKS, near_findings)
"""With nearly equal texts: some seconds for 100,000 texts."""

SEVERITIES = ("error", "warning", "note")


def audit(parts: Parts, *, thorough: bool | None = None) -> list[Finding]:
    """Return all findings, the severe ones first; `thorough` by default where there are few texts."""
    if thorough is None:
        thorough = sum(len(part.ids) for part in parts.values()) <= FEW
    found = [finding for check in (THOROUGH if thorough else CHECKS) for finding in check(parts)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
