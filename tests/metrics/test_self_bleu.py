"""Self-BLEU by hand, and against sacreBLEU's sentence scores with all other replies as references."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

import truetune
from truetune.metrics.self_bleu import SELF_BLEU, reply_bleu

replies = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=9), min_size=2, max_size=8)


@given(replies)
def test_equal_to_sacrebleu_against_all_others(words: list[list[int]]) -> None:
    texts = [" ".join(f"w{word}" for word in reply) for reply in words]
    expected = [
        sacrebleu.sentence_bleu(text, texts[:place] + texts[place + 1 :], tokenize="none").score
        for place, text in enumerate(texts)
    ]
    np.testing.assert_allclose(reply_bleu(words), expected, rtol=1e-9, atol=1e-9)


def value(texts: list[str]) -> float:
    return float(SELF_BLEU.value(SELF_BLEU.rows([""] * len(texts), texts)))


def test_equal_replies_repeat_each_other_wholly() -> None:
    assert value(["I do not know"] * 3) == pytest.approx(100)
    assert value(["a b c d", "e f g h"]) == 0
    assert value(["我不知道。"] * 2) == pytest.approx(100)


def test_undefined_where_there_are_no_two_replies() -> None:
    assert np.isnan(value(["one alone"]))
    assert np.isnan(value(["...", "!"]))


@given(replies)
def test_weights_are_copies(words: list[list[int]]) -> None:
    texts = [" ".join(f"w{word}" for word in reply) for reply in words]
    rows = SELF_BLEU.rows([""] * len(texts), texts)
    twice = float(SELF_BLEU.value(rows, np.full(len(rows.table), 2)))
    assert twice == pytest.approx(100), "every reply has its copy among the others"
    counts = np.arange(len(texts)) % 3
    drawn = [text for text, times in zip(texts, counts, strict=True) for _ in range(times)]
    assert float(SELF_BLEU.value(rows, counts)) == pytest.approx(value(drawn), nan_ok=True)


@given(replies, st.integers(0, 2**32 - 1))
def test_many_draws_are_as_each_alone(words: list[list[int]], seed: int) -> None:
    texts = [" ".join(f"w{word}" for word in reply) for reply in [*words, []]]
    rows = SELF_BLEU.rows([""] * len(texts), texts)
    counts = np.random.default_rng(seed).integers(0, 4, (5, len(texts)))
    for row, found in zip(counts, SELF_BLEU.value(rows, counts), strict=True):
        drawn = [words[place] if place < len(words) else [] for place in np.repeat(np.arange(len(texts)), row)]
        scores = reply_bleu(drawn)
        wanted = np.nanmean(scores) if np.isfinite(scores).any() else np.nan
        assert found == pytest.approx(wanted, nan_ok=True)


def test_the_task_dialogue_has_it() -> None:
    score = truetune.evaluate(task="dialogue", gold=["a", "b"], predicted=["yes it is", "yes it was"]).score(
        "self_bleu"
    )
    assert 0 < score.value < 100
    assert "no interval" in score.reason
