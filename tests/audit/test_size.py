"""How many examples measure how well."""

from truetune.audit.parts import AuditPart
from truetune.audit.size import half_width, needed, size_findings


def part(name: str, number: int) -> AuditPart:
    return AuditPart(name, list(map(str, range(number))), [["text"] * number], ["a"] * number, None)


def test_needed_is_what_the_interval_says() -> None:
    assert [needed(0.05), needed(0.03), needed(0.01)] == [381, 1064, 9600]
    assert half_width(381) <= 0.05 < half_width(380)


def test_small_parts_to_measure_with_are_told_with_what_they_need() -> None:
    (found,) = size_findings({"train": part("train", 50), "test": part("test", 100)})
    assert found.advice.startswith("test holds 100 examples: the share that is right is known to +-9.6 points at worst")
    assert not list(size_findings({"train": part("train", 50), "test": part("test", 381)}))


def test_texts_without_gold_have_no_share_that_is_right() -> None:
    assert not list(size_findings({"test": AuditPart("test", ["1"], [["a text"]], None, None)}))
