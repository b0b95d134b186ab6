"""Labels judged by fine-tuned models: none has seen what it judges, an interrupted audit goes on, its cost is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from truetune import config
from truetune.cli.main import main
from truetune.errors import ConfigError
from truetune.tasks.table import TASKS
from truetune.workflows.progress import Progress
from truetune.workflows.suspects_tuned import Folded, tuned_probabilities

WORDS = ("lovely", "brilliant", "warm", "funny", "dull", "tedious", "bad", "boring")
TURNED = (10, 41)


def written(folder: Path, model: Path, task: str = "classification") -> Path:
    folder.mkdir(exist_ok=True)
    labels = [str((n + (n in TURNED)) % 2) for n in range(80)]
    rows = [{"text": f"{WORDS[n % 2 * 4 + n % 3]} film {n}", "label": label} for n, label in enumerate(labels)]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = (
        f"task: {task}\ndata: {{source: {json.dumps(str(folder / 'data.jsonl'))}}}\n"
        f"model: {{name: {json.dumps(str(model))}, device: cpu}}\n"
        "train: {epochs: 10, learning_rate: 0.003, tokens_per_batch: 64}\n"
        f"track: {{output: {json.dumps(str(folder / 'runs'))}}}\n"
    )
    (folder / "config.yaml").write_text(settings, encoding="utf-8")
    return folder / "config.yaml"


def folded(codes: list[int], folds: int = 3) -> Folded:
    texts = [f"{WORDS[n % 2 * 4 + n % 3]} film {n}" for n in range(len(codes))]
    return Folded([texts], np.array(codes), ("bad", "good"), np.arange(len(codes)) % folds)


def test_turned_labels_come_first_and_the_cost_is_told(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["audit", str(written(tmp_path, tiny_bert)), "--folds", "3", "--json"])
    told = capsys.readouterr()
    assert told.out, told.err
    found = json.loads(told.out)
    (suspects,) = [one for one in found["findings"] if one["check"] == "labels that are probably wrong"]
    assert {int(one.partition(":")[0]) - 1 for one in suspects["examples"][:2]} == set(TURNED), suspects
    assert {name: found["cost"][name] for name in ("folds", "examples")} == {"folds": 3, "examples": 80}
    assert found["cost"]["pieces"] > 80 * 10 * 4
    assert "fine-tuning 3 models on 80 texts" in told.err
    assert "fold 1 of 3 done, about" in told.err
    assert not (tmp_path / "runs" / "audit-folds").exists()


def test_what_fails_behind_the_folds_loses_none_of_them(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from truetune.workflows import audit, suspects_tuned

    file = written(tmp_path, tiny_bert)
    suspects = audit.label_suspects

    def stops(*asked: object) -> None:
        suspects(*asked)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(audit, "label_suspects", stops)
        with pytest.raises(KeyboardInterrupt):
            audit.examined([str(file)], folds=3)
    monkeypatch.setattr(suspects_tuned, "_learnt", lambda *asked: pytest.fail("a fold is fine-tuned again"))
    found = audit.examined([str(file)], folds=3)
    assert "labels that are probably wrong" in {one.check for one in found.findings}
    assert not (tmp_path / "runs" / "audit-folds").exists()


def test_a_fold_is_judged_by_a_model_that_has_not_seen_it(tmp_path: Path, tiny_bert: Path) -> None:
    """The labels of one fold, all turned round, change nothing of what is said about that fold."""
    settings = config.load(written(tmp_path, tiny_bert))
    codes = [n % 2 for n in range(60)]
    turned = [1 - code if n % 3 == 0 else code for n, code in enumerate(codes)]
    task = TASKS["classification"]
    (as_is, _), (other, _) = (
        tuned_probabilities(settings, task, folded(some), tmp_path / "kept", Progress(quiet=True))
        for some in (codes, turned)
    )
    held = np.arange(60) % 3 == 0
    np.testing.assert_array_equal(as_is[held], other[held])
    assert not np.allclose(as_is[~held], other[~held])
    np.testing.assert_allclose(as_is.sum(axis=1), 1)


def test_an_interrupted_audit_goes_on_behind_the_last_fold(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from truetune.workflows import suspects_tuned

    settings, data = config.load(written(tmp_path, tiny_bert)), folded([n % 2 for n in range(60)])
    task, quiet = TASKS["classification"], Progress(quiet=True)
    whole, _ = tuned_probabilities(settings, task, data, tmp_path / "whole", quiet)
    learnt, learn = [], suspects_tuned._learnt

    def stops(*asked: object) -> None:
        if len(learnt) == 1:
            raise KeyboardInterrupt
        learnt.append(asked[3])
        learn(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(suspects_tuned, "_learnt", stops)
    with pytest.raises(KeyboardInterrupt):
        tuned_probabilities(settings, task, data, tmp_path / "kept", quiet)
    again: list[object] = []
    monkeypatch.setattr(suspects_tuned, "_learnt", lambda *asked: (again.append(asked[3]), learn(*asked)))
    (kept,) = (tmp_path / "kept").glob("*.npz")
    first = dict(np.load(kept))
    np.savez(kept, **{**first, "seconds": 1000.0})
    found, cost = tuned_probabilities(settings, task, data, tmp_path / "kept", quiet)
    assert 1000 < cost.seconds < 2000, "what the interrupted call took counts too"
    assert (learnt, again) == (["fold 1 of 3"], ["fold 2 of 3", "fold 3 of 3"])
    np.testing.assert_array_equal(found, whole)


def test_what_cannot_be_is_refused(tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, tiny_bert)
    assert main(["audit", str(tmp_path / "data.jsonl"), "--folds", "2"]) == 2
    assert "name a config instead of data files" in capsys.readouterr().err
    for wrong in ("1", "-3"):
        assert main(["audit", str(file), "--folds", wrong]) == 2
        assert "2 folds or more" in capsys.readouterr().err
    rows = [{"text": f"{word} film {n}", "spans": []} for n, word in enumerate(WORDS)]
    tagged = written(tmp_path / "ner", tiny_bert, "ner")
    (tmp_path / "ner" / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(["audit", str(tagged), "--folds", "2"]) == 2
    assert "that of ner here has none" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="one label an example; ner is none"):
        tuned_probabilities(config.load(file), TASKS["ner"], folded([0, 1] * 9), tmp_path, Progress(quiet=True))
