"""CSV, TSV, Excel and Parquet: cells, lines, and tables that are not what they seem."""

import csv
import datetime
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.formats.excel import read_excel
from truetune.data.formats.parquet import read_parquet
from truetune.data.formats.tables import read_csv, read_csv_rows, read_tsv, read_tsv_rows
from truetune.data.record import Record
from truetune.errors import DataError, MissingPackageError


def written(folder: Path, text: str) -> Path:
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def told(records: list[Record]) -> list[tuple[str, object]]:
    """Line and cells, or line and problem, of each record."""
    return [(record.where.rpartition(":")[2], record.problem or list(record.fields.values())) for record in records]


def test_rows_know_their_lines_across_quoted_line_ends(tmp_path: Path) -> None:
    path = written(tmp_path, 'text,label\r\n"two\r\nlines",a\r\n\r\nplain,b\r\n"say ""hi"", ok",a\r\n')
    records = list(read_csv(path, None))
    assert told(records) == [("2", ["two\nlines", "a"]), ("5", ["plain", "b"]), ("6", ['say "hi", ok', "a"])]
    assert records[0].where == f"{path}:2"
    assert list(records[0].fields) == ["text", "label"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_that_of_the_first_line(tmp_path: Path, separator: str) -> None:
    path = written(tmp_path, f"text{separator}label\nwell{separator}1\nbad{separator}0\n")
    assert told(list(read_csv(path, None))) == [("2", ["well", "1"]), ("3", ["bad", "0"])]


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, ",标题\n17,好消息\n18,坏消息\n")
    assert next(read_csv(path, None)).fields == {"column 1": "17", "标题": "好消息"}


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("text,label\na,1\nb\nc,1,2\n", [("3", "expected 2 cells as in the header, found 1"), ("4", "found 3")]),
        ("text,label\na,1\ntext,label\nb,0\n", [("3", "repeats the line of column names")]),
        ('text,label\na,1\n"b"x,0\nc,1\n', [("3", "is no row of a table (',' expected after '\"')")]),
        ('text,label\na,1\n"never closed,0\nc,1\n', [("3", "is no row of a table (unexpected end of data)")]),
    ],
)
def test_what_is_wrong_with_a_row_names_its_line(tmp_path: Path, text: str, problems: list[tuple[str, str]]) -> None:
    found = [
        (line, said) for line, said in told(list(read_csv(written(tmp_path, text), None))) if isinstance(said, str)
    ]
    assert [line for line, _ in found] == [line for line, _ in problems]
    assert all(expected in said for (_, said), (_, expected) in zip(found, problems, strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected a line of column names"),
        ("text,text\na,b\n", "data.csv:1: the column name 'text' stands twice"),
        ("pos,good\nneg,bad\npos,fine\n", r"data.csv:1: looks like an example .*'pos' stands in its column again"),
    ],
)
def test_a_table_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_csv(written(tmp_path, text), None))


def test_a_table_without_names_is_read_by_place(tmp_path: Path) -> None:
    path = written(tmp_path, "pos,good\nneg,bad\npos,fine\n")
    records = list(read_csv_rows(path, None))
    assert [record.fields for record in records][::2] == [{"1": "pos", "2": "good"}, {"1": "pos", "2": "fine"}]
    assert records[0].where == f"{path}:1"
    tabs = written(tmp_path, "pos\tgood\nneg\tbad\n")
    assert [record.fields["2"] for record in read_tsv_rows(tabs, None)] == ["good", "bad"]


def test_numbers_in_order_are_names(tmp_path: Path) -> None:
    path = written(tmp_path, "0,1\ngood,1\nbad,0\nfine,1\n")
    assert next(read_csv(path, None)).fields == {"0": "good", "1": "1"}


def test_quotes_in_tsv_are_text(tmp_path: Path) -> None:
    path = written(tmp_path, 'text\tlabel\n"Well" he said\t1\nit\'s 5" long\t0\n"\t1\n')
    assert [record.fields["text"] for record in read_tsv(path, None)] == ['"Well" he said', "it's 5\" long", '"']


@given(st.lists(st.tuples(st.text(max_size=8), st.sampled_from("01")), min_size=1, max_size=8))
def test_csv_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    rows = [(text.encode("utf-8", "ignore").decode().replace("\r", " ").replace("\0", " "), one) for text, one in rows]
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([("the text", "the label"), *rows])
    path = written(tmp_path_factory.mktemp("csv"), buffer.getvalue())
    assert [tuple(record.fields.values()) for record in read_csv(path, None)] == rows


def test_excel_cells_are_text_as_in_csv(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["评论", "label", "date", None],
        ["很好", 1, datetime.date(2024, 5, 1), None],
        [None, None, None, None],
        [12306, 0.0, None, None],
        ["long", 1, None, "what is this"],
    ):
        sheet.append(row)
    path = tmp_path / "data.xlsx"
    book.save(path)
    assert told(list(read_excel(path, None))) == [
        ("2", ["很好", "1", "2024-05-01T00:00:00"]),
        ("4", ["12306", "0", ""]),
        ("5", "expected 3 cells as in the header, found 4; name every column"),
    ]


def test_what_is_no_excel_file_is_told(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "data.xlsx"
    path.write_bytes(b"not a zip file")
    with pytest.raises(DataError, match=r"data.xlsx: cannot be read as an Excel file"):
        list(read_excel(path, None))


def test_excel_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(MissingPackageError, match=r"'openpyxl'.*pip install 'truetune\[excel\]'"):
        list(read_excel(tmp_path / "data.xlsx", None))


def test_parquet_keeps_native_values(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "data.parquet"
    scores = pa.array([[("a", 0.5)], []], type=pa.map_(pa.string(), pa.float64()))
    pq.write_table(pa.table({"text": ["x", "y"], "labels": [["a"], []], "n": [1, 2], "scores": scores}), path)
    records = list(read_parquet(path, None))
    assert [dict(record.fields) for record in records] == [
        {"text": "x", "labels": ["a"], "n": 1, "scores": {"a": 0.5}},
        {"text": "y", "labels": [], "n": 2, "scores": {}},
    ]
    assert records[1].where == f"{path}:2"


def test_what_is_no_parquet_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match=r"data.parquet: cannot be read as Parquet"):
        list(read_parquet(path, None))
