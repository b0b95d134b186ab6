"""A bundle is read back as it was written, and refused when it is damaged, foreign or may hold code."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from truetune.bundle.format import FORMAT, NAME, UPGRADES, Bundle, read_bundle, write_bundle
from truetune.decisions.calibration import Calibration
from truetune.decisions.conformal import Conformal
from truetune.decisions.decision import Decision
from truetune.errors import ModelError

BUNDLE = Bundle(
    "classification",
    ("差评", "好评"),
    multiple=False,
    max_length=128,
    base_model="builtin:minilm-en",
    licence="Apache-2.0",
    language="zh",
    data={"train": "ab12", "test": "cd34"},
)
OLD = {
    "format": 1,
    "task": "classification",
    "labels": ["差评", "好评"],
    "multiple": False,
    "max_length": 128,
    "base_model": "builtin:minilm-en",
    "framework": "pytorch",
    "threshold": 0.4,
    "scores": [],
    "truetune": "0.1.0",
}
"""What the first format had."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path, BUNDLE)
    return tmp_path


def test_it_reads_back_the_same(folder: Path) -> None:
    assert read_bundle(folder) == BUNDLE
    for entities in ((), ("人物", "地点")):
        write_bundle(folder, replace(BUNDLE, entities=entities))
        assert read_bundle(folder).entities == entities


def test_a_decision_reads_back_the_same(tmp_path: Path) -> None:
    calibration = Calibration("platt", True, lines=((0.7, -0.1),))
    decision = Decision(calibration, {"好评": 0.4}, answer_from=0.6, conformal=Conformal("lac", 0.9, (math.inf,)))
    write_bundle(tmp_path, replace(BUNDLE, decision=decision))
    assert "Infinity" not in (tmp_path / NAME).read_text(encoding="utf-8")
    assert read_bundle(tmp_path).decision == decision


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no truetune model"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "optimizer.pt", "deep/x.PKL"])
def test_a_file_that_may_hold_code_is_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).touch()
    with pytest.raises(ModelError, match="may hold code"):
        read_bundle(folder)


def test_the_first_format_is_read(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps(OLD), encoding="utf-8")
    found = read_bundle(tmp_path)
    assert (found.labels, found.threshold) == (("差评", "好评"), 0.4)
    assert (found.licence, found.language, found.data) == ("unknown", "", {})


@pytest.mark.parametrize(("limit", "read"), [(0.7, 0.7), (None, math.inf)])
def test_the_one_limit_of_the_third_format_is_read(folder: Path, limit: float | None, read: float) -> None:
    stored = json.loads((folder / NAME).read_text(encoding="utf-8"))
    decision = {**Decision().to_dict(), "conformal": {"way": "aps", "level": 0.9, "limit": limit}}
    (folder / NAME).write_text(json.dumps({**stored, "format": 3, "decision": decision}), encoding="utf-8")
    found = read_bundle(folder).decision
    assert found == Decision(conformal=Conformal("aps", 0.9, (read,)))


def test_every_older_format_has_its_way_to_the_next() -> None:
    assert sorted(UPGRADES) == list(range(1, FORMAT))


@pytest.mark.parametrize("version", [0, -1, "2", None])
def test_a_format_that_never_was_is_refused(tmp_path: Path, version: object) -> None:
    (tmp_path / NAME).write_text(json.dumps({**OLD, "format": version}), encoding="utf-8")
    with pytest.raises(ModelError, match="has format"):
        read_bundle(tmp_path)


def test_another_format_is_refused_with_the_version_that_reads_it(folder: Path) -> None:
    stored = json.loads((folder / NAME).read_text(encoding="utf-8"))
    (folder / NAME).write_text(json.dumps({**stored, "format": 99, "truetune": "9.9"}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"has format 99, .* use truetune 9\.9"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 2, "surprise": 2}',
        json.dumps({**OLD, "labels": [1]}),
        json.dumps({**OLD, "decision": {}}),
        json.dumps({**OLD, "decision": {**Decision().to_dict(), "thresholds": {"中评": 0.5}}}),
        json.dumps({**OLD, "decision": {**Decision().to_dict(), "costs": [[0, 1, 2]]}}),
    ],
)
def test_a_damaged_one_is_refused(folder: Path, text: str) -> None:
    (folder / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="is damaged"):
        read_bundle(folder)
