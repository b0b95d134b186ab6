"""CoNLL columns in every scheme; the text of tokens; lines that are no columns."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.formats import conll
from truetune.data.formats.conll import looks_like_conll, read_conll
from truetune.data.record import Record
from truetune.errors import DataError
from truetune.tags import SCHEMES, Tagged, detect_scheme, span_table, spans_to_tags

TOKENS = ["Ada", "King", "joined", "Bell", "Labs", "Paris", "."]
SPANS = [(0, 2, "PER"), (3, 5, "ORG"), (5, 6, "LOC")]
TEXT = "Ada King joined Bell Labs Paris ."
SPANS_IN_TEXT = [[0, 8, "PER"], [16, 25, "ORG"], [26, 31, "LOC"]]


def read(folder: Path, text: str) -> list[Record]:
    path = folder / "data.conll"
    path.write_text(text, encoding="utf-8")
    return list(read_conll(path, None))


def columns(tokens: list[str], tags: list[str], between: str = " ") -> str:
    return "".join(f"{token}{between}{tag}\n" for token, tag in zip(tokens, tags, strict=True))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("between", [" ", "\t", " NNP B-NP "])
def test_every_scheme_gives_the_same_spans(tmp_path: Path, name: str, between: str) -> None:
    tags = spans_to_tags(SPANS, len(TOKENS), SCHEMES[name])
    # A second sentence in which neighbours of one type meet tells IOB1 from IOB2.
    second = spans_to_tags([(0, 1, "X"), (1, 2, "X")] if name != "plain" else [(0, 1, "X")], 2, SCHEMES[name])
    first, other = read(tmp_path, columns(TOKENS, tags, between) + "\n" + columns(["a", "b"], second, between))
    assert first.fields["text"] == TEXT
    assert first.fields["spans"] == SPANS_IN_TEXT
    assert first.fields["tags"] == tags
    assert len(other.fields["spans"]) == (2 if name != "plain" else 1)
    assert "group" not in first.fields


def test_sentences_know_their_lines_and_documents(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O O\n\na X Y B-A\nb X Y O\n\n\n# a comment\nc X Y O\n\n-DOCSTART- -X- O O\n\nd X Y O"
    records = read(tmp_path, text)
    assert [record.where.rpartition(":")[2] for record in records] == ["3", "8", "12"]
    assert [record.fields["group"] for record in records] == ["document 1", "document 1", "document 2"]


def test_a_sign_that_is_a_token_is_no_comment(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "#\tO\n# id 3\n1\tB-X\n")
    assert record.fields["text"] == "# 1"


def test_lines_without_a_tag_are_named(tmp_path: Path) -> None:
    problem, other, record = read(tmp_path, "a O\nb\nNew York B-LOC\nc O\n")
    assert problem.where.endswith("data.conll:2")
    assert problem.problem == "expected a token and its tag in 2 columns, found 'b'"
    assert other.where.endswith("data.conll:3")
    assert record.fields["text"] == "a c"


@pytest.mark.parametrize("text", ["", "\n\n", "-DOCSTART- O\n"])
def test_a_file_without_sentences_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="holds no sentence"):
        read(tmp_path, text)


def test_tags_of_no_scheme_are_refused_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.conll: no tag scheme fits the tags 'B-A', 'S-B', 'X-C'"):
        read(tmp_path, "a B-A\nb X-C\nc S-B\n")


def test_a_chinese_file_of_characters_gets_its_text_back(tmp_path: Path) -> None:
    text = "浙商银行2008年在杭州开业，叶老桂任CEO。"
    tags = ["O"] * len(text)
    tags[:4] = ["B-ORG", "I-ORG", "I-ORG", "I-ORG"]
    (record,) = read(tmp_path, columns(list(text), tags))
    assert record.fields["text"] == text
    assert record.fields["spans"] == [[0, 4, "ORG"]]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a O", "b B-X", ""], True),
        (["a\tX\tO", "# comment line", "b\tX\tS-LOC"], True),
        (["a O", "just a text"], False),
        (["O"], False),
        ([], False),
    ],
)
def test_what_looks_like_columns(lines: list[str], expected: bool) -> None:
    assert looks_like_conll(lines) is expected


@pytest.fixture(params=[1, 3, 1000])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(conll, "AT_ONCE", request.param)
    return request.param


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("name", SCHEMES)
def test_the_scheme_is_that_of_the_whole_file_however_little_is_read_at_once(tmp_path: Path, name: str) -> None:
    """The first sentences fit several schemes; only the last one tells which it is."""
    meeting = [(0, 1, "X"), (1, 2, "X")] if name != "plain" else [(0, 1, "X")]
    spans = [[], [(1, 2, "X")], [], meeting]
    text = "\n".join(columns(["a", "b"], spans_to_tags(one, 2, SCHEMES[name])) for one in spans)
    records = read(tmp_path, text)
    starts = [[[2 * start, 2 * end - 1, kind] for start, end, kind in one] for one in spans]
    assert [record.fields["spans"] for record in records] == starts


@pytest.mark.usefixtures("at_once")
def test_a_sentence_that_fits_no_scheme_by_itself_is_read_in_that_of_the_file(tmp_path: Path) -> None:
    records = read(tmp_path, "a E-X\nb O\n\na B-X\nb E-X\n")
    assert [record.fields["spans"] for record in records] == [[[0, 1, "X"]], [[0, 3, "X"]]]


@given(
    st.lists(
        st.lists(st.sampled_from(["O", "B-X", "I-X", "E-X", "S-X", "B", "E", "I-Y"]), min_size=1, max_size=5),
        min_size=1,
    ),
    st.sampled_from([1, 4]),
)
def test_parts_give_what_the_whole_gives(
    tmp_path_factory: pytest.TempPathFactory, tags: list[list[str]], at_once: int
) -> None:
    text = "\n".join(columns(["a"] * len(one), one) for one in tags)
    path = tmp_path_factory.mktemp("conll") / "data.conll"
    path.write_text(text, encoding="utf-8")
    tagged = Tagged.of(tags)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conll, "AT_ONCE", at_once)
        try:
            scheme = detect_scheme(tagged, "conll")
        except DataError:
            with pytest.raises(DataError, match="no tag scheme fits"):
                list(read_conll(path, None))
            return
        found = [record.fields["spans"] for record in read_conll(path, None)]
    spans = span_table(tagged, scheme).lists()
    assert found == [[[2 * start, 2 * end - 1, kind] for start, end, kind in one] for one in spans]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\n \t\n", "\n\n-DOCSTART- O\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_documents_and_lines_are_the_same_however_the_file_ends(tmp_path: Path, end: str, encoding: str) -> None:
    path = tmp_path / "data.conll"
    path.write_bytes(("-DOCSTART- O\n\n很 B-X\n好 I-X\n\n\n坏 O\n\n-DOCSTART- O\n也 O" + end).encode(encoding))
    records = list(read_conll(path, None))
    assert [record.where.rpartition(":")[2] for record in records] == ["3", "7", "10"]
    assert [record.fields["group"] for record in records] == ["document 1", "document 1", "document 2"]
    assert [record.fields["text"] for record in records] == ["很好", "坏", "也"]


@pytest.mark.usefixtures("at_once")
def test_problems_are_told_once_though_the_file_is_read_twice(tmp_path: Path) -> None:
    records = read(tmp_path, "a O\n\nb\n\nc O\n\nd B-\n\ne O\n")
    assert [(record.where.rpartition(":")[2], record.problem) for record in records if record.problem] == [
        ("3", "expected a token and its tag in 2 columns, found 'b'"),
        ("7", "tag 'B-' has no type; expected B-TYPE or O"),
    ]
    assert [record.fields["text"] for record in records if not record.problem] == ["a", "c", "e"]
