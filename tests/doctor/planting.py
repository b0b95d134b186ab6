"""Mistakes as people make them, done to gold and predictions of any data. Nothing here knows how they are found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

Spans = list[list[Any]]


def a_tag_a_piece(spans: Sequence[Spans], size: int = 3) -> list[Spans]:
    """1: B- on every sub-word: each piece of an entity becomes an entity."""
    return [
        [[at, min(at + size, end), kind] for start, end, kind in some for at in range(start, end, size)]
        for some in spans
    ]


def cut_at(spans: Sequence[Spans], longest: int) -> list[Spans]:
    """2: what stands behind the model's longest input is never seen."""
    return [[span for span in some if span[1] <= longest] for some in spans]


def wider(spans: Sequence[Spans], texts: Sequence[str]) -> list[Spans]:
    """3: spans of a lenient system: the character before belongs to them too."""
    return [[[max(span[0] - 1, 0), span[1], span[2]] for span in some] for some, _ in zip(spans, texts, strict=True)]


def in_another_order(labels: Sequence[str]) -> list[str]:
    """5: the model's outputs in an order of its own: each label is called by the next one's name."""
    names = sorted(set(labels))
    return [names[(names.index(label) + 1) % len(names)] for label in labels]


def in_batches(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """6: as a loader hands them out."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def filled(items: Sequence[Any], value: Any) -> list[Any]:
    """8: a test set without gold, filled with one value."""
    return [value] * len(items)


def one_logit(logits: np.ndarray, labels: Sequence[str]) -> list[dict[str, float]]:
    """9: a sigmoid of the second of two logits, and what is left to 1."""
    second = 1 / (1 + np.exp(-logits[:, 1]))
    return [dict(zip(labels, (1 - one, one), strict=True)) for one in second.tolist()]


def best_threshold(gold: Sequence[str], score: Sequence[float], label: str) -> float:
    """10: the threshold with the highest F1 on these very examples."""
    right = np.array([one == label for one in gold])
    values = np.asarray(score)

    def f1(threshold: float) -> float:
        said = values >= threshold
        return float(2 * (said & right).sum() / max(said.sum() + right.sum(), 1))

    return max(np.unique(values).tolist(), key=f1)


def retyped(texts: Sequence[str]) -> list[str]:
    """13: the same texts as another typist has them: capitals, spaces, full-width signs and letters."""
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    return [re.sub(r"\s+", "  ", text.upper()).translate(wide) for text in texts]


def traditional(texts: Sequence[str]) -> list[str]:
    """13: some simplified characters as traditional ones."""
    pairs = dict(zip("这们个国说来时对为开关书马门见车东乐长", "這們個國說來時對為開關書馬門見車東樂長", strict=True))
    return ["".join(pairs.get(one, one) for one in text) for text in texts]


def stopped(texts: Sequence[str], length: int) -> list[str]:
    """20: generation that stops after so many words or characters."""
    return [" ".join(text.split()[:length]) if " " in text.strip() else text[:length] for text in texts]


def echoed(prompts: Sequence[str], texts: Sequence[str]) -> list[str]:
    """22: the prompt stands before the answer."""
    return [f"{prompt} {text}" for prompt, text in zip(prompts, texts, strict=True)]


def filled_up(items: Sequence[Any], size: int) -> list[Any]:
    """27: the last batch of several processes, filled up with examples from the beginning."""
    missing = -len(items) % size
    return [*items, *items[:missing]]
