"""Two models on live texts: is the second better? Of a journal, however often it is looked at.

Where both answered the same texts (a shadow), pairs of which one side is right decide: McNemar's test as a test
martingale. Where each answered its own (A/B), the two shares of right answers do. The evidence is looked at after every
label, as it came; by Ville's inequality the chance that it ever reaches 1 / alpha, with two models that are equally
good, is alpha at most. So one may look at any time, and stop when it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

from truetune.errors import DataError
from truetune.live.quality import FIRST, SECOND, SHADOW
from truetune.stats.sequences import (
    discordant_log_e,
    paired_sequence,
    unpaired_sequence,
)
from truetune.stats.two_arms import TwoArms
from truetune.types import Verdict

SHOWN = 20


@dataclass(frozen=True)
class Versus:
    """What a journal shows of two models."""

    paired: bool
    models: tuple[str, str]
    texts: tuple[int, int]
    """That each answered; of a shadow those that both did."""
    labelled: tuple[int, int]
    right: tuple[int, int]
    gained: int
    """Labelled pairs that only the second has right; 0 for A/B, as is `lost`."""
    lost: int
    disagreements: int
    unlabelled: tuple[str, ...]
    """Ids of pairs that disagree and have no label yet, the first ones: what is best labelled next."""
    difference: float | None
    low: float
    high: float
    evidence: float
    """The largest so far."""
    alpha: float
    after: int | None
    """Labels after which it was shown; None: it is not."""
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        pairs = ("models", "texts", "labelled", "right", "unlabelled")
        return {
            name: list(getattr(self, name)) if name in pairs else getattr(self, name)
            for name in self.__dataclass_fields__
        }


@dataclass
class _Path:
    """The evidence, label after label."""

    alpha: float
    highest: float = 0.0
    labels: int = 0
    shown: tuple[int, bool] | None = None
    """After how many labels, and whether the second is the better one."""

    def at(self, evidence: float, better: bool) -> None:
        self.labels += 1
        self.highest = max(self.highest, evidence)
        if self.shown is None and evidence >= log(1 / self.alpha):
            self.shown = self.labels, better

    @property
    def end(self) -> dict[str, Any]:
        """What it comes to: evidence, alpha, after how many labels it was shown, and the verdict."""
        after, better = self.shown or (None, False)
        verdict: Verdict = "no difference found" if after is None else "better" if better else "worse"
        return {"evidence": exp(min(self.highest, 700.0)), "alpha": self.alpha, "after": after, "verdict": verdict}


@dataclass
class _Text:
    said: dict[str, str] = field(default_factory=dict)
    """Arm -> label."""
    gold: str | None = None


def versus(rows: Iterable[Mapping[str, Any]], alpha: float = 0.05) -> Versus:
    """Compare the two models that answered last in a journal; raises `DataError` where only one answered."""
    kept = list(rows)
    last = {row["arm"]: row["model"] for row in kept if row["kind"] == "answer"}
    other = next((arm for arm in reversed(last) if arm != FIRST), None)
    if other is None or FIRST not in last:
        raise DataError("the journal has the answers of one model only; serve with --shadow PATH or --ab PATH first")
    models = last[FIRST], last[other]
    labelled = _texts(kept, {FIRST: models[0], other: models[1]})
    return _paired(labelled, models, alpha) if other == SHADOW else _unpaired(labelled, models, alpha)


def _texts(rows: Iterable[Mapping[str, Any]], models: Mapping[str, str]) -> Iterator[tuple[str, _Text, bool]]:
    """Yield id and text after each row that changed it, and whether its label was there before, or came just now."""
    texts: dict[str, _Text] = {}
    for row in rows:
        if row["kind"] == "answer":
            if models.get(row["arm"]) != row["model"] or "label" not in row:
                continue
            one = texts.setdefault(row["id"], _Text())
            one.said[row["arm"]] = row["label"]
        elif row["kind"] == "label" and row["id"] in texts and texts[row["id"]].gold is None:
            one = texts[row["id"]]
            one.gold = row["label"]
        else:
            continue
        yield row["id"], one, row["kind"] == "label"


def _paired(texts: Iterable[tuple[str, _Text, bool]], models: tuple[str, str], alpha: float) -> Versus:
    path, pairs, apart = _Path(alpha), 0, dict[str, None]()
    counts = {(one, other): 0 for one in (False, True) for other in (False, True)}
    disagreements = 0
    for id, text, label in texts:
        if len(text.said) < 2:
            continue
        first, second = text.said[FIRST], text.said[SHADOW]
        if not label:
            pairs += 1
            disagreements += first != second
            if first != second and text.gold is None:
                apart[id] = None
        if text.gold is None:
            continue
        apart.pop(id, None)
        counts[first == text.gold, second == text.gold] += 1
        gained, lost = counts[False, True], counts[True, False]
        path.at(discordant_log_e(gained, lost), gained > lost)
    gained, lost, both = counts[False, True], counts[True, False], counts[True, True]
    total = sum(counts.values())
    low, high = paired_sequence(gained, lost, total - gained - lost, alpha)
    return Versus(
        paired=True,
        models=models,
        texts=(pairs, pairs),
        labelled=(total, total),
        right=(both + lost, both + gained),
        gained=gained,
        lost=lost,
        disagreements=disagreements,
        unlabelled=tuple(list(apart)[:SHOWN]),
        difference=(gained - lost) / total if total else None,
        low=low,
        high=high,
        **path.end,
    )


def _unpaired(texts: Iterable[tuple[str, _Text, bool]], models: tuple[str, str], alpha: float) -> Versus:
    path, both, number = _Path(alpha), TwoArms(), {FIRST: 0, SECOND: 0}
    counts = {FIRST: (0, 0), SECOND: (0, 0)}
    for _, text, label in texts:
        (arm,) = list(text.said)[-1:]
        if not label:
            number[arm] += 1
            continue
        right = text.said[arm] == text.gold
        counts[arm] = counts[arm][0] + right, counts[arm][1] + 1
        first, second = counts[FIRST], counts[SECOND]
        path.at(both.after(arm == SECOND, right), second[0] * first[1] > first[0] * second[1])
    first, second = counts[FIRST], counts[SECOND]
    low, high = unpaired_sequence(first, second, alpha)
    return Versus(
        paired=False,
        models=models,
        texts=(number[FIRST], number[SECOND]),
        labelled=(first[1], second[1]),
        right=(first[0], second[0]),
        gained=0,
        lost=0,
        disagreements=0,
        unlabelled=(),
        difference=second[0] / second[1] - first[0] / first[1] if first[1] and second[1] else None,
        low=low,
        high=high,
        **path.end,
    )
