"""Answers as tokens: the SQuAD and CMRC 2018 rules, each against its own steps written out."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer

from truetune.metrics.answers import (
    CMRC_SIGNS,
    bag_f1,
    cmrc_text,
    cmrc_tokens,
    longest_common_run,
    squad_tokens,
    substring_f1,
)

TREEBANK = NLTKWordTokenizer()
words = st.sampled_from(
    ["the", "The", "a", "an", "cat", "U.S.", "the’s", "“the”", "don't", "é", "\u3000", "\n", "\x00", "ΣΑΣ"]
)
latin = st.lists(words, max_size=6).map(" ".join) | st.text(max_size=12)


def squad_normalised(text: str) -> str:
    """SQuAD's `normalize_answer`, step by step."""
    text = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


@given(st.lists(latin, max_size=6))
def test_squad_normalisation(texts: list[str]) -> None:
    assert [" ".join(tokens) for tokens in squad_tokens(texts)] == [squad_normalised(text) for text in texts]


def test_squad_by_hand() -> None:
    assert squad_tokens(["The U.S.  Senate!", "a", "an apple-pie", "theatre"]) == [
        ["us", "senate"],
        [],
        ["applepie"],
        ["theatre"],
    ]


def cmrc_segments(text: str) -> list[str]:
    """CMRC 2018's `mixed_segmentation(text, rm_punc=True)`, step by step, with NLTK's Treebank tokenizer."""
    found, other = [], ""
    for character in text.lower().strip():
        if character in CMRC_SIGNS:
            continue
        if re.search(r"[\u4e00-\u9fa5]", character):
            found += TREEBANK.tokenize(other)
            found.append(character)
            other = ""
        else:
            other += character
    return found + TREEBANK.tokenize(other)


MIXED = [
    "1998年10月",
    "《红楼梦》的作者",
    "NBA 总冠军",
    "19.2平方公里，约30,000人",
    "Henry A. Walsh",
    "don't stop、he's 他",
    "3.5% (约) [1] $5",
    "a,b 和 c, d",
    "结束 end. 句",
    "等等……以及...",
    "２０世纪",
    " ",
]


@pytest.mark.parametrize("text", MIXED)
def test_cmrc_segmentation(text: str) -> None:
    assert cmrc_tokens(text) == cmrc_segments(text)


@given(
    st.lists(st.sampled_from(["中", "国", "《", "，", "abc", " ", "9", ".", ",", "it's", "-", "Ａ", "%"]), max_size=10)
)
def test_cmrc_segmentation_of_any_mixture(parts: list[str]) -> None:
    text = "".join(parts)
    # The script's Treebank rules also join signs to each other in ways of their own: compare without runs of them.
    if not re.search(r"[.,%]\s*[.,%]|'s'|\.\s*'", re.sub("[-《，]", "", text)):
        assert cmrc_tokens(text) == cmrc_segments(text)


def test_an_ellipsis_stays_as_in_the_script() -> None:
    assert cmrc_text(" 《等》……A·B ") == "等……ab"


def test_bag_f1_counts_repeated_tokens() -> None:
    assert bag_f1(["x", "x", "y"], ["x", "x", "x"]) == pytest.approx(2 * 2 / 6)
    many = ["x", "y"] * 30
    assert bag_f1(many, [*many, "z"]) == pytest.approx(2 * 60 / 121)
    assert bag_f1([], []) == 1
    assert bag_f1(["x"], []) == bag_f1([], ["x"]) == 0


def test_the_common_run_has_no_gaps() -> None:
    assert longest_common_run(list("北京大学"), list("北京的大学")) == 2
    assert substring_f1(list("北京大学"), list("北京的大学")) == pytest.approx(2 * 2 / 9)
    assert bag_f1(list("北京大学"), list("北京的大学")) == pytest.approx(2 * 4 / 9)  # what it must not be


@given(*[st.lists(st.sampled_from(["ab", "a", "b", "ba"]), max_size=12)] * 2)
def test_longest_common_run_by_trying_all(first: list[str], second: list[str]) -> None:
    runs = {tuple(first[i:j]) for i in range(len(first)) for j in range(i + 1, len(first) + 1)}
    shared = [len(run) for run in runs if any(tuple(second[k : k + len(run)]) == run for k in range(len(second)))]
    assert longest_common_run(first, second) == max(shared, default=0)
