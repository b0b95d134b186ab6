"""Every finding of the audit says why it matters."""

from __future__ import annotations

import ast
from pathlib import Path

import truetune.audit
from truetune.audit import artefacts, personal, spans, texts
from truetune.audit.meaning import WHY

LATER = {"placeholder labels", "one label only"}
"""Names that stand in a variable."""


def checks() -> set[str]:
    found = {one[0] for one in (*spans.CHECKS, *texts.CHECKS, *personal.KINDS)} | set(artefacts.CHECKS.values()) | LATER
    for file in Path(truetune.audit.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "finding":
                first = node.args[0]
                found |= {first.value} if isinstance(first, ast.Constant) else set()
    return found


def test_every_check_says_why_it_matters_and_no_other() -> None:
    assert len(checks()) > 40
    assert checks() | {"model not looked at"} == set(WHY)
