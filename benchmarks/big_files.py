"""Text files larger than memory should hold: peak memory and time of reading them into a data set on disk.

    python benchmarks/big_files.py                          300 MiB of each format; CoNLL takes long
    python benchmarks/big_files.py --mebibytes 20 jsonl     one format, smaller

Writes a file, reads it into a `Dataset` in a process of its own, as a training run does, and prints by how much that
process grew over what its imports took: the highest resident set (pages of mapped files included) less the one before
reading, as Linux tells them.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

CHILD = """
import json, re, sys, time
from pathlib import Path
from truetune.data.dataset import read_dataset
from truetune.data.parse import reading
from truetune.data.read import read
from truetune.tasks.table import task_named
from truetune.workflows.parts import input_fields

def resident(name):
    return int(re.search(rf"{name}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

source, target, task = sys.argv[1:]
before, start = resident("VmRSS"), time.perf_counter()
data = read_dataset(reading(read(source), input_fields(task_named(task)), source), Path(target))
seconds, peak = time.perf_counter() - start, resident("VmHWM")
print(json.dumps({"examples": len(data), "imports": before, "grown": peak - before, "seconds": seconds}))
"""


def rows() -> Iterator[dict[str, str]]:
    """Yield examples of about 220 characters, no two alike, each with an id, a text with a quote and a label."""
    rng = np.random.default_rng(7)
    words = [f"word{number}" for number in range(1000)]
    number = 0
    while True:
        for chosen in rng.integers(0, 1000, (1000, 25)):
            number += 1
            text = " ".join(words[place] for place in chosen) + f', "很好", {number}'
            yield {"id": f"example-{number:08d}", "text": text, "label": "good" if chosen[0] % 2 else "bad"}


def _jsonl(file: IO[str], row: dict[str, str], number: int) -> None:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _json(file: IO[str], row: dict[str, str], number: int) -> None:
    file.write(("[" if number == 0 else ",\n") + json.dumps(row, ensure_ascii=False))


def _csv(file: IO[str], row: dict[str, str], number: int) -> None:
    writer = csv.writer(file, lineterminator="\n")
    if number == 0:
        writer.writerow(row)
    writer.writerow(row.values())


def _conll(file: IO[str], row: dict[str, str], number: int) -> None:
    tokens = row["text"].split()
    tags = ["B-GOOD", "I-GOOD"] + ["O"] * (len(tokens) - 2) if row["label"] == "good" else ["O"] * len(tokens)
    file.writelines(f"{token} {tag}\n" for token, tag in zip(tokens, tags, strict=True))
    file.write("\n")


FORMATS: dict[str, tuple[Callable[[IO[str], dict[str, str], int], None], str]] = {
    "jsonl": (_jsonl, "classification"),
    "json": (_json, "classification"),
    "csv": (_csv, "classification"),
    "conll": (_conll, "ner"),
}


def write_file(path: Path, format: str, size: int) -> int:
    """Write a file of at least so many bytes and return how many examples it has."""
    write, _ = FORMATS[format]
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, row in enumerate(rows()):
            if number % 1000 == 0 and file.tell() >= size:
                file.write("]" * (format == "json"))
                return number
            write(file, row, number)
    raise AssertionError


def measured(path: Path, format: str) -> dict[str, Any]:
    """Return the examples of a file, the bytes that reading them took over those of the imports, and the time."""
    target = path.with_suffix(".arrow")
    command = [sys.executable, "-c", CHILD, str(path), str(target), FORMATS[format][1]]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    target.unlink()
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", default=list(FORMATS), metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--mebibytes", type=float, default=300)
    args = parser.parse_args()
    for format in args.formats:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"big.{format}"
            write_file(path, format, int(args.mebibytes * 2**20))
            size, found = path.stat().st_size / 2**20, measured(path, format)
        grown, imports = (found[name] / 2**20 for name in ("grown", "imports"))
        told = f"{grown:,.0f} MiB over {imports:,.0f} MiB of imports, {found['seconds']:,.0f} s"
        print(f"{format:<6} {size:,.0f} MiB, {found['examples']:,} examples: {told}", flush=True)
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")


if __name__ == "__main__":
    main()
