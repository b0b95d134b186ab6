"""Rankings from files to predictions, on a tiny real model: learnt, saved, loaded and the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import read_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ConfigError
from truetune.files import read_json
from truetune.tasks.retrieval_encoding import item_of
from truetune.tracking.local import events
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)
ANSWERS = {
    "Anna": "a warm story",
    "Bob": "dull and tedious",
    "Paris": "unbelievable tokenization",
    "Berlin": "brilliant funny film",
    "2024": "boring plot",
}


def questions(folder: Path, number: int = 150) -> Path:
    """No word of a question stands in its answer, so that words in common tell nothing."""
    rows = []
    for place in range(number):
        name = list(ANSWERS)[place % len(ANSWERS)]
        rows.append({"query": f"with {name} {'in' if place % 2 else 'and'} {place}", "document": ANSWERS[name]})
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_documents_are_found_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = questions(tmp_path)
    settings: dict[str, Any] = {
        "task": "retrieval",
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.2},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 15, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "evaluate": {"resamples": 200, "metric": "mrr"},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    result = finetune(settings, progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert scores["mrr"] > 0.95, "a tiny model learns the toy set"
    assert {"recall@1", "recall@10", "ndcg@10", "mrr"} <= set(scores)
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"tfidf-ranking", "bm25", "untuned"}
    assert set(read_bundle(result.run / "model").documents) == set(ANSWERS.values())
    assert (result.run / "report.html").is_file()

    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    held_out = [rows[int(one) - 1]["query"] for one in read_json(result.run / "split.json")["test"]]
    saved = read_predicted(RunFolder(result.run), "after")
    model = truetune.load(result.run)
    said = model.predict(held_out)
    assert [one["ranking"] for one in said] == saved["ranking"]
    assert model.predict(held_out) == said, "the documents are embedded once"
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps({"query": query}) + "\n" for query in held_out), encoding="utf-8")
    assert [one["ranking"] for one in predicted_file(model, str(plain), QUIET)] == saved["ranking"]
    right = [one["document"] == ANSWERS[query.split()[1]] for one, query in zip(said, held_out, strict=True)]
    assert sum(right) > 0.9 * len(right)
    assert all(one["ranking"][0] == item_of(one["document"]) for one in said)
    again = truetune.evaluate(
        task="retrieval",
        gold=[{"document": ANSWERS[query.split()[1]]} for query in held_out],
        predicted=[{"ranking": one["ranking"]} for one in said],
    )
    assert again.score("mrr").value == scores["mrr"]


def test_further_documents_are_ranked_too(tmp_path: Path, tiny_bert: Path) -> None:
    source, more = questions(tmp_path, 60), tmp_path / "more.jsonl"
    further = [f"film {place}" for place in range(7)]
    more.write_text("".join(json.dumps({"document": one}) + "\n" for one in further), encoding="utf-8")
    settings: dict[str, Any] = {
        "task": "retrieval",
        "data": {"source": str(source), "documents": str(more), "validation_share": 0.2, "test_share": 0.2},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 1, "tokens_per_batch": 512},
        "evaluate": {"resamples": 100},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    result = finetune(settings, progress=QUIET)
    assert set(read_bundle(result.run / "model").documents) == {*ANSWERS.values(), *further}
    for system in ("after", "baselines/bm25"):
        assert {len(one) for one in read_predicted(RunFolder(result.run), system)["ranking"]} == {12}
    pairs = {"task": "pair", "model": settings["model"], "track": settings["track"]}
    other = tmp_path / "pairs.jsonl"
    rows = [{"first": f"film {n}", "second": "x", "label": "ab"[n % 2]} for n in range(40)]
    other.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"data.documents: the task pair ranks none; leave it out"):
        finetune({**pairs, "data": {"source": str(other), "documents": str(more)}}, progress=QUIET)


def test_what_a_file_holds_is_found(tmp_path: Path) -> None:
    assert dict(guessed(str(questions(tmp_path)), "retrieval").columns) == {"query": "query", "documents": "document"}


def test_wrong_documents_that_look_right_are_learnt_from(tmp_path: Path, tiny_bert: Path) -> None:
    settings: dict[str, Any] = {
        "task": "retrieval",
        "data": {"source": str(questions(tmp_path, 60)), "validation_share": 0.2, "test_share": 0.2},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 12, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "recipe": {"hard_negatives": 2, "r_drop": 0.5},
        "evaluate": {"resamples": 100, "metric": "mrr", "baselines": ["bm25"]},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    result = finetune(settings, progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert scores["mrr"] > 0.9
    with pytest.raises(ConfigError, match=r"recipe.hard_negatives: is of rankings"):
        finetune({**settings, "task": "similarity", "data": {"source": str(pairs(tmp_path))}}, progress=QUIET)


def test_vectors_are_cut_where_they_learnt_it(tmp_path: Path, tiny_bert: Path) -> None:
    settings: dict[str, Any] = {
        "task": "retrieval",
        "data": {"source": str(questions(tmp_path)), "validation_share": 0.2, "test_share": 0.2},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 15, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "recipe": {"matryoshka": [8, 4], "hard_negatives": 2, "r_drop": 0.5},
        "evaluate": {"resamples": 100, "metric": "mrr", "baselines": ["bm25"]},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    result = finetune(settings, progress=QUIET)
    (found,) = [one for one in read_json(result.run / "audit.json")["findings"] if one["check"] == "sizes of vectors"]
    sizes = {line.partition(":")[0]: float(line.rpartition(" ")[2]) for line in found["examples"]}
    assert list(sizes) == ["4", "8", "32"]
    best = [line["scores"]["mrr"] for line in events(RunFolder(result.run).events) if line.get("best")][-1]
    assert sizes["32"] == pytest.approx(best, abs=1e-4), "the checkpoint is the one that is best by whole vectors"
    assert all(0.4 < value <= 1 for value in sizes.values()), "of five documents one is right: chance has 0.46"
    settings["recipe"] = {"matryoshka": [8]}
    with pytest.raises(ConfigError, match=r"recipe.matryoshka: is of rankings"):
        finetune({**settings, "task": "similarity", "data": {"source": str(pairs(tmp_path))}}, progress=QUIET)


def pairs(folder: Path) -> Path:
    rows = [{"first": f"Anna {place}", "second": f"Bob {place}", "value": place} for place in range(40)]
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
