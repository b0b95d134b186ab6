"""Nearly equal texts in many: time, memory, and recall against comparing every pair.

    python benchmarks/near_duplicates.py [--texts 100000 200000 ...] [--recall 2000]

Texts are made of words whose frequencies fall as 1 / rank, 20 to 60 words each; one in ten is a copy of another text
in which each word was replaced with a probability of 2 to 8 %. Each size runs in a process of its own, over one part,
as the audit does. `--recall N` compares all pairs of N such texts, and prints which share of the texts with an earlier
near one (70 % of the n-grams of both) the search finds.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
from scipy import sparse

from truetune.audit.near import LEAST, NGRAM, near_findings
from truetune.audit.parts import AuditPart
from truetune.text import normalised

WORDS, COPIES = 50_000, 0.1
BLOCK = 500


def texts_of(number: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfwygpbvk"))
    words = ["".join(rng.choice(letters, size)) for size in rng.integers(2, 10, WORDS)]
    upto = np.cumsum(1 / np.arange(1, WORDS + 1))
    upto /= upto[-1]
    made: list[str] = []
    for place in range(number):
        if place and rng.random() < COPIES:
            copied = made[int(rng.integers(place))].split()
            rate = rng.uniform(0.02, 0.08)
            made.append(" ".join(words[int(rng.integers(WORDS))] if rng.random() < rate else word for word in copied))
        else:
            drawn = np.searchsorted(upto, rng.random(int(rng.integers(20, 61))))
            made.append(" ".join(words[one] for one in drawn.tolist()))
    return made


def part_of(texts: list[str]) -> AuditPart:
    return AuditPart("train", [str(place) for place in range(len(texts))], [texts], None, None)


def measured(number: int) -> None:
    texts = texts_of(number)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, cpu = time.perf_counter(), time.process_time()
    found = sum(one.count for one in near_findings({"train": part_of(texts)}))
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"| {number:,} | {found:,} | {seconds:.1f} | {cpu:.1f} | {peak / 1024:,.0f} | {before / 1024:,.0f} |",
        flush=True,
    )


def grams_of(text: str, length: int) -> set[str]:
    return {text[place : place + length] for place in range(len(text) - length + 1)}


def recall(number: int) -> None:
    """Compare all pairs by a product of sparse matrices, some hundred rows at a time."""
    texts = texts_of(number)
    sets = [grams_of(normalised(text), NGRAM["en"]) for text in texts]
    codes = {gram: code for code, gram in enumerate(set().union(*sets))}
    sizes = np.array([len(one) for one in sets])
    columns = np.fromiter((codes[gram] for one in sets for gram in one), np.int64, sizes.sum())
    table = sparse.csr_array(
        (np.ones(len(columns), dtype=np.int32), columns, np.r_[0, np.cumsum(sizes)]), shape=(number, len(codes))
    )
    turned = table.T.tocsc()
    near = 0
    for start in range(0, number, BLOCK):
        shared = (table[start : start + BLOCK] @ turned[:, : start + BLOCK]).toarray()
        rows = np.arange(start, start + len(shared))
        share = shared / (sizes[rows][:, None] + sizes[: shared.shape[1]] - shared)
        share[rows[:, None] <= np.arange(shared.shape[1])] = 0
        equal = share == 1
        near += int(((share >= LEAST) & ~equal).any(axis=1).sum())
    found = sum(one.count for one in near_findings({"train": part_of(texts)}))
    print(f"of {number:,} texts {near:,} are near an earlier one; the search finds {found:,}: {found / near:.4f}")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--texts", type=int, nargs="+", default=[100_000])
    arguments.add_argument("--recall", type=int, default=0)
    arguments.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.one:
        measured(args.texts[0])
        return 0
    if args.recall:
        recall(args.recall)
        return 0
    print("| texts | near ones | seconds | seconds of a core | peak memory, MiB | of it the texts |")
    print("|---|---|---|---|---|---|", flush=True)
    for number in args.texts:
        subprocess.run([sys.executable, __file__, "--one", "--texts", str(number)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
