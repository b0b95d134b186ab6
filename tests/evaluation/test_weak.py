"""Where a system is worst: planted weaknesses are found with true numbers, and chance is not."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.evaluation.tables import Aligned
from truetune.evaluation.weak import WeakSlices, loss_of, weak_slices
from truetune.stats.binomial import wilson
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile
from truetune.types import Span

WORDS = [f"word{number}" for number in range(40)]


def table(
    rng: np.random.Generator, examples: int, wrong: dict[tuple[str, ...], float], groups: bool = False
) -> Aligned:
    """Return texts of ten words in which the system errs one time in ten, but as `wrong` says where words stand."""
    texts = [" ".join(rng.choice(WORDS, 10, replace=False)) for _ in range(examples)]
    gold = rng.choice(["a", "b"], examples)
    said = []
    for text, label in zip(texts, gold.tolist(), strict=True):
        share = max([0.1, *(rate for words, rate in wrong.items() if all(f"{w} " in f"{text} " for w in words))])
        said.append({"a": "b", "b": "a"}[label] if rng.random() < share else label)
    columns = {"label": np.array(said, dtype=object)}
    of_group = np.arange(examples) // 4 if groups else None
    ids = [str(place) for place in range(examples)]
    return Aligned(ids, {"label": np.array(gold, dtype=object)}, {"x": columns}, of_group, {"text": texts})


def found_in(some: Aligned, seed: int = 0) -> WeakSlices:
    found = weak_slices(some, Plan(seed=seed))
    assert found is not None
    return found


@pytest.mark.parametrize("groups", [False, True])
def test_a_planted_word_is_found_and_its_number_is_true(groups: bool) -> None:
    found = found_in(table(np.random.default_rng(0), 1600, {("word7",): 0.5}, groups))
    first = found.slices[0]
    assert first.shown
    assert ("word", "word7") in [(one.what, one.value) for one in first.rule]
    assert first.low <= 0.5 <= first.high or len(first.rule) == 2
    assert (found.found_on, found.confirmed_on) == (800, 800)


def test_copies_within_groups_do_not_narrow_the_bounds() -> None:
    """Four copies of an example in a group say no more than one: bounds are those of the groups."""
    single = table(np.random.default_rng(0), 800, {("word7",): 0.5})
    fourfold = np.repeat(np.arange(800), 4)
    copies = Aligned(
        [str(place) for place in range(3200)],
        {"label": single.gold["label"][fourfold]},
        {"x": {"label": single.predicted["label"][fourfold]}},
        fourfold,
        {"text": [single.others["text"][place] for place in fourfold.tolist()]},
    )
    first = found_in(copies).slices[0]
    low, high = wilson(first.value * first.examples / 4, first.examples / 4, normal_quantile(0.975))
    assert (first.low, first.high) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))


def test_two_words_together_are_found() -> None:
    found = found_in(table(np.random.default_rng(1), 4000, {("word3", "word9"): 0.8}))
    shown = [{one.value for one in slice_.rule} for slice_ in found.slices if slice_.shown]
    assert {"word3", "word9"} in shown


def test_where_nothing_is_planted_little_is_shown() -> None:
    """Holm keeps the share of tables with any false slice at 5 %: at most 4 of 30 (P(X > 4) is .016)."""
    rng = np.random.default_rng(2)
    wrongly, looked, confirmed = 0, [], []
    for seed in range(30):
        found = found_in(table(rng, 400, {}), seed)
        wrongly += any(one.shown for one in found.slices)
        looked.append(len(found.slices))
        confirmed += [one.difference for one in found.slices]
    assert wrongly <= 4
    assert np.mean(looked) > 3, "rules that look bad on the first half are there"
    assert abs(np.mean(confirmed)) < 0.02, "and are not worse on the second"


def test_too_few_examples_say_nothing() -> None:
    assert weak_slices(table(np.random.default_rng(0), 199, {}), Plan()) is None


def test_what_an_example_loses() -> None:
    def loss(gold: dict[str, object], said: dict[str, object]) -> tuple[str, list[float]]:
        found = loss_of(gold, said)  # type: ignore[arg-type]
        assert found is not None
        return found[0], found[1].round(3).tolist()

    assert loss({"label": ["a", "b"]}, {"label": ["a", "a"]}) == ("wrong", [0, 1])
    assert loss({"labels": [["a", "b"]]}, {"labels": [["b", "a"]]}) == ("wrong", [0])
    assert loss({"value": [1.0, 2.0]}, {"value": [1.5, 2.0]}) == ("absolute error", [0.5, 0])
    assert loss({"answers": [("Rome",)]}, {"answer": ["Rome"]}) == ("1 - F1", [0])
    assert loss({"references": [("a house",)] * 2}, {"text": ["a house", "zzz"]}) == ("1 - chrF", [0, 1])
    assert loss_of({"tokens": [1]}, {"log_likelihood": [1.0]}) is None


def other_tasks() -> dict[str, Aligned]:
    """Return 400 examples a task in which those with the word `odd` (or `怪`) are answered badly."""
    rng = np.random.default_rng(5)
    odd = rng.random(400) < 0.3
    texts = [f"{'odd 怪 ' if one else ''}{' '.join(rng.choice(WORDS, 6))}" for one in odd]
    ids = [str(place) for place in range(400)]
    right = [(text,) for text in texts]
    said = ["zzz" if one else text for one, text in zip(odd, texts, strict=True)]
    span = [[Span(0, 3, "PER")]] * 400

    def made(gold: dict[str, object], said: dict[str, object]) -> Aligned:
        return Aligned(ids, gold, {"x": said}, None, {"text": texts})  # type: ignore[dict-item]

    return {
        "1 - chrF": made({"references": right}, {"text": said}),
        "1 - F1": made({"answers": right}, {"answer": said}),
        "absolute error": made({"value": np.zeros(400)}, {"value": odd + rng.normal(0, 0.1, 400)}),
        "wrong": made({"spans": span}, {"spans": [[] if one else [Span(0, 3, "PER")] for one in odd]}),
    }


@pytest.mark.parametrize("loss", ["1 - chrF", "1 - F1", "absolute error", "wrong"])
def test_every_task_with_a_loss_of_single_examples_has_its_weak_slices(loss: str) -> None:
    found = found_in(other_tasks()[loss])
    assert found.loss == loss
    first = found.slices[0]
    assert first.shown
    assert first.value > 0.8 > 0.3 > first.rest
    assert {(one.what, one.value) for one in first.rule} & {("word", "odd"), ("word", "怪"), ("predicted span", "PER")}
