"""Held-out documents in a run of pretraining: scored, saved, compared, as the test part of a labelled task is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.data.arrow import write_parquet
from truetune.data.dataset import Dataset
from truetune.evaluation.compare import Gate, compared
from truetune.evaluation.evaluate import EvaluationResult, evaluated
from truetune.evaluation.families import families
from truetune.evaluation.tables import Aligned, aligned_columns
from truetune.evaluation.verdict import verdict_of
from truetune.files import read_json, whole_folder, write_json
from truetune.metric import Metric
from truetune.pretraining.likelihoods import Columns, asked_pieces, gold_columns
from truetune.tasks.base import Task
from truetune.tracking.ledger import NAME as LEDGER
from truetune.types import Encoded
from truetune.workflows.looks import looked
from truetune.workflows.saved_score import saved_score
from truetune.workflows.stage import deciding_metric
from truetune.workflows.systems import GOLD, PREDICTED, plan_of, read_predicted

AFTER, UNIGRAM, UNTUNED = "pretrained", "unigram", "untuned"
"""The model that came of it; how often each piece stands in training; the model that was begun with."""


@dataclass(frozen=True)
class HeldOut:
    """A held-out part: its documents, and what is asked of them."""

    task: Task
    documents: Dataset
    asked: Sequence[Encoded]
    lost: int = 0
    """Documents of which their pieces do not hold everything, where bits a byte are told."""

    @cached_property
    def gold(self) -> Mapping[str, list[int]]:
        """Pieces that are asked about, bytes and characters of each document."""
        return gold_columns(self.documents.column("text"), asked_pieces(self.asked, len(self.documents)))

    def table(self, systems: Mapping[str, Mapping[str, Sequence[Any]]]) -> Aligned:
        """Return the documents with what systems said, as evaluation reads them."""
        known = {field.name for fields in self.task.scoring.predicted for field in fields}
        said = {
            system: {name: column for name, column in columns.items() if name in known}
            for system, columns in systems.items()
        }
        table = aligned_columns(self.task.scoring, self.documents.ids, self.gold, said)
        return replace(table, warnings=(*table.warnings, *lossy(self.lost, len(self.documents))))

    def metric(self, name: str | None) -> Metric:
        """Return the metric that decides, by its name, or the task's primary one."""
        said = {field.name: () for fields in self.task.scoring.predicted for field in fields}
        return deciding_metric(self.task, self.gold, said, name)

    def scores(self, said: Columns) -> dict[str, float]:
        """Return every metric without intervals: they choose, they do not measure."""
        table = self.table({"model": said})
        found = families(list(self.task.scoring.metrics), table.gold, [table.predicted])
        return {one.name: float(one.value(family.rows[0])) for family in found for one in family.metrics}

    def worth(self, said: Columns, config: Config) -> float:
        """Return the metric that decides, turned so that higher is better."""
        metric = self.metric(config.evaluate.metric)
        return self.scores(said)[metric.name] * (1 if metric.better == "higher" else -1)


def lossy(lost: int, documents: int) -> tuple[str, ...]:
    """Return what to say of bits a byte where some documents do not come back from their pieces."""
    if not lost:
        return ()
    return (
        f"{lost:,} of {documents:,} held-out documents do not come back from their pieces as they were written (case, "
        "spaces or characters are lost): what is lost costs no bits, so bits per byte and per character are lower than "
        "those of the texts, and compare only models with the same tokenizer. The tokenizer bpe loses nothing",
    )


def write_scored(
    run: RunFolder, folder: str, name: str, part: HeldOut, said: Columns, config: Config
) -> EvaluationResult:
    """Save what a system said of held-out documents and what it is worth; scores last, so that they mean done."""
    columns: dict[str, Sequence[Any]] = {"id": part.documents.ids, "text": part.documents.column("text")}
    columns |= {GOLD + key: values for key, values in part.gold.items()}
    columns |= {PREDICTED + key: values for key, values in said.items()}
    write_parquet(run.predictions(folder), columns)
    plan = plan_of(config.evaluate)
    result = evaluated(part.task, part.table({name: said}), plan=plan, primary=config.evaluate.metric)
    write_json(run.scores(folder), {"system": name, **result.to_dict()})
    return result


def stand_before(run: RunFolder, names: Sequence[str]) -> None:
    """Make the baseline that is best on validation the one that stands before."""
    values = {name: read_json(run.system(f"baselines/{name}") / "fit.json")["validation"] for name in names}
    best = max(values, key=lambda name: values[name])
    with whole_folder(run.system("before")) as folder:
        shutil.copytree(run.system(f"baselines/{best}"), folder, dirs_exist_ok=True)


def concluded(run: RunFolder, test: HeldOut, config: Config) -> None:
    """Compare the pretrained model with both baselines on the same documents; the verdict is on the one before."""
    saved = read_json(run.scores("after"))
    metric = config.evaluate.metric or saved["primary"]
    value = next(one["value"] for one in saved["scores"] if one["metric"] == metric)
    looks = looked(run.path.parent / LEDGER, run, (metric, value))
    strongest = str(read_json(run.scores("before"))["system"])
    plan = plan_of(config.evaluate)
    after = read_predicted(run, "after")
    gate = Gate(config.evaluate.metric, plan=plan, earlier=looks - 1)
    found = []
    for name in sorted((UNIGRAM, UNTUNED), key=lambda one: one != strongest):
        table = test.table({name: read_predicted(run, f"baselines/{name}"), AFTER: after})
        found.append(compared(test.task, table, gate=gate))
    write_json(
        run.comparison,
        {
            "systems": [UNIGRAM, UNTUNED, AFTER],
            "primary": found[0].primary,
            "looks": looks,
            "comparisons": [one.to_dict() for result in found for one in result.comparisons],
            "warnings": sorted({warning for result in found for warning in result.warnings}),
        },
    )
    comparison = next(one for one in found[0].comparisons if one.metric == found[0].primary)
    before_score, after_score = (saved_score(run, folder, found[0].primary) for folder in ("before", "after"))
    verdict = verdict_of(comparison, before_score, after_score, plan.level, looks, "pretraining")
    write_json(run.verdict, {**asdict(verdict), "lines": {key: list(lines) for key, lines in verdict.lines.items()}})
