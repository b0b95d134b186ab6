"""A run that decides: fitted on validation, stored, applied wherever the model answers, measured on test."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.bundle.format import NAME, read_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ConfigError
from truetune.files import read_json
from truetune.reports.page import run_page
from truetune.reports.predictions import read_predictions
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress
from truetune.workflows.rescore import run_table

QUIET = Progress(quiet=True)
WORDS = {
    "good": ["lovely", "brilliant", "warm"],
    "bad": ["dull", "tedious", "boring"],
    "so-so": ["film", "story", "plot"],
}


def settings(folder: Path, model: Path, decide: dict[str, Any], several: bool = False) -> dict[str, Any]:
    rng = random.Random(0)
    rows = []
    for place in range(240):
        label = rng.choice(list(WORDS))
        text = " ".join([rng.choice(WORDS[label]), rng.choice(WORDS[rng.choice(list(WORDS))]), str(place)])
        rows.append({"text": text, **({"labels": [label]} if several else {"label": label})})
    source = folder / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {
        "task": "classification",
        "data": {"source": str(source), "validation_share": 0.4, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": 3, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "decide": decide,
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


DECIDE = {
    "calibrate": "temperature",
    "threshold": "recall",
    "label": "bad",
    "floor": 0.95,
    "abstain": "coverage",
    "coverage": 0.7,
    "conformal": "lac",
    "level": 0.8,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> RunFolder:
    folder = tmp_path_factory.mktemp("decided")
    return RunFolder(finetune(settings(folder, tiny_bert, DECIDE), progress=QUIET).run)


def test_what_was_fitted_is_stored_and_told(run: RunFolder) -> None:
    decision = read_bundle(run.model).decision
    record = read_json(run.decisions)
    assert decision is not None
    assert decision.to_dict() == record["decision"]
    validation = read_json(run.facts)["splits"]["validation"]["examples"]
    assert record["validation"] == record["fitted_on"] + record["promised_on"] == validation
    assert record["thresholds"][0]["label"] == "bad"


def test_the_test_part_is_scored_as_decided(run: RunFolder) -> None:
    saved = read_predictions(run.predictions("after"))
    model = truetune.load(run.path)
    again = model.predict(saved.texts["text"])
    assert [one["label"] for one in again] == saved.predicted["label"]
    assert [one["answered"] for one in again] == saved.predicted["answered"]
    assert [one["prediction_set"] for one in again] == saved.predicted["prediction_set"]
    scores = next(one for one in read_json(run.scores("after"))["scores"] if one["metric"] == "accuracy")
    right = np.array([g == s for g, s in zip(saved.gold["label"], saved.predicted["label"], strict=True)])
    assert scores["value"] == pytest.approx(right.mean())


def test_what_it_costs_and_gains_is_measured(run: RunFolder) -> None:
    saved, found = read_predictions(run.predictions("after")), read_json(run.decided)
    answered = np.array(saved.predicted["answered"])
    right = np.array([g == s for g, s in zip(saved.gold["label"], saved.predicted["label"], strict=True)])
    assert found["answered"]["coverage"]["hits"] == answered.sum()
    assert found["answered"]["risk"]["value"] == pytest.approx((~right[answered]).mean())
    inside = [g in some for g, some in zip(saved.gold["label"], saved.predicted["prediction_set"], strict=True)]
    assert found["sets"]["coverage"]["value"] == pytest.approx(np.mean(inside))
    assert sum(found["sets"]["sizes"].values()) == found["examples"] == len(saved)
    of_loss = next(one for one in found["comparison"]["comparisons"] if one["metric"] == "log_loss")
    assert (of_loss["baseline"], of_loss["candidate"]) == ("as the model says", "decided")


def test_a_file_is_scored_as_decided_too(run: RunFolder, tmp_path: Path) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text(
        '{"text": "lovely film", "label": "good"}\n{"text": "dull plot", "label": "bad"}\n', encoding="utf-8"
    )
    _, table = run_table(run.path, str(file))
    said = truetune.load(run.path).predict(["lovely film", "dull plot"])
    assert list(table.predicted["label"]) == [one["label"] for one in said]


def test_without_the_decision_it_is_the_model_as_it_was(run: RunFolder) -> None:
    """The bundle before there were decisions is read, and says the most probable label."""
    model = truetune.load(run.path)
    texts = [["lovely film", "dull plot", "story"]]
    undecided = model.undecided_columns(texts)
    stored = read_json(run.model / NAME)
    old = {key: value for key, value in stored.items() if key != "decision"} | {"format": 2}
    kept = (run.model / NAME).read_text(encoding="utf-8")
    try:
        (run.model / NAME).write_text(json.dumps(old), encoding="utf-8")
        loaded = truetune.load(run.path)
        assert loaded.bundle.decision is None
        assert loaded.predict_columns(texts) == undecided
    finally:
        (run.model / NAME).write_text(kept, encoding="utf-8")
    temperature = model.bundle.decision.calibration.temperature  # type: ignore[union-attr]
    logs = np.log([list(row.values()) for row in undecided["scores"]]) / temperature
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    calibrated = [list(row.values()) for row in model.predict_columns(texts)["scores"]]
    assert np.array(calibrated) == pytest.approx(expected)


SEVERAL = {
    "calibrate": "platt",
    "threshold": "cost",
    "costs": {"bad": {"missed": 3}},
    "abstain": "coverage",
    "coverage": 0.6,
    "conformal": "fnr",
    "level": 0.8,
}


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> RunFolder:
    folder = tmp_path_factory.mktemp("several")
    return RunFolder(finetune(settings(folder, tiny_bert, SEVERAL, several=True), progress=QUIET).run)


def test_several_labels_a_text_are_answered_as_decided(several: RunFolder) -> None:
    model = truetune.load(several.path)
    assert model.bundle.decision is not None
    assert list(model.bundle.decision.thresholds) == list(model.bundle.labels)
    saved = read_predictions(several.predictions("after"))
    again = model.predict(saved.texts["text"])
    for name in ("labels", "answered", "prediction_set"):
        assert [one[name] for one in again] == saved.predicted[name]
    assert 0 < sum(saved.predicted["answered"]) < len(saved)


def test_what_several_labels_cost_and_gain_is_measured(several: RunFolder) -> None:
    saved, found = read_predictions(several.predictions("after")), read_json(several.decided)
    pairs = [(set(g), set(s)) for g, s in zip(saved.gold["labels"], saved.predicted["labels"], strict=True)]
    right = np.array([g == s for g, s in pairs])
    answered = np.array(saved.predicted["answered"])
    assert found["answered"]["risk"]["value"] == pytest.approx((~right[answered]).mean())
    assert found["answered"]["risk_of_all"]["value"] == pytest.approx((~right).mean())
    costs = [sum(3 if one == "bad" else 1 for one in g - s) + len(s - g) for g, s in pairs]
    assert found["cost"]["decided"]["value"] == pytest.approx(np.mean(costs))
    sets = [(set(g), set(s)) for g, s in zip(saved.gold["labels"], saved.predicted["prediction_set"], strict=True)]
    assert found["sets"]["kept"]["value"] == pytest.approx(np.mean([len(g & s) / len(g) for g, s in sets]))
    assert found["sets"]["coverage"]["value"] == pytest.approx(np.mean([g <= s for g, s in sets]))
    bad = [("bad" in s) for g, s in sets if "bad" in g]
    assert (found["sets"]["labels"]["bad"]["hits"], found["sets"]["labels"]["bad"]["examples"]) == (sum(bad), len(bad))


@pytest.mark.parametrize(("language", "sentence"), [("en", "promise to hold 80.0% of the labels"), ("zh", "80.0%")])
def test_the_page_tells_of_several_labels(several: RunFolder, language: str, sentence: str) -> None:
    page = run_page(several.path, language)
    assert sentence in page
    assert 'id="decisions"' in page
    assert ("unless all labels of the text are right" in page) == (language == "en")


def test_what_cannot_be_decided_is_told_before_training(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match="no label 'gut'"):
        finetune(
            settings(tmp_path, tiny_bert, {"threshold": "precision", "floor": 0.9, "label": "gut"}), progress=QUIET
        )
    assert not list((tmp_path / "runs").glob("*"))
