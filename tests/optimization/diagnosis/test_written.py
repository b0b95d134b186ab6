"""The diagnosis of a model that writes: what is named without training again, and what it says it did not try."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetune.metrics.chrf import CHRF
from truetune.metrics.classification import SINGLE
from truetune.metrics.regression import METRICS as OF_NUMBERS
from truetune.optimization.diagnosis import evidence
from truetune.optimization.diagnosis.evidence import usual_worth
from truetune.optimization.diagnosis.run import diagnose
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path) -> Path:
    """The run of a model that read the first pieces of the longer half of its sources, once."""
    folder = tmp_path_factory.mktemp("written")
    rows = [
        {"source": f"{place} " + "story film " * (2 if place % 2 else 20), "reference": "a great plot"}
        for place in range(60)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = {
        "task": "summarization",
        "data": {"source": str(folder / "rows.jsonl"), "validation_share": 0.2, "test_share": 0.2},
        "model": {"name": str(tiny_gpt2), "dtype": "float32", "max_length": 40},
        "train": {"epochs": 1},
        "generate": {"max_pieces": 6},
        "evaluate": {"resamples": 100, "metric": "chrf"},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }
    return finetune(settings, progress=QUIET).run


def test_sources_that_are_not_read_whole_are_named_and_what_was_not_tried_is_said(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MOST_WRITTEN", 10)
    found = diagnose(written, progress=QUIET)
    (cut,) = [cause for cause in found.causes if cause.name == "inputs cut short"]
    assert "of the training sources are not read whole: only" in cut.evidence[0]
    assert 40 <= int(cut.evidence[0].partition("%")[0]) <= 60
    assert found.saved["examples"]["train"] == 10
    assert found.saved["worth"] == pytest.approx(1.0), "chrF goes to 100"
    assert any(
        line.startswith("too few epochs was not tried: ") and "train.epochs=3" in line
        for line in found.saved["not_tried"]
    )
    assert not any("inputs cut short" in line for line in found.saved["not_tried"])
    assert found.saved["replays"] == []


def test_what_is_sought_follows_the_scale_of_the_metric() -> None:
    accuracy = next(metric for metric in SINGLE if metric.name == "accuracy")
    matthews = next(metric for metric in SINGLE if metric.name == "mcc")
    unbounded = next(metric for metric in OF_NUMBERS if metric.name == "mae")
    assert [usual_worth(one) for one in (accuracy, CHRF, matthews, unbounded)] == pytest.approx([0.01, 1.0, 0.01, 0.01])
