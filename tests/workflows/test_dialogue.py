"""Replies from files to predictions, on a tiny real model: learnt with their history, saved, loaded and the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.run_folder import RunFolder
from truetune.files import read_json
from truetune.tasks.generation import HISTORY
from truetune.workflows.finetune import finetune
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)
ANSWERS = {"Anna": "warm", "Bob": "dull", "Paris": "great"}


def dialogues(folder: Path, number: int = 90) -> Path:
    """Of each dialogue the first reply names the word of the guest, and the second one does so again."""
    rng = random.Random(0)
    rows: list[dict[str, Any]] = []
    for place in range(number):
        name = rng.choice(list(ANSWERS))
        turns = [f"{name} {place}", ANSWERS[name], f"and {place % 7}"]
        for cut in (1, 3):
            rows.append({"history": turns[:cut], "reference": ANSWERS[name], "group": f"dialogue {place}"})
    path = folder / "dialogues.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_replies_are_learnt_with_their_history(tmp_path: Path, tiny_gpt2: Path) -> None:
    source = dialogues(tmp_path)
    settings = {
        "task": "dialogue",
        "data": {"source": str(source), "group": "group", "validation_share": 0.15, "test_share": 0.15},
        "model": {"name": str(tiny_gpt2), "dtype": "float32"},
        "train": {"epochs": 20, "learning_rate": 5e-3, "tokens_per_batch": 512},
        "evaluate": {"resamples": 200},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    result = finetune(settings, progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "unigram_f1"
    assert scores["unigram_f1"] > 0.9, "a tiny model learns the toy set"
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"untuned", "nearest"}
    facts = read_json(result.run / "data.json")["splits"]["test"]
    assert facts["characters"]["median"] > len("A: Anna 1")

    # A dialogue stays in one part, and the saved model says of lists and of files what the run has saved.
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    parts = read_json(result.run / "split.json")
    groups = [{rows[int(one) - 1]["group"] for one in parts[name]} for name in ("train", "validation", "test")]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    held_out = [rows[int(one) - 1] for one in parts["test"]]
    saved = read_predicted(RunFolder(result.run), "after")["text"]
    model = truetune.load(result.run)
    assert [one["text"] for one in model.predict([[row["history"]] for row in held_out])] == saved
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps({"history": row["history"]}) + "\n" for row in held_out), encoding="utf-8")
    assert [one["text"] for one in predicted_file(model, str(plain), QUIET)] == saved


def test_what_a_model_is_asked_names_who_spoke() -> None:
    history, source = HISTORY.values({"history": ["Hello.", "Good day.", "A table?"]})
    assert source == "B: Hello.\nA: Good day.\nB: A table?"
    assert HISTORY.whole(history, source) == source
    with pytest.raises(ValueError, match="expected one or more turns"):
        HISTORY.values({"history": [" "]})


@pytest.mark.parametrize(
    ("history", "source"),
    [
        ([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}], "user: Hi\nassistant: Yes?"),
        ([{"speaker": "王", "text": "你好"}, {"speaker": "王", "text": "在吗"}], "王: 你好\n王: 在吗"),
        ('[{"from": "A", "value": "x"}, "y"]', "A: x\nB: y"),
        ({"role": "user", "content": "Hi"}, "user: Hi"),
        ("[laughs] well", "B: [laughs] well"),
    ],
)
def test_turns_may_have_speakers(history: Any, source: str) -> None:
    assert HISTORY.values({"history": history})[1] == source


@pytest.mark.parametrize("turn", [{"content": "Hi"}, {"role": "user"}, {"role": " ", "content": "Hi"}, {}, 3])
def test_a_turn_that_is_none_is_told(turn: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a turn as a text, or with `role`|expected a text, found 3"):
        HISTORY.values({"history": [turn]})
