"""Labels that can be told from what is no part of the task: the length, one word, the label's own name, a column.

A rule is fitted on one half of the texts and tried on the other against always saying the most frequent label of the
first half. Texts that repeat count once; groups stay in one half, and each counts once in the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from truetune.audit.artefact_rules import OFTEN, Rule, Sample, rules_of
from truetune.audit.parts import SHOWN, AuditPart, Parts, Severity, finding
from truetune.data.keys import hashed
from truetune.data.stored import values_at
from truetune.types import Finding, Ints

MOST, FEWEST = 20_000, 200
"""Texts that are looked at, the same ones whatever their order; fewer than `FEWEST` show nothing."""
VALUES = 50
"""Different values up to which a column, or the groups, are a kind (the source) and not a name."""
CHANCE = 0.001
"""Probability, over all rules tried, that data whose labels no rule tells is accused."""
TOLD, TOLD_MOST = {"length": 0.1, "word": 0.2, "name": 0.2, "column": 0.2, "side": 0.1}, 0.5
"""Share of what the most frequent label gets wrong that a rule must repair: for a note, and for a warning."""
CHECKS = {
    "length": "labels told by the length",
    "word": "labels told by one word",
    "name": "labels named in their text",
    "column": "labels told by a column",
    "side": "labels told by one text of several",
}
LABEL_WORDS = ("label", "class", "category", "intent", "target", "topic", "gold", "answer", "标签", "类别", "意图")
"""What stands in the names of columns that are labels themselves."""


@dataclass(frozen=True)
class Trial:
    """How well a rule does on the half that it was not fitted on."""

    right: int
    majority: int
    """How many always saying the most frequent label gets right."""
    examples: int
    p: float
    """Sign test: of so many units being better off with the rule, and no more worse off, if that were a coin's toss."""
    told: dict[int, int]
    """Value of the rule -> the label it gives."""

    @property
    def repaired(self) -> float:
        """Share of the mistakes of the most frequent label that the rule repairs, less what it breaks."""
        return (self.right - self.majority) / max(self.examples - self.majority, 1)


def artefact_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what tells the labels of the training part (or the first) although it is no part of the task."""
    labelled = [part for part in parts.values() if part.gold is not None and part.labelled]
    part = next((one for one in labelled if one.name == "train"), labelled[0] if labelled else None)
    found = None if part is None else sample_of(part)
    if part is None or found is None:
        return
    sample, chosen = found
    rules = [*rules_of(sample), *_columns(part, chosen)]
    for rule in rules:
        trial = tried(sample, rule)
        if trial.p * len(rules) < CHANCE and trial.repaired >= TOLD[rule.kind]:
            severity: Severity = "warning" if trial.repaired >= TOLD_MOST else "note"
            advice = _advice(part.name, rule, trial)
            yield finding(
                CHECKS[rule.kind],
                severity,
                [part.told(chosen[place : place + 1]) for place in _hits(sample, rule, trial)],
                advice,
                trial.right - trial.majority,
                parts=(part.name,),
            )


def sample_of(part: AuditPart) -> tuple[Sample, Ints] | None:
    """Return a sample of a part whose gold is one label an example, with the places of its examples; else None."""
    first = np.sort(part.first_places[1][:MOST])
    gold = values_at(part.gold or (), first)
    if len(first) < FEWEST or not all(isinstance(label, str) for label in gold):
        return None
    labels, codes = np.unique(gold, return_inverse=True)
    if not 1 < len(labels) <= len(first) / OFTEN:
        return None
    units, keys = np.arange(len(first)), part.keys[first]
    if part.groups is not None:
        groups = hashed(values_at(part.groups, first), len(first))
        distinct, own = np.unique(groups, return_inverse=True)
        if len(distinct) > VALUES:
            units, keys = own, groups
    fitted = np.fromiter((key[:1] < b"\x80" for key in keys.tolist()), dtype=np.bool_, count=len(keys))
    if not 0 < fitted.sum() < len(first):
        return None
    columns = [values_at(column, first) for column in part.texts]
    codes, units = codes.astype(np.int64), units.astype(np.int64)
    return Sample(values_at(part.whole, first), columns, codes, labels.tolist(), fitted, units), first


def tried(sample: Sample, rule: Rule) -> Trial:
    """Fit a rule on one half (the most frequent label of each value) and try it on the other."""
    labels = len(sample.labels)
    fitted, codes = sample.fitted, sample.codes
    usual = int(np.bincount(codes[fitted], minlength=labels).argmax())
    values = rule.values + 1
    table = np.zeros((int(values.max()) + 1, labels), dtype=np.int64)
    np.add.at(table, (values[fitted], codes[fitted]), 1)
    often = table.sum(axis=1) >= OFTEN
    answer = np.where(often, table.argmax(axis=1), usual)
    rest = ~fitted
    right = answer[values[rest]] == codes[rest]
    plain = codes[rest] == usual
    gain = np.bincount(sample.units[rest], right.astype(np.int64) - plain.astype(np.int64))
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    p = float(binom.sf(better - 1, better + worse, 0.5))
    told = {value - 1: int(answer[value]) for value in np.flatnonzero(often).tolist()}
    return Trial(int(right.sum()), int(plain.sum()), int(rest.sum()), p, told)


def _columns(part: AuditPart, chosen: Ints) -> Iterator[Rule]:
    columns = dict(part.others)
    if part.groups is not None:
        columns["group"] = part.groups
    seen: list[Ints] = []
    for name, values in columns.items():
        if any(word in name.lower() for word in LABEL_WORDS):
            continue
        distinct, codes = np.unique([str(value) for value in values_at(values, chosen)], return_inverse=True)
        if 1 < len(distinct) <= VALUES and not any((codes == one).all() for one in seen):
            seen.append(codes)
            yield Rule("column", codes.astype(np.int64), name)


def _advice(name: str, rule: Rule, trial: Trial) -> str:
    if rule.kind == "length":
        return (
            f"how long a text is tells its label: {_measured(name, trial)}. "
            "A model learns lengths, and fails where they differ. Take texts of all lengths for each label"
        )
    if rule.kind == "word":
        return (
            f"whether {rule.shown!r} stands in a text tells its label: {_measured(name, trial)}. "
            "Where that is a mark of how the data was made, and no word of the task, take it out"
        )
    if rule.kind == "name":
        return (
            f"texts hold the name of their label: {_measured(name, trial)}. "
            "Where texts to come will not hold it, the score is of reading it off. Take it out"
        )
    if rule.kind == "column":
        return (
            f"the column {rule.shown} tells the label: {_measured(name, trial)}. "
            "A model learns to know each kind of text instead of what it says. Take texts of every kind for each label"
        )
    return (
        f"the words of text {rule.shown} alone tell the label: {_measured(name, trial)}. "
        "A model can be right without comparing the texts. Measure on pairs where one text stands with several others"
    )


def _measured(name: str, trial: Trial) -> str:
    right, majority = (f"{number / trial.examples:.1%}" for number in (trial.right, trial.majority))
    return f"fitted on half of {name} it gets {right} of the other half right, the most frequent label {majority}"


def _hits(sample: Sample, rule: Rule, trial: Trial) -> list[int]:
    """Return the first texts of the other half that the rule gets right by what is there, not by what is missing."""
    there = np.flatnonzero(~sample.fitted & (rule.values >= int(rule.kind == "word")))
    return [place for place in there.tolist() if trial.told.get(int(rule.values[place])) == sample.codes[place]][:SHOWN]
