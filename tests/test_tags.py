"""Tag schemes: what they mean by hand, that reading and writing agree, and seqeval in both modes."""

from __future__ import annotations

import warnings
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU as SEQEVAL_BILOU
from seqeval.scheme import IOB2 as SEQEVAL_IOB2
from seqeval.scheme import IOBES as SEQEVAL_IOBES
from seqeval.scheme import Entities

from truetune.errors import DataError
from truetune.tags import (
    BILOU,
    BIOES,
    BMES,
    BMEWO,
    IOB1,
    IOB2,
    PLAIN,
    SCHEMES,
    Scheme,
    Tagged,
    detect_scheme,
    proper_schemes,
    scheme_named,
    span_table,
    spans_to_tags,
    tags_to_spans,
)

SENTENCE = [(0, 1, "PER"), (1, 4, "PER"), (5, 6, "LOC"), (6, 8, "B-A-B")]

WRITTEN = [
    (IOB1, "I-PER B-PER I-PER I-PER O I-LOC I-B-A-B I-B-A-B O"),
    (IOB2, "B-PER B-PER I-PER I-PER O B-LOC B-B-A-B I-B-A-B O"),
    (BIOES, "S-PER B-PER I-PER E-PER O S-LOC B-B-A-B E-B-A-B O"),
    (BILOU, "U-PER B-PER I-PER L-PER O U-LOC B-B-A-B L-B-A-B O"),
    (BMES, "S-PER B-PER M-PER E-PER O S-LOC B-B-A-B E-B-A-B O"),
    (BMEWO, "W-PER B-PER M-PER E-PER O W-LOC B-B-A-B E-B-A-B O"),
]


@pytest.mark.parametrize(("scheme", "tags"), WRITTEN, ids=lambda value: getattr(value, "name", ""))
def test_every_scheme_writes_and_reads_the_same_spans(scheme: Scheme, tags: str) -> None:
    assert spans_to_tags(SENTENCE, 9, scheme) == tags.split()
    for repair in ("conll", "drop", "refuse"):
        assert tags_to_spans(tags.split(), scheme, repair) == SENTENCE
    assert detect_scheme(Tagged.of([tags.split()])) == scheme


@pytest.mark.parametrize(
    ("tags", "conll", "drop"),
    [
        ("I-PER I-PER O", [(0, 2, "PER")], []),  # I after nothing
        ("O I-PER", [(1, 2, "PER")], []),  # I after O
        ("B-PER I-LOC I-LOC", [(0, 1, "PER"), (1, 3, "LOC")], [(0, 1, "PER")]),  # I after another type
        ("B-PER B-PER", [(0, 1, "PER"), (1, 2, "PER")], [(0, 1, "PER"), (1, 2, "PER")]),
        ("NAME NAME O", [(0, 2, "NAME")], []),  # no letter at all: no letter of the type is lost
        ("B-NAME NAME", [(0, 2, "NAME")], []),
    ],
)
def test_improper_sequences_are_repaired_as_named(tags: str, conll: list, drop: list) -> None:
    assert tags_to_spans(tags.split(), IOB2, "conll") == conll
    assert tags_to_spans(tags.split(), IOB2, "drop") == drop


@pytest.mark.parametrize(
    ("tags", "conll", "drop"),
    [
        ("B-X I-X O", [(0, 2, "X")], []),  # never closed
        ("B-X B-X E-X", [(0, 1, "X"), (1, 3, "X")], [(1, 3, "X")]),
        ("S-X I-X", [(0, 1, "X"), (1, 2, "X")], [(0, 1, "X")]),
        ("B-X E-Y", [(0, 1, "X"), (1, 2, "Y")], []),
        ("E-X", [(0, 1, "X")], []),
    ],
)
def test_closed_schemes_are_repaired_as_named(tags: str, conll: list, drop: list) -> None:
    assert tags_to_spans(tags.split(), BIOES, "conll") == conll
    assert tags_to_spans(tags.split(), BIOES, "drop") == drop


def test_iob1_begins_with_b_only_after_a_span_of_its_type() -> None:
    assert tags_to_spans(["I-X", "B-X", "I-X"], IOB1, "refuse") == [(0, 1, "X"), (1, 3, "X")]
    assert tags_to_spans(["O", "B-X", "I-X", "I-Y"], IOB1, "drop") == [(3, 4, "Y")]
    with pytest.raises(DataError, match="sentence 1, token 2: B-X after O"):
        tags_to_spans(["O", "B-X"], IOB1, "refuse")


def test_plain_tags_keep_every_letter_and_hyphen() -> None:
    assert tags_to_spans(["NAME", "NAME", "O", "E-mail", "B-A-B"], PLAIN) == [
        (0, 2, "NAME"),
        (3, 4, "E-mail"),
        (4, 5, "B-A-B"),
    ]


def test_letters_alone_are_untyped_spans() -> None:
    assert tags_to_spans(["B", "M", "E", "S", "O"], BMES, "refuse") == [(0, 3, "_"), (3, 4, "_")]


def test_a_span_does_not_run_from_one_sentence_into_the_next() -> None:
    table = span_table(Tagged.of([["B-X"], [], ["I-X", "I-X"], ["O"], ["I-X"]]), IOB2)
    assert table.lists() == [[(0, 1, "X")], [], [(0, 2, "X")], [], [(0, 1, "X")]]
    assert span_table(Tagged.of([]), IOB2).lists() == []


def test_refusing_lists_every_place() -> None:
    with pytest.raises(DataError) as caught:
        span_table(Tagged.of([["O", "B-X"], ["I-X", "O", "I-Y"]]), IOB2, "refuse")
    assert caught.value.problems == (
        "sentence 2, token 1: I-X at the beginning",
        "sentence 2, token 3: I-Y after O",
    )


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["O", "S-X"], "sentence 1, token 2: tag 'S-X' is not of scheme IOB2"),
        (["B-X", "B-"], "token 2: tag 'B-' is not"),
        (["O", ""], "token 2: expected a tag, found ''"),
        (["O", None], "token 2: expected a tag, found None"),
    ],
)
def test_unreadable_tags_are_named(tags: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        tags_to_spans(tags, IOB2)


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("O O", IOB2),
        ("O I-X I-X O I-Y", IOB1),
        ("O B-X O", IOB2),
        ("S-X O", BIOES),
        ("U-X O", BILOU),
        ("B-X M-X E-X", BMES),
        ("B M E W", BMEWO),
        ("NAME O PLACE-NAME", PLAIN),
        ("B_PER I_PER O", Scheme("IOB2", IOB2.roles, "_")),
    ],
)
def test_the_scheme_is_found(tags: str, scheme: Scheme) -> None:
    assert detect_scheme(Tagged.of([tags.split()])) == scheme


def test_an_underscore_can_stand_between_letter_and_type() -> None:
    tags = ["B_A_B", "I_A_B", "O"]
    scheme = detect_scheme(Tagged.of([tags]))
    assert tags_to_spans(tags, scheme, "refuse") == [(0, 2, "A_B")]
    assert spans_to_tags([(0, 2, "A_B")], 3, scheme) == tags


@pytest.mark.parametrize("tags", ["E-mail O", "B-X NAME", "E-X I-X", "X-B X-I", "b-per i-per", "B-X Q-X U-X E-X"])
def test_tags_that_could_mean_several_things_must_be_named(tags: str) -> None:
    with pytest.raises(DataError, match="no tag scheme fits"):
        detect_scheme(Tagged.of([tags.split()]))


def test_a_scheme_with_faults_is_refused_or_the_nearest_one_is_taken() -> None:
    tagged = Tagged.of([["B-X", "I-X", "O", "B-X"], ["O", "I-X"]])
    with pytest.raises(DataError, match="1 tags stand where scheme IOB2"):
        detect_scheme(tagged)
    assert detect_scheme(tagged, "conll") == IOB2
    assert proper_schemes(tagged) == ()


def test_names_of_schemes() -> None:
    assert scheme_named("bio") is IOB2
    assert scheme_named("IOBES") is BIOES
    with pytest.raises(DataError, match="did you mean 'BILOU'"):
        scheme_named("BILO")


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([(0, 2, "X"), (1, 3, "Y")], "overlaps"),
        ([(0, 9, "X")], "within the 3 tokens"),
        ([(2, 2, "X")], "lie apart"),
    ],
)
def test_spans_that_no_tags_express_are_refused(spans: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        spans_to_tags(spans, 3, IOB2)


def test_plain_tags_cannot_tell_neighbours_of_one_type_apart() -> None:
    assert spans_to_tags([(0, 1, "X"), (1, 2, "Y")], 2, PLAIN) == ["X", "Y"]
    with pytest.raises(DataError, match="meet at token 1"):
        spans_to_tags([(0, 1, "X"), (1, 2, "X")], 2, PLAIN)


@st.composite
def apart(draw: st.DrawFn) -> tuple[list, int]:
    spans, place = [], 0
    for _ in range(draw(st.integers(0, 5))):
        start = place + draw(st.integers(0, 2))
        place = start + draw(st.integers(1, 3))
        spans.append((start, place, draw(st.sampled_from(["X", "Y-Z", "B-A-B"]))))
    return spans, place + draw(st.integers(0, 2))


@given(apart(), st.sampled_from(list(SCHEMES.values())))
def test_writing_then_reading_gives_the_spans_back(found: tuple[list, int], scheme: Scheme) -> None:
    spans, length = found
    touching = any(one[1] == two[0] and one[2] == two[2] for one, two in pairwise(spans))
    assume(not (scheme is PLAIN and touching))
    tags = spans_to_tags(spans, length, scheme)
    assert tags_to_spans(tags, scheme, "refuse") == spans
    tagged = Tagged.of([tags])
    if scheme is not PLAIN:
        assert all(span_table(tagged, other).lists() == [spans] for other in proper_schemes(tagged))


def sequences(letters: str) -> st.SearchStrategy[list[list[str]]]:
    tags = ["O", *(f"{letter}-{kind}" for letter in letters for kind in ("X", "Y-Z"))]
    return st.lists(st.lists(st.sampled_from(tags), max_size=8), min_size=1, max_size=4)


def by_seqeval_default(tags: list[str], renamed: dict[str, str]) -> set:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_entities([renamed.get(tag[0], tag[0]) + tag[1:] for tag in tags])
    return {(start, end + 1, kind) for kind, start, end in found}


def by_seqeval_strict(tags: list[str], scheme: type) -> set:
    return {(one.start, one.end, one.tag) for one in Entities([tags], scheme).entities[0]} if tags else set()


@pytest.mark.parametrize(("scheme", "theirs"), [(IOB2, SEQEVAL_IOB2), (BIOES, SEQEVAL_IOBES), (BILOU, SEQEVAL_BILOU)])
def test_any_sequence_reads_as_in_seqeval(scheme: Scheme, theirs: type) -> None:
    @given(sequences("".join(scheme.roles)))
    def check(corpus: list[list[str]]) -> None:
        tagged = Tagged.of(corpus)
        lenient, strict = span_table(tagged, scheme, "conll"), span_table(tagged, scheme, "drop")
        # seqeval's default mode does not know the letters of BILOU: they are renamed for it.
        renamed = {"L": "E", "U": "S"}
        assert [set(spans) for spans in lenient.lists()] == [by_seqeval_default(tags, renamed) for tags in corpus]
        assert [set(spans) for spans in strict.lists()] == [by_seqeval_strict(tags, theirs) for tags in corpus]

    check()


def test_seqeval_loses_a_letter_where_there_is_no_prefix() -> None:
    """Why we differ: seqeval takes the first letter of NAME for its prefix and scores the type AME."""
    assert by_seqeval_default(["NAME", "O"], {}) == {(0, 1, "AME")}
    assert tags_to_spans(["NAME", "O"], IOB2) == [(0, 1, "NAME")]
