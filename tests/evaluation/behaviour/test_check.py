"""Rates of broken expectations: planted habits are counted exactly, and a model without them breaks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from truetune.errors import DataError
from truetune.evaluation.behaviour.check import checked
from truetune.stats.binomial import wilson
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile

TEXTS = [
    "Anna says the film is good.",
    "The film is good.",
    "the film is dull",
    "the film is not good",
    "这部电影非常值得一看。",
    "张伟觉得不好看",
]


def said(label: str, sure: float = 0.9) -> dict[str, Any]:
    other = {"good": "bad", "bad": "good"}[label]
    return {"label": label, "scores": {label: sure, other: 1 - sure}}


def sensible(rows: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    found = []
    for _, text in rows:
        liked = "good" in text.lower() or "值" in text or "好看" in text
        found.append(said("good" if liked and " not " not in text and "不" not in text else "bad"))
    return found


def deaf(rows: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """Like good, and never hear a negation: it makes it surer."""
    return [said("good", 0.99 if " not " in text or "不" in text else 0.6) for _, text in rows]


def capital(rows: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    return [said("good" if text[0].isupper() else "bad") for _, text in rows]


def rates(predict: Any, judged: Sequence[str] = ("good",)) -> dict[str, tuple[int, int]]:
    return {one.name: (one.broken, one.changed) for one in checked(TEXTS, predict, judged, Plan())}


def test_a_sensible_model_breaks_nothing() -> None:
    found = rates(sensible)
    assert {broken for broken, _ in found.values()} == {0}
    assert found["negation"] == (0, 2)
    assert found["negation-zh"] == (0, 1)
    assert found["person"] == (0, 1)
    assert found["typo-zh"] == (0, 2)
    assert found["typo"] == (0, 0), "no word has five letters"


def test_a_model_that_reads_capitals_is_caught_by_small_letters() -> None:
    (one,) = (one for one in checked(TEXTS, capital, (), Plan()) if one.name == "small-letters")
    assert (one.broken, one.changed, one.rate) == (2, 2, 1.0)
    assert (one.low, one.high) == wilson(2, 2, normal_quantile(0.975))
    assert (one.examples[0].before, one.examples[0].after) == ("good (0.90)", "bad (0.90)")
    assert one.to_dict()["examples"][0]["changed"] == "anna says the film is good."


def test_a_model_that_is_surer_of_a_negated_text_is_caught() -> None:
    assert rates(deaf)["negation"] == (3, 3)


def test_negations_are_left_out_unless_labels_are_judged() -> None:
    assert not {"negation", "negation-zh"} & set(rates(deaf, ()))
    assert rates(deaf, ("bad",))["negation"] == (0, 0), "no text was said to be bad"


def test_a_label_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="no label 'god'; did you mean 'good'"):
        checked(TEXTS, deaf, ("god",), Plan())


def test_the_rate_of_no_text_is_unknown() -> None:
    (none,) = (one for one in checked(["x"], deaf, (), Plan()) if one.name == "place")
    assert none.to_dict()["rate"] is None
