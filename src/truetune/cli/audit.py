"""`truetune audit`: examine data before money is spent on it."""

from __future__ import annotations

import argparse

from truetune.cli import show
from truetune.workflows.audit import audited


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when one is an error."""
    findings = audited(args.files, args.task, suspects=args.suspects)
    if args.json:
        show.as_json({"findings": [finding.to_dict() for finding in findings]})
    else:
        for finding in findings:
            print(f"{finding.severity}: {finding.check} ({finding.count:,})\n  {finding.advice}")
            for example in finding.examples:
                print(f"    {example}")
        print(f"{len(findings)} findings" if findings else "no findings")
    return 1 if any(finding.severity == "error" for finding in findings) else 0
