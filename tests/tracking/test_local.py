"""The event log: what a killed run leaves behind can be read and continued."""

from __future__ import annotations

from pathlib import Path

from truetune.tracking.local import EventLog, events


def test_events_are_read_back_in_order(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        log.write({"event": "step", "step": 1, "loss": 0.5})
        log.write({"event": "步", "step": 2})
    assert [event["step"] for event in events(tmp_path / "events.jsonl")] == [1, 2]


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"step": 1}\n{"step": 2, "lo', encoding="utf-8")
    assert list(events(path)) == [{"step": 1}]


def test_resuming_drops_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st', encoding="utf-8")
    with EventLog(path, keep_until_step=2) as log:
        log.write({"step": 3, "again": True})
    assert list(events(path)) == [{"step": 1}, {"step": 2}, {"step": 3, "again": True}]


def test_no_file_has_no_events(tmp_path: Path) -> None:
    assert list(events(tmp_path / "absent.jsonl")) == []
