"""Examples as the page lists them: texts, gold, what was predicted and how sure it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.metrics.label_scores import LabelScores
from truetune.metrics.qa import EXACT, qa_rows
from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Example, Examples, Reading, Table
from truetune.reports.predictions import Predictions
from truetune.reports.readings import cut, excerpt, marked
from truetune.reports.visible import one_line
from truetune.reports.words import Say
from truetune.types import Bools, Floats, Span

LISTED = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a system predicted, under the name that the page gives it."""

    name: str
    predictions: Predictions


def right(predictions: Predictions) -> Bools | None:
    """Return whether each example is entirely right, `[examples]`; None for tasks where that has no meaning."""
    if "answers" in predictions.gold and "answer" in predictions.predicted:
        exact: Bools = answer_scores(predictions)[:, EXACT] == 1
        return exact
    for field in ("label", "labels", "spans"):
        if field in predictions.gold and field in predictions.predicted:
            pairs = zip(predictions.gold[field], predictions.predicted[field], strict=True)
            whole = field == "label"
            return np.array(
                [gold == said if whole else set(gold or ()) == set(said or ()) for gold, said in pairs],
                dtype=np.bool_,
            )
    return None


def answer_scores(predictions: Predictions) -> Floats:
    """Return exact match and F1 of each question's answer, `[examples, 3]`, as `qa_rows` has them."""
    gold = [tuple(answers or ()) for answers in predictions.gold["answers"]]
    return qa_rows(gold, predictions.predicted["answer"]).dense()


def probability(scores: LabelScores | None, labels: Sequence[Any]) -> Floats | None:
    """Return the probability given to one label of each example, NaN where the scores lack it."""
    if scores is None:
        return None
    place = {label: column for column, label in enumerate(scores.labels)}
    columns = np.array([place.get(str(label), -1) for label in labels], dtype=np.int64)
    values: Floats = scores.values[np.arange(len(columns)), columns]
    return np.where(columns < 0, np.nan, values)


def listed(say: Say, name: str, title: str, places: Sequence[int], systems: Sequence[Said]) -> Examples:
    """Return examples at these places with what each system said; the last system is the one in question."""
    items = tuple(_example(say, place, systems) for place in places)
    records = [_record(place, systems) for place in places]
    table = Table(name, title, (Column(""),), (), records)
    return Examples(title, items, table)


def _example(say: Say, place: int, systems: Sequence[Said]) -> Example:
    last = systems[-1].predictions
    group = last.groups[place]
    where = one_line(str(last.ids[place])) + (f" · {one_line(str(group))}" if group is not None else "")
    if "spans" in last.gold and "text" in last.texts:
        return Example(where, (), readings=_readings(say, place, systems))
    chance = _chance(last, last.gold, place) if len(systems) == 1 else ""
    facts = [(say["gold"], Cell(_labels(last.gold, place), chance, css="gold"))]
    for system in systems:
        said = system.predictions
        css = "right" if _is_right(said, place) else "wrong"
        facts.append((system.name, Cell(_labels(said.predicted, place), _chance(said, said.predicted, place), css=css)))
    return Example(where, tuple(facts), _texts(say, last, place))


def _is_right(said: Predictions, place: int) -> bool:
    if "answers" in said.gold:
        return said.predicted["answer"][place] in (said.gold["answers"][place] or ("",))
    return _labels(said.predicted, place) == _labels(said.gold, place)


def _texts(say: Say, predictions: Predictions, place: int) -> tuple[tuple[str, str], ...]:
    texts = []
    for field, column in predictions.texts.items():
        text, more = cut(column[place] or "")
        if more:
            text += " " + say["more characters"].format(number=numbers.count(more))
        texts.append((field if len(predictions.texts) > 1 else "", text))
    return tuple(texts)


def _labels(fields: Any, place: int) -> str:
    if "label" in fields:
        return one_line(str(fields["label"][place]))
    if "answers" in fields:
        return " | ".join(map(one_line, fields["answers"][place] or ())) or numbers.NONE
    if "answer" in fields:
        return one_line(fields["answer"][place]) or numbers.NONE
    if "value" in fields:
        return numbers.number(fields["value"][place])
    if "labels" in fields:
        return ", ".join(one_line(str(label)) for label in sorted(fields["labels"][place] or ())) or numbers.NONE
    return numbers.NONE


def _chance(predictions: Predictions, fields: Any, place: int) -> str:
    """Return the probability that the system gave to the label of these fields."""
    if predictions.scores is None or "label" not in fields:
        return ""
    labels = predictions.scores.labels
    label = str(fields["label"][place])
    if label not in labels:
        return ""
    return numbers.share(float(predictions.scores.values[place, labels.index(label)]))


def _readings(say: Say, place: int, systems: Sequence[Said]) -> tuple[Reading, ...]:
    last = systems[-1].predictions
    text = last.texts["text"][place] or ""
    golds: list[Span] = list(last.gold["spans"][place] or ())
    sides = [(system.name, list(system.predictions.predicted["spans"][place] or ())) for system in systems]
    wrong = [span for _, found in sides for span in set(golds) ^ set(found)]
    part = excerpt(text, wrong)
    found_last = set(sides[-1][1])
    lines = [(say["gold"], golds, found_last), *((name, found, set(golds)) for name, found in sides)]
    readings = []
    for name, spans, correct in lines:
        pieces, left_out = marked(text, spans, correct, part)
        rest = ", ".join(f"{one_line(text[span.start : span.end])} ({span.type})" for span in left_out[:8])
        more = say["more spans"].format(spans=rest, number=numbers.count(len(left_out))) if left_out else ""
        readings.append(Reading(name, pieces, more))
    return tuple(readings)


def _record(place: int, systems: Sequence[Said]) -> dict[str, Any]:
    """Return the example for programs: everything that its columns hold."""
    last = systems[-1].predictions
    record: dict[str, Any] = {"id": str(last.ids[place]), "group": last.groups[place]}
    record |= {field: column[place] for field, column in last.texts.items()}
    record |= {f"gold.{field}": column[place] for field, column in last.gold.items()}
    for number, system in enumerate(systems):
        role = "predicted" if number == len(systems) - 1 else "before.predicted"
        record |= {f"{role}.{field}": column[place] for field, column in system.predictions.predicted.items()}
    return record
