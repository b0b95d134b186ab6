"""A run folder's saved files; any part may be missing, as in a run that was interrupted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from truetune.errors import RunError
from truetune.files import read_json
from truetune.reports.predictions import Predictions, read_predictions
from truetune.tracking.local import events

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class System:
    """A system that was scored: its name, its scores (the evaluate JSON), and where its predictions are."""

    role: str
    """`before`, `after`, or empty for any other; also the CSS class of its look."""
    name: str
    scores: Mapping[str, Any]
    folder: Path | None = None

    @cached_property
    def predictions(self) -> Predictions | None:
        """The predictions, read when first asked for; None where there is no file of them."""
        path = self.folder / "predictions.parquet" if self.folder else None
        return read_predictions(path) if path and path.exists() else None

    def score(self, metric: str) -> Mapping[str, Any] | None:
        """Return one score of the JSON, None where it is not there."""
        return next((score for score in self.scores["scores"] if score["metric"] == metric), None)


@dataclass(frozen=True)
class SavedRun:
    """Everything that a run's page is made of."""

    name: str
    config: str
    manifest: Mapping[str, Any]
    audit: Sequence[Mapping[str, Any]] | None
    data: Mapping[str, Any] | None
    before: System | None
    after: System | None
    baselines: tuple[System, ...]
    comparison: Mapping[str, Any] | None
    verdict: Mapping[str, Any] | None
    events: tuple[Mapping[str, Any], ...]
    entities: Mapping[str, Any] | None = None
    """Recall of entities by how often training has them."""
    weak: Mapping[str, Any] | None = None
    """Where the fine-tuned model is worst; None where nothing was looked for."""
    decisions: Mapping[str, Any] | None = None
    """How what is made of probabilities was fitted; None where the model answers as it is."""
    decided: Mapping[str, Any] | None = None
    """What that is worth on the test part."""
    diagnosis: Mapping[str, Any] | None = None
    """What `truetune diagnose` found, where it was asked."""
    behaviour: Mapping[str, Any] | None = None
    """What `truetune check` found, where it was asked."""
    reading: Mapping[str, Any] | None = None
    """How a pretrained model's tokenizer cuts texts, and what the model writes."""
    probes: Mapping[str, Any] | None = None
    """What checkpoints of a pretraining score when they are fine-tuned, where that was asked."""

    @property
    def systems(self) -> tuple[System, ...]:
        """`before` and `after`, as far as they are there."""
        return tuple(system for system in (self.before, self.after) if system is not None)

    @property
    def compared(self) -> Mapping[str, Mapping[str, Any]]:
        """The comparison of `after` with `before` by metric; of several baselines, the one that is `before`."""
        ones = (self.comparison or {}).get("comparisons", ())
        names = {one["baseline"] for one in ones}
        wanted = self.before.name if self.before and self.before.name in names else None
        chosen: dict[str, Mapping[str, Any]] = {}
        for one in ones:
            if wanted is None or one["baseline"] == wanted:
                chosen.setdefault(one["metric"], one)
        return chosen

    @property
    def task(self) -> str:
        """The task's name, from whichever file says it."""
        for system in self.systems:
            if system.scores.get("task"):
                return str(system.scores["task"])
        return str(self.manifest.get("task") or "")

    @property
    def primary(self) -> str:
        """The metric that decides; empty where no file names one."""
        places: list[Mapping[str, Any] | None] = [self.verdict, self.comparison]
        places += [system.scores for system in reversed(self.systems)]
        for place in places:
            found = (place or {}).get("metric") or (place or {}).get("primary")
            if found:
                return str(found)
        return ""


def read_run(path: Path) -> SavedRun:
    """Read a run folder; raises `RunError` where it is none, or where a file of it cannot be read."""
    if not path.is_dir():
        raise RunError(f"{path}: no such run folder; give a folder that `truetune finetune` wrote")
    if not any((path / name).exists() for name in ("manifest.json", "config.yaml", "after", "before")):
        raise RunError(f"{path}: not a run folder: neither manifest.json nor config.yaml is there")
    audit = _json(path / "audit.json")
    config = path / "config.yaml"
    return SavedRun(
        name=path.resolve().name,
        config=config.read_text(encoding="utf-8") if config.exists() else "",
        manifest=_json(path / "manifest.json") or {},
        audit=None if audit is None else audit.get("findings", []),
        data=_json(path / "data.json"),
        before=_system(path / BEFORE, BEFORE),
        after=_system(path / AFTER, AFTER),
        baselines=tuple(
            system for folder in sorted((path / "baselines").glob("*/")) if (system := _system(folder, "")) is not None
        ),
        comparison=_json(path / "comparison.json"),
        verdict=_json(path / "verdict.json"),
        events=tuple(events(path / "events.jsonl")),
        entities=_json(path / AFTER / "entities.json"),
        weak=_json(path / AFTER / "weak.json"),
        decisions=_json(path / "decisions.json"),
        decided=_json(path / AFTER / "decisions.json"),
        diagnosis=_json(path / "diagnosis.json"),
        behaviour=_json(path / "behaviour.json"),
        reading=_json(path / "reading.json"),
        probes=_json(path / "probes.json"),
    )


def _system(folder: Path, role: str) -> System | None:
    scores = _json(folder / "scores.json")
    if scores is None:
        return None
    return System(role, str(scores.get("system") or folder.name), scores, folder)


def _json(path: Path) -> Any:
    if not path.exists():
        return None
    try:
        return read_json(path)
    except ValueError as error:
        raise RunError(f"{path}: cannot be read as JSON: {error}") from error
