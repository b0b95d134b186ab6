"""Label suspects of texts: flipped labels come first; copies of a text do not vouch for each other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from truetune.audit.parts import AuditPart
from truetune.cli.main import main
from truetune.workflows.suspects import label_suspects, out_of_sample

GOOD, BAD = ("lovely", "brilliant", "warm", "funny", "great"), ("dull", "tedious", "bad", "boring", "poor")


def reviews(number: int = 200) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(0)
    labels = ["good" if place % 2 else "bad" for place in range(number)]
    words = [GOOD if label == "good" else BAD for label in labels]
    texts = [f"a {rng.choice(some)} and {rng.choice(some)} film {place}" for place, some in enumerate(words)]
    return texts, labels


def test_flipped_labels_are_the_suspects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts, labels = reviews()
    flipped = {10, 51, 120, 177}
    noisy = [("bad" if label == "good" else "good") if p in flipped else label for p, label in enumerate(labels)]
    rows = [json.dumps({"text": text, "label": label}) for text, label in zip(texts, noisy, strict=True)]
    (tmp_path / "reviews.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    asked = ["audit", str(tmp_path / "reviews.jsonl"), "--task", "classification", "--json"]
    assert main([*asked, "--suspects"]) == 0
    (finding,) = [
        one
        for one in json.loads(capsys.readouterr().out)["findings"]
        if one["check"] == "labels that are probably wrong"
    ]
    assert {int(one.partition(":")[0]) - 1 for one in finding["examples"]} == flipped
    main(asked)
    assert "probably wrong" not in capsys.readouterr().out


def test_clean_and_unfit_gold_has_no_suspects() -> None:
    texts, labels = reviews()
    ids = list(map(str, range(len(texts))))
    assert label_suspects(AuditPart("train", ids, [texts], labels, None)) == []
    assert label_suspects(AuditPart("train", ids, [texts], None, None)) == []
    assert label_suspects(AuditPart("train", ids, [texts], [[one] for one in labels], None)) == []
    assert label_suspects(AuditPart("train", ids[:9], [texts[:9]], labels[:9], None)) == []


def test_copies_are_in_one_fold_and_features_are_used() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(60, 3))
    keys = np.array([str(place // 2).encode() for place in range(60)], dtype="S16")
    codes = (np.arange(60) // 2 % 2).astype(np.int64)
    doubled = np.repeat(features[::2], 2, axis=0)
    own = out_of_sample(doubled, codes, keys)[np.arange(60), codes]
    assert own.mean() < 0.65, "random features of copies tell nothing of the label"
    told = np.where(codes[:, None] == 1, 2.0, -2.0) + 0.1 * features
    assert out_of_sample(told, codes, keys)[np.arange(60), codes].min() > 0.6
