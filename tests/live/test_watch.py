"""What is watched all the time: planted changes, quiet streams, restarts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from truetune.live.features import Observed
from truetune.live.reference import Reference, reference_of
from truetune.live.watch import DriftWatch, LabelWatch


def examples(number: int, rng: np.random.Generator, share: float = 0.3, longer: float = 0.0) -> list[Observed]:
    labels = rng.random(number) < share
    lengths = np.exp(rng.normal(4 + longer, 0.5, number)).round()
    return [{"label": "ab"[int(one)], "characters": float(n)} for one, n in zip(labels, lengths, strict=True)]


def answers(number: int, rng: np.random.Generator, off: float = 0.0) -> list[tuple[float, bool]]:
    """Return confidences and whether right: as often as they say, less `off`."""
    confidence = rng.uniform(0.5, 1.0, number)
    return [(float(one), bool(rng.random() < one - off)) for one in confidence]


def labelled(rng: np.random.Generator) -> Reference:
    found = answers(1000, rng)
    return reference_of([{"confidence": one} for one, _ in found], [right for _, right in found])


def test_a_quiet_stream_raises_no_alarm_and_a_change_in_it_does() -> None:
    rng = np.random.default_rng(0)
    watch = DriftWatch(reference_of(examples(500, rng), None), 50)
    for one in examples(2000, rng):
        watch.seen(one)
    assert watch.sequence.told()["alarm"] is False
    for one in examples(500, rng, longer=0.4):
        watch.seen(one)
    told = watch.sequence.told()
    assert told["alarm"]
    assert 40 < told["alarm_window"] <= 48
    assert told["by"]["characters"] > told["limit"] > told["by"]["label"]
    assert watch.examples == 2500


def test_alarms_of_drift_are_rare_over_many_quiet_streams() -> None:
    raised = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        watch = DriftWatch(reference_of(examples(60, rng), None), 20)
        for one in examples(300, rng):
            watch.seen(one)
        raised += watch.sequence.alarm is not None
    assert raised <= 5, "of 40 at 5 %, more than 5 in one of thirty tries"


def test_labels_show_a_loss_and_not_a_shift_of_confidences() -> None:
    rng = np.random.default_rng(1)
    reference = labelled(rng)
    quiet, sure, worse = (LabelWatch(reference) for _ in range(3))
    for confidence, right in answers(1000, rng):
        quiet.seen(confidence, right)
    for _ in range(1000):
        sure.seen(0.95, bool(rng.random() < 0.95))
    for confidence, right in answers(1000, rng, off=0.25):
        worse.seen(confidence, right)
    assert [one.sequence.alarm is not None for one in (quiet, sure, worse)] == [False, False, True]


@pytest.mark.parametrize("stop", [0, 30, 75, 100])
def test_a_restarted_watch_goes_on_as_if_it_had_not_stopped(stop: int) -> None:
    rng = np.random.default_rng(2)
    reference = reference_of(examples(200, rng), None)
    stream = examples(300, rng, share=0.5)
    whole, first, second = (DriftWatch(reference, 50) for _ in range(3))
    for one in stream:
        whole.seen(one)
    for one in stream[:stop]:
        first.seen(one)
    second.restore(json.loads(json.dumps(first.to_dict())))
    for one in stream[stop:]:
        second.seen(one)
    assert second.to_dict() == whole.to_dict()
    assert "-Infinity" not in json.dumps(DriftWatch(reference, 50).to_dict())


def test_a_restarted_label_watch_goes_on_too() -> None:
    rng = np.random.default_rng(3)
    reference, stream = labelled(rng), answers(120, rng, off=0.3)
    whole, first, second = (LabelWatch(reference, 50) for _ in range(3))
    for confidence, right in stream:
        whole.seen(confidence, right)
    for confidence, right in stream[:70]:
        first.seen(confidence, right)
    second.restore(json.loads(json.dumps(first.to_dict())))
    for confidence, right in stream[70:]:
        second.seen(confidence, right)
    assert second.to_dict() == whole.to_dict()
    with pytest.raises(ValueError, match="another size"):
        LabelWatch(reference, 10).restore(first.to_dict())


def test_what_was_counted_otherwise_is_not_gone_on_with() -> None:
    rng = np.random.default_rng(4)
    stored = DriftWatch(reference_of(examples(50, rng), None), 50).to_dict()
    with pytest.raises(ValueError, match="of 50 examples"):
        DriftWatch(reference_of(examples(50, rng), None), 20).restore(stored)
    with pytest.raises(ValueError, match="other features"):
        DriftWatch(reference_of([{"label": "a"}], None), 50).restore(stored)
