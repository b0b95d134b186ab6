"""What is kept while training: the best weights, and the last checkpoint with all that the loop must remember."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from truetune.backbones.base import Backbone, State
from truetune.errors import RunError
from truetune.training.checkpoint import Checkpoint, Checkpoints, read_checkpoint, write_checkpoint
from truetune.training.stopping import Progress

_LOOP = "loop/"
"""Of the names of arrays that the loop remembers, beside those of the backbone."""


class Remembered(Protocol):
    """A part of the loop with a memory of its own, which checkpoints keep."""

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return its arrays."""
        ...

    def values(self) -> Any:
        """Return the rest of it as JSON values."""
        ...

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], values: Any) -> None:
        """Go back to what `arrays` and `values` returned."""
        ...


class Keeper:
    """Keeps the best weights and the last checkpoint: on disk, or the best in memory where nothing is written.

    Nothing is written without a folder, and by none but the first of several processes.
    """

    def __init__(
        self,
        backbone: Backbone,
        checkpoints: Checkpoints | None,
        origin: str,
        parts: Mapping[str, Remembered],
    ) -> None:
        """`origin` tells data and plan apart; `parts` are remembered in every checkpoint to go on from."""
        self._backbone = backbone
        self._checkpoints = checkpoints
        self._origin = origin
        self._parts = parts
        self._writes = checkpoints is not None and (backbone.together is None or backbone.together.rank == 0)
        self._best: State | None = None
        self._saved = time.monotonic()

    def resumed(self) -> tuple[int, Progress]:
        """Bring all back to the last checkpoint; return the steps done and the progress until then."""
        if self._checkpoints is None or not self._checkpoints.last.exists():
            return 0, Progress()
        found = read_checkpoint(self._checkpoints.last)
        if found.loop["origin"] != self._origin or set(found.loop["parts"]) != set(self._parts):
            raise RunError(
                f"{self._checkpoints.last}: belongs to other data or other `train` settings; resume with those "
                "of its config.yaml, or start a new run"
            )
        own = {name: one for name, one in found.state.arrays.items() if not name.startswith(_LOOP)}
        self._backbone.restore(State(own, found.state.values))
        if not self._writes and found.loop["progress"]["best_step"]:
            self._best = read_checkpoint(self._checkpoints.best).state
        for name, part in self._parts.items():
            prefix = f"{_LOOP}{name}/"
            arrays = {
                key.removeprefix(prefix): one for key, one in found.state.arrays.items() if key.startswith(prefix)
            }
            part.restore(arrays, found.loop["parts"][name])
        return found.loop["step"], _progress(found.loop["progress"])

    def keep_best(self, state: State) -> None:
        """Keep the weights that scored best."""
        if self._checkpoints is None or not self._writes:
            self._best = state
        else:
            write_checkpoint(self._checkpoints.best, Checkpoint(state, {"origin": self._origin}))

    def keep_last(self, step: int, progress: Progress, now: bool) -> None:
        """Write the last checkpoint, where enough time has passed or `now`, and the ones kept at every n steps."""
        together = self._backbone.together
        sharded = together is not None and together.sharded
        if self._checkpoints is None or not (self._writes or sharded):
            return
        kept = self._checkpoints.kept(step)
        due = self._writes and (time.monotonic() - self._saved >= self._checkpoints.seconds or now or kept is not None)
        if together is not None and sharded:
            # The first decides, and all call for the state, because each has a share of it.
            due = bool(together.summed(np.array([float(due)]))[0])
        if not due:
            return
        state = self._backbone.state()
        if not self._writes:
            return
        arrays = dict(state.arrays)
        for name, part in self._parts.items():
            arrays |= {f"{_LOOP}{name}/{key}": one for key, one in part.arrays().items()}
        loop = {
            "origin": self._origin,
            "step": step,
            "progress": _values(progress),
            "parts": {name: part.values() for name, part in self._parts.items()},
        }
        checkpoint = Checkpoint(State(arrays, state.values), loop)
        for path in (self._checkpoints.last, *([kept] if kept else [])):
            write_checkpoint(path, checkpoint)
        self._saved = time.monotonic()

    def restore_best(self) -> None:
        """Give the backbone the weights that scored best."""
        state = self._best
        if self._checkpoints is not None and self._writes:
            state = read_checkpoint(self._checkpoints.best).state
        assert state is not None
        self._backbone.restore(state)


def _values(progress: Progress) -> dict[str, Any]:
    return {**asdict(progress), "best": None if math.isnan(progress.best) else progress.best}


def _progress(values: Mapping[str, Any]) -> Progress:
    return Progress(**{**values, "best": math.nan if values["best"] is None else values["best"]})
