"""Tag schemes: tags of tokens to spans and back, one sentence or a whole corpus at a time.

Schemes differ in letters and in what a proper sequence is; once a letter is read as a role (begin,
inside, end, single) they share one rule: a token continues the span of the token before it when it is
inside or end, the one before is begin or inside, and both have the same type; any other token that is
not `O` begins a span. That is how conlleval reads tags. Improper sequences are repaired in a named way:

- `conll`: as conlleval and seqeval's default: whatever begins a span by the rule above is one;
- `drop`: as seqeval's strict mode: a span that is not properly written is no span;
- `refuse`: an error that lists where they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Literal, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from truetune.errors import DataError, nearest
from truetune.types import Bools, Ints, Span

Repair = Literal["conll", "drop", "refuse"]

OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(5)

UNTYPED = "_"
"""The type of a tag that is only a letter (`B`, `S`: word segmentation)."""

_LETTERS = "BIESLUMW"
_LIKE_PREFIX = re.compile(rf"(?i:[{_LETTERS}])([-_].*)?|.*[-_][{_LETTERS}]", re.DOTALL)


@dataclass(frozen=True)
class Scheme:
    """How tags mark spans: the role of each letter, and the sign between letter and type.

    `roles` is empty for tags without letters (`NAME NAME O`): the whole tag is then the type, hyphens and
    all, and neighbours of one type make one span.
    """

    name: str
    roles: Mapping[str, int]
    separator: str = "-"

    @property
    def closed(self) -> bool:
        """Whether the end of every span is marked."""
        return END in self.roles.values()


IOB1 = Scheme("IOB1", {"I": INSIDE, "B": BEGIN})
"""`B` only where a span follows directly on another of its type (CoNLL-2003 as published)."""
IOB2 = Scheme("IOB2", {"B": BEGIN, "I": INSIDE})
BIOES = Scheme("BIOES", {"B": BEGIN, "I": INSIDE, "E": END, "S": SINGLE})
BILOU = Scheme("BILOU", {"B": BEGIN, "I": INSIDE, "L": END, "U": SINGLE})
BMES = Scheme("BMES", {"B": BEGIN, "M": INSIDE, "E": END, "S": SINGLE})
BMEWO = Scheme("BMEWO", {"B": BEGIN, "M": INSIDE, "E": END, "W": SINGLE})
PLAIN = Scheme("plain", {})

SCHEMES = {scheme.name: scheme for scheme in (IOB2, IOB1, BIOES, BILOU, BMES, BMEWO, PLAIN)}
LETTERED = tuple(
    candidate for scheme in SCHEMES.values() if scheme.roles for candidate in (scheme, replace(scheme, separator="_"))
)
"""The schemes whose tags carry letters, with either separator, in the order in which they are tried."""
_ALIASES = {"BIO": "IOB2", "IOB": "IOB1", "IOBES": "BIOES", "BIOUL": "BILOU", "BMESO": "BMES", "IO": "plain"}


def scheme_named(name: str) -> Scheme:
    """Return a scheme by its name or a usual other name (BIO, IOBES...), in any case."""
    known = {key.upper(): key for key in (*SCHEMES, *_ALIASES)}
    if name.upper() not in known:
        raise DataError(f"unknown tag scheme {name!r}; {nearest(name, (*SCHEMES, *_ALIASES))}")
    key = known[name.upper()]
    return SCHEMES[_ALIASES.get(key, key)]


class SpanTable(NamedTuple):
    """The spans of many sentences (or texts) as columns, all `[spans]`, `end` exclusive."""

    sentence: Ints
    start: Ints
    end: Ints
    type: Ints
    """Position in `types`."""
    types: tuple[str, ...]
    sentences: int
    """How many sentences there are, those without spans included."""

    def lists(self) -> list[list[Span]]:
        """Return the spans of each sentence, in the order of the table."""
        found: list[list[Span]] = [[] for _ in range(self.sentences)]
        columns = (self.sentence, self.start, self.end, self.type)
        for sentence, start, end, kind in zip(*(column.tolist() for column in columns), strict=True):
            found[sentence].append(Span(start, end, self.types[kind]))
        return found


class Tagged(NamedTuple):
    """The tags of a whole corpus in one row: each distinct tag is read once, whatever their number."""

    code: Ints
    """`[tokens]`, position of each token's tag in `tags`."""
    lengths: Ints
    """`[sentences]`"""
    tags: tuple[str, ...]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[str]]) -> Tagged:
        """Put one list of tags a sentence in a row."""
        known = _Codes()
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        codes = map(known.__getitem__, chain.from_iterable(sequences))
        return cls(np.fromiter(codes, dtype=np.int64, count=int(lengths.sum())), lengths, tuple(known))

    def place(self, token: int) -> tuple[int, int]:
        """Return sentence and position in it of a token."""
        ends = np.cumsum(self.lengths)
        sentence = int(np.searchsorted(ends, token, side="right"))
        return sentence, token - int(ends[sentence] - self.lengths[sentence])


def tags_to_spans(tags: Sequence[str], scheme: Scheme, repair: Repair = "conll") -> list[Span]:
    """Return the spans of one sentence in token positions, in order.

    Raises `DataError` for a tag that is not of the scheme, and for improper sequences under `refuse`.
    """
    return span_table(Tagged.of([tags]), scheme, repair).lists()[0]


def span_table(tagged: Tagged, scheme: Scheme, repair: Repair = "conll") -> SpanTable:
    """Return the spans of a whole corpus in token positions.

    Raises `DataError` as `tags_to_spans` does.
    """
    read = _Read.of(tagged, scheme)
    continues = read.continues()
    marked = read.role != OUTSIDE
    begins = np.flatnonzero(marked & ~continues)
    last = np.flatnonzero(marked & ~np.append(continues[1:], False))
    if repair != "conll":
        improper = read.improper(scheme, continues)
        if improper.any():
            if repair == "refuse":
                _refuse(tagged, scheme, improper)
            before = np.concatenate(([0], np.cumsum(improper)))
            proper = before[last + 1] == before[begins]
            begins, last = begins[proper], last[proper]
    first = np.cumsum(tagged.lengths) - tagged.lengths
    sentence = np.searchsorted(np.cumsum(tagged.lengths), begins, side="right")
    starts = begins - first[sentence]
    kinds = read.type[begins].astype(np.int64)
    return SpanTable(sentence, starts, last + 1 - begins + starts, kinds, read.types, len(first))


def spans_to_tags(spans: Iterable[tuple[int, int, str]], length: int, scheme: Scheme) -> list[str]:
    """Return the tags of a sentence of `length` tokens from spans in token positions.

    Raises `DataError` for spans that overlap or leave the sentence, which no tags can express, and for
    neighbours of one type in the plain scheme, which would melt into one.
    """
    tags = ["O"] * length
    letters = {role: letter for letter, role in scheme.roles.items()}
    before, type_before = 0, ""
    for start, end, kind in sorted(spans):
        if not before <= start < end <= length:
            raise DataError(
                f"span [{start}, {end}, {kind!r}] overlaps another one or is not within the {length} "
                "tokens; tags can only express spans that lie apart"
            )
        touches = start == before and kind == type_before
        if not scheme.roles:
            if touches:
                raise DataError(
                    f"two spans of type {kind!r} meet at token {start}: tags without letters cannot "
                    "tell them apart; use IOB2"
                )
            tags[start:end] = [kind] * (end - start)
        else:
            roles = [BEGIN, *[INSIDE] * (end - start - 1)]
            if scheme.closed:
                roles[-1] = END if end - start > 1 else SINGLE
            elif scheme.name == "IOB1" and not touches:
                roles[0] = INSIDE
            tags[start:end] = [f"{letters[role]}{scheme.separator}{kind}" for role in roles]
        before, type_before = end, kind
    return tags


def improper_tags(tagged: Tagged, scheme: Scheme) -> int:
    """Return how many tags stand where the scheme does not allow them."""
    read = _Read.of(tagged, scheme)
    return int(read.improper(scheme, read.continues()).sum())


def proper_schemes(tagged: Tagged) -> tuple[Scheme, ...]:
    """Return every scheme in which the corpus is properly written; all of them give the same spans."""
    return tuple(scheme for scheme in _candidates(tagged.tags) if not improper_tags(tagged, scheme))


def has_letters(tags: Iterable[str], scheme: Scheme) -> bool:
    """Return whether every tag but `O` has a letter of the scheme, before its separator or alone."""
    letters = tuple(letter + scheme.separator for letter in scheme.roles)
    marked = (str(tag) for tag in tags if tag != "O")
    return bool(letters) and all(tag in scheme.roles or tag.startswith(letters) for tag in marked)


def fitting_schemes(tags: Sequence[str]) -> list[Scheme]:
    """Return the schemes that a corpus may be written in of which these are some of the tags."""
    lettered = [scheme for scheme in LETTERED if has_letters(tags, scheme)]
    return lettered if _like_letters(tags) else [*lettered, PLAIN]


def detect_scheme(tagged: Tagged, repair: Repair = "refuse") -> Scheme:
    """Return the scheme that tags are written in, by their letters and by which sequences are proper.

    Under `refuse` they must be properly written throughout; under another repair the scheme with the
    fewest improper tags is taken. Raises `DataError` where that leaves none, or where it is not clear
    whether tags carry letters at all (`E-mail`): then the scheme must be named.
    """
    scheme = likeliest_scheme(tagged.tags, partial(improper_tags, tagged))
    if repair == "refuse":
        span_table(tagged, scheme, "refuse")
    return scheme


def likeliest_scheme(tags: Sequence[str], faults: Callable[[Scheme], int]) -> Scheme:
    """Return the scheme of a corpus with these distinct tags that has the fewest faults, as `detect_scheme`.

    `faults` says how many tags stand where a scheme does not allow them.
    """
    fewest: tuple[int, Scheme] | None = None
    for scheme in _candidates(tags):
        number = faults(scheme)
        if not number:
            return scheme
        if fewest is None or number < fewest[0]:
            fewest = number, scheme
    if fewest is None:
        known = sorted({str(tag) for tag in tags} - {"O"})
        raise DataError(
            f"no tag scheme fits the tags {', '.join(map(repr, known[:8]))}{'...' if len(known) > 8 else ''}; "
            f"name the one that is meant: {', '.join(SCHEMES)} (plain: the whole tag is the type)"
        )
    return fewest[1]


def _candidates(tags: Sequence[str]) -> list[Scheme]:
    """Return the schemes whose letters all tags have."""
    marked = [str(tag) for tag in tags if tag != "O"]
    if not marked:
        return [IOB2]
    if not _like_letters(marked):
        return [PLAIN]
    return [scheme for scheme in LETTERED if has_letters(marked, scheme) and _begins_what_it_ends(marked, scheme)]


def _like_letters(tags: Sequence[str]) -> bool:
    """Return whether any tag looks as if it carried a letter."""
    return any(_LIKE_PREFIX.fullmatch(str(tag)) for tag in tags)


def _begins_what_it_ends(tags: Sequence[str], scheme: Scheme) -> bool:
    """Return whether both letters of a closed scheme are used, or neither: `E-mail` alone is no span's end."""
    used = {scheme.roles[tag[0]] for tag in tags}
    return not scheme.closed or (BEGIN in used) == (END in used)


class _Codes(dict[str, int]):
    """Tag -> the order in which it was first met."""

    def __missing__(self, tag: str) -> int:
        self[tag] = len(self)
        return len(self) - 1


class _Read(NamedTuple):
    """Tags read in a scheme."""

    role: npt.NDArray[np.int8]
    """`[tokens]`"""
    type: npt.NDArray[np.int32]
    """`[tokens]`, position in `types`, -1 for `O`"""
    bare: Bools
    """`[tokens]`, tags without a letter although the scheme has letters"""
    first: Bools
    """`[tokens]`, whether the token is the first of its sentence"""
    types: tuple[str, ...]

    @classmethod
    def of(cls, tagged: Tagged, scheme: Scheme) -> _Read:
        types: dict[str, int] = {}
        read = []
        for code, tag in enumerate(tagged.tags):
            try:
                role, kind, bare = _read_tag(tag, scheme)
            except ValueError as error:
                sentence, token = tagged.place(int(np.argmax(tagged.code == code)))
                raise DataError(f"sentence {sentence + 1}, token {token + 1}: {error}") from None
            read.append((role, -1 if role == OUTSIDE else types.setdefault(kind, len(types)), bare))
        role_of, type_of, is_bare = np.array(read, dtype=np.int32).reshape(-1, 3).T
        first = np.zeros(len(tagged.code) + 1, dtype=np.bool_)
        first[np.cumsum(tagged.lengths) - tagged.lengths] = True
        return cls(
            role_of.astype(np.int8)[tagged.code],
            type_of.copy()[tagged.code],
            is_bare.astype(np.bool_)[tagged.code] if is_bare.any() else np.zeros_like(first[:-1]),
            first[:-1],
            tuple(types),
        )

    def continues(self) -> Bools:
        """Return which tokens continue the span of the token before them."""
        found: Bools = ((self.role == INSIDE) | (self.role == END)) & ~self.first
        found[1:] &= (self.role[:-1] == BEGIN) | (self.role[:-1] == INSIDE)
        found[1:] &= self.type[1:] == self.type[:-1]
        return found

    def improper(self, scheme: Scheme, continues: Bools) -> Bools:
        """Return which tokens a properly written sequence would not have where they stand."""
        if not scheme.roles:
            return np.zeros(len(self.role), dtype=np.bool_)
        if scheme.name == "IOB1":
            as_inside = self._replace(role=np.where(self.role == BEGIN, np.int8(INSIDE), self.role))
            alone: Bools = (self.role == BEGIN) & ~as_inside.continues()
            return alone | self.bare
        improper: Bools = ((self.role == INSIDE) | (self.role == END)) & ~continues
        if scheme.closed:
            open_ended = (self.role == BEGIN) | (self.role == INSIDE)
            improper |= open_ended & ~np.append(continues[1:], False)
        return improper | self.bare


def _read_tag(tag: str, scheme: Scheme) -> tuple[int, str, bool]:
    """Return the role and the type of a tag, and whether a letter is missing."""
    if not isinstance(tag, str) or not tag.strip():
        raise ValueError(f"expected a tag, found {tag!r}")
    if tag == "O":
        return OUTSIDE, "", False
    if not scheme.roles:
        return INSIDE, tag, False
    letter, separator, kind = tag.partition(scheme.separator)
    if letter in scheme.roles and (kind or not separator):
        return scheme.roles[letter], kind or UNTYPED, False
    if len(letter) == 1 and letter in _LETTERS:
        raise ValueError(f"tag {tag!r} is not of scheme {scheme.name} (letters {', '.join(scheme.roles)}, and O)")
    return INSIDE, tag, True


def _refuse(tagged: Tagged, scheme: Scheme, improper: Bools) -> NoReturn:
    problems = []
    for token in np.flatnonzero(improper).tolist():
        sentence, position = tagged.place(token)
        before = f" after {tagged.tags[tagged.code[token - 1]]}" if position else " at the beginning"
        problems.append(f"sentence {sentence + 1}, token {position + 1}: {tagged.tags[tagged.code[token]]}{before}")
    raise DataError(
        f"{len(problems):,} tags stand where scheme {scheme.name} does not allow them; correct them, name "
        "another scheme, or say how to repair them (`conll` or `drop`)",
        problems,
    )
