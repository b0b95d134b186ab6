"""Spans beside their place, spaces in spans, one span a piece, tags without letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .planted import found

NAMES = ("Anna Schmidt", "Bob", "Carla Ruiz", "New York", "Bern", "Acme Corporation", "Jo")
Case = tuple[list[dict[str, Any]], list[list[list[Any]]]]


def tagged(seed: int, number: int = 150, found_of: float = 0.85) -> Case:
    """Sentences with names, and a system that finds most of them, some with a wrong end or type."""
    rng = np.random.default_rng(seed)
    gold, predicted = [], []
    for _ in range(number):
        text, spans, said = "", [], []
        for name in rng.choice(NAMES, rng.integers(0, 4)):
            text += str(rng.choice(["Yesterday ", "We met ", "Near ", "They called "]))
            span = [len(text), len(text) + len(name), "PER" if " " in name else "LOC"]
            text += f"{name} and "
            spans.append(span)
            draw = rng.random()
            if draw < found_of:
                said.append(span)
            elif draw < found_of + 0.05:
                said.append([span[0], span[1] - 1, span[2]])
            elif draw < found_of + 0.1:
                said.append([span[0], span[1], "ORG"])
        gold.append({"text": text + f"left at {len(gold)}.", "spans": spans})
        predicted.append(said)
    return gold, predicted


@pytest.mark.parametrize("seed", range(20))
def test_fair_and_poor_taggers_are_clean(seed: int) -> None:
    gold, predicted = tagged(seed, found_of=0.05 + 0.04 * seed)
    assert not found("ner", gold, predicted)


@pytest.mark.parametrize("move", [(0, -1), (0, 1), (1, 1), (1, 0)])
def test_spans_off_by_one_are_found_with_their_correction(move: tuple[int, int]) -> None:
    gold, predicted = tagged(1)
    moved = [[[start + move[0], end + move[1], kind] for start, end, kind in spans] for spans in predicted]
    finding = found("ner", gold, [[span for span in spans if span[1] > span[0]] for spans in moved])
    assert f"start is moved by {-move[0]:+d} and their end by {-move[1]:+d}" in finding["spans are off by one"].advice


def test_spaces_in_spans_are_found() -> None:
    gold, predicted = tagged(2)
    with_space = [[[start - 1, end, kind] for start, end, kind in spans] for spans in predicted]
    assert found("ner", gold, with_space)["spans include spaces"].examples[0].count("gold") == 1
    some = [*with_space[:8], *predicted[8:]]
    assert list(found("ner", gold, some)) == ["spans include spaces"]


def test_one_span_a_piece_is_found() -> None:
    gold, predicted = tagged(3)
    pieces = [
        [[at, min(at + 3, end), kind] for start, end, kind in spans for at in range(start, end, 3)]
        for spans in predicted
    ]
    assert found("ner", gold, pieces)["one span a piece"].severity == "error"


def test_tag_schemes_that_do_not_fit_are_found() -> None:
    rng = np.random.default_rng(4)
    gold = [["O", "B-PER", "I-PER", "I-PER", "O", "B-LOC"][: rng.integers(3, 7)] for _ in range(60)]
    predicted = [["O"] * len(tags) if rng.random() < 0.2 else tags for tags in gold]
    assert not found("ner", gold, predicted)
    bare = [[tag[2:] or tag for tag in tags] for tags in predicted]
    assert found("ner", gold, bare)["tags without letters"].count == sum(
        tag != "O" for tags in predicted for tag in tags
    )
    begun = [[tag.replace("I-", "B-") for tag in tags] for tags in predicted]
    assert found("ner", gold, begun)["B- on every token"].count == sum(tags.count("I-PER") for tags in predicted)


@pytest.mark.parametrize(("move", "told"), [(1, "one token before"), (-1, "one token behind")])
def test_tags_beside_their_token_are_found(move: int, told: str) -> None:
    """A tag for [CLS] is left in front, or the first one is lost; B- on gold's I- is no fault of its own then."""
    rng = np.random.default_rng(5)
    gold = [["O"] * rng.integers(1, 4) + ["B-PER", "I-PER", "O", "B-LOC", "O"] for _ in range(60)]
    fair = [["O"] * len(tags) if rng.random() < 0.3 else tags for tags in gold]
    assert not found("ner", gold, fair)
    moved = [["O", *tags[:-1]] if move > 0 else [*tags[1:], "O"] for tags in fair]
    findings = found("ner", gold, moved)
    assert list(findings) == ["tags are off by one"]
    assert findings["tags are off by one"].count == sum(tag != "O" for tags in fair for tag in tags)
    assert told in findings["tags are off by one"].advice


@pytest.mark.parametrize("seed", range(10))
def test_poor_boundaries_are_no_shift(seed: int) -> None:
    """Entities that begin or end one token too early or too late, as often on one side as on the other."""
    rng = np.random.default_rng(seed)
    gold, predicted = [], []
    for _ in range(100):
        begin, length = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        sides = [(begin, begin + length), (begin + int(rng.integers(-1, 2)), begin + length + int(rng.integers(0, 2)))]
        for side, (first, end) in zip((gold, predicted), sides, strict=True):
            end = max(end, first + 1)
            side.append(["O"] * first + ["B-PER"] + ["I-PER"] * (end - first - 1) + ["O"] * (10 - end))
    assert "tags are off by one" not in found("ner", gold, predicted)
