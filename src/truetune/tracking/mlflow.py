"""A run in MLflow: at `MLFLOW_TRACKING_URI`, else as files beside the runs."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any

from truetune.tracking.trackers import Begin, Outcome, final_numbers, flat, numbers_of

LONGEST = 6000
"""Characters of a parameter's value."""
AT_ONCE = 1000
"""Metrics of one request."""


class MLflow:
    """The `Tracker` of MLflow."""

    def __init__(self, begin: Begin) -> None:
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            # MLflow 3 asks to be told that plain files, which need no database, are meant.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
            uri = (begin.shared / "mlruns").resolve().as_uri()
        from mlflow import MlflowClient
        from mlflow.entities import Param

        self._client = MlflowClient(tracking_uri=uri)
        known = self._client.get_experiment_by_name(begin.project)
        experiment = known.experiment_id if known is not None else self._client.create_experiment(begin.project)
        self._id = self._client.create_run(experiment, run_name=begin.name).info.run_id
        self._step = 0
        params = [Param(key, str(value)[:LONGEST]) for key, value in flat(begin.config).items()]
        for start in range(0, len(params), 100):
            self._client.log_batch(self._id, params=params[start : start + 100])

    def event(self, event: Mapping[str, Any]) -> None:
        """Log the points of an event."""
        self._step = max(self._step, int(event["step"]))
        self._log(numbers_of(event), int(event["step"]))

    def finish(self, outcome: Outcome | None) -> None:
        """Log scores with their bounds, the report and the files."""
        if outcome is not None:
            self._log(final_numbers(outcome), self._step)
            for file in (outcome.report, *outcome.files):
                folder = file.parent.name if file.parent != outcome.report.parent else None
                self._client.log_artifact(self._id, str(file), folder)
        self._client.set_terminated(self._id, "FINISHED" if outcome is not None else "FAILED")

    def _log(self, numbers: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(allowed(name), value, now, step) for name, value in numbers.items()]
        for start in range(0, len(metrics), AT_ONCE):
            self._client.log_batch(self._id, metrics=metrics[start : start + AT_ONCE])


def allowed(name: str) -> str:
    """Return a metric's name as MLflow's files can have it: `after/f1/a` becomes `after/f1.a`, `hits@1` `hits-1`."""
    group, slash, rest = name.partition("/")
    return re.sub(r"[^\w\-. :/]", "-", group + slash + rest.replace("/", "."))
