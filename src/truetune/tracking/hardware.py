"""What the process takes of the machine: memory and processor time, where the system tells."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path


def resident_bytes() -> int | None:
    """Return how much memory the process has now, in bytes."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def peak_bytes() -> int | None:
    """Return the most memory that the process has had, in bytes."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Processor:
    """How many processors were busy with this process since the last look."""

    def __init__(self) -> None:
        self._wall, self._own = time.perf_counter(), time.process_time()

    def busy(self) -> float:
        """Return processor seconds a second since the last call."""
        wall, own = time.perf_counter(), time.process_time()
        share = (own - self._own) / max(wall - self._wall, 1e-9)
        self._wall, self._own = wall, own
        return share
