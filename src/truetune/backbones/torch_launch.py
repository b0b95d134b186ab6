"""Starts several processes on this machine by torchrun, and says how they ended."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence

from truetune.backbones.torch_together import GONE
from truetune.errors import RunError

PARENT = "TRUETUNE_PARENT"
"""The environment variable that tells a process who started it: without its parent it ends."""


def launched(arguments: Sequence[str], workers: int) -> None:
    """Run `python ARGUMENTS` in so many processes that find each other, and wait for all of them.

    Where one ends with an error or is killed, the others are ended too; raises RunError that names it, and says what it
    said last.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=workers,
        run_id=f"truetune-{os.getpid()}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
        monitor_interval=0.2,
    )
    os.environ[PARENT] = str(os.getpid())
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo" if sys.platform == "linux" else "lo0")
    loggers = [logging.getLogger(name) for name in ("torch.distributed", "torch.distributed.elastic")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        elastic_launch(config, sys.executable)(*arguments)
    except ChildFailedError as error:
        # Those that ended because another one was gone are not the cause.
        failures = sorted(error.failures.items(), key=lambda one: (one[1].exitcode == GONE, one[1].timestamp))
        rank, failure = failures[0]
        raise RunError(
            f"process {rank + 1} of {workers} {_end(failure.exitcode)}, and the others were ended with it; the last "
            "checkpoint is whole. Go on with --resume"
        ) from None
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


def _end(code: int) -> str:
    if code >= 0:
        return f"ended with an error (status {code}; what it said stands above)"
    try:
        return f"was killed ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed (signal {-code})"
