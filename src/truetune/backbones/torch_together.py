"""Several processes that learn as one: sums over all of them, by gloo on processors and nccl on GPUs of NVIDIA."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as group
from torch import Tensor

from truetune.errors import RunError
from truetune.types import Floats

PATIENCE = timedelta(minutes=30)
"""How long a process waits for the others: as long as the slowest may need for an evaluation."""


GONE = 75
"""The exit status of a process that ends because another one is gone."""


class ProcessGoneError(RunError):
    """Another process ended, and took with it what this one was waiting for."""


class Processes:
    """The process that runs this, among those that torchrun or Ray started: it learns a share of every step."""

    def __init__(self, sharded: bool = False) -> None:
        """`sharded`: each holds a share of the weights, not all of them."""
        self.sharded = sharded
        self.rank = group.get_rank()
        self.size = group.get_world_size()

    def summed(self, own: Floats) -> Floats:
        """Return the sum of an array over all processes; each must call it with the same shape."""
        tensor = torch.from_numpy(own.copy()).to(_device())
        _add_over_processes(tensor)
        found: Floats = tensor.cpu().numpy()
        return found

    def most(self, own: int) -> int:
        """Return the greatest of the numbers of all processes; each must call it."""
        numbers = np.zeros(self.size)
        numbers[self.rank] = own
        return int(self.summed(numbers).max())

    def sum_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Replace gradients by their sums over all processes; every parameter must have one."""
        gradients = [one.grad for one in parameters if one.grad is not None]
        flat = torch.cat([one.flatten() for one in gradients])
        _add_over_processes(flat)
        for gradient, whole in zip(gradients, torch.split(flat, [one.numel() for one in gradients]), strict=True):
            gradient.copy_(whole.view_as(gradient))


@contextlib.contextmanager
def joined(sharded: bool = False) -> Iterator[Processes]:
    """Join the processes that torchrun started, share the machine's threads with them, and leave them at the end.

    Ray has joined its processes already, with threads of their own.
    """
    if group.is_initialized():
        yield Processes(sharded)
        return
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(_device())
    group.init_process_group("nccl" if gpu else "gloo", timeout=PATIENCE)
    try:
        threads = torch.get_num_threads()
        torch.set_num_threads(max(1, threads // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
        yield Processes(sharded)
    finally:
        group.destroy_process_group()


@contextlib.contextmanager
def gone_told() -> Iterator[None]:
    """Raise ProcessGoneError for whatever ends inside because another process does not answer any more."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, group.DistError) or "gloo" in str(error):
            raise _gone(error) from error
        raise


def local_device(wanted: str) -> str:
    """Return the device of this process: on a machine with GPUs each process has one of its own."""
    return str(_device()) if wanted in ("auto", "cuda") and torch.cuda.is_available() else wanted


def _add_over_processes(tensor: Tensor) -> None:
    """Replace a tensor by its sum over all processes; raises ProcessGoneError where one of them does not answer."""
    try:
        group.all_reduce(tensor)
    except RuntimeError as error:
        raise _gone(error) from error


def _gone(error: RuntimeError) -> ProcessGoneError:
    return ProcessGoneError(f"another process does not answer any more ({str(error).splitlines()[0]})")


def _device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")
