"""Mistakes 11 to 17: what is shipped, what chooses, leaks, groups, metrics that were not computed, looks, one seed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.audit.parts import AuditPart
from truetune.audit.run import audit
from truetune.bundle.run_folder import RunFolder
from truetune.cli.main import main
from truetune.errors import TruetuneError
from truetune.files import read_json
from truetune.workflows.rescore import run_table

from . import planting
from .systems import labelled, lines_of

Runs = Callable[[str], RunFolder]


def test_11_the_model_that_is_shipped_is_the_one_that_was_scored(runs: Runs, tmp_path: Path) -> None:
    run = runs("plain")
    assert not run_table(run.path)[1].findings
    shutil.copytree(run.path, tmp_path / "run")
    shutil.copy(runs("another seed").model / "model.safetensors", tmp_path / "run" / "model" / "model.safetensors")
    (finding,) = run_table(tmp_path / "run")[1].findings
    assert (finding.check, finding.examples) == ("stale predictions", ("model",))


def test_12_the_test_set_chooses_nothing(runs: Runs) -> None:
    plain, flipped = runs("plain"), runs("flipped test")
    weights = [(run.model / "model.safetensors").read_bytes() for run in (plain, flipped)]
    assert weights[0] == weights[1]
    assert len({read_json(run.model / "truetune.json")["threshold"] for run in (plain, flipped)}) == 1
    scores = [
        next(one["value"] for one in read_json(run.scores("after"))["scores"] if one["metric"] == "accuracy")
        for run in (plain, flipped)
    ]
    assert scores[0] == pytest.approx(1 - scores[1])
    assert (runs("another seed").model / "model.safetensors").read_bytes() != (
        plain.model / "model.safetensors"
    ).read_bytes()


REVIEWS = [one["text"] for one in lines_of("reviews")]
NEWS = lines_of("sentences")


def part(name: str, texts: list[str], groups: list[str] | None = None) -> AuditPart:
    gold = [str(number % 2) for number in range(len(texts))]
    return AuditPart(name, [f"{name}{number}" for number in range(len(texts))], [texts], gold, groups)


def errors(train: AuditPart, test: AuditPart) -> list[str]:
    return [one.check for one in audit({"train": train, "test": test}) if one.severity == "error"]


@pytest.mark.parametrize("change", [list, planting.retyped, planting.traditional])
def test_13_the_same_text_in_train_and_test(change: Callable[[list[str]], list[str]]) -> None:
    train, test = REVIEWS[:300], REVIEWS[300:]
    assert errors(part("train", train), part("test", [*test, *change(train[:4])])) == ["text in two parts"]
    assert not errors(part("train", train), part("test", test))


def test_14_the_same_group_on_both_sides() -> None:
    texts, groups = [one["text"] for one in NEWS], [one["group"] for one in NEWS]
    border = groups.index(groups[40])
    cut = border + 1
    assert groups[cut] == groups[border], "the article goes on behind its first sentence"
    train, test = part("train", texts[:cut], groups[:cut]), part("test", texts[cut:], groups[cut:])
    assert errors(train, test) == ["group in two parts"]
    train, test = part("train", texts[:border], groups[:border]), part("test", texts[border:], groups[border:])
    assert not errors(train, test)


def test_15_a_metric_that_was_asked_for_is_computed_or_the_run_stops(runs: Runs, tmp_path: Path) -> None:
    settings = json.loads((runs("plain").path.parent / "settings.json").read_text(encoding="utf-8"))
    settings["train"]["metric"] = "f1_marco"
    settings["track"] = {"output": str(tmp_path), "name": "misspelt"}
    with pytest.raises(TruetuneError, match="f1_macro"):
        truetune.finetune(settings)
    assert not (tmp_path / "misspelt" / "report.html").exists()
    gold, predicted, _ = labelled()
    with pytest.raises(TruetuneError, match="roc_auc"):
        truetune.compare(
            task="classification", gold=gold, predicted=[predicted, predicted], gate=truetune.Gate("roc_auc")
        )


def test_16_every_look_at_the_test_set_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = labelled(1)[0]
    rng = np.random.default_rng(1)
    files = []
    for name in ("gold", *"abcde"):
        said = gold if name == "gold" else [one if rng.random() < 0.7 else "other" for one in gold]
        files.append(str(tmp_path / f"{name}.csv"))
        Path(files[-1]).write_text("label\n" + "\n".join(said) + "\n", encoding="utf-8")

    def compared(*systems: str) -> dict[str, Any]:
        asked = ["compare", "--task", "classification", "--gold", files[0], "--predicted", *systems, "--json"]
        main([*asked, "--ledger", str(tmp_path / "ledger.jsonl"), "--resamples", "100"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    assert compared(*files[1:3])["looks"] == 2
    assert compared(*files[1:3])["looks"] == 2, "the same systems again are no new look"
    assert compared(*files[1:])["looks"] == 5
    assert "opened for 5 systems" in compared(*files[1:3])["warnings"][-1]


def test_16_the_best_of_several_looks_is_not_called_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """10 examples of 100 gained, 2 lost: p = .022 by the mid-p test alone, .090 as one of four candidates."""
    gold = [str(place % 2) for place in range(100)]
    tries = {"base": range(10), "best": (20, 21), "other": range(30, 42), "next": range(50, 61), "last": range(60, 71)}
    files = {}
    for name, wrong in {"gold": (), **tries}.items():
        said = [str(1 - int(one)) if place in wrong else one for place, one in enumerate(gold)]
        files[name] = str(tmp_path / f"{name}.csv")
        Path(files[name]).write_text("label\n" + "\n".join(said) + "\n", encoding="utf-8")
    asked = ["--task", "classification", "--gold", files["gold"], "--resamples", "100", "--metric", "accuracy"]
    ledger = ["--ledger", str(tmp_path / "ledger.jsonl")]
    pair = ["compare", *asked, "--predicted", files["base"], files["best"]]

    def judged(*more: str) -> tuple[int, dict[str, Any]]:
        status = main([*pair, *more, "--json"])
        return status, json.loads(capsys.readouterr().out)["comparisons"][0]

    alone = judged()
    assert judged(*ledger) == alone, "these two are the first: there is nothing to correct"
    assert (alone[0], alone[1]["verdict"]) == (0, "better")
    for name in ("other", "next", "last"):
        assert main(["evaluate", *asked, "--predicted", files[name], *ledger]) == 0
    capsys.readouterr()
    status, one = judged(*ledger)
    assert (status, one["verdict"]) == (1, "no difference found")
    assert one["p_value"] == alone[1]["p_value"] == pytest.approx(0.02246, abs=1e-5)
    assert one["p_adjusted"] == pytest.approx(4 * one["p_value"])
    assert one["correction"] == "Bonferroni over 4 looks at the test set"
    assert judged(*ledger, "--margin", "0.02")[1]["verdict"] == "not worse"


def test_17_a_difference_inside_the_noise_is_not_called_better(runs: Runs) -> None:
    gold, predicted, _ = labelled(2)
    rng = np.random.default_rng(2)

    def verdict(share: float) -> str:
        """Of a system that corrects a share of the mistakes, and makes new ones by chance."""
        said = [
            right if one != right and rng.random() < share else ("neutral" if rng.random() < 0.03 else one)
            for right, one in zip(gold, predicted, strict=True)
        ]
        found = truetune.compare(task="classification", gold=gold, predicted=[predicted, said])
        return found.comparisons[0].verdict

    assert verdict(0.08) == "no difference found"
    assert verdict(0.7) == "better"
    assert "This is one training run" in read_json(runs("plain").verdict)["lines"]["en"][2]
