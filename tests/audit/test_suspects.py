"""Confident learning: by hand, planted noise found, clean labels left alone."""

from __future__ import annotations

import numpy as np

from truetune.audit.parts import AuditPart
from truetune.audit.suspects import suspect_findings, suspects


def test_by_hand() -> None:
    # Means of the own label: a (.9 + .8 + .2) / 3 = .633, b (.7 + .9) / 2 = .8.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])
    found = suspects(probabilities, np.array([0, 0, 0, 1, 1]))
    assert found.suspected.tolist() == [False, False, True, False, False]
    assert found.order[0] == 2
    assert found.likelier[2] == 1
    # Own / mean of own: 1.42, 1.26, .32, .875, 1.125.
    assert found.order.tolist() == [2, 3, 4, 1, 0]


def test_a_confusion_of_neighbours_stands_behind_a_label_that_cannot_be() -> None:
    # Of the third the model is surer of another label, but its own is still possible; that of the fourth is not.
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.75, 0.05], [0.02, 0.5, 0.48], [0.1, 0.1, 0.8]])
    found = suspects(probabilities, np.array([0, 1, 0, 0, 2]))
    assert found.order.tolist()[:2] == [3, 2]


def test_planted_noise_comes_first_and_clean_labels_have_no_suspect() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 600)
    logits = rng.normal(size=(600, 4))
    logits[np.arange(600), true] += 6
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    flipped = rng.choice(600, 30, replace=False)
    noisy = true.copy()
    noisy[flipped] = (true[flipped] + rng.integers(1, 4, 30)) % 4
    found = suspects(probabilities, noisy)
    assert np.isin(found.order[:30], flipped).mean() > 0.9
    assert not suspects(probabilities, true).suspected[probabilities.argmax(axis=1) == true].any()


def test_a_label_that_nobody_carries_makes_nobody_a_suspect() -> None:
    probabilities = np.array([[0.1, 0.0, 0.9], [0.1, 0.0, 0.9], [0.2, 0.8, 0.0]])
    assert not suspects(probabilities, np.array([0, 0, 1])).suspected.any()


def test_models_that_cannot_tell_the_labels_judge_none() -> None:
    rng = np.random.default_rng(2)
    chance = rng.uniform(0.2, 0.8, 200)
    probabilities = np.stack([chance, 1 - chance], axis=1)
    random = [str(one) for one in rng.integers(0, 2, 200)]
    told = [str(int(one < 0.5)) for one in chance]
    told[7] = str(1 - int(told[7]))
    texts = [str(place) for place in range(200)]
    assert not list(suspect_findings(AuditPart("train", texts, [texts], random, None), probabilities, ["0", "1"]))
    (finding,) = suspect_findings(AuditPart("train", texts, [texts], told, None), probabilities, ["0", "1"])
    assert any(one.startswith("7: ") for one in finding.examples)
