"""How a run was made: versions, machine, seed, data, model, time. Nothing that names a person."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from truetune import __version__
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.files import read_json, write_json
from truetune.tracking.hardware import peak_bytes

PACKAGES = (
    "numpy",
    "scipy",
    "pyarrow",
    "torch",
    "tensorflow-cpu",
    "tensorflow",
    "keras",
    "transformers",
    "tokenizers",
    "safetensors",
    "scikit-learn",
)


@contextlib.contextmanager
def timed(run: RunFolder, stage: str) -> Iterator[None]:
    """Add the time that a block takes to the run's timings; what a killed run had already taken is kept."""
    begin = time.monotonic()
    try:
        yield
    finally:
        known = read_json(run.timings) if run.timings.is_file() else {}
        known[stage] = round(known.get(stage, 0.0) + time.monotonic() - begin, 3)
        write_json(run.timings, known)


def manifest(config: Config, run: RunFolder, model: Mapping[str, Any], started: str) -> dict[str, Any]:
    """Return the manifest of a finished run."""
    facts = read_json(run.facts)
    return {
        "truetune": __version__,
        "task": config.task,
        "language": config.track.language,
        "python": platform.python_version(),
        "versions": versions(),
        "platform": platform.platform(terse=True),
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": model.get("device"),
        "dtype": model.get("precision"),
        "seed": config.train.seed,
        "commit": commit(),
        "command": " ".join(sys.argv[:1] and ["truetune", *sys.argv[1:]]),
        "started": started,
        "finished": now(),
        "seconds": read_json(run.timings) if run.timings.is_file() else {},
        "peak_memory_bytes": peak_bytes(),
        "data": {
            "source": config.data.source or config.data.train,
            "fingerprint": {name: part["fingerprint"] for name, part in facts["splits"].items()},
        },
        "model": {"name": config.model.name, **model},
    }


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions of the packages that bear on the numbers."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def processor() -> str:
    """Return the processor's name."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str | None:
    """Return the commit of the folder that the run was started in, None outside a repository."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
