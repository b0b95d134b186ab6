"""Warm-up, decay and rates by layer, worked by hand."""

import pytest

from truetune.errors import ConfigError
from truetune.training.schedule import Schedule


def test_warm_up_and_decay_by_hand() -> None:
    schedule = Schedule(peak=1.0, steps=10, warmup=0.2)
    shares = [schedule.share(step) for step in range(1, 11)]
    assert shares == pytest.approx([1 / 2, 1, 8 / 9, 7 / 9, 6 / 9, 5 / 9, 4 / 9, 3 / 9, 2 / 9, 1 / 9])


def test_without_warm_up_it_only_falls_and_never_reaches_zero() -> None:
    schedule = Schedule(peak=1.0, steps=4, warmup=0.0)
    assert [schedule.share(step) for step in range(1, 5)] == pytest.approx([4 / 5, 3 / 5, 2 / 5, 1 / 5])
    assert schedule.share(6) == 0


def test_lower_groups_learn_more_slowly() -> None:
    rates = Schedule(peak=8.0, steps=1, warmup=0.5, layer_decay=0.5).rates(1, ("embeddings", "layer.0", "head"))
    assert rates == {"embeddings": 2.0, "layer.0": 4.0, "head": 8.0}


def test_a_new_head_has_a_peak_of_its_own() -> None:
    rates = Schedule(peak=8.0, steps=2, warmup=0.0, layer_decay=0.5, head=90.0).rates(2, ("layer.0", "head"))
    assert rates == pytest.approx({"layer.0": 4.0 / 3, "head": 90.0 / 3})


@pytest.mark.parametrize(
    "wrong", [{"peak": 0.0}, {"head": 0.0}, {"peak": float("nan")}, {"warmup": 1.0}, {"layer_decay": 0.0}]
)
def test_what_cannot_be_a_schedule_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Schedule(**{"peak": 1e-4, "steps": 3, **wrong})  # type: ignore[arg-type]
