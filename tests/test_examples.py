"""The configs in `examples/` go the whole way on their own data, with a tiny model in place of the pretrained one."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetune import config
from truetune.pretraining.objective import OBJECTIVES
from truetune.tasks.table import TASKS
from truetune.workflows.finetune import finetune
from truetune.workflows.pretrain import pretrain
from truetune.workflows.progress import Progress

EXAMPLES = Path(__file__).parent.parent / "examples"
ALL = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
NAMES = [name for name in ALL if config.load(EXAMPLES / f"{name}.yaml").task not in OBJECTIVES]
"""Of labelled data; `pretraining.yaml` goes its own way."""
SHORT = ("classification", "dialogue", "ner", "qa", "regression")
"""One of each head; the others go the same ways."""


def test_every_task_that_is_trained_has_an_example_of_its_name() -> None:
    assert {config.load(EXAMPLES / f"{name}.yaml").task for name in NAMES} == {
        name for name, task in TASKS.items() if task.training is not None
    }


@pytest.mark.parametrize(
    "name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_an_example_goes_the_whole_way(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(EXAMPLES)
    training = TASKS[config.load(f"{name}.yaml").task].training
    assert training is not None
    writes = training.head == "generate"
    model = request.getfixturevalue("tiny_gpt2" if writes else "tiny_marking_bert")
    overrides = [
        f"model.name={model}",
        "model.max_length=64",
        f"track.output={tmp_path}",
        "data.limit=80",
        "train.epochs=1",
        "evaluate.resamples=100",
        *(["generate.max_pieces=12"] if writes else []),
    ]
    settings = config.load(f"{name}.yaml", overrides)
    result = finetune(settings, progress=Progress(quiet=True))
    assert result.comparison["primary"] == settings.evaluate.metric
    assert (result.run / "report.html").is_file()


def test_the_example_of_pretraining_makes_a_model_that_the_others_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)
    overrides = [f"track.output={tmp_path}", "data.limit=80", "train.epochs=1", "evaluate.resamples=100"]
    result = pretrain(config.load("pretraining.yaml", overrides), progress=Progress(quiet=True))
    assert result.comparison["primary"] == "masked_accuracy"
    assert (result.run / "report.html").is_file()
    short = [f"model.name={result.run / 'model'}", f"track.output={tmp_path}", "data.limit=60", "train.epochs=1"]
    tuned = finetune(
        config.load("classification.yaml", [*short, "evaluate.resamples=100"]), progress=Progress(quiet=True)
    )
    assert (tuned.run / "report.html").is_file()
