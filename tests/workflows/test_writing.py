"""Texts for texts from files to predictions, on tiny real models: learnt to the end, saved, loaded and the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import truetune
from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.bundle.format import read_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ConfigError
from truetune.files import read_json
from truetune.reports.phrases import in_language
from truetune.tasks.base import Labels
from truetune.tasks.text_encoding import longest_written
from truetune.types import Writing
from truetune.workflows.finetune import finetune
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted
from truetune.workflows.writing import asked_of, most_pieces, written_findings

QUIET = Progress(quiet=True)
WORDS = {"Anna": "story", "Bob": "plot", "Paris": "film", "Berlin": "great"}


IN_CHINESE = {"Anna": "很棒", "Bob": "故事", "Paris": "电影", "Berlin": "沉闷"}


def sayings(folder: Path, words: dict[str, str], number: int = 160) -> Path:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        word = rng.choice(list(words))
        rows.append({"source": f"{place % 40} {rng.choice('abcd')} {word}", "reference": words[word]})
    path = folder / "sayings.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(folder: Path, task: str, model: Path, epochs: int, words: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "task": task,
        "data": {"source": str(sayings(folder, words or WORDS)), "validation_share": 0.15, "test_share": 0.15},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": epochs, "learning_rate": 5e-3, "tokens_per_batch": 512, "evaluations_per_epoch": 1},
        "evaluate": {"resamples": 200, "metric": "chrf"},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


@pytest.mark.parametrize(
    ("model", "task"),
    [
        ("tiny_gpt2", "translation"),
        ("tiny_t5", "summarization"),
        ("tiny_bart", "summarization"),
        ("tiny_marian", "translation"),
        ("tiny_chinese_gpt2", "translation"),
    ],
)
def test_texts_are_learnt_to_their_end(tmp_path: Path, request: pytest.FixtureRequest, model: str, task: str) -> None:
    words = IN_CHINESE if model == "tiny_marian" else WORDS
    result = finetune(settings(tmp_path, task, request.getfixturevalue(model), 25, words), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert scores["chrf"] > 0.9, "a tiny model learns the toy set"
    run = RunFolder(result.run)
    said = read_predicted(run, "after")
    assert sum(said["finished"]) > 0.9 * len(said["finished"]), "the end is learnt although it is the padding too"
    checks = {finding["check"] for finding in read_json(run.audit)["findings"]}
    assert "lengths of written texts" in checks
    third = "copy" if task == "translation" else "lead"
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"untuned", "nearest", third}
    bundle = read_bundle(result.run / "model")
    assert bundle.writing is not None
    assert "{source}" in bundle.writing["prompt"]
    assert 2 <= bundle.writing["pieces"] <= 12

    loaded = truetune.load(result.run)
    ids = read_json(result.run / "split.json")["test"]
    rows = [json.loads(line) for line in (tmp_path / "sayings.jsonl").read_text(encoding="utf-8").splitlines()]
    sources = [rows[int(one) - 1]["source"] for one in ids]
    assert [one["text"] for one in loaded.predict(sources)] == said["text"]
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps({"source": source}) + "\n" for source in sources), encoding="utf-8")
    assert [one["text"] for one in predicted_file(loaded, str(plain), QUIET)] == said["text"]


def test_no_more_is_written_than_a_decoder_has_positions_for(tiny_bart: Path, tiny_gpt2: Path) -> None:
    short, long = [("a dull film",)], [("a dull film " * 40,)]
    two_sided, decoder = (load_tokenizer(ModelSettings(str(one), "generate", ())) for one in (tiny_bart, tiny_gpt2))
    assert most_pieces(None, long, two_sided) == 64
    assert most_pieces(None, short, two_sided) == longest_written(short, two_sided) < 64
    assert most_pieces(64, long, two_sided) == 64
    with pytest.raises(ConfigError, match=r"generate\.max_pieces: 65 is more than the 64 pieces"):
        most_pieces(65, long, two_sided)
    assert most_pieces(65, long, decoder) == 65, "of a decoder it is told where there is no room for a source"


@pytest.mark.parametrize(
    ("finished", "share"), [([True, True, True, True], "0.0%"), ([True, False, True, True], "25.0%")]
)
def test_the_share_that_is_cut_off_is_told_also_where_there_is_none(finished: list[bool], share: str) -> None:
    stage: Any = SimpleNamespace(labels=Labels((), writing=Writing("{source}", pieces=3)))
    predicted = {"text": ["a", "bb", "ccc", "dddd"], "finished": finished}
    first, *others = written_findings(stage, predicted, [("gold",)] * 4)
    assert first.advice == (
        "texts written for test have 3 characters in the median, 4 at 95 %, 4 at most; their references 4, 4 and 4; "
        f"{share} were cut off without an end"
    )
    assert in_language(first.advice, "zh").endswith(f"其中 {share} 没有写到结束就被截断")
    assert [one.count for one in others] == [1] * finished.count(False)


@pytest.mark.parametrize(
    ("task", "source", "reference", "asked"),
    [
        ("translation", "a great film", "很棒的电影", "Translate into Chinese:\n"),
        ("translation", "很棒的电影", "a great film", "Translate:\n"),
        ("translation", "很棒的電影", "很棒的电影", "Translate:\n"),
        ("summarization", "很棒的电影", "电影", "Summarize:\n"),
        ("dialogue", "a great film", "很棒", ""),
    ],
)
def test_a_model_is_told_that_chinese_is_wanted(task: str, source: str, reference: str, asked: str) -> None:
    assert asked_of(task, [source], [(reference,)]) == asked
