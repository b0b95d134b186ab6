"""Openings of test sets: by runs, by files, and what compare makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from truetune.cli.main import main
from truetune.tracking.ledger import looks


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
    p = next(one["p_adjusted"] for one in found["comparisons"] if one["metric"] == found["primary"])
    assert f"is {min(3 * p, 1):.4g} over that many looks (Bonferroni)" in found["warnings"][-1]
