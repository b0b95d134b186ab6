"""A whole search with a tiny real model: trials, confirmation, decisions, the fine-tuning at the end."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from truetune import config as configs
from truetune.cli.main import main
from truetune.errors import ConfigError, RunError
from truetune.files import read_json
from truetune.optimization.diagnosis import replays
from truetune.optimization.diagnosis.run import diagnose
from truetune.optimization.run import help_optimize, optimize
from truetune.optimization.runner import changed
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)


def settings(folder: Path, model: Path, **search: Any) -> configs.Config:
    rng = random.Random(0)
    words = {"pos": ["lovely", "brilliant", "warm", "funny"], "neg": ["dull", "tedious", "bad", "boring"]}
    rows = []
    for place in range(160):
        label = ("pos", "neg")[place % 2]
        rows.append({"id": f"r{place}", "text": f"{rng.choice(words[label])} film {place}", "label": label})
    source = folder / "reviews.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return configs.from_settings(
        {
            "task": "classification",
            "data": {"source": str(source), "validation_share": 0.4, "test_share": 0.2},
            "model": {"name": str(model), "dtype": "float32"},
            # So low a rate that nothing is learnt: the search has something to find.
            "train": {"epochs": 4.0, "learning_rate": 1e-6, "tokens_per_batch": 256},
            "evaluate": {"resamples": 200, "baselines": ["majority"]},
            "optimize": {
                "trials": 4,
                "minutes": 60.0,
                "finalists": 1,
                "seeds": 2,
                "space": {"train.learning_rate": [3e-3, 1e-6], "train.warmup": [0.0, 0.1]},
                **search,
            },
            "track": {"output": str(folder / "runs"), "name": "tiny"},
        }
    )


def test_a_search_leaves_its_decisions_and_goes_on_where_it_was(tmp_path: Path, tiny_bert: Path) -> None:
    config = settings(tmp_path, tiny_bert)
    found = optimize(config, "tiny", progress=QUIET)
    log = read_json(found.folder / "decisions.json")
    assert log == found.decisions
    assert [trial["number"] for trial in log["trials"]] == [0, 1, 2, 3]
    best = max((one for one in log["trials"] if one["rungs"]), key=lambda trial: trial["rungs"][-1]["value"])
    assert best["changes"]["train.learning_rate"] == 3e-3
    assert (log["winner"] != 0) == any(one["better"] for one in log["confirmation"])
    assert log["confirming_seconds"] > 0
    taken = changed(config, log["changes"])
    for file in (found.folder / "found.yaml", found.final.run / "config.yaml"):
        read = configs.load(file)
        assert (read.train, read.recipe, read.model) == (taken.train, taken.recipe, taken.model)
    assert len(list(found.folder.glob("confirmation/*.parquet"))) == 2 * config.optimize.seeds
    assert not list(found.folder.glob("**/*.pkl"))
    trials = {file: file.stat().st_mtime_ns for file in found.folder.glob("trials/*/trial.json")}
    again = optimize(config.model_copy(update={"optimize": config.optimize.model_copy(update={"trials": 5})}), "tiny")
    assert len(again.decisions["trials"]) == 5
    assert all(file.stat().st_mtime_ns == time for file, time in trials.items())


def test_where_costs_count_they_are_measured_and_stand_in_the_decisions(tmp_path: Path, tiny_bert: Path) -> None:
    search = {"objectives": ["score", "size", "latency"], "give": 0.5, "space": {"model.layers": [2, 1]}, "trials": 3}
    found = optimize(settings(tmp_path, tiny_bert, **search), "tiny", progress=QUIET)
    log = read_json(found.folder / "decisions.json")
    assert log["objectives"] == {"costs": {"size": "MiB", "latency": "ms"}, "give": 0.5}
    sizes = {one["changes"].get("model.layers", 2): one["costs"]["size"] for one in log["trials"]}
    assert set(sizes) == {1, 2}
    assert sizes[1] < sizes[2]
    assert all(one["costs"]["latency"] > 0 for one in log["trials"])
    assert set(log["front"]) <= {one["number"] for one in log["trials"] if one["state"] == "finished"}
    assert all(one["kept"] is not None for one in log["confirmation"])
    page = (found.folder / "report.html").read_text(encoding="utf-8")
    assert "Score and cost" in page


def test_a_search_in_a_database_and_a_worker_for_it(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    config = settings(tmp_path, tiny_bert, trials=2, storage=storage)
    file = tmp_path / "tiny.yaml"
    file.write_text(configs.to_yaml(config), encoding="utf-8")
    found = optimize(config, "tiny", progress=QUIET)
    assert len(found.decisions["trials"]) == 2
    assert not (found.folder / "trials").exists(), "trials stand in the database alone"
    # The worker has one more trial to make, and leaves no folder.
    folders = set(tmp_path.glob("runs/*"))
    assert main(["optimize", str(file), "--worker", "--trials", "3"]) == 0
    assert "The search tiny-search has 3 trials" in capsys.readouterr().out
    assert set(tmp_path.glob("runs/*")) == folders
    again = optimize(config, "tiny", progress=QUIET)
    assert len(again.decisions["trials"]) == 3
    other = config.model_copy(update={"train": config.train.model_copy(update={"clip": 0.5})})
    with pytest.raises(ConfigError, match="holds a search 'tiny-search' with another train"):
        help_optimize(other, "tiny", progress=QUIET)


def test_a_worker_without_a_database_is_told(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match=r"optimize.storage: is not set"):
        help_optimize(settings(tmp_path, tiny_bert), "tiny", progress=QUIET)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")
def test_a_search_under_ray_finds_what_one_alone_finds(tmp_path: Path, tiny_bert: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    search = {"trials": 3, "risk": 0.0, "space": {"train.learning_rate": {"low": 1e-3, "high": 3e-3}}}
    alone = optimize(settings(tmp_path / "one", tiny_bert, **search), "tiny", progress=QUIET)
    config = settings(tmp_path / "two", tiny_bert, **search).model_copy(update={"scale": "ray", "workers": 2})
    found = optimize(config, "tiny", progress=QUIET)
    scores = [
        {str(one["changes"]): [rung["value"] for rung in one["rungs"]] for one in each.decisions["trials"]}
        for each in (alone, found)
    ]
    assert scores[0] == scores[1]
    assert found.decisions["winner"] == alone.decisions["winner"]


@pytest.mark.slow
def test_a_search_begins_with_the_moves_of_the_diagnosis(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "USUAL_RATE", 3e-3)
    config = settings(tmp_path, tiny_bert, trials=3, space={})
    run = finetune(config, progress=QUIET).run
    named = [one.name for one in diagnose(run, progress=QUIET).causes]
    assert named[0] == "learning rate too low"
    found = optimize(config, "tiny", progress=QUIET)
    log = read_json(found.folder / "decisions.json")
    assert log["diagnosis"] == str(run)
    assert log["first"][0]["cause"] == "learning rate too low"
    assert log["trials"][1]["changes"] == log["first"][0]["changes"] == {"train.learning_rate": 3e-6}
    assert "learning rate too low" in (found.folder / "report.html").read_text(encoding="utf-8")
    other = config.model_copy(update={"optimize": config.optimize.model_copy(update={"diagnosis": str(tmp_path)})})
    with pytest.raises(RunError, match="is no run folder"):
        optimize(other.model_copy(update={"track": config.track.model_copy(update={"name": "b"})}), "b", progress=QUIET)


def test_a_search_with_other_settings_is_not_mixed_with_this_one(tmp_path: Path, tiny_bert: Path) -> None:
    config = settings(tmp_path, tiny_bert, trials=1)
    optimize(config, "tiny", progress=QUIET)
    other = config.model_copy(update={"train": config.train.model_copy(update={"clip": 0.5})})
    with pytest.raises(ConfigError, match="holds a search with other settings"):
        optimize(other, "tiny", progress=QUIET)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"data.limit": [1, 2]}, "cannot be searched"),
        ({"train.seed": [1, 2]}, "cannot be searched"),
        ({"train.epochs": ["many"]}, "train.epochs"),
        ({"train.epoch": [1.0]}, "did you mean 'epochs'"),
    ],
)
def test_a_space_that_the_config_does_not_take_is_told_before_training(
    tmp_path: Path, tiny_bert: Path, space: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        optimize(settings(tmp_path, tiny_bert, space=space), "tiny", progress=QUIET)
    assert not (tmp_path / "runs" / "tiny-search" / "trials").exists()
