"""Openings of test sets: by runs, by files, and what compare makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from truetune.cli.main import main
from truetune.tracking.ledger import looks
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress


def test_files_are_counted_by_content_and_compare_corrects_its_p_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    gold = rng.choice(["a", "b"], 200)

    def written(name: str, labels: np.ndarray, order: np.ndarray) -> str:
        rows = [json.dumps({"id": str(place), "label": str(labels[place])}) for place in order]
        path = tmp_path / name
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return str(path)

    plain = np.arange(200)
    systems = [np.where(rng.random(200) < share, gold, "a") for share in (0.6, 0.75, 0.7)]
    gold_file = written("gold.jsonl", gold, plain)
    files = [written(f"system{number}.jsonl", said, plain) for number, said in enumerate(systems)]
    ledger = str(tmp_path / "ledger.jsonl")
    asked = ["--task", "classification", "--gold", gold_file, "--resamples", "100", "--ledger", ledger, "--json"]
    for file in files:
        assert main(["evaluate", *asked, "--predicted", file]) == 0
    shuffled = written("shuffled.jsonl", systems[0], rng.permutation(200))
    capsys.readouterr()
    assert main(["evaluate", *asked, "--predicted", shuffled]) == 0
    assert "opened for 3 systems so far" in json.loads(capsys.readouterr().out)["warnings"][-1]
    assert [one.value is not None for one in looks(Path(ledger))] == [True] * 4
    main(["compare", *asked, "--predicted", *files[:2]])
    found = json.loads(capsys.readouterr().out)
    assert found["looks"] == 3
    deciding = next(one for one in found["comparisons"] if one["metric"] == found["primary"])
    assert deciding["p_adjusted"] == min(2 * deciding["p_value"], 1)
    assert f"is {deciding['p_adjusted']:.4g} over 2 looks (Bonferroni)" in found["warnings"][-1]


def test_a_run_on_other_data_is_a_look_and_on_its_own_test_part_none(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        (f"r{place}", ("lovely film", "dull plot")[place % 2] + f" {place}", "ab"[place % 2]) for place in range(90)
    ]
    lines = [json.dumps({"id": one, "text": text, "label": label}) for one, text, label in rows]
    for name, some in (
        ("train", lines[:50]),
        ("validation", lines[50:60]),
        ("test", lines[60:75]),
        ("other", lines[75:]),
    ):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(some) + "\n", encoding="utf-8")
    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("train", "validation", "test")}
    result = finetune(
        {
            "task": "classification",
            "data": files,
            "model": {"name": str(tiny_bert), "dtype": "float32"},
            "train": {"epochs": 1},
            "evaluate": {"resamples": 200, "baselines": ["majority"]},
            "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
        },
        progress=Progress(quiet=True),
    )
    ledger = tmp_path / "runs" / "ledger.jsonl"
    (own,) = looks(ledger)
    asked = ["evaluate", str(result.run), "--resamples", "100", "--json", "--data"]
    assert main([*asked, files["test"]]) == 0
    assert looks(ledger) == [own], "the same examples and the same answers"
    assert main([*asked, str(tmp_path / "other.jsonl")]) == 0
    assert main([*asked, str(tmp_path / "other.jsonl")]) == 0
    first, second = looks(ledger)
    assert (first, second.by) == (own, "tiny")
    assert second.test != own.test
    capsys.readouterr()
    elsewhere = tmp_path / "elsewhere.jsonl"
    assert main([*asked[:-1], "--ledger", str(elsewhere)]) == 0
    assert [one.predictions for one in looks(elsewhere)] == [own.predictions]
    capsys.readouterr()
    assert main([*asked[:-1], "--metric", "f1_macro"]) == 0
    assert [one["metric"] for one in json.loads(capsys.readouterr().out)["scores"]] == ["f1_macro"]
