"""Equal texts are counted where they stand; texts that only look alike are not."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from truetune.audit.duplicates import duplicate_findings
from truetune.audit.parts import AuditPart
from truetune.types import Finding, Span


def part(name: str, *texts: Sequence[str], gold: Sequence[Any] | None = None) -> AuditPart:
    return AuditPart(name, [f"{name}{place}" for place in range(len(texts[0]))], texts, gold, None)


def found(*parts: AuditPart) -> dict[tuple[str, str], Finding]:
    """Findings by check and the part that their advice begins with or names last."""
    return {(one.check, one.severity): one for one in duplicate_findings({each.name: each for each in parts})}


def test_leaks_are_counted_to_the_character_and_beyond() -> None:
    train = part("train", ["Good film.", "Bad film", "3.5 stars", "这部電影很好"], gold=["1", "0", "1", "1"])
    test = part("test", ["good film", "Bad film", "35 stars", "这部电影很好！", "new"], gold=["1", "1", "1", "1", "0"])
    (leak,) = found(train, test).values()
    assert (leak.check, leak.severity, leak.count) == ("text in two parts", "error", 3)
    assert "(1 of them to the character" in leak.advice
    assert "1 with other gold" in leak.advice
    assert leak.examples[1] == "train train1 = test test1: Bad film"


def test_pairs_of_texts_leak_as_pairs_and_a_shared_half_is_told_apart() -> None:
    passage, other = "The bridge was built in 1890.", "The tower was built in 1889."
    train = part("train", [passage, other], ["When was the bridge built?", "Which one?"])
    test = part(
        "test",
        [passage, passage, "New text, never seen"],
        ["Who built it?", "When was the bridge built?", "Which one?"],
    )
    checks = found(train, test)
    assert checks["text in two parts", "error"].count == 1
    half = checks["one of the texts in two parts", "warning"]
    assert (half.count, half.examples) == (1, (f"train train0, test test0: {passage}",))


def test_repeats_and_contrary_gold_within_a_part() -> None:
    train = part("train", ["so-so", "So so!", "so so", "fine", "bad", "Bad."], gold=["1", "0", "1", "1", "0", "0"])
    checks = found(train)
    assert checks["repeated texts", "warning"].count == 3
    contrary = checks["equal texts, different gold", "warning"]
    assert (contrary.count, contrary.examples) == (1, ("train0, train1, train2: so-so [0 | 1]",))


def test_several_references_of_one_text_are_no_contradiction() -> None:
    train = part("train", ["你好", "你好！", "再见"], gold=[["Hello"], ["Hi"], ["Bye"]])
    checks = found(dataclasses.replace(train, open=True, labelled=False))
    assert ("equal texts, different gold", "warning") not in checks
    assert checks["equal texts, other references", "note"].count == 1
    assert "with all its references" in checks["equal texts, other references", "note"].advice


def test_spans_are_compared_by_what_stands_in_them() -> None:
    texts = ["In  Rome", "in Rome.", "In Rome"]
    same = part("train", texts[:2], gold=[[Span(4, 8, "LOC")], [Span(3, 7, "LOC")]])
    assert ("equal texts, different gold", "warning") not in found(same)
    other = part("train", texts, gold=[[Span(4, 8, "LOC")], [Span(3, 7, "LOC")], []])
    told = found(other)["equal texts, different gold", "warning"]
    assert told.examples == ("train0, train1, train2: In Rome [none | rome/LOC]",)


def test_label_sets_are_compared_whole() -> None:
    train = part("train", ["x y z", "x y z"], gold=[("a", "b"), ["a", "b"]])
    assert ("equal texts, different gold", "warning") not in found(train)


def test_texts_without_letters_are_not_all_the_same() -> None:
    assert not found(part("train", [":)", ":(", "?!", "🙂"]), part("test", ["!?", "🙃", ""]))


def test_no_gold_is_no_contradiction() -> None:
    assert set(found(part("train", ["a b", "A b"]))) == {("repeated texts", "warning")}
