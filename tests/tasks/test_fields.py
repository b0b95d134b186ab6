"""Raw values to typed ones."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.tasks import fields


@pytest.mark.parametrize(
    ("parse", "raw", "typed"),
    [
        (fields.as_label, " pos ", "pos"),
        (fields.as_label, 1, "1"),
        (fields.as_label, 1.0, "1"),
        (fields.as_label, np.int64(3), "3"),
        (fields.as_label, True, "true"),
        (fields.as_label, "差评", "差评"),
        (fields.as_labels, ["b", "a", "b"], ("a", "b")),
        (fields.as_labels, '["b", "a"]', ("a", "b")),
        (fields.as_labels, [], ()),
        (fields.as_scores, {"a": 1, "b": 0.0}, {"a": 1.0, "b": 0.0}),
        (fields.as_scores, '{"a": 0.25}', {"a": 0.25}),
        (fields.as_number, "1e-3", 0.001),
        (fields.as_count, 7.0, 7),
        (fields.as_texts, "one", ("one",)),
        (fields.as_texts, "[laughs] one", ("[laughs] one",)),
        (fields.as_texts, '["one", "two"]', ("one", "two")),
        (fields.as_texts, ["one", ""], ("one", "")),
        (fields.as_list, "[1, 2]", [1, 2]),
    ],
)
def test_values_are_read(parse, raw, typed) -> None:
    assert parse(raw) == typed


@pytest.mark.parametrize(
    ("parse", "raw", "message"),
    [
        (fields.as_text, "  ", "expected a text, found an empty one"),
        (fields.as_text, None, "expected a text, found nothing"),
        (fields.as_text, 3, r"found 3 \(int\)"),
        (fields.as_label, 1.5, r"found 1.5 \(float\)"),
        (fields.as_label, "", "found an empty one"),
        (fields.as_labels, "a", "expected a list of labels"),
        (fields.as_scores, {}, "expected scores"),
        (fields.as_scores, {"a": float("nan")}, "expected a finite number, found nan"),
        (fields.as_number, "two", "expected a number"),
        (fields.as_number, True, "expected a number"),
        (fields.as_count, -1, "at least 0"),
        (fields.as_list, "[1", "expected a list"),
    ],
)
def test_other_values_are_refused(parse, raw, message) -> None:
    with pytest.raises(ValueError, match=message):
        parse(raw)


def test_a_long_value_is_shortened_in_the_message() -> None:
    assert len(fields.shown("x" * 1000)) < 80
