"""Label order: permutations and shifts by one are found; fair systems, guessers and constants are not."""

from __future__ import annotations

import numpy as np
import pytest

import truetune

from .planted import SENTIMENT, classified, found

INTENTS = tuple(str(number) for number in range(12))


@pytest.mark.parametrize("seed", range(5))
def test_a_permutation_is_found_and_named(seed: int) -> None:
    case = classified(seed)
    rng = np.random.default_rng(seed)
    others = ((1, 2, 0), (2, 0, 1), (2, 1, 0), (0, 2, 1), (1, 0, 2))
    order = others[rng.integers(len(others))]
    wrong = {label: SENTIMENT[place] for label, place in zip(SENTIMENT, order, strict=True)}
    finding = found("classification", case.gold, [wrong[label] for label in case.predicted])["label order"]
    assert finding.severity == "error"
    assert set(finding.examples) == {f"{to} -> {label}" for label, to in wrong.items() if label != to}


def test_labels_from_one_instead_of_nought_are_a_shift_by_one() -> None:
    case = classified(3, 900, INTENTS)
    later = [str((int(label) + 1) % 12) for label in case.predicted]
    finding = found("classification", case.gold, later)["label order"]
    assert "shifted by one" in finding.advice
    assert "11 -> 10" not in finding.examples or len(finding.examples) == 5


def test_other_names_are_found_with_what_they_mean() -> None:
    case = classified(4, 300, ("negative", "positive"))
    names = {"negative": "LABEL_0", "positive": "LABEL_1"}
    findings = found("classification", case.gold, [names[label] for label in case.predicted])
    assert findings["other label names"].count == 300
    assert "LABEL_0 -> negative" in findings["label order"].examples


@pytest.mark.parametrize("seed", range(40))
def test_fair_systems_guessers_and_constants_have_no_order(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])  # Not the stream of the case: that would be a shift, and is found.
    labels = INTENTS[: rng.integers(2, 13)]
    number = int(rng.integers(20, 600))
    case = classified(seed, number, labels, strength=float(rng.uniform(0, 4)))
    guesser = rng.choice(labels, number, p=rng.dirichlet(np.ones(len(labels)))).tolist()
    constant = [case.gold[int(rng.integers(number))]] * number
    shuffled = rng.permutation(case.gold).tolist()
    for predicted in (case.predicted, guesser, constant, shuffled):
        assert not {"label order", "predictions are shifted"} & set(found("classification", case.gold, predicted))


def test_evaluate_warns_and_lists_the_finding() -> None:
    case = classified(0)
    wrong = dict(zip(SENTIMENT, ("positive", "negative", "neutral"), strict=True))
    result = truetune.evaluate(
        task="classification", gold=case.gold, predicted=[wrong[label] for label in case.predicted]
    )
    assert result.findings[0].check == "label order"
    assert result.warnings[0].startswith("label order (400): with the predicted labels renamed")
    assert result.to_dict()["findings"][0]["check"] == "label order"
    clean = truetune.evaluate(task="classification", gold=case.gold, predicted=case.predicted)
    assert clean.findings == ()
    assert clean.to_dict()["findings"] == []
