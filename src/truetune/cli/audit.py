"""`truetune audit`: examine data before money is spent on it."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.workflows.audit import SEVERITIES, Audited, examined


def run(args: argparse.Namespace) -> int:
    """Print the findings, write the page and the cleaned copy; 1 when a finding is as grave as `--severity`."""
    fix = Path(args.fix) if args.fix else None
    found = examined(args.files, args.task, suspects=args.suspects, thorough=args.thorough, folds=args.folds, fix=fix)
    if args.html:
        from truetune.reports.page import audit_page, write

        write(Path(args.html), audit_page(found.to_dict(), found.name, args.language))
    if args.json:
        show.as_json(found.to_dict())
    else:
        _print(found)
    grave = SEVERITIES[: SEVERITIES.index(args.severity) + 1]
    return 1 if any(finding.severity in grave for finding in found.findings) else 0


def _print(found: Audited) -> None:
    for finding in found.findings:
        where = f" in {', '.join(finding.parts)}" if finding.parts else ""
        print(f"{finding.severity}: {finding.check}{where} ({finding.count:,})\n  {finding.advice}")
        for example in finding.examples:
            print(f"    {example}")
    number = len(found.findings)
    print(f"{number} finding{'s' if number > 1 else ''}" if number else "no findings")
    if (cost := found.cost) is not None:
        print(
            f"{cost.folds} models were fine-tuned to judge the labels of {cost.examples:,} texts: "
            f"{cost.pieces:,} pieces, {cost.seconds:,.0f} s"
        )
    if found.fixed is not None:
        changes = ", ".join(f"{change} {number:,}" for change, number in found.fixed.changes.items())
        print(f"{found.fixed.folder}: {changes or 'nothing to change'}")
