"""What is known of a served model: by hand, after restarts and kills, and that no text is kept."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune.errors import DataError
from truetune.live.features import Observed
from truetune.live.journal import read_journal
from truetune.live.quality import FIRST, SECOND, Quality, Watching
from truetune.live.reference import Reference, reference_of

SMALL = Watching(window=20, labelled=10)


def seen(number: int, rng: np.random.Generator, label: str | None = None) -> list[Observed]:
    return [
        {"label": label or str(rng.choice(["a", "b"])), "confidence": float(rng.uniform(0.6, 1)), "characters": 10.0}
        for _ in range(number)
    ]


Opened = Callable[[], Quality]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """What opens the folder of a test; all are closed when the test has ended, as if each had been killed before."""
    every = []

    def one() -> Quality:
        every.append(Quality(tmp_path, SMALL))
        return every[-1]

    yield one
    for quality in every:
        with contextlib.suppress(ValueError):  # closed by the test
            quality.close()


@pytest.fixture
def reference() -> Reference:
    rng = np.random.default_rng(0)
    found = seen(200, rng)
    return reference_of(found, [bool(rng.random() < float(one["confidence"])) for one in found])


def test_answers_and_labels_by_hand(tmp_path: Path, opened: Opened, reference: Reference) -> None:
    quality = opened()
    assert quality.begin("m", reference) == "starts anew: nothing was saved"
    quality.answered("m", FIRST, "x", [{"label": "a", "confidence": 0.9}, {"label": "b", "confidence": 0.7}])
    quality.answered("m", SECOND, "y", [{"label": "a", "confidence": 0.9}])
    found = quality.labelled({"x/0": "a", "x/1": "a", "y": "b", "z": "a"})
    assert found == {"taken": 3, "repeated": 0, "unknown": ["z"]}
    assert quality.labelled({"x": "b"}) == {"taken": 0, "repeated": 1, "unknown": []}
    told = quality.told()
    assert told["drift"]["examples"] == 2, "what the second model answered is not held against the first's reference"
    labels = told["labels"]
    assert (labels["labelled"], labels["accuracy"]["value"]) == (2, 0.5)
    assert labels["accuracy_less_confidence"]["value"] == pytest.approx((0.1 - 0.7) / 2)
    assert labels["accuracy"]["low"] < 0.5 < labels["accuracy"]["high"]
    assert [row["kind"] for row in read_journal(tmp_path / "journal.jsonl")] == ["answer"] * 3 + ["label"] * 3
    json.dumps(told, allow_nan=False)
    quality.close()


def test_a_restart_goes_on_and_knows_what_was_answered(opened: Opened, reference: Reference) -> None:
    rng = np.random.default_rng(1)
    first = opened()
    first.begin("m", reference)
    first.answered("m", FIRST, "x", seen(50, rng))
    first.labelled({"x/3": "a"})
    first.close()
    second = opened()
    assert second.begin("m", reference) == "goes on after 50 texts and 1 labels"
    assert second.told() == first.told()
    assert second.labelled({"x/3": "a", "x/4": "a"}) == {"taken": 1, "repeated": 1, "unknown": []}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "old"}, "is of the model old"),
        ({"format": 9}, "has format 9"),
        ({"drift": None}, "another reference"),
        ({"hits": 3}, "cannot be gone on with"),
    ],
)
def test_what_cannot_be_gone_on_with_starts_anew_and_says_why(
    tmp_path: Path, opened: Opened, reference: Reference, change: dict[str, Any], said: str
) -> None:
    first = opened()
    first.begin("m", reference)
    first.answered("m", FIRST, "x", seen(50, np.random.default_rng(1)))
    first.close()
    state = tmp_path / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | change))
    second = opened()
    told = second.begin("m", reference)
    assert told.startswith("starts anew")
    assert said in told
    assert second.told()["drift"]["examples"] == 0


def test_a_kill_loses_the_window_that_was_not_full_and_a_torn_line_is_none(
    tmp_path: Path, opened: Opened, reference: Reference
) -> None:
    first = opened()
    first.begin("m", reference)
    for number in range(25):
        first.answered("m", FIRST, f"x{number}", seen(1, np.random.default_rng(number)))
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"kind": "answer", "id": "to')
    second = opened()
    assert second.begin("m", reference) == "goes on after 20 texts and 0 labels"
    second.answered("m", FIRST, "next", seen(1, np.random.default_rng(0)))
    ids = [row["id"] for row in read_journal(tmp_path / "journal.jsonl")]
    assert ids == [*(f"x{number}/0" for number in range(25)), "next/0"]


def test_without_a_reference_labels_are_counted_and_the_reason_is_told(opened: Opened) -> None:
    quality = opened()
    quality.begin("m", None, "has no reference.json")
    quality.answered("m", FIRST, "x", [{"label": "a", "confidence": 0.9}])
    quality.labelled({"x": "a"})
    told = quality.told()
    assert (told["drift"], told["reason"]) == (None, "has no reference.json")
    assert told["labels"]["labelled"] == 1
    assert told["labels"]["watch"] is None


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    with pytest.raises(DataError, match="cannot be read"):
        list(read_journal(file))
    file.write_text('{"label": "a"}\n')
    with pytest.raises(DataError, match=r"journal\.jsonl:1: is no line of a journal"):
        list(read_journal(file))
