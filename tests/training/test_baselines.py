from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from truetune.tasks.base import Labels
from truetune.training.baselines import (
    Baseline,
    Candidate,
    Columns,
    Part,
    chosen,
    label_candidates,
    label_columns,
    majority,
    some_examples,
)
from truetune.training.baselines_frozen import frozen_linear, standardised
from truetune.training.baselines_text import tfidf_linear, word_sequences

NAMES = ("bad", "good")


def silent(line: str) -> None:
    pass


def accuracy(gold: Sequence[Any], predicted: Columns) -> float:
    field = "labels" if "labels" in predicted else "label"
    return float(np.mean([one == other for one, other in zip(gold, predicted[field], strict=True)]))


def reviews(number: int, seed: int, names: Sequence[str] = NAMES) -> Part:
    """Texts whose label is told by one word of its own among noise."""
    rng = np.random.default_rng(seed)
    gold = [names[code] for code in rng.integers(0, len(names), size=number)]
    words = [f"w{place}" for place in range(30)]
    texts = [" ".join([*rng.choice(words, size=6), f"tell{label}", *rng.choice(words, size=3)]) for label in gold]
    return Part(texts, gold)


def test_majority_gives_the_most_frequent_label_and_the_rates() -> None:
    train = Part(["x"] * 4, ["bad", "good", "good", "good"])
    found = majority(train, Part(["x"], ["bad"]), 2, Labels(NAMES), accuracy)
    assert found.predicted == {"label": ["good"] * 2, "scores": [{"bad": 0.25, "good": 0.75}] * 2}
    assert found.validation == 0.0
    assert found.settings == {}


def test_majority_of_several_labels_gives_the_most_frequent_set() -> None:
    train = Part(["x"] * 4, [("a", "b"), ("a",), ("a", "b"), ()])
    found = majority(train, Part(["x"], [("a", "b")]), 1, Labels(("a", "b"), multiple=True), accuracy)
    assert found.predicted == {"labels": [("a", "b")], "scores": [{"a": 0.75, "b": 0.5}]}


def test_the_first_of_the_best_on_validation_is_chosen_and_nothing_else_is_asked() -> None:
    values = {1: 0.5, 2: math.nan, 3: 0.7, 4: 0.7}
    candidates = [Candidate({"C": c}, {"label": [c]}, {"label": [-c]}) for c in values]
    found = chosen("x", candidates, ["gold"], lambda gold, columns: values[columns["label"][0]], ["note"])
    assert found == Baseline("x", {"label": [-3]}, {"C": 3}, 0.7, ("note",), {"label": [3]})


def test_undefined_scores_are_chosen_only_when_all_are() -> None:
    def score(gold: Sequence[Any], columns: Columns) -> float:
        return float(columns["label"][0])

    nan, one = (Candidate({"C": c}, {"label": [c]}, {}) for c in (math.nan, 0.1))
    assert chosen("x", [nan, one], [], score, ()).settings["C"] == 0.1
    assert chosen("x", [one, nan], [], score, ()).settings["C"] == 0.1
    assert math.isnan(chosen("x", [nan, nan], [], score, ()).validation)


def test_columns_of_probabilities() -> None:
    table = np.array([[0.25, 0.75], [0.5, 0.5]])
    assert label_columns(table, Labels(NAMES), 0)["label"] == ["good", "bad"]
    several = label_columns(table, Labels(NAMES, multiple=True), 0.5)
    assert several["labels"] == [("good",), ("bad", "good")]
    assert several["scores"][0] == {"bad": 0.25, "good": 0.75}


def test_a_threshold_is_tried_only_for_several_labels() -> None:
    table = np.array([[0.25, 0.75]])
    assert len(list(label_candidates({}, table, table, Labels(NAMES)))) == 1
    found = list(label_candidates({"C": 1.0}, table, table, Labels(NAMES, multiple=True)))
    assert [candidate.settings["threshold"] for candidate in found] == [0.5, 0.4, 0.3, 0.2]
    assert found[-1].test["labels"] == [("bad", "good")]


def test_a_sample_is_drawn_only_beyond_the_limit_and_is_said() -> None:
    assert some_examples(3, 3, "texts")[1] == []
    kept, notes = some_examples(1000, 10, "texts")
    assert len(set(kept.tolist())) == 10
    assert notes == ["fitted on 10 of 1,000 texts, drawn at random, to save time"]
    assert np.array_equal(kept, some_examples(1000, 10, "texts")[0])


def test_tfidf_learns_what_words_tell() -> None:
    test = reviews(200, 3)
    found = tfidf_linear(reviews(300, 1), reviews(100, 2), test.inputs, Labels(NAMES), accuracy, silent)
    assert accuracy(test.gold, found.predicted) > 0.97
    assert set(found.settings) == {"C"}
    for scores in found.predicted["scores"]:
        assert sum(scores.values()) == pytest.approx(1, abs=1e-6)


def test_tfidf_does_no_better_than_chance_on_labels_that_texts_do_not_tell() -> None:
    rng = np.random.default_rng(7)
    train, validation, test = (reviews(number, seed) for number, seed in ((300, 1), (100, 2), (400, 3)))
    shuffled = [Part(part.inputs, rng.permutation(part.gold).tolist()) for part in (train, validation, test)]
    found = tfidf_linear(shuffled[0], shuffled[1], test.inputs, Labels(NAMES), accuracy, silent)
    assert accuracy(shuffled[2].gold, found.predicted) < 0.6


def test_tfidf_of_chinese_needs_no_spaces() -> None:
    train = Part(["这家店很好吃", "味道好极了", "太难吃了", "送餐慢难吃"] * 10, ["good", "good", "bad", "bad"] * 10)
    found = tfidf_linear(train, train, ["真的很好吃啊", "难吃死了"], Labels(NAMES), accuracy, silent)
    assert found.predicted["label"] == ["good", "bad"]


def test_tfidf_of_several_labels_gives_each_its_own_probability() -> None:
    texts = ["cheap fast", "cheap slow", "dear fast", "dear slow"] * 15
    gold = [tuple(name for name, word in (("price", "cheap"), ("speed", "fast")) if word in text) for text in texts]
    labels = Labels(("absent", "price", "speed"), multiple=True)
    found = tfidf_linear(Part(texts, gold), Part(texts, gold), texts[:4], labels, accuracy, silent)
    assert found.predicted["labels"] == gold[:4]
    assert found.predicted["scores"][0]["absent"] == 0.0
    assert "threshold" in found.settings


def test_a_label_that_training_lacks_gets_no_probability() -> None:
    labels = Labels(("bad", "good", "unseen"))
    found = tfidf_linear(reviews(60, 1), reviews(30, 2), ["tellgood"], labels, accuracy, silent)
    assert found.predicted["scores"][0]["unseen"] == 0.0
    assert found.predicted["label"] == ["good"]


def test_one_label_alone_is_given_with_certainty() -> None:
    train = Part(["a", "b"], ["good", "good"])
    found = tfidf_linear(train, train, ["c"], Labels(("good",)), accuracy, silent)
    assert found.predicted == {"label": ["good"], "scores": [{"good": 1.0}]}


def test_long_corpora_use_words_alone_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.training.baselines_text.MOST_CHARACTERS", 100)
    found = tfidf_linear(reviews(60, 1), reviews(30, 2), ["tellgood"], Labels(NAMES), accuracy, silent)
    assert found.notes == ("words alone, without character sequences, to save time on long texts",)
    assert found.predicted["label"] == ["good"]


def test_words_and_pairs_in_lower_case() -> None:
    assert word_sequences("Not good") == ["not", "good", "not good"]
    assert word_sequences("好吃") == ["好", "吃", "好 吃"]


def features(number: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Two ways of pooling: `first` is noise, `mean` tells the label."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 2, size=number)
    noise = rng.normal(size=(number, 8)).astype(np.float32)
    telling = noise * 0.3 + gold[:, None].astype(np.float32)
    return {"first": rng.normal(size=(number, 8)).astype(np.float32), "mean": telling}, [NAMES[code] for code in gold]


def test_frozen_linear_chooses_the_pooling_that_tells() -> None:
    train, validation = (Part(*features(number, seed)) for number, seed in ((200, 1), (100, 2)))
    inputs, gold = features(300, 3)
    found = frozen_linear(train, validation, inputs, Labels(NAMES), accuracy, silent)
    assert found.settings["pooling"] == "mean"
    assert accuracy(gold, found.predicted) > 0.9


def test_features_are_standardised_by_the_training_part() -> None:
    train = np.array([[1.0, 5.0], [3.0, 5.0]])
    test = np.array([[5.0, 9.0]])
    one, other = standardised(train, test)
    assert one.tolist() == [[-1, 0], [1, 0]]
    assert other.tolist() == [[3, 0]]  # a constant column tells nothing


def test_the_same_data_give_the_same_predictions() -> None:
    runs = [
        tfidf_linear(reviews(80, 1), reviews(40, 2), reviews(40, 3).inputs, Labels(NAMES), accuracy, silent)
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
