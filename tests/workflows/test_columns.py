"""Several columns as one text: learnt from, and predicted with, under the names that the file has."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import read_bundle
from truetune.errors import ConfigError, DataError
from truetune.workflows.finetune import finetune
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.rescore import run_table

QUIET = Progress(quiet=True)


def articles(path: Path, number: int = 240) -> Path:
    """What the label is stands in the title of one half, and in the body of the other; a title may be empty."""
    rng = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["title", "body", "kind"])
        for place in range(number):
            good = rng.random() < 0.5
            word = "lovely" if good else "dull"
            title, body = (word, f"film {place}") if place % 2 else ("", f"{word} story {place}")
            rows.writerow([title, body, "pos" if good else "neg"])
    return path


def settings(folder: Path, model: Path, columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "task": "classification",
        "data": {
            "source": str(articles(folder / "articles.csv")),
            "columns": columns,
            "validation_share": 0.2,
            "test_share": 0.3,
        },
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": 20, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 200, "baselines": ["majority", "class-names"]},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


def test_columns_are_read_as_one_text_everywhere(tmp_path: Path, tiny_bert: Path) -> None:
    wanted = settings(tmp_path, tiny_bert, {"text": ["title", "body"], "label": "kind"})
    result = finetune(wanted, progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert scores["accuracy"] > 0.95, "a tiny model learns the toy set, whose labels no column alone tells"
    assert read_bundle(result.run / "model").columns == {"text": ["title", "body"]}
    assert (result.run / "baselines/class-names/scores.json").is_file()

    model = truetune.load(result.run)
    whole = model.predict(["lovely\nfilm 1", "dull story 2"])
    apart = model.predict([{"title": "lovely", "body": "film 1"}, {"title": "", "body": "dull story 2"}])
    (joined,) = model.predict([{"text": "lovely\nfilm 1"}])
    for said, one in zip([*apart, joined], [*whole, whole[0]], strict=True):
        assert said["scores"] == pytest.approx(one["scores"], abs=1e-5)
    with pytest.raises(DataError, match="expected the fields title and body, found headline"):
        model.predict([{"headline": "lovely"}])
    plain = tmp_path / "plain.csv"
    plain.write_text("title,body\nlovely,film 1\n,dull story 2\n", encoding="utf-8")
    assert [one["label"] for one in predicted_file(model, str(plain), QUIET)] == [one["label"] for one in whole]
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("title,body,label\nlovely,film 1,pos\n,dull story 2,neg\n", encoding="utf-8")
    _, table = run_table(result.run, str(labelled))
    assert list(table.systems["after"]["label"]) == [one["label"] for one in whole]


@pytest.mark.parametrize(
    ("columns", "error", "told"),
    [
        ({"text": "body", "label": ["kind", "title"]}, ConfigError, "several columns become one text, for `text`"),
        ({"text": [], "label": "kind"}, ConfigError, "several columns become one text"),
        ({"text": ["titel", "body"], "label": "kind"}, DataError, "no column 'titel'.*'title'"),
    ],
)
def test_what_cannot_be_one_text_is_refused(
    tmp_path: Path, tiny_bert: Path, columns: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        finetune(settings(tmp_path, tiny_bert, columns), progress=QUIET)
    assert not (tmp_path / "runs/tiny/data").exists()
