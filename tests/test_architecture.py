"""The architecture itself: the import direction, file lengths, and what may be imported where."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "truetune"

ROWS = (
    ("types", "errors", "files", "rows", "metric", "tags", "text", "yaml_text", "faults"),
    ("config", "data", "metrics", "stats", "tracking"),
    ("tasks", "backbones", "decisions", "live"),
    ("training", "evaluation", "audit", "bundle"),
    ("pretraining", "reports", "export"),
    ("workflows", "serving"),
    ("optimization", "parity"),
    ("apps", "ui"),
    ("cli",),
)
"""Top-level names by row: a file imports from rows above its own, or from its own folder."""

ROW_OF = {name: number for number, names in enumerate(ROWS) for name in names}
ROW_0_ORDER = ("types", "errors", "files", "text", "yaml_text", "faults", "tags", "rows", "metric")
"""Row 0 is the one row whose members build on each other, in this order."""

FRAMEWORKS = {"torch", "transformers", "tensorflow", "keras", "tokenizers", "peft"}
FILES = sorted(SOURCE.rglob("*.py"))


def top_name(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(file: Path) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            found.append((node.module or "", node.lineno))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_come_from_rows_above(file: Path) -> None:
    own = top_name(file)
    if own in ("__init__", "__main__", "api"):
        return
    assert own in ROW_OF, f"{own} has no row in the layout"
    for module, line in imports(file):
        if not module.startswith("truetune."):
            continue
        other = module.split(".")[1]
        if other == own:
            continue
        if ROW_OF[own] == 0 == ROW_OF[other]:
            above = ROW_0_ORDER.index(other) < ROW_0_ORDER.index(own)
        else:
            above = ROW_OF[other] < ROW_OF[own]
        assert above, f"{file}:{line}: {own} (row {ROW_OF[own]}) imports {other} (row {ROW_OF[other]})"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_frameworks_stay_behind_the_backbone(file: Path) -> None:
    if top_name(file) == "backbones":
        return
    for module, line in imports(file):
        assert module.partition(".")[0] not in FRAMEWORKS, f"{file}:{line} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_file_is_one_idea(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").count("\n")
    assert lines <= 400, f"{file} has {lines} lines: it is two ideas, split it"
    assert file.stem not in ("utils", "helpers", "misc", "common")


def test_functions_take_at_most_six_parameters() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                number = len([name for name in names if name not in ("self", "cls")])
                assert number <= 6, f"{file}:{node.lineno}: {node.name} takes {number} parameters"
                assert node.args.kwarg is None, f"{file}:{node.lineno}: {node.name} takes **{node.args.kwarg}"


def modules_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_help_imports_nothing_heavy() -> None:
    heavy = {"numpy", "scipy", "pyarrow", "pydantic", "rich", "jinja2", "torch", "transformers"}
    assert not heavy & modules_after("import truetune\nfrom truetune.cli.parser import parser\nparser().format_help()")


def test_scoring_files_never_imports_a_framework(tmp_path: Path) -> None:
    gold, predicted = tmp_path / "gold.jsonl", tmp_path / "predicted.jsonl"
    gold.write_text('{"label": "a"}\n{"label": "b"}\n' * 20, encoding="utf-8")
    predicted.write_text('{"label": "a"}\n{"label": "b"}\n' * 20, encoding="utf-8")
    command = ["evaluate", "--task", "classification", "--gold", str(gold), "--predicted", str(predicted)]
    loaded = modules_after(f"from truetune.cli.main import main\nassert main({command!r}) == 0")
    assert not loaded & {"torch", "tensorflow", "keras", "transformers", "sklearn", "tokenizers"}
