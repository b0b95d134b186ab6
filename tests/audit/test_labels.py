"""Label faults, each planted beside a clean twin."""

from typing import Any

import pytest

from truetune.audit.labels import MEASURABLE, MEASURED_WELL, label_counts, label_findings
from truetune.audit.parts import AuditPart
from truetune.stats.binomial import wilson
from truetune.types import Finding, Span


def part(name: str, gold: list[Any]) -> AuditPart:
    ids = [str(place) for place in range(len(gold))]
    return AuditPart(name, ids, [ids], gold, None)


def found(**parts: list[Any]) -> dict[str, Finding]:
    return {one.check: one for one in label_findings({name: part(name, gold) for name, gold in parts.items()})}


def test_counts_of_labels_of_every_kind() -> None:
    assert label_counts(["a", "b", "a"]) == {"a": 2, "b": 1}
    assert label_counts([("a", "b"), [], ["a"]]) == {"a": 2, "b": 1}
    assert label_counts([[Span(0, 1, "X"), [2, 3, "Y"]], []]) == {"X": 1, "Y": 1}
    assert label_counts([1.5, 2.0]) == {}


def test_the_sizes_that_the_advice_names_are_wilsons() -> None:
    def half(trials: int) -> float:
        low, high = wilson(trials / 2, trials, 1.959963984540054)
        return (high - low) / 2

    assert half(MEASURED_WELL) <= 0.05 < half(MEASURED_WELL - 1)
    assert half(MEASURABLE) <= 0.10 < half(MEASURABLE - 1)


@pytest.mark.parametrize("label", ["0", "-1", "?", "Unknown"])
def test_placeholder_labels(label: str) -> None:
    checks = found(train=["0", "1"] * 50, test=[label] * 100)
    assert (checks["placeholder labels"].severity, checks["placeholder labels"].count) == ("error", 100)


def test_one_real_label_is_told_apart_from_a_placeholder() -> None:
    checks = found(train=["pos"] * 100)
    assert "one label only" in checks
    assert "placeholder labels" not in checks


def test_one_type_of_span_is_no_fault() -> None:
    assert not found(train=[[Span(0, 1, "X")]] * 100)


def test_a_label_that_says_nothing_among_others() -> None:
    checks = found(train=["a"] * 50 + ["b"] * 50 + ["-"] * 9)
    assert checks["labels that may say nothing"].examples == ("- (9)",)
    assert not found(train=["unknown"] * 50 + ["b"] * 50)


def test_labels_that_training_never_sees() -> None:
    checks = found(train=["a", "b"] * 50, test=["a", "b", "B "] * 100)
    assert (checks["labels that training never sees"].count, checks["labels that training never sees"].examples) == (
        100,
        ("B  (100)",),
    )


def test_support_too_low_to_measure() -> None:
    checks = found(train=["a", "b"] * 50, validation=["a"] * 93 + ["b"] * 92)
    assert checks["support too low to measure"].examples == ("b (92)",)


@pytest.mark.parametrize(
    ("labels", "pairs"),
    [
        ({"positive": 90, "positve": 2}, ("positve (2) ~ positive (90)",)),
        ({"card_arrival": 90, "card arrival": 50}, ("card arrival (50) ~ card_arrival (90)",)),
        ({"Ｐos": 10, "pos": 10}, ("pos (10) ~ Ｐos (10)",)),
        ({"positive": 90, "negative": 90}, ()),
        ({"positive": 90, "positives": 20}, ()),
        ({"level 1": 90, "level 2": 2}, ()),
        ({"Cause(e1,e2)": 90, "Cause(e2,e1)": 2}, ()),
        ({"yes": 90, "yep": 2}, ()),
    ],
)
def test_labels_that_look_alike(labels: dict[str, int], pairs: tuple[str, ...]) -> None:
    gold = [label for label, count in labels.items() for _ in range(count)]
    checks = found(train=gold)
    assert (checks["labels that look alike"].examples if "labels that look alike" in checks else ()) == pairs


def test_rare_labels_and_imbalance() -> None:
    checks = found(train=["often"] * 400 + ["seldom"] * 8)
    assert "rare labels" not in checks
    assert checks["imbalance"].examples == ("often (400)", "seldom (8)")
    assert "98.0% of all labels are 'often'" in checks["imbalance"].advice
    checks = found(train=["often"] * 300 + ["odd"] * 7)
    assert checks["rare labels"].examples == ("odd (7)",)
    assert "imbalance" not in checks


def test_numbers_are_no_labels() -> None:
    assert not found(train=[0.5] * 10, test=[0.25] * 10)


def test_a_file_that_is_not_split_is_looked_at_as_what_is_learnt() -> None:
    checks = found(**{"shop.csv": ["a"] * 400 + ["b"] * 5})
    assert checks["rare labels"].advice.startswith("shop.csv holds fewer than 8 examples")
    assert checks["imbalance"].parts == ("shop.csv",)
    assert "support too low to measure" not in checks
    assert not found(**{"shop.csv": ["a"] * 40 + ["b"] * 8})
