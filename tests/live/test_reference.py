"""The reference: by hand, there and back, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truetune.errors import ModelError
from truetune.files import read_json, write_json
from truetune.live.reference import read_reference, reference_of, write_reference

SEEN: list[dict[str, float | str]] = [
    {"label": "a", "confidence": 0.52, "characters": 4.0},
    {"label": "a", "confidence": 0.53, "characters": 900.0},
    {"label": "b", "confidence": 0.97, "characters": 4.0},
]


def test_by_hand() -> None:
    found = reference_of(SEEN, [True, False, True])
    assert found.examples == 3
    assert found.counts["label"] == {"a": 2, "b": 1}
    assert found.counts["confidence"] == {"5": 2, "16": 1}
    assert found.calibration == {"5": (2, 1, pytest.approx(1.05)), "16": (1, 1, 0.97)}
    assert found.right == (2, 3)


def test_there_and_back(tmp_path: Path) -> None:
    for right in ([True, False, True], None):
        found = reference_of(SEEN, right, grouped=True)
        write_reference(tmp_path, found)
        assert read_reference(tmp_path) == found


def test_a_bundle_without_one_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no reference\.json: .* older truetune.*--reference"):
        read_reference(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 9}, "has format 9"),
        ({"edges": {}}, "other bins"),
        ({"examples": -1}, "damaged"),
        ({"examples": True}, "damaged"),
        ({"counts": {"label": {"a": 10**12}}}, "damaged"),
        ({"counts": {"confidence": {"99": 1}}}, "damaged"),
        ({"counts": []}, "damaged"),
        ({"calibration": {"5": [1, 2, 0.5]}}, "more are right"),
    ],
)
def test_a_damaged_or_foreign_one_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write_reference(tmp_path, reference_of(SEEN, [True, False, True]))
    write_json(tmp_path / "reference.json", read_json(tmp_path / "reference.json") | change)
    with pytest.raises(ModelError, match=said):
        read_reference(tmp_path)
