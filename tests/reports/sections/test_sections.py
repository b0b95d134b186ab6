"""What the sections say, checked against the files that they say it of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune.files import read_json, write_json
from truetune.metrics.label_scores import LabelScores
from truetune.reports.content import Examples, Figure, Paragraph, Part, Section, Table
from truetune.reports.predictions import Predictions
from truetune.reports.run import System, read_run
from truetune.reports.sections.baselines import baselines_section
from truetune.reports.sections.changes import changes_section
from truetune.reports.sections.confusion import confusion_section, most_confused
from truetune.reports.sections.curves import _steps, curves_section
from truetune.reports.sections.data import audit_section, data_section
from truetune.reports.sections.errors import errors_section
from truetune.reports.sections.labels import labels_section
from truetune.reports.sections.learning import learning_section
from truetune.reports.sections.manifest import manifest_section
from truetune.reports.sections.reliability import reliability_section
from truetune.reports.sections.scores import scores_section
from truetune.reports.support import support
from truetune.reports.words import say_in
from truetune.types import Span

SAY = say_in("en")
Runs = Callable[[str], Path]


def of(section: Section | None, kind: type[Part]) -> Any:
    assert section is not None
    return next(part for part in section.parts if isinstance(part, kind))


def tables(section: Section | None) -> dict[str, Table]:
    assert section is not None
    return {part.name: part for part in section.parts if isinstance(part, Table)}


def predictions(gold: list[str], predicted: list[str], scores: Any = None) -> Predictions:
    number = len(gold)
    columns = None if scores is None else LabelScores(("a", "b"), np.array(scores))
    texts = {"text": [f"text {place}" for place in range(number)]}
    ids = [str(place) for place in range(number)]
    return Predictions(ids, [None] * number, texts, {"label": gold}, {"label": predicted}, columns)


def test_hardest_errors_come_by_descending_confidence_in_the_wrong_label() -> None:
    scores = [[0.9, 0.1], [0.2, 0.8], [0.45, 0.55], [0.01, 0.99]]
    found = predictions(["a", "a", "a", "a"], ["a", "b", "b", "b"], scores)
    section = errors_section(SAY, found)
    listed = of(section, Examples)
    assert [item.place for item in listed.items] == ["3", "1", "2"]
    gold, said = listed.items[0].facts
    assert (gold[1].text, gold[1].small) == ("a", "1.0%")
    assert (said[1].text, said[1].small, said[1].css) == ("b", "99.0%", "wrong")
    assert "3 of 4 test examples are wrong (75.0%)" in of(section, Paragraph).text


def test_without_probabilities_the_errors_are_not_called_the_hardest() -> None:
    section = errors_section(SAY, predictions(["a", "b"], ["b", "b"]))
    assert SAY["errors.in order"] in of(section, Paragraph).text


def test_no_error_and_no_predictions_are_said() -> None:
    assert of(errors_section(SAY, predictions(["a"], ["a"])), Paragraph).text == "All 1 test examples are right."
    assert of(errors_section(SAY, None), Paragraph).tone == "missing"


def test_hardest_spans_come_by_missed_and_spurious() -> None:
    golds = [[Span(0, 1, "A")], [Span(0, 1, "A"), Span(2, 3, "A")], [Span(0, 1, "A")]]
    found = [[Span(0, 1, "A")], [], [Span(0, 2, "A")]]
    texts = {"text": ["abcd", "efgh", "ijkl"]}
    table = Predictions(["x", "y", "z"], ["d1", "d1", None], texts, {"spans": golds}, {"spans": found}, None)
    listed = of(errors_section(SAY, table), Examples)
    assert [item.place for item in listed.items] == ["y · d1", "z"]
    gold, said = listed.items[1].readings
    assert [(piece.text, piece.css) for piece in gold.pieces] == [("i", "wrong"), ("jkl", "")]
    assert [(piece.text, piece.css) for piece in said.pieces] == [("ij", "wrong"), ("kl", "")]


def test_gained_and_lost_are_those_of_the_comparison(run_folder: Runs) -> None:
    for name in ("two-en", "ner-zh"):
        run = read_run(run_folder(name))
        section = changes_section(SAY, run)
        table = of(section, Figure).table
        assert run.comparison is not None
        counts = {record["part"]: record["examples"] for record in table.records}
        assert counts["gained"] == run.comparison["comparisons"][0]["gained"]
        assert counts["lost"] == run.comparison["comparisons"][0]["lost"]
        assert run.after is not None
        assert sum(counts.values()) == run.after.scores["examples"]


def test_gained_texts_were_wrong_before_and_are_right_after(run_folder: Runs) -> None:
    section = changes_section(SAY, read_run(run_folder("two-en")))
    gained, lost = (part for part in section.parts if isinstance(part, Examples))
    for examples, looks in ((gained, ["gold", "wrong", "right"]), (lost, ["gold", "right", "wrong"])):
        assert examples.items
        assert all([cell.css for _, cell in item.facts] == looks for item in examples.items)


def test_changes_of_other_examples_are_not_shown(run_folder: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder("two-en"), folder)
    shutil.copy(run_folder("two-zh") / "before" / "predictions.parquet", folder / "before")
    same_ids = changes_section(SAY, read_run(folder))
    assert len(same_ids.parts) > 1
    shutil.copy(run_folder("ner-zh") / "before" / "predictions.parquet", folder / "before")
    assert of(changes_section(SAY, read_run(folder)), Paragraph).text == SAY["changes.other examples"]


def test_the_most_confused_part_keeps_every_count() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.2, (40, 40)) + np.diag(rng.integers(5, 30, 40))
    counts[3, 17] = 99
    matrix = most_confused([f"label {place}" for place in range(40)], counts, "rest")
    assert matrix.counts.sum() == counts.sum()
    assert len(matrix.rows) <= 14
    assert matrix.counts[matrix.rows.index("label 3"), matrix.columns.index("label 17")] == 99
    last = len(matrix.rows) - 1
    assert (last, last) not in matrix.right
    assert (last, last) in matrix.mixed


def test_many_labels_are_said_to_be_many(run_folder: Runs) -> None:
    run = read_run(run_folder("many-en"))
    section = confusion_section(SAY, run.systems)
    assert "There are 77 labels" in of(section, Paragraph).text
    figure = of(section, Figure)
    assert run.after is not None
    assert sum(record["examples"] for record in figure.table.records) == run.after.scores["examples"]
    labels = labels_section(SAY, run.systems, support(run.after.predictions))
    assert "20 weakest of 77 labels" in [part.text for part in labels.parts if isinstance(part, Paragraph)][1]  # type: ignore[union-attr]
    assert len(tables(labels)["labels"].rows) == 77


def test_scores_that_are_the_same_numbers_are_told_once(run_folder: Runs) -> None:
    run = read_run(run_folder("two-en"))
    section = scores_section(SAY, run.systems, run.compared, run.primary)
    shown = [record["metric"] for record in tables(section)["scores"].records]
    assert "accuracy" in shown
    assert not {"precision_micro", "recall_micro", "f1_micro", "recall_weighted"} & set(shown)
    note = next(part.text for part in section.parts if isinstance(part, Paragraph) and "accuracy" in part.text)
    assert "precision_micro" in note
    assert "= accuracy" in note


def test_undefined_scores_are_a_dash_with_their_reason() -> None:
    score = {
        "metric": "mcc",
        "value": None,
        "low": None,
        "high": None,
        "examples": 3,
        "unit": "example",
        "signature": "s",
    }
    system = System(
        "after", "x", {"scores": [{**score, "reason": "0/0: one label throughout"}], "warnings": ["low support"]}
    )
    section = scores_section(SAY, [system], {}, "mcc")
    assert tables(section)["scores"].rows[0][1].text == "–"
    texts = [part.text for part in section.parts if isinstance(part, Paragraph)]
    assert "mcc: 0/0: one label throughout" in texts
    assert "low support" in texts


def test_the_area_under_what_is_drawn_is_the_score(run_folder: Runs) -> None:
    run = read_run(run_folder("two-en"))
    beside = curves_section(SAY, run.systems).parts[-1]
    assert run.after is not None
    for figure, metric in zip(beside.parts, ("roc_auc", "average_precision"), strict=True):  # type: ignore[union-attr]
        drawn = figure.table.records[-1]
        x, y = np.array(drawn["x"]), np.array(drawn["y"])
        if metric == "average_precision":
            x, y = _steps(x, y)
        score = run.after.score(metric)
        assert score is not None
        assert np.trapezoid(y, x) == pytest.approx(score["value"], abs=1e-9)


@pytest.mark.parametrize(("name", "key"), [("no-scores-en", "no scores"), ("ner-zh", "none for task")])
def test_missing_probabilities_are_told_not_invented(run_folder: Runs, name: str, key: str) -> None:
    systems = read_run(run_folder(name)).systems
    assert curves_section(SAY, systems).parts == (Paragraph(SAY[f"curves.{key}"], "missing"),)
    assert reliability_section(SAY, systems).parts == (Paragraph(SAY[f"reliability.{key}"], "missing"),)


def test_reliability_bins_hold_every_example(run_folder: Runs) -> None:
    run = read_run(run_folder("five-zh"))
    beside = reliability_section(SAY, run.systems).parts[-1]
    records = beside.parts[0].table.records  # type: ignore[union-attr]
    for role in ("before", "after"):
        assert sum(record["examples"] for record in records if record["system"] == role) == 400
    assert all(record["low"] < record["confidence"] <= record["high"] for record in records)


def test_all_baselines_and_the_model_are_ranked(run_folder: Runs) -> None:
    section = baselines_section(SAY, read_run(run_folder("two-en")))
    rows = tables(section)["baselines"].rows
    assert [row[0].text for row in rows][-2:] == ["tfidf-linear", "minilm fine-tuned"]
    assert [row[1].text for row in rows] == ["", "", "Before", "After"]


def test_the_learning_curve_names_the_checkpoint_that_was_kept(run_folder: Runs) -> None:
    section = learning_section(SAY, read_run(run_folder("two-en")))
    assert "360 steps" in of(section, Paragraph).text
    assert "at step 240" in of(section, Paragraph).text
    kept = [row for row in of(section, Figure).table.rows if row[-1].text]
    assert [row[0].text for row in kept] == ["240"]


def test_looks_at_the_test_part_are_counted_and_many_are_a_warning(run_folder: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder("two-en"), folder)
    data = read_json(folder / "data.json")
    write_json(folder / "data.json", {**data, "test_looks": 7})
    section = data_section(SAY, read_run(folder))
    warned = [part for part in section.parts if isinstance(part, Paragraph) and part.tone == "warning"]
    assert "looked at 7 times" in warned[0].text
    assert tables(section)["splits"].rows[0][1].text == "2,800"


def test_audit_findings_come_gravest_first(run_folder: Runs, tmp_path: Path) -> None:
    run = read_run(run_folder("two-en"))
    assert [record["severity"] for record in tables(audit_section(SAY, run))["audit"].records] == ["warning", "note"]
    folder = tmp_path / "run"
    shutil.copytree(run_folder("two-en"), folder)
    write_json(folder / "audit.json", {"findings": []})
    assert of(audit_section(SAY, read_run(folder)), Paragraph).text == SAY["audit.none"]
    (folder / "audit.json").unlink()
    assert of(audit_section(SAY, read_run(folder)), Paragraph).tone == "missing"


def test_the_manifest_is_shown_whole(run_folder: Runs) -> None:
    section = manifest_section(SAY, read_run(run_folder("two-en")))
    facts = {name: value for part in section.parts if hasattr(part, "items") for name, value in part.items}  # type: ignore[union-attr]
    assert facts["transformers"] == "5.1.0"
    assert facts["parameters"] == "22,713,216"
    assert facts["peak_memory_bytes"] == "1.4 GiB"
    assert facts["train"] == "2 min 15 s"
    assert facts["seed"] == "0"
