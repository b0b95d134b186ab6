"""Exported rankings whose vectors are cut: the first numbers of the whole vectors, behind the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.backbones.saved_form import read_form
from truetune.errors import ModelError
from truetune.files import read_json, write_text
from truetune.parity.export import Wanted, exported
from truetune.stats.plan import Plan
from truetune.workflows.collection import vectors_of
from truetune.workflows.finetune import finetune
from truetune.workflows.predict import Model
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
ANSWERS = {"Anna": "lovely story", "Bob": "dull film", "Paris": "great plot", "Berlin": "warm and brilliant"}


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    folder = tmp_path_factory.mktemp("ranking")
    names = list(ANSWERS)
    rows = [{"query": f"{names[n % 4]} and {n}", "document": ANSWERS[names[n % 4]]} for n in range(200)]
    write_text(folder / "asked.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        "task": "retrieval",
        "data": {"source": str(folder / "asked.jsonl"), "validation_share": 0.4, "test_share": 0.2},
        "model": {"name": str(tiny_bert), "dtype": "float32", "max_length": 32},
        "train": {"epochs": 6, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "recipe": {"matryoshka": [8]},
        "evaluate": {"resamples": 100, "baselines": ["bm25"], "metric": "mrr"},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }
    return finetune(settings, progress=QUIET).run


def vectors(model: Model) -> np.ndarray:
    """Return those of the documents, in their order."""
    return vectors_of(model._backbone, model._training, model._labels())


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8", "int8-static"])
def test_the_exported_vectors_are_the_first_numbers_of_the_whole(ranking: Path, tmp_path: Path, precision: Any) -> None:
    wanted = Wanted(precision, engine="onnxruntime", margin=0.2, plan=Plan(resamples=100), vector_size=8)
    result = exported(ranking, tmp_path / "shipped", wanted, QUIET)
    assert result.parity.passed
    assert read_form(result.folder)[1].vector == 8
    assert read_form(ranking / "model")[1].vector == 0
    whole, cut = vectors(truetune.load(ranking)), vectors(truetune.load(result.folder))
    assert read_json(result.folder / "export.json")["vector_size"] == 8
    card = (result.folder / "README.md").read_text(encoding="utf-8")
    assert "Vectors are cut to their first 8 numbers." in card
    assert "model-index" not in card, "the scores are those of whole vectors"
    assert "model-index" in (ranking / "model/README.md").read_text(encoding="utf-8")
    assert cut.shape == (len(ANSWERS), 8)
    first = whole[:, :8] / np.linalg.norm(whole[:, :8], axis=1, keepdims=True)
    assert cut == pytest.approx(first, abs=1e-5 if precision == "float32" else 0.05)


def test_a_size_that_vectors_do_not_have_is_refused(ranking: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"--vector-size: the vectors of this model have 32 numbers"):
        exported(ranking, tmp_path / "shipped", Wanted(vector_size=32), QUIET)
    with pytest.raises(ModelError, match=r"--vector-size: is of rankings .* as ONNX"):
        exported(ranking, tmp_path / "shipped", Wanted(format="savedmodel", vector_size=8), QUIET)
    assert not (tmp_path / "shipped").exists()
