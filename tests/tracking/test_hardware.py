"""Readings of the process."""

import pytest

from truetune.tracking.hardware import Processor, peak_bytes, resident_bytes


def test_memory_that_is_taken_is_seen() -> None:
    before, most = resident_bytes(), peak_bytes()
    assert before is not None
    assert most is not None
    taken = bytearray(b"\1") * 200_000_000
    now, peak = resident_bytes(), peak_bytes()
    assert now is not None
    assert peak is not None
    assert now - before > 150_000_000
    assert peak >= max(most, now - 1_000_000)
    assert len(taken) == 200_000_000


def test_processor_seconds_are_counted_since_the_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, own = iter([0.0, 2.0, 4.0]), iter([10.0, 13.0, 13.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(wall))
    monkeypatch.setattr("time.process_time", lambda: next(own))
    processor = Processor()
    assert (processor.busy(), processor.busy()) == (1.5, 0.0)
