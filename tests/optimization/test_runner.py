"""Trials of the tasks whose model needs more than labels: frames, choices, spans within spans, documents, replies."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder
from truetune.evaluation.tables import with_derived
from truetune.optimization.diagnosis.run import diagnose
from truetune.optimization.run import optimize
from truetune.optimization.runner import FinetuneRunner, halves_of
from truetune.tasks.intent_slots import INTENT_SLOTS
from truetune.tasks.retrieval import RETRIEVAL
from truetune.tasks.table import task_named
from truetune.types import Span
from truetune.workflows.finetune import finetune
from truetune.workflows.parts import prepared
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
NAMES, FILMS = ["Anna", "Bob"], ["Paris", "Berlin"]


def frame(rng: random.Random, place: int) -> dict[str, Any]:
    name = rng.choice(NAMES)
    spans = [[0, len(name), "person"]]
    return {"text": f"{name} visited {place}", "label": rng.choice(["a", "b"]), "spans": spans}


def choice(rng: random.Random, place: int) -> dict[str, Any]:
    return {"context": f"{place}", "question": "Who?", "choices": NAMES, "answer": rng.choice(NAMES)}


def reply(rng: random.Random, place: int) -> dict[str, Any]:
    return {"history": [f"film {place}"], "response": rng.choice(FILMS), "candidates": FILMS}


def query(rng: random.Random, place: int) -> dict[str, Any]:
    return {"query": f"film {place}", "document": f"{rng.choice(FILMS)} {place % 7}"}


MADE: dict[str, tuple[Callable[[random.Random, int], dict[str, Any]], str]] = {
    "intent-slots": (frame, "frame_accuracy"),
    "nested-ner": (frame, "span_f1"),
    "multiple-choice": (choice, "accuracy"),
    "response-ranking": (reply, "hits@1"),
    "retrieval": (query, "ndcg@10"),
}
"""Task -> what makes an example, and the metric that decides."""


def settings(folder: Path, model: Path, task: str) -> configs.Config:
    rng = random.Random(0)
    source = folder / "data.jsonl"
    rows = [MADE[task][0](rng, place) for place in range(80)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return configs.from_settings(
        {
            "task": task,
            "data": {"source": str(source), "validation_share": 0.4, "test_share": 0.2},
            "model": {"name": str(model), "dtype": "float32"},
            "train": {"epochs": 1.0, "learning_rate": 3e-3, "tokens_per_batch": 512},
            "evaluate": {"resamples": 100},
            "optimize": {"trials": 2, "finalists": 1, "seeds": 2, "space": {"train.warmup": [0.0, 0.2]}},
            "track": {"output": str(folder / "runs"), "name": "tiny"},
        }
    )


@pytest.mark.parametrize("task", MADE)
def test_a_search_judges_by_the_metric_that_decides(tmp_path: Path, tiny_bert: Path, task: str) -> None:
    found = optimize(settings(tmp_path, tiny_bert, task), "tiny", progress=QUIET)
    assert found.decisions["metric"] == MADE[task][1]
    for trial in found.decisions["trials"]:
        assert trial["state"] in ("finished", "stopped"), trial["reason"]
        assert all(rung["value"] is not None for rung in trial["rungs"])


def test_what_confirms_is_the_checkpoint_that_the_half_of_the_search_would_keep(
    tmp_path: Path, tiny_bert: Path
) -> None:
    """Where both halves are the same examples, it says what it said at the best evaluation: not at the last one."""
    config = settings(tmp_path, tiny_bert, "multiple-choice")
    data = prepared(task_named(config.task), config.data, RunFolder(tmp_path / "run"), QUIET)
    half = halves_of(data, None, 0)["search"]
    other = halves_of(data, None, 0)["confirm"]
    runner = FinetuneRunner(config, str(tiny_bert), data, {"search": half, "confirm": half})
    behind = 0
    for seed in range(6):
        *rungs, last = runner.run({"train.learning_rate": 0.05}, seed, confirms=True)
        assert [one.part for one in rungs] == ["search"] * len(rungs)
        assert last.part == "confirm"
        best = max(rungs, key=lambda one: half.judge.value(one.predicted))
        assert last.predicted == best.predicted
        behind += last.predicted != rungs[-1].predicted
    assert behind, "the last evaluation was the best one with every seed, so nothing is shown"
    unseen = FinetuneRunner(config, str(tiny_bert), data, {"search": half, "confirm": other})
    *_, last = unseen.run({}, 0, confirms=True)
    assert len(last.predicted["answer"]) == len(other.columns[0])
    assert all(one.part == "search" for one in unseen.run({}, 0, confirms=False))


@pytest.mark.slow
@pytest.mark.parametrize("task", MADE)
def test_a_diagnosis_trains_again(tmp_path: Path, tiny_bert: Path, task: str) -> None:
    result = finetune(settings(tmp_path, tiny_bert, task), progress=QUIET)
    found = diagnose(result.run, progress=QUIET)
    assert not [one for one in found.saved["not_tried"] if "failed" in one]


def test_what_files_derive_is_derived_of_predictions_too() -> None:
    said = {"label": ["a", "b"], "spans": [[Span(3, 4, "y"), Span(0, 1, "x")], []]}
    assert with_derived(INTENT_SLOTS.scoring, said) == {**said, "frame": ["a [0, 1, x] [3, 4, y]", "b"]}
    ranked = {"ranking": [["d"]], "document": ["x"], "similarity": [0.5]}
    assert with_derived(RETRIEVAL.scoring, ranked) == ranked, "a ranking that is said is not made of scores"
