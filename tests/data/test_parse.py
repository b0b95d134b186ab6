"""Records to columns: what is read, what is refused, and that all problems are told at once."""

from __future__ import annotations

import pytest

from truetune.data.parse import KEPT, LOOKED_AT, Field, chosen_field, parsed, reading, renamed_fields
from truetune.data.record import Record
from truetune.errors import DataError
from truetune.tasks.fields import as_label, as_labels, as_scores, as_text

TEXT, LABEL, LABELS = Field("text", as_text), Field("label", as_label), Field("labels", as_labels)
SCORES = Field("scores", as_scores, required=False)
LENGTH = Field("length", derive=lambda row: len(row["text"]))


def records(*rows: dict) -> list[Record]:
    return [Record(f"f:{number}", row) for number, row in enumerate(rows, start=2)]


def refusal(*rows: dict, fields=((TEXT, LABEL),), **options) -> str:
    with pytest.raises(DataError) as caught:
        parsed(records(*rows), fields, "f", **options)
    return str(caught.value)


def test_columns_ids_and_others() -> None:
    found = parsed(records({"text": "a", "label": 1, "doc": "x"}), ((TEXT, LABEL, LENGTH),), "f")
    assert found.fields == {"text": ["a"], "label": ["1"], "length": [1]}
    assert (found.ids, found.others, found.places) == (["1"], {"doc": ["x"]}, ["f:2"])


def test_ids_of_the_file_are_kept() -> None:
    assert parsed(records({"id": "q", "text": "a"}), ((TEXT,),), "f").ids == ["q"]


def test_the_first_alternative_that_fits_is_read() -> None:
    found = parsed(records({"labels": ["b", "a"]}), ((LABEL,), (LABELS,)), "f")
    assert found.fields == {"labels": [("a", "b")]}


def test_columns_can_be_renamed() -> None:
    found = parsed(
        records({"review": "a", "text": "other", "y": 1}),
        ((TEXT, LABEL),),
        "f",
        renamed={"text": "review", "label": "y"},
    )
    assert found.fields == {"text": ["a"], "label": ["1"]}
    message = refusal({"review": "a"}, renamed={"text": "reviews"})
    assert "no column 'reviews', which data.columns gives for `text`; did you mean 'review'?" in message
    assert "or name it under data.columns; " in refusal({"review": "a"}, renamed={})
    assert "data.columns" not in refusal({"review": "a"}), "files of evaluate and predict have no config"


def test_plain_lines_are_the_one_field_that_is_asked_for() -> None:
    reference = Field("reference", as_text)
    assert parsed(records({"text": "a"}), ((reference,),), "f").fields == {"reference": ["a"]}


def test_a_record_may_have_another_field_in_its_place() -> None:
    several = Field("several", lambda value: tuple(value), instead=Field("one", lambda value: (as_text(value),)))
    rows = ({"several": ["a", "b"]}, {"one": "c"}, {"several": None, "one": "d"}, {"several": ["e"], "one": "f"})
    found = parsed(records(*rows), ((several,),), "f")
    assert found.fields == {"several": [("a", "b"), ("c",), ("d",), ("e",)]}
    late = parsed(records(*[{"one": "c"}] * LOOKED_AT, {"several": ["a", "b"]}), ((several,),), "f")
    assert late.fields["several"][-2:] == [("c",), ("a", "b")], "the first records do not settle which it is"
    assert late.others == {}
    message = refusal({"several": ["a"]}, {"one": ""}, {"other": "x"}, fields=((several,),))
    assert "f:3: `several`: expected a text, found an empty one" in message
    assert "f:4: `several`: expected `several` or `one`, found nothing" in message
    message = refusal({"ones": "x", "more": "y"}, fields=((several,),))
    assert (
        "expected the columns `several` or `one`, found ones, more. Rename the column of `several` or `one`" in message
    )


def test_limit_reads_no_further() -> None:
    assert len(parsed(records({"text": "a"}, {"text": ""}), ((TEXT,),), "f", limit=1)) == 1


def test_all_problems_are_listed_with_their_place() -> None:
    message = refusal(
        {"text": "", "label": "x"}, {"text": "a", "label": None}, {"text": "b", "label": "x"}, {"text": 3}
    )
    assert "f: 4 problems" in message
    for line in ("f:2: `text`: expected a text, found an empty one", "f:3: `label`: expected a label", "f:5: `text`"):
        assert line in message
    assert "f:5: `label`: expected a value, found nothing" in message


def test_unknown_labels_are_listed_with_the_other_problems() -> None:
    rows = ({"text": "a", "label": "pso"}, {"text": "", "label": "neg"}, {"text": "b", "label": "pos"})
    message = refusal(*rows, labels=["pos", "neg"])
    assert "f: 2 problems" in message
    assert "f:2: label 'pso' is not one of data.labels; did you mean 'pos'" in message
    message = refusal({"labels": ["x", "y"]}, fields=((LABELS,),), labels=["x"])
    assert "f:2: label 'y' is not one of data.labels; known: x" in message


def test_unreadable_records_are_listed_too() -> None:
    with pytest.raises(DataError, match="f:9: is no JSON"):
        parsed([*records({"text": "a"}), Record("f:9", {}, "is no JSON")], ((TEXT,),), "f")


def test_missing_columns_name_the_nearest() -> None:
    message = refusal({"txt": "a", "label": "x"})
    assert "expected the columns `text` and `label`, found txt, label. Rename the column of `text`; did" in message
    assert "did you mean 'txt'?" in message


def test_doubled_and_missing_ids_are_refused() -> None:
    message = refusal({"id": 1, "text": "a"}, {"id": 1, "text": "b"}, {"id": "", "text": "c"}, fields=((TEXT,),))
    assert "f:3: id '1' stands already at f:2" in message
    assert "f:4: `id` is missing" in message


def test_an_optional_field_is_everywhere_or_nowhere() -> None:
    message = refusal({"label": "a", "scores": {"a": 1}}, {"label": "a"}, fields=((LABEL, SCORES),))
    assert "f:3: `scores` is missing here but not elsewhere (1 such)" in message


def test_a_bad_optional_value_is_not_told_to_be_missing() -> None:
    message = refusal({"label": "a", "scores": {"a": 1}}, {"label": "a", "scores": "high"}, fields=((LABEL, SCORES),))
    assert "f: 1 problem\n  f:3: `scores`: expected scores" in message


def test_a_renamed_column_may_begin_later() -> None:
    rows = records({"review": "a", "other": 1}, {"review": "b", "notes": "x"})
    found = parsed(rows, ((TEXT,),), "f", renamed={"text": "review"})
    assert (found.fields, found.others) == ({"text": ["a", "b"]}, {"other": [1, None], "notes": [None, "x"]})


def test_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="holds no example"):
        parsed([], ((TEXT,),), "f")


def test_bare_values_find_their_field() -> None:
    assert chosen_field(["a"], ((LABEL,), (LABELS,)), "gold") == "label"
    assert chosen_field([["a"]], ((LABEL,), (LABELS,)), "gold") == "labels"
    with pytest.raises(DataError, match=r"the first value is None; expected `label` or `labels`"):
        chosen_field([None], ((LABEL,), (LABELS,)), "gold")


def test_chunks_are_the_whole_in_pieces() -> None:
    rows = records(*({"text": f"t{number}", "label": "x", "doc": number} for number in range(7)))
    whole = parsed(rows, ((TEXT, LABEL),), "f")
    chunks = list(reading(rows, ((TEXT, LABEL),), "f").chunks(3))
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    assert [name for chunk in chunks for name in chunk.ids] == whole.ids
    assert [text for chunk in chunks for text in chunk.fields["text"]] == whole.fields["text"]
    assert [doc for chunk in chunks for doc in chunk.others["doc"]] == whole.others["doc"]


def test_a_chunk_ends_where_its_texts_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.data.parse.CHARACTERS", 10)
    rows = records(*({"text": "a" * size} for size in (4, 4, 4, 30, 1)))
    assert [len(chunk) for chunk in reading(rows, ((TEXT,),), "f").chunks(100)] == [3, 1, 1]


def test_very_many_problems_are_counted_and_some_are_kept() -> None:
    with pytest.raises(DataError) as caught:
        parsed(records(*({"text": ""} for _ in range(KEPT + 5))), ((TEXT,),), "f")
    assert (len(caught.value.problems), caught.value.number) == (KEPT, KEPT + 5)
    assert str(caught.value).startswith(f"f: {KEPT + 5:,} problems\n")
    assert str(caught.value).endswith(f"... and {KEPT + 5 - 20:,} more")


def test_several_columns_become_one_text() -> None:
    assert renamed_fields({"title": "A", "body": "b", "kind": "x"}, {"text": ["title", "body"], "label": "kind"}) == {
        "text": "A\nb",
        "label": "x",
    }
    assert renamed_fields({"text": "b", "title": None, "note": " "}, {"text": ["title", "text", "note"]}) == {
        "text": "b"
    }
    # What is no text is left for the field to refuse.
    assert renamed_fields({"title": "A", "body": 3}, {"text": ["title", "body"]}) == {"text": 3}
    assert renamed_fields({"other": 1}, {"text": ["title", "body"]}) == {"other": 1}
