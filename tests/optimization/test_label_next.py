"""`label-next` on a finished run of a tiny model: what is ranked, left out, told and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetune.cli.main import main
from truetune.errors import RunError, TruetuneError
from truetune.files import read_json, write_json
from truetune.optimization.label_next import label_next
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
WORDS = {"pos": ["lovely", "brilliant", "warm"], "neg": ["dull", "tedious", "bad"]}


def rows(first: int, last: int) -> list[dict[str, str]]:
    return [
        {"text": f"{WORDS[label][place % 3]} film {place} {WORDS[label][place % 2]} plot", "label": label}
        for place in range(first, last)
        for label in ("pos", "neg")
    ]


def written(file: Path, some: list[dict[str, str]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    folder = tmp_path_factory.mktemp("label-next")
    settings = {
        "task": "classification",
        "data": {"source": str(written(folder / "reviews.jsonl", rows(0, 60)))},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 2.0, "learning_rate": 1e-3},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "reviews"},
    }
    return finetune(settings, progress=QUIET).run


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Fresh texts, two that the run has, and one that stands twice."""
    fresh = [{"text": row["text"]} for row in rows(100, 120)]
    known = [{"text": row["text"].upper()} for row in rows(3, 4)]
    return written(tmp_path / "pool.jsonl", [*fresh, *known, fresh[0]])


def test_fresh_texts_are_ranked_by_doubt_and_known_ones_left_out(run: Path, pool: Path) -> None:
    found = label_next(run, str(pool), 10, QUIET)
    assert (found.texts, found.known, len(found.wanted)) == (43, 3, 10)
    told = [one.doubt for one in found.wanted]
    assert told == sorted(told, reverse=True)
    texts = [one.fields["text"] for one in found.wanted]
    assert len(set(texts)) == 10
    assert not {row["text"] for row in rows(0, 60)} & set(texts)
    assert {one.predicted for one in found.wanted} <= {"pos", "neg"}


def test_as_many_as_there_are(run: Path, pool: Path) -> None:
    assert len(label_next(run, str(pool), 500, QUIET).wanted) == 40


def test_what_it_writes_is_a_file_to_be_labelled(
    run: Path, pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "next.jsonl"
    assert main(["label-next", str(run), str(pool), "--number", "5", "-o", str(output)]) == 0
    lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [list(line) for line in lines] == [["id", "text", "predicted", "doubt", "weak"]] * 5
    assert "43 texts, 3 of which the run has already or stand twice" in capsys.readouterr().out


def test_what_more_labels_bring_is_what_the_diagnosis_says(
    run: Path, pool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label-next", str(run), str(pool), "--number", "3"]) == 0
    assert "`truetune diagnose RUN` estimates it" in capsys.readouterr().out
    more = {"examples": 1000, "value": 0.01, "low": 0.002, "high": 0.031}
    diagnosis = run / "diagnosis.json"
    write_json(diagnosis, {"learning_curve": {"more": [more]}})
    try:
        assert main(["label-next", str(run), str(pool), "--number", "3"]) == 0
        assert "1,000 more labels of texts drawn at random would bring +0.0020 to +0.0310" in capsys.readouterr().out
        assert label_next(run, str(pool), 3, QUIET).to_dict()["more"] == [more]
        assert read_json(diagnosis)["learning_curve"]["more"] == [more]
    finally:
        diagnosis.unlink()


def test_what_cannot_be_ranked_is_refused(run: Path, pool: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run folder"):
        label_next(tmp_path, str(pool), 3, QUIET)
    with pytest.raises(TruetuneError, match="column"):
        label_next(run, str(written(tmp_path / "other.jsonl", [{"body": "x"}])), 3, QUIET)
