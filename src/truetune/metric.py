"""A metric is two functions: an example's row, and any rows' value.

Everything else (intervals, paired tests, slices, clusters, streaming, merging) follows from these two
and is written once, in `stats` and `evaluation`. The varying part is passed in, not inherited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from truetune.rows import Rows
from truetune.types import Better, Bools, Column, Floats, IntervalMethod, Numbers

UNDEFINED = "nothing to divide by: the formula is 0/0 on these examples"

RowsOf = Callable[[Column, Column], Rows]
"""(gold, predicted) -> rows. Metrics of a family share one such function; it is called once for all."""

Seen = Counter[Hashable]
"""What was counted in some examples; of several sets of examples the counts add up."""


@dataclass(frozen=True, eq=False)
class RowsByConvention:
    """Rows under a convention (a tokeniser, a tag scheme) that all the examples decide together.

    Called as a plain rows function it looks at the examples that it is given. Where they come in parts the
    decision waits for the last one: `seen` counts what it rests on, `under` gives the rows for each convention
    that is still `possible` with what one part has shown, and `decided` chooses from all counts added up.

    Law: `rows(gold, predicted)` equals `under(gold, predicted, [name])[name]` for `name = decided(seen(gold,
    predicted))`, which is among `possible(seen(part))` for every part of the examples.
    """

    whole: RowsOf
    seen: Callable[[Column, Column], Seen]
    possible: Callable[[Seen], Collection[str]]
    decided: Callable[[Seen], str]
    under: Callable[[Column, Column, Collection[str]], Mapping[str, Rows]]

    def __call__(self, gold: Column, predicted: Column) -> Rows:
        """Return the rows under the convention that these examples decide."""
        return self.whole(gold, predicted)


class Metric(Protocol):
    """What each example contributes (`rows`), and what any weighted set of rows is worth (`value`)."""

    @property
    def name(self) -> str:
        """The stable name: `f1_macro`, `bleu`, `ndcg@10`."""
        ...

    @property
    def gold(self) -> str:
        """The field of gold that `rows` reads."""
        ...

    @property
    def predicted(self) -> str:
        """The field of predicted that `rows` reads."""
        ...

    @property
    def better(self) -> Better:
        """The direction of improvement."""
        ...

    @property
    def unit(self) -> str:
        """What one example is: `text`, `sentence`, `query`..."""
        ...

    @property
    def definition(self) -> str:
        """The formula in one line, with its source; it opens the signature."""
        ...

    @property
    def interval(self) -> IntervalMethod:
        """The method that is known to cover; `none` where no valid interval is known."""
        ...

    @property
    def undefined(self) -> str:
        """Why a NaN is one: the case in which the formula has no value."""
        ...

    @property
    def additive(self) -> bool:
        """Whether the value is a formula over summed rows."""
        ...

    @property
    def limits(self) -> tuple[float, float] | None:
        """The least and the greatest possible value, where known.

        Intervals keep inside, and a value at its limit gets a bound although no resample moves it.
        """
        ...

    @property
    def rows(self) -> RowsOf:
        """The function that finds each example's contribution."""
        ...

    def value(self, rows: Rows, counts: Numbers | None = None) -> Floats:
        """Return `[...]` for counts `[..., distinct]` of the distinct rows (default: as observed).

        NaN where the metric is undefined, never 0.
        """
        ...


@dataclass(frozen=True)
class Additive:
    """A metric whose value is a formula over summed rows.

    `formula` takes sums `[..., statistics]` (or `[..., statistics, labels]`) and returns `[...]`.
    `ratio`, where the value is a quotient of two linear sums, returns that `(numerator, denominator)`
    pair from the same sums; Wilson and t intervals need it.
    """

    name: str
    rows: RowsOf
    formula: Callable[[Numbers], Floats]
    gold: str
    predicted: str
    definition: str
    unit: str
    better: Better = "higher"
    interval: IntervalMethod = "bca"
    ratio: Callable[[Numbers], tuple[Numbers, Numbers]] | None = None
    undefined: str = UNDEFINED
    limits: tuple[float, float] | None = None
    additive: bool = field(default=True, init=False)

    def value(self, rows: Rows, counts: Numbers | None = None) -> Floats:
        """Return the formula of the weighted sums."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.formula(rows.totals(counts))


@dataclass(frozen=True)
class Pooled:
    """A metric that needs all examples at once (AUC, calibration error, distinct-n): not additive.

    `rows` hold the per-example inputs; `pooled(rows, counts)` returns the value for `counts`
    `[..., distinct]`.
    """

    name: str
    rows: RowsOf
    pooled: Callable[[Rows, Numbers], Floats]
    gold: str
    predicted: str
    definition: str
    unit: str
    better: Better = "higher"
    interval: IntervalMethod = "bca"
    undefined: str = UNDEFINED
    limits: tuple[float, float] | None = None
    bearing: Callable[[Rows], Bools] | None = None
    """Which distinct rows the value weighs, `[labels, distinct]`, where it is a mean over some of them only (the
    positives): so many trials stand behind a value at its limit. None: all rows alike."""
    additive: bool = field(default=False, init=False)

    def value(self, rows: Rows, counts: Numbers | None = None) -> Floats:
        """Return the value of the weighted set of rows."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.pooled(rows, rows.counts if counts is None else counts)


@dataclass(frozen=True)
class PerLabel:
    """A metric of each label: it becomes one `Additive` a label, named `NAME/LABEL`, once rows are known.

    `formula` and `ratio` take sums `[..., statistics, labels]` and return `[..., labels]`.
    """

    name: str
    rows: RowsOf
    formula: Callable[[Numbers], Floats]
    gold: str
    predicted: str
    definition: str
    unit: str
    better: Better = "higher"
    interval: IntervalMethod = "bca"
    ratio: Callable[[Numbers], tuple[Numbers, Numbers]] | None = None
    undefined: str = UNDEFINED
    limits: tuple[float, float] | None = None

    def metrics(self, labels: Sequence[str]) -> tuple[Additive, ...]:
        """Return the metric of each label."""
        return tuple(self._one(label, position) for position, label in enumerate(labels))

    def _one(self, label: str, position: int) -> Additive:
        whole, parts = self.formula, self.ratio

        def formula(sums: Numbers) -> Floats:
            value: Floats = whole(sums[..., position : position + 1])[..., 0]
            return value

        def ratio(sums: Numbers) -> tuple[Numbers, Numbers]:
            assert parts is not None
            above, below = parts(sums[..., position : position + 1])
            return above[..., 0], below[..., 0]

        return Additive(
            name=f"{self.name}/{label}",
            rows=self.rows,
            formula=formula,
            gold=self.gold,
            predicted=self.predicted,
            definition=self.definition,
            unit=self.unit,
            better=self.better,
            interval=self.interval,
            ratio=ratio if parts is not None else None,
            undefined=self.undefined,
            limits=self.limits,
        )
