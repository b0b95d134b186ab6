"""The quality of a served model, kept in a folder: answers and labels as they come, drift, accuracy, calibration."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from truetune.files import read_json, write_json
from truetune.live.features import CONFIDENCE, LABEL, Observed
from truetune.live.journal import NAME as JOURNAL
from truetune.live.journal import Journal, read_journal
from truetune.live.reference import Reference
from truetune.live.watch import LABELLED_WINDOW, WINDOW, DriftWatch, LabelWatch
from truetune.stats.sequences import BoundedMean, bernoulli_sequence

STATE, FORMAT = "state.json", 1
KEPT = 200_000
"""Answers that labels may still be sent for."""
FIRST, SECOND, SHADOW = "first", "second", "shadow"
"""Who answered: the model itself, the other one of an A/B comparison, the one whose answers are only kept."""


@dataclass(frozen=True)
class Watching:
    """How often is looked, and how rare false alarms are."""

    window: int = WINDOW
    labelled: int = LABELLED_WINDOW
    alpha: float = 0.05
    """Chance of ever a false alarm of drift, and again of one of accuracy and calibration."""


@dataclass
class _Answered:
    model: str
    arm: str
    label: str | None
    confidence: float | None
    labelled: bool = False


class Quality:
    """What is known of the model that is served; one thread at a time."""

    def __init__(self, folder: Path, watching: Watching | None = None) -> None:
        self._folder, self._watching = folder, watching or Watching()
        self._answered: OrderedDict[str, _Answered] = OrderedDict()
        if (folder / JOURNAL).is_file():
            for row in read_journal(folder / JOURNAL):
                self._remember(row)
        self._journal = Journal(folder / JOURNAL)
        self._model = ""
        self._reason = "no model is served yet"
        self._drift: DriftWatch | None = None
        self._labels: LabelWatch | None = None
        self._hits, self._sure = (0, 0), BoundedMean(self._watching.alpha)
        self._reference: Reference | None = None

    def begin(self, model: str, reference: Reference | None, reason: str = "") -> str:
        """Watch a model from here on; return in words whether that goes on from what was saved, or starts anew.

        `reason`: why there is no reference.
        """
        watching = self._watching
        self._model, self._reference, self._reason = model, reference, reason
        self._drift = self._labels = None
        self._hits, self._sure = (0, 0), BoundedMean(watching.alpha)
        if reference is not None:
            self._drift = DriftWatch(reference, watching.window, watching.alpha)
            if reference.calibration:
                self._labels = LabelWatch(reference, watching.labelled, watching.alpha)
        file = self._folder / STATE
        if not file.is_file():
            return "starts anew: nothing was saved"
        try:
            stored = read_json(file)
            if stored["format"] != FORMAT:
                return f"starts anew: what was saved has format {stored['format']}, expected {FORMAT}"
            if stored["model"] != model:
                return f"starts anew: what was saved is of the model {stored['model']}"
            self._restore(stored)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self.begin_fresh(model, reference)
            return f"starts anew: what was saved cannot be gone on with ({error})"
        seen = 0 if self._drift is None else self._drift.examples
        return f"goes on after {seen:,} texts and {self._hits[1]:,} labels"

    def begin_fresh(self, model: str, reference: Reference | None) -> None:
        """Forget what was saved, and watch a model from its beginning."""
        (self._folder / STATE).unlink(missing_ok=True)
        self.begin(model, reference, self._reason)

    def answered(self, model: str, arm: str, request: str, seen: Sequence[Observed]) -> bool:
        """Take in the answers to one request; whether a window ended, so that the state was saved."""
        rows = []
        for place, one in enumerate(seen):
            known = {name: one[name] for name in (LABEL.name, CONFIDENCE.name) if name in one}
            rows.append({"kind": "answer", "id": f"{request}/{place}", "model": model, "arm": arm, **known})
        self._journal.write(rows)
        for row in rows:
            self._remember(row)
        ended = False
        if arm == FIRST and model == self._model and self._drift is not None:
            for one in seen:
                ended = self._drift.seen(one) or ended
        if ended:
            self.save()
        return ended

    def labelled(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """Take in labels by id (`REQUEST/PLACE`, or the request alone for its first text); return what came of them."""
        taken, unknown, repeated, rows = 0, [], 0, []
        for name, label in labels.items():
            id = name if "/" in name else f"{name}/0"
            answer = self._answered.get(id)
            if answer is None:
                unknown.append(name)
            elif answer.labelled:
                repeated += 1
            else:
                taken += 1
                answer.labelled = True
                rows.append({"kind": "label", "id": id, "label": label})
                self._judge(answer, label)
        self._journal.write(rows)
        if rows:
            self.save()
        return {"taken": taken, "repeated": repeated, "unknown": unknown}

    def _judge(self, answer: _Answered, label: str) -> None:
        if answer.arm != FIRST or answer.model != self._model or answer.label is None:
            return
        right = answer.label == label
        self._hits = self._hits[0] + right, self._hits[1] + 1
        if answer.confidence is not None:
            self._sure = self._sure.after((right - answer.confidence + 1) / 2)
            if self._labels is not None:
                self._labels.seen(answer.confidence, right)

    def told(self) -> dict[str, Any]:
        """Return all that is known, as JSON values."""
        drift = None if self._drift is None else {"examples": self._drift.examples, **self._drift.sequence.told()}
        return {"model": self._model, "reason": self._reason or None, "drift": drift, "labels": self._told_labels()}

    def _told_labels(self) -> dict[str, Any]:
        right, labelled = self._hits
        low, high = bernoulli_sequence(right, labelled, self._watching.alpha)
        known = None if self._reference is None else self._reference.right
        gap = tuple(2 * one - 1 for one in self._sure.bounds)
        mean = 2 * self._sure.total / self._sure.number - 1 if self._sure.number else None
        return {
            "labelled": labelled,
            "accuracy": {
                "value": right / labelled if labelled else None,
                "low": low,
                "high": high,
                "validation": None if known is None else known[0] / known[1],
            },
            "accuracy_less_confidence": {"value": mean, "low": gap[0], "high": gap[1]},
            "watch": None if self._labels is None else self._labels.sequence.told(),
        }

    def save(self) -> None:
        """Write the state, whole or not at all."""
        stored = {
            "format": FORMAT,
            "model": self._model,
            "drift": None if self._drift is None else self._drift.to_dict(),
            "labels": None if self._labels is None else self._labels.to_dict(),
            "hits": list(self._hits),
            "sure": asdict(self._sure),
        }
        write_json(self._folder / STATE, stored)

    def close(self) -> None:
        """Save, and end the journal."""
        self.save()
        self._journal.close()

    def _restore(self, stored: Mapping[str, Any]) -> None:
        for watch, name in ((self._drift, "drift"), (self._labels, "labels")):
            if (watch is None) != (stored[name] is None):
                raise ValueError("it was of another reference")
            if watch is not None:
                watch.restore(stored[name])
        right, labelled = stored["hits"]
        self._hits, self._sure = (int(right), int(labelled)), BoundedMean(**stored["sure"])
        if self._sure.alpha != self._watching.alpha:
            raise ValueError("it was of another alpha")

    def _remember(self, row: Mapping[str, Any]) -> None:
        """Keep what labels need of a row of the journal; those of a shadow are found by the answers of the first."""
        if row["kind"] == "label" and row["id"] in self._answered:
            self._answered[row["id"]].labelled = True
        elif row["kind"] == "answer" and row["arm"] != SHADOW:
            self._answered[row["id"]] = _Answered(row["model"], row["arm"], row.get("label"), row.get("confidence"))
            self._answered.move_to_end(row["id"])
            if len(self._answered) > KEPT:
                self._answered.popitem(last=False)
