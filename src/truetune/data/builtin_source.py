"""What the readers of embedded data share: records, the facts told about them, repeated texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

Record = dict[str, Any]


class Reading(NamedTuple):
    """The records of a data set, and one line about what was left out and why."""

    records: list[Record]
    facts: str


def kept_once(records: Sequence[Record], gold: str) -> Reading:
    """Keep the first of records with equal text, and none where equal texts differ in the `gold` field.

    A repeated text would stand in training and in test; one with two answers has no right one.
    """
    answers: dict[str, set[str]] = {}
    for record in records:
        answers.setdefault(record["text"], set()).add(json.dumps(record[gold], ensure_ascii=False))
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record["text"], record)
    kept = [record for text, record in first.items() if len(answers[text]) == 1]
    contrary = len(first) - len(kept)
    facts = (
        f"{len(records):,} texts: {len(records) - len(first):,} repeat another one and {contrary:,} have "
        f"contrary {gold}: {len(kept):,} stay"
    )
    return Reading(kept, facts)
