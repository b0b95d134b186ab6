"""A score that a run has saved, as a value again."""

from __future__ import annotations

from truetune.bundle.run_folder import RunFolder
from truetune.files import read_json
from truetune.types import Score


def saved_score(run: RunFolder, folder: str, metric: str) -> Score:
    """Return a system's score in one metric."""
    saved = next(one for one in read_json(run.scores(folder))["scores"] if one["metric"] == metric)
    numbers = {name: float("nan") if saved[name] is None else saved[name] for name in ("value", "low", "high")}
    return Score(**{**saved, **numbers, "reason": saved["reason"] or ""})
