"""Longest common subsequences: equal to rouge-score's table, one pair at a time and many together."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import _lcs_table, lcs_ind

from truetune.metrics.ngrams import coded
from truetune.metrics.subsequences import WORD, lcs_length, lcs_lengths, lcs_positions

TOKENS = st.lists(st.sampled_from("abcd"), max_size=15)
LONG = st.tuples(st.text("abc", max_size=6), st.integers(0, 40)).map(lambda found: found[0] * found[1])
PAIRS = st.lists(st.tuples(LONG, LONG), max_size=6)


@given(TOKENS, TOKENS)
def test_subsequences_are_those_of_the_table(first: list[str], second: list[str]) -> None:
    assert lcs_length(first, second) == _lcs_table(first, second)[-1][-1]
    assert lcs_positions(first, second) == lcs_ind(first, second)


@given(PAIRS)
@example([("ab" * (WORD // 2), "ba" * WORD), ("a" * WORD, "a" * WORD), ("b" * (WORD + 1), "b" * (WORD + 1)), ("", "a")])
@example([("abc", "cba"), ("c" * 200 + "a", "a" + "c" * 70), ("a", "b"), ("b" * 63 + "a", "a" * 90)])
def test_many_together_are_as_each_alone(pairs: list[tuple[str, str]]) -> None:
    first, second = coded([[one for one, _ in pairs], [other for _, other in pairs]])
    assert lcs_lengths(first, second).tolist() == [lcs_length(one, other) for one, other in pairs]
