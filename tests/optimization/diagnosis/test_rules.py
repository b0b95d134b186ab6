"""When a cause is named, on evidence that is written down by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from truetune.metrics.classification import SINGLE
from truetune.optimization.diagnosis import cause as names
from truetune.optimization.diagnosis.cause import Gain
from truetune.optimization.diagnosis.fit import nothing_learnt
from truetune.optimization.diagnosis.frozen import MANY, LearningCurve, _knows_little, _tell_nothing, too_few
from truetune.optimization.diagnosis.labels import can_tell_of_rare, imbalanced, repeated
from truetune.optimization.diagnosis.learning_curve import More
from truetune.optimization.diagnosis.replays import Replay
from truetune.optimization.diagnosis.run import _told
from truetune.optimization.race import Judge
from truetune.tasks.relation_encoding import marked_pair
from truetune.tasks.relations import MARKED_PAIR
from truetune.types import Span


def labelled(train: dict[str, int], validation: list[tuple[str, str]]) -> Any:
    """Return evidence with so many training examples of each label, and (gold, said) of validation."""
    gold = [label for label, number in train.items() for _ in range(number)]
    return SimpleNamespace(
        data=SimpleNamespace(gold=lambda part: {"label": gold}),
        gold=lambda part: [one for one, _ in validation],
        predicted={"validation": {"label": [said for _, said in validation]}},
        level=0.95,
    )


def rare_found(hits: int, trials: int) -> list[tuple[str, str]]:
    return [("a", "a")] * 99 + [("a", "b")] + [("b", "b")] * hits + [("b", "a")] * (trials - hits)


@pytest.mark.parametrize(
    ("hits", "trials", "named"),
    [
        # Upper bounds (Clopper-Pearson, 95 %): 0 of 1 0.975, 0 of 2 0.842, 0 of 3 0.708, 1 of 3 0.906; others 0.99.
        (0, 1, False),
        (0, 2, True),
        (0, 3, True),
        (1, 3, False),
        (9, 10, False),
        (8, 10, True),
        (0, 0, False),
    ],
)
def test_a_rare_label_is_told_as_surely_as_its_examples_allow(hits: int, trials: int, named: bool) -> None:
    evidence = labelled({"a": 100, "b": 2}, rare_found(hits, trials))
    found = [*imbalanced(evidence)]
    assert [one.name for one in found] == [names.IMBALANCE] * named
    assert can_tell_of_rare(evidence) == (trials >= 10)
    if named:
        assert (
            f"{hits / trials:.0%} of the {trials} validation examples of rare labels are found, 99%"
            in found[0].evidence[1]
        )


def test_labels_that_are_not_rare_are_no_imbalance() -> None:
    assert not [*imbalanced(labelled({"a": 100, "b": 11}, rare_found(0, 20)))]


def answered(said: str, own: float, gold: str = "abc" * 20) -> Any:
    """Return evidence of a model that says one label of all, and gives every example's own label this probability."""
    rest = (1 - own) / 2
    rows = np.array([[own if name == label else rest for name in "abc"] for label in gold])
    return SimpleNamespace(
        gold=lambda part: [*gold],
        predicted={part: {"label": [said] * len(gold)} for part in ("train", "validation")},
        probabilities=lambda part: rows,
        codes=lambda part: np.array(["abc".index(label) for label in gold]),
    )


@pytest.mark.parametrize(
    ("evidence", "named"),
    [
        (answered("b", 1 / 3), True),  # a log-loss of ln 3, the entropy of three equal labels
        (answered("b", 0.4), False),  # 0.916, less than 95 % of 1.099
        (answered("a", 0.01), True),  # worse than the frequencies
        (answered("a", 1 / 3, "a" * 95 + "bbbbb"), False),  # the right answer to 19 of 20
    ],
)
def test_a_model_that_says_one_label_has_learnt_nothing(evidence: Any, named: bool) -> None:
    found = [*nothing_learnt(evidence)]
    assert [one.name for one in found] == [names.NOTHING] * named
    if named:
        assert found[0].evidence[0].startswith("100% of the 120 training and validation examples are said to be ")
        assert found[0].evidence[1].endswith("would be 1.099")


def test_one_that_tells_labels_apart_has_learnt() -> None:
    evidence = answered("b", 1 / 3)
    evidence.predicted["train"]["label"] = [*"abc" * 20]
    assert not [*nothing_learnt(evidence)]


class Tried:
    def __init__(self, value: float, low: float, high: float) -> None:
        self.found = Gain("accuracy", value, low, high, "")

    def gain(self, evidence: Any, among: int) -> Gain:
        return self.found


@pytest.mark.parametrize(
    ("epochs", "gain", "named"),
    [
        (1.0, (0.03, -0.02, 0.08), True),
        (1.0, (0.009, -0.02, 0.08), False),
        (3.0, (0.03, -0.02, 0.08), False),
        (3.0, (0.03, 0.01, 0.08), True),
        (1.0, (-0.03, -0.05, -0.01), False),
    ],
)
def test_one_pass_over_the_texts_speaks_for_itself(
    epochs: float, gain: tuple[float, float, float], named: bool
) -> None:
    train = SimpleNamespace(epochs=epochs)
    evidence: Any = SimpleNamespace(worth=0.01, config=SimpleNamespace(train=train))
    replay = Replay(names.FEW_EPOCHS, {"train.epochs": 3 * epochs}, "because")
    done: Any = Tried(*gain)
    found = [*_told(evidence, [(replay, done)], 1)]
    assert [one.name for one in found] == [names.FEW_EPOCHS] * named
    if named and gain[1] <= 0:
        assert "not for sure" in found[0].evidence[1]
    assert not [*_told(evidence, [(replay, None)], 1)]


@pytest.mark.parametrize(
    ("quartile", "worth", "named"), [(0.06, 0.01, True), (0.04, 0.01, False), (0.04, 0.005, True), (-0.1, 0.0, False)]
)
def test_too_few_examples_are_those_of_which_a_thousand_more_bring_much(
    quartile: float, worth: float, named: bool
) -> None:
    more = (More(50, 0.03, 0.0, 0.05), More(MANY, 0.1, -0.01, 0.15))
    curve = LearningCurve((3, 6, 12, 25, 50), (0.5, 0.5, 0.5, 0.6, 0.65), more, quartile, {})
    evidence: Any = SimpleNamespace(
        worth=worth,
        data=SimpleNamespace(parts={"train": range(50)}),
        judge=SimpleNamespace(metric=SimpleNamespace(name="accuracy")),
    )
    found = [*too_few(evidence, curve)]
    assert [one.name for one in found] == [names.FEW] * named
    if named:
        assert found[0].gain is not None
        assert found[0].gain.value == 0.1
    assert not [*too_few(evidence, None)]


def of_pairs(pairs: list[tuple[str, Span, Span]]) -> Any:
    """Return evidence with training texts that have a marked pair each."""
    columns = dict(zip(("text", "head", "tail"), map(list, zip(*pairs, strict=True)), strict=True))
    marked = [marked_pair(*pair).text for pair in pairs]
    ids = [str(place) for place in range(len(pairs))]
    part = SimpleNamespace(stored=lambda name: {**columns, "marked": marked}[name], stored_ids=ids)
    return SimpleNamespace(data=SimpleNamespace(inputs=MARKED_PAIR, parts={"train": part}))


def test_other_pairs_of_one_text_are_no_copies() -> None:
    ann, bob = Span(0, 3, ""), Span(10, 13, "")
    text = "Ann meets Bob"
    assert not [*repeated(of_pairs([(text, ann, bob), (text, bob, ann)]))]
    (found,) = repeated(of_pairs([(text, ann, bob), (text, bob, ann), (text.upper(), ann, bob)]))
    assert "33% of the 3 training examples" in found.evidence[0]


def said(labels: list[str]) -> dict[str, Any]:
    return {"label": labels, "scores": [{"a": float(one == "a"), "b": float(one == "b")} for one in labels]}


@pytest.mark.parametrize(
    ("frozen", "tuned", "given", "little"),
    [
        (40, 40, 10, False),  # knows as much as the fine-tuned model
        (30, 40, 10, True),  # far behind it, and it gives the suspected their own labels
        (30, 40, 4, False),  # far behind it, but it doubts the suspected too
    ],
)
def test_labels_are_suspected_only_by_a_model_that_can_tell_them(
    frozen: int, tuned: int, given: int, little: bool
) -> None:
    """Of 40 validation examples, half of them b, so many are right; of 10 suspected ones so many have their label."""
    accuracy = next(metric for metric in SINGLE if metric.name == "accuracy")
    gold = ["a"] * 20 + ["b"] * 20

    def right(number: int) -> list[str]:
        return ["a"] * 20 + ["b"] * (number - 20) + ["a"] * (40 - number)

    evidence = SimpleNamespace(
        judge=Judge(accuracy, {"label": gold}, None),
        bounds=lambda lead: (lead.difference - 1.96 * lead.error, lead.difference + 1.96 * lead.error),
        predicted={"validation": said(right(tuned)), "train": said(["a"] * given + ["b"] * (10 - given))},
        gold=lambda part: ["a"] * 10,
    )
    assert _knows_little(evidence, said(right(frozen)), np.arange(10)) is little  # type: ignore[arg-type]


def test_features_judge_labels_where_they_tell_more_than_how_often_each_is_given() -> None:
    """Two labels of three are the first; of 300 labels a third is wrong, and accuracy does not see what is known."""
    rng = np.random.default_rng(0)
    right = (rng.random(300) < 1 / 3).astype(np.int64)
    given = np.where(rng.random(300) < 0.3, 1 - right, right)
    wanting = np.where(right == 1, 0.49, 0.2)  # never sure enough of the second label to say it
    known = np.column_stack([1 - wanting, wanting])
    assert (known.argmax(axis=1) == 0).all()
    assert not _tell_nothing(known, given)
    assert _tell_nothing(known[rng.permutation(300)], given)
    shares = np.bincount(given) / 300
    assert _tell_nothing(np.tile(shares, (300, 1)), given)
