"""Starts several processes by Ray Train, on this machine or on the cluster that Ray is connected to."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from truetune.backbones.torch_together import ProcessGoneError
from truetune.errors import MissingPackageError, RunError, TruetuneError

PLACE = "ray"
"""The folder of Ray below a run, while it runs."""

RETRIES = 3
"""How often training goes on by itself after processes or machines were lost."""


def launched_by_ray(target: str, run: Path, resume: bool, workers: int, say: Callable[[str], None]) -> None:
    """Call `MODULE:FUNCTION` with (run, resume) in so many processes that Ray Train starts, and wait for all of them.

    RAY_ADDRESS names a cluster, whose machines must see the run folder under the same path; without it all run on
    this machine. Lost processes are replaced, from the last checkpoint, up to RETRIES times. Raises RunError for
    what stopped training.
    """
    ray = ray_itself()
    try:
        from ray.train.v2.api.exceptions import TrainingFailedError
    except ImportError as error:
        raise MissingPackageError("ray", "scale: ray", "ray") from error
    try:
        with connected(ray, workers):
            for attempt in range(RETRIES + 1):
                told = {"run": str(run.resolve()), "resume": resume or attempt > 0}
                try:
                    _trainer(target, told, workers, run).fit()
                    return
                except TrainingFailedError as error:
                    cause = _cause(error)
                    if _ours(cause):
                        raise RunError(f"{cause} (in one of {workers} processes under Ray)") from None
                    if attempt == RETRIES:
                        raise RunError(
                            f"processes under Ray were lost {RETRIES + 1} times ({str(cause).splitlines()[0]}); the "
                            "last checkpoint is whole. Go on with --resume"
                        ) from None
                    say(f"a process under Ray was lost ({type(cause).__name__}); going on from the last checkpoint")
    finally:
        # Nothing of the run: where Ray would have kept what it is told.
        shutil.rmtree(run / PLACE, ignore_errors=True)


def ray_itself() -> Any:
    """Return the package, set up before it is imported; raises MissingPackageError where it is not installed."""
    os.environ.setdefault("RAY_TRAIN_V2_ENABLED", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_TRAIN_ENABLE_PRINT_PATCH", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingPackageError("ray", "scale: ray", "ray") from error
    return ray


@contextmanager
def connected(ray: Any, workers: int) -> Iterator[None]:
    """Use the cluster that RAY_ADDRESS names, or a Ray of this machine with room for so many processes.

    It is left as it was found: what was started here ends with the block.
    """
    if ray.is_initialized():
        yield
        return
    _connect(ray, workers)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(ray: Any, workers: int) -> None:
    quiet = {"logging_level": logging.ERROR, "logging_config": ray.LoggingConfig(log_level="CRITICAL")}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
        return
    # Who watches for machines that a cloud takes away has nothing to watch here.
    os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo" if sys.platform == "linux" else "lo0")
    ray.init(
        address="local",
        # One for what leads them: its place must not be one of theirs.
        num_cpus=workers + 1,
        include_dashboard=False,
        **quiet,
        _node_ip_address="127.0.0.1",
    )


def _trainer(target: str, told: Mapping[str, Any], workers: int, run: Path) -> Any:
    import torch
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    gpu = torch.cuda.is_available()
    return TorchTrainer(
        _called,
        train_loop_config={"target": target, **told},
        torch_config=TorchConfig(backend="nccl" if gpu else "gloo"),
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpu),
        run_config=RunConfig(name=PLACE, storage_path=str(run.resolve()), failure_config=FailureConfig(max_failures=0)),
    )


def _called(told: Mapping[str, Any]) -> None:
    module, function = told["target"].split(":")
    getattr(importlib.import_module(module), function)(told["run"], told["resume"])


def _cause(error: Exception) -> Exception:
    """Return what stopped training: an error of ours, else a lost process before those that waited for it."""
    failures = [getattr(one, "cause", None) or one for one in getattr(error, "worker_failures", {}).values()]
    failures.sort(key=lambda one: (not _ours(one), isinstance(one, ProcessGoneError)))
    return failures[0] if failures else error


def _ours(error: Exception) -> bool:
    """Return whether training itself failed, so that it would fail again."""
    return isinstance(error, TruetuneError) and not isinstance(error, ProcessGoneError)
