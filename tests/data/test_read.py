"""Every format is read to the same records, and what is broken is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from truetune.data.read import detected_format, folder_splits, read
from truetune.errors import DataError

ROWS = [{"text": "很好, 推荐", "label": "pos"}, {"text": 'said "no"', "label": "neg"}]


def fields(path: Path, **options: str) -> list[dict]:
    records = list(read(path, **options))
    assert not [record.problem for record in records if record.problem]
    return [dict(record.fields) for record in records]


def problems(path: Path) -> list[str]:
    return [f"{record.where}: {record.problem}" for record in read(path) if record.problem]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


CSV = 'text,label\n"很好, 推荐",pos\n"said ""no""",neg\n'
TEXTS = {
    "a.csv": CSV,
    "semicolon.csv": 'text;label\n"很好, 推荐";pos\n"said ""no""";neg\n',
    "a.tsv": 'text\tlabel\n很好, 推荐\tpos\nsaid "no"\tneg\n',
    "a.jsonl": "\n".join(json.dumps(row) for row in ROWS) + "\n",
    "list.json": json.dumps(ROWS, indent=1),
    "columns.json": json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}),
    "data.json": json.dumps({"version": 1, "data": ROWS}),
    "one-after-another.json": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "lines-of-json": "\n".join(json.dumps(row) for row in ROWS),
}


@pytest.mark.parametrize("name", TEXTS)
def test_formats_give_the_same_records(tmp_path: Path, name: str) -> None:
    assert fields(written(tmp_path, name, TEXTS[name])) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings_are_found(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding=encoding)
    assert fields(tmp_path / "a.csv") == ROWS


def test_western_encoding_is_found(tmp_path: Path) -> None:
    (tmp_path / "c.tsv").write_bytes("text\tlabel\nWhere is Curaçao, señor?\tLOC\n".encode("latin-1"))
    assert fields(tmp_path / "c.tsv") == [{"text": "Where is Curaçao, señor?", "label": "LOC"}]


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding="big5", errors="ignore")
    assert fields(tmp_path / "a.csv", encoding="big5")[1] == ROWS[1]
    with pytest.raises(DataError, match=r"a\.csv:2: byte \d+ .* is not ascii"):
        list(read(tmp_path / "a.csv", encoding="ascii"))
    with pytest.raises(DataError, match="unknown encoding 'gbkk'; did you mean 'gbk'"):
        list(read(tmp_path / "a.csv", encoding="gbkk"))


def test_parquet_keeps_types(tmp_path: Path) -> None:
    rows = [{"text": "a", "spans": [{"start": 0, "end": 1, "type": "X"}], "scores": {"x": 0.5}}]
    table = pa.Table.from_pylist(
        [{**row, "scores": list(row["scores"].items())} for row in rows],
        schema=pa.schema(
            [
                ("text", pa.string()),
                ("spans", pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("type", pa.string())]))),
                ("scores", pa.map_(pa.string(), pa.float64())),
            ]
        ),
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert fields(tmp_path / "a.parquet") == rows


def test_excel_is_read(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["text", "label"], ["很好, 推荐", "pos"], [None, None], ['said "no"', "neg"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert fields(tmp_path / "a.xlsx") == ROWS


@pytest.mark.parametrize(
    ("text", "kind", "first"),
    [
        ("1 good film\n0 bad film\n", "label-text", {"text": "good film", "label": "1"}),
        ("__label__pos good\n__label__neg bad\n", "label-text", {"text": "good", "label": "pos"}),
        ("DESC:manner How ?\nENTY:animal What ?\n", "label-text", {"text": "How ?", "label": "DESC:manner"}),
        ("词汇阅读\t3\n体育新闻\t4\n", "text-label", {"text": "词汇阅读", "label": "3"}),
        ("The cat sat.\n\nThe end.\n", "lines", {"text": "The cat sat."}),
    ],
)
def test_lines_are_told_apart(tmp_path: Path, text: str, kind: str, first: dict) -> None:
    path = written(tmp_path, "a.txt", text)
    assert detected_format(path) == kind
    assert fields(path)[0] == first


def test_plain_lines_keep_empty_ones(tmp_path: Path) -> None:
    assert [row["text"] for row in fields(written(tmp_path, "a.txt", "one\n\nthree\n"))] == ["one", "", "three"]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB2", "B-PER I-PER O B-LOC"),
        ("IOB1", "I-PER I-PER O I-LOC"),
        ("BIOES", "B-PER E-PER O S-LOC"),
        ("BILOU", "B-PER L-PER O U-LOC"),
        ("BMES", "B-PER E-PER O S-LOC"),
    ],
)
def test_conll_columns_become_spans(tmp_path: Path, scheme: str, tags: str) -> None:
    tokens = ["John", "Smith", "in", "Rome"]
    lines = [f"{token} x {tag}" for token, tag in zip(tokens, tags.split(), strict=True)]
    path = written(tmp_path, "a.conll", "-DOCSTART- O\n\n" + "\n".join(lines) + "\n\n")
    (row,) = fields(path)
    assert row["text"] == "John Smith in Rome"
    assert row["spans"] == [[0, 10, "PER"], [14, 18, "LOC"]], scheme
    assert row["tokens"][1] == [5, 10]
    assert row["group"] == "document 1"


def test_chinese_tokens_are_joined_without_spaces(tmp_path: Path) -> None:
    text = "".join(f"{token} {tag}\n" for token, tag in zip("我在北京", ["O", "O", "B-LOC", "I-LOC"], strict=True))
    (row,) = fields(written(tmp_path, "a.bio", text))
    assert (row["text"], row["spans"]) == ("我在北京", [[2, 4, "LOC"]])


def test_annotation_exports_become_spans_and_labels(tmp_path: Path) -> None:
    result = {"value": {"start": 0, "end": 2, "text": "北京", "labels": ["LOC"]}}
    choice = {"value": {"choices": ["pos"]}}
    studio = [
        {"id": 7, "data": {"text": "北京好"}, "annotations": [{"was_cancelled": True}, {"result": [result, choice]}]}
    ]
    (row,) = fields(written(tmp_path, "studio.json", json.dumps(studio)))
    assert row == {"id": 7, "text": "北京好", "labels": ["pos"], "label": "pos", "spans": [[0, 2, "LOC"]]}
    doccano = {"text": "北京好", "entities": [{"start_offset": 0, "end_offset": 2, "label": "LOC"}]}
    assert fields(written(tmp_path, "d.jsonl", json.dumps(doccano)))[0]["spans"] == [[0, 2, "LOC"]]
    older = {"text": "北京好", "label": [[0, 2, "LOC"]]}
    assert fields(written(tmp_path, "o.jsonl", json.dumps(older)))[0]["spans"] == [[0, 2, "LOC"]]
    nested = {"text": "浙商银行的叶老桂", "label": {"company": {"浙商银行": [[0, 3]]}, "name": {"叶老桂": [[5, 7]]}}}
    found = fields(written(tmp_path, "n.json", json.dumps(nested)))[0]
    assert [found["text"][start:end] for start, end, _ in found["spans"]] == ["浙商银行", "叶老桂"]


def test_brat_pairs_are_read_and_discontinuous_spans_refused(tmp_path: Path) -> None:
    written(tmp_path, "doc.txt", "John lives in Rome")
    written(tmp_path, "doc.ann", "T1\tPER 0 4\tJohn\nR1\tlives Arg1:T1 Arg2:T2\nT2\tLOC 14 18\tRome\n")
    (row,) = fields(tmp_path)
    assert row["spans"] == [[0, 4, "PER"], [14, 18, "LOC"]]
    written(tmp_path, "doc.ann", "T1\tPER 0 4;5 10\tJohn lives\n")
    assert "doc.ann:1: is a discontinuous span" in problems(tmp_path)[0]
    (tmp_path / "doc.ann").unlink()
    written(tmp_path, "other.ann", "")
    assert "has no doc.ann beside it" in problems(tmp_path)[0]


def test_a_folder_of_splits_is_told_by_names(tmp_path: Path) -> None:
    for name in ("my_train.csv", "dev.csv", "test.jsonl", "README.md"):
        written(tmp_path, name, "x")
    assert {split: file.name for split, file in folder_splits(tmp_path).items()} == {
        "train": "my_train.csv",
        "validation": "dev.csv",
        "test": "test.jsonl",
    }
    written(tmp_path, "valid.csv", "x")
    with pytest.raises(DataError, match=r"both dev\.csv and valid\.csv look like validation"):
        folder_splits(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "text,label\na,b,c\nok,x\nd\n", [":2: expected 2 cells as in the header, found 3", ":4: expected 2"]),
        ("a.jsonl", '{"a": 1}\n{"a": \n[1]\n', [":2: is no JSON", ":3: expected an object, found list"]),
        ("a.json", '[{"a": 1}, 5]', ["a.json:1[2]: expected an object, found int"]),
        ("a.json", '{"a": 1}\n{"a": 2', [":2: is no JSON"]),
        ("a.conll", "a O\nb\nc O\n", [":2: expected a token and its tag"]),
        ("a.txt", "1 good\n2 fine\n", []),
    ],
)
def test_broken_records_are_named_and_the_rest_is_read(
    tmp_path: Path, name: str, text: str, expected: list[str]
) -> None:
    found = problems(written(tmp_path, name, text))
    assert len(found) == len(expected)
    for told, wanted in zip(found, expected, strict=True):
        assert wanted in told


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "text,text\na,b\n", "expected each once"),
        ("a.json", '{"a": [1], "b": [1, 2]}', "expected as many in each"),
        ("a.json", "5", "holds one int"),
        ("a.conll", "\n\n", "holds no sentence"),
        ("a.parquet", "no parquet", "cannot be read as Parquet"),
        ("a.xlsx", "no excel", "cannot be read as an Excel file"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read(written(tmp_path, name, text)))


def test_a_missing_file_names_its_nearest_neighbour(tmp_path: Path) -> None:
    written(tmp_path, "reviews.csv", CSV)
    with pytest.raises(DataError, match=r"is not there; did you mean 'reviews.csv'"):
        read(tmp_path / "review.csv")
    with pytest.raises(DataError, match="unknown format 'csw'; did you mean 'csv'"):
        read(tmp_path / "reviews.csv", format="csw")


def test_a_hub_set_without_the_package_or_network_is_a_clear_error() -> None:
    with pytest.raises(Exception, match=r"datasets|cannot be loaded"):
        list(read("hub:nobody/nothing"))
