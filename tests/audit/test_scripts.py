"""Languages by their letters."""

from __future__ import annotations

import pytest

from truetune.audit.parts import AuditPart
from truetune.audit.scripts import is_traditional, main_script, script_findings
from truetune.types import Finding

ENGLISH, CHINESE = "a plain sentence number", "这是一个普通的句子第"


def parts(**texts: list[str]) -> dict[str, AuditPart]:
    return {
        name: AuditPart(name, [f"{name}{n}" for n in range(len(one))], [one], None, None) for name, one in texts.items()
    }


def found(**texts: list[str]) -> dict[str, Finding]:
    return {one.check: one for one in script_findings(parts(**texts))}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain words, 12", "Latin"),
        ("Café où", "Latin"),
        ("我在用Twitter", "several"),
        ("我喜欢这部电影，很好看。A", "Chinese"),
        ("東京へ行きました", "Japanese"),
        ("Привет, мир", "Cyrillic"),
        ("안녕하세요", "Korean"),
        ("12.5 %！", ""),
        ("", ""),
    ],
)
def test_the_script_of_a_text(text: str, script: str) -> None:
    assert main_script(text) == script


def test_texts_of_another_script_are_found_and_mixed_ones_are_not() -> None:
    texts = [f"{CHINESE}{n}" for n in range(97)]
    checks = found(train=[*texts, "a wholly English text", "我在用Twitter", "Все хорошо"])
    assert checks["texts in another script"].examples == (
        "train97: Latin: a wholly English text",
        "train99: Cyrillic: Все хорошо",
    )
    assert "not Chinese as those of the rest" in checks["texts in another script"].advice
    assert not found(train=[*texts, "我在用Twitter", "A股", "12.5"])
    half = [f"{ENGLISH} {n}" for n in range(50)]
    assert not found(train=[*texts[:50], *half], test=[*texts[50:90], *half[:40]])


def test_parts_of_different_scripts_are_an_error() -> None:
    english, chinese = [f"{ENGLISH} {n}" for n in range(40)], [f"{CHINESE}{n}" for n in range(40)]
    one = found(train=english, test=chinese)["parts in different scripts"]
    assert (one.severity, one.examples) == (
        "error",
        ("Chinese: 0% of train, 100% of test", "Latin: 100% of train, 0% of test"),
    )
    assert "parts in different scripts" not in found(train=english, test=[*english[:25], *chinese[:15]])
    assert "parts in different scripts" not in found(train=english[:5], test=chinese[:5])
    both = [f"{one} and {two}" for one, two in zip(english, chinese, strict=True)]
    assert "parts in different scripts" not in found(train=both, test=chinese)


def test_mixed_forms_of_chinese_are_found() -> None:
    simple, old = [f"我们开始吧第{n}次" for n in range(30)], [f"我們開始吧第{n}次" for n in range(10)]
    one = found(train=[*simple, *old])["simplified and traditional Chinese"]
    assert (one.severity, one.count) == ("note", 10)
    assert "25.0% of the Chinese texts" in one.advice
    assert not found(train=simple)
    assert not found(train=old * 3)


def test_characters_of_both_forms_say_nothing() -> None:
    assert not is_traditional("乾隆皇帝，然後")  # of which only one is traditional alone
    assert is_traditional("我們開會")
