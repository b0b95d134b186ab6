"""Answers that do not stand where they are said to."""

import pytest

from truetune.audit.mentions import mention_findings
from truetune.audit.parts import AuditPart
from truetune.types import Finding

TEXT = "茶在1610年传入欧洲。1610年后茶很快流行。"


def found(*mentions: tuple[int, str]) -> dict[str, Finding]:
    part = AuditPart("train", ["q1", "q2"], [[TEXT, ""], ["何时？", "谁？"]], None, None, [list(mentions), []])
    return {one.check: one for one in mention_findings({"train": part})}


def test_sound_answers_are_passed() -> None:
    assert not found((2, "1610年"), (12, "1610年"), (9, "欧洲"))


@pytest.mark.parametrize(
    ("start", "said", "check", "example"),
    [
        (3, "1610年", "offsets that miss their text", "q1: '1610年' 3 → 2"),
        (11, "1610年", "offsets that miss their text", "q1: '1610年' 11 → 12"),
        (-1, "欧洲", "offsets that miss their text", "q1: '欧洲' -1 → 9"),
        (9, "欧州", "answers that are not in the text", "q1: '欧州' ≠ '欧洲' (9)"),
        (-1, "美洲", "answers that are not in the text", "q1: '美洲'"),
        (99, "", "", ""),
    ],
)
def test_a_wrong_offset_is_found(start: int, said: str, check: str, example: str) -> None:
    checks = found((start, said))
    assert set(checks) == ({check} if check else set())
    assert not check or (checks[check].severity, checks[check].examples) == ("error", (example,))


def test_parts_without_answers_are_passed() -> None:
    assert not list(mention_findings({"train": AuditPart("train", ["1"], [["a"]], None, None)}))
