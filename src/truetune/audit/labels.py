"""Labels: too few, too rare, never learnt, placeholders, misspelt."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from truetune.audit.parts import AuditPart, Parts
from truetune.types import Finding

MEASURABLE = 97
"""Examples of a label for a 95 % interval of its recall of at most +-10 points: 1.96^2 / 4 / 0.1^2, rounded up."""
LEARNABLE = 8
PLACEHOLDERS = {"0", "-1", "-100", "?", "unknown", "none", "null", "n/a"}
IMBALANCE = 50


def label_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what makes labels unlearnable or unmeasurable."""
    counts = {name: label_counts(part.gold) for name, part in parts.items() if part.gold is not None}
    train = counts.get("train")
    for name, found in counts.items():
        yield from _one_label(name, found, parts[name])
        if train and name != "train":
            yield from _unlearnt(name, found, train)
            yield from _unmeasurable(name, found)
    if train:
        yield from _rare(train)
        yield from _alike(train)


def label_counts(gold: Sequence[Any]) -> Counter[str]:
    """Count labels: one an example, several, or the types of spans."""
    found: Counter[str] = Counter()
    for value in gold:
        if isinstance(value, str):
            found[value] += 1
        else:
            found.update(item if isinstance(item, str) else str(item[2]) for item in value)
    return found


def _one_label(name: str, found: Counter[str], part: AuditPart) -> Iterator[Finding]:
    single = part.gold is not None and len(part.gold) > 0 and isinstance(part.gold[0], str)
    if single and len(found) == 1:
        label = next(iter(found))
        placeholder = label.strip().lower() in PLACEHOLDERS
        yield Finding(
            check="placeholder labels" if placeholder else "one label only",
            severity="error",
            count=found[label],
            examples=(label,),
            advice=f"every example of {name} has the label {label!r}"
            + (
                ": it looks like a placeholder of an unlabelled test set. Scores against it mean nothing"
                if placeholder
                else ": nothing can be learnt or measured. Give data with two or more labels"
            ),
        )


def _unlearnt(name: str, found: Counter[str], train: Counter[str]) -> Iterator[Finding]:
    missing = sorted(set(found) - set(train))
    if missing:
        yield Finding(
            check="labels that training never sees",
            severity="error",
            count=sum(found[label] for label in missing),
            examples=tuple(f"{label} ({found[label]})" for label in missing[:10]),
            advice=f"these labels of {name} do not stand in train: they can only be missed. Check their spelling",
        )


def _unmeasurable(name: str, found: Counter[str]) -> Iterator[Finding]:
    few = [label for label, count in found.items() if count < MEASURABLE]
    if few:
        few.sort(key=lambda label: found[label])
        yield Finding(
            check="support too low to measure",
            severity="note",
            count=len(few),
            examples=tuple(f"{label} ({found[label]})" for label in few[:10]),
            advice=f"{name} holds fewer than {MEASURABLE} examples of these labels: an interval of their recall can be "
            "wider than +-10 points",
        )


def _rare(train: Counter[str]) -> Iterator[Finding]:
    rare = sorted((label for label, count in train.items() if count < LEARNABLE), key=lambda label: train[label])
    if rare:
        yield Finding(
            check="rare labels",
            severity="warning",
            count=len(rare),
            examples=tuple(f"{label} ({train[label]})" for label in rare[:10]),
            advice=f"train holds fewer than {LEARNABLE} examples of these labels. Label more, or join labels",
        )
    if train and max(train.values()) >= IMBALANCE * min(train.values()):
        often, seldom = max(train, key=lambda label: train[label]), min(train, key=lambda label: train[label])
        yield Finding(
            check="imbalance",
            severity="note",
            count=len(train),
            examples=(f"{often} ({train[often]:,})", f"{seldom} ({train[seldom]:,})"),
            advice="accuracy can be high without ever finding the rare labels: look at macro F1 and at each label",
        )


def _alike(train: Counter[str]) -> Iterator[Finding]:
    """A rare label that looks like a frequent one may be that one, misspelt."""
    often = [label for label, count in train.items() if count >= LEARNABLE and len(label) > 3]
    pairs = []
    for label, count in train.items():
        same = [other for other in train if other != label and other.strip().lower() == label.strip().lower()]
        close = difflib.get_close_matches(label, often, n=1, cutoff=0.85) if count < LEARNABLE else []
        for other in {*same, *close} - {label}:
            if train[other] >= count:
                pairs.append(f"{label} ({count}) ~ {other} ({train[other]})")
    if pairs:
        yield Finding(
            check="labels that look alike",
            severity="warning",
            count=len(pairs),
            examples=tuple(sorted(pairs)[:10]),
            advice="each pair may be one label in two spellings; join them in the data if so",
        )
