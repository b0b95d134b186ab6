"""Populations whose true values are known, to draw test sets from: the ground of the coverage simulations.

Each is a large finite set of examples with the rows of one or two systems; a metric's value over the whole
set is the truth that an interval from a small sample should contain. How hard an example is depends on its
group, and is half shared between the systems. The formulas stand here for themselves, so that the
statistics are tested without the metrics of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from list_populations import diversities, novelties, similarities

from truetune.metric import Additive, Metric, Pooled
from truetune.rows import Rows
from truetune.types import Floats, IntervalMethod, Ints, Numbers

SIZE = 40_000
"""Examples of each population."""
BETWEEN = 0.3
"""Share of the variance of hardness that lies between groups, where there are groups."""

System = Callable[[float], Rows]
"""The rows of a system that is better by so many standard deviations of hardness."""
Own = Callable[[float], Floats]
"""How hard the examples are for such a system: half shared with the other system, half its own."""


@dataclass(frozen=True)
class Population:
    """Rows of everything that could be drawn, by system, in groups where examples depend on each other."""

    metric: Metric
    systems: tuple[Rows, ...]
    groups: Ints | None = None

    @property
    def truths(self) -> list[float]:
        """The value of each system that intervals should contain."""
        return [float(self.metric.value(rows)) for rows in self.systems]

    def sample(self, units: int, rng: np.random.Generator) -> tuple[list[Rows], Ints | None]:
        """Return the rows of each system, and groups, for `units` examples or groups drawn with replacement."""
        if self.groups is None:
            chosen = rng.integers(0, SIZE, units)
            return [rows.take(chosen) for rows in self.systems], None
        sizes = np.bincount(self.groups)
        starts = np.cumsum(sizes) - sizes
        drawn = rng.integers(0, len(sizes), units)
        chosen = np.concatenate([np.arange(starts[group], starts[group] + sizes[group]) for group in drawn])
        return [rows.take(chosen) for rows in self.systems], np.repeat(np.arange(units), sizes[drawn])

    def exchangeable(self, units: int, rng: np.random.Generator) -> tuple[Rows, Rows, Ints | None]:
        """Return a sample of two systems in which each unit's outputs are swapped or not by a fair coin."""
        (first, second), groups = self.sample(units, rng)
        coins = rng.random(units) < 0.5
        swap = coins if groups is None else coins[groups]
        table = np.concatenate([first.table, second.table])
        other = second.index + len(first.table)
        one = Rows(table, np.where(swap, other, first.index), first.labels)
        return one, Rows(table, np.where(swap, first.index, other), first.labels), groups


def population(kind: str, eases: Sequence[float], rng: np.random.Generator, *, grouped: bool) -> Population:
    """Return a population of `kind` with a system for each of `eases`."""
    metric, world = KINDS[kind]
    groups = _groups(rng) if grouped else None

    def hardness() -> Floats:
        alone = rng.normal(size=SIZE)
        if groups is None:
            return alone
        return np.sqrt(BETWEEN) * rng.normal(size=groups[-1] + 1)[groups] + np.sqrt(1 - BETWEEN) * alone

    shared = hardness()

    def own(ease: float) -> Floats:
        return np.sqrt(0.5) * shared + np.sqrt(0.5) * hardness() - ease

    system = world(own, rng)
    return Population(metric, tuple(system(ease) for ease in eases), groups)


def _groups(rng: np.random.Generator) -> Ints:
    """Return groups of one to some thirty examples, ten on average."""
    sizes = 1 + rng.negative_binomial(2, 2 / 11, size=SIZE)
    return np.repeat(np.arange(SIZE), sizes)[:SIZE]


def _answers(own: Own, rng: np.random.Generator) -> System:
    """Right or wrong, about 85 % right at ease 0."""

    def system(ease: float) -> Rows:
        right = own(ease) < 1.04
        return Rows.of(np.stack([right, np.ones(SIZE)], axis=1).astype(np.int64))

    return system


def _classes(own: Own, rng: np.random.Generator) -> System:
    """Five classes of 35 % to 8 %, the rarer the harder."""
    gold = rng.choice(5, SIZE, p=[0.35, 0.25, 0.2, 0.12, 0.08])

    def system(ease: float) -> Rows:
        wrong = (gold + rng.choice([1, 2, 4], SIZE, p=[0.5, 0.3, 0.2])) % 5
        return _class_rows(gold, np.where(own(ease) + 0.2 * gold < 1.2, gold, wrong))

    return system


def _rare_class(own: Own, rng: np.random.Generator) -> System:
    """Two classes, one of 1 %."""
    gold = (rng.random(SIZE) < 0.01).astype(np.int64)

    def system(ease: float) -> Rows:
        return _class_rows(gold, np.where(own(ease) + 2 * gold < 2.2, gold, 1 - gold))

    return system


def _class_rows(gold: Ints, predicted: Ints) -> Rows:
    """Return rows of (hit, gold, predicted) by label."""
    number, every = int(gold.max()) + 1, np.arange(SIZE)
    dense = np.zeros((SIZE, 3, number), dtype=np.int64)
    dense[every, 1, gold] = 1
    dense[every, 2, predicted] = 1
    dense[every, 0, gold] = gold == predicted
    return Rows.of(dense, tuple("abcde"[:number]))


def _spans(own: Own, rng: np.random.Generator) -> System:
    """Sentences with none to many spans; the spans of a hard sentence fail together."""
    gold = rng.negative_binomial(2, 0.55, SIZE)

    def system(ease: float) -> Rows:
        hit = rng.binomial(gold, 1 / (1 + np.exp(1.2 * own(ease) - 1.9)))
        predicted = hit + rng.binomial(gold - hit, 0.6) + rng.poisson(0.03, SIZE)
        return Rows.of(np.stack([hit, gold, predicted], axis=1).astype(np.int64))

    return system


def _translations(own: Own, rng: np.random.Generator) -> System:
    """Sentences of 4 to 80 words whose n-gram matches share a quality."""
    reference = np.clip(rng.gamma(3, 8, SIZE), 4, 80).astype(np.int64)

    def system(ease: float) -> Rows:
        quality = 1 / (1 + np.exp(0.7 * own(ease) - 0.4))
        length = np.maximum(4, np.round(reference * rng.normal(0.98, 0.1, SIZE))).astype(np.int64)
        totals = np.stack([length - order for order in range(4)], axis=1)
        matches = np.stack([rng.binomial(totals[:, n], quality ** (1 + 0.8 * n)) for n in range(4)], axis=1)
        return Rows.of(np.concatenate([length[:, None], reference[:, None], matches, totals], axis=1))

    return system


def _rankings(own: Own, rng: np.random.Generator) -> System:
    """A score between 0 and 1 for each query, some at either end."""

    def system(ease: float) -> Rows:
        gain = np.clip(1.1 - 0.45 * np.exp(0.6 * own(ease)), 0, 1)
        return Rows.of(np.stack([gain, np.ones(SIZE)], axis=1))

    return system


def _scores(own: Own, rng: np.random.Generator) -> System:
    """Two normal classes, 30 % positive; each system has a scale of its own."""
    positive = rng.random(SIZE) < 0.3

    def system(ease: float) -> Rows:
        score = own(0.0) + (1.4 + ease) * positive
        return Rows.of(np.stack([positive.astype(np.float64), np.round(score, 3)], axis=1))

    return system


def _label_scores(own: Own, rng: np.random.Generator) -> System:
    """Four labels of 40 % to 10 % with probabilities; the gold label's is higher the easier the example."""
    gold = rng.choice(4, SIZE, p=[0.4, 0.3, 0.2, 0.1])
    noise = rng.normal(size=(SIZE, 4))

    def system(ease: float) -> Rows:
        logits = noise + rng.normal(size=(SIZE, 4)) / 2
        logits[np.arange(SIZE), gold] += 1.4 - own(ease)
        scores = np.exp(logits)
        scores /= scores.sum(axis=1, keepdims=True)
        table = np.stack([scores, (gold[:, None] == np.arange(4)).astype(np.float64)], axis=1)
        return Rows(table, np.arange(SIZE), tuple("abcd"))

    return system


def _unread(gold: object, predicted: object) -> Rows:
    raise NotImplementedError("populations are rows already")


def _ratio_metric(name: str, interval: IntervalMethod, parts: Callable[[Numbers], tuple[Numbers, Numbers]]) -> Additive:
    def formula(sums: Numbers) -> Floats:
        above, below = parts(sums)
        return np.asarray(above / below)

    return Additive(name, _unread, formula, "gold", "predicted", name, "example", interval=interval, ratio=parts)


def f1_macro(sums: Numbers) -> Floats:
    """(hit, gold, predicted) by label; labels that occur nowhere are left out of the mean."""
    below = sums[..., 1, :] + sums[..., 2, :]
    present = below > 0
    f1 = np.where(present, 2 * sums[..., 0, :] / np.where(present, below, 1), 0)
    return np.asarray(f1.sum(axis=-1) / present.sum(axis=-1))


def bleu(sums: Numbers) -> Floats:
    """(length, reference length, 4 matches, 4 totals) as BLEU."""
    with np.errstate(divide="ignore"):
        precision = np.mean(np.log(sums[..., 2:6] / sums[..., 6:10]), axis=-1)
        return np.asarray(np.exp(precision + np.minimum(0, 1 - sums[..., 1] / sums[..., 0])))


def roc_auc(rows: Rows, counts: Numbers) -> Floats:
    """(gold is positive, score) as the area under the ROC curve, ties half."""
    hits, taken = _from_the_top(rows, counts)
    alarms = taken - hits
    area = np.sum(np.diff(alarms, prepend=0) * (hits - np.diff(hits, prepend=0) / 2), axis=-1)
    return np.asarray(area / (hits[..., -1] * alarms[..., -1]))


def roc_auc_of_pairs(rows: Rows, counts: Numbers) -> Floats:
    """(score, gold) by label as the mean over ordered pairs of labels of the area among the examples of the two."""
    areas = []
    for one, other in permutations(range(len(rows.labels)), 2):
        inside = np.flatnonzero(rows.table[:, 1, [one, other]].any(axis=1))
        part = rows.table[inside]
        two = Rows(np.stack([part[:, 1, one], part[:, 0, one]], axis=1), np.arange(len(inside)))
        areas.append(roc_auc(two, counts[..., inside]))
    return np.asarray(np.mean(areas, axis=0))


def average_precision(rows: Rows, counts: Numbers) -> Floats:
    """(gold is positive, score) as the step-wise area under the precision-recall curve.

    Draws stand in columns, so that sums over scores go along memory: half the time of sums along each draw.
    """
    order = np.argsort(-rows.table[:, 1], kind="stable")
    positive, scores = rows.table[order, 0] > 0, rows.table[order, 1]
    held = np.ascontiguousarray(counts.T[order], dtype=np.float64)
    last = np.flatnonzero(np.r_[scores[1:] != scores[:-1], True])
    places = np.flatnonzero(positive)
    if not len(places):
        return np.full(counts.shape[:-1], np.nan)
    step, firsts = np.unique(np.searchsorted(last, places), return_index=True)
    up = held[places] if len(step) == len(places) else np.add.reduceat(held[places], firsts, axis=0)
    taken, hits = np.cumsum(held, axis=0)[last[step]], np.cumsum(up, axis=0)
    up *= hits / np.maximum(taken, 1)
    return np.asarray(up.sum(axis=0) / hits[-1])


def _from_the_top(rows: Rows, counts: Numbers) -> tuple[Floats, Floats]:
    """Return the positives and all examples at or above each distinct score, from the highest down."""
    order = np.argsort(-rows.table[:, 1], kind="stable")
    held, scores = counts[..., order].astype(np.float64), rows.table[order, 1]
    last = np.flatnonzero(np.r_[scores[1:] != scores[:-1], True])
    taken = np.cumsum(held, axis=-1)[..., last]
    held *= rows.table[order, 0]
    return np.cumsum(held, axis=-1)[..., last], taken


ACCURACY = _ratio_metric("accuracy", "wilson", lambda sums: (sums[..., 0], sums[..., 1]))
SPAN_F1 = _ratio_metric("span F1", "bca", lambda sums: (2 * sums[..., 0], sums[..., 1] + sums[..., 2]))
NDCG = _ratio_metric("nDCG", "t", lambda sums: (sums[..., 0], sums[..., 1]))
NOVELTY, DIVERSITY, SIMILARITY = (
    _ratio_metric(name, "t", lambda sums: (sums[..., 0], sums[..., 1]))
    for name in ("novelty", "diversity", "embedding similarity")
)
MACRO_F1 = Additive("macro-F1", _unread, f1_macro, "gold", "predicted", "macro-F1", "example")
BLEU = Additive("BLEU", _unread, bleu, "gold", "predicted", "BLEU", "example")
AUC = Pooled("AUC", _unread, roc_auc, "gold", "predicted", "AUC", "example", interval="delong")
AUC_OF_PAIRS = Pooled(
    "AUC of label pairs", _unread, roc_auc_of_pairs, "gold", "predicted", "AUC", "example", interval="delong-pairs"
)
AP = Pooled("AP", _unread, average_precision, "gold", "predicted", "AP", "example")

KINDS: dict[str, tuple[Metric, Callable[[Own, np.random.Generator], System]]] = {
    "accuracy": (ACCURACY, _answers),
    "macro-F1": (MACRO_F1, _classes),
    "macro-F1, 1 % class": (MACRO_F1, _rare_class),
    "span F1": (SPAN_F1, _spans),
    "BLEU": (BLEU, _translations),
    "nDCG": (NDCG, _rankings),
    "AUC": (AUC, _scores),
    "average precision": (AP, _scores),
    "novelty": (NOVELTY, novelties),
    "diversity": (DIVERSITY, diversities),
    "embedding similarity": (SIMILARITY, similarities),
    "AUC of label pairs": (AUC_OF_PAIRS, _label_scores),
}
