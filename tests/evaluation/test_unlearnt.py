"""A label that a model never learnt has no chance from it; everything else stays as the model said it."""

from __future__ import annotations

import math

from truetune.evaluation.evaluate import evaluated
from truetune.evaluation.tables import aligned_columns
from truetune.evaluation.unlearnt import with_unlearnt
from truetune.tasks.table import task_named

SCORES = [{"a": 0.9, "b": 0.1}, {"a": 0.3, "b": 0.7}]


def test_a_label_that_was_not_learnt_has_no_chance() -> None:
    predicted = {"label": ["a", "b"], "scores": SCORES}
    found = with_unlearnt(predicted, {"label": ["a", "c"]})
    assert found["scores"] == [{"a": 0.9, "b": 0.1, "c": 0.0}, {"a": 0.3, "b": 0.7, "c": 0.0}]
    assert found["label"] is predicted["label"]
    assert SCORES[0] == {"a": 0.9, "b": 0.1}  # what the model said is not changed


def test_of_several_labels_each_is_looked_for() -> None:
    found = with_unlearnt({"labels": [[], []], "scores": SCORES}, {"labels": [["a", "c"], ["d"]]})
    assert found["scores"][0] == {"a": 0.9, "b": 0.1, "c": 0.0, "d": 0.0}


def test_what_is_whole_stays_the_same_object() -> None:
    for predicted in ({"label": ["a", "b"], "scores": SCORES}, {"label": ["a", "b"]}, {"label": [], "scores": []}):
        assert with_unlearnt(predicted, {"label": ["a", "b"]}) is predicted


def test_the_scores_say_what_such_a_label_costs() -> None:
    task, gold = task_named("classification"), {"label": ["a", "c"]}
    predicted = with_unlearnt({"label": ["a", "b"], "scores": SCORES}, gold)
    result = evaluated(task, aligned_columns(task.scoring, ["0", "1"], gold, {"model": predicted}))
    found = {one.metric: one for one in result.scores}
    # Brier: (0.1^2 + 0.1^2 + 0 + 0.3^2 + 0.7^2 + 1) / 2 examples.
    assert math.isclose(found["brier"].value, (0.02 + 0.09 + 0.49 + 1) / 2)
    assert found["accuracy"].value == 0.5
    assert any(note.startswith("1 gold labels (50.00%) were given probability 0") for note in result.warnings)
