"""One of several processes that fine-tune, or pretrain, together: `python -m truetune.workflows.worker RUN [--resume]`.

Torchrun or Ray starts them. The process that asked for it has prepared data and baselines; each of these reads the run
folder and learns its share of every step, and the first of them alone writes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder
from truetune.errors import TruetuneError
from truetune.tasks.table import PRETRAINED, task_named
from truetune.tracking.trackers import Trackers
from truetune.workflows.model import model_place, training_of
from truetune.workflows.parts import prepared
from truetune.workflows.progress import Progress
from truetune.workflows.stage import Stage
from truetune.workflows.systems import plan_of
from truetune.workflows.tuning import Follow

if TYPE_CHECKING:
    from truetune.backbones.torch_together import Processes


def main(run_path: str, resume: bool) -> int:
    """Fine-tune the run together with the other processes; return the exit status."""
    from truetune.backbones.torch_together import GONE, ProcessGoneError, joined

    _end_with(int(os.environ.get("TRUETUNE_PARENT", os.getppid())))
    with joined(_sharded(run_path)) as processes:
        try:
            _learnt(run_path, resume, processes)
        except ProcessGoneError:
            os._exit(GONE)
        except TruetuneError as error:
            print(f"process {processes.rank + 1} of {processes.size}: {error}", file=sys.stderr, flush=True)
            # Without a word to the others, which may be waiting for this one: torchrun ends them.
            os._exit(2)
    return 0


def under_ray(run_path: str, resume: bool) -> None:
    """Fine-tune the run together with the other processes that Ray started; an error is for Ray to tell."""
    from truetune.backbones.torch_together import joined

    with joined(_sharded(run_path)) as processes:
        _learnt(run_path, resume, processes)


def _learnt(run_path: str, resume: bool, processes: Processes) -> None:
    from truetune.backbones.torch_together import gone_told
    from truetune.workflows.finetune import fine_tuned, loaded
    from truetune.workflows.pretrain import pretrained_together

    run = RunFolder(Path(run_path))
    settings = configs.load(run.config)
    shown = Progress(quiet=processes.rank != 0)
    follow = Follow(resume, Trackers((), shown.say))
    if settings.task in PRETRAINED:
        with gone_told():
            pretrained_together(run, settings, follow, shown, processes)
        return
    data = prepared(task_named(settings.task), settings.data, run, shown)
    labels = training_of(data.task).labels(data.gold("train"))
    stage = Stage(settings, data, labels, run, plan_of(settings.evaluate), shown)
    stage, backbone, inputs = loaded(stage, model_place(settings.model.name, shown), processes)
    with gone_told():
        fine_tuned(stage, backbone, inputs, follow)


def _sharded(run_path: str) -> bool:
    return configs.load(RunFolder(Path(run_path)).config).shard


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone: two trainings of one run must not meet."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--resume" in sys.argv[2:]))
