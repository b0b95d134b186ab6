"""A run followed in other places: TensorBoard, Weights & Biases, MLflow, as `track.to` names them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from truetune.bundle.format import CARD, NAME
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.files import read_json
from truetune.tracking.trackers import Begin, Outcome, Trackers, opened_trackers
from truetune.workflows.progress import Progress


@contextlib.contextmanager
def followed(settings: Config, run: RunFolder, progress: Progress) -> Iterator[Trackers]:
    """Give the trackers of a run, and tell them at its end what came of it; a finished run is not told of again."""
    names = () if run.finished else settings.track.to
    config = settings.model_dump(mode="json")
    begin = Begin(run.path.name, run.path / "tracking", run.path.parent, settings.track.project, config)
    trackers = opened_trackers(names, begin, progress.say)
    outcome = None
    try:
        yield trackers
        outcome = outcome_of(run)
    finally:
        trackers.finish(outcome)


def outcome_of(run: RunFolder) -> Outcome:
    """Return what trackers are given of a finished run; the weights are not among it."""
    systems = {name: read_json(run.scores(name))["scores"] for name in ("before", "after")}
    files = [run.config, run.manifest, run.comparison, run.verdict, run.scores("before"), run.scores("after")]
    files += [run.model / NAME, run.model / CARD]
    return Outcome(systems, run.report, files)
