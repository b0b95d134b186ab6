"""JSON in its usual shapes, each example with its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.formats.objects import read_json, read_jsonl
from truetune.data.record import Record
from truetune.errors import DataError

EXAMPLES = [{"text": "很好", "label": "1"}, {"text": "bad", "label": "0"}, {"text": 'a "b"\n{[,', "label": "1"}]


def read(folder: Path, text: str) -> list[Record]:
    path = folder / "data.json"
    path.write_text(text, encoding="utf-8")
    return list(read_json(path, None))


def lines(records: list[Record]) -> list[str]:
    return [record.where.rpartition("data.json")[2] for record in records]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(EXAMPLES),
        json.dumps(EXAMPLES, indent=2, ensure_ascii=False),
        "\n".join(json.dumps(example) for example in EXAMPLES),
        "\n\n".join(json.dumps(example, indent=4) for example in EXAMPLES) + "\n",
        json.dumps({"version": 1, "data": EXAMPLES}),
        json.dumps({"rows": EXAMPLES}),
        json.dumps({name: [example[name] for example in EXAMPLES] for name in ("text", "label")}),
    ],
)
def test_every_shape_gives_the_same_examples(tmp_path: Path, text: str) -> None:
    assert [dict(record.fields) for record in read(tmp_path, text)] == EXAMPLES


def test_examples_know_their_lines(tmp_path: Path) -> None:
    assert lines(read(tmp_path, json.dumps(EXAMPLES, indent=1))) == [":2", ":6", ":10"]
    assert lines(read(tmp_path, "\n".join(json.dumps(one, indent=1) for one in EXAMPLES))) == [":1", ":5", ":9"]
    assert lines(read(tmp_path, json.dumps({"data": EXAMPLES}))) == ["[1]", "[2]", "[3]"]


def test_examples_of_one_line_know_their_number(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('[{"text": "a"}, {"text": "b"},\n {"text": "c"}, {"text": "d"}]', encoding="utf-8")
    assert [one.where for one in read_json(path, None)] == [f"{path}:1", f"{path}:1[2]", f"{path}:2", f"{path}:2[4]"]


def test_one_object_is_one_example(tmp_path: Path) -> None:
    assert read(tmp_path, '{"text": "x", "label": "a"}')[0].fields == {"text": "x", "label": "a"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"text": "a"},\n {"text": "b}\n]', (":2", "is no JSON")),
        ('[{"text": "a"},\n', (":1", "ends within the list; expected ]")),
        ('[{"text": "a"}]\n[]', (":1", "holds something behind the end of the list")),
        ('{"text": "a"}\n{"text": \n', (":3", "is no JSON")),
        ('[{"text": "a"},\n"b"]', (":2", "expected an object, found str")),
        ("{", (":1", "is no JSON")),
    ],
)
def test_broken_json_keeps_what_came_before_and_names_the_line(
    tmp_path: Path, text: str, problem: tuple[str, str]
) -> None:
    records = read(tmp_path, text)
    assert [record.fields.get("text") for record in records if not record.problem] == ["a"] * (text != "{")
    assert lines(records)[-1] == problem[0]
    assert problem[1] in records[-1].problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n", "is empty; expected JSON objects"),
        ("3", "holds one int; expected a list of objects"),
        ('{"text": ["a", "b"], "label": ["x"]}', r"different numbers of values \(text 2, label 1\)"),
    ],
)
def test_json_of_another_kind_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_lines_that_are_no_objects_are_named_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a"}\n\n{"text": }\n[1]\n{"text": "b"}\n', encoding="utf-8")
    records = list(read_jsonl(path, None))
    assert [record.where.rpartition(":")[2] for record in records] == ["1", "3", "4", "5"]
    assert [record.problem for record in records] == [
        "",
        "is no JSON (Expecting value at column 10); expected one object a line",
        "expected an object, found list",
        "",
    ]


def test_separators_of_unicode_do_not_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "one\u2028still\x85one"}\n{"text": "two"}\n', encoding="utf-8")
    assert [record.fields["text"] for record in read_jsonl(path, None)] == ["one\u2028still\x85one", "two"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), values, min_size=1), max_size=5), st.sampled_from([None, 1]))
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, objects: list[dict], indent: int | None) -> None:
    folder = tmp_path_factory.mktemp("json")
    assert [dict(record.fields) for record in read(folder, json.dumps(objects, indent=indent))] == objects
    if len(objects) > 1:
        text = "\n".join(json.dumps(one, indent=indent) for one in objects)
        assert [dict(record.fields) for record in read(folder, text)] == objects
