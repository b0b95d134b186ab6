"""Spans to tags on first pieces and back, worked by hand; windows; gold that tags cannot express; round trips."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.errors import DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.legal_tags import legal_path
from truetune.tasks.tag_encoding import align, decode, encode, tag_labels, units_of
from truetune.types import IGNORED, Ints, Pieces, Span


class Chunks:
    """Cuts words into chunks of three characters; `[` and `]` around a text."""

    max_length = 12
    pad = 0

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        found = []
        for text in texts:
            bounds = [
                (place, min(place + 3, match.end()))
                for match in re.finditer(r"\w+|[^\w\s]", text)
                for place in range(match.start(), match.end(), 3)
            ]
            starts, ends = (np.array([bound[side] for bound in bounds], dtype=np.int64) for side in (0, 1))
            found.append(Pieces(np.arange(10, 10 + len(bounds)), starts, ends))
        return found

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        assert second is None
        ids = np.concatenate([[1], first, [2]]).astype(np.int64)
        return ids, np.zeros(len(ids), dtype=np.int64), 1


LENGTHS = Lengths(12, overlap=3)
TYPES = {"spans": [[Span(0, 1, "person")], [Span(0, 1, "place")]]}
LABELS = tag_labels(TYPES)


def one_hot(encoded_targets: Ints) -> np.ndarray:
    logits = np.zeros((len(encoded_targets), len(LABELS.names)))
    for place, target in enumerate(encoded_targets.tolist()):
        logits[place, target if target != IGNORED else 4] = 5.0  # what stands on ignored pieces must not matter
    return logits


def round_trip(text: str, spans: list[Span], lengths: Lengths = LENGTHS) -> list[Span]:
    encoded = encode([[text]], {"spans": [spans]}, LABELS, Chunks(), lengths).inputs
    return decode([text], encoded, [one_hot(one.target) for one in encoded], LABELS, 0.5)["spans"][0]


def test_labels_are_outside_and_two_tags_a_type_sorted() -> None:
    assert Labels(("O", "B-person", "I-person", "B-place", "I-place")) == LABELS


def test_only_first_pieces_of_words_have_a_tag() -> None:
    # "Johanna Po went" -> Joh ann a | Po | wen t
    encoding = encode([["Johanna Po went"]], {"spans": [[Span(0, 10, "person")]]}, LABELS, Chunks(), LENGTHS)
    (one,) = encoding.inputs
    begin, inside, outside = 1, 2, 0
    special = IGNORED
    expected = [special, begin, IGNORED, IGNORED, inside, outside, IGNORED, special]
    assert one.target.tolist() == expected
    assert one.starts.tolist() == [-1, 0, 3, 6, 8, 11, 14, -1]
    assert one.ends.tolist() == [-1, 3, 6, 7, 10, 14, 15, -1]
    assert encoding.findings == ()


def test_one_entity_stays_one_however_many_pieces_it_has() -> None:
    assert round_trip("Antidisestablishment", [Span(0, 20, "place")]) == [Span(0, 20, "place")]


def test_neighbours_of_one_type_stay_apart() -> None:
    spans = [Span(0, 3, "person"), Span(4, 7, "person")]
    assert round_trip("Ann Bob", spans) == spans


def test_words_are_split_at_apostrophes_and_signs() -> None:
    text = "Obama's U.S."
    spans = [Span(0, 5, "person"), Span(8, 12, "place")]
    pieces = Chunks().pieces([text])[0]
    units = units_of(text, pieces.starts, pieces.ends)
    assert [text[start:end] for start, end in zip(units.starts, units.ends, strict=True)] == [
        *("Obama", "'", "s"),
        *("U", ".", "S", "."),
    ]
    assert round_trip(text, spans) == spans


def test_chinese_is_tagged_by_character_where_pieces_are_characters() -> None:
    text = "张三去了北京"
    starts = np.arange(6)
    units = units_of(text, starts, starts + 1)
    aligned = align(units, [Span(0, 2, "person"), Span(4, 6, "place")])
    assert aligned.tags == ["B-person", "I-person", "O", "O", "B-place", "I-place"]
    assert aligned.inexact == []


def test_a_character_of_several_byte_pieces_is_one_unit() -> None:
    units = units_of("中a", np.array([0, 0, 0, 1]), np.array([1, 1, 1, 2]))
    assert units.first.tolist() == [0, 3]
    assert (units.starts.tolist(), units.ends.tolist()) == ([0, 1], [1, 2])


def test_gold_that_tags_cannot_express_is_counted_and_shown() -> None:
    spans = [Span(0, 3, "person"), Span(8, 18, "place"), Span(11, 18, "place"), Span(7, 8, "place")]
    encoding = encode([["Johanna in Old York"]], {"spans": [spans]}, LABELS, Chunks(), LENGTHS)
    assert [(one.check, one.severity, one.count) for one in encoding.findings] == [
        ("spans-inexact", "warning", 3),
        ("spans-overlapping", "warning", 1),
    ]
    assert encoding.findings[0].examples[0] == "example 0: 'Joh' [0, 3, person]"
    assert encoding.inputs[0].target[1] == 1, "the word is still learnt as a person"


def test_parts_of_the_data_are_numbered_on() -> None:
    encoding = encode([["Johanna"]], {"spans": [[Span(0, 3, "person")]]}, LABELS, Chunks(), LENGTHS, 5)
    assert [one.example for one in encoding.inputs] == [5]
    assert encoding.findings[0].examples == ("example 5: 'Joh' [0, 3, person]",)


def test_clean_gold_has_no_finding() -> None:
    assert encode([["Ann in York"]], {"spans": [[Span(0, 3, "person")]]}, LABELS, Chunks(), LENGTHS).findings == ()


def test_long_texts_are_read_in_windows_and_no_gold_is_lost() -> None:
    text = " ".join(f"w{number:02}" for number in range(40))
    spans = [Span(start, start + 7, "place") for start in range(0, 156, 12)]
    encoding = encode([[text]], {"spans": [spans]}, LABELS, Chunks(), LENGTHS)
    assert len(encoding.inputs) > 4
    assert all(len(one.ids) <= 12 for one in encoding.inputs)
    (finding,) = encoding.findings
    assert (finding.check, finding.severity, finding.count) == ("windows", "note", 1)
    assert round_trip(text, spans) == spans


def test_reading_only_the_head_is_a_warning_with_a_count() -> None:
    text = " ".join(["word"] * 40)
    encoding = encode([[text, "short"]], None, LABELS, Chunks(), Lengths(12, long="head"))
    assert [len(one.ids) for one in encoding.inputs] == [12, 4]
    assert [(one.check, one.severity, one.count) for one in encoding.findings] == [("truncated", "warning", 1)]


def test_each_unit_takes_the_window_with_most_context() -> None:
    text = "aa bb cc dd ee ff gg hh ii jj kk ll mm"  # 13 units; windows of 10 pieces share 3
    encoded = encode([[text]], None, LABELS, Chunks(), LENGTHS).inputs
    assert [one.starts[one.starts >= 0].tolist() for one in encoded] == [
        list(range(0, 30, 3)),
        list(range(21, 39, 3)),
    ]
    first, second = (np.zeros((len(one.ids), 5)) for one in encoded)
    first[:, 1], second[:, 3] = 1.0, 1.0  # the first window says person everywhere, the second place
    spans = decode([text], encoded, [first, second], LABELS, 0.5)["spans"][0]
    kinds = [span.type for span in spans]
    # hh (place 7) is 2 from the right end of window one and 0 from the left end of two; jj is the mirror image.
    assert kinds == ["person"] * 9 + ["place"] * 4


def test_the_best_legal_sequence_is_found() -> None:
    tags = ("O", "B-x", "I-x", "B-y", "I-y")
    logits = np.log(np.array([[0.4, 0.1, 0.49, 0.01, 1e-9], [0.1, 0.05, 0.8, 0.05, 1e-9]]))
    # greedy says I-x I-x, which no span begins; of B-x I-x (.1 * .8) and O B-x (.4 * .05) the first is likelier
    assert [tags[place] for place in legal_path(logits, tags)] == ["B-x", "I-x"]


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_the_path_is_the_best_of_all_legal_ones(seed: int, units: int) -> None:
    tags = ("O", "B-x", "I-x", "B-y", "I-y")
    logits = np.random.default_rng(seed).normal(size=(units, 5)) * 2

    def legal(path: tuple[int, ...]) -> bool:
        names = ["O", *(tags[place] for place in path)]
        pairs = itertools.pairwise(names)
        return all(not after.startswith("I") or before[2:] == after[2:] != "" for before, after in pairs)

    paths = [path for path in np.ndindex(*[5] * units) if legal(path)]
    best = max(paths, key=lambda path: sum(logits[unit, place] for unit, place in enumerate(path)))
    assert legal_path(logits, tags) == list(best)


WORDS = st.text(alphabet="abc", min_size=1, max_size=8)


@given(st.data())
def test_flat_spans_of_words_come_back_exactly(data: st.DataObject) -> None:
    parts = data.draw(st.lists(WORDS, min_size=1, max_size=30))
    starts = np.cumsum([0, *(len(part) + 1 for part in parts[:-1])]).tolist()
    spans, place = [], 0
    while place < len(parts):
        length = data.draw(st.integers(0, 3))
        if length:
            last = min(place + length, len(parts)) - 1
            kind = data.draw(st.sampled_from(["person", "place"]))
            spans.append(Span(starts[place], starts[last] + len(parts[last]), kind))
            place = last
        place += 1
    assert round_trip(" ".join(parts), spans, Lengths(12, overlap=4)) == spans


def test_a_text_without_words_has_no_span() -> None:
    assert round_trip("   ", []) == []


def test_an_unknown_type_names_the_nearest() -> None:
    with pytest.raises(DataError, match=r"example 0: span type 'persn' .* did you mean 'person'\?"):
        encode([["Ann"]], {"spans": [[Span(0, 3, "persn")]]}, LABELS, Chunks(), LENGTHS)
