"""Splits: a partition, groups on one side, independent of file order, labels spread evenly."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.split import Split, make_split, write_split
from truetune.errors import DataError

EXAMPLES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), min_size=60, max_size=200)


def split_of(examples: list[tuple[int, str]], seed: int = 0, names: list[str] | None = None) -> Split:
    ids = names or [str(place) for place in range(len(examples))]
    keys = [f"g{group}" for group, _ in examples]
    return make_split(ids, keys, [label for _, label in examples], validation=0.2, test=0.2, seed=seed)


@given(EXAMPLES)
def test_it_is_a_partition_and_groups_stay_together(examples: list[tuple[int, str]]) -> None:
    try:
        split = split_of(examples)
    except DataError:
        return
    parts = [split.train, split.validation, split.test]
    assert sorted(int(one) for part in parts for one in part) == list(range(len(examples)))
    groups = [{examples[int(one)][0] for one in part} for part in parts]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


@given(EXAMPLES, st.randoms(use_true_random=False))
def test_the_order_of_the_file_does_not_matter(examples: list[tuple[int, str]], shuffler: random.Random) -> None:
    names = [f"id{place}" for place in range(len(examples))]
    order = list(range(len(examples)))
    shuffler.shuffle(order)
    try:
        first = split_of(examples, names=names)
    except DataError:
        return
    second = split_of([examples[place] for place in order], names=[names[place] for place in order])
    assert [set(part) for part in (first.train, first.test)] == [set(part) for part in (second.train, second.test)]


def test_shares_and_labels_are_kept() -> None:
    examples = [(place, "a" if place % 10 else "b") for place in range(2000)]
    split = split_of(examples)
    assert (len(split.train), len(split.validation), len(split.test)) == pytest.approx((1200, 400, 400), abs=3)
    labels = Counter(examples[int(one)][1] for one in split.test)
    assert labels["b"] == pytest.approx(40, abs=2)
    assert split.made == "60% train, 20% validation, 20% test; stratified, seed 0"


def test_a_split_of_what_has_no_labels_is_not_called_stratified() -> None:
    assert split_of([(place, "") for place in range(200)]).made == "60% train, 20% validation, 20% test; seed 0"


def test_another_seed_is_another_split_and_the_same_seed_the_same() -> None:
    examples = [(place, "a") for place in range(200)]
    assert split_of(examples) == split_of(examples)
    assert set(split_of(examples, 1).test) != set(split_of(examples).test)


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(DataError, match="3 examples in 1 groups leave nothing for"):
        split_of([(0, "a")] * 3)


def test_it_is_saved_by_id(tmp_path: Path) -> None:
    split = split_of([(place, "a") for place in range(50)])
    split.write(tmp_path / "split.json")
    assert Split.read(tmp_path / "split.json") == split


@pytest.mark.parametrize(
    "text", ["", "[]", '{"train": ["1"]}', '{"train": 1, "validation": [], "test": [], "made": ""}']
)
def test_a_file_that_is_no_split_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "split.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"split\.json: is no saved split .* Delete it to split again"):
        Split.read(tmp_path / "split.json")
    with pytest.raises(DataError, match=r"gone\.json: is no saved split"):
        Split.read(tmp_path / "gone.json")


def test_a_split_that_does_not_fit_the_data_names_the_ids() -> None:
    split = Split(("1", "2"), ("3", "2"), ("9",), "by hand")
    with pytest.raises(DataError) as caught:
        split.check(["1", "2", "3", "4"])
    assert caught.value.problems == (
        "id '9' of the split is not in the data",
        "id '4' of the data is not in the split",
        "id '2' stands 2 times in the split",
    )
    Split(("1", "2"), ("3",), ("4",), "by hand").check(["4", "3", "2", "1"])


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)


def split_by_the_rule(examples: list[tuple[str, str]], validation: float, test: float, seed: int) -> list[list[str]]:
    """The rule as it is told, unit after unit; returns the ids of train, validation, test."""
    units: dict[str, list[int]] = {}
    for place, (key, _) in enumerate(examples):
        units.setdefault(key, []).append(place)
    strata: dict[str, list[str]] = {}
    for key, places in units.items():
        common = Counter(examples[place][1] for place in places)
        strata.setdefault(min(common, key=lambda label: (-common[label], label)), []).append(key)
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    total = 0
    for stratum in sorted(strata):
        for key in sorted(strata[stratum], key=lambda key: hashlib.sha256(f"{seed}\n{key}".encode()).hexdigest()):
            total += len(units[key])
            lag = {"test": test * total - len(parts["test"]), "validation": validation * total}
            lag["validation"] -= len(parts["validation"])
            behind = max(lag, key=lambda name: lag[name])
            parts[behind if lag[behind] >= len(units[key]) / 2 else "train"] += units[key]
    return [[str(place) for place in sorted(places)] for places in parts.values()]


@given(
    st.lists(st.tuples(st.text("ab中é", max_size=3), st.sampled_from(["x", "y", "z z", ""])), min_size=30, max_size=90),
    st.integers(0, 3),
    st.sampled_from([(0.1, 0.2), (0.25, 0.0), (0.3, 0.3)]),
)
def test_it_is_the_split_that_the_rule_gives(
    examples: list[tuple[str, str]], seed: int, shares: tuple[float, float]
) -> None:
    keys, strata = zip(*examples, strict=True)
    expected = split_by_the_rule(examples, *shares, seed)
    try:
        found = make_split(
            [str(place) for place in range(len(examples))],
            keys,
            strata,
            validation=shares[0],
            test=shares[1],
            seed=seed,
        )
    except DataError:
        assert any(not part and share for part, share in zip(expected, (1.0, *shares), strict=True))
        return
    assert [list(part) for part in (found.train, found.validation, found.test)] == expected


@given(
    st.lists(WORDS),
    st.lists(WORDS),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_ids_are_written_one_by_one_as_json_writes_them(
    tmp_path_factory: pytest.TempPathFactory, train: list[str], other: list[str], made: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "split.json"
    write_split(path, made, {"train": iter(train), "validation": other, "test": []})
    whole = {"made": made, "train": train, "validation": other, "test": []}
    assert path.read_text(encoding="utf-8") == json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
