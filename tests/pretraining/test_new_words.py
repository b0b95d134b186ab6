"""Which words are worth pieces of their own."""

from __future__ import annotations

from truetune.pretraining.new_words import frequent_words


def test_frequent_words_of_letters_come_first() -> None:
    texts = ["Covid covid 2020 银行 vaccine, x"] * 3 + ["vaccine dose dose rare"] * 3
    # covid 6 times, dose 6, vaccine 6; by alphabet. Numbers, single letters, Chinese and rare words are none.
    assert frequent_words(texts, 10, folded=True) == ["covid", "dose", "vaccine"]
    assert frequent_words(texts, 10, folded=False) == ["dose", "vaccine"]


def test_chinese_words_are_those_that_somebody_cuts() -> None:
    texts = ["外卖很快a"] * 5
    assert frequent_words(texts, 10, True) == []
    assert frequent_words(texts, 10, True, cut=lambda text: [(0, 2), (2, 3), (3, 5)]) == ["外卖"]
