"""A task of one value, written outside of the package, goes the whole way: nothing else has to know of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.data.parse import Field
from truetune.files import read_json
from truetune.metrics.exact import exact_share
from truetune.tasks.base import Inputs, Scoring, Task, Training
from truetune.tasks.classification import label_schema
from truetune.tasks.classify_encoding import decode, encode
from truetune.tasks.fields import as_label, as_text
from truetune.tasks.table import TASKS
from truetune.workflows.finetune import finetune
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
TONE = Task(
    name="tone",
    about="how something is said to somebody",
    about_zh="对某人说话的语气",
    scoring=Scoring(
        gold=((Field("label", as_label),),),
        predicted=((Field("label", as_label),),),
        metrics=(exact_share("tone_accuracy", ("label", "label"), "examples with the gold tone / examples"),),
        primary=("tone_accuracy",),
    ),
    training=Training(
        "classify",
        Inputs((Field("said", as_text), Field("to", as_text))),
        label_schema,
        encode,
        decode,
        baselines=("majority", "tfidf-linear"),
    ),
)


def test_another_task_goes_the_whole_way(tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, TONE.name, TONE)
    rows: list[dict[str, Any]] = [
        {
            "said": f"what a {('great', 'dull')[place % 2]} film {place}",
            "to": "Anna",
            "label": ("warm", "cold")[place % 2],
        }
        for place in range(80)
    ]
    source = tmp_path / "tones.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = {
        "task": "tone",
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 8, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 100},
        "track": {"output": str(tmp_path / "runs"), "name": "tone"},
    }
    result = finetune(settings, progress=QUIET)
    assert result.after["primary"] == "tone_accuracy"
    assert next(one["value"] for one in result.after["scores"] if one["metric"] == "tone_accuracy") > 0.95
    assert "tone" in (result.run / "report.html").read_text(encoding="utf-8")
    assert read_json(result.run / "audit.json")["findings"] is not None

    model = truetune.load(result.run)
    said = [one["label"] for one in model.predict(rows[:6])]
    assert said == [row["label"] for row in rows[:6]]
    assert [one["label"] for one in predicted_file(model, str(source), QUIET)][:6] == said
    scored = truetune.evaluate(task="tone", gold=[{"label": row["label"]} for row in rows[:6]], predicted=said)
    assert scored.score("tone_accuracy").value == 1.0
