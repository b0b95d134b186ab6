"""IA3, prompts and prefixes from a config to a verdict: learnt beside a frozen model, saved, loaded and the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune import config
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ConfigError
from truetune.files import read_json, write_text
from truetune.workflows.finetune import finetune
from truetune.workflows.pretrain import pretrain
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)


def settings(folder: Path, model: Path, recipe: dict[str, Any], name: str) -> dict[str, Any]:
    rng = random.Random(0)
    rows = []
    for place in range(240):
        good = place % 2 == 0
        words = rng.choices(["lovely", "great", "warm"] if good else ["dull", "bad", "boring"], k=3)
        rows.append(f"{'pos' if good else 'neg'}\t{' '.join(words)} film {place}")
    write_text(folder / "reviews.txt", "\n".join(rows) + "\n")
    return {
        "task": "classification",
        "data": {"source": str(folder / "reviews.txt"), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32", "max_length": 32},
        "train": {"epochs": 10, "learning_rate": 5e-2, "tokens_per_batch": 256},
        "recipe": recipe,
        "evaluate": {"resamples": 100, "baselines": ["frozen-linear"]},
        "track": {"output": str(folder / "runs"), "name": name},
    }


def test_each_learns_a_toy_set_and_its_bundle_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    frozen = {}
    for name, recipe in {"ia3": {"ia3": True}, "prompt": {"prompt_pieces": 4}, "prefix": {"prefix_pieces": 4}}.items():
        result = finetune(settings(tmp_path, tiny_bert, recipe, name), progress=QUIET)
        scores = {score["metric"]: score["value"] for score in result.after["scores"]}
        assert scores["accuracy"] > 0.95, name
        frozen[name] = read_json(RunFolder(result.run).scores("baselines/frozen-linear"))["scores"][0]["value"]
        rows = (tmp_path / "reviews.txt").read_text(encoding="utf-8").splitlines()
        held_out = [rows[int(one) - 1].split("\t")[1] for one in read_json(result.run / "split.json")["test"]]
        saved = read_predicted(RunFolder(result.run), "after")
        said = truetune.load(result.run).predict(held_out)
        assert [one["label"] for one in said] == saved["label"]
        assert [one["scores"]["pos"] for one in said] == pytest.approx(
            [one["pos"] for one in saved["scores"]], abs=1e-6
        )
    assert len(set(frozen.values())) == 1, "the baseline is that of the pretrained model, whatever is learnt beside it"


@pytest.mark.parametrize(
    ("recipe", "more", "told"),
    [
        ({"ia3": True, "lora_rank": 2}, {}, "`recipe.lora_rank` and `recipe.ia3` each keep the model frozen"),
        ({"prompt_pieces": 2}, {"model": {"freeze_layers": 1}}, "leave out `model.freeze_layers`"),
        ({"prefix_pieces": 2}, {"shard": True, "workers": 2, "scale": "torchrun"}, "set `shard` to false"),
        ({"prefix_pieces": 2}, {"model": {"framework": "tensorflow"}}, "recipe.prefix_pieces: 2"),
    ],
)
def test_what_cannot_be_together_is_told_before_anything_is_read(
    recipe: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    given = {"task": "classification", "data": {"source": "a.txt"}, "recipe": recipe, **more}
    given["model"] = {"name": "m", **more.get("model", {})}
    with pytest.raises(ConfigError, match=told):
        config.from_settings(given)


def test_pretraining_cannot_ship_pieces(tmp_path: Path, tiny_bert: Path) -> None:
    given = {"task": "masked-language-modeling", "data": {"source": "a.txt"}, "model": {"name": str(tiny_bert)}}
    with pytest.raises(ConfigError, match=r"recipe.prompt_pieces: cannot be merged into what is pretrained"):
        pretrain({**given, "recipe": {"prompt_pieces": 2}}, progress=QUIET)
