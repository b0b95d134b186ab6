"""Speed of text and ranking scores beside their reference implementations, in one process.

    TRUETUNE_ANCHORS=FOLDER python -P benchmarks/metrics_text.py [FOLDER] [--repeats 5]

FOLDER holds `wmt17_en_de`: systems and reference of newstest2017, as sacreBLEU tests with them. Same inputs for
both sides, taking turns; each time is a median of the repeats, in processor seconds. First it is checked that
both sides give the same number. sacreBLEU keeps what it has tokenised: its caches are emptied before each turn, so
that both sides start cold. ranx and pytrec_eval are used where they are installed; ranx compiles itself before
its first turn (`-P` keeps the scripts beside this one from standing in for packages that it imports).
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.util
import logging
import math
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import _lru_cache_wrapper
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import _paired_ar_test

from truetune.metric import Additive
from truetune.metrics.bleu import bleu
from truetune.metrics.chrf import CHRF as OUR_CHRF
from truetune.metrics.ranking import at_depth, ndcg_rows
from truetune.metrics.rouge import ROUGE
from truetune.metrics.ter import ter
from truetune.stats.paired import paired
from truetune.stats.pairs import Pairs
from truetune.stats.plan import Plan
from truetune.stats.randomisation import randomisation_p, swapped_differences

BASELINE, CANDIDATE = "newstest2017.LIUM-NMT.4900.en-de", "newstest2017.online-A.0.en-de"
PAIRS, RESAMPLES = 3_000, 1_000
QUERIES, ITEMS = 10_000, 100


class Line(NamedTuple):
    """One row of the table."""

    work: str
    theirs: float
    ours: float
    wanted: float | None


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("anchors", nargs="?", default=os.environ.get("TRUETUNE_ANCHORS", ""))
    arguments.add_argument("--repeats", type=int, default=5)
    chosen = arguments.parse_args()
    folder = Path(chosen.anchors) / "wmt17_en_de"
    if not chosen.anchors or not folder.is_dir():
        raise SystemExit(f"{folder} is no folder; name the one that holds wmt17_en_de, or set TRUETUNE_ANCHORS")
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    reference, baseline, candidate = (lines_of(folder, name) for name in ("reference", BASELINE, CANDIDATE))
    print(machine())
    print(f"\n{'work':<62}{'peer s':>10}{'truetune s':>12}{'ratio':>9}{'wanted':>9}")
    for line in all_lines(reference, baseline, candidate, chosen.repeats):
        wanted = "" if line.wanted is None else f"{line.wanted:,.1f}x"
        ratio = line.theirs / line.ours
        print(f"{line.work:<62}{line.theirs:>10.3f}{line.ours:>12.4f}{ratio:>8,.1f}x{wanted:>9}", flush=True)


def all_lines(reference: list[str], baseline: list[str], candidate: list[str], repeats: int) -> Iterator[Line]:
    yield from translation_lines(reference, candidate, repeats)
    yield from paired_lines(reference, baseline, candidate, repeats)
    yield from rouge_lines(reference, candidate, repeats)
    yield from ranking_lines(np.random.default_rng(0), repeats)


def lines_of(folder: Path, name: str) -> list[str]:
    with gzip.open(folder / f"{name}.txt.gz", "rt", encoding="utf-8") as file:
        return file.read().split("\n")[:PAIRS]


def translation_lines(reference: list[str], said: list[str], repeats: int) -> list[Line]:
    wanted = ((BLEU(), bleu("13a"), 1.5), (CHRF(), OUR_CHRF, 2), (TER(), ter("none"), 5))
    return [
        cold(f"{type(peer).__name__}, {len(said):,} pairs, cold", peer, ours, reference, said, repeats, ratio)
        for peer, ours, ratio in wanted
    ]


def cold(
    work: str, peer: Any, ours: Additive, reference: list[str], said: list[str], repeats: int, ratio: float
) -> Line:
    def theirs() -> float:
        empty_caches()
        return float(peer.corpus_score(said, [reference]).score)

    def own() -> float:
        return float(ours.value(ours.rows(reference, said)))

    same(own(), theirs())
    return Line(work, *medians(theirs, own, repeats), ratio)


def empty_caches() -> None:
    """Empty the caches of sacreBLEU's tokenisers, which are shared by all its metrics."""
    for name, module in list(sys.modules.items()):
        if name.startswith("sacrebleu.tokenizers."):
            for kind in vars(module).values():
                for member in vars(kind).values() if isinstance(kind, type) else (kind,):
                    if isinstance(member, _lru_cache_wrapper):
                        member.cache_clear()


def paired_lines(reference: list[str], baseline: list[str], candidate: list[str], repeats: int) -> list[Line]:
    """The test alone from statistics that are ready; sacreBLEU's extraction is handed its finished statistics."""
    peer, metric = BLEU(tokenize="none", force=True), bleu("none")
    ready = {id(side): peer._extract_corpus_statistics(side, [reference]) for side in (baseline, candidate)}
    first, second = (metric.rows(reference, side) for side in (baseline, candidate))
    peer._extract_corpus_statistics = lambda side, _: ready[id(side)]
    known = {"BLEU": (ready[id(baseline)], peer._aggregate_and_compute(ready[id(baseline)]))}
    plan = Plan(resamples=RESAMPLES)

    def theirs(intervals: int = -1) -> float:
        _, found = _paired_ar_test(known, "candidate", candidate, None, {"BLEU": peer}, RESAMPLES, intervals, 0)
        return float(found["BLEU"].p_value)

    def test_alone() -> float:
        pairs = Pairs.of(first, second, None)
        gap = float(metric.value(pairs.second) - metric.value(pairs.first))
        (swaps,) = swapped_differences([metric], pairs, RESAMPLES, np.random.default_rng(0))
        return randomisation_p(gap, swaps)

    def whole() -> float:
        return paired([metric], first, second, plan=plan)[0].p_value

    if max(abs(theirs() - test_alone()), abs(theirs() - whole())) > 0.05:
        raise SystemExit("the two sides' p-values disagree")
    named = f"paired test BLEU, {RESAMPLES:,} swaps, statistics ready"
    return [
        Line(named, *medians(theirs, test_alone, repeats), 12),
        Line(
            f"the same with {RESAMPLES:,} bootstrap resamples for an interval",
            *medians(lambda: theirs(RESAMPLES), whole, repeats),
            12,
        ),
    ]


def rouge_lines(reference: list[str], said: list[str], repeats: int) -> list[Line]:
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds)
    found = []
    for joined, wanted in ((1, 10), (3, 10)):
        gold, texts = ([" ".join(side[at : at + joined]) for at in range(1_000)] for side in (reference, said))

        def theirs(gold: Sequence[str] = gold, texts: Sequence[str] = texts) -> list[float]:
            scores = [scorer.score(one, text) for one, text in zip(gold, texts, strict=True)]
            return [statistics.fmean(one[kind].fmeasure for one in scores) for kind in kinds]

        def ours(gold: Sequence[str] = gold, texts: Sequence[str] = texts) -> list[float]:
            rows = ROUGE[0].rows(gold, texts)
            return [float(metric.value(rows)) for metric in ROUGE[:3]]

        for mine, yours in zip(ours(), theirs(), strict=True):
            same(mine, yours)
        words = sum(len(text.split()) for text in gold) / len(gold)
        work = f"ROUGE-1/2/L (and ours Lsum), 1,000 pairs of {words:.0f} words"
        found.append(Line(work, *medians(theirs, ours, repeats), wanted))
    return found


def ranking_lines(rng: np.random.Generator, repeats: int) -> list[Line]:
    gains = rng.choice([0.0, 1.0, 2.0, 3.0], size=(QUERIES, ITEMS), p=[0.85, 0.08, 0.05, 0.02])
    scores = rng.normal(size=(QUERIES, ITEMS)) + gains
    metric = next(one for one in at_depth(10) if one.name == "ndcg@10")

    def ours() -> float:
        return float(metric.value(ndcg_rows(gains, scores)))

    size = f"nDCG@10, {QUERIES:,} queries x {ITEMS} documents, arrays"
    found = []
    for name, wanted in (("ranx", 100), ("pytrec_eval", 20)):
        if importlib.util.find_spec(name) is None:
            print(f"{size}: {name} is not installed")
            continue
        peer = {"ranx": of_ranx, "pytrec_eval": of_pytrec_eval}[name](gains, scores)
        same(ours(), peer(), 1e-6)
        found.append(Line(f"{size} / {name}", *medians(peer, ours, repeats), wanted))
    same(ours(), loop(gains, scores))
    found.append(Line(f"{size} / a loop with numpy", *medians(lambda: loop(gains, scores), ours, repeats), None))
    return found


def of_ranx(gains: np.ndarray, scores: np.ndarray) -> Callable[[], float]:
    """Return ranx's score from arrays: both its tables are built from them, as its user has to."""
    ranx = importlib.import_module("ranx")
    queries = [f"q{number}" for number in range(len(gains))]
    items = [f"d{number}" for number in range(gains.shape[1])]

    def score() -> float:
        judged = {
            q: {d: int(g) for d, g in zip(items, row, strict=True) if g}
            for q, row in zip(queries, gains.tolist(), strict=True)
            if any(row)
        }
        ranked = {q: dict(zip(items, row, strict=True)) for q, row in zip(queries, scores.tolist(), strict=True)}
        ranked = {q: ranked[q] for q in judged}
        return float(ranx.evaluate(ranx.Qrels(judged), ranx.Run(ranked), "ndcg@10"))

    return score


def of_pytrec_eval(gains: np.ndarray, scores: np.ndarray) -> Callable[[], float]:
    """Return trec_eval's score from arrays: pytrec_eval reads dictionaries, which are made from them."""
    pytrec_eval = importlib.import_module("pytrec_eval")
    queries = [f"q{number}" for number in range(len(gains))]
    items = [f"d{number}" for number in range(gains.shape[1])]

    def score() -> float:
        judged = {
            q: {d: int(g) for d, g in zip(items, row, strict=True)}
            for q, row in zip(queries, gains.tolist(), strict=True)
            if any(row)
        }
        ranked = {q: dict(zip(items, row, strict=True)) for q, row in zip(queries, scores.tolist(), strict=True)}
        found = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut_10"}).evaluate(ranked)
        return statistics.fmean(one["ndcg_cut_10"] for one in found.values())

    return score


def loop(gains: np.ndarray, scores: np.ndarray) -> float:
    """Return nDCG@10 a query at a time, with numpy: what one writes by hand."""
    discounts = 1 / np.log2(np.arange(2, 12))
    values = []
    for relevant, score in zip(gains, scores, strict=True):
        ideal = np.sort(relevant)[::-1][:10] @ discounts
        if ideal > 0:
            values.append(relevant[np.argsort(-score, kind="stable")[:10]] @ discounts / ideal)
    return float(np.mean(values))


def medians(theirs: Callable[[], object], ours: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return both medians; the two take turns, so that a busy machine slows both alike."""
    times = [(seconds(theirs), seconds(ours)) for _ in range(repeats)]
    first, second = zip(*times, strict=True)
    return statistics.median(first), statistics.median(second)


def seconds(work: Callable[[], object]) -> float:
    """Return processor time, all threads: other processes of the machine do not count."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def same(ours: float, theirs: float, within: float = 1e-9) -> None:
    if not math.isclose(ours, theirs, rel_tol=0, abs_tol=within):
        raise SystemExit(f"the two sides disagree: {ours} and {theirs}")


def machine() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text(encoding="utf-8")) if info.is_file() else []
    processor = names[0] if names else platform.processor()
    packages = ("truetune", "numpy", "sacrebleu", "rouge-score", "ranx", "pytrec_eval-terrier")
    known = ", ".join(filter(None, map(versioned, packages)))
    return f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}, {known}"


def versioned(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
