"""Which texts are labelled next: doubts by hand, unlike texts, and what is left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.evaluation.conditions import Condition, true_of
from truetune.optimization.labelling import CROWD, doubts, unlike


def test_doubt_is_what_the_two_most_probable_labels_are_apart():
    scores = [{"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 0.0}, {"a": 0.2, "b": 0.8}]
    np.testing.assert_allclose(doubts(scores, multiple=False), [1.0, 0.0, 0.4])
    np.testing.assert_allclose(doubts([{"a": 0.5, "b": 0.3, "c": 0.2}], multiple=False), [0.8])


def test_of_several_labels_a_text_the_least_sure_one_decides():
    scores = [{"a": 0.99, "b": 0.5}, {"a": 0.9, "b": 0.1}]
    np.testing.assert_allclose(doubts(scores, multiple=True), [1.0, 0.2])


def test_alike_texts_are_not_all_taken_however_doubtful():
    features = np.concatenate([np.tile([1.0, 0.0], (8, 1)), [[0.0, 1.0], [-1.0, 0.0]]])
    doubt = np.array([0.9] * 8 + [0.8, 0.7])
    assert sorted(unlike(doubt, features, 3).tolist()) == [0, 8, 9]
    assert set(np.argsort(-doubt, kind="stable")[:3]) == {0, 1, 2}  # what doubt alone would take


def test_the_most_doubtful_come_first_and_texts_without_doubt_last():
    rng = np.random.default_rng(0)
    doubt = np.r_[np.zeros(50), rng.random(20)]
    chosen = unlike(doubt, rng.normal(size=(70, 4)), 30)
    assert set(range(50, 70)) <= set(chosen.tolist())
    assert (np.diff(doubt[chosen]) <= 0).all()


def test_texts_beyond_the_crowd_are_never_taken():
    doubt = np.linspace(1.0, 0.1, 200)
    chosen = unlike(doubt, np.random.default_rng(1).normal(size=(200, 3)), 5)
    assert chosen.max() < CROWD * 5


@settings(max_examples=30)
@given(st.integers(0, 40), st.integers(1, 12), st.integers(0, 10**6))
def test_as_many_as_are_asked_for_each_once(texts, number, seed):
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 2, (texts, 2)).astype(float)
    chosen = unlike(rng.integers(0, 3, texts) / 2, features, number)
    assert len(chosen) == min(texts, number)
    assert len(set(chosen.tolist())) == len(chosen)


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        (Condition("word", "bad"), [True, False, False]),
        (Condition("at most characters", "8"), [True, True, False]),
        (Condition("at least characters", "9"), [False, False, True]),
        (Condition("language", "zh"), [False, True, False]),
        (Condition("negation"), [False, True, True]),
        (Condition("predicted label", "x"), [True, False, True]),
    ],
)
def test_conditions_of_new_texts(condition, true):
    assert true_of(condition, ["Bad plot", "味道不好", "it is not my kind"], ["x", "y", "x"]).tolist() == true


@pytest.mark.parametrize("what", ["gold label", "column site", "no gold answer"])
def test_what_only_gold_or_a_column_knows_is_not_asked_of_new_texts(what):
    assert true_of(Condition(what, "x"), ["a text"], ["x"]) is None
