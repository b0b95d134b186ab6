"""Tokens with tags become text with spans; the text that tokens came from is found again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.formats.annotations import plain_fields
from truetune.data.formats.tagged import joined_tokens, tagged_fields


def test_records_of_words_and_tags() -> None:
    record = {"id": "4", "tokens": ["Ada", "King", "in", "Rome"], "ner_tags": ["B-PER", "I-PER", "O", "B-LOC"]}
    expected = {
        "id": "4",
        "text": "Ada King in Rome",
        "tokens": [[0, 3], [4, 8], [9, 11], [12, 16]],
        "tags": record["ner_tags"],
        "spans": [[0, 8, "PER"], [12, 16, "LOC"]],
    }
    assert tagged_fields(record) == expected
    assert plain_fields(record) == expected


def test_closed_schemes_and_chinese_characters() -> None:
    record = {"tokens": list("王二在京"), "tags": ["B-PER", "E-PER", "O", "S-LOC"]}
    fields = tagged_fields(record)
    assert fields is not None
    assert (fields["text"], fields["spans"]) == ("王二在京", [[0, 2, "PER"], [3, 4, "LOC"]])


@pytest.mark.parametrize(
    "record",
    [
        {"tokens": 120, "bytes": 700},
        {"tokens": ["a"], "text": "a", "tags": ["O"]},
        {"tokens": ["a", "b"]},
        {"tags": ["O", "B-X"]},
        {"tokens": ["a"], "ner_tags": [0]},
        {"tokens": [], "ner_tags": []},
    ],
)
def test_other_records_are_left_alone(record: dict[str, Any]) -> None:
    assert tagged_fields(record) is None
    assert plain_fields(record) == record


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        (["a", "b"], ["O"], "has 2 tokens and 1 `tags`; expected a tag a token"),
        (["a", "b", "c"], ["B-A", "X-C", "S-B"], "`tags`: no tag scheme fits the tags 'B-A', 'S-B', 'X-C'"),
    ],
)
def test_tags_that_do_not_fit_are_refused(tokens: list[str], tags: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tagged_fields({"tokens": tokens, "tags": tags})


@pytest.mark.parametrize(
    ("tokens", "chinese", "text"),
    [
        (["He", "said", "你", "好", "twice"], False, "He said 你好 twice"),
        (["2", "0", "0", "8", "年", "，", "北", "京", "。"], True, "2008年，北京。"),
        (["用", "iPhone", "4", "拍", "的"], True, "用iPhone 4拍的"),
        (["中国", "，", "“", "北京", "”", "NBA", "赛"], True, "中国，“北京”NBA赛"),
        (["U", ".", "S", "."], True, "U.S."),
        ([], False, ""),
    ],
)
def test_the_text_of_tokens(tokens: list[str], chinese: bool, text: str) -> None:
    joined, places = joined_tokens(tokens, chinese=chinese)
    assert joined == text
    assert [joined[start:end] for start, end in places] == tokens


@given(st.lists(st.text(st.sampled_from("ab1你，."), min_size=1, max_size=4)), st.booleans())
def test_tokens_stand_where_they_are_said_to(tokens: list[str], chinese: bool) -> None:
    text, places = joined_tokens(tokens, chinese=chinese)
    assert [text[start:end] for start, end in places] == tokens
    assert text.replace(" ", "") == "".join(tokens)
