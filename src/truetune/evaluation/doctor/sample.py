"""The first examples of an evaluation in parts, kept so that the doctor has something to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from truetune.evaluation.doctor.case import Case, listed

LOOKED_AT = 5_000
"""How many examples are kept; whatever number is counted, memory does not grow beyond them."""

Columns = dict[str, list[Any]]


@dataclass
class Sample:
    """Columns of the first examples that were added, in their order; those that all of them have."""

    ids: list[str] = field(default_factory=list)
    gold: Columns = field(default_factory=dict)
    predicted: Columns = field(default_factory=dict)
    others: Columns = field(default_factory=dict)

    def add(self, case: Case) -> None:
        """Keep the first of some examples, as many as there is room for."""
        room = LOOKED_AT - len(self.ids)
        if room <= 0 or not len(case):
            return
        empty = not self.ids
        self.ids.extend(case.ids[:room])
        for own, more in ((self.gold, case.gold), (self.predicted, case.predicted), (self.others, case.others)):
            _extend(own, more, room, empty)

    def merge(self, other: Sample) -> None:
        """Keep the examples of another sample behind one's own."""
        self.add(other.case(""))

    def case(self, task: str) -> Case:
        """Return what is kept as the doctor reads it."""
        return Case(task, self.ids, self.gold, self.predicted, self.others)


def _extend(own: Columns, more: Mapping[str, Any], room: int, empty: bool) -> None:
    for name in [name for name in own if name not in more]:
        del own[name]
    for name, column in more.items():
        if empty:
            own[name] = list(listed(column)[:room])
        elif name in own:
            own[name].extend(listed(column)[:room])
