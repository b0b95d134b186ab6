"""The table of the 30 mistakes in the documentation is whole: each has its row, and the tests that it names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \|.*\| `(test_\w+\.py)::(test_\w+)` \|$", re.MULTILINE)


@pytest.mark.parametrize("page", ["doctor.md", "doctor.zh-CN.md"])
def test_thirty_of_thirty(page: str) -> None:
    rows = ROW.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert [int(number) for number, _, _ in rows] == list(range(1, 31))
    for number, file, name in rows:
        assert name.startswith(f"test_{int(number):02d}_")
        assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")
