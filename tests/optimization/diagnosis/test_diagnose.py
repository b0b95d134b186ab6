"""Whole diagnoses of runs of a tiny model: what was planted is named first or second, a healthy run names nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.cli.main import main
from truetune.errors import ConfigError, RunError
from truetune.files import read_json
from truetune.optimization.diagnosis import replays
from truetune.optimization.diagnosis.evidence import gathered
from truetune.optimization.diagnosis.run import diagnose
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
Made = Callable[..., Path]
Reviews = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def usual_rate_of_a_tiny_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "USUAL_RATE", 3e-3)


def named(run: Path, **asked: Any) -> list[str]:
    return [one.name for one in diagnose(run, progress=QUIET, **asked).causes]


def test_a_healthy_run_names_nothing_and_its_report_says_so(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = truetune.diagnose(healthy, progress=QUIET)
    assert found.causes == ()
    assert found.saved["replays"] == []
    assert found.to_dict() == {"run": str(healthy), **read_json(healthy / "diagnosis.json")}
    assert "Nothing is named" in (healthy / "report.html").read_text(encoding="utf-8")
    assert found.saved["score"]["value"] > 0.9
    capsys.readouterr()
    assert main(["diagnose", str(healthy), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["causes"] == []


def test_the_test_part_decides_nothing_and_is_not_written_in_the_ledger(healthy: Path, tmp_path: Path) -> None:
    run = tmp_path / "copy"
    shutil.copytree(healthy, run)
    shutil.copy(run / "data" / "train.arrow", run / "data" / "test.arrow")
    shutil.rmtree(run / "before")
    found = [diagnose(one, minutes=0.0, progress=QUIET).saved for one in (healthy, run)]
    assert {**found[0], "seconds": 0} == {**found[1], "seconds": 0}
    assert not (tmp_path / "ledger.jsonl").exists()


def test_dropout_that_keeps_all_from_being_learnt_is_named_with_what_it_costs(
    made_run: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made_run("dropout", model__dropout=0.8)
    assert main(["diagnose", str(run)]) == 1
    said = capsys.readouterr().out
    assert "1. too much dropout: accuracy +0." in said
    assert "try: model.dropout: null or 0.1" in said
    saved = read_json(run / "diagnosis.json")
    (cause,) = [one for one in saved["causes"] if one["name"] == "too much dropout"]
    assert cause["shown"]
    assert cause["gain"]["low"] > 0.1
    again = next(one for one in saved["replays"] if one["cause"] == "too much dropout")
    assert again["changes"] == {"model.dropout": None}
    assert named(run, minutes=0.0).count("too much dropout") == 0
    assert any("too much dropout was not tried" in line for line in read_json(run / "diagnosis.json")["not_tried"])


def test_a_replay_is_evaluated_as_often_as_the_run_and_without_a_change_is_the_run(made_run: Made) -> None:
    run = made_run("once", train__epochs=2.0)
    evidence = gathered(run, None, QUIET)
    stand = replays.Stand(evidence, 10.0, lambda line: None)
    assert stand._trained({})["label"] == evidence.predicted["validation"]["label"]
    assert stand._runner is not None
    rungs = [*stand._runner.run({}, evidence.config.train.seed, confirms=False)]
    assert [rung.share for rung in rungs] == [0.5, 1.0]
    assert len(evidence.curve.evaluations) == 2


@pytest.mark.slow
def test_a_learning_rate_a_hundred_times_too_high(made_run: Made) -> None:
    assert named(made_run("rate", train__learning_rate=0.3))[0] == "learning rate too high"


@pytest.mark.slow
def test_a_learning_rate_far_too_low(made_run: Made) -> None:
    assert named(made_run("low", train__learning_rate=1e-5))[0] == "learning rate too low"


@pytest.mark.slow
def test_too_few_epochs(made_run: Made) -> None:
    assert "too few epochs" in named(made_run("short", train__epochs=1.0))[:2]


def test_a_training_set_written_twice(made_run: Made, reviews: Reviews) -> None:
    half = reviews(80, 1)
    train = [*half, *({**row, "id": f"{row['id']}-again"} for row in half)]
    run = made_run("twice", train, data__drop_duplicates=False)
    found = diagnose(run, minutes=0.0, progress=QUIET).causes
    assert found[0].name == "repeated examples"
    assert "50% of the 160 training examples" in found[0].evidence[0]
    assert "80 different texts" in found[0].evidence[0]


@pytest.mark.slow
def test_labels_of_which_three_in_ten_are_wrong(healthy: Path, made_run: Made, reviews: Reviews) -> None:
    # A model of random weights knows no words; this one has learnt other reviews, as a pretrained one has.
    name = str(healthy / "model")
    run = made_run("noise", reviews(300, 1, noise=0.3), reviews(200, 2, noise=0.3), model__name=name)
    found = diagnose(run, progress=QUIET).causes
    assert "wrong labels" in [one.name for one in found[:2]]


@pytest.mark.slow
def test_a_rare_label_that_is_not_found(made_run: Made, reviews: Reviews) -> None:
    rare = [row for row in reviews(400, 1) if row["label"] == "pos"][:4]
    train = [*(row for row in reviews(400, 1) if row["label"] == "neg"), *rare]
    found = diagnose(made_run("rare", train), progress=QUIET).causes
    assert "label imbalance" in [one.name for one in found[:2]]
    (imbalance,) = [one for one in found if one.name == "label imbalance"]
    assert "50 times as many" in imbalance.evidence[0]
    assert imbalance.gain is not None
    assert imbalance.gain.metric == "f1_macro"


@pytest.mark.slow
def test_texts_that_do_not_fit_into_an_input(made_run: Made, reviews: Reviews) -> None:
    padded = [[{**row, "text": "a film " * 8 + row["text"]} for row in reviews(120, seed)] for seed in (1, 2)]
    run = made_run("cut", *padded, model__max_length=12)
    found = diagnose(run, minutes=0.0, progress=QUIET)
    (cut,) = [one for one in found.causes if one.name == "inputs cut short"]
    assert "100% of the training texts do not fit into one input of 12 pieces" in cut.evidence[0]


def test_seeds_that_scatter_more_than_is_sought(healthy: Path, tmp_path: Path) -> None:
    for seed, score in ((0, 0.90), (1, 0.96), (2, 0.93)):
        run = tmp_path / f"seed-{seed}"
        shutil.copytree(healthy, run)
        config = (run / "config.yaml").read_text(encoding="utf-8")
        (run / "config.yaml").write_text(config.replace("  seed: 0\n  checkpoint", f"  seed: {seed}\n  checkpoint"))
        event = {"event": "evaluation", "step": 9, "epoch": 4, "scores": {"accuracy": score}, "best": True}
        (run / "events.jsonl").write_text(json.dumps(event) + "\n")
    (found,) = diagnose(tmp_path / "seed-0", minutes=0.0, progress=QUIET).causes
    assert found.name == "seed noise"
    # The standard deviation is 0.03; t of 2 degrees 4.30265; times sqrt(2) 0.03 it is 0.18255.
    assert "scatter by 0.0300" in found.evidence[0]
    assert "by up to 0.1825 by luck" in found.evidence[0]


def test_a_folder_that_is_no_run_and_settings_out_of_range_are_told(healthy: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run folder"):
        diagnose(tmp_path, progress=QUIET)
    with pytest.raises(ConfigError, match="minutes is -1"):
        diagnose(healthy, minutes=-1, progress=QUIET)
    assert main(["diagnose", str(tmp_path)]) == 2
