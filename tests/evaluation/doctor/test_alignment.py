"""Shifted predictions are found in every kind of task; sorted gold, periodic gold and fair systems are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .planted import classified, found

CHECK = "predictions are shifted"
WORDS = (
    "the",
    "a",
    "of",
    "bank",
    "river",
    "market",
    "rises",
    "falls",
    "said",
    "minister",
    "rain",
    "team",
    "wins",
    "vote",
)


def sentences(rng: np.random.Generator, number: int) -> list[str]:
    return [" ".join(rng.choice(WORDS, rng.integers(6, 15))) + "." for _ in range(number)]


def spans(rng: np.random.Generator, number: int) -> list[list[list[Any]]]:
    starts = [sorted(rng.choice(80, rng.integers(0, 4), replace=False).tolist()) for _ in range(number)]
    return [
        [[start, start + 1 + int(rng.integers(9)), str(rng.choice(["PER", "LOC"]))] for start in each]
        for each in starts
    ]


def some_wrong(rng: np.random.Generator, values: list[Any], others: list[Any]) -> list[Any]:
    return [other if rng.random() < 0.2 else value for value, other in zip(values, others, strict=True)]


def cases(seed: int) -> list[tuple[str, list[Any], list[Any]]]:
    rng = np.random.default_rng([seed, 1])
    labels = classified(seed)
    numbers = rng.normal(size=300)
    references = sentences(rng, 200)
    entities = spans(rng, 300)
    tags = [rng.choice(["O", "O", "O", "B-PER", "B-LOC"], 12).tolist() for _ in range(300)]
    answers = [text.split()[0] + " " + text.split()[2] for text in references]
    several = [sorted(set(rng.choice(list("abcdef"), rng.integers(1, 4)).tolist())) for _ in range(300)]
    return [
        ("classification", labels.gold, labels.predicted),
        ("classification", several, some_wrong(rng, several, [["a"]] * 300)),
        ("regression", numbers.tolist(), (numbers + 0.3 * rng.normal(size=300)).tolist()),
        ("ner", entities, some_wrong(rng, entities, spans(rng, 300))),
        ("ner", tags, some_wrong(rng, tags, [["O"] * 12] * 300)),
        ("qa", [[answer] for answer in answers], some_wrong(rng, answers, ["the bank"] * 200)),
        ("translation", references, some_wrong(rng, references, sentences(rng, 200))),
    ]


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("shift", [1, -1, 2])
def test_a_shift_is_found_and_its_clean_twin_is_not(number: int, shift: int) -> None:
    task, gold, predicted = cases(number)[number]
    assert not found(task, gold, predicted)
    finding = found(task, gold, predicted[shift:] + predicted[:shift])[CHECK]
    assert finding.severity == "error"
    assert f"{abs(shift)} row" in finding.advice
    assert ("further" if shift > 0 else "before") in finding.advice


@pytest.mark.parametrize("seed", range(10))
def test_sorted_and_guessed_predictions_do_not_look_shifted(seed: int) -> None:
    rng = np.random.default_rng([seed, 2])
    for task, gold, predicted in cases(seed):
        order = rng.permutation(len(gold))
        assert CHECK not in found(task, gold, [predicted[place] for place in order])
    case = classified(seed)
    by_label = np.argsort(case.gold, kind="stable")
    gold, said = ([side[place] for place in by_label] for side in (case.gold, case.predicted))
    assert not found("classification", gold, said)
    assert not found("classification", sorted(case.gold), rng.permutation(case.predicted).tolist())
