"""BLEU and its tokenisers: equal to sacreBLEU, on its own published systems and on fuzzed text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from truetune.errors import MetricError
from truetune.metrics import tokenizers
from truetune.metrics.bleu import bleu
from truetune.rows import joined

SENTENCES = st.lists(
    st.one_of(
        st.text(st.sampled_from("ab .,-1&;<>\"'()%$"), max_size=20),
        st.text(st.sampled_from("我们在北京 2008，。a-“”—①"), max_size=12),
        st.lists(st.sampled_from(["the", "cat", "sat", "on", "mat", "."]), max_size=12).map(" ".join),
    ),
    min_size=1,
    max_size=6,
)
TOKENIZERS = ("13a", "zh", "char", "intl", "none")


def ours(texts: list[str], references: list, tokenizer: str) -> float:
    metric = bleu(tokenizer)
    return float(metric.value(metric.rows(references, texts)))


def theirs(texts: list[str], references: list[list[str]], tokenizer: str) -> float:
    width = max(map(len, references))
    sides = [[one[place] if place < len(one) else None for one in references] for place in range(width)]
    return BLEU(tokenize=tokenizer, force=True).corpus_score(texts, sides).score


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(lines=SENTENCES)
def test_tokens_are_those_of_sacrebleu(tokenizer: str, lines: list[str]) -> None:
    theirs = BLEU(tokenize=tokenizer)
    wanted = [theirs._preprocess_segment(line).split() for line in lines]
    assert tokenizers.tokenizer_named(tokenizer)(lines) == wanted


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(data=st.data(), texts=SENTENCES)
def test_it_equals_sacrebleu(tokenizer: str, data: st.DataObject, texts: list[str]) -> None:
    pick = st.lists(st.one_of(st.sampled_from(texts), SENTENCES.map(lambda some: some[0])), min_size=1, max_size=3)
    references = [data.draw(pick) for _ in texts]
    found = ours(texts, references, tokenizer)
    if np.isnan(found):
        assert not any(text.split() for text in texts)
    else:
        assert found == pytest.approx(theirs(texts, references, tokenizer), abs=1e-9)


def test_a_value_worked_by_hand() -> None:
    # tokens 4, reference 5; matches 3/4, 2/3, 1/2, 0/1 -> smoothed 1/2; brevity exp(1 - 5/4)
    value = ours(["a b c x"], ["a b c d e"], "none")
    assert value == pytest.approx(100 * np.exp(1 - 5 / 4) * (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25)


@pytest.mark.parametrize(
    ("texts", "references", "wanted"),
    [
        (["a b c d"], ["a b c d"], 100.0),
        (["x"], ["a b c d"], 0.0),
        (["a b"], ["a b"], 0.0),  # too short for 4-grams: 0 as in sacreBLEU
        ([""], ["a"], 0.0),
    ],
)
def test_edges(texts: list[str], references: list[str], wanted: float) -> None:
    assert ours(texts, references, "none") == pytest.approx(wanted)


def test_nothing_at_all_is_undefined() -> None:
    assert np.isnan(ours([""], [""], "none"))


def test_chinese_takes_the_chinese_tokeniser_and_says_so() -> None:
    metric = bleu()
    rows = metric.rows(["我们在北京见面。"], ["我们在北京见面。"])
    assert rows.note == "tokeniser zh"
    assert float(metric.value(rows)) == pytest.approx(100)
    assert metric.rows(["we meet in Beijing"], ["we meet"]).note == "tokeniser 13a"


def test_corpus_bleu_is_no_mean_of_sentence_scores() -> None:
    texts, references = ["a b c d e", "x y z w v"], ["a b c d e", "a y z w q"]
    mean = np.mean([ours([text], [reference], "none") for text, reference in zip(texts, references, strict=True)])
    assert abs(ours(texts, references, "none") - mean) > 1


@given(SENTENCES, SENTENCES)
def test_merged_shards_equal_one_pass(first: list[str], second: list[str]) -> None:
    metric = bleu("13a")
    apart = joined(metric.rows(first, first[::-1]), metric.rows(second, second[::-1]))
    whole = metric.rows(first + second, first[::-1] + second[::-1])
    assert np.array_equal(apart.totals(), whole.totals())


def test_bad_input_is_refused() -> None:
    with pytest.raises(MetricError, match="2 segments have references, 1 a text"):
        ours(["a"], ["a", "b"], "13a")
    with pytest.raises(MetricError, match="segment 0 has no reference"):
        ours(["a"], [[]], "13a")
    with pytest.raises(MetricError, match="did you mean '13a'"):
        tokenizers.tokenizer_named("13b")


@pytest.mark.parametrize(
    ("line", "zh", "as_13a"),
    [("1.", ["1."], ["1", "."]), (".5", [".5"], [".", "5"]), ("<skipped>", ["<", "skipped", ">"], [])],
)
def test_the_chinese_tokeniser_leaves_what_13a_would_clean(line: str, zh: list[str], as_13a: list[str]) -> None:
    """sacreBLEU's zh sets no spaces around a line and removes no marks: a full stop after a last digit stays."""
    assert BLEU(tokenize="zh")._preprocess_segment(line).split() == zh
    assert tokenizers.tokenizer_named("zh")([line]) == [zh]
    assert tokenizers.tokenizer_named("13a")([line]) == [as_13a]
