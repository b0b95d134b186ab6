"""Evaluations in which nothing is wrong: gold, and a system that is right most of the time."""

from __future__ import annotations

from typing import Any

import numpy as np

import truetune
from truetune.evaluation.evaluate import EvaluationResult
from truetune.stats.plan import Plan

FEW = Plan(resamples=100)
LABELS = ("negative", "neutral", "positive")
NAMES = ("Anna Schmidt", "Bob", "Carla Ruiz", "New York", "Bern", "Acme Corporation", "北京大学", "上海")


def labelled(seed: int = 0, number: int = 413, labels: tuple[str, ...] = LABELS) -> tuple[list[str], list[str], Any]:
    """Gold, predicted and the logits that they are decided by."""
    rng = np.random.default_rng([seed, 7])
    gold = rng.choice(len(labels), number, p=rng.dirichlet(np.full(len(labels), 9.0)))
    logits = rng.normal(size=(number, len(labels)))
    logits[np.arange(number), gold] += 1.2
    return [labels[one] for one in gold], [labels[one] for one in logits.argmax(axis=1)], logits


def probabilities(logits: Any, labels: tuple[str, ...]) -> list[dict[str, float]]:
    """Softmax of logits, by label."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    rows = (powers / powers.sum(axis=1, keepdims=True)).tolist()
    return [dict(zip(labels, row, strict=True)) for row in rows]


def tagged(seed: int = 0, number: int = 120, most: int = 8) -> tuple[list[dict[str, Any]], list[list[list[Any]]]]:
    """Texts with names, and a tagger that finds eight in ten of them, some with a wrong end."""
    rng = np.random.default_rng([seed, 8])
    gold, predicted = [], []
    for place in range(number):
        text, spans, said = f"Report {place}: ", [], []
        for name in rng.choice(NAMES, rng.integers(1, most)):
            text += str(rng.choice(["yesterday ", "we met ", "near ", "they called "]))
            span = [len(text), len(text) + len(name), "PER" if " " in name else "LOC"]
            text += f"{name} and "
            spans.append(span)
            draw = rng.random()
            if draw < 0.85:
                said.append([span[0], span[1] - (draw > 0.8), span[2]])
        gold.append({"text": text + "left.", "spans": spans})
        predicted.append(said)
    return gold, predicted


SUBJECTS = ("The council", "A farmer", "Our team", "The bank", "Her brother", "The court", "A small museum")
VERBS = ("approved", "sold", "won", "closed", "found", "rejected", "opened")
THINGS = ("the new budget", "forty cows", "a difficult match", "three branches", "an old coin", "the appeal")


def written(seed: int = 0, number: int = 90) -> tuple[list[dict[str, Any]], list[str]]:
    """Summaries with their sources, and a system that takes another verb in some."""
    rng = np.random.default_rng([seed, 9])
    gold, said = [], []
    for place in range(number):
        subject, verb, thing, other = (str(rng.choice(part)) for part in (SUBJECTS, VERBS, THINGS, VERBS))
        text = f"{subject} {verb} {thing} in district {place}, officials said late on Monday."
        gold.append({"reference": text, "source": f"Monday, district {place}. {text} More is to follow."})
        said.append(text.replace(verb, other))
    return gold, said


def evaluated(task: str, gold: Any, predicted: Any) -> EvaluationResult:
    """What `truetune evaluate` says, with few resamples."""
    return truetune.evaluate(task=task, gold=gold, predicted=predicted, plan=FEW)


def found(task: str, gold: Any, predicted: Any) -> set[str]:
    """The checks that fire."""
    return {one.check for one in evaluated(task, gold, predicted).findings}
