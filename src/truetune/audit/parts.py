"""What the checks look at: the parts of a data set as plain columns, and how examples of them are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from truetune.data.keys import Keys, hashed
from truetune.text import normalised
from truetune.types import Finding, Span

SHOWN = 10
"""How many examples a finding shows."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class AuditPart:
    """One part (train, validation, test, or all of a file that is not split yet)."""

    name: str
    ids: Sequence[str]
    texts: Sequence[Sequence[str]]
    """The text columns, each one text an example."""
    gold: Sequence[Any] | None
    """Labels, label sets or spans; None where there are none."""
    groups: Sequence[str] | None
    mentions: Sequence[Sequence[tuple[int, str]]] | None = None
    """What is said to stand in the first text, and where it begins (answers of extractive question answering)."""

    @cached_property
    def whole(self) -> list[str]:
        """All texts of each example as one."""
        return ["\n".join(texts) for texts in zip(*self.texts, strict=True)]

    @cached_property
    def column_keys(self) -> list[list[str]]:
        """Each text column, normalised: case, width, spaces and punctuation do not tell texts apart."""
        return [[normalised(text) for text in column] for column in self.texts]

    @cached_property
    def keys(self) -> list[str]:
        """All texts of each example, normalised."""
        return ["\n".join(keys) if any(keys) else "" for keys in zip(*self.column_keys, strict=True)]

    @cached_property
    def answers(self) -> list[Any]:
        """What gold says about each example, comparable between equal texts: spans by what stands in them."""
        if self.gold is None:
            return []
        return [_answer(value, text) for value, text in zip(self.gold, self.texts[0], strict=True)]

    @cached_property
    def answer_keys(self) -> Keys:
        """Keys that are equal for equal answers, `[examples]`, or none where there is no gold."""
        gold = () if self.gold is None else self.gold
        told = (repr(_answer(value, text)) for value, text in zip(gold, self.texts[0], strict=self.gold is not None))
        return hashed(told, len(gold))

    def told(self, places: Sequence[int]) -> str:
        """Return examples with an equal text on one line: their ids, the text, and their gold where there is any."""
        ids = ", ".join(self.ids[place] for place in places[:4]) + (", …" if len(places) > 4 else "")
        gold = sorted({_shown(self.answers[place]) for place in places}) if self.gold is not None else []
        return f"{ids}: {shortened(self.whole[places[0]])}" + (f" [{shortened(' | '.join(gold))}]" if gold else "")


Parts = Mapping[str, AuditPart]


def finding(check: str, severity: Severity, examples: Sequence[str], advice: str, count: int | None = None) -> Finding:
    """Return a finding that shows the first examples; it counts all of them unless `count` says how many."""
    return Finding(check, severity, len(examples) if count is None else count, tuple(examples[:SHOWN]), advice)


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
