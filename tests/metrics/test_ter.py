"""TER: equal to sacreBLEU on fuzzed text, also where its beam and its limits cut; values by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import TER as Theirs
from sacrebleu.metrics.lib_ter import translation_edit_rate

from truetune.errors import MetricError
from truetune.metrics import shifts
from truetune.metrics.edit_band import Band
from truetune.metrics.shifts import edits
from truetune.metrics.ter import ter
from truetune.rows import joined

WORDS = st.lists(st.sampled_from("abcd"), max_size=14)
TEXTS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(["The", "the", "cat", "sat,", "on", "mat."]), max_size=10).map(" ".join),
        st.text(st.sampled_from("ab C.\u3000\t"), max_size=12),
        st.sampled_from(["", " ", "a"]),
    ),
    min_size=1,
    max_size=4,
)


def score(texts: list[str], references: list, tokenizer: str = "none") -> float:
    metric = ter(tokenizer)
    return float(metric.value(metric.rows(references, texts)))


@given(WORDS, WORDS)
@settings(max_examples=400)
def test_edits_of_short_texts_are_those_of_sacrebleu(text: list[str], reference: list[str]) -> None:
    assert edits(text, reference) == translation_edit_rate(text, reference)[0]


def moved_about(rng: random.Random, length: int, words: int) -> tuple[list[str], list[str]]:
    """Return a reference with few or many words, and a text with blocks of it moved, dropped and replaced."""
    reference = [f"w{rng.randrange(words)}" for _ in range(length)]
    text = reference[:]
    for _ in range(rng.randrange(1, 6)):
        start, size = rng.randrange(len(text)), rng.randrange(1, 14)
        block, text = text[start : start + size], text[:start] + text[start + size :]
        if rng.random() < 0.7:
            place = rng.randrange(len(text) + 1)
            text[place:place] = block
    return [f"w{rng.randrange(words)}" if rng.random() < 0.1 else word for word in text], reference


@pytest.mark.parametrize("seed", range(60))
def test_edits_of_long_texts_are_those_of_sacrebleu(seed: int) -> None:
    rng = random.Random(seed)
    text, reference = moved_about(rng, rng.randrange(20, 90), rng.choice((4, 30, 400)))
    if seed % 3 == 0:
        reference = reference[: rng.randrange(1, 8)] + [f"x{rng.randrange(9)}" for _ in range(rng.randrange(60))]
    if seed % 5 == 0:
        text = text[: rng.randrange(3)]
    assert edits(text, reference) == translation_edit_rate(text, reference)[0]


def test_the_band_and_the_limit_of_shifts_do_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    apart = [f"w{number}" for number in range(80)]
    text = [f"x{number}" for number in range(30)] + apart[:50]
    assert edits(text, apart) == translation_edit_rate(text, apart)[0]
    monkeypatch.setattr(Band, "holds", lambda band, path: True)
    assert edits(text, apart) < translation_edit_rate(text, apart)[0]
    monkeypatch.undo()

    rng = random.Random(1)
    text, reference = ([rng.choice("abc") for _ in range(40)] for _ in range(2))
    limited = edits(text, reference)
    assert limited == translation_edit_rate(text, reference)[0]
    monkeypatch.setattr(shifts, "MOST", 10**9)
    assert edits(text, reference) < limited


@given(data=st.data(), texts=TEXTS)
def test_it_equals_sacrebleu(data: st.DataObject, texts: list[str]) -> None:
    pick = st.lists(st.one_of(st.sampled_from(texts), TEXTS.map(lambda some: some[0])), min_size=1, max_size=3)
    references = [data.draw(pick) for _ in texts]
    sides = [[one[place] if place < len(one) else None for one in references] for place in range(3)]
    sides = [side for side in sides if any(one is not None for one in side)]
    found = score(texts, references)
    if np.isnan(found):  # sacreBLEU prints 0 or 100 where no reference has a word
        assert not any(one.split() for some in references for one in some)
    else:
        assert found == pytest.approx(Theirs().corpus_score(texts, sides).score, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "reference", "count"),
    [
        ("a b c d", "a b c d", 0),
        ("A B", "a b", 0),  # small letters are compared
        ("c d a b", "a b c d", 1),  # one shift
        ("a x c", "a b c d", 2),  # one replaced, one added
        ("a b c d e", "e", 4),
        ("", "a b", 2),
    ],
)
def test_edits_by_hand(text: str, reference: str, count: int) -> None:
    assert score([text], [reference]) == pytest.approx(100 * count / len(reference.split()))


def test_the_corpus_is_scored_not_the_mean_of_sentences() -> None:
    assert score(["x", "a b c d"], ["a", "a b c d"]) == pytest.approx(100 * 1 / 5)


def test_the_fewest_edits_and_the_mean_length_count() -> None:
    metric = ter("none")
    assert metric.rows([["a b c d e", "x y"]], ["x y z"]).dense().tolist() == [[1, 3.5]]


def test_references_without_a_word_have_no_rate() -> None:
    assert np.isnan(score([""], [""]))
    assert np.isnan(score(["a"], [""]))
    assert Theirs().corpus_score(["a"], [[""]]).score == 100


def test_chinese_is_cut_into_characters_and_says_so() -> None:
    metric = ter()
    rows = metric.rows(["我们在北京见面"], ["我们在南京见面"])
    assert rows.note == "tokeniser zh"
    assert float(metric.value(rows)) == pytest.approx(100 / 7)
    assert score(["我们在北京见面"], ["我们在南京见面"], "none") == 100
    assert metric.rows(["we meet in Beijing"], ["we meet"]).note == "tokeniser none"


@given(TEXTS, TEXTS)
def test_merged_shards_equal_one_pass(first: list[str], second: list[str]) -> None:
    metric = ter("none")
    apart = joined(metric.rows(first, first[::-1]), metric.rows(second, second[::-1]))
    whole = metric.rows(first + second, first[::-1] + second[::-1])
    assert np.array_equal(apart.totals(), whole.totals())


def test_bad_input_is_refused() -> None:
    with pytest.raises(MetricError, match="2 segments have references, 1 a text"):
        score(["a"], ["a", "b"])
    with pytest.raises(MetricError, match="did you mean 'none'"):
        score(["a"], ["a"], "nona")
