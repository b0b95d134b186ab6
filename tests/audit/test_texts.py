"""Texts that were damaged on the way, told apart from unusual but sound ones."""

import pytest

from truetune.audit.parts import AuditPart
from truetune.audit.texts import damage, text_findings
from truetune.types import Finding

SOUND = (
    "Le café était déjà fermé",
    "Ångström & Müller, 5 €",
    "今天天气很好",
    "naïve “quotes” – dashes…",
    "¿Qué? ½ · ñ",
)


def found(*texts: str) -> dict[str, Finding]:
    part = AuditPart("train", [str(place) for place in range(len(texts))], [list(texts)], None, None)
    return {one.check: one for one in text_findings({"train": part})}


@pytest.mark.parametrize("text", SOUND)
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_utf8_read_as_another_encoding_is_seen(text: str, encoding: str) -> None:
    misread = text.encode().decode(encoding, "ignore")
    assert damage(misread) is not None or misread == text
    assert damage(text) is None


@pytest.mark.parametrize("text", ["caf\ufffd", "锟斤拷好", "烫烫烫烫", "a\x00b", "bell\x07", "it\x92s"])
def test_other_damage_is_seen(text: str) -> None:
    assert damage(text) is not None


@pytest.mark.parametrize(
    "text", ["tab\tand\nline", "next\x85line", "", "Ã", "Â", "emoji 👩‍👩‍👧 too", "\u200bzero width"]
)
def test_what_is_unusual_is_no_damage(text: str) -> None:
    assert damage(text) is None


def test_damaged_texts_are_shown_and_counted() -> None:
    damaged = found("fine", "caf\ufffd", "It’s")["damaged text"]
    assert (damaged.count, damaged.examples) == (1, ("1: caf\ufffd",))


@pytest.mark.parametrize(
    ("check", "fault", "shown"),
    [
        ("damaged text", "caf\ufffd", "caf\ufffd"),
        ("damaged text", "bell\x07 and\x1c", "bell\\u0007 and\\u001c"),
        ("damaged text", "CafÃ©", "CafÃ©"),
        ("invisible characters", "zero\u200bwidth", "zero\\u200bwidth"),
        ("characters not composed", "cafe\u0301", "cafe\u0301"),
        ("markup", "<br>", "<br>"),
        ("escapes written out", "\\u4e2d", "\\u4e2d"),
    ],
)
def test_the_fault_of_a_long_text_is_shown(check: str, fault: str, shown: str) -> None:
    (example,) = found("One word after another. " * 20 + fault + " and so on" * 20)[check].examples
    assert example.startswith("0: …")
    assert shown in example


def test_empty_texts_are_an_error() -> None:
    assert (found("a", " \n")["empty texts"].severity, found("a", " \n")["empty texts"].count) == ("error", 1)


@pytest.mark.parametrize("text", ["a &lt; b", "one<br/>two", "<b>bold</b>", "it&#39;s", "<p class='x'>y"])
def test_markup_is_noted(text: str) -> None:
    assert "markup" in found(text)


def test_signs_are_no_markup() -> None:
    assert not found("a < b and c > d", "AT&T; R&D", "x <3 y", "if a<b: c>d", "<e1> company </e1>")


def test_texts_that_swallowed_others_are_noted() -> None:
    checks = found(*["A text of usual length."] * 30, "many lines in one " * 100)
    assert checks["very long texts"].examples[0].startswith("30 (1,800): many lines")
    assert not found(*["A text of usual length."] * 30, "x" * 400)


def test_nothing_fires_on_sound_texts() -> None:
    assert not found(*SOUND)
