"""What a run ships: card, scores, fingerprints; and the card's code for Transformers alone gives the same logits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.backbones.base import ModelSettings, Recipe
from truetune.bundle.format import read_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.files import read_json, write_text
from truetune.reports.model_card import plain_code
from truetune.tasks.classify_encoding import softmax
from truetune.tracking.local import events
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> RunFolder:
    folder = tmp_path_factory.mktemp("run")
    rng = random.Random(0)
    rows = [(rng.choice(["lovely", "great"]), "好") for _ in range(30)] + [("dull", "差")] * 30
    lines = [f"{label}\t{word} film {place}" for place, (word, label) in enumerate(rows)]
    write_text(folder / "reviews.txt", "\n".join(lines) + "\n")
    settings = {
        "task": "classification",
        "data": {"source": str(folder / "reviews.txt"), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 1},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "tiny", "to": ["tensorboard"]},
    }
    return RunFolder(finetune(settings, progress=QUIET).run)


def test_the_bundle_says_where_it_comes_from(run: RunFolder, tiny_bert: Path) -> None:
    bundle = read_bundle(run.model)
    assert bundle.data == read_json(run.manifest)["data"]["fingerprint"]
    assert (bundle.language, bundle.licence) == ("en", "unknown")
    assert bundle.base_model == tiny_bert.name
    assert read_json(run.model / "scores.json") == read_json(run.scores("after"))
    assert "## 使用" in (run.model / "README.md").read_text(encoding="utf-8")


def test_nothing_in_it_names_a_place_on_this_machine(run: RunFolder, tiny_bert: Path) -> None:
    for file in run.model.iterdir():
        content = file.read_bytes()
        assert str(tiny_bert).encode() not in content, file.name
        assert str(run.path).encode() not in content, file.name
        assert file.stat().st_mode & 0o044, f"{file.name} can be read by who serves it"


def test_the_run_was_followed(run: RunFolder) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (file,) = (run.path / "tracking" / "tensorboard").iterdir()
    found = EventAccumulator(str(file))
    found.Reload()
    losses = [one["loss"] for one in events(run.events) if one["event"] == "step"]
    assert [one.value for one in found.Scalars("train/loss")] == pytest.approx(losses)
    after = next(one for one in read_json(run.scores("after"))["scores"] if one["metric"] == "accuracy")
    assert found.Scalars("after/accuracy")[0].value == pytest.approx(after["value"])
    assert found.Scalars("after.low/accuracy")[0].value == pytest.approx(after["low"])


def test_transformers_alone_gives_the_same(run: RunFolder) -> None:
    texts = ["a lovely film", "dull"]
    logits = plain_logits(run.model, texts)
    said = truetune.load(run.path).predict(texts)
    expected = [[one["scores"][label] for label in read_bundle(run.model).labels] for one in said]
    assert softmax(logits) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("model", ["tiny_bert", "tiny_gpt2", "tiny_llama"])
@pytest.mark.parametrize(
    ("head", "pooling"), [("classify", "auto"), ("classify", "first"), ("tag", "auto"), ("classify", "marked")]
)
def test_the_code_of_the_card_for_every_kind_of_head(
    request: pytest.FixtureRequest, tmp_path: Path, model: str, head: Any, pooling: Any
) -> None:
    from truetune.backbones.torch import load_backbone, load_tokenizer
    from truetune.data.batch import padded
    from truetune.types import HEAD_MARK, TAIL_MARK, Encoded

    folder = request.getfixturevalue(model)
    settings = ModelSettings(str(folder), head, ("a", "b", "c"), pooling=pooling)
    tokenizer = load_tokenizer(settings)
    backbone = load_backbone(settings, Recipe(), tokenizer)
    backbone.save(tmp_path / "saved")
    texts = ["a lovely and brilliant story", "dull film"]
    inputs, places = [], []
    for pieces in tokenizer.pieces(texts):
        ids, segments, begin = tokenizer.wrapped(pieces.ids)
        if pooling == "marked":
            segments[[begin + 1, begin]] = HEAD_MARK, TAIL_MARK
            places.append(pieces.starts[[1, 0]])
        inputs.append(Encoded(0, ids, segments, np.array(0), ids, ids))
    batch = padded(inputs, np.arange(2), tokenizer.pad)
    logits = plain_logits(tmp_path / "saved", texts, places)
    wanted = backbone.predict(batch)
    mask = batch.mask if head == "tag" else slice(None)
    assert logits[mask] == pytest.approx(wanted[mask], abs=1e-4)


def plain_logits(folder: Path, texts: list[str], places: Sequence[Any] = ()) -> Any:
    code = plain_code(read_json(folder / "backbone.json")["form"])
    heads, tails = ([int(one[place]) for one in places] for place in (0, 1))
    names: dict[str, Any] = {"path": str(folder), "texts": texts, "heads": heads, "tails": tails}
    exec(code, names)  # the code of the card, as a reader would run it
    return names["logits"].numpy().astype(np.float64)
