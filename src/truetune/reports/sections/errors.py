"""The hardest errors: what the fine-tuned model gets most wrong, with the texts."""

from __future__ import annotations

import numpy as np

from truetune.metrics.qa import F1
from truetune.reports import numbers
from truetune.reports.content import Paragraph, Section
from truetune.reports.examples import LISTED, Said, answer_scores, listed, probability, right
from truetune.reports.predictions import Predictions
from truetune.reports.words import Say
from truetune.types import Ints


def errors_section(say: Say, predictions: Predictions | None) -> Section:
    """Return the worst of the wrong examples: by confidence, or by the number of wrong spans or labels."""
    title = say["errors.title"]
    if predictions is not None and "value" in predictions.gold and "value" in predictions.predicted:
        return _furthest(say, title, predictions)
    correct = right(predictions) if predictions else None
    if predictions is None or correct is None:
        reason = say["missing.predictions" if predictions is None else "errors.none for task"]
        return Section("errors", title, (Paragraph(reason, "missing"),))
    wrong = np.flatnonzero(~correct)
    if not len(wrong):
        none = say["errors.none"].format(examples=numbers.count(len(predictions)))
        return Section("errors", title, (Paragraph(none),))
    order, lead = _hardest(say, predictions, wrong)
    counted = say["errors.count"].format(
        wrong=numbers.count(len(wrong)),
        examples=numbers.count(len(predictions)),
        share=numbers.share(len(wrong) / len(predictions)),
        shown=numbers.count(min(LISTED, len(wrong))),
    )
    examples = listed(
        say, "errors", "", [int(place) for place in order[:LISTED]], [Said(say["predicted"], predictions)]
    )
    return Section("errors", title, (Paragraph(f"{counted} {lead}"), examples))


def _furthest(say: Say, title: str, predictions: Predictions) -> Section:
    """Return the examples whose predicted number is furthest from gold."""
    gold, said = (np.asarray(one["value"], dtype=np.float64) for one in (predictions.gold, predictions.predicted))
    order = np.argsort(-np.abs(said - gold), kind="stable")[:LISTED]
    examples = listed(say, "errors", "", [int(place) for place in order], [Said(say["predicted"], predictions)])
    lead = say["errors.furthest"].format(shown=numbers.count(len(order)), examples=numbers.count(len(predictions)))
    return Section("errors", title, (Paragraph(lead), examples))


def _hardest(say: Say, predictions: Predictions, wrong: Ints) -> tuple[Ints, str]:
    """Return the wrong examples, the worst first, and the sentence that says what worst means."""
    if "label" in predictions.gold:
        confidence = probability(predictions.scores, predictions.predicted["label"])
        if confidence is None:
            return wrong, say["errors.in order"]
        return wrong[np.argsort(-confidence[wrong], kind="stable")], say["errors.by confidence"]
    if "answers" in predictions.gold:
        return wrong[np.argsort(answer_scores(predictions)[wrong, F1], kind="stable")], say["errors.by answers"]
    field = "spans" if "spans" in predictions.gold else "labels"
    faults = [
        len(set(predictions.gold[field][place] or ()) ^ set(predictions.predicted[field][place] or ()))
        for place in wrong
    ]
    lead = f"{say['errors.by spans']} {say['spans.boxes']}" if field == "spans" else say["errors.by labels"]
    return wrong[np.argsort(-np.array(faults), kind="stable")], lead
