"""The audit: each planted fault is found by its name, and nothing fires on the clean twin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from truetune.audit.parts import AuditPart
from truetune.audit.run import audit
from truetune.data.arrow import write_arrow
from truetune.data.stored import Rows, Stored
from truetune.types import Span

Parts = dict[str, AuditPart]


def clean() -> Parts:
    parts = {}
    for number, name in enumerate(("train", "validation", "test")):
        texts = [f"text {number} {place} {'good' if place // 2 % 2 else 'bad'}" for place in range(400)]
        gold = ["pos" if place % 2 else "neg" for place in range(400)]
        groups = [f"{name}{place // 4}" for place in range(400)]
        parts[name] = AuditPart(name, [f"{name}{place}" for place in range(400)], [texts], gold, groups)
    return parts


def changed(part: AuditPart, **changes) -> AuditPart:
    values = {name: getattr(part, name) for name in ("name", "ids", "texts", "gold", "groups")}
    return AuditPart(**{**values, **changes})


def with_text(parts: Parts, name: str, place: int, text: str) -> None:
    texts = list(parts[name].texts[0])
    texts[place] = text
    parts[name] = changed(parts[name], texts=[texts])


def leak(parts: Parts) -> None:
    with_text(parts, "test", 7, "ＴＥＸＴ  0 3, Good!")


def many_leaks(parts: Parts) -> None:
    for place in range(len(parts["test"].ids) // 100 + 1):
        with_text(parts, "test", place, parts["train"].texts[0][place].upper())


def shared_group(parts: Parts) -> None:
    parts["test"] = changed(parts["test"], groups=["train0", *parts["test"].groups[1:]])


def repeat(parts: Parts) -> None:
    with_text(parts, "train", 3, parts["train"].texts[0][1])


def contrary(parts: Parts) -> None:
    with_text(parts, "train", 3, parts["train"].texts[0][2])


def placeholder(parts: Parts) -> None:
    parts["test"] = changed(parts["test"], gold=["0"] * 400)


def one_label(parts: Parts) -> None:
    parts["validation"] = changed(parts["validation"], gold=["pos"] * 400)


def unlearnt(parts: Parts) -> None:
    parts["test"] = changed(parts["test"], gold=["new", *parts["test"].gold[1:]])


def rare(parts: Parts) -> None:
    parts["train"] = changed(parts["train"], gold=["odd"] * 3 + list(parts["train"].gold[3:]))


def misspelt(parts: Parts) -> None:
    gold = ["positive" if label == "pos" else label for label in parts["train"].gold]
    parts["train"] = changed(parts["train"], gold=["positve", *gold[1:]])


def damaged(parts: Parts) -> None:
    with_text(parts, "train", 5, "caf\ufffd")


PLANTED: list[tuple[Callable[[Parts], None], str, str]] = [
    (leak, "text in two parts", "warning"),
    (many_leaks, "text in two parts", "error"),
    (shared_group, "group in two parts", "error"),
    (repeat, "repeated texts", "warning"),
    (contrary, "equal texts, different gold", "warning"),
    (placeholder, "placeholder labels", "error"),
    (one_label, "one label only", "error"),
    (unlearnt, "labels that training never sees", "error"),
    (rare, "rare labels", "warning"),
    (misspelt, "labels that look alike", "warning"),
    (damaged, "damaged text", "warning"),
]


def test_nothing_fires_on_clean_parts() -> None:
    assert audit(clean()) == []


@pytest.mark.parametrize(("plant", "check", "severity"), PLANTED)
def test_a_planted_fault_is_found(plant: Callable[[Parts], None], check: str, severity: str) -> None:
    parts = clean()
    plant(parts)
    (found,) = [finding for finding in audit(parts) if finding.check == check]
    assert found.severity == severity
    assert found.count >= 1
    assert found.examples
    assert found.advice


def on_disk(part: AuditPart, path: Path) -> AuditPart:
    columns = {"id": part.ids, "gold": part.gold, "group": part.groups}
    write_arrow(path, columns | {f"text{number}": texts for number, texts in enumerate(part.texts)})
    rows = Rows.of(path)
    texts = [Stored(rows, f"text{number}") for number in range(len(part.texts))]
    return AuditPart(part.name, Stored(rows, "id"), texts, Stored(rows, "gold"), Stored(rows, "group"))


def test_of_parts_on_disk_the_same_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = clean()
    for plant, _, _ in PLANTED:
        plant(parts)
    spans = [[Span(0, 2, "A")] if place % 2 else [Span(0, 5, "B"), Span(3, 9, "A")] for place in range(400)]
    parts["more"] = changed(parts["validation"], name="more", gold=spans)
    parts = {name: changed(part, texts=[*part.texts, part.texts[0][::-1]]) for name, part in parts.items()}
    expected = audit(parts)
    assert len(expected) > len(PLANTED)
    monkeypatch.setattr("truetune.audit.parts.FEW", 0)
    assert audit({name: on_disk(part, tmp_path / f"{name}.arrow") for name, part in parts.items()}) == expected


def test_span_faults_are_found() -> None:
    texts = ["John Smith lives", "in Rome"]
    gold = [[Span(0, 11, "PER")], [Span(0, 7, "LOC"), Span(3, 7, "LOC")]]
    part = AuditPart("train", ["1", "2"], [texts], gold, None)
    checks = {finding.check for finding in audit({"train": part})}
    assert {"spans with white space at their border", "overlapping spans"} <= checks
    gold = [[Span(0, 10, "PER")], [Span(3, 7, "LOC")]]
    part = AuditPart("train", ["1", "2"], [texts], gold, None)
    assert not {finding.check for finding in audit({"train": part})} & {"overlapping spans", "damaged text"}
