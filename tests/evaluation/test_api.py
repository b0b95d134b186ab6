"""The Python API: lists as the files have them, groups, several systems, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import truetune
from truetune import Gate
from truetune.errors import DataError, MetricError, TruetuneError

GOLD = ["a", "b", "c"] * 40
SAID = [label if place % 4 else "a" for place, label in enumerate(GOLD)]


def test_labels_are_scored_with_their_evidence() -> None:
    result = truetune.evaluate(task="classification", gold=GOLD, predicted=SAID)
    score = result.score("accuracy")
    right = sum(gold == said for gold, said in zip(GOLD, SAID, strict=True))
    assert score.value == pytest.approx(right / 120)
    assert score.low < score.value < score.high
    assert (score.examples, score.unit) == (120, "example")
    assert "Wilson" in score.signature
    assert "truetune" in score.signature
    assert result.to_dict()["scores"][0]["metric"] == "accuracy"
    with pytest.raises(MetricError, match="did you mean 'f1_macro'"):
        result.score("f1_makro")


@pytest.mark.parametrize(
    ("task", "gold", "predicted", "metric", "value"),
    [
        ("classification", [["a"], ["a", "b"]] * 9, [["a"], ["b"]] * 9, "f1_micro", 2 * 2 / 5),
        ("classification", np.array([0, 1, 1]), np.array([0, 1, 0]), "accuracy", 2 / 3),
        ("regression", [1.0, 2.0, 4.0], [1.0, 3.0, 4.0], "mae", 1 / 3),
        ("ner", [[[0, 2, "X"]], []], [[[0, 2, "X"]], [[0, 1, "X"]]], "span_f1", 2 / 3),
        ("qa", [["Rome"], []], ["rome", ""], "exact_match", 1.0),
        ("translation", ["a b c d e", "f g h i"], ["a b c d e", "f g h i"], "bleu", 100.0),
        ("summarization", [["北京下雨"], ["晴"]], ["北京下雨", "雨"], "rouge1", 0.5),
        ("retrieval", [{"x": 1}, {"y": 1}], [["x"], ["x", "y"]], "mrr", 0.75),
        ("recommendation", [{"relevant": {"x": 1}}], [{"scores": {"x": 0.2, "y": 0.1}}], "gauc", 1.0),
        ("dialogue", ["我知道", "yes"], ["我知道", "yes"], "unigram_f1", 1.0),
        ("language-modeling", [{"tokens": 2, "bytes": 4}], [{"log_likelihood": -2.0}], "perplexity", np.e),
    ],
)
def test_every_task_takes_lists(task: str, gold: object, predicted: object, metric: str, value: float) -> None:
    result = truetune.evaluate(task=task, gold=gold, predicted=predicted)
    assert result.score(metric).value == pytest.approx(value)


@pytest.mark.parametrize("task", ["dialogue", "translation", "summarization"])
def test_a_row_has_one_reference_or_several(task: str) -> None:
    mixed = [
        {"reference": "yes of course"},
        {"references": ["no", "not at all"]},
        {"references": None, "reference": "x"},
    ]
    listed = [{"references": ["yes of course"]}, {"references": ["no", "not at all"]}, {"references": ["x"]}]
    said = ["yes", "no thanks", "x"]
    found = truetune.evaluate(task=task, gold=mixed, predicted=said).to_dict()
    assert found == truetune.evaluate(task=task, gold=listed, predicted=said).to_dict()
    assert found == truetune.evaluate(task=task, gold=mixed[::-1], predicted=said[::-1]).to_dict()
    evaluation = truetune.Evaluation(task)
    for place in range(3):  # batches that have one column each
        evaluation.add([str(place + 1)], [mixed[place]], [said[place]])
    assert found["scores"] == evaluation.result().to_dict()["scores"]
    with pytest.raises(DataError, match="expected `references` or `reference`, found nothing"):
        truetune.evaluate(task=task, gold=[*mixed, {"source": "hello"}], predicted=[*said, "y"])


@pytest.mark.parametrize("task", ["dialogue", "translation", "summarization"])
def test_an_empty_reference_is_told(task: str) -> None:
    said = ["yes", "no thanks", "x"]
    told = truetune.evaluate(task=task, gold=["yes of course", " ", ["x", ""]], predicted=said).warnings
    assert [line for line in told if line.startswith("2 examples have an empty reference: ")]
    assert not any("reference" in line for line in truetune.evaluate(task=task, gold=said, predicted=said).warnings)


def test_groups_are_the_unit_of_resampling() -> None:
    groups = [f"user {place // 2}" for place in range(120)]
    apart = truetune.evaluate(task="classification", gold=GOLD, predicted=SAID)
    together = truetune.evaluate(task="classification", gold=GOLD, predicted=SAID, group=groups)
    assert together.score("accuracy").value == apart.score("accuracy").value
    assert "60 groups" in together.score("accuracy").signature
    few = truetune.evaluate(task="classification", gold=GOLD, predicted=SAID, group=["a", "b"] * 60)
    assert any("only 2 groups" in warning for warning in few.warnings)


def test_a_slice_is_scored_by_itself() -> None:
    gold = [{"label": label, "length": "long" if place % 2 else "short"} for place, label in enumerate(GOLD)]
    result = truetune.evaluate(task="classification", gold=gold, predicted=SAID, slice="length")
    assert [part.value for part in result.slices] == ["long", "short"]
    assert {part.scores[0].examples for part in result.slices} == {60}
    with pytest.raises(DataError, match="did you mean 'length'"):
        truetune.evaluate(task="classification", gold=gold, predicted=SAID, slice="lenght")


def test_compare_names_the_better_one_and_why() -> None:
    result = truetune.compare(task="classification", gold=GOLD, predicted={"old": SAID, "new": GOLD})
    first = result.comparisons[0]
    assert (first.metric, first.baseline, first.candidate) == ("accuracy", "old", "new")
    assert (first.verdict, first.lost) == ("better", 0)
    assert first.low <= first.difference <= first.high
    assert result.passed
    assert not truetune.compare(task="classification", gold=GOLD, predicted=[GOLD, SAID]).passed


def test_the_primary_metric_is_unadjusted_and_the_others_together() -> None:
    result = truetune.compare(task="classification", gold=GOLD, predicted=[SAID, GOLD], gate=Gate("f1_macro"))
    by_name = {one.metric: one for one in result.comparisons}
    assert by_name["f1_macro"].p_adjusted == by_name["f1_macro"].p_value
    assert by_name["accuracy"].p_adjusted > by_name["accuracy"].p_value
    label = truetune.compare(task="classification", gold=GOLD, predicted=[SAID, GOLD], gate=Gate("f1/b"))
    assert label.primary == "f1/b"
    assert label.comparisons[0].metric == "f1/b"


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        (["a", "b"], ["a"], "1 without a prediction"),
        ([], [], "holds no example"),
        ([None], ["a"], "expected `label` or `labels`"),
        ([{"id": 1, "label": "a"}], [{"id": 2, "label": "a"}], "id '1' of gold has no prediction"),
        (["a"], [{"label": "a", "scores": {"a": 2.0, "b": -1.0}}], r"expected|probab"),
        (["a"], [{"label": "a", "scores": {"a": float("nan")}}], "expected a finite number"),
    ],
)
def test_bad_input_is_refused(gold: list, predicted: list, message: str) -> None:
    with pytest.raises(TruetuneError, match=message):
        truetune.evaluate(task="classification", gold=gold, predicted=predicted)


def test_one_class_is_scored_and_what_is_undefined_says_so() -> None:
    result = truetune.evaluate(task="classification", gold=["a"] * 20, predicted=["a"] * 20)
    assert result.score("accuracy").value == 1
    assert result.score("accuracy").low < 1, "twenty examples do not prove perfection"
    assert np.isnan(result.score("mcc").value)
    assert result.score("mcc").reason
    assert result.to_dict()["scores"][[one.metric for one in result.scores].index("mcc")]["value"] is None


def test_compare_slices_and_plans_as_the_command_does() -> None:
    gold = [{"label": label, "length": "long" if place % 2 else "short"} for place, label in enumerate(GOLD)]
    gate = Gate("f1_macro", margin=0.05, plan=truetune.Plan(level=0.9, resamples=200, seed=3))
    result = truetune.compare(task="classification", gold=gold, predicted=[SAID, GOLD], slice="length", gate=gate)
    assert [part.value for part in result.slices] == ["long", "short"]
    assert {one.metric for part in result.slices for one in part.comparisons} == {"f1_macro"}
    deciding = result.comparisons[0]
    assert (result.primary, deciding.metric, deciding.verdict) == ("f1_macro", "f1_macro", "not worse")
    assert "200 resamples, seed 3" in deciding.signature


def test_the_api_is_what_it_says() -> None:
    for name in truetune.__all__:
        assert getattr(truetune, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'surprise'"):
        _ = truetune.surprise
