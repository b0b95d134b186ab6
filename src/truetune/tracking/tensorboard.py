"""A run in TensorBoard: curves and scores as scalars, settings and the table of scores as text.

Written with TensorBoard's own writer; neither TensorFlow nor PyTorch is imported.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import Any

import yaml

from truetune.tracking.trackers import Begin, Outcome, final_numbers, numbers_of


class TensorBoard:
    """The `Tracker` that writes event files; those of an interrupted start of the run are replaced."""

    def __init__(self, begin: Begin) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        folder = begin.folder / "tensorboard"
        shutil.rmtree(folder, ignore_errors=True)
        self._writer = EventFileWriter(str(folder))
        self._step = 0
        self._text("config", f"```yaml\n{yaml.safe_dump(dict(begin.config), allow_unicode=True)}```")

    def event(self, event: Mapping[str, Any]) -> None:
        """Write the points of an event."""
        self._step = max(self._step, int(event.get("step", 0)))
        self._scalars(numbers_of(event), int(event.get("step", 0)))

    def finish(self, outcome: Outcome | None) -> None:
        """Write scores with their bounds, the table of them, and where the report stands."""
        if outcome is not None:
            self._scalars(final_numbers(outcome), self._step)
            self._text("scores", scores_table(outcome))
            self._text("report", str(outcome.report.resolve()))
            self._text("files", "\n".join(f"- {file.name}: {file.resolve()}" for file in outcome.files))
        self._writer.close()

    def _scalars(self, numbers: Mapping[str, float], step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        if values:
            self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def _text(self, tag: str, text: str) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.text.metadata import create_summary_metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        value = Summary.Value(
            tag=tag,
            metadata=create_summary_metadata(tag, description=""),
            tensor=make_tensor_proto(text.encode(), shape=()),
        )
        self._writer.add_event(Event(wall_time=time.time(), step=self._step, summary=Summary(value=[value])))


def scores_table(outcome: Outcome) -> str:
    """Return the scores as a Markdown table: system, metric, value, bounds, examples, signature."""
    lines = ["| system | metric | score | low | high | examples | signature |", "|---|---|---|---|---|---|---|"]
    for system, scores in outcome.scores.items():
        for score in scores:
            numbers = ["–" if score[key] is None else f"{score[key]:.4f}" for key in ("value", "low", "high")]
            cells = [system, score["metric"], *numbers, str(score["examples"]), str(score["signature"])]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
