from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from truetune.reports.visible import HIDDEN, cut_line, one_line, shortened, visible, width


def test_what_html_forbids_or_misleads_is_written_as_its_escape() -> None:
    assert visible("a\x00b\x07\x1b[31m\x9f") == "a\\x00b\\x07\\x1b[31m\\x9f"
    assert visible("\u202eevil\u2066") == "\\u202eevil\\u2066"
    assert visible("lone \ud800") == "lone \\ud800"


def test_what_is_plain_text_stays() -> None:
    kept = "tab\tline\nعربي 中文 👩‍👩‍👧 é </script> \u200f"
    assert visible(kept) == kept
    assert visible("two\r\nlines") == "two\nlines"


@given(st.text(st.characters(codec=None)))
def test_the_result_can_be_written_as_utf8_and_holds_nothing_hidden(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not {ord(character) for character in shown} & set(HIDDEN)


def test_labels_stand_on_one_line() -> None:
    assert one_line(" a\n\n b\tc ") == "a b c"
    assert cut_line("abcdef", 4) == "abc…"
    assert cut_line("abcd", 4) == "abcd"


def test_chinese_characters_are_as_wide_as_the_font_is_tall() -> None:
    assert width("中文", 13) == 26
    assert width("e\u0301", 10) == width("e", 10)


@given(st.text(min_size=1), st.floats(0, 400))
def test_a_shortened_text_fits_and_says_so(text: str, room: float) -> None:
    short = shortened(text, room, 13)
    if short != text:
        assert short.endswith("…")
        assert text.startswith(short[:-1])
        assert len(short) <= 1 or width(short[:-1], 13) <= room


def test_a_cut_does_not_part_an_emoji_or_an_accent() -> None:
    family = "👩\u200d👩\u200d👧"
    for room in range(13, 60):
        short = shortened(f"ab{family}e\u0301xxxxxxxxxxx", room, 13)[:-1]
        assert not short.endswith("\u200d")
        assert short in ("", "a", "ab", f"ab{family}") or short.startswith(f"ab{family}e\u0301")
