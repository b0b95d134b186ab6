"""Do decisions keep what they promise? A model that is too sure, many validation parts, and the truth.

    python benchmarks/decisions.py [--parts 2000] [--only WORD]

A model of K labels says softmax(3 z + b) where gold is drawn from softmax(z): it is three times too sure and leans to
the first label; where a text may have several, sigmoids in the place of the softmax, and labels that go together.
For each of `parts` validation parts a decision is fitted, and what it is worth is measured on one
large sample, which stands for the truth. Prints the tables of docs/decisions.md.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from truetune.config import Decide
from truetune.decisions.choosing import chosen
from truetune.decisions.conformal import limit_of, limit_of_all, limit_of_share, limits_by_label, sets_of
from truetune.decisions.decision import all_right
from truetune.decisions.fitting import fitted
from truetune.decisions.known import Known
from truetune.decisions.thresholds import Rule, best_cut, cuts_of
from truetune.stats.plan import Plan
from truetune.tasks.classify_encoding import softmax
from truetune.types import Bools, Floats, Ints

SIZES = (100, 400, 2000)
TRUTH = 200_000


def drawn(rng: np.random.Generator, examples: int, labels: int) -> tuple[Floats, Ints]:
    """Return what the model says, and gold."""
    logits = rng.normal(0, 2 if labels > 2 else 1.5, size=(examples, labels))
    gold = (softmax(logits).cumsum(axis=1) > rng.random((examples, 1))).argmax(axis=1)
    return softmax(3 * logits + np.linspace(1, -1, labels)), gold.astype(np.int64)


def several(rng: np.random.Generator, examples: int, labels: int) -> tuple[Floats, Bools]:
    """Return what the model says where a text may have several labels that go together, and gold."""
    logits = rng.normal(-1, 1.5, size=(examples, labels)) + rng.normal(0, 1, size=(examples, 1))
    gold = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-3 * logits - np.linspace(1, -1, labels))), gold


def within(values: list[float]) -> str:
    """Return a mean in per cent with three standard errors of the simulation."""
    return f"{100 * np.mean(values):.1f} ± {300 * np.std(values) / math.sqrt(len(values)):.1f}"


def row(*cells: Any) -> None:
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def prediction_sets(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """Coverage of sets over calibration parts, with probabilities as they are, and calibrated on the other half."""
    labels = 10
    truth, gold = drawn(rng, TRUTH // 10, labels)
    each = np.arange(len(gold))
    for level in (0.8, 0.9, 0.95):
        for way in ("lac", "aps"):
            cells: list[str] = []
            for size in SIZES:
                coverages, sizes = [], []
                for _ in range(parts):
                    inside = sets_of(truth, way, limit_of(*drawn(rng, size, labels), way, level))
                    coverages.append(float(inside[each, gold].mean()))
                    sizes.append(float(inside.sum(axis=1).mean()))
                cells.append(f"{within(coverages)} ({np.mean(sizes):.2f})")
            yield f"{level:.0%}", way.upper(), *cells


def sets_for_each(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """Coverage of the label that is covered least and most, with one limit for all and with one each."""
    labels = 4
    truth, gold = drawn(rng, TRUTH // 10, labels)
    for way in ("lac", "aps"):
        for name in ("one limit", "each label"):
            cells = []
            for size in SIZES:
                covered, sizes = np.zeros((parts, labels)), []
                for part in range(parts):
                    said, own = drawn(rng, size, labels)
                    limits = (
                        limits_by_label(said, np.eye(labels, dtype=np.bool_)[own], way, 0.9)
                        if name == "each label"
                        else limit_of(said, own, way, 0.9)
                    )
                    inside = sets_of(truth, way, limits)
                    covered[part] = [inside[gold == label, label].mean() for label in range(labels)]
                    sizes.append(float(inside.sum(axis=1).mean()))
                means = covered.mean(axis=0)
                ends = (within(covered[:, place].tolist()) for place in (means.argmin(), means.argmax()))
                cells.append(f"{' to '.join(ends)} ({np.mean(sizes):.2f})")
            yield way.upper(), name, *cells


def sets_of_several(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """What sets hold where a text may have several labels: all of them, and their share, of texts that have some."""
    labels = 10
    truth, gold = several(rng, TRUTH // 10, labels)
    number = gold.sum(axis=1)
    some = number > 0
    for level in (0.8, 0.9, 0.95):
        for name, find in (("all labels (lac)", limit_of_all), ("their share (fnr)", limit_of_share)):
            cells = []
            for size in SIZES:
                found, sizes = [], []
                for _ in range(parts):
                    said, own = several(rng, size, labels)
                    inside = sets_of(truth, "lac", find(said, own, np.zeros(size, dtype=np.int64), level))
                    share = (inside & gold).sum(axis=1)[some] / number[some]
                    found.append(float((share == 1).mean() if find is limit_of_all else share.mean()))
                    sizes.append(float(inside.sum(axis=1).mean()))
                cells.append(f"{within(found)} ({np.mean(sizes):.2f})")
            yield f"{level:.0%}", name, *cells
    print(f"\nA text has {number.mean():.2f} labels, {some.mean():.1%} have some\n")


def known(rng: np.random.Generator, size: int, labels: int) -> Known:
    probabilities, gold = drawn(rng, size, labels)
    return Known(tuple(map(str, range(labels))), False, probabilities, np.eye(labels, dtype=np.bool_)[gold])


def calibrated_sets(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """The same through `fitted`, which calibrates on one half; and what it would be with the same half twice."""
    labels = 4
    truth, gold = drawn(rng, TRUTH // 10, labels)
    each = np.arange(len(gold))
    for method in ("temperature", "platt", "isotonic"):
        halves, twice = [], []
        for _ in range(parts):
            part = known(rng, 200, labels)
            settings = Decide.model_validate({"calibrate": method, "conformal": "lac", "level": 0.9})
            decision = fitted(settings, part, 0.5, Plan(resamples=100)).decision
            assert decision.conformal is not None
            inside = sets_of(decision.probabilities(truth), "lac", decision.conformal.limits)
            halves.append(float(inside[each, gold].mean()))
            same = fitted(Decide.model_validate({"calibrate": method}), part, 0.5, Plan(resamples=100)).decision
            limit = limit_of(same.probabilities(part.probabilities), part.gold_places, "lac", 0.9)
            inside = sets_of(same.probabilities(truth), "lac", limit)
            twice.append(float(inside[each, gold].mean()))
        yield method, within(halves), within(twice)


def floors(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """How often a floor fails on the truth, and what it costs."""
    truth, gold = drawn(rng, TRUTH, 2)
    positive = gold == 1
    for name, rule in (
        ("precision 90 %", Rule("precision", 0.9)),
        ("precision 90 %, sure 90 %", Rule("precision", 0.9, 0.9)),
        ("recall 90 %", Rule("recall", 0.9)),
        ("recall 90 %, sure 90 %", Rule("recall", 0.9, 0.9)),
    ):
        cells = []
        for size in SIZES:
            failed, other = [], []
            for _ in range(parts):
                said_of, own = drawn(rng, size, 2)
                cuts = cuts_of(own == 1, said_of[:, 1])
                said = truth[:, 1] >= cuts.thresholds[int(best_cut(cuts.tallied(), rule))]
                hits = int((said & positive).sum())
                precision, recall = hits / max(int(said.sum()), 1), hits / int(positive.sum())
                failed.append(float(said.any() and (precision if rule.by == "precision" else recall) < 0.9))
                other.append(recall if rule.by == "precision" else precision)
            cells.append(f"{within(failed)} ({100 * np.mean(other):.0f})")
        yield name, *cells


def abstentions(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """How often more than the promised risk is left among the answered, and how many are answered."""
    labels = 4
    truth, gold = drawn(rng, TRUTH, labels)
    right, sure = truth.argmax(axis=1) == gold, truth.max(axis=1)
    for name, rule in (
        ("risk 20 %", Rule("precision", 0.8)),
        ("risk 20 %, sure 90 %", Rule("precision", 0.8, 0.9)),
    ):
        cells = []
        for size in SIZES:
            failed, covered = [], []
            for _ in range(parts):
                said, own = drawn(rng, size, labels)
                cuts = cuts_of(said.argmax(axis=1) == own, said.max(axis=1))
                answered = sure >= cuts.thresholds[int(best_cut(cuts.tallied(), rule))]
                covered.append(float(answered.mean()))
                failed.append(float(answered.any() and right[answered].mean() < 0.8))
            cells.append(f"{within(failed)} ({100 * np.mean(covered):.0f})")
        yield name, *cells
    print(f"\nAccuracy of answering all: {right.mean():.1%}\n")


def abstentions_of_several(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """The same where an answer is right if all labels of the text are."""
    labels = 5
    truth, gold = several(rng, TRUTH, labels)
    said = truth >= 0.5
    right, sure = (said == gold).all(axis=1), all_right(truth, said)
    for name, rule in (
        ("risk 40 %", Rule("precision", 0.6)),
        ("risk 40 %, sure 90 %", Rule("precision", 0.6, 0.9)),
    ):
        cells = []
        for size in SIZES:
            failed, covered = [], []
            for _ in range(parts):
                own, own_gold = several(rng, size, labels)
                chosen_of = own >= 0.5
                cuts = cuts_of((chosen_of == own_gold).all(axis=1), all_right(own, chosen_of))
                answered = sure >= cuts.thresholds[int(best_cut(cuts.tallied(), rule))]
                covered.append(float(answered.mean()))
                failed.append(float(answered.any() and right[answered].mean() < 0.6))
            cells.append(f"{within(failed)} ({100 * np.mean(covered):.0f})")
        yield name, *cells
    print(f"\nAll labels right, answering all: {right.mean():.1%}\n")


def choices(rng: np.random.Generator, parts: int) -> Iterator[tuple[Any, ...]]:
    """How often the interval of a choice covers what its threshold is worth, and how biased the value is."""
    truth, gold = drawn(rng, TRUTH, 2)
    positive = gold == 1
    order = np.argsort(-truth[:, 1])
    hits = np.r_[0, np.cumsum(positive[order])]
    ranked = -truth[order, 1]
    for name, rule, measure in (
        ("F1", Rule("f1"), "f1"),
        ("cost (missed 5)", Rule("cost", missed_cost=5), "cost"),
        ("precision 90 %", Rule("precision", 0.9), "precision"),
        ("recall 90 %", Rule("recall", 0.9), "recall"),
    ):
        cells = []
        for size in SIZES[:2]:
            covered, seen, corrected = [], [], []
            for number in range(parts):
                said, own = drawn(rng, size, 2)
                found = chosen("x", own == 1, said[:, 1], rule, Plan(resamples=500, seed=number))
                yes = int(np.searchsorted(ranked, -found.threshold, side="right"))
                true = _true(yes, int(hits[yes]), int(positive.sum()), rule, measure)
                worth = found.worth[measure]
                if math.isfinite(worth.value) and math.isfinite(true):
                    covered.append(float(worth.low <= true <= worth.high))
                    seen.append(worth.seen - true)
                    corrected.append(worth.value - true)
            cells.append(f"{within(covered)}; {100 * np.mean(seen):+.1f} → {100 * np.mean(corrected):+.1f}")
        yield name, *cells


def _true(said: int, hits: int, gold: int, rule: Rule, measure: str) -> float:
    if measure == "f1":
        return 2 * hits / (said + gold)
    if measure == "cost":
        return (rule.false_cost * (said - hits) + rule.missed_cost * (gold - hits)) / TRUTH
    return hits / (said if measure == "precision" else gold) if said else math.nan


TABLES = {
    "Prediction sets: coverage in % (labels a set)": (prediction_sets, ("level", "way", *SIZES), 4),
    "Sets after calibration: coverage in %, promised 90": (calibrated_sets, ("calibration", "halves", "twice"), 1),
    "Floors: how often they fail, in % (the other measure)": (floors, ("floor", *SIZES), 2),
    "Abstention: how often its risk is higher, in % (answered)": (abstentions, ("abstain", *SIZES), 2),
    "Choices: coverage of 95 % intervals; bias": (choices, ("by", *SIZES[:2]), 4),
    "Sets for each label, promised 90: least and most covered label": (sets_for_each, ("way", "limits", *SIZES), 4),
    "Sets of several labels: what they hold in % (labels a set)": (sets_of_several, ("level", "of", *SIZES), 4),
    "Abstention with several labels: the same": (abstentions_of_several, ("abstain", *SIZES), 2),
}


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=2000, help="validation parts a cell; some tables take fewer")
    parser.add_argument("--only", default="", help="only tables with these words in their title")
    asked = parser.parse_args()
    for place, (title, (table, columns, fewer)) in enumerate(TABLES.items()):
        if asked.only.lower() not in title.lower():
            continue
        began = time.monotonic()
        print(f"\n{title}; {asked.parts // fewer:,} parts\n")
        row(*columns)
        print(f"|{'---|' * len(columns)}")
        for cells in table(np.random.default_rng(place), asked.parts // fewer):
            row(*cells)
        print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
