"""The nouns of the field: scores, comparisons, findings; spans, pieces, encoded inputs, batches.

This module knows no framework and imports nothing of truetune.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Numbers = Floats | Ints

Column = Any
"""One value an example, in example order: a list, or an array where the field is a number or a label code."""

Better = Literal["higher", "lower"]
IntervalMethod = Literal["wilson", "t", "bca", "delong", "delong-pairs", "none"]
Head = Literal["classify", "regress", "tag", "joint", "nested", "span", "choose", "generate", "embed", "mask", "detect"]
"""What a model puts out: one label (set) a text, a number, a tag a piece, both a label and tags, typed stretches that
may lie in each other, a stretch of text, a choice, text, a vector, what is masked."""
HEAD_MARK, TAIL_MARK = 2, 3
"""In the segments of a model input: this piece stands for the first, or the second, of a pair of entities."""
Verdict = Literal["better", "worse", "no difference found", "not worse", "equivalent", "not shown"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a value, how they were found, and why they are missing where they are (NaN)."""

    low: float
    high: float
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """A number fit to print: it carries its evidence."""

    metric: str
    value: float
    low: float
    high: float
    examples: int
    unit: str
    signature: str
    reason: str = ""
    """Why the value or a bound is undefined (NaN); empty otherwise."""

    def to_dict(self) -> dict[str, Any]:
        """Return the score as JSON-ready values: undefined numbers are None."""
        return {
            "metric": self.metric,
            "value": _number(self.value),
            "low": _number(self.low),
            "high": _number(self.high),
            "examples": self.examples,
            "unit": self.unit,
            "signature": self.signature,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison of two systems on the same examples, in one metric."""

    metric: str
    baseline: str
    candidate: str
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    detectable: float
    """The smallest difference that this many examples would show with 80 % power."""
    gained: int | None
    """Examples that the candidate gets right and the baseline wrong; None where that has no meaning."""
    lost: int | None
    verdict: Verdict
    signature: str
    reason: str = ""
    correction: str = ""
    """How `p_adjusted` and `p_margin` allow for the other tests of the family; empty for a test alone."""
    p_margin: float = float("nan")
    """With a margin: of being worse by it or more, adjusted over the candidates; else NaN."""

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-ready values: undefined numbers are None."""
        numbers = ("difference", "low", "high", "p_value", "p_adjusted", "p_margin", "detectable")
        return {
            "metric": self.metric,
            "baseline": self.baseline,
            "candidate": self.candidate,
            **{name: _number(getattr(self, name)) for name in numbers},
            "gained": self.gained,
            "lost": self.lost,
            "correction": self.correction or None,
            "verdict": self.verdict,
            "signature": self.signature,
            "reason": self.reason or None,
        }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


class Span(NamedTuple):
    """A typed stretch of text in characters, `end` exclusive."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with data or an evaluation: what, how many, examples, what to do."""

    check: str
    severity: Literal["error", "warning", "note"]
    count: int
    examples: tuple[str, ...]
    advice: str
    parts: tuple[str, ...] = ()
    """Parts of the data that it is about (`train`, a file), where it is about some."""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready values; without parts there is no such key."""
        return {
            "check": self.check,
            **({"parts": list(self.parts)} if self.parts else {}),
            "severity": self.severity,
            "count": self.count,
            "examples": list(self.examples),
            "advice": self.advice,
        }


IGNORED = -100
"""The target of a position that is not scored and not trained on (padding, later pieces of a word)."""


@dataclass(frozen=True)
class Writing:
    """How a model is asked for a text, and how it writes it: all that decides what comes out, beside the weights."""

    prompt: str
    """A template with `{source}` in it."""
    pieces: int
    """How many pieces are written at most, the end included."""
    beams: int = 1
    temperature: float = 0.0
    """0: the most probable piece (or beam) each time; above, pieces are drawn."""
    top_p: float = 1.0
    """Of which share of the probability pieces are drawn."""
    seed: int = 0
    """Of what is drawn."""


Told = Callable[[str], bool]
"""Takes the text that is written so far, and says whether to go on."""


class Written(NamedTuple):
    """What a model wrote, whether it came to an end by itself, and in how many pieces."""

    text: str
    finished: bool
    pieces: int


class Pieces(NamedTuple):
    """A text cut by a tokenizer, without special tokens."""

    ids: Ints
    """`[pieces]`"""
    starts: Ints
    """`[pieces]`, character offsets in the text"""
    ends: Ints
    """`[pieces]`, exclusive"""


class Tokenizer(Protocol):
    """What tasks need of a tokenizer."""

    @property
    def max_length(self) -> int:
        """The longest input of the model in pieces, special tokens included."""
        ...

    @property
    def pad(self) -> int:
        """The id that fills a batch up."""
        ...

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Cut texts into pieces with their character offsets; no special tokens, nothing truncated."""
        ...

    def answer_pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Cut texts that are to be written; a model for two languages may cut them otherwise than what it reads."""
        ...

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        """Add special tokens: ids `[length]`, segments `[length]`, and where `first` begins in ids."""
        ...

    @property
    def two_sided(self) -> bool:
        """Whether the model reads with an encoder and writes with a decoder."""
        ...

    @property
    def longest_answer(self) -> int:
        """The most pieces, the end included, that a decoder beside an encoder can write."""
        ...

    def opened(self, ids: Ints) -> Ints:
        """Return what a model that writes is given to read."""
        ...

    def template(self, asked: str) -> str:
        """Return a turn of a user and the beginning of an answer, by the chat template; empty where there is none."""
        ...

    def closed(self, ids: Ints) -> Ints:
        """Return what it is to write, with its end."""
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """One model input: an example, or one window of a long example."""

    example: int
    """Position of the example that it came from."""
    ids: Ints
    """`[length]`, special tokens included"""
    segments: Ints
    """`[length]`, 0 or 1; `HEAD_MARK` and `TAIL_MARK` at the pieces that stand for a marked pair (models read 0)"""
    target: npt.NDArray[Any]
    """What the head learns: `[]` (int) or, multi-label, `[labels]` (float, 0 or 1) for `classify`, `[1]` (float) for
    `regress`, `[2]` (float) the places of first and last piece for `span`, `[length]` (int) for `tag`, `generate`,
    `joint` (the label first, then tags) and
    `mask` (before pieces are masked: which word each is of), `[spans, 3]` (int) first and last piece and type of each
    for `nested`, `[]` (int) which is right for `choose`, which query and document a pair is for `embed`; `IGNORED`
    where none.
    """
    starts: Ints
    """`[length]`, character offset of each piece in the text; -1 for special tokens"""
    ends: Ints
    """`[length]`, exclusive; -1 for special tokens"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded arrays of several model inputs: what a backbone is given."""

    ids: Ints
    """`[batch, length]`"""
    mask: Bools
    """`[batch, length]`, true where there is a piece"""
    segments: Ints
    """`[batch, length]`"""
    targets: npt.NDArray[Any]
    """`[batch]`, `[batch, labels]`, `[batch, length]` or `[batch, spans, 3]`"""
    inputs: Ints
    """`[inputs]`, positions of the inputs in the encoded set; one a row unless they are packed"""
    packed: Ints | None = None
    """`[batch, length]`, where several inputs share a row: which of `inputs` a piece belongs to, -1 for none. Targets
    of whole inputs are then `[inputs]` or `[inputs, labels]`."""


JSONObject = Mapping[str, Any]
