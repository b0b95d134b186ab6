"""What kind of errors a system makes: each error in exactly one kind, counted, with where it stands.

Spans: their boundaries, their type, both, missed, spurious. Answers: too long, too short, beside, elsewhere, given
where there is none, missing where there is one. Texts: empty, copied, much too short or long, repeating. Labels: gold
and said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truetune.evaluation.derived import texts_of
from truetune.stats.binomial import wilson
from truetune.stats.quantiles import normal_quantile
from truetune.text import normalised, words
from truetune.types import Span

SHORT, LONG = 0.5, 2.0
"""Of the length of its reference (the nearest of several) a text is much too short or too long."""
RUN, TIMES = 4, 3
"""A text repeats itself where a run of so many words stands in it so often."""
KEPT = 20
"""Places that are kept of each kind."""
MOST_PAIRS = 30

Columns = Mapping[str, Sequence[Any]]
Kind = tuple[str, ...]
"""A name, and for labels gold and said."""


@dataclass(frozen=True)
class ErrorKind:
    """One kind: how many of what there are, and in which examples."""

    kind: Kind
    count: int
    total: int
    """Of what it is a share: gold spans, predicted ones (spurious), questions, texts, examples of the gold label."""
    low: float
    high: float
    """Wilson's bounds of the share, as if each were independent of the others."""
    places: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "kind": list(self.kind),
            "count": self.count,
            "total": self.total,
            "low": self.low,
            "high": self.high,
            "places": list(self.places),
        }


def error_kinds(gold: Columns, predicted: Columns, others: Columns, level: float = 0.95) -> tuple[ErrorKind, ...]:
    """Return the kinds of errors, the most frequent first; none for fields that have no kinds."""
    for name, said, read in _READERS:
        if name in gold and said in predicted:
            found, totals = read(gold[name], predicted[said], {**others, **gold})
            break
    else:
        return ()
    counts = Counter(kind for _, kind in found)
    kinds = []
    for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_PAIRS]:
        total = totals(kind)
        low, high = wilson(count, total, normal_quantile((1 + level) / 2))
        places = dict.fromkeys(place for place, one in found if one == kind)
        kinds.append(ErrorKind(kind, count, total, low, high, tuple(places)[:KEPT]))
    return tuple(kinds)


Found = tuple[list[tuple[int, Kind]], Callable[[Kind], int]]
"""(place, kind) of each error, and of how many a kind is a share."""


def _labels(gold: Sequence[Any], said: Sequence[Any], columns: Columns) -> Found:
    pairs = zip(gold, said, strict=True)
    support = Counter(str(label) for label in gold)
    wrong: list[tuple[int, Kind]] = [
        (place, ("label", str(one), str(other))) for place, (one, other) in enumerate(pairs) if one != other
    ]
    return wrong, lambda kind: support[kind[1]]


def _label_sets(gold: Sequence[Any], said: Sequence[Any], columns: Columns) -> Found:
    support: Counter[str] = Counter(label for labels in gold for label in labels)
    given: Counter[str] = Counter(label for labels in said for label in labels)
    found: list[tuple[int, Kind]] = []
    for place, (one, other) in enumerate(zip(gold, said, strict=True)):
        found += [(place, ("missed label", label)) for label in sorted(set(one) - set(other))]
        found += [(place, ("extra label", label)) for label in sorted(set(other) - set(one))]
    return found, lambda kind: (support if kind[0] == "missed label" else given)[kind[1]]


def _spans(gold: Sequence[Any], said: Sequence[Any], columns: Columns) -> Found:
    found: list[tuple[int, Kind]] = []
    number = {"gold": 0, "said": 0}
    for place, (golds, others) in enumerate(zip(gold, said, strict=True)):
        right, given = set(golds), set(others)
        number["gold"] += len(right)
        number["said"] += len(given)
        found += [(place, (kind,)) for kind in span_errors(right, given)]
    return found, lambda kind: number["said" if kind[0] == "spurious" else "gold"]


def span_errors(gold: set[Span], said: set[Span]) -> list[str]:
    """Return the kind of each wrong span; a gold and a predicted one that overlap are one error, the closest first."""
    left_gold, left_said = sorted(gold - said), sorted(said - gold)
    pairs = sorted(
        ((_unlike(one, other), one, other) for one in left_gold for other in left_said if _overlap(one, other)),
    )
    kinds, used = [], set[tuple[str, Span]]()
    for (boundary, kind, _), one, other in pairs:
        if ("gold", one) in used or ("said", other) in used:
            continue
        used |= {("gold", one), ("said", other)}
        kinds.append("boundary and type" if boundary and kind else "boundary" if boundary else "type")
    kinds += ["missed" for one in left_gold if ("gold", one) not in used]
    kinds += ["spurious" for one in left_said if ("said", one) not in used]
    return kinds


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _unlike(one: Span, other: Span) -> tuple[bool, bool, int]:
    away = abs(one.start - other.start) + abs(one.end - other.end)
    return away > 0, one.type != other.type, away


def _answers(gold: Sequence[Any], said: Sequence[Any], columns: Columns) -> Found:
    found: list[tuple[int, Kind]] = []
    for place, (answers, answer) in enumerate(zip(gold, said, strict=True)):
        kind = answer_error([str(one) for one in answers or ()], str(answer or ""))
        if kind:
            found.append((place, (kind,)))
    return found, lambda kind: len(gold)


def answer_error(gold: Sequence[str], said: str) -> str:
    """Return the kind of error of an answer, empty for a right one; texts are compared as `normalised`."""
    own, right = normalised(said) if said.strip() else "", [normalised(one) for one in gold if one.strip()]
    if not right:
        return "answer where there is none" if own else ""
    if own in right:
        return ""
    if not own:
        return "no answer"
    if any(one in own for one in right):
        return "too long"
    if any(own in one for one in right):
        return "too short"
    shared = _tokens(said)
    return "beside" if any(shared & _tokens(one) for one in gold) else "elsewhere"


def _tokens(text: str) -> set[str]:
    pieces = (text[start:end].casefold() for start, end in words(text))
    return {piece for piece in pieces if piece.isalnum()}


def _texts(gold: Sequence[Any], said: Sequence[Any], columns: Columns) -> Found:
    sources = texts_of({name: column for name, column in columns.items() if name in ("source", "text", "context")})
    found: list[tuple[int, Kind]] = []
    for place, (references, text) in enumerate(zip(gold, said, strict=True)):
        several = [references] if isinstance(references, str) else list(references)
        kind = text_error([str(one) for one in several], str(text), sources[place] if sources else "")
        if kind:
            found.append((place, (kind,)))
    return found, lambda kind: len(gold)


def text_error(references: Sequence[str], text: str, source: str) -> str:
    """Return what is plainly wrong with a written text; empty where nothing is."""
    if not text.strip():
        return "empty"
    own = normalised(text)
    if source and own == normalised(source) and own not in map(normalised, references):
        return "copy"
    pieces = [text[start:end] for start, end in words(text)]
    runs = Counter(zip(*(pieces[step:] for step in range(RUN)), strict=False))
    if runs and max(runs.values()) >= TIMES:
        return "repeats"
    lengths = [len(words(one)) for one in references]
    if not lengths or not max(lengths):
        return ""
    nearest = min(lengths, key=lambda length: abs(length - len(pieces)))
    if len(pieces) < SHORT * nearest:
        return "much too short"
    return "much too long" if len(pieces) > LONG * nearest else ""


_READERS: tuple[tuple[str, str, Callable[[Sequence[Any], Sequence[Any], Columns], Found]], ...] = (
    ("label", "label", _labels),
    ("labels", "labels", _label_sets),
    ("spans", "spans", _spans),
    ("answers", "answer", _answers),
    ("references", "text", _texts),
)
