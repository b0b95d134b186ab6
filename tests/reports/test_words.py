from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from truetune.errors import ConfigError
from truetune.reports import metric_names, words

SOURCE = Path(words.__file__).parent
USED = re.compile(r"""say\[\s*(f?)["']([^"']+)["']""")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def used_keys() -> list[tuple[bool, str]]:
    files = [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html")]
    found = {pair for file in files for pair in USED.findall(file.read_text(encoding="utf-8"))}
    conditional = re.compile(r"""say\[\s*["']([^"']+)["'] if .+? else ["']([^"']+)["']""")
    either = {key for file in files for pair in conditional.findall(file.read_text(encoding="utf-8")) for key in pair}
    return [(bool(formatted), key) for formatted, key in sorted(found)] + [(False, key) for key in sorted(either)]


def test_every_text_stands_in_both_languages_with_the_same_placeholders() -> None:
    for key, texts in words.table().items():
        assert set(texts) == set(words.LANGUAGES), key
        assert all(texts.values()) or key == "sentence end", key
        assert placeholders(texts["en"]) == placeholders(texts["zh"]), key


def test_chinese_texts_are_chinese() -> None:
    same = [key for key, texts in words.table().items() if texts["en"] == texts["zh"]]
    assert same == ["column.f1"]


def test_the_texts_of_a_pretraining_stand_for_known_ones_with_the_same_placeholders() -> None:
    own = {key: texts for key, texts in words.table().items() if key.startswith("pretraining.")}
    assert own
    for key, texts in own.items():
        assert placeholders(texts["en"]) == placeholders(words.table()[key.removeprefix("pretraining.")]["en"]), key
    say = words.say_in("zh").of("pretraining")
    assert (say["head.kicker"], say["head.scores"]) == ("预训练报告 · {task}", "评估")


@pytest.mark.parametrize(("formatted", "key"), used_keys())
def test_every_key_that_the_code_asks_for_is_in_the_table(formatted: bool, key: str) -> None:
    if formatted:
        pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", ".+", re.escape(key)))
        assert any(pattern.fullmatch(known) for known in words.table()), key
    else:
        assert key in words.table()


def test_no_text_of_the_table_is_left_unused() -> None:
    patterns = [re.compile(re.sub(r"\\\{[^}]*\\\}", ".+", re.escape(key))) for _, key in used_keys()]
    variables = (SOURCE / "sections" / "curves.py").read_text(encoding="utf-8")
    # Words of closed sets are looked up by value, those of a pretraining by the key that they stand for.
    named = ("task.", "verdict.", "severity.", "state.", "cost.", "pretraining.")
    unused = [
        key
        for key in words.table()
        if not any(pattern.fullmatch(key) for pattern in patterns)
        and not key.startswith(named)
        and key not in variables
    ]
    assert unused == []


def test_an_unknown_language_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'de'.*en, zh"):
        words.say_in("de")


def test_a_value_without_a_word_stands_for_itself() -> None:
    say = words.say_in("zh")
    assert say.name("task", "ner") == "命名实体识别"
    assert say.name("task", "something-new") == "something-new"


@pytest.mark.parametrize(
    ("metric", "english", "chinese"),
    [
        ("f1_macro", "F1, macro average", "F1（宏平均）"),
        ("f1/好评", "F1: 好评", "F1: 好评"),
        ("precision/a/b", "Precision: a/b", "精确率: a/b"),
        ("log_loss", "Log loss (lower is better)", "对数损失（越低越好）"),
        ("something_new", "something_new", "something_new"),
        ("ndcg@10", "ndcg@10", "ndcg@10"),
    ],
)
def test_metric_names(metric: str, english: str, chinese: str) -> None:
    assert metric_names.metric_name(metric, "en") == english
    assert metric_names.metric_name(metric, "zh") == chinese
