"""Docs of spaCy: entities over different tokenisers, categories, and what does not fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

import truetune
from truetune.errors import MetricError
from truetune.stats.plan import Plan

FAST = Plan(resamples=200)


@dataclass
class StandIn:
    """A `Doc` of words between blanks."""

    text: str
    ents: list[Any] = field(default_factory=list)
    cats: dict[str, float] = field(default_factory=dict)

    def __iter__(self) -> Any:
        place = 0
        for word in self.text.split():
            place = self.text.index(word, place)
            yield SimpleNamespace(idx=place, text=word)
            place += len(word)


def entity(start: int, end: int, label: str) -> Any:
    return SimpleNamespace(start_char=start, end_char=end, label_=label)


def test_entities_are_compared_by_characters() -> None:
    text = "Anna met Bob in Rome"
    right = StandIn(text, [entity(0, 4, "PER"), entity(9, 12, "PER"), entity(16, 20, "LOC")])
    said = StandIn(text, [entity(0, 4, "PER"), entity(9, 12, "LOC")])
    result = truetune.spacy_scores([right] * 10, [said] * 10, plan=FAST)
    assert result.score("span_f1").value == pytest.approx(2 / 5)
    assert result.score("token_accuracy").value == pytest.approx(3 / 5), "five tokens: Bob and Rome are wrong"


def test_one_category_a_text() -> None:
    right = [StandIn("a", cats={"x": 1.0, "y": 0.0}), StandIn("b", cats={"x": 0.0, "y": 1.0})] * 5
    said = [StandIn("a", cats={"x": 0.8, "y": 0.2}), StandIn("b", cats={"x": 0.6, "y": 0.4000001})] * 5
    result = truetune.spacy_scores(right, said, task="classification", plan=FAST)
    assert result.score("accuracy").value == 0.5
    assert result.score("brier").value == pytest.approx((0.04 + 0.36) / 2, rel=1e-5)


def test_several_categories_a_text() -> None:
    right = [StandIn("a", cats={"x": 1.0, "y": 1.0}), StandIn("b", cats={"x": 0.0, "y": 0.0})] * 5
    said = [StandIn("a", cats={"x": 0.8, "y": 0.2}), StandIn("b", cats={"x": 0.1, "y": 0.4})] * 5
    result = truetune.spacy_scores(right, said, task="classification", threshold=0.5, plan=FAST)
    assert result.score("f1_micro").value == pytest.approx(2 / 3)
    assert result.score("roc_auc").value == pytest.approx((1.0 + 0.0) / 2)


def test_what_does_not_fit_is_refused() -> None:
    one, other = StandIn("a", cats={"x": 1.0}), StandIn("b", cats={"x": 1.0})
    with pytest.raises(MetricError, match="1 gold and 2 predicted Docs"):
        truetune.spacy_scores([one], [one, one])
    with pytest.raises(MetricError, match="texts of Doc 1 differ: 'a' in gold, 'b'"):
        truetune.spacy_scores([one, one], [one, other])
    with pytest.raises(MetricError, match="gold Doc 0 has 2 categories"):
        truetune.spacy_scores([StandIn("a", cats={"x": 1.0, "y": 1.0})], [one], task="classification")
    with pytest.raises(MetricError, match="has no `cats`"):
        truetune.spacy_scores([one], [StandIn("a")], task="classification")
    with pytest.raises(MetricError, match="no annotation of a Doc"):
        truetune.spacy_scores([one], [one], task="parser")


def test_genuine_docs_with_different_tokenisers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spacy = pytest.importorskip("spacy")
        characters, blanks = spacy.blank("zh"), spacy.blank("xx")
    text = "张三 去了 北京"
    right, said = characters(text), blanks(text)
    right.ents = [right.char_span(0, 2, "PER"), right.char_span(6, 8, "LOC")]
    said.ents = [said.char_span(0, 2, "PER"), said.char_span(3, 5, "LOC")]
    result = truetune.spacy_scores([right] * 6, [said] * 6, plan=FAST)
    assert result.score("span_f1").value == pytest.approx(1 / 2)
    right.cats, said.cats = {"x": 1.0, "y": 0.0}, {"x": 0.75, "y": 0.25}
    labels = truetune.spacy_scores([right], [said], task="classification", plan=FAST)
    assert labels.score("accuracy").value == 1.0
    assert labels.score("brier").value == pytest.approx(0.0625)
