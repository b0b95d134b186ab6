"""Labels: too few, too rare, never learnt, placeholders, misspelt."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from truetune.audit.parts import SHOWN, Parts, finding
from truetune.audit.size import needed
from truetune.text import normalised
from truetune.types import Finding

MEASURABLE, MEASURED_WELL = needed(0.1), needed(0.05)
"""Examples of a label for a 95 % interval of its recall of at most +-10, and +-5 points."""
LEARNABLE = 8
PLACEHOLDERS = {"0", "-1", "-100", "-", "?", "unknown", "none", "null", "nan", "n/a"}
NO_LABEL = PLACEHOLDERS - {"0", "unknown", "none"}
"""What is hardly ever a label of its own where there are others."""
IMBALANCE = 50
SAME_SPELLING = 0.85


def label_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what makes labels unlearnable or unmeasurable."""
    counts = {name: label_counts(part.gold) for name, part in parts.items() if part.gold is not None and part.labelled}
    learnt = next(iter(counts)) if len(counts) == 1 else "train"
    train = counts.get(learnt)
    for name, found in counts.items():
        yield from _one_label(name, found, parts[name].gold or ())
        yield from _no_label(name, found)
        if train and name != learnt:
            yield from _unlearnt(name, found, train)
            yield from _unmeasurable(name, found)
    if train:
        yield from _rare(learnt, train)
        yield from _imbalanced(learnt, train)
        yield from _alike((learnt,), train)
    else:
        yield from _alike(tuple(counts), sum(counts.values(), Counter()))


def label_counts(gold: Sequence[Any]) -> Counter[str]:
    """Count labels: one an example, several, or the types of spans; numbers are no labels."""
    found: Counter[str] = Counter()
    for value in gold:
        if isinstance(value, str):
            found[value] += 1
        elif isinstance(value, list | tuple):
            found.update(item if isinstance(item, str) else str(item[2]) for item in value)
    return found


def _one_label(name: str, found: Counter[str], gold: Sequence[Any]) -> Iterator[Finding]:
    if len(found) != 1 or not all(isinstance(value, str) for value in gold):
        return
    (label,) = found
    if label.strip().lower() in PLACEHOLDERS:
        check = "placeholder labels"
        why = "it looks like a placeholder of an unlabelled test set. Scores against it mean nothing"
    else:
        check = "one label only"
        why = "nothing can be learnt or measured. Give data with two or more labels"
    told = f"every example of {name} has the label {label!r}: {why}"
    yield finding(check, "error", [label], told, found[label], parts=(name,))


def _no_label(name: str, found: Counter[str]) -> Iterator[Finding]:
    empty = [label for label in found if label.strip().lower() in NO_LABEL]
    if empty and len(found) > len(empty):
        yield finding(
            "labels that may say nothing",
            "warning",
            _counted(empty, found),
            f"in {name} these look like marks of examples without an agreed label: a class of its own would be learnt "
            "and scored. Leave those examples out",
            sum(found[label] for label in empty),
            parts=(name,),
        )


def _unlearnt(name: str, found: Counter[str], train: Counter[str]) -> Iterator[Finding]:
    missing = sorted(set(found) - set(train))
    if missing:
        yield finding(
            "labels that training never sees",
            "error",
            _counted(missing, found),
            f"these labels of {name} do not stand in train: they can only be missed. Check their spelling",
            sum(found[label] for label in missing),
            parts=("train", name),
        )


def _unmeasurable(name: str, found: Counter[str]) -> Iterator[Finding]:
    few = [label for label, count in found.items() if count < MEASURABLE]
    if few:
        yield finding(
            "support too low to measure",
            "note",
            _counted(few, found),
            f"{name} holds fewer than {MEASURABLE} examples of these labels: a 95 % interval of their recall can be "
            f"wider than +-10 points ({MEASURED_WELL} examples make +-5)",
            len(few),
            parts=(name,),
        )


def _rare(name: str, train: Counter[str]) -> Iterator[Finding]:
    rare = [label for label, count in train.items() if count < LEARNABLE]
    if rare:
        yield finding(
            "rare labels",
            "warning",
            _counted(rare, train),
            f"{name} holds fewer than {LEARNABLE} examples of these labels. Label more, or join labels",
            len(rare),
            parts=(name,),
        )


def _imbalanced(name: str, train: Counter[str]) -> Iterator[Finding]:
    ordered = train.most_common()
    if ordered[0][1] >= IMBALANCE * ordered[-1][1]:
        yield finding(
            "imbalance",
            "note",
            [f"{label} ({count:,})" for label, count in (ordered[0], ordered[-1])],
            f"{ordered[0][1] / train.total():.1%} of all labels are {ordered[0][0]!r}: accuracy can be high without "
            "ever finding the rare ones. Look at macro F1 and at each label",
            len(train),
            parts=(name,),
        )


def _alike(names: tuple[str, ...], labels: Counter[str]) -> Iterator[Finding]:
    """A label that is another one but for case, spaces and signs; or a rare one, a letter away from a frequent one."""
    pairs = [
        f"{label} ({count:,}) ~ {other} ({labels[other]:,})"
        for label, count in sorted(labels.items())
        for other in sorted(_spellings(label, labels))
    ]
    if pairs:
        yield finding(
            "labels that look alike",
            "warning",
            pairs[:SHOWN],
            "each pair may be one label in two spellings; join them in the data if so",
            len(pairs),
            parts=names,
        )


def _spellings(label: str, labels: Counter[str]) -> set[str]:
    """Return more frequent labels that a label may be another spelling of."""
    count = labels[label]
    more = [other for other in labels if (labels[other], other) > (count, label)]
    same = {other for other in more if normalised(other) == normalised(label)}
    if count >= LEARNABLE or len(label) <= 3:
        return same
    often = [
        other for other in more if labels[other] >= LEARNABLE and _without_numbers(other) != _without_numbers(label)
    ]
    return same | set(difflib.get_close_matches(label, often, n=1, cutoff=SAME_SPELLING))


def _without_numbers(label: str) -> str:
    """Labels that differ in numbers only (`level 1`, `level 2`) are different on purpose."""
    return re.sub(r"\d+", "0", label)


def _counted(labels: Sequence[str], counts: Counter[str]) -> list[str]:
    return [f"{label} ({counts[label]:,})" for label in sorted(labels, key=lambda label: (counts[label], label))][
        :SHOWN
    ]
