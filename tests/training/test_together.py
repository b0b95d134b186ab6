"""Two real processes learn as one does: same losses, same scores, same weights to the precision of floats."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.torch_launch import launched
from truetune.backbones.torch_together import GONE
from truetune.errors import RunError

TOY = Path(__file__).parent / "toy_together.py"
sys.path.insert(0, str(TOY.parent))


@pytest.mark.skipif(sys.platform == "win32", reason="gloo over the loopback interface")
def test_two_processes_learn_what_one_learns(tmp_path: Path, tiny_bert: Path) -> None:
    from toy_together import MIXED, run

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    run(tmp_path / "one", str(tiny_bert), None, MIXED)
    launched([str(TOY), str(tmp_path / "two"), str(tiny_bert)], 2)
    _equal(tmp_path)
    weights = [np.load(tmp_path / name / "weights.npz") for name in ("one", "two")]
    assert weights[0].files == weights[1].files
    assert all(np.abs(weights[0][name] - weights[1][name]).max() <= 1e-4 for name in weights[0].files)
    names = sorted(file.name for file in (tmp_path / "two").iterdir())
    assert names == ["best.safetensors", "last.safetensors", "result.json", "saved", "weights.npz"], "one process wrote"


@pytest.mark.skipif(sys.platform == "win32", reason="gloo over the loopback interface")
@pytest.mark.parametrize("model", ["tiny_bert", "tiny_gpt2"])
def test_two_processes_with_a_share_of_the_weights_each_learn_what_one_learns(
    tmp_path: Path, model: str, request: pytest.FixtureRequest
) -> None:
    from safetensors.numpy import load_file
    from toy_together import SHARED, run

    folder = request.getfixturevalue(model)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    run(tmp_path / "one", str(folder), None, SHARED)
    launched([str(TOY), str(tmp_path / "two"), str(folder), "shard"], 2)
    _equal(tmp_path)
    saved = [load_file(tmp_path / name / "saved" / "model.safetensors") for name in ("one", "two")]
    assert saved[0].keys() == saved[1].keys()
    assert all(np.abs(saved[0][name] - saved[1][name]).max() <= 1e-4 for name in saved[0])


def _equal(tmp_path: Path) -> None:
    """Both trainings took the same steps, with the same losses and scores to the precision of floats."""
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "two"))
    assert len(one) == len(two) > 5
    for alone, shared in zip(one, two, strict=True):
        assert shared[0] == pytest.approx(alone[0], rel=1e-5)
        assert shared[1:3] == alone[1:3], "every text is learnt from once"
        assert (shared[3] is None) == (alone[3] is None)
        if alone[3] is not None:
            assert shared[3]["accuracy"] == alone[3]["accuracy"]
            assert shared[3]["sum"] == pytest.approx(alone[3]["sum"], rel=1e-4)


def test_a_process_that_is_killed_is_named_with_its_signal(tmp_path: Path) -> None:
    script = tmp_path / "dying.py"
    script.write_text(
        "import os, signal, time\n"
        "if os.environ['RANK'] == '1':\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(RunError, match=r"process 2 of 2 was killed \(SIGKILL\).*--resume"):
        launched([str(script)], 2)


def test_a_process_that_ended_because_another_was_gone_is_not_named(tmp_path: Path) -> None:
    script = tmp_path / "following.py"
    script.write_text(f"import os, sys\nsys.exit({GONE} if os.environ['RANK'] == '0' else 3)\n")
    with pytest.raises(RunError, match=r"process 2 of 2 ended with an error \(status 3"):
        launched([str(script)], 2)


def test_a_process_that_ends_with_an_error_is_named_with_its_status(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text("import os, sys, time\nif os.environ['RANK'] == '0':\n    sys.exit(2)\ntime.sleep(600)\n")
    with pytest.raises(RunError, match=r"process 1 of 2 ended with an error \(status 2"):
        launched([str(script)], 2)
    assert "RANK" not in os.environ
