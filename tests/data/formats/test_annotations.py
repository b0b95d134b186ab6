"""Exports of Label Studio, doccano, spaCy, CLUENER and brat in one form."""

from pathlib import Path
from typing import Any

import pytest

from truetune.data.formats.annotations import plain_fields, read_brat
from truetune.errors import DataError

TEXT = "叶老桂在浙商银行工作"


def studio(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": TEXT}, "annotations": [{"result": list(results)}], **more}


def labelled(start: int, end: int, kind: str, text: str | None = None) -> dict[str, Any]:
    return {"type": "labels", "value": {"start": start, "end": end, "labels": [kind], "text": text}}


def chosen(*choices: str) -> dict[str, Any]:
    return {"type": "choices", "value": {"choices": list(choices)}}


@pytest.mark.parametrize(
    ("exported", "expected"),
    [
        # Label Studio
        (
            studio(labelled(4, 8, "ORG", "浙商银行"), labelled(0, 3, "PER")),
            {"id": 7, "text": TEXT, "spans": [[0, 3, "PER"], [4, 8, "ORG"]]},
        ),
        (studio(chosen("finance")), {"id": 7, "text": TEXT, "labels": ["finance"], "label": "finance"}),
        (studio(chosen("finance", "people")), {"id": 7, "text": TEXT, "labels": ["finance", "people"]}),
        (studio(), {"id": 7, "text": TEXT, "spans": []}),
        (  # an emoji is two characters of a browser, and one of ours
            {**studio(labelled(3, 5, "LOC", "北京")), "data": {"text": "😀去北京"}},
            {"id": 7, "text": "😀去北京", "spans": [[2, 4, "LOC"]]},
        ),
        # Label Studio's short export
        (
            {
                "text": TEXT,
                "label": [{"start": 4, "end": 8, "labels": ["ORG"]}, {"start": 0, "end": 3, "labels": ["P"]}],
            },
            {"text": TEXT, "spans": [[0, 3, "P"], [4, 8, "ORG"]]},
        ),
        # doccano: sequence labelling of two generations, classification
        ({"text": TEXT, "label": [[0, 3, "PER"]]}, {"text": TEXT, "spans": [[0, 3, "PER"]]}),
        (
            {"text": TEXT, "entities": [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3}], "Comments": []},
            {"text": TEXT, "spans": [[0, 3, "PER"]], "Comments": []},
        ),
        ({"text": TEXT, "label": ["a", "b"]}, {"text": TEXT, "labels": ["a", "b"]}),
        ({"text": TEXT, "label": ["a"]}, {"text": TEXT, "labels": ["a"], "label": "a"}),
        ({"text": TEXT, "label": []}, {"text": TEXT, "spans": [], "labels": []}),
        # spaCy
        ({"text": TEXT, "entities": [[0, 3, "PER"]]}, {"text": TEXT, "spans": [[0, 3, "PER"]]}),
        # CLUENER: the last character is included
        (
            {"text": TEXT, "label": {"company": {"浙商银行": [[4, 7]]}, "name": {"叶老桂": [[0, 2]]}}},
            {"text": TEXT, "spans": [[0, 3, "name"], [4, 8, "company"]]},
        ),
        # already plain
        ({"text": TEXT, "label": "a"}, {"text": TEXT, "label": "a"}),
        (
            {"text": TEXT, "spans": [[0, 3, "PER"]], "entities": []},
            {"text": TEXT, "spans": [[0, 3, "PER"]], "entities": []},
        ),
    ],
)
def test_exports_become_plain_fields(exported: dict[str, Any], expected: dict[str, Any]) -> None:
    assert plain_fields(exported) == expected


@pytest.mark.parametrize(
    ("exported", "message"),
    [
        (studio(labelled(1, 3, "PER", "叶老桂")), r"\[1, 3\] says '叶老桂', which does not stand there"),
        ({"data": {"text": TEXT}, "annotations": []}, "holds no annotation; finish it, or leave the task out"),
        ({"data": {"text": TEXT}, "annotations": [{"was_cancelled": True, "result": []}]}, "holds no annotation"),
        ({"text": TEXT, "entities": [{"begin": 0, "stop": 3}]}, "has the keys begin, stop; expected start, end and"),
        ({"text": TEXT, "entities": [[0, 3]]}, r"is \[0, 3\]; expected \[start, end, type\]"),
    ],
)
def test_annotations_that_cannot_be_expressed_are_refused(exported: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plain_fields(exported)


def test_the_last_annotation_that_stands_is_taken() -> None:
    first, second = ({"result": [chosen(name)]} for name in ("old", "new"))
    cancelled = {"result": [chosen("no")], "was_cancelled": True}
    exported = {"data": {"text": TEXT}, "annotations": [first, second, cancelled]}
    assert plain_fields(exported)["label"] == "new"


def brat(folder: Path, text: str, notes: str, name: str = "doc1") -> Path:
    (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    (folder / f"{name}.ann").write_text(notes, encoding="utf-8")
    return folder


def test_brat_documents(tmp_path: Path) -> None:
    notes = (
        "T1\tPER 0 3\tAda\nT2\tORG 10 22\tRoyal\u00a0Society\nR1\tmember Arg1:T1 Arg2:T2\n#1\tAnnotatorNotes T1\tx\n"
    )
    brat(tmp_path, "Ada joined Royal\u00a0Society.\n", notes.replace("10 22", "11 24"))
    brat(tmp_path, "Two\nlines of text.", "T1\tX 0 9\tTwo lines\n", "doc2")
    first, second = read_brat(tmp_path, None)
    assert first.fields == {
        "id": "doc1",
        "text": "Ada joined Royal\u00a0Society.\n",
        "spans": [[0, 3, "PER"], [11, 24, "ORG"]],
    }
    assert second.fields["spans"] == [[0, 9, "X"]]


@pytest.mark.parametrize(
    ("notes", "problem"),
    [
        ("T1\tPER 0 3;5 7\tAda\n", "doc1.ann:1: is a discontinuous span, which truetune does not take"),
        ("T1\tPER 0 3\tAda\nT2\tORG 4 8\tjoin\n", "doc1.ann:2: says that 'join' stands at 4 to 8, where 'Roya' stands"),
        ("T1\tPER 0 30\tAda\n", "doc1.ann:1: says that 'Ada' stands at 0 to 30"),
        ("T1\tPER 0 30\tAda Royal\n", "doc1.ann:1: ends at 30, beyond the text, which has 9 characters"),
        ("T1 PER 0 3 Ada\n", "doc1.ann:1: expected T1<tab>TYPE START END<tab>TEXT, found 'T1 PER 0 3 Ada'"),
    ],
)
def test_brat_lines_that_hold_no_span_are_named(tmp_path: Path, notes: str, problem: str) -> None:
    (record,) = read_brat(brat(tmp_path, "Ada Royal", notes), None)
    assert f"{Path(record.where).name}: {record.problem}".startswith(problem)


def test_brat_folders_that_miss_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.txt file"):
        list(read_brat(tmp_path, None))
    (tmp_path / "doc1.txt").write_text("text", encoding="utf-8")
    (record,) = read_brat(tmp_path, None)
    assert record.problem == "has no doc1.ann beside it"
