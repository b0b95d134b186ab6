"""`class-names`: the label whose name the pretrained model finds most like the text; no training example is used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from truetune.tasks.base import Labels
from truetune.training.baselines import Baseline, Candidate, Part, Score, Setting, chosen, label_candidates
from truetune.training.linear_path import label_targets
from truetune.types import Bools, Floats, Ints

TEMPLATES = ("{name}", "a text about {name}", "关于{name}的文本")
"""What is read for a label, with its name."""
TEMPERATURES = (0.3, 0.1, 0.03, 0.01, 0.003)
"""By which cosines are divided: the likeliest of them on validation makes probabilities of them."""


def spoken(label: str) -> str:
    """Return a label as words: `card_arrival` and `card/arrival` are `card arrival`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", label)
    return " ".join(re.sub(r"[_\-/.:]+", " ", apart).split()) or label


def asked(labels: Labels) -> dict[str, list[str]]:
    """Return, for each template, what is read for each label."""
    return {template: [template.format(name=spoken(name)) for name in labels.names] for template in TEMPLATES}


def class_names(
    validation: Part, test_inputs: Floats, names: Mapping[str, Floats], labels: Labels, score: Score
) -> Baseline:
    """Return the labels whose names have the greatest cosine with each text; inputs are `[examples, hidden]`.

    `names` are the features of what is read for each label, `[labels, hidden]`, by template. The template, whether the
    mean over texts, and over names, is taken off first, the temperature, and the threshold where an example may
    carry several labels, are chosen on the validation part, and nothing is learnt from the training part.
    """
    known = [place for place, gold in enumerate(validation.gold) if {*_set(gold)} <= {*labels.names}]
    targets = label_targets([validation.gold[place] for place in known], labels.names, labels.multiple)

    def candidates() -> Iterator[Candidate]:
        for template, vectors in names.items():
            for centred in (False, True):
                middle = validation.inputs.mean(axis=0) if centred else 0.0
                own = vectors - vectors.mean(axis=0) if centred else vectors
                parts = [cosines(texts - middle, own) for texts in (validation.inputs, test_inputs)]
                settings: dict[str, Setting] = {"template": template, "centred": int(centred)}
                if labels.multiple:
                    found = _independent(parts, parts[0][known], targets)
                else:
                    temperature = likeliest(parts[0][known], targets)
                    settings["temperature"] = temperature
                    found = [_shares(part / temperature) for part in parts]
                yield from label_candidates(settings, found[0], found[1], labels)

    return chosen("class-names", candidates(), validation.gold, score, ())


def cosines(texts: Floats, names: Floats) -> Floats:
    """Return `[examples, labels]`; 0 with what has no length."""
    one, other = (array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-12) for array in (texts, names))
    found: Floats = one @ other.T
    return found


def likeliest(cosine: Floats, codes: Ints) -> float:
    """Return the temperature at which the right labels are most probable; of equal ones the first."""
    rows = np.arange(len(codes))
    likelihoods = [float(np.log(_shares(cosine / one)[rows, codes] + 1e-12).sum()) for one in TEMPERATURES]
    return TEMPERATURES[int(np.argmax(likelihoods))]


def _set(gold: Any) -> tuple[str, ...]:
    return (gold,) if isinstance(gold, str) else tuple(gold)


def _independent(parts: Sequence[Floats], learnt: Floats, targets: Bools) -> list[Floats]:
    """Return probabilities of each label by itself: one logistic curve of the cosine for all, fitted on `learnt`."""
    from sklearn.linear_model import LogisticRegression

    given = targets.ravel()
    if given.all() or not given.any():
        return [np.full(part.shape, float(given.all())) for part in parts]
    curve: Any = LogisticRegression(C=1e3).fit(learnt.reshape(-1, 1), given)
    return [curve.predict_proba(part.reshape(-1, 1))[:, 1].reshape(part.shape) for part in parts]


def _shares(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares
