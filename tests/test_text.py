"""Words, scripts, and what counts as the same text."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.text import Fold, folded, is_cjk, normalised, script, sentences, text_key, words

# Texts as people write them: Latin with accents, Chinese, kana, digits, signs, emoji, white space.
texts = st.text(
    st.sampled_from("abZéß 12.,:/-!?'’\"()。，！？「」　\t\n北京上臺灣囧かなアー한글🙂ＡＢ１２ﬁ"), max_size=30
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\u3000\n", []),
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        ("don't rock 'n' roll", ["don't", "rock", "'", "n", "'", "roll"]),
        ("l’été", ["l’été"]),
        ("我爱Python3！", ["我", "爱", "Python3", "！"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("3.5%", ["3", ".", "5", "%"]),
        ("a_b", ["a", "_", "b"]),
        ("cafe\u0301s", ["cafe\u0301s"]),
        ("サッカーball", ["サ", "ッ", "カ", "ー", "ball"]),
        ("안녕 세상", ["안녕", "세상"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in words(text)] == expected


@given(st.text())
def test_words_cover_all_but_white_space_once_and_in_order(text: str) -> None:
    found = words(text)
    assert all(start < end for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    covered = "".join(text[start:end] for start, end in found)
    assert covered == re.sub(r"\s", "", text)


@given(st.text(max_size=40))
def test_a_cjk_character_is_a_word_by_itself(text: str) -> None:
    for start, end in words(text):
        assert end - start == 1 or not any(map(is_cjk, text[start:end]))


def test_is_cjk_agrees_with_the_names_of_the_characters() -> None:
    for character in map(chr, range(0x3000, 0xA000)):
        name = unicodedata.name(character, "")
        if name.startswith(("CJK UNIFIED IDEOGRAPH", "HIRAGANA LETTER", "KATAKANA LETTER")):
            assert is_cjk(character), name
        if name.startswith(("FULLWIDTH", "IDEOGRAPHIC COMMA", "LEFT CORNER BRACKET", "HANGUL")):
            assert not is_cjk(character), name
    assert is_cjk("𠮷")
    assert not is_cjk("가")


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (["A plain sentence.", "Another one"], "en"),
        (["今天天气很好", "用iPhone拍的"], "zh"),
        (["He said 你好 to the whole class"], "en"),
        (["", "123 !!"], "en"),
        ([], "en"),
    ],
)
def test_script(sample: list[str], expected: str) -> None:
    assert script(sample) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What's THIS?", "whats this"),
        ("很好吃！！", "很好吃。"),
        ("ＡＢＣ１２３", "abc123"),
        ("這個餐廳的東西很難吃", "这个餐厅的东西很难吃"),
        ("hello\u3000world\u200b", "Hello World"),
        ("Straße", "STRASSE"),
        ("e\u0301te\u0301", "été"),
    ],
)
def test_same_text_for_a_reader(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert text_key([one]) == text_key([other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("up 3.5 points", "up 35 points"),
        ("won 2:1", "won 21"),
        ("1-5", "1/5"),
        ("10 20", "1020"),
        (":)", ":("),
        ("I like it", "I liked it"),
        ("C++", "C"),
        ("好", "好好"),
        ("🙂", "🙃"),
    ],
)
def test_different_text_for_a_reader(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)
    assert text_key([one]) != text_key([other])


@given(texts)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(texts)
def test_case_and_outer_white_space_do_not_count(text: str) -> None:
    assert normalised(f"  {text.upper()}\n") == normalised(text)


def test_keys_keep_fields_apart() -> None:
    assert text_key(["ab", "c"]) != text_key(["a", "bc"])
    assert text_key(["a", "b"]) == text_key(["A.", " b"])
    assert len(text_key(["\ud800"])) == 16


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Go. She left! Why?", ["Go.", "She left!", "Why?"]),
        ("3.5 of them. Yahoo!Inc", ["3.5 of them.", "Yahoo!Inc"]),
        ('He said "Go." She left.', ['He said "Go."', "She left."]),
        ("Mr. A. Smith left. Dr. B. too.", ["Mr. A. Smith left.", "Dr. B. too."]),
        ("你好。我好！你呢？", ["你好。", "我好！", "你呢？"]),
        ("他说：“好。”她走了。", ["他说：“好。”", "她走了。"]),
        ("（见图。）然后呢？！好", ["（见图。）", "然后呢？！", "好"]),
        ("真的吗?我不知道!好.", ["真的吗?", "我不知道!", "好."]),
        ("第一句.版本3.5发布", ["第一句.", "版本3.5发布"]),
        ("真的吗？ Yes. 好", ["真的吗？", "Yes.", "好"]),
        ("一行\n\n二行", ["一行", "二行"]),
        ("。。。", ["。。。"]),
        ("", [""]),
    ],
)
def test_sentences_in_english_and_chinese(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(st.text(alphabet='ab好。！!?.\n “”"（）', max_size=30))
def test_sentences_leave_out_white_space_alone(text: str) -> None:
    places = sentences(text)
    kept = "".join(text[start:end] for start, end in places)
    assert "".join(kept.split()) == "".join(text.split())
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "ways", "expected"),
    [
        ("ＡＢＣ１２３．５％，你好！", ["width"], "ABC123.5%，你好！"),
        ("臺灣　ＡＢ", ["simplified"], "台湾　ＡＢ"),
        ("臺灣　ＡＢ", ["width", "simplified"], "台湾 AB"),
        ("user＠example．com", ["width"], "user@example.com"),
        ("臺灣 AB１", [], "臺灣 AB１"),
        ("plain ascii", ["width", "simplified"], "plain ascii"),
    ],
)
def test_folded_forms(text: str, ways: list[Fold], expected: str) -> None:
    assert folded(text, ways) == expected


@given(texts)
def test_folding_moves_no_character_and_twice_is_once(text: str) -> None:
    once = folded(text, ("width", "simplified"))
    assert len(once) == len(text)
    assert folded(once, ("width", "simplified")) == once
    assert normalised(once) == normalised(text)
