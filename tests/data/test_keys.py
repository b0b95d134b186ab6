"""Keys of sixteen bytes say what the values say: what is equal, and in which order."""

from __future__ import annotations

import hashlib
import random

from hypothesis import given
from hypothesis import strategies as st

from truetune.data.keys import hashed, linked, ranked

TEXTS = st.lists(st.text("ab\0中", max_size=3), max_size=30)


@given(TEXTS, st.integers(0, 5))
def test_equal_keys_are_equal_values(values: list[str], seed: int) -> None:
    for keys in (hashed(values, len(values)), ranked(values, len(values), seed)):
        assert [[one == other for other in keys] for one in keys] == [[a == b for b in values] for a in values]


@given(TEXTS, st.integers(0, 5))
def test_the_order_is_that_of_the_whole_hashes(values: list[str], seed: int) -> None:
    keys = ranked(values, len(values), seed)
    expected = sorted(set(values), key=lambda value: hashlib.sha256(f"{seed}\n{value}".encode()).hexdigest())
    assert [values[place] for place in keys.argsort(kind="stable")] == [
        value for value in expected for _ in range(values.count(value))
    ]


def test_a_key_may_end_in_zeros() -> None:
    value = next(f"{n}" for n in range(10_000) if hashed([f"{n}"], 1).tobytes().endswith(b"\0"))
    assert (hashed([value, value], 2) == hashed([value], 1)[0]).all()


LINKS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), min_size=1, max_size=12)


@given(LINKS, st.randoms(use_true_random=False))
def test_linked_examples_share_a_key_and_others_do_not(links: list[tuple[str, str]], shuffler: random.Random) -> None:
    groups, texts = zip(*links, strict=True)
    keys = linked(groups, hashed(texts, len(texts)), 0)
    # By hand: grow each component until nothing is added.
    for start in range(len(links)):
        component = {start}
        while True:
            more = {
                place
                for place, link in enumerate(links)
                if any(link[column] == links[one][column] for one in component for column in (0, 1))
            }
            if more <= component:
                break
            component |= more
        assert {place for place, key in enumerate(keys) if key == keys[start]} == component
        assert keys[start] == ranked([f"0 {min(groups[place] for place in component)}"], 1, 0)[0]
    order = list(range(len(links)))
    shuffler.shuffle(order)
    again = linked([groups[place] for place in order], hashed([texts[place] for place in order], len(order)), 0)
    assert [again[order.index(place)] for place in range(len(links))] == list(keys)


def test_links_are_followed_through_every_column() -> None:
    keys = linked(["a", "a", "b", "c"], hashed(["x", "y", "y", "z"], 4), 0)
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert len(linked([], hashed([], 0), 0)) == 0
