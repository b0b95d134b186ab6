"""Speed of span, relation and answer scores beside their reference implementations, in one process.

    python benchmarks/metrics_spans.py [--repeats 5] [--sentences 50000]

Same inputs for both, taking turns; each time is a median of the repeats. The bootstrap by seqeval in a loop is
extrapolated from one score. Answers come from XQuAD under the folder that TRUETUNE_DATA names, where it is
there, else they are made up. First it is checked that both sides give the same number.
"""

from __future__ import annotations

import argparse
import collections
import json
import math
import os
import platform
import re
import statistics
import string
import time
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from seqeval.metrics import classification_report, f1_score
from seqeval.scheme import IOB2

from truetune.metrics.qa import QA
from truetune.metrics.spans import SPANS, TAGS, conll_tag_rows, span_rows, strict_tag_rows
from truetune.rows import Rows
from truetune.stats.resampling import resampled_values
from truetune.stats.sample import Sample
from truetune.tags import IOB2 as OUR_IOB2
from truetune.tags import Tagged, span_table

TYPES = ("PER", "LOC", "ORG", "MISC")
RESAMPLES = 1_000
STRICT = {"mode": "strict", "scheme": IOB2}


class Line(NamedTuple):
    """One row of the table."""

    work: str
    theirs: float
    ours: float
    wanted: float | None


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--sentences", type=int, default=50_000)
    chosen = arguments.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    lines = [*span_lines(rng, chosen.sentences, chosen.repeats), *answer_lines(rng, chosen.repeats)]
    print(machine())
    print(f"\n{'work':<58}{'peer s':>10}{'truetune s':>12}{'ratio':>9}{'wanted':>9}")
    for line in lines:
        ratio = line.theirs / line.ours
        wanted = "" if line.wanted is None else f"{line.wanted:,.0f}x"
        print(f"{line.work:<58}{line.theirs:>10.3f}{line.ours:>12.4f}{ratio:>8,.1f}x{wanted:>9}")


def span_lines(rng: np.random.Generator, sentences: int, repeats: int) -> list[Line]:
    gold = [tags_of_sentence(rng) for _ in range(sentences)]
    predicted = [with_errors(tags, rng) for tags in gold]
    by_name = {metric.name: metric for metric in TAGS}
    strict, lenient = by_name["span_f1"], by_name["span_f1_conll"]

    same(float(lenient.value(conll_tag_rows(gold, predicted))), f1_score(gold, predicted))
    same(float(strict.value(strict_tag_rows(gold, predicted))), f1_score(gold, predicted, **STRICT))

    rows = conll_tag_rows(gold, predicted)
    spans = [span_table(Tagged.of(side), OUR_IOB2).lists() for side in (gold, predicted)]

    def bootstrap() -> None:
        resampled_values([lenient], Sample.of(rows, None), RESAMPLES, np.random.default_rng(0))

    report, of_tags = medians(
        lambda: classification_report(gold, predicted),
        lambda: all_scores(TAGS[:-1], conll_tag_rows(gold, predicted)),
        repeats,
    )
    strict_report, of_tags_strict = medians(
        lambda: classification_report(gold, predicted, **STRICT),
        lambda: all_scores(TAGS[:-1], strict_tag_rows(gold, predicted)),
        repeats,
    )
    report_again, of_spans = medians(
        lambda: classification_report(gold, predicted), lambda: all_scores(SPANS, span_rows(*spans)), repeats
    )
    one_f1, resampled = medians(lambda: f1_score(gold, predicted), bootstrap, repeats)
    size = f"{sentences:,} x 20 tokens"
    return [
        Line(f"span report, {size}, tags, seqeval default", report, of_tags, 40),
        Line(f"span report, {size}, tags, seqeval strict", strict_report, of_tags_strict, 25),
        Line(f"span report, {size}, from lists of spans", report_again, of_spans, None),
        Line(
            f"span F1 bootstrap, {RESAMPLES:,} resamples ({len(rows.table):,} distinct rows)",
            one_f1 * RESAMPLES,
            resampled,
            3_000,
        ),
    ]


def answer_lines(rng: np.random.Generator, repeats: int) -> list[Line]:
    gold, predicted = answers(rng)
    ours = [float(metric.value(QA[0].rows(gold, predicted))) for metric in QA]
    for mine, theirs in zip(ours, squad_script(gold, predicted), strict=True):
        same(mine, theirs)
    script, own = medians(
        lambda: squad_script(gold, predicted), lambda: all_scores(QA, QA[0].rows(gold, predicted)), repeats
    )
    return [Line(f"SQuAD exact match and F1, {len(gold):,} questions, 3 gold answers", script, own, 5)]


def all_scores(metrics: Sequence[Any], rows: Rows) -> list[float]:
    """Return the value of every metric and label: what a report prints."""
    found = []
    for metric in metrics:
        each = metric.metrics(rows.labels) if hasattr(metric, "metrics") else (metric,)
        found += [float(one.value(rows)) for one in each]
    return found


def tags_of_sentence(rng: np.random.Generator, length: int = 20) -> list[str]:
    tags: list[str] = []
    while len(tags) < length:
        if rng.random() < 0.15:
            kind = TYPES[rng.integers(len(TYPES))]
            tags += [f"B-{kind}", *[f"I-{kind}"] * int(rng.integers(0, 3))]
        else:
            tags.append("O")
    return tags[:length]


def with_errors(tags: list[str], rng: np.random.Generator) -> list[str]:
    wrong = ("O", "B-PER", "I-PER", "B-LOC", "I-ORG")
    return [wrong[rng.integers(len(wrong))] if rng.random() < 0.05 else tag for tag in tags]


def answers(rng: np.random.Generator, questions: int = 10_000) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return three gold answers a question and one prediction, half of them exact."""
    file = Path(os.environ.get("TRUETUNE_DATA", "")) / "qa" / "xquad_en_zh" / "xquad.en.json"
    if file.is_file():
        articles = json.loads(file.read_text(encoding="utf-8"))["data"]
        paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
        known = [one["answers"][0]["text"] for paragraph in paragraphs for one in paragraph["qas"]]
        words = " ".join(paragraph["context"] for paragraph in paragraphs).split()
    else:
        words = [f"word{number}," for number in range(5_000)]
        known = [" ".join(rng.choice(words, size=rng.integers(1, 6))) for _ in range(1_000)]

    def near(answer: str) -> str:
        kind, place = rng.random(), int(rng.integers(len(words) - 3))
        if kind < 0.5:
            return answer
        if kind < 0.65:
            return f"the {answer}"
        if kind < 0.8:
            return f"{answer} {words[place]}"
        return " ".join(answer.split()[:-1]) if kind < 0.9 else " ".join(words[place : place + 3])

    chosen = [str(rng.choice(known)) for _ in range(questions)]
    return [(answer, near(answer), near(answer)) for answer in chosen], [near(answer) for answer in chosen]


def squad_script(gold: list[tuple[str, ...]], predicted: list[str]) -> tuple[float, float]:
    """Return exact match and F1 by the functions of SQuAD's evaluate-v2.0 script, written out."""
    exact = f1 = 0.0
    for known, answer in zip(gold, predicted, strict=True):
        golds = [one for one in known if normalised(one)] or [""]
        exact += max(int(normalised(one) == normalised(answer)) for one in golds)
        f1 += max(token_f1(one, answer) for one in golds)
    return exact / len(gold), f1 / len(gold)


def normalised(text: str) -> str:
    excluded = set(string.punctuation)
    text = "".join(character for character in text.lower() if character not in excluded)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def token_f1(gold: str, answer: str) -> float:
    golds, said = normalised(gold).split(), normalised(answer).split()
    shared = sum((collections.Counter(golds) & collections.Counter(said)).values())
    if not golds or not said:
        return float(golds == said)
    return 2 * shared / (len(golds) + len(said))


def medians(theirs: Callable[[], object], ours: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return both medians; the two take turns, so that a busy machine slows both alike."""
    times = [(seconds(theirs), seconds(ours)) for _ in range(repeats)]
    first, second = zip(*times, strict=True)
    return statistics.median(first), statistics.median(second)


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def same(ours: float, theirs: float) -> None:
    if not math.isclose(ours, theirs, abs_tol=1e-9):
        raise SystemExit(f"the two sides disagree: {ours} and {theirs}")


def machine() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text(encoding="utf-8")) if info.is_file() else []
    packages = ", ".join(f"{name} {version(name)}" for name in ("truetune", "numpy", "seqeval", "scikit-learn"))
    processor = names[0] if names else platform.processor()
    return f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}, {packages}"


if __name__ == "__main__":
    main()
