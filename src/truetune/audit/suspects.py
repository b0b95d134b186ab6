"""Labels that are probably wrong: confident learning on probabilities from models that have not seen the example.

Northcutt, Jiang and Chuang (2021), Confident Learning: an example counts as one of label j where its probability of j
reaches the mean probability of j over the examples that carry j; one that counts as another label than it carries is
a suspect. All are ranked by how probable the given label is, as a share of that mean. How sure the model is of another
label does not enter: with many labels it is surest of confusions between neighbours, which are the model's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from truetune.audit.parts import SHOWN, AuditPart, finding, shortened
from truetune.data.stored import values_at
from truetune.types import Bools, Finding, Floats, Ints


@dataclass(frozen=True)
class Suspects:
    """All examples, the most suspicious first."""

    order: Ints
    """`[examples]`, positions, suspects or not"""
    suspected: Bools
    """`[examples]`, by position: counts as another label than it carries."""
    likelier: Ints
    """`[examples]`, by position: the label that the model would give."""


def suspects(probabilities: Floats, given: Ints) -> Suspects:
    """Return examples ranked by how suspicious their label is; `probabilities` `[examples, labels]`, `given` codes."""
    every = np.arange(len(given))
    labels = probabilities.shape[1]
    carried = np.bincount(given, minlength=labels)
    sums = np.bincount(given, probabilities[every, given], labels)
    usual = np.where(carried > 0, sums / np.maximum(carried, 1), np.inf)
    reached = probabilities >= usual
    best = np.where(reached, probabilities, -1.0).argmax(axis=1)
    suspected = reached.any(axis=1) & (best != given)
    share = probabilities[every, given] / np.maximum(usual[given], np.finfo(np.float64).tiny)
    others = probabilities - np.where(np.isfinite(usual), usual, 1.0)
    others[every, given] = -np.inf
    likelier = np.where(suspected, best, others.argmax(axis=1))
    return Suspects(np.argsort(share, kind="stable"), suspected, likelier)


def _tells(probabilities: Floats, given: Ints) -> bool:
    """Return whether the probabilities say more of the labels than how often each is given, by their log loss."""
    own = np.maximum(probabilities[np.arange(len(given)), given], np.finfo(np.float64).tiny)
    shares = np.bincount(given) / len(given)
    return bool(np.log(own).sum() > np.log(shares[given]).sum())


def suspect_findings(part: AuditPart, probabilities: Floats, labels: Sequence[str]) -> Iterator[Finding]:
    """Yield the labels of a part that are probably wrong, with their texts and the likelier label.

    None where the probabilities tell the labels no better than their frequencies do: they cannot judge them.
    """
    place = {label: code for code, label in enumerate(labels)}
    given = np.array([place[str(label)] for label in part.gold or ()], dtype=np.int64)
    if not _tells(probabilities, given):
        return
    found = suspects(probabilities, given)
    number = int(found.suspected.sum())
    if not number:
        return
    shown = found.order[found.suspected[found.order]][:SHOWN]
    rows = zip(shown.tolist(), values_at(part.ids, shown), values_at(part.whole, shown), strict=True)
    yield finding(
        "labels that are probably wrong",
        "warning",
        [
            f"{name}: {labels[given[one]]} ({probabilities[one, given[one]]:.2f}) → "
            f"{labels[found.likelier[one]]} ({probabilities[one, found.likelier[one]]:.2f}): {shortened(text)}"
            for one, name, text in rows
        ],
        f"models that had not seen these texts of {part.name} give another label as surely as it is usually given: "
        f"{number / len(given):.1%} of all, the most suspicious first. Look at them; a wrong label is learnt, and in a "
        "test part it counts a right answer as wrong",
        number,
        parts=(part.name,),
    )
