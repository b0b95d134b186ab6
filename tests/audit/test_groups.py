"""Groups that stand on both sides, and parts with few of them."""

from truetune.audit.groups import group_findings
from truetune.audit.parts import AuditPart


def part(name: str, groups: list[str] | None, number: int = 120) -> AuditPart:
    texts = [f"{name} {place}" for place in range(number)]
    return AuditPart(name, texts, [texts], None, groups)


def groups(first: int, last: int, number: int = 120) -> list[str]:
    return [f"doc{first + place % (last - first)}" for place in range(number)]


def test_shared_groups_are_an_error_that_counts_their_examples() -> None:
    parts = {"train": part("train", groups(0, 60)), "test": part("test", groups(58, 118))}
    (shared,) = group_findings(parts)
    assert (shared.check, shared.severity, shared.count) == ("group in two parts", "error", 2)
    assert shared.examples == ("doc58", "doc59")
    assert "(4 examples of it)" in shared.advice


def test_few_groups_to_measure_with_are_noted_but_not_for_training() -> None:
    parts = {"train": part("train", groups(0, 10)), "test": part("test", groups(10, 59))}
    (few,) = group_findings(parts)
    assert (few.check, few.severity, few.count) == ("few groups", "note", 49)


def test_nothing_fires_where_groups_are_apart_or_absent() -> None:
    assert not list(group_findings({"train": part("train", groups(0, 60)), "test": part("test", groups(60, 120))}))
    assert not list(group_findings({"train": part("train", None), "test": part("test", groups(0, 60))}))
