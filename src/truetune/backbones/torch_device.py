"""Where a PyTorch model runs, and in which precision it trains: chosen by what is there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from truetune.backbones.base import Precision
from truetune.errors import ModelError

WORTH = 1.2
"""How many times faster bfloat16 products must be on a CPU to be used."""


def chosen_device(wanted: str = "auto") -> torch.device:
    """Return the device that is wanted; `auto`: CUDA, else Apple's GPU, else the CPU."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"model.device: {wanted!r} cannot be used here ({str(error).splitlines()[0]}); "
            "expected auto, cpu, cuda, cuda:NUMBER or mps"
        ) from None
    return device


def chosen_precision(
    wanted: Precision | Literal["auto"], device: torch.device, hidden: int
) -> tuple[Precision, float | None]:
    """Return the precision of matrix products in training, and how many times faster bfloat16 was, if measured.

    On a GPU `auto` means bfloat16 where the hardware has it. On a CPU it is measured on a layer of the model's
    size, because processors differ by far: with AMX or AVX512-BF16 bfloat16 is several times faster, without
    them it is emulated and slower.
    """
    if wanted != "auto":
        return wanted, None
    if device.type == "cuda":
        return ("bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"), None
    if device.type != "cpu":
        return "float32", None
    gain = bfloat16_gain(hidden)
    return ("bfloat16" if gain >= WORTH else "float32"), gain


def bfloat16_gain(hidden: int, pieces: int = 512, repeats: int = 9) -> float:
    """Return how many times faster a feed-forward product, casts included, is in bfloat16 than in float32.

    Measured on one thread in processor time, the two taking turns, and the fastest of each counts: so other
    work on the machine does not sway the choice.
    """
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(pieces, hidden, generator=generator)
    weights = torch.randn(4 * hidden, hidden, generator=generator)

    def plain() -> Tensor:
        return inputs @ weights.t()

    def rounded() -> Tensor:
        return inputs.bfloat16() @ weights.bfloat16().t()

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            times = [(_seconds(plain), _seconds(rounded)) for _ in range(repeats)]
    finally:
        torch.set_num_threads(threads)
    return min(plain for plain, _ in times) / min(rounded for _, rounded in times)


def products_a_second(hidden: int, pieces: int = 1024, seconds: float = 1.0) -> float:
    """Return how many multiplications and additions a second a feed-forward product reaches on this CPU.

    In the precision that training would choose, on all threads; the fastest of all that were made within `seconds`
    counts, because other work on the machine makes some of them slow.
    """
    dtype = torch.bfloat16 if bfloat16_gain(hidden) >= WORTH else torch.float32
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(pieces, hidden, generator=generator).to(dtype)
    weights = torch.randn(4 * hidden, hidden, generator=generator).to(dtype)
    times: list[float] = []
    with torch.inference_mode():
        end = time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            inputs @ weights.t()
            times.append(time.perf_counter() - start)
    return 2 * pieces * hidden * 4 * hidden / min(times)


def device_readings(device: torch.device) -> dict[str, float]:
    """Return memory in bytes and, where it is told, the share of time that a GPU is busy; nothing on a CPU."""
    if device.type != "cuda":
        return {}
    found: dict[str, float] = {
        "gpu_memory_bytes": torch.cuda.memory_allocated(device),
        "gpu_peak_memory_bytes": torch.cuda.max_memory_allocated(device),
    }
    # The load comes from a library of the driver, which may be missing.
    with contextlib.suppress(Exception):
        found["gpu_busy"] = torch.cuda.utilization(device) / 100
    return found


def _seconds(work: Callable[[], Tensor]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start
