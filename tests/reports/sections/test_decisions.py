"""The section of decisions: what was chosen, what it is worth, and what is said where something is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune.config import Decide
from truetune.decisions.fitting import fitted
from truetune.decisions.known import Known
from truetune.metrics.label_scores import LabelScores
from truetune.reports.content import Figure, Paragraph, Section, Table
from truetune.reports.predictions import Predictions
from truetune.reports.run import SavedRun, System
from truetune.reports.sections.decisions import decisions_section
from truetune.reports.sections.prediction_sets import prediction_sets
from truetune.reports.words import say_in
from truetune.stats.plan import Plan

EMPTY = SavedRun("x", "", {}, None, None, None, None, (), None, None, ())


def record() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet((1, 1), 60)
    gold = np.eye(2, dtype=np.bool_)[(rng.random(60) > probabilities[:, 0]).astype(int)]
    settings = Decide(
        threshold="recall", floor=0.9, label="<b>", abstain="risk", risk=0.2, conformal="lac", level=0.999
    )
    return dict(fitted(settings, Known(("<b>", "a"), False, probabilities, gold), 0.5, Plan(resamples=100)).record)


def share(value: float) -> dict[str, Any]:
    return {"hits": 1, "value": value, "low": value - 0.1, "high": value + 0.1}


WORTH = {
    "examples": 4,
    "scores": {
        side: [{"metric": "log_loss", "value": value, "low": 0.1, "high": 0.9, "reason": None}]
        for side, value in (("as the model says", 0.7), ("decided", 0.4))
    },
    "comparison": {"comparisons": [{"metric": "log_loss", "difference": -0.3, "low": -0.4, "high": -0.2}]},
    "answered": {"coverage": share(0.75), "risk": share(0.333), "risk_of_all": share(0.25)},
    "sets": {"coverage": share(0.5), "mean_size": 2.0, "sizes": {"2": 4}},
    "cost": {
        side: {"value": value, "low": None, "high": None}
        for side, value in (("as the model says", 3.0), ("decided", 1.0))
    },
}


def predictions() -> Predictions:
    gold = ["a", "a", "<b>", "a"]
    scores = LabelScores(("<b>", "a"), np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.45, 0.55]]))
    return Predictions(["1", "2", "3", "4"], [None] * 4, {}, {"label": gold}, {"label": ["a"] * 4}, scores)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> SavedRun:
    monkeypatch.setattr(System, "predictions", property(lambda self: predictions()))
    after = System("after", "fine-tuned", {"scores": []}, Path())
    return replace(EMPTY, after=after, decisions=record(), decided=WORTH)


def test_a_run_that_decides_nothing_has_no_section() -> None:
    assert decisions_section(say_in("en"), EMPTY) is None


@pytest.mark.parametrize(
    ("settings", "heads"),
    [
        ({"threshold": "f1", "label": "a"}, ["F1"]),
        ({"threshold": "cost", "costs": {"a": {"b": 5}}}, ["F1", "Mean cost of an example"]),
        ({"threshold": "recall", "label": "a", "floor": 0.9}, ["F1", "Floor kept"]),
    ],
)
def test_thresholds_show_costs_and_floors_where_there_are_some(settings: dict[str, Any], heads: list[str]) -> None:
    rng = np.random.default_rng(0)
    gold = np.eye(2, dtype=np.bool_)[rng.integers(2, size=60)]
    known = Known(("b", "a"), False, rng.dirichlet((1, 1), 60), gold)
    made = dict(fitted(Decide.model_validate(settings), known, 0.5, Plan(resamples=100)).record)
    section = decisions_section(say_in("en"), replace(EMPTY, decisions=made))
    assert section is not None
    (table,) = [part for part in section.parts if isinstance(part, Table)]
    assert [column.title for column in table.columns][5:] == heads
    assert {len(row) for row in table.rows} == {len(table.columns)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_is_told(run: SavedRun, language: str) -> None:
    section = decisions_section(say_in(language), run)
    assert section is not None
    tables = {part.name: part for part in section.parts if isinstance(part, Table)}
    changed = [[cell.text for cell in row] for row in tables["decided"].rows]
    assert changed[0][1:] == ["0.700", "0.400", "−0.300"]
    assert changed[1][1:3] == ["3.000", "1.000"]
    assert tables["thresholds"].rows[0][0].text == "<b>", "escaped by the template"
    (figure,) = (part for part in section.parts if isinstance(part, Figure))
    assert figure.table is not None
    # Three of four are right; the wrong one is third by confidence.
    assert [row["risk"] for row in figure.table.records][-1] == 0.25
    assert figure.table.records[0] == {"coverage": 0.5, "risk": 0.0, "confidence": 0.8}
    texts = said(section)
    assert "75.0" in texts
    assert ("too few validation examples" if language == "en" else "验证样本太少") in texts
    assert ("rests on" not in texts) == (language == "zh"), "warnings are in the language of the page"


def said(section: Section) -> str:
    return " ".join(part.text for part in section.parts if isinstance(part, Paragraph))


def test_what_was_not_measured_yet_is_said(run: SavedRun) -> None:
    section = decisions_section(say_in("en"), replace(run, decided=None))
    assert section is not None
    assert "was not measured" in said(section)


def bounded(value: float, examples: int = 4) -> dict[str, Any]:
    return {**share(value), "examples": examples}


SETS = {
    "coverage": bounded(0.75),
    "kept": bounded(0.875),
    "labels": {"<b>": bounded(1.0, 1), "a": bounded(2 / 3, 3), "c": None},
    "mean_size": 1.5,
    "sizes": {"1": 2, "2": 2},
}


@pytest.mark.parametrize(
    ("promised", "english", "chinese"),
    [
        ({"way": "lac"}, "90.0% of them hold the right label", "含有正确标签"),
        ({"way": "aps", "each_label": True}, "for the texts of each label that 90.0%", "对每个标签分别保证"),
        ({"way": "lac", "several": True}, "90.0% of them hold all labels", "含有该文本的全部标签"),
        ({"way": "fnr", "several": True}, "On the test part they hold 87.5%", "在测试集上为 87.5%"),
    ],
)
def test_each_kind_of_set_says_what_it_promises(promised: dict[str, Any], english: str, chinese: str) -> None:
    gold = {"<b>": 20, "a": 30, "c": 9} if promised.get("each_label") else None
    whole = {"level": 0.9, "limits": [0.5], "gold": gold, **promised}
    for language, text in (("en", english), ("zh", chinese)):
        parts = prediction_sets(say_in(language), whole, {"examples": 4, "sets": SETS})
        assert isinstance(parts[0], Paragraph)
        assert text in parts[0].text
        table = parts[-1]
        assert isinstance(table, Table)
        assert [[cell.text for cell in row][:3] for row in table.rows] == [
            ["<b>", "100.0%", "1"],
            ["a", "66.7%", "3"],
            ["c", "–", "0"],
        ]
        assert (table.rows[0][-1].text == "20") == (gold is not None)


def test_a_run_before_there_were_limits_for_each_label_is_shown() -> None:
    parts = prediction_sets(say_in("en"), {"way": "lac", "level": 0.999, "limit": None}, {"examples": 4, **WORTH})
    texts = [part.text for part in parts if isinstance(part, Paragraph)]
    assert "50.0% [0.400, 0.600] do" in texts[0]
    assert "every set holds all labels" in texts[1]


def test_the_confidence_of_several_labels_is_that_of_all(run: SavedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = LabelScores(("<b>", "a"), np.array([[0.1, 0.9], [0.4, 0.6], [0.3, 0.7], [0.9, 0.9]]))
    gold = [["a"], ["a"], ["<b>"], ["<b>", "a"]]
    said_of = Predictions(
        list("1234"), [None] * 4, {}, {"labels": gold}, {"labels": [["a"], ["a"], ["a"], ["<b>", "a"]]}, scores
    )
    monkeypatch.setattr(System, "predictions", property(lambda self: said_of))
    section = decisions_section(say_in("en"), run)
    assert section is not None
    (figure,) = (part for part in section.parts if isinstance(part, Figure))
    assert figure.table is not None
    # .81, .36, .49, .81: the wrong one is third.
    assert figure.table.records[0] == {"coverage": 0.5, "risk": 0.0, "confidence": pytest.approx(0.81)}
    assert figure.table.records[2]["risk"] == 0.25
    assert "unless all labels of the text are right" in said(section)
