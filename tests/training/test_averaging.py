"""The mean of checkpoints, by hand."""

import numpy as np

from truetune.backbones.base import State
from truetune.training.averaging import CheckpointMean


def test_the_mean_is_that_of_all_checkpoints_and_can_be_saved() -> None:
    mean = CheckpointMean()
    for number in (1.0, 2.0, 6.0):
        mean.add(State({"weight/a": np.array([number, 0.0], dtype=np.float32)}, {"steps": int(number)}))
    assert mean.state.arrays["weight/a"].tolist() == [3.0, 0.0]
    assert mean.state.values == {"steps": 6}
    again = CheckpointMean()
    again.restore(mean.arrays(), mean.values())
    again.add(State({"weight/a": np.array([7.0, 4.0], dtype=np.float32)}, {"steps": 7}))
    assert again.number == 4
    assert again.state.arrays["weight/a"].tolist() == [4.0, 1.0]


def test_what_it_was_given_is_not_changed() -> None:
    given = np.array([1.0], dtype=np.float32)
    mean = CheckpointMean()
    mean.add(State({"weight/a": given}, {}))
    mean.add(State({"weight/a": np.array([3.0], dtype=np.float32)}, {}))
    assert given.tolist() == [1.0]
