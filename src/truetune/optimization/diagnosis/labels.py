"""What labels and texts say: imbalance, labels and lengths that are worse than the rest, copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from truetune.data.keys import hashed
from truetune.data.stored import values_at
from truetune.optimization.diagnosis.cause import IMBALANCE, REPEATS, WEAK_LABELS, WEAK_SLICES, Cause, Gain
from truetune.optimization.diagnosis.evidence import Evidence
from truetune.stats.binomial import clopper_pearson, wilson
from truetune.stats.quantiles import normal_quantile
from truetune.text import normalised
from truetune.types import Bools
from truetune.workflows.parts import compared

RATIO = 10.0
"""From how many times as many training examples of the most frequent label as of the rarest on it is imbalance."""
REPEATED = 0.1
"""From which share of copies among training examples on they are told."""
FEWEST = 10
"""Validation examples of a label or a slice from which on it is judged."""
BEHIND = 0.1
"""How much less than on the other examples the upper bound must be for a label or slice to be weak."""
SHOWN = 5


def imbalanced(evidence: Evidence) -> Iterator[Cause]:
    """Yield imbalance where labels are rare, and are found less often than the others.

    Rare are labels with less than a tenth of the examples of the most frequent one. Where validation has fewer than
    `FEWEST` examples of them, the upper bound of how often they are found must be that much less (Clopper-Pearson).
    """
    counts = Counter(map(str, evidence.data.gold("train")["label"]))
    rare = _rare(counts)
    gold, said = np.array(evidence.gold("validation")), np.array(evidence.predicted["validation"]["label"])
    ours = np.isin(gold, rare)
    if not ours.any() or ours.all():
        return
    hits, trials, others = int((gold == said)[ours].sum()), int(ours.sum()), float((gold == said)[~ours].mean())
    most = hits / trials if trials >= FEWEST else clopper_pearson(hits, trials, evidence.level)[1]
    if most > others - BEHIND:
        return
    shown = ", ".join(f"{name} ({counts[name]:,})" for name in rare[:SHOWN])
    yield Cause(
        IMBALANCE,
        (
            f"the most frequent label has {max(counts.values()) / min(counts.values()):.0f} times as many training "
            f"examples as the rarest: {shown}",
            f"{hits / trials:.0%} of the {trials:,} validation examples of rare labels are found, {others:.0%} of "
            "the others",
        ),
    )


def can_tell_of_rare(evidence: Evidence) -> bool:
    """Return whether validation has so many examples of rare labels that a gain on them can be measured."""
    rare = _rare(Counter(map(str, evidence.data.gold("train")["label"])))
    return int(np.isin(np.array(evidence.gold("validation")), rare).sum()) >= FEWEST


def _rare(counts: Counter[str]) -> list[str]:
    most = max(counts.values())
    return sorted((name for name in counts if counts[name] * RATIO <= most), key=lambda name: (counts[name], name))


def weak_labels(evidence: Evidence) -> Iterator[Cause]:
    """Yield the labels whose recall is surely far below that of the other examples."""
    gold, said = np.array(evidence.gold("validation")), np.array(evidence.predicted["validation"]["label"])
    slices = {f"label {name}": gold == name for name in evidence.labels.names}
    yield from _weak(evidence, WEAK_LABELS, slices, gold == said)


def weak_slices(evidence: Evidence) -> Iterator[Cause]:
    """Yield the third of the texts by length, short, middle or long, that is surely far worse than the others."""
    texts = [*evidence.data.texts("validation")]
    lengths = np.array([len(text) for text in texts])
    edges = np.quantile(lengths, [1 / 3, 2 / 3])
    place = np.searchsorted(edges, lengths, side="left")
    names = (
        f"up to {edges[0]:.0f} characters",
        f"{edges[0] + 1:.0f} to {edges[1]:.0f} characters",
        f"more than {edges[1]:.0f} characters",
    )
    gold, said = np.array(evidence.gold("validation")), np.array(evidence.predicted["validation"]["label"])
    slices = {name: place == third for third, name in enumerate(names)}
    yield from _weak(evidence, WEAK_SLICES, slices, gold == said)


def _weak(evidence: Evidence, cause: str, slices: dict[str, Bools], right: Bools) -> Iterator[Cause]:
    """Yield a cause for the slices whose share of right answers has its upper bound far below that of the rest.

    Wilson's intervals, with Bonferroni's allowance for the number of slices that are judged.
    """
    judged = {name: inside for name, inside in slices.items() if FEWEST <= inside.sum() <= len(right) - FEWEST}
    if not judged:
        return
    quantile = normal_quantile(1 - (1 - evidence.level) / (2 * len(judged)))
    told, gain = [], 0.0
    for name, inside in judged.items():
        hits, trials, rest = int(right[inside].sum()), int(inside.sum()), float(right[~inside].mean())
        low, high = wilson(hits, trials, quantile)
        if high < rest - BEHIND:
            told.append(
                f"{hits / trials:.0%} of the {trials:,} validation examples ({name}) are right ({low:.0%} to "
                f"{high:.0%}), {rest:.0%} of the others"
            )
            gain += (rest - hits / trials) * trials / len(right)
    if told and gain >= evidence.worth:
        how = "if they were as good as the others; not measured"
        yield Cause(cause, tuple(told[:SHOWN]), Gain("accuracy", gain, float("nan"), float("nan"), how))


def repeated(evidence: Evidence) -> Iterator[Cause]:
    """Yield copies among the training examples: all that is read is equal after normalisation, the marked pair too."""
    columns = compared(evidence.data.inputs, evidence.data.parts["train"])
    rows = zip(*columns, strict=True)
    keys = hashed(("\n".join(normalised(text) or text for text in row) for row in rows), len(columns[0]))
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    share = 1 - len(first) / len(keys)
    if share < REPEATED:
        return
    copied = np.argsort(-counts, kind="stable")[:SHOWN]
    names = ", ".join(values_at(evidence.data.parts["train"].stored_ids, np.sort(first[copied])))
    yield Cause(
        REPEATS,
        (
            f"{share:.0%} of the {len(keys):,} training examples repeat the text of another one: there are "
            f"{len(first):,} different texts, such as {names}",
        ),
    )
