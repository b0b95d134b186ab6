"""What the checks look at: the parts of a data set as plain columns, and how examples of them are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from truetune.data.keys import Keys, first_places, hashed, hashed_with_lengths, together
from truetune.data.stored import Made, values_at
from truetune.text import normalised
from truetune.types import Bools, Finding, Ints, Span

SHOWN = 10
"""How many examples a finding shows."""

FEW = 100_000
"""Texts up to which they are kept in memory after normalisation, and up to which the audit is always thorough."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class AuditPart:
    """One part (train, validation, test, or all of a file that is not split yet).

    Its columns may be on disk: checks read them in order, and look up only what they show.
    """

    name: str
    ids: Sequence[str]
    texts: Sequence[Sequence[str]]
    """The text columns, each one text an example."""
    gold: Sequence[Any] | None
    """Labels, label sets or spans; None where there are none."""
    groups: Sequence[str] | None
    mentions: Sequence[Sequence[tuple[int, str]]] | None = None
    """What is said to stand in the first text, and where it begins (answers of extractive question answering)."""
    labelled: bool = True
    """Whether gold holds labels, or spans with types, which checks may count."""
    nested: bool = False
    """Whether spans may lie in each other."""
    open: bool = False
    """Whether different gold of one text may all be right: written texts, documents."""
    others: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Columns beside texts, gold and groups: the source, the annotator."""

    @cached_property
    def whole(self) -> Sequence[str]:
        """All texts of each example as one."""
        return self.texts[0] if len(self.texts) == 1 else Made(lambda *texts: "\n".join(texts), *self.texts)

    @cached_property
    def normal(self) -> list[Sequence[str]]:
        """Each text column, normalised: case, width, spaces and punctuation do not tell texts apart.

        Of many texts they are not kept, but made again each time.
        """
        columns = [Made(normalised, column) for column in self.texts]
        return [list(column) for column in columns] if len(self.ids) <= FEW else list(columns)

    @cached_property
    def column_keys(self) -> list[Keys]:
        """Keys of each text column, equal for equal texts after normalisation, empty for empty ones."""
        return [keys for keys, _ in self._columns]

    @cached_property
    def column_lengths(self) -> list[Ints]:
        """How many characters the texts of each column have after normalisation."""
        return [lengths for _, lengths in self._columns]

    @cached_property
    def keys(self) -> Keys:
        """The same for all texts of each example together, `[examples]`."""
        return together(self.column_keys)

    @cached_property
    def first_places(self) -> tuple[Keys, Ints]:
        """The distinct keys, and where each stands first."""
        return first_places(self.keys)

    @cached_property
    def answer_keys(self) -> Keys:
        """Keys that are equal for equal gold, `[examples]`; spans are equal by what stands in them."""
        assert self.gold is not None
        return hashed((repr(_answer(*pair)) for pair in zip(self.gold, self.texts[0], strict=True)), len(self.gold))

    @cached_property
    def differing(self) -> Bools:
        """Whether the text of an example stands with different gold elsewhere, `[examples]`."""
        if self.gold is None:
            return np.zeros(len(self.ids), dtype=np.bool_)
        return differing(self.keys, self.answer_keys)

    @cached_property
    def contrary(self) -> Bools:
        """Whether that is a contradiction, because at most one of them can be right, `[examples]`."""
        return np.zeros(len(self.ids), dtype=np.bool_) if self.open else self.differing

    @cached_property
    def _columns(self) -> list[tuple[Keys, Ints]]:
        return [hashed_with_lengths(column, len(self.ids)) for column in self.normal]

    def told(self, places: Sequence[int] | Ints) -> str:
        """Return examples with an equal text on one line: their ids, the text, and their gold where there is any."""
        ids = ", ".join(values_at(self.ids, places[:4])) + (", …" if len(places) > 4 else "")
        gold: list[str] = []
        if self.gold is not None:
            pairs = zip(values_at(self.gold, places), values_at(self.texts[0], places), strict=True)
            gold = sorted({_shown(_answer(value, text)) for value, text in pairs})
        (text,) = values_at(self.whole, places[:1])
        return f"{ids}: {shortened(text)}" + (f" [{shortened(' | '.join(gold))}]" if gold else "")


Parts = Mapping[str, AuditPart]


def differing(keys: Keys, answers: Keys) -> Bools:
    """Return which texts stand with different answers elsewhere, `[examples]`."""
    _, first, text = np.unique(keys, return_index=True, return_inverse=True)
    found = np.zeros(len(first), dtype=np.bool_)
    found[text[answers != answers[first[text]]]] = True
    return np.asarray(found[text])


def finding(
    check: str,
    severity: Severity,
    examples: Sequence[str],
    advice: str,
    count: int | None = None,
    *,
    parts: tuple[str, ...],
) -> Finding:
    """Return a finding about some parts that shows the first examples; it counts all of them unless `count` says how
    many.
    """
    number = len(examples) if count is None else count
    return Finding(check, severity, number, tuple(examples[:SHOWN]), advice, parts)


def shortened(text: str, characters: int = 60) -> str:
    """Return a text on one line, short enough for a list of examples."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1] + "…"


def _answer(value: Any, text: str) -> Any:
    if isinstance(value, list | tuple) and any(isinstance(item, Span) for item in value):
        return sorted((normalised(text[span.start : span.end]), span.type) for span in value)
    return list(value) if isinstance(value, list | tuple) else value


def _shown(answer: Any) -> str:
    if not isinstance(answer, list):
        return str(answer)
    return ", ".join("/".join(item) if isinstance(item, tuple) else str(item) for item in answer) or "none"
