"""A task is a value: what its files hold and how they are scored, and, where it can be trained, how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from truetune.data.parse import Field as Field
from truetune.metric import Metric, PerLabel, Seen
from truetune.stats.plan import Plan
from truetune.types import Column, Encoded, Finding, Floats, Head, Ints, Score, Tokenizer, Writing


@dataclass(frozen=True)
class Oddities:
    """What is odd about predictions: counted in every part of them, and told once of all.

    `seen(gold columns, predicted columns)` counts; of several parts the counts add up. `told` puts them in words.
    """

    seen: Callable[[Mapping[str, Column], Mapping[str, Column]], Seen]
    told: Callable[[Seen], tuple[str, ...]]

    def of(self, gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> tuple[str, ...]:
        """Return what is odd about these."""
        return self.told(self.seen(gold, predicted))


@dataclass(frozen=True)
class Together:
    """Scores `NAME/LABEL` that are found all at once with their intervals, not one by one from rows: ratings."""

    about: Mapping[str, str]
    """Name -> definition, for lists of metrics; more is better."""
    unit: str
    scores: Callable[[Mapping[str, Column], Mapping[str, Column], Ints | None, Plan], tuple[Score, ...]]
    """(gold, predicted, groups, plan) -> the scores of all names."""


@dataclass(frozen=True)
class Scoring:
    """All that `evaluate` and `compare` need of a task.

    `gold` and `predicted` list alternatives: each is a tuple of fields, and a file is read by the first
    alternative whose required fields it has. A metric applies where both fields that it reads are there.
    `primary` names the metric that decides, the first that applies.
    """

    gold: tuple[tuple[Field, ...], ...]
    predicted: tuple[tuple[Field, ...], ...]
    metrics: tuple[Metric | PerLabel, ...]
    primary: tuple[str, ...]
    refined: Callable[[Mapping[str, Column], Mapping[str, Column]], tuple[Metric, ...]] | None = None
    """(gold, predicted) -> metrics that depend on which labels have scores; each replaces the one of its name."""
    sometimes: tuple[Metric, ...] = ()
    """Metrics that `refined` adds for some examples only: for lists and messages."""
    oddities: Oddities | None = None
    """What is odd about gold and predicted, for people."""
    constant: Callable[[Mapping[str, Column], Mapping[str, Column]], str] | None = None
    """(gold, predicted) -> what must be the same in every part of the data, in words: the labels that have scores."""
    together: Together | None = None
    """Scores that `evaluate` adds to those of the metrics; they are no part of slices, shards and comparisons."""


@dataclass(frozen=True)
class Scale:
    """How numbers are learnt: as (number - mean) / deviation, both those of the training part."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Labels:
    """The label schema of a trained model: output position -> label."""

    names: tuple[str, ...]
    multiple: bool = False
    """Whether an example may carry several labels."""
    scale: Scale | None = None
    """Of the numbers that a model of a regression puts out."""
    optional: bool = False
    """Whether a question may have no answer."""
    longest: int = 0
    """The longest answer that is given, in characters."""
    writing: Writing | None = None
    """How a model that writes texts is asked, and writes."""
    tags: tuple[str, ...] = ()
    """Of pieces, where a model learns them beside the labels of whole texts."""
    documents: tuple[str, ...] = ()
    """What a model of a retrieval ranks, each once."""
    vectors: Floats | None = field(default=None, compare=False)
    """Theirs, `[documents, hidden]`, where they are known already."""


@dataclass(frozen=True)
class Lengths:
    """How long a model input may be, and what becomes of a longer text."""

    longest: int
    """In pieces, special tokens included."""
    overlap: int = 0
    """How many pieces neighbouring windows share."""
    long: Literal["windows", "head"] = "windows"
    """Read a longer text in overlapping windows, or only its beginning (counted and reported)."""


@dataclass(frozen=True)
class Encoding:
    """Model inputs, and what could not be kept on the way: cut texts, gold that pieces cannot express."""

    inputs: list[Encoded]
    """Of all windows, in the order of their examples."""
    findings: tuple[Finding, ...] = ()


def joined(*texts: str) -> str:
    """Return texts as one, each on lines of its own."""
    return "\n".join(texts)


@dataclass(frozen=True)
class Inputs:
    """What a model reads of an example: fields of files, some derived from others, and how these read as texts.

    The functions take the values of all fields of an example, in their order.
    """

    fields: tuple[Field, ...]
    """In the order in which their columns are given to `encode`; one that files need not hold is no column itself,
    others are derived from it."""
    whole: Callable[..., str] = joined
    """The example as one text: what a baseline reads that knows words only."""
    compared: tuple[Callable[..., str], ...] = ()
    """By which texts, normalised, examples are found to be the same; by default those of the fields."""
    together: Callable[..., str] | None = None
    """What examples share that have to stay in one part of a split; by default all that is compared."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(one.name for one in self.fields if one.required)

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the fields that files must hold: those that are not derived."""
        return tuple(one.name for one in self.fields if one.derive is None and one.required)

    def values(self, given: Mapping[str, object]) -> list[Any]:
        """Return the value of each field from what a record holds; raises ValueError for what a file may not hold."""
        row: dict[str, Any] = {}
        for one in self.fields:
            if one.parse is not None:
                if one.required or given.get(one.name) is not None:
                    row[one.name] = one.parse(given[one.name])
            elif one.derive is not None:
                row[one.name] = one.derive(row)
        return [row[name] for name in self.names]


class Encode(Protocol):
    """One or several model inputs (windows) of each example of the columns of a task's input fields."""

    def __call__(
        self,
        columns: Sequence[Sequence[Any]],
        gold: Mapping[str, Sequence[Any]] | None,
        labels: Labels,
        tokenizer: Tokenizer,
        lengths: Lengths,
        first: int = 0,
    ) -> Encoding:
        """With gold None the targets are all `IGNORED`; `first` is the number of the first example."""
        ...


@dataclass(frozen=True)
class Training:
    """How a task becomes model inputs, and model outputs predictions. Arrays only; no framework.

    `labels(gold columns) -> Labels` collects the label schema from the training part.
    `encode` makes model inputs, see `Encode`.
    `decode(texts, encoded, outputs, labels, threshold) -> predicted columns` merges windows again; `texts` is
    the first input column, `outputs[i]` holds the logits of `encoded[i]`: `[labels]` for `classify`, `[1]` for
    `regress`, `[length, labels]` for `tag`, `[length, 2]` (first and last piece) for `span`, the vector
    `[hidden]` for `embed`, or, for `generate`, what was written.
    `baselines` names what a fine-tuned model has to beat, the cheapest first.
    """

    head: Head
    inputs: Inputs
    labels: Callable[[Mapping[str, Sequence[Any]]], Labels]
    encode: Encode
    decode: Callable[[Sequence[str], Sequence[Encoded], Sequence[Any], Labels, float], dict[str, list[Any]]]
    baselines: tuple[str, ...] = ("majority", "tfidf-linear", "frozen-linear")
    marks: bool = False
    """Whether segments mark a pair of entities, whose states the head reads."""


@dataclass(frozen=True)
class Task:
    """A task: how it is scored and, optionally, trained."""

    name: str
    about: str
    """One line for `truetune tasks`, English."""
    about_zh: str
    scoring: Scoring
    training: Training | None = None
    tokenizer: str = ""
    """By which BLEU and TER cut texts, where it is named; else by the script of the references."""
