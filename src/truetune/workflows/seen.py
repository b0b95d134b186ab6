"""Test texts that stand in the training data of a run: the doctor is told of them."""

from __future__ import annotations

from dataclasses import replace

from truetune.data.keys import Keys
from truetune.evaluation.doctor.case import Case
from truetune.evaluation.doctor.repeats import seen_findings
from truetune.evaluation.tables import Aligned
from truetune.tasks.base import Task


def with_seen(task: Task, table: Aligned, training: Keys | None) -> Aligned:
    """Return a table with the finding about its examples whose text stands in the training data, if there are any."""
    if training is None:
        return table
    case = Case(task.name, table.ids, table.gold, table.predicted, table.others)
    return replace(table, findings=(*table.findings, *seen_findings(case, training)))
