"""The task of named entities: which fields are read, and which metrics apply to which of them."""

from __future__ import annotations

import pytest

from truetune.errors import MetricError
from truetune.evaluation.families import applicable
from truetune.metric import PerLabel
from truetune.tasks.ner import NER_SCORING, marked
from truetune.types import Span


def applying(gold: set[str], predicted: set[str]) -> list[str]:
    columns = [dict.fromkeys(names, ()) for names in (gold, predicted)]
    return [metric.name for metric in applicable(NER_SCORING, *columns)]


def test_tokens_are_those_of_the_file_else_words_of_the_text() -> None:
    spans = (Span(0, 2, "PER"),)
    assert marked({"text": "张三 came", "spans": spans}).tokens == ((0, 1), (1, 2), (3, 7))
    assert marked({"text": "张三 came", "spans": spans, "tokens": ("张三", "came")}).tokens == ((0, 2), (3, 7))
    assert marked({"text": "张三 came", "spans": spans}).spans == spans


def test_a_span_outside_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="ends beyond the text"):
        marked({"text": "ab", "spans": (Span(0, 3, "X"),)})


@pytest.mark.parametrize(
    "gold", [{"text", "spans", "marked"}, {"spans"}, {"tags"}, {"text", "spans", "tags", "marked"}]
)
@pytest.mark.parametrize("predicted", [{"spans"}, {"tags"}])
def test_no_metric_applies_twice_and_the_primary_one_does(gold: set[str], predicted: set[str]) -> None:
    if not gold & predicted:
        with pytest.raises(MetricError, match="no metric reads both sides"):
            applying(gold, predicted)
        return
    names = applying(gold, predicted)
    assert len(set(names)) == len(names)
    assert NER_SCORING.primary[0] in names


def test_tags_are_read_as_tags_and_spans_say_that_there_is_nothing_to_repair() -> None:
    gold, predicted = {"tags": [["B-X", "I-X"]]}, {"tags": [["I-X", "I-X"]]}
    of_tags = {metric.name: metric for metric in applicable(NER_SCORING, gold, predicted)}
    assert (of_tags["span_f1"].gold, of_tags["span_f1_conll"].gold) == ("tags", "tags")
    spans = {"spans": [(Span(0, 1, "X"),)]}
    of_spans = {metric.name: metric for metric in applicable(NER_SCORING, spans, spans)}
    assert "equal to span_f1" in of_spans["span_f1_conll"].definition


def test_odd_predictions_are_named() -> None:
    gold = {"text": ["ab c"], "spans": [(Span(0, 2, "X"),)]}
    doubled = {"spans": [(Span(0, 2, "X"), Span(0, 2, "X"), Span(1, 9, "Y"))]}
    told = " ".join(NER_SCORING.oddities.of(gold, doubled))
    for word in ("more than once", "overlap", "beyond"):
        assert word in told
    assert NER_SCORING.oddities.of(gold, gold) == ()


def test_every_metric_states_its_case_and_its_limits() -> None:
    for metric in NER_SCORING.metrics:
        assert metric.definition
        assert metric.limits == (0.0, 1.0)
        assert metric.ratio is not None or metric.name.endswith("macro")
        assert metric.interval == "bca"
        assert "0/0" in metric.undefined
    assert sum(isinstance(metric, PerLabel) for metric in NER_SCORING.metrics) == 6
