"""A run that is killed at any moment goes on and ends bit for bit as the unbroken one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).parent / "toy.py"


def check_kills(folder: Path, model: Path, kills: int) -> None:
    command = [sys.executable, str(TOY), str(folder), str(model), str(kills), "0"]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{kills} identical endings" in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_runs_end_as_the_unbroken_one(tmp_path: Path, tiny_bert: Path) -> None:
    check_kills(tmp_path, tiny_bert, kills=3)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_fifty_kills_fifty_identical_endings(tmp_path: Path, tiny_bert: Path) -> None:
    check_kills(tmp_path, tiny_bert, kills=50)
