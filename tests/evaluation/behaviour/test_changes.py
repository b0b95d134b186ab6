"""Changes of texts by hand: what they make of a text, and where they do not apply."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.evaluation.behaviour.changes import CHANGES, NAMES, NAMES_ZH

BY_NAME = {change.name: change for change in CHANGES}


def changed(name: str, text: str, seed: int = 0) -> str | None:
    return BY_NAME[name].apply(text, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("typo", "a noosy", "a nosoy"),
        ("typo", "bad", None),
        ("typo-zh", "他在家", "他再家"),
        ("typo-zh", "好", None),
        ("end", "A film.", "A film"),
        ("end", "A film", "A film."),
        ("end", "a film , really", "a film , really ."),
        ("end", "好看", "好看。"),
        ("end", "好看。", "好看"),
        ("end", "really?", None),
        ("end", " . ", None),
        ("small-letters", "A Film", "a film"),
        ("small-letters", "a film", None),
        ("half-width", "好看，真的！", "好看,真的!"),
        ("half-width", "好看", None),
        ("half-width", "（x）", None),
        ("paraphrase", "I don't know", "I do not know"),
        ("paraphrase", "I don’t know", "I do not know"),
        ("paraphrase", "Movie of the year", "Film of the year"),
        ("paraphrase", "removies", None),
        ("paraphrase-zh", "非常好", "十分好"),
        ("negation", "The film is good.", "The film is not good."),
        ("negation", "The film isn't good.", None),
        ("negation", "It is what it is.", None),
        ("negation", "Is it good?", None),
        ("negation", "That is.", None),
        ("negation", "It has been good.", "It has not been good."),
        ("negation", "Holden did it better.", None),
        ("negation", "It has a cast.", None),
        ("negation-zh", "很喜欢这部电影", "不喜欢这部电影"),
        ("negation-zh", "值得一看", "不值得一看"),
        ("negation-zh", "不值得一看", None),
        ("negation-zh", "特别值得一看", "特别不值得一看"),
        ("negation-zh", "别推荐", None),
        ("negation-zh", "喜欢吗", None),
    ],
)
def test_by_hand(name: str, text: str, expected: str | None) -> None:
    assert changed(name, text) == expected


def test_a_typo_keeps_the_letters_and_the_ends_of_the_word() -> None:
    for seed in range(20):
        found = changed("typo", "an unbelievable story", seed)
        assert found is not None
        assert sorted(found) == sorted("an unbelievable story")
        assert [word[0] + word[-1] for word in found.split()] == ["an", "ue", "sy"]


def test_names_become_other_names_everywhere() -> None:
    found = changed("person", "Anna saw Emily; Anna left")
    assert found is not None
    first, second, again = found.split()[0], found.split()[2].rstrip(";"), found.split()[3]
    assert first == again != second
    assert {first, second} <= set(NAMES) - {"Anna", "Emily"}
    assert changed("person", "Annabel saw it") is None
    small = changed("person", "anna saw it")
    assert small is not None
    assert small.split()[0] in {name.lower() for name in NAMES} - {"anna"}
    assert changed("person", "Saw anna") is None, "a word like any other, where names have capitals"
    other = changed("person-zh", "张伟去了上海")
    assert other is not None
    assert other[:2] in set(NAMES_ZH) - {"张伟"}
    place = changed("place-zh", "张伟去了上海")
    assert place is not None
    assert place.startswith("张伟去了")
    assert "上海" not in place


def test_names_of_changes_are_distinct() -> None:
    assert len(BY_NAME) == len(CHANGES)
