"""Spans behind the model's longest input, gold cut with its texts, and offsets in bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .planted import found

NAMES = ("Ann Lee", "北京", "Zoë", "Bob 😀 Ray", "上海", "Rome")
CUT = 120


def documents(seed: int, recall: float = 0.8) -> tuple[list[dict[str, Any]], list[list[list[Any]]]]:
    """Texts of up to a few hundred characters with names in them, and a tagger that finds a share."""
    rng = np.random.default_rng(seed)
    gold, predicted = [], []
    for _ in range(60):
        text, spans = "", []
        for name in rng.choice(NAMES, rng.integers(1, 20)):
            text += "we saw "
            spans.append([len(text), len(text) + len(name), "NAME"])
            text += f"{name} – and "
        gold.append({"text": text, "spans": spans})
        predicted.append([span for span in spans if rng.random() < recall])
    return gold, predicted


@pytest.mark.parametrize("seed", range(10))
def test_whole_texts_are_clean(seed: int) -> None:
    assert not found("ner", *documents(seed, recall=0.1 + 0.09 * seed))


def test_predictions_of_cut_texts_are_found() -> None:
    gold, predicted = documents(1)
    cut = [[span for span in spans if span[1] <= CUT] for spans in predicted]
    finding = found("ner", gold, cut)["no span behind a place"]
    assert finding.severity == "error"
    reach = max(span[1] for spans in cut for span in spans)
    assert finding.count == sum(span[0] >= reach for one in gold for span in one["spans"])


def test_gold_that_was_cut_with_the_texts_is_found() -> None:
    gold, predicted = documents(2)
    cut = [{**one, "spans": [span for span in one["spans"] if span[1] <= CUT]} for one in gold]
    said = [[span for span in spans if span[1] <= CUT] for spans in predicted]
    assert list(found("ner", cut, said)) == ["gold stops before the texts do"]


@pytest.mark.parametrize(
    ("encoding", "width", "units"), [("utf-8", 1, "bytes of UTF-8"), ("utf-16-le", 2, "units of UTF-16")]
)
def test_offsets_in_other_units_are_found(encoding: str, width: int, units: str) -> None:
    gold, predicted = documents(3)
    counted = [
        [[len(one["text"][:place].encode(encoding)) // width for place in span[:2]] + span[2:] for span in spans]
        for one, spans in zip(gold, predicted, strict=True)
    ]
    finding = found("ner", gold, counted)["spans count other units"]
    assert f"read as {units}" in finding.advice
