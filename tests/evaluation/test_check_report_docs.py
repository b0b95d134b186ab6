"""The worked example of the docs is what the code answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from truetune.evaluation.check_report import check_report

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("name", ["check-report.md", "check-report.zh-CN.md"])
def test_the_worked_example_is_the_real_output(name):
    text = (DOCS / name).read_text(encoding="utf-8")
    fenced = re.findall(r"^```(\w*)\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    report, findings, notes = (block for language, block in fenced if not language)
    check = check_report(report)
    assert findings.splitlines() == [str(found) for found in check.findings]
    assert notes.splitlines() == list(check.notes)
