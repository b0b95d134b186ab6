"""Texts to triples by two tiny real models, learnt from texts with triples, and scored end to end."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import Bundle
from truetune.cli.main import main
from truetune.errors import DataError, ModelError
from truetune.metrics.relations import is_directed, is_turned
from truetune.types import Span
from truetune.workflows.finetune import finetune
from truetune.workflows.predict import load
from truetune.workflows.progress import Progress
from truetune.workflows.triples import Extractor, pairs_of, pairs_of_file

QUIET = Progress(quiet=True)
PEOPLE, PLACES = ["Anna", "Bob"], ["Paris", "Berlin"]


def texts(folder: Path, number: int = 120) -> Path:
    """Who visited a place stands before or behind it; a third entity has no relation to either."""
    rng = random.Random(0)
    rows = []
    for one in range(number):
        person, place, film = rng.choice(PEOPLE), rng.choice(PLACES), "great film"
        text = f"{person} visited {place} {film} {one}" if one % 2 else f"{place} {film} visited {person} {one}"
        head, tail, other = (
            [text.index(name), text.index(name) + len(name), kind]
            for name, kind in ((person, "person"), (place, "place"), (film, "film"))
        )
        rows.append({"id": f"t{one}", "text": text, "spans": [head, tail, other], "triples": [[head, "visited", tail]]})
    path = folder / "triples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(task: str, source: Path, model: Path, folder: Path) -> dict[str, Any]:
    return {
        "task": task,
        "data": {"source": str(source), "validation_share": 0.15, "test_share": 0.15},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": 12, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "evaluate": {"resamples": 100},
        "track": {"output": str(folder / "runs"), "name": task},
    }


def test_texts_become_triples(tmp_path: Path, tiny_marking_bert: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, pairs = texts(tmp_path), tmp_path / "pairs.jsonl"
    assert main(["pairs", str(source), "-o", str(pairs), "--negatives", "1"]) == 0
    said = capsys.readouterr().out
    assert "240 pairs, 120 with a relation, the others 'no_relation'" in said
    assert "480 pairs without a relation were left out (--negatives 1)" in said
    entities = finetune(settings("ner", source, tiny_marking_bert, tmp_path), progress=QUIET).run
    relations = finetune(settings("relations", pairs, tiny_marking_bert, tmp_path), progress=QUIET).run
    output = tmp_path / "found.jsonl"
    assert main(["extract", str(entities), str(relations), str(source), "-o", str(output), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"triples": str(output), "examples": 120}
    result = truetune.evaluate(task="relations", gold=str(source), predicted=str(output))
    assert result.score("relation_f1_micro").value > 0.9
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    given = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    again = truetune.extract(entities, relations, [row["text"] for row in given[:9]], QUIET)
    assert [{"id": one["id"], **found} for one, found in zip(given, again, strict=False)] == rows[:9]
    turned = [{**row, "triples": [[c, b, a] for a, b, c in row["triples"]]} for row in rows]
    worse = truetune.evaluate(task="relations", gold=str(source), predicted=turned)
    assert worse.score("relation_f1_micro").value == 0, "a triple that goes the other way is another one"
    with pytest.raises(ModelError, match="the first model is of relations, which finds no entities"):
        Extractor(load(relations), load(entities))
    with pytest.raises(ModelError, match="the second model is of ner; expected one of relations"):
        Extractor(load(entities), load(entities))


A, B, C = Span(0, 1, "x"), Span(2, 3, "y"), Span(2, 3, "z")


def test_pairs_of_entities() -> None:
    assert list(pairs_of([B, A, A], directed=False)) == [(A, B), (B, A)]
    assert list(pairs_of([B, A], directed=True)) == [(A, B)]
    assert list(pairs_of([B, C], directed=False)) == [], "what stands at one place is one thing"
    assert list(pairs_of([A], directed=False)) == []


def test_labels_with_a_direction() -> None:
    assert is_directed(["Other", "Cause-Effect(e1,e2)"])
    assert not is_directed(["Other", "visited"])
    assert is_turned("Cause-Effect(e2,e1)")
    assert not is_turned("Cause-Effect(e1,e2)")


class Says:
    """Stands for a model with fixed answers."""

    def __init__(
        self, task: str, labels: tuple[str, ...], answers: list[dict[str, Any]], types: tuple[str, ...] | None = None
    ) -> None:
        self.task = type("Task", (), {"name": task})
        self.bundle = Bundle(task, labels, False, 64, "tiny", entities=types)
        self.asked: list[Any] = []
        self._answers = answers

    def rows(self, texts: Any) -> Any:
        self.asked += texts
        return texts

    def answers(self, rows: Any) -> list[dict[str, Any]]:
        return self._answers[: len(rows)]


def test_a_turned_label_turns_the_triple_and_no_relation_gives_none() -> None:
    entities: Any = Says("ner", (), [{"spans": [[2, 3, "y"], [0, 1, "x"], [4, 5, "w"]]}, {"spans": []}])
    labels = ("Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Other")
    relations: Any = Says("relations", labels, [{"label": labels[1]}, {"label": "Other"}, {"label": None}])
    first, second = Extractor(entities, relations).extract(["a b c", "d"])
    assert first["triples"] == [[[2, 3, "y"], "Cause-Effect", [0, 1, "x"]]]
    assert second == {"spans": [], "triples": []}
    assert [(one["head"][0], one["tail"][0]) for one in relations.asked] == [(0, 2), (0, 4), (2, 4)]


@pytest.mark.parametrize(
    ("types", "asked", "told"),
    [
        ((), ([2, 3], [0, 1]), ""),
        (("x", "y"), ([2, 3, "y"], [0, 1, "x"]), "learnt relations of x, y, and the first finds w too"),
        (("w", "x", "y"), ([2, 3, "y"], [0, 1, "x"]), ""),
        (None, ([2, 3, "y"], [0, 1, "x"]), ""),
    ],
)
def test_a_pair_is_marked_as_the_second_model_learnt_it(
    types: tuple[str, ...] | None, asked: Any, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = ("O", *(f"{letter}-{kind}" for kind in "wxy" for letter in "BI"))
    entities: Any = Says("ner", tags, [{"spans": [[2, 3, "y"], [0, 1, "x"]]}])
    relations: Any = Says("relations", ("r", "no_relation"), [{"label": "no_relation"}, {"label": "r"}], types)
    (found,) = Extractor(entities, relations).extract(["a b c"], Progress())
    assert relations.asked[1] == {"text": "a b c", "head": asked[0], "tail": asked[1]}
    assert found["triples"] == [[[2, 3, "y"], "r", [0, 1, "x"]]], "what is told has its types in any case"
    said = capsys.readouterr().err
    assert told in said if told else "learnt relations" not in said


def made(folder: Path, *rows: dict[str, Any]) -> str:
    path = folder / "made.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_pairs_of_texts_with_triples(tmp_path: Path) -> None:
    row = {"text": "a b c", "triples": [[[0, 1, "x"], "r", [2, 3, "y"]], [[0, 1, "x"], "q", [2, 3, "y"]]]}
    found = pairs_of_file(made(tmp_path, row), "none", None)
    assert [(one["head"][0], one["tail"][0], one["label"]) for one in found.rows] == [(0, 2, "r"), (2, 0, "none")]
    assert (found.related, found.several, found.left_out) == (1, 1, 0)
    more = {**row, "triples": row["triples"][:1], "spans": [[0, 1, "x"], [2, 3, "y"], [4, 5, "z"]]}
    found = pairs_of_file(made(tmp_path, more), "none", 2)
    assert [one["label"] for one in found.rows].count("none") == 2
    assert (len(found.rows), found.left_out) == (3, 3)
    assert found.rows == pairs_of_file(made(tmp_path, more), "none", 2).rows
    with pytest.raises(DataError, match=r"made.jsonl:1: span \[4, 9, 'z'\] ends beyond the text"):
        pairs_of_file(made(tmp_path, {**row, "spans": [[4, 9, "z"]]}), "none", None)
    with pytest.raises(DataError, match="'nothing' is no name of the class without a relation"):
        pairs_of_file(made(tmp_path, row), "nothing", None)
