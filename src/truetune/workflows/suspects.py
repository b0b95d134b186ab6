"""Probabilities of labels from models that have not seen the example: what label suspects are found by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from truetune.audit.parts import AuditPart
from truetune.audit.suspects import suspect_findings
from truetune.data.keys import Keys
from truetune.training.baselines_frozen import standardised
from truetune.training.baselines_text import vectoriser
from truetune.training.linear_path import DENSE, Path, probabilities
from truetune.types import Finding, Floats, Ints

WORDS = Path((1.0, 10.0), "saga", 10, 1e-2)
"""Two strengths and few sweeps: each is fitted once a fold, and noisy labels want a strong penalty."""
FOLDS = 5
FEWEST = 2 * FOLDS
"""Examples of a label from which on each fold leaves enough of them to learn from; rarer labels are not judged."""


Tuned = Callable[[Ints, Ints, tuple[str, ...]], Floats]
"""From places of examples, their codes and the labels of those to `[places, labels]` probabilities."""


def can_have_suspects(part: AuditPart) -> bool:
    """Return whether gold is one label an example."""
    return part.gold is not None and len(part.gold) > 0 and all(isinstance(label, str) for label in part.gold)


def label_suspects(part: AuditPart, features: Floats | None = None, tuned: Tuned | None = None) -> list[Finding]:
    """Return what is probably wrong with the labels of a part whose gold is one label an example.

    Probabilities are those of words and character sequences; with `features` `[examples, columns]`, what a pretrained
    model makes of the texts, and with what models say that were `tuned` on the other folds, the mean of all. Examples
    of labels with fewer than 10 examples are left out. Other gold has no suspects.
    """
    if not can_have_suspects(part):
        return []
    gold = list(part.gold or ())
    names, given = np.unique(gold, return_inverse=True)
    counts = np.bincount(given)
    kept = np.flatnonzero(counts[given] >= FEWEST)
    judged = np.flatnonzero(counts >= FEWEST)
    if len(judged) < 2:
        return []
    codes = np.searchsorted(judged, given[kept])
    labels = [str(names[place]) for place in judged]
    texts = [part.whole[place] for place in kept.tolist()]
    found = [out_of_sample(texts, codes, part.keys[kept])]
    if features is not None:
        found.append(out_of_sample(features[kept], codes, part.keys[kept]))
    if tuned is not None:
        found.append(tuned(kept, codes, tuple(labels)))
    ids, own = ([column[place] for place in kept.tolist()] for column in (part.ids, gold))
    chosen = AuditPart(part.name, ids, [texts], own, None)
    return list(suspect_findings(chosen, np.mean(found, axis=0), labels))


def out_of_sample(inputs: Sequence[str] | Floats, codes: Ints, keys: Keys) -> Floats:
    """Return `[examples, labels]` probabilities, each from a model fitted on the other folds.

    Equal `keys` are in one fold, so that no copy of a text tells its label. The strength of the penalty is the one
    with the lowest log loss against the labels as they are, over all folds.
    """
    labels = int(codes.max()) + 1
    folds = folds_of(keys, FOLDS)
    dense = isinstance(inputs, np.ndarray)
    path = DENSE if dense else WORDS
    every = np.zeros((len(path.strengths), len(codes), labels))
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(outside):
            continue
        train, test = _features(inputs, inside, outside)
        fits = probabilities(path, train, codes[inside], [test], labels)
        for place, (_, (predicted,)) in enumerate(fits):
            every[place, outside] = predicted
    own = every[:, np.arange(len(codes)), codes]
    losses = [-math.fsum(np.log(np.maximum(one, 1e-9))) for one in own]
    best: Floats = every[int(np.argmin(losses))]
    return best


def folds_of(keys: Keys, number: int) -> Ints:
    """Return the fold of each example: by its text, and the same whatever the order of the file."""
    _, text = np.unique(keys, return_inverse=True)
    found: Ints = np.random.default_rng(0).permutation(int(text.max()) + 1)[text] % number
    return found


def _features(inputs: Any, inside: Ints, outside: Ints) -> tuple[Any, Any]:
    if isinstance(inputs, np.ndarray):
        train, test = standardised(inputs[inside], inputs[outside])
        return train, test
    counting = vectoriser(True, len(inside))
    train = counting.fit_transform([inputs[place] for place in inside.tolist()])
    return train, counting.transform([inputs[place] for place in outside.tolist()])
