"""JSON read in blocks: the same values, lines and faults as from the whole text, wherever a block ends."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.formats import json_stream
from truetune.data.formats.json_stream import BLOCK, BrokenJsonError, JsonStream
from truetune.data.formats.objects import read_json
from truetune.data.record import Record

BLOCKS = [1, 2, 3, 5, 7, 16, 64]


@pytest.fixture(params=BLOCKS)
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(json_stream, "BLOCK", request.param)
    return request.param


def values_of(text: str) -> list[Any]:
    stream = JsonStream(io.StringIO(text))
    found = []
    while stream.next_character():
        found.append(stream.value())
    return found


def read(path: Path, text: str, encoding: str = "utf-8") -> list[Record]:
    path.write_bytes(text.encode(encoding))
    return list(read_json(path, encoding))


CUT = [
    "-12.5e+30",
    "1E-7",
    "0",
    "-0.0",
    "12345678901234567890",
    "true",
    "false",
    "null",
    "-Infinity",
    '"a \\" b \\\\"',
    '"\\u00e9\\ud83d\\ude00"',
    '"😀\\n很好"',
    "[]",
    "{}",
    '{"a": [1.5e+3, {"b": null}], "c": "x, y"}',
    "[  1 \n,  2  ]",
]


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("value", CUT)
@pytest.mark.parametrize("before", range(0, 8, 3))
def test_values_are_whole_wherever_a_block_ends(value: str, before: int) -> None:
    expected = json.loads(value)
    assert values_of(" " * before + value) == [expected]
    assert values_of(" " * before + value + "\n, " + value + " ") == [expected, expected]


def outcome(stream: JsonStream) -> Any:
    """Return the value that comes next, or the line and the words of the fault."""
    try:
        return stream.value()
    except BrokenJsonError as error:
        return error.line, str(error)


def expected_outcome(text: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except json.JSONDecodeError as error:
        return error.lineno, f"is no JSON ({error.msg} at column {error.colno})"


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
nested = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(nested, max_size=6), st.sampled_from(BLOCKS), st.sampled_from([None, 1, 40]), st.booleans())
def test_a_stream_holds_what_json_loads_finds(values: list[Any], block: int, indent: int | None, ascii: bool) -> None:
    text = "\n".join(json.dumps(value, indent=indent, ensure_ascii=ascii) for value in values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "BLOCK", block)
        assert values_of(text) == values


@given(st.data(), st.sampled_from(BLOCKS), st.sampled_from([None, 1]))
def test_a_fault_has_the_place_that_json_loads_gives_it(data: st.DataObject, block: int, indent: int | None) -> None:
    text = json.dumps([{"a": 'x\n"y"', "b": [1.5, True]}, {"c": "很好\ud83d\ude00"}], indent=indent)
    place = data.draw(st.integers(1, len(text) - 1))
    damaged = text[:place] + data.draw(st.sampled_from(["", "\\", '"', "}", "x", "\t", "1"])) + text[place + 1 :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "BLOCK", block)
        stream = JsonStream(io.StringIO(damaged))
        assert outcome(stream) == expected_outcome(damaged)


@pytest.mark.usefixtures("block")
def test_a_fault_behind_other_values_has_its_line_and_column_in_the_file() -> None:
    stream = JsonStream(io.StringIO('{"a": 1},\n\n  {"b": 2}, {"c": \n "d" "e"}'))
    assert stream.next_character() == "{"
    assert stream.value() == {"a": 1}
    assert stream.next_character() == "{"
    assert stream.line() == 3
    assert stream.value() == {"b": 2}
    assert stream.next_character() == "{"
    with pytest.raises(BrokenJsonError, match=r"Expecting ',' delimiter at column 6") as caught:
        stream.value()
    assert caught.value.line == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [("[" * 200_000, "values lie too deep in each other"), ("[" + "1" * 10_000 + "]", "Exceeds the limit")],
)
def test_values_that_python_does_not_take_are_faults(text: str, message: str) -> None:
    with pytest.raises(BrokenJsonError, match=message):
        JsonStream(io.StringIO(text)).value()


def test_no_more_is_read_than_is_asked_for() -> None:
    file = io.StringIO(json.dumps([{"text": "x" * 100}] * 40_000)[1:-1])
    stream = JsonStream(file)
    for number in range(1, 20_001):
        assert stream.next_character() == "{"
        stream.value()
        if number % 5000 == 0:
            assert file.tell() <= number * 114 + BLOCK  # an example is 112 characters, and ", "


EXAMPLES = [
    {"text": 'a "b"\n{[,é', "label": "1"},
    {"text": "很好😀" * 9, "label": "0"},
    {"text": "c", "label": "-1.5e3"},
]


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("indent", [None, 2])
def test_lists_are_the_same_in_every_encoding(tmp_path: Path, encoding: str, indent: int | None) -> None:
    for text in (
        json.dumps(EXAMPLES, ensure_ascii=False, indent=indent),
        "\n".join(json.dumps(one, ensure_ascii=False, indent=indent) for one in EXAMPLES),
        json.dumps({"examples": EXAMPLES}, ensure_ascii=False, indent=indent),
    ):
        records = read(tmp_path / "data.json", text, encoding)
        assert [dict(record.fields) for record in records] == EXAMPLES


def test_characters_cut_by_the_reader_of_the_file_come_back(tmp_path: Path) -> None:
    """More than one of Python's own buffers: three bytes a character fit none of them evenly."""
    texts = [{"text": "很" * number} for number in range(1, 300)]
    for encoding in ("utf-8", "gb18030", "utf-16"):
        records = read(tmp_path / "data.json", json.dumps(texts, ensure_ascii=False), encoding)
        assert [dict(record.fields) for record in records] == texts


TASK = {
    "id": 7,
    "data": {"text": "Ada met Bell"},
    "annotations": [{"result": [{"value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}}]}],
}
FOUND = {"id": 7, "text": "Ada met Bell", "spans": [[0, 3, "PER"]]}
ARTICLE = {"title": "T", "paragraphs": [{"context": "Ada met Bell", "qas": [{"id": "q", "question": "Who?"}]}]}


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([TASK, TASK], [FOUND, FOUND]),
        (TASK, [FOUND]),
        ([{"data": {"x": 1}, "examples": [1]}], [{"data": {"x": 1}, "examples": [1]}]),
        ({"version": "1", "data": [{"text": "a", "data": [1, 2]}]}, [{"text": "a", "data": [1, 2]}]),
        ({"data": ["a", "b"], "label": ["x", "y"]}, [{"data": "a", "label": "x"}, {"data": "b", "label": "y"}]),
    ],
)
def test_shapes_with_keys_that_elsewhere_hold_the_examples(tmp_path: Path, value: Any, expected: list[dict]) -> None:
    for indent in (None, 1):
        records = read(tmp_path / "data.json", json.dumps(value, indent=indent))
        assert [dict(record.fields) for record in records] == expected


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("value", [{"version": "1.1", "data": [ARTICLE]}, [ARTICLE]])
def test_articles_give_their_questions(tmp_path: Path, value: Any) -> None:
    (record,) = read(tmp_path / "data.json", json.dumps(value))
    assert (record.fields["id"], record.fields["question"], record.fields["answers"]) == ("q", "Who?", [])


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ('[{"text": "a"},\n {"text": "b}\n]', ":2", "is no JSON (Invalid control character at at column 14)"),
        ('[{"text": "a"},\n\n', ":1", "ends within the list; expected ]"),
        ('[{"text": "a"}]\n\n[]', ":1", "holds something behind the end of the list"),
        ('{"text": "a"}\n{"text": \n', ":3", "is no JSON (Expecting value at column 1)"),
        ('[{"text": "a"},\n{"text": "b"}\n{"text": }]', ":3", "is no JSON (Expecting value at column 10)"),
    ],
)
def test_a_broken_list_names_its_line(tmp_path: Path, text: str, where: str, problem: str) -> None:
    *sound, broken = read(tmp_path / "data.json", text)
    assert sound[0].fields == {"text": "a"}
    assert broken.where == f"{tmp_path / 'data.json'}{where}"
    assert broken.problem.startswith(problem)
