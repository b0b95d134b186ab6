"""`compute_metrics` for Transformers: arrays worked by hand, and a genuine `Trainer`."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.errors import DataError, MetricError
from truetune.stats.plan import Plan

FAST = Plan(resamples=200)


def found(predictions: Any, label_ids: Any) -> Any:
    return SimpleNamespace(predictions=predictions, label_ids=label_ids)


def quiet(task: str, labels: Any, given: Any, **settings: Any) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        scores: dict[str, float] = truetune.trainer_metrics(task, labels, plan=FAST, **settings)(given)
    return scores


def logits_of(places: list[int], labels: int) -> np.ndarray[Any, Any]:
    return np.eye(labels, dtype=np.float32)[places] * 4


def test_labels_of_logits() -> None:
    gold = np.array([0, 0, 1, 1] * 10)
    scores = quiet("classification", ["no", "yes"], found(logits_of([0, 1, 1, 1] * 10, 2), gold))
    assert scores["accuracy"] == 0.75
    assert scores["f1/no"] == pytest.approx(2 / 3)
    assert scores["f1_macro"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert scores["f1_macro_low"] < scores["f1_macro"] < scores["f1_macro_high"]
    assert scores["roc_auc"] == pytest.approx(0.75)
    right, wrong = np.exp(4) / (np.exp(4) + 1), 1 / (np.exp(4) + 1)
    assert scores["log_loss"] == pytest.approx(-(3 * np.log(right) + np.log(wrong)) / 4, rel=1e-6)
    assert all(isinstance(value, float) for value in scores.values())


def test_scores_equal_those_of_evaluate() -> None:
    rng = np.random.default_rng(1)
    logits, gold = rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    names = {0: "x", 1: "y", 2: "z"}
    scores = quiet("classification", names, found((logits, "hidden states"), gold))
    predicted = [names[int(place)] for place in logits.argmax(axis=1)]
    same = truetune.evaluate(task="classification", gold=[names[int(one)] for one in gold], predicted=predicted)
    for name in ("accuracy", "f1_macro", "mcc", "f1/y"):
        assert scores[name] == same.score(name).value


def test_several_labels_an_example() -> None:
    gold = np.array([[1, 0], [1, 1], [0, 0], [0, 1]] * 5)
    logits = np.array([[3, -3], [3, -3], [-3, -3], [-3, 3]] * 5)
    scores = quiet("classification", ["a", "b"], found(logits, gold))
    assert scores["accuracy"] == 0.75
    assert scores["f1_micro"] == pytest.approx(2 * 3 / 7)
    strict = quiet("classification", ["a", "b"], found(logits, gold), threshold=0.99, metrics=["accuracy"])
    assert strict["accuracy"] == 0.25
    assert set(strict) == {"accuracy", "accuracy_low", "accuracy_high"}


def test_regression_takes_a_column_or_a_vector() -> None:
    gold = np.array([1.0, 2.0, 4.0])
    for outputs in (np.array([[1.0], [3.0], [4.0]]), np.array([1.0, 3.0, 4.0])):
        assert quiet("regression", None, found(outputs, gold))["mae"] == pytest.approx(1 / 3)


TAGS = ["O", "B-PER", "I-PER"]


def test_tokens_are_scored_as_spans_without_the_ignored_ones() -> None:
    gold = np.array([[-100, 1, 2, 0, -100], [-100, 1, 0, 0, -100]] * 10)
    said = np.array([[1, 1, 2, 0, 1], [0, 0, 2, 0, 0]] * 10)
    logits = np.eye(3)[said]
    scores = quiet("ner", TAGS, found(logits, gold))
    assert scores["span_f1"] == pytest.approx(2 / 3), "a lone I-PER is no span, and ignored positions are none"
    assert scores["span_f1_conll"] == pytest.approx(1 / 2), "conlleval takes the lone I-PER for one"
    assert scores["token_accuracy"] == pytest.approx(4 / 6)
    assert quiet("ner", TAGS, found(said, gold)) == scores, "tag ids are as good as logits"


def test_groups_and_texts_without_a_scored_token() -> None:
    gold = np.array([[1, 0], [-100, -100], [1, 0]] * 4)
    logits = np.eye(3)[np.maximum(gold, 0)]
    scores = quiet("ner", TAGS, found(logits, gold), group=[f"d{place // 6}" for place in range(12)])
    assert scores["span_f1"] == 1.0
    with pytest.raises(MetricError, match="2 groups were given for 12 examples"):
        quiet("ner", TAGS, found(logits, gold), group=["a", "b"])


def test_warnings_of_the_scores_are_raised_as_warnings() -> None:
    compute = truetune.trainer_metrics("classification", ["a", "b"], plan=FAST)
    with pytest.warns(UserWarning, match="fewer than 10 gold examples of a"):
        compute(found(logits_of([0, 1, 1], 2), np.array([0, 1, 1])))


@pytest.mark.parametrize(
    ("task", "labels", "given", "message"),
    [
        ("classification", ["a"], found(np.ones((2, 3)), np.array([0, 1])), "1 labels were named"),
        ("classification", None, found(np.ones((2, 1)), np.array([0, 1])), "one output"),
        ("classification", None, found(np.ones((2, 2)), np.array([0, 1, 1])), r"shape \[2, 2\] and label_ids \[3\]"),
        ("classification", None, found(np.ones((2, 2)), np.array([0, 7])), "label id 7 of example 1 has no name"),
        ("classification", None, found(np.ones((2, 2)), np.array([[0, 1], [2, 0]])), "of 0 and 1"),
        ("classification", None, found(np.ones((2, 2)), (np.array([0]), np.array([1]))), "2 arrays of label ids"),
        ("regression", None, found(np.ones((2, 2)), np.array([0.0, 1.0])), r"expected \[examples\]"),
        ("ner", TAGS, found(np.ones((2, 4, 3)), np.ones((2, 5), dtype=int)), r"\[examples, length\]"),
        ("ner", TAGS, found(np.full((1, 1, 3), np.nan), np.ones((1, 1), dtype=int)), "hold NaN"),
        ("ner", TAGS, found(np.ones((1, 1, 3)), np.full((1, 1), 5)), "label id 5"),
        ("ner", {1: "O"}, found(np.ones((1, 1, 1)), np.ones((1, 1), dtype=int)), "every id from 0 up"),
        ("ner", None, None, "`labels` is missing"),
        ("qa", None, None, "no outputs of a Trainer are known"),
    ],
)
def test_what_does_not_fit_is_refused(task: str, labels: Any, given: Any, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        quiet(task, labels, given)


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="finite number"):
        quiet("classification", None, found(np.array([[0.0, np.nan], [1.0, 2.0]]), np.array([0, 1])))


@pytest.mark.filterwarnings("ignore")
def test_a_genuine_trainer_reports_spans(tiny_bert: Path, tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    import torch
    from transformers import BertForTokenClassification, Trainer, TrainingArguments

    logging.getLogger("transformers").setLevel(logging.ERROR)
    model = BertForTokenClassification.from_pretrained(tiny_bert, num_labels=3)
    rng = np.random.default_rng(0)
    examples = []
    for length in (5, 9, 7, 5, 8, 6):
        ids = rng.integers(5, 100, length)
        labels = np.where(ids < 40, 1, np.where(ids < 60, 2, 0))
        labels[0] = -100
        examples.append({"input_ids": ids.tolist(), "attention_mask": [1] * length, "labels": labels.tolist()})

    def padded(batch: list[dict[str, list[int]]]) -> dict[str, Any]:
        longest = max(len(one["input_ids"]) for one in batch)
        fill = {"input_ids": 0, "attention_mask": 0, "labels": -100}
        return {
            name: torch.tensor([one[name] + [value] * (longest - len(one[name])) for one in batch])
            for name, value in fill.items()
        }

    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            str(tmp_path), per_device_eval_batch_size=2, report_to=[], use_cpu=True, disable_tqdm=True
        ),
        data_collator=padded,
        compute_metrics=truetune.trainer_metrics("ner", labels=TAGS, plan=FAST),
    )
    metrics = trainer.evaluate(examples)
    output = trainer.predict(examples)
    gold, predicted = [], []
    for logits, ids in zip(output.predictions, output.label_ids, strict=True):
        scored = ids != -100
        gold.append([TAGS[one] for one in ids[scored]])
        predicted.append([TAGS[one] for one in logits[scored].argmax(axis=1)])
    same = truetune.evaluate(task="ner", gold=gold, predicted=predicted)
    for name in ("span_f1", "token_accuracy"):
        assert metrics[f"eval_{name}"] == pytest.approx(same.score(name).value, nan_ok=True)
    assert {"eval_span_f1_low", "eval_span_f1_high"} <= set(metrics)
