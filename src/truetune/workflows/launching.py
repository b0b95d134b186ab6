"""Several processes that learn a run together: started, and waited for."""

from __future__ import annotations

from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.workflows.progress import Progress


def learnt_by_workers(run: RunFolder, settings: Config, progress: Progress, resume: bool) -> None:
    """Learn in `settings.workers` processes, of which the first leaves the model in the run, and wait for them."""
    if settings.scale == "ray":
        from truetune.backbones.torch_ray import launched_by_ray

        launched_by_ray("truetune.workflows.worker:under_ray", run.path, resume, settings.workers, progress.say)
        return
    from truetune.backbones.torch_launch import launched

    more = ["--resume"] if resume else []
    launched(["-m", "truetune.workflows.worker", str(run.path), *more], settings.workers)
