"""The benchmark of big files reads every format as a training run does."""

import runpy
import sys
from pathlib import Path

import pytest

BIG = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "big_files.py"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("format", ["json", "conll"])
def test_all_examples_that_were_written_are_read(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"big.{format}"
    written = BIG["write_file"](path, format, 200_000)
    assert BIG["measured"](path, format)["examples"] == written


BOUND = 300 * 2**20
"""What reading may take over the imports, however large the file is."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("format", ["jsonl", "json", "csv"])
def test_a_file_larger_than_the_bound_is_read_within_it(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"big.{format}"
    written = BIG["write_file"](path, format, BOUND)
    found = BIG["measured"](path, format)
    assert found["examples"] == written
    assert found["grown"] < BOUND
