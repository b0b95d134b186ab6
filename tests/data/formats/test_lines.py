"""Lines of text, with or without a label, and how they are told apart."""

from pathlib import Path

import pytest

from truetune.data.formats.lines import line_kind, read_label_first, read_label_last, read_lines


def written(folder: Path, text: str) -> Path:
    path = folder / "data.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_line_is_kept_also_an_empty_one(tmp_path: Path) -> None:
    path = written(tmp_path, "one\n\n three \n")
    records = list(read_lines(path, None))
    assert [record.fields["text"] for record in records] == ["one", "", " three "]
    assert records[2].where == f"{path}:3"


def test_labels_before_texts(tmp_path: Path) -> None:
    path = written(tmp_path, "1 it 's good\n\n0\ta tab first\n__label__pos fine\n__label__a __label__b both\nlonely\n")
    records = list(read_label_first(path, None))
    assert [dict(record.fields) for record in records[:4]] == [
        {"text": "it 's good", "label": "1"},
        {"text": "a tab first", "label": "0"},
        {"text": "fine", "label": "pos"},
        {"text": "both", "labels": ["a", "b"]},
    ]
    assert (records[4].where, records[4].problem) == (f"{path}:6", "expected a label and a text, found 'lonely'")


def test_labels_behind_texts(tmp_path: Path) -> None:
    records = list(read_label_last(written(tmp_path, "a\ttab in it\tgood\nno label\t\n"), None))
    assert records[0].fields == {"text": "a\ttab in it", "label": "good"}
    assert records[1].problem == "expected a label and a text, found 'no label'"


POSITIVE = [f"{number % 2} text number {number}" for number in range(40)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (POSITIVE, "label-text"),
        (["__label__x some text", "__label__y other"], "label-text"),
        (["NUM:dist How far is it ?", "DESC:def What is it ?"], "label-text"),
        ([f"Cause(e{number % 3})\tA text {number}" for number in range(40)], "label-text"),
        ([f"标题{number}\t{number % 3}" for number in range(40)], "text-label"),
        ([f"{number}. Kapitel\tChapter {number}" for number in range(40)], "tsv"),
        ([f"{number // 8 + 1000} Kapitel\t{number}\tChapter" for number in range(40)], "tsv-rows"),
        (["id\ttext\tlabel", "1\tgood\tpos", "2\tbad\tneg"], "tsv"),
        ([f"{number} bottles of beer" for number in range(40)], "lines"),
        (["A plain text.", "Another one."], "lines"),
        (["", ""], "lines"),
        ([], "lines"),
    ],
)
def test_the_kind_of_lines(lines: list[str], expected: str) -> None:
    assert line_kind(lines) == expected
