"""100 million token labels from Parquet files, under 1 GiB: peak memory and time of one evaluation.

    python benchmarks/big.py                      4 million sentences of 25 tags; about a minute to write the files
    python benchmarks/big.py --sentences 40000    a million tags
    python benchmarks/big.py --shards 4           the same in four processes, one after the other, merged at the end

Writes gold and predicted tags (`id`, `tags`) to a folder, streams them in a process of its own through
`truetune.evaluate`, and prints what that process took at most. The files are kept with --keep FOLDER.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import truetune

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-MISC", "I-MISC")
TOKENS = 25
ROW_GROUP = 65_536

CHILD = """
import json, resource, sys, time
from truetune import Evaluation, evaluate
from truetune.evaluation.streaming import streamed
start = time.perf_counter()
gold, predicted = sys.argv[1].split(","), sys.argv[2].split(",")
if len(gold) == 1:
    result = evaluate(task="ner", gold=gold[0], predicted=predicted[0])
else:
    whole = Evaluation("ner")
    for files in zip(gold, predicted, strict=True):
        shard = Evaluation("ner")
        streamed(shard, *files)
        whole.merge(shard)
    result = whole.result()
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_SELF)
if sys.platform == "linux":
    # A process inherits the peak that getrusage tells from the one that started it; this one is its own.
    status = open("/proc/self/status").read()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
else:
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"result": result.to_dict(), "seconds": seconds, "busy": used.ru_utime + used.ru_stime, "peak": peak}))
"""


def sentences(number: int, start: int) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield gold and predicted tags in tables of one row group; about one tag in twelve is predicted wrong."""
    rng = np.random.default_rng(start)
    for first in range(start, start + number, ROW_GROUP):
        size = min(ROW_GROUP, start + number - first)
        codes = _spans(rng, size)
        wrong = rng.random(codes.shape) < 1 / 12
        said = np.where(wrong, _spans(rng, size), codes)
        ids = pa.array([f"sentence-{place:07d}" for place in range(first, first + size)])
        yield _table(ids, codes), _table(ids, said)


def _spans(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return codes of proper tags `[sentences, tokens]`: one to three tokens of a type, then tokens outside."""
    codes = np.zeros((size, TOKENS), dtype=np.int8)
    for place in range(0, TOKENS - 3, 4):
        kind = rng.integers(-4, 4, size)
        length = rng.integers(1, 4, size)
        for offset in range(3):
            inside = (kind >= 0) & (offset < length)
            codes[inside, place + offset] = 2 * kind[inside] + (1 if offset == 0 else 2)
    return codes


def _table(ids: pa.Array, codes: np.ndarray) -> pa.Table:
    tags = pa.DictionaryArray.from_arrays(pa.array(codes.ravel()), pa.array(TAGS)).cast(pa.string())
    offsets = pa.array(np.arange(0, codes.size + 1, TOKENS, dtype=np.int32))
    return pa.table({"id": ids, "tags": pa.ListArray.from_arrays(offsets, tags)})


def write_files(folder: Path, number: int, shards: int) -> tuple[list[Path], list[Path]]:
    """Write the files of gold and predicted and return them."""
    sides = tuple([folder / f"{side}-{shard}.parquet" for shard in range(shards)] for side in ("gold", "predicted"))
    for shard, paths in enumerate(zip(*sides, strict=True)):
        share = number // shards
        writers = None
        for tables in sentences(share, shard * share):
            writers = writers or [pq.ParquetWriter(path, tables[0].schema) for path in paths]
            for writer, table in zip(writers, tables, strict=True):
                writer.write_table(table)
        for writer in writers or []:
            writer.close()
    return sides


def measured(gold: list[Path], predicted: list[Path]) -> dict:
    """Return the result of an evaluation in a process of its own, its time and its peak memory in bytes."""
    command = [sys.executable, "-c", CHILD, ",".join(map(str, gold)), ",".join(map(str, predicted))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=4_000_000)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the files, which is not removed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        files = write_files(folder, args.sentences, args.shards)
        written = time.perf_counter() - start
        size = sum(path.stat().st_size for side in files for path in side)
        found = measured(*files)
    number = found["result"]["examples"]
    mebibytes = size / 2**20
    print(f"{number:,} sentences, {number * TOKENS:,} token labels, {mebibytes:,.0f} MiB of Parquet ({written:.0f} s)")
    times = f"{found['seconds']:,.0f} s (processor {found['busy']:,.0f} s)"
    print(f"peak memory {found['peak'] / 2**20:,.0f} MiB, {times}, {args.shards} shard(s)")
    for score in found["result"]["scores"][:4]:
        print(f"{score['metric']:<20} {score['value']:.6f} [{score['low']:.6f}, {score['high']:.6f}]")
    versions = ", ".join(f"{one.__name__} {one.__version__}" for one in (truetune, np, pa))
    print(f"{versions}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")


if __name__ == "__main__":
    main()
