"""Do spans stand beside their place? Off by one, with spaces around, one span a piece, tags without letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from truetune.evaluation.doctor.case import Case, finding
from truetune.types import Finding, Span

EXAMPLES = 5_000
"""Of the beginning of the data so many examples are looked at."""
LEAST = 10
SHARE = 0.2
"""A fault is told of where it explains ten spans, and a fifth of those that were predicted."""
MOVES = tuple((start, end) for start in (-1, 0, 1) for end in (-1, 0, 1) if start or end)


def span_findings(case: Case) -> Iterator[Finding]:
    """Yield predicted spans that are right once moved by one, without their outer spaces, or joined."""
    columns = case.both("spans")
    if columns is None:
        return
    gold, predicted = (side[:EXAMPLES] for side in columns)
    number = sum(map(len, predicted))
    yield from _moved(case, gold, predicted, number)
    yield from _split(case, gold, predicted, number)
    if "text" in case.gold:
        yield from _spaced(case, gold, predicted)


def tag_findings(case: Case) -> Iterator[Finding]:
    """Yield predicted tags without letters (PER beside gold's B-PER), one token beside gold, B- on every token."""
    columns = case.both("tags")
    if columns is None:
        return
    gold, predicted = (side[:EXAMPLES] for side in columns)
    known, said = ({tag for tags in side for tag in tags} - {"O"} for side in (gold, predicted))
    types = {tag[2:] for tag in known if tag[:2] in ("B-", "I-")}
    if said and len(types) and said <= types and not said & known:
        yield finding(
            "tags without letters",
            "error",
            sum(tag != "O" for tags in predicted for tag in tags),
            [f"{tag} beside B-{tag}" for tag in sorted(said)],
            "predicted tags are types without B- and I-, gold has them: neighbouring entities of one type become one. "
            "Write predictions in the scheme of gold",
        )
    inside, repeated = 0, []
    for place, (right, tags) in enumerate(zip(gold, predicted, strict=True)):
        for at, (tag, given) in enumerate(zip(right, tags, strict=False)):
            if tag[:2] == "I-" and given[2:] == tag[2:]:
                inside += 1
                if given[:2] == "B-" and at and tags[at - 1][2:] == tag[2:]:
                    repeated.append(place)
    if len(repeated) >= LEAST and len(repeated) > inside / 2:
        yield finding(
            "B- on every token",
            "error",
            len(repeated),
            [case.shown(place, " ".join(predicted[place])) for place in dict.fromkeys(repeated)],
            "where gold goes on with I-, predicted tags begin again with B-: each token is counted as an entity. Give "
            "later pieces of a word no tag, or I-",
        )
    yield from _tags_moved(case, gold, predicted)


def _tags_moved(case: Case, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Iterator[Finding]:
    hits: Counter[int] = Counter()
    where: dict[int, list[int]] = {-1: [], 0: [], 1: []}
    number = 0
    for place, (right, tags) in enumerate(zip(gold, predicted, strict=True)):
        for at, tag in enumerate(tags):
            if tag == "O":
                continue
            number += 1
            for move, places in where.items():
                if 0 <= at + move < len(right) and right[at + move] == tag:
                    hits[move] += 1
                    places.append(place)
    best = -1 if hits[-1] >= hits[1] else 1
    if hits[best] >= max(LEAST, SHARE * number) and hits[best] > 1.5 * hits[0]:
        yield finding(
            "tags are off by one",
            "error",
            hits[best],
            [
                case.shown(place, f"predicted {' '.join(predicted[place])}, gold {' '.join(gold[place])}")
                for place in dict.fromkeys(where[best])
            ],
            f"{hits[best]:,} predicted tags are those that gold has one token {'before' if best < 0 else 'behind'}, "
            f"and {hits[0]:,} are right where they stand: a token was added in front, such as [CLS], or left out. Write"
            " one tag for each token of gold",
        )


def _moved(
    case: Case, gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], number: int
) -> Iterator[Finding]:
    hits: Counter[tuple[int, int]] = Counter()
    first: dict[tuple[int, int], list[int]] = {}
    for place, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        known = set(right)
        for start, end, kind in said:
            if (start, end, kind) in known:
                hits[0, 0] += 1
                continue
            for move in MOVES:
                if (start + move[0], end + move[1], kind) in known:
                    hits[move] += 1
                    first.setdefault(move, []).append(place)
    best = max(MOVES, key=lambda move: hits[move])
    if hits[best] >= max(LEAST, SHARE * number) and hits[best] > 1.5 * hits[0, 0]:
        yield finding(
            "spans are off by one",
            "error",
            hits[best],
            [case.shown(place, f"predicted {predicted[place]}, gold {gold[place]}") for place in first[best]],
            f"{hits[best]:,} predicted spans are right once their start is moved by {best[0]:+d} and their end by "
            f"{best[1]:+d}, and {hits[0, 0]:,} as they are: offsets count characters from 0, the end is exclusive",
        )


def _split(
    case: Case, gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], number: int
) -> Iterator[Finding]:
    """Yield gold spans that neighbouring predicted spans of the same type fill without a gap."""
    pieces, where = 0, []
    for place, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        starts = {(span[0], span[2]): span[1] for span in said}
        for start, end, kind in right:
            steps, at = 0, start
            while at < end and (at, kind) in starts:
                at, steps = starts[at, kind], steps + 1
            if at == end and steps > 1:
                pieces += steps
                where.append(place)
    if pieces >= max(LEAST, SHARE * number):
        yield finding(
            "one span a piece",
            "error",
            pieces,
            [case.shown(place, f"predicted {predicted[place]}, gold {gold[place]}") for place in where],
            f"{pieces:,} predicted spans only together fill {len(where):,} gold spans: B- was given to every sub-word. "
            "Join the pieces of a word before spans are read",
        )


def _spaced(case: Case, gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> Iterator[Finding]:
    found = []
    for place, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        text = case.gold["text"][place]
        for start, end, kind in said:
            inner = text[start:end]
            bare = inner.strip()
            if len(bare) == len(inner) or not bare:
                continue
            begin = start + len(inner) - len(inner.lstrip())
            if (begin, begin + len(bare), kind) in right and (start, end, kind) not in right:
                found.append(case.shown(place, f"{inner!r}, gold {bare!r}"))
    if found:
        yield finding(
            "spans include spaces",
            "warning",
            len(found),
            found,
            "predicted spans are wrong only by the spaces around them: tokenizers count the space before a word as "
            "its own. Strip spaces from spans before they are written",
        )
