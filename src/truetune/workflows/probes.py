"""Probes of a pretraining: what its checkpoints are worth when each is fine-tuned as one config says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from truetune import config as configs
from truetune.backbones.base import Backbone, State
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.data.read import read
from truetune.errors import ConfigError
from truetune.evaluation.compare import Gate, compared
from truetune.files import read_json, whole_folder, write_json
from truetune.tasks.table import TASKS, task_named
from truetune.tracking.local import events
from truetune.training.checkpoint import read_checkpoint
from truetune.workflows.finetune import finetune
from truetune.workflows.model import save_into, training_of
from truetune.workflows.parts import given_files
from truetune.workflows.progress import Progress
from truetune.workflows.systems import plan_of, read_table

START = "step-00000000"


def probe_of(settings: Config) -> Config | None:
    """Return how checkpoints are fine-tuned; None where they are not.

    Raises `ConfigError` for another config, `DataError` where its data is not there.
    """
    if settings.pretrain.probe is None:
        return None
    probe = configs.load(settings.pretrain.probe, tasks=TASKS)
    training = training_of(task_named(probe.task))
    if probe.workers > 1:
        raise ConfigError(f"pretrain.probe: {settings.pretrain.probe} asks for {probe.workers} workers; set them to 1")
    for source in given_files(probe.data).values():
        # A file that is not there is told before anything is trained.
        read(source, format=probe.data.format, encoding=probe.data.encoding)
    # The start is what a probe is measured against, so the simplest baseline is enough.
    least = probe.evaluate.model_copy(update={"baselines": list(training.baselines[:1])})
    return probe.model_copy(update={"evaluate": least})


def probed(run: RunFolder, probe: Config, backbone: Backbone, start: str, progress: Progress) -> None:
    """Fine-tune the model at the start, at each kept step and at the end, and save what each scores.

    The backbone is left with the weights of some step. A probe that is finished is not done again.
    """
    kept = {_step(path): path for path in sorted(run.checkpoints.glob("step-*.safetensors"))}
    best = max((int(one["step"]) for one in events(run.events) if one.get("best")), default=0)
    kept.pop(best, None)
    places: dict[int, str | Path] = {0: start, **kept, best: run.model}
    runs = {}
    for step, place in sorted(places.items()):
        name = f"step-{step:08d}"
        progress.say(f"probe of step {step:,}")
        runs[name] = _tuned(run.probes_folder, name, probe, _Begun(backbone, place))
    write_json(run.probes, _found(probe, runs, best))


class _Begun:
    """A model that is fine-tuned: a folder, or the weights of a checkpoint, which are made one for as long."""

    def __init__(self, backbone: Backbone, place: str | Path) -> None:
        self._backbone, self._place = backbone, place

    def folder(self, beside: Path) -> str:
        """Return the model's folder, which is made `beside` the runs where there is none yet."""
        if not str(self._place).endswith(".safetensors"):
            return str(self._place)
        state = read_checkpoint(Path(self._place)).state
        # What the loop remembers is no part of the model.
        own = {name: one for name, one in state.arrays.items() if not name.startswith("loop/")}
        self._backbone.restore(State(own, state.values))
        with whole_folder(beside) as folder:
            save_into(self._backbone, folder)
        return str(beside)


def _tuned(folder: Path, name: str, probe: Config, begun: _Begun) -> RunFolder:
    run, model = RunFolder(folder / name), folder / f"{name}-model"
    if not run.finished:
        shutil.rmtree(model, ignore_errors=True)
        settings = probe.model_copy(
            update={
                "model": probe.model.model_copy(update={"name": begun.folder(model)}),
                "track": probe.track.model_copy(update={"output": str(folder), "name": name, "to": []}),
            }
        )
        finetune(settings, resume=run.config.is_file(), progress=Progress(quiet=True))
        shutil.rmtree(model, ignore_errors=True)
    return run


def _found(probe: Config, runs: dict[str, RunFolder], best: int) -> dict[str, Any]:
    """Return each probe's score, and its paired difference from that of the start."""
    task, gate = task_named(probe.task), Gate(probe.evaluate.metric, plan=plan_of(probe.evaluate))
    found = []
    for name, run in runs.items():
        saved = read_json(run.scores("after"))
        metric = probe.evaluate.metric or saved["primary"]
        against = None
        if name != START:
            result = compared(task, read_table(task, {START: runs[START], name: run}), gate=gate)
            against = next(one for one in result.comparisons if one.metric == metric).to_dict()
        score = next(one for one in saved["scores"] if one["metric"] == metric)
        step = _step(Path(name))
        found.append({"step": step, "shipped": step == best, "score": score, "against_start": against})
    return {"task": probe.task, "metric": metric, "probes": found}


def _step(path: Path) -> int:
    return int(path.name.partition("-")[2].partition(".")[0])
