"""Data sets of the Hub, through a stand-in for the library."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from truetune.data.formats.hub import read_hub
from truetune.errors import DataError, MissingPackageError


class ClassLabel:
    def __init__(self, names: list[str]) -> None:
        self.names = names


class Sequence:
    def __init__(self, feature: Any) -> None:
        self.feature = feature


class Rows(list):
    features: ClassVar = {
        "text": SimpleNamespace(),
        "label": ClassLabel(["neg", "pos"]),
        "tags": Sequence(ClassLabel(["O", "B-X"])),
    }


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    asked: list[tuple[Any, ...]] = []

    def load_dataset(name: str, config: str | None, split: str) -> Rows:
        asked.append((name, config, split))
        if name == "gone":
            raise ConnectionError("Couldn't reach the Hub")
        return Rows([{"text": "good", "label": 1, "tags": [1, 0]}, {"text": "?", "label": -1, "tags": []}])

    module = ModuleType("datasets")
    module.load_dataset = load_dataset  # type: ignore[attr-defined]
    module.ClassLabel = ClassLabel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    return asked


def test_rows_with_the_names_of_their_labels(hub: list[tuple[Any, ...]]) -> None:
    records = list(read_hub("owner/name"))
    assert hub == [("owner/name", None, "train")]
    assert [dict(record.fields) for record in records] == [
        {"text": "good", "label": "pos", "tags": ["B-X", "O"]},
        {"text": "?", "label": -1, "tags": []},
    ]
    assert records[0].where == "hub:owner/name[1]"


def test_config_and_split(hub: list[tuple[Any, ...]]) -> None:
    list(read_hub("name:zh:test"))
    list(read_hub("name::validation"))
    assert hub == [("name", "zh", "test"), ("name", None, "validation")]


def test_a_set_that_cannot_be_had_says_what_to_do(hub: list[tuple[Any, ...]]) -> None:
    with pytest.raises(
        DataError, match=r"hub:gone: cannot be loaded \(ConnectionError: Couldn't reach.*check the name"
    ):
        list(read_hub("gone"))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingPackageError, match=r"'datasets'.*pip install 'truetune\[hub\]'"):
        list(read_hub("name"))
