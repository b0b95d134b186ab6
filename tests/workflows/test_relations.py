"""Relations from files to predictions, on a tiny real model: learnt with direction, loaded and the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import read_bundle
from truetune.errors import DataError
from truetune.files import read_json
from truetune.workflows.audit import audited
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
PEOPLE, CITIES = ("Anna", "Bob"), ("Paris", "Berlin")


def journeys(folder: Path, sentences: int = 60) -> Path:
    """Each sentence holds a pair in both directions: `visit(e1,e2)` and `visit(e2,e1)`, or twice `Other`."""
    rows = []
    for place in range(sentences):
        person, city = PEOPLE[place % 2], CITIES[place // 2 % 2]
        verb, kept = ("visited", "visit") if place % 3 else ("and", "")
        text = f"{person} {verb} {city} {place}"
        start = text.index(city)
        one, other = [0, len(person), "per"], [start, start + len(city), "loc"]
        rows.append({"text": text, "head": one, "tail": other, "label": f"{kept}(e1,e2)" if kept else "Other"})
        rows.append({"text": text, "head": other, "tail": one, "label": f"{kept}(e2,e1)" if kept else "Other"})
    path = folder / "journeys.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(folder: Path, source: Path, model: Path, epochs: int) -> dict[str, Any]:
    return {
        "task": "relations",
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": epochs, "learning_rate": 3e-3, "tokens_per_batch": 256, "evaluations_per_epoch": 1},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


def test_relations_are_learnt_with_their_direction(tmp_path: Path, tiny_marking_bert: Path) -> None:
    source = journeys(tmp_path)
    result = finetune(settings(tmp_path, source, tiny_marking_bert, 25), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "relation_f1_micro"
    assert scores["relation_f1_micro"] > 0.95, "a tiny model learns the toy set"
    assert {"majority", "tfidf-linear", "frozen-linear"} == {
        folder.name for folder in (result.run / "baselines").iterdir()
    }

    assert read_bundle(result.run / "model").entities == ("loc", "per")

    # A sentence with both its pairs stands in one part; none of the two is taken for a repeat of the other.
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    parts = read_json(result.run / "split.json")
    text_of = {str(number): row["text"] for number, row in enumerate(rows, start=1)}
    texts = {name: [text_of[one] for one in ids] for name, ids in parts.items() if name != "made"}
    assert sum(map(len, texts.values())) == len(rows)
    assert all(column.count(text) == 2 for column in texts.values() for text in column)

    # The saved model says of the file what it says of the list, and what the run has saved.
    model = truetune.load(result.run)
    held_out = [rows[int(one) - 1] for one in parts["test"]]
    predicted = model.predict(held_out)
    plain = tmp_path / "test.jsonl"
    plain.write_text("".join(json.dumps(row) + "\n" for row in held_out), encoding="utf-8")
    said = [one["label"] for one in predicted]
    from_file = list(predicted_file(model, str(plain), QUIET))
    assert [one["label"] for one in from_file] == said
    assert [one["scores"] for one in from_file] == [pytest.approx(one["scores"]) for one in predicted]
    again = truetune.evaluate(task="relations", gold=[row["label"] for row in held_out], predicted=said)
    assert again.score("relation_f1_micro").value == scores["relation_f1_micro"]
    with pytest.raises(DataError, match=r"example 0 \(text, head, tail\): `head` \[0, 99\] ends beyond the text"):
        model.predict([{"text": "Anna", "head": [0, 99], "tail": [0, 1]}])


def test_what_a_file_holds_is_found_and_audited(tmp_path: Path) -> None:
    source = journeys(tmp_path)
    guess = guessed(str(source))
    assert guess.task == "relations"
    assert dict(guess.columns) == {"text": "text", "head": "head", "tail": "tail", "label": "label"}
    assert "repeated texts" not in {finding.check for finding in audited([str(source)])}
    # The same pair behind one more space is a repeat.
    row = json.loads(source.read_text(encoding="utf-8").splitlines()[0])
    start, end, kind = row["tail"]
    moved = {**row, "text": row["text"].replace(" and", "  and"), "tail": [start + 1, end + 1, kind]}
    with source.open("a", encoding="utf-8") as file:
        file.write(json.dumps(moved) + "\n")
    repeated = [finding for finding in audited([str(source)]) if finding.check == "repeated texts"]
    assert [finding.count for finding in repeated] == [1]


def test_a_pair_outside_its_text_is_told_with_its_line(tmp_path: Path, tiny_marking_bert: Path) -> None:
    source = tmp_path / "bad.jsonl"
    source.write_text(
        '{"text": "a b", "head": [0, 1], "tail": [2, 3], "label": "x"}\n'
        '{"text": "a b", "head": [0, 1], "tail": [2, 4], "label": "y"}\n',
        encoding="utf-8",
    )
    with pytest.raises(truetune.TruetuneError, match=r"bad.jsonl:2: `tail` \[2, 4\] ends beyond the text"):
        finetune(settings(tmp_path, source, tiny_marking_bert, 1), progress=QUIET)
