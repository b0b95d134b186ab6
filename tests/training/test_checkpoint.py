"""Checkpoints are whole or not there: what is read is what was written, and a full disk loses nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import State
from truetune.errors import RunError
from truetune.training.checkpoint import Checkpoint, Checkpoints, read_checkpoint, resumes_at, write_checkpoint

STATE = State({"weight/a": np.arange(6, dtype=np.float32).reshape(2, 3), "steps/a": np.array(3.0)}, {"steps": 3})
CHECKPOINT = Checkpoint(STATE, {"step": 3, "origin": "x", "progress": {"best": None}})


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.safetensors"
    write_checkpoint(path, CHECKPOINT)
    again = read_checkpoint(path)
    assert again.loop == CHECKPOINT.loop
    assert again.state.values == STATE.values
    assert again.state.arrays.keys() == STATE.arrays.keys()
    for name, array in STATE.arrays.items():
        assert again.state.arrays[name].dtype == array.dtype
        assert (again.state.arrays[name] == array).all()
    assert [file.name for file in path.parent.iterdir()] == ["last.safetensors"]
    assert resumes_at(path) == 3
    assert resumes_at(tmp_path / "none.safetensors") == 0


def test_a_disk_that_fills_up_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.safetensors"
    write_checkpoint(path, CHECKPOINT)

    def full(arrays: object, file: Path, metadata: object) -> None:
        file.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(RunError, match=r"No space left on device.*the one before it is whole"):
        write_checkpoint(path, CHECKPOINT)
    assert read_checkpoint(path).loop["step"] == 3
    assert [file.name for file in tmp_path.iterdir()] == ["last.safetensors"]


def test_missing_damaged_and_foreign_files_are_clear_errors(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "last.safetensors"
    with pytest.raises(RunError, match="there is no checkpoint"):
        read_checkpoint(path)
    write_checkpoint(path, CHECKPOINT)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(RunError, match="is damaged"):
        read_checkpoint(path)
    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(RunError, match="is damaged"):
        read_checkpoint(path)
    save_file({"a": np.zeros(2)}, path, metadata={"truetune": '{"format": 99}'})
    with pytest.raises(RunError, match="has format 99"):
        read_checkpoint(path)


def test_which_steps_are_kept(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).kept(10) is None
    every = Checkpoints(tmp_path, every=5)
    assert every.kept(10) == tmp_path / "step-00000010.safetensors"
    assert every.kept(11) is None


FULL = """
import resource, sys
import numpy as np
from pathlib import Path
from truetune.backbones.base import State
from truetune.errors import RunError
from truetune.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint

path = Path(sys.argv[1])
write_checkpoint(path, Checkpoint(State({"a": np.zeros(100)}), {"step": 1}))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_checkpoint(path, Checkpoint(State({"a": np.zeros(1_000_000)}), {"step": 2}))
except RunError as error:
    print(error)
print(read_checkpoint(path).loop["step"], sorted(file.name for file in path.parent.iterdir()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_a_write_that_the_system_refuses_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    """A real refusal, in a process that may write no file above 100 kB: as a disk that is full."""
    command = [sys.executable, "-c", FULL, str(tmp_path / "last.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    message, left = done.stdout.splitlines()
    assert "last.safetensors: the checkpoint cannot be written" in message
    assert "the one before it is whole. Make room and go on with --resume" in message
    assert left == "1 ['last.safetensors']"


def test_what_is_kept_to_go_on_from_is_removed_and_the_rest_stays(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints", every=5)
    checkpoints.remove()
    kept = checkpoints.kept(5)
    assert kept is not None
    for path in (checkpoints.last, checkpoints.best, kept):
        write_checkpoint(path, Checkpoint(State({"a": np.zeros(3)}), {}))
    (tmp_path / "checkpoints" / ".last.safetensors.cut").write_text("what a kill left")
    checkpoints.remove()
    assert list(checkpoints.folder.iterdir()) == [kept]
    kept.unlink()
    checkpoints.remove()
    assert not checkpoints.folder.exists()
