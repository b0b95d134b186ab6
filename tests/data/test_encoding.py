"""Encodings found from the bytes; bytes that are not of one are an error with their place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.encoding import detected, opened, text_of
from truetune.errors import DataError

ENGLISH = "text,label\nA plain line,pos\nanother one,neg\n"
FRENCH = "text,label\nLe café était fermé à l’été,neg\nDéjà vu : très bon goût,pos\n"
CHINESE = "text,label\n外卖送得很快，味道不错,1\n等了两个小时才送到，菜都凉了,0\n"


def written(folder: Path, data: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (ENGLISH, "ascii", "utf-8"),
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (ENGLISH, "utf-16-le", "utf-16-le"),
        (ENGLISH, "utf-16-be", "utf-16-be"),
        (CHINESE, "utf-32", "utf-32"),
        (CHINESE, "gbk", "gb18030"),
        (CHINESE + "𠮷野家,1\n", "gb18030", "gb18030"),
        (FRENCH, "cp1252", "cp1252"),
        (FRENCH.replace("’", "'"), "latin-1", "cp1252"),
        ("外賣送得很快，味道不錯\n等了兩個小時才送到，菜都涼了\n" * 5, "big5", "big5"),
        ("na\x81ve,caf\xe9\n" * 3, "latin-1", "latin-1"),
    ],
)
def test_the_encoding_is_found_and_the_text_comes_back(tmp_path: Path, text: str, encoding: str, expected: str) -> None:
    path = written(tmp_path, text.encode(encoding))
    assert detected(path) == expected
    assert text_of(path) == text


def test_one_accent_among_ascii_is_western(tmp_path: Path) -> None:
    path = written(tmp_path, b"0 How far is it ?\n" * 500 + "1 Who wrote Candide, né Arouet ?\n".encode("latin-1"))
    assert text_of(path).endswith("né Arouet ?\n")


def test_damaged_utf8_is_an_error_with_its_place_and_not_another_encoding(tmp_path: Path) -> None:
    data = (CHINESE * 50).encode()
    cut = data.index("两".encode()) + 1
    path = written(tmp_path, data[:cut] + data[cut + 2 :])
    with pytest.raises(DataError, match=rf"file.csv:3: byte {cut - 1:,} \(0xe4\) is not utf-8; repair the file"):
        text_of(path)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le", "ascii"])
def test_the_place_of_a_fault_beyond_the_first_chunk(tmp_path: Path, encoding: str) -> None:
    line = "a line of text\n".encode(encoding)
    count = (1 << 20) // len(line) + 10
    bad = b"\xff" if encoding != "utf-16-le" else b"\x00\xdc"
    path = written(tmp_path, line * count + bad + line)
    with pytest.raises(DataError, match=rf"file.csv:{count + 1}: byte {count * len(line):,} "):
        opened(path, encoding)


def test_line_ends_become_one_and_a_mark_is_taken_off(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert text_of(path, "utf-8") == "one\ntwo\nthree\n"
    with opened(path) as file:
        assert list(file) == ["one\n", "two\n", "three\n"]


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    assert text_of(written(tmp_path, b"")) == ""


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (b"text", "utf8x", "unknown encoding 'utf8x'; did you mean 'utf-8'"),
        (b"caf\xe9", "ascii", r"file.csv:1: byte 3 \(0xe9\) is not ascii"),
        (bytes(range(256)) * 20, None, "holds zero bytes, as binary files do"),
    ],
)
def test_what_cannot_be_text_is_refused(tmp_path: Path, data: bytes, encoding: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        text_of(written(tmp_path, data), encoding)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone.csv: cannot be read \(No such file"):
        text_of(tmp_path / "gone.csv")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff\0")))
def test_utf8_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = written(tmp_path_factory.mktemp("utf8"), text.encode())
    assert text_of(path) == text
