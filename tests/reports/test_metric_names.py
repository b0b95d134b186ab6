"""The names of metrics on pages: of which less is better, the metric and its name agree."""

from __future__ import annotations

import pytest

from truetune.reports.metric_names import LOWER, NAMES, metric_name
from truetune.tasks.table import TASKS

METRICS = {
    metric.name: metric.better
    for task in TASKS.values()
    for metric in (*task.scoring.metrics, *task.scoring.sometimes)
    if metric.name.partition("@")[0] in NAMES
}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_name_says_where_less_is_better(name: str) -> None:
    assert (name in LOWER) == (METRICS[name] == "lower")
    assert ("lower is better" in metric_name(name, "en")) == (METRICS[name] == "lower")
