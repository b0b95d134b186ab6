"""`truetune finetune`: audit, split, measure, fine-tune, measure again, compare, report. One run folder.

Every stage leaves files that say it is done, whole or not at all; a run that was killed goes on behind the
last of them, and fine-tuning itself goes on from its last checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

from truetune.backbones.base import Backbone
from truetune.bundle.format import NAME, SCORES, Bundle, write_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.decisions.decision import Decision
from truetune.decisions.fitting import check
from truetune.errors import ConfigError, DataError
from truetune.evaluation.compare import ComparisonResult, Gate, compared
from truetune.evaluation.verdict import Verdict, verdict_of
from truetune.files import read_json, whole_folder, write_json
from truetune.live.reference import write_reference
from truetune.reports.model_card import write_card
from truetune.reports.page import run_page, write
from truetune.tasks.base import Labels
from truetune.tasks.table import task_named
from truetune.text import script
from truetune.tracking.ledger import NAME as LEDGER
from truetune.tracking.local import events
from truetune.tracking.trackers import need_trackers
from truetune.training.checkpoint import Checkpoints
from truetune.types import Encoded, Head
from truetune.workflows.baselines import before
from truetune.workflows.collection import sizes_finding, with_documents
from truetune.workflows.decided import measured
from truetune.workflows.following import followed
from truetune.workflows.launching import learnt_by_workers
from truetune.workflows.loading import backbone_of
from truetune.workflows.looks import looked
from truetune.workflows.manifest import manifest, timed
from truetune.workflows.model import (
    check_recipe,
    licence_of,
    need_packages,
    recipe_of,
    save_into,
    settings_of,
    training_of,
)
from truetune.workflows.parts import entity_types, joined_columns, prepared, write_findings
from truetune.workflows.progress import Progress
from truetune.workflows.saved_score import saved_score
from truetune.workflows.stage import Stage
from truetune.workflows.starting import (
    CHOSEN,
    STARTED,
    base_name,
    found_model,
    nothing_left_of,
    settings_from,
    started,
)
from truetune.workflows.systems import plan_of, read_predicted, table_of, write_system
from truetune.workflows.tuning import Follow, Validation, encoded_training, tuned
from truetune.workflows.weak import write_weak
from truetune.workflows.writing import with_writing, written_findings

AFTER = "fine-tuned"


@dataclass(frozen=True)
class FinetuneResult:
    """What a run found; `to_dict()` is the JSON of the command line."""

    run: Path
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    comparison: Mapping[str, Any]
    verdict: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "run": str(self.run),
            "before": dict(self.before),
            "after": dict(self.after),
            "comparison": dict(self.comparison),
            "verdict": dict(self.verdict),
        }


def finetune(
    config: Config | Mapping[str, Any] | str | Path, *, resume: bool = False, progress: Progress | None = None
) -> FinetuneResult:
    """Fine-tune as a config (a file, nested settings, or a `Config`) says, and return what came of it.

    With `resume`, go on with the newest unfinished run of the config's name; a finished one is as it was.
    """
    settings = settings_from(config)
    name = settings.track.name or (Path(config).stem if isinstance(config, str | Path) else settings.task)
    shown = progress or Progress()
    training_of(task_named(settings.task))
    need_packages("fine-tuning", settings.model.framework)
    need_trackers(settings.track.to)
    place = found_model(settings, shown)
    run = started(settings, name, resume)
    shown.say(f"run {run.path}")
    with nothing_left_of(run):
        with timed(run, "data"):
            data = prepared(task_named(settings.task), settings.data, run, shown)
            labels = training_of(data.task).labels(data.gold("train"))
            _refuse_no_answers(labels, run, LEAST_ANSWERS.get(training_of(data.task).head, 0))
            # Steps on a scale are learnt as labels, but none is told.
            told = "regress" if "value" in data.parts["train"].fields else training_of(data.task).head
            check(settings.decide, labels.names, labels.multiple, told)
        stage = Stage(settings, data, labels, run, plan_of(settings.evaluate), shown)
        stage, backbone, inputs = loaded(stage, place)
    with timed(run, "baselines"):
        before(stage, backbone)
    with followed(settings, run, shown) as trackers:
        with timed(run, "fine-tuning"):
            if settings.workers > 1 and not (run.model / NAME).is_file():
                learnt_by_workers(run, settings, shown, resume)
            if (run.model / NAME).is_file():
                for event in events(run.events):
                    trackers.event(event)
            else:
                fine_tuned(stage, backbone, inputs, Follow(resume, trackers))
        with timed(run, "evaluation"):
            _after(stage)
        _finished(stage)
    return result_of(run)


def _finished(stage: Stage) -> None:
    """Write what stands at the end of a run: card, comparison, verdict, manifest, report."""
    run, settings = stage.run, stage.config
    write_json(run.model / SCORES, read_json(run.scores("after")))
    write_card(run.model)
    _concluded(stage)
    if not run.finished:
        began = read_json(run.path / STARTED)["at"]
        write_json(run.manifest, manifest(settings, run, read_json(run.path / CHOSEN), began))
    write(run.report, run_page(run.path, settings.track.language))
    Checkpoints(run.checkpoints).remove()


SOME = 1000
"""By how many training texts their language is told."""


def result_of(run: RunFolder) -> FinetuneResult:
    """Return what a finished run found."""
    saved = [read_json(path) for path in (run.scores("before"), run.scores("after"), run.comparison, run.verdict)]
    return FinetuneResult(run.path, *saved)


LEAST_ANSWERS: Mapping[Head, int] = {"classify": 2, "tag": 2, "joint": 2, "nested": 1}
"""Head -> how many labels, tags (`O` is one) or types there are at least."""
LEAST_SAID = {1: "one or more types of spans", 2: "two or more labels"}


def _refuse_no_answers(labels: Labels, run: RunFolder, least: int) -> None:
    """Raise `DataError` where every training example has the same gold."""
    if len(labels.names) >= least:
        return
    only = f"no label but {labels.names[0]!r}" if labels.names else "no label"
    counts = read_json(run.facts)["splits"]["train"]
    raise DataError(
        f"the training part ({counts['examples']:,} examples) has {only}, so there is nothing to learn or to measure; "
        f"expected {LEAST_SAID[least]}. Is the right column named under data.columns?"
    )


def fine_tuned(stage: Stage, backbone: Backbone, inputs: Sequence[Encoded], follow: Follow) -> None:
    """Fine-tune and save the bundle; of several processes all learn, and the first saves."""
    validation = Validation(stage, backbone, inputs)
    tuned(stage, backbone, inputs, validation, follow)
    metric = validation.metric(stage.config.evaluate.metric)
    threshold = validation.threshold(metric)
    sizes = stage.config.recipe.matryoshka
    of_sizes = validation.of_cut_vectors(sizes, metric) if sizes else {}
    decided = validation.decision(threshold)
    shipped = backbone.gathered()
    if backbone.together is None or backbone.together.rank == 0:
        if decided is not None:
            write_json(stage.run.decisions, decided.record)
        if of_sizes:
            write_findings(stage.run, [sizes_finding(metric.name, of_sizes)])
        _ship(stage, shipped, threshold, None if decided is None else decided.decision)


def loaded(stage: Stage, place: str, together: Any = None) -> tuple[Stage, Backbone, Sequence[Encoded]]:
    """Load the model; what is measured for this machine is kept when a run is resumed.

    `together`: the processes of `backbones/torch_together.py` that it learns with.
    """
    from truetune.backbones.pretrained import load_tokenizer, used_pieces

    config, head = stage.config, stage.training.head
    if config.train.packing and head == "generate":
        raise ConfigError("train.packing: texts that answer a prompt are not packed; set it to false")
    check_recipe(config, stage.labels, head)
    settings = settings_of(config, place, head, stage.labels, stage.training.marks)
    settings = replace(settings, contrast=config.recipe.contrastive)
    tokenizer = load_tokenizer(settings)
    stage = with_documents(with_writing(stage, tokenizer))
    inputs = encoded_training(stage, tokenizer, audited=together is None)
    trimmed = config.model.trim_vocabulary and not config.shard
    vocabulary = used_pieces(one.ids for one in inputs) if trimmed else None
    recipe = recipe_of(config, inputs, stage.labels, head)
    backbone = backbone_of(stage.run, config, (settings, recipe, tokenizer), vocabulary, together)
    return stage, backbone, inputs


def _ship(stage: Stage, backbone: Backbone, threshold: float, decision: Decision | None) -> None:
    """Save the bundle; `truetune.json` is written last, so that it says the model is whole."""
    with whole_folder(stage.run.model) as folder:
        save_into(backbone, folder)
        bundle = Bundle(
            task=stage.data.task.name,
            labels=stage.labels.names,
            multiple=stage.labels.multiple,
            max_length=backbone.tokenizer.max_length,
            base_model=base_name(stage.config.model.name),
            framework=stage.config.model.framework,
            threshold=threshold,
            decision=decision,
            licence=licence_of(stage.config.model.name),
            language=script(stage.data.texts("train")[:SOME]),
            data={part: one["fingerprint"] for part, one in read_json(stage.run.facts)["splits"].items()},
            writing=None if stage.labels.writing is None else asdict(stage.labels.writing),
            optional=stage.labels.optional,
            longest=stage.labels.longest,
            scale=None if stage.labels.scale is None else astuple(stage.labels.scale),
            columns=joined_columns(stage.config.data.columns),
            tags=stage.labels.tags,
            documents=stage.labels.documents,
            entities=entity_types(stage.data),
        )
        write_bundle(folder, bundle)


def _after(stage: Stage) -> None:
    """Score what is shipped: the model as it is loaded from the bundle."""
    from truetune.workflows.observed import part_reference
    from truetune.workflows.predict import load

    if stage.run.scores("after").is_file():
        return
    model = load(stage.run.model, stage.config.model.device)
    reference = part_reference(model, stage.data.parts["validation"], stage.progress)
    if reference is not None:
        write_reference(stage.run.model, reference)
    undecided = model.undecided_columns(stage.data.columns("test"), stage.progress)
    predicted = model.decided(undecided)
    if model.bundle.decision is not None:
        write_json(stage.run.decided, measured(stage, undecided, predicted))
    if stage.labels.writing is not None:
        references = stage.data.parts["test"].column("references")
        write_findings(stage.run, list(written_findings(stage, predicted, references)))
    write_weak(stage, table_of(stage.data, "test", {AFTER: predicted}))
    result = write_system(stage.run, "after", AFTER, stage.data, predicted, stage.config.evaluate)
    stage.progress.say(f"after: {result.primary} {result.score(result.primary).value:.4f} on the test part")


def _concluded(stage: Stage) -> None:
    """Compare the fine-tuned model with every baseline; the verdict is on the strongest, `before`."""
    run = stage.run
    looks = _looked(stage)
    strongest = str(read_json(run.scores("before"))["system"])
    others = [name for name in stage.training.baselines if run.scores(f"baselines/{name}").is_file()]
    after = read_predicted(run, "after")
    found = []
    for name in [strongest, *(name for name in others if name != strongest)]:
        systems = {name: read_predicted(run, f"baselines/{name}"), AFTER: after}
        table = table_of(stage.data, "test", systems)
        gate = Gate(stage.config.evaluate.metric, plan=stage.plan, earlier=looks - 1)
        found.append(compared(stage.data.task, table, gate=gate))
    write_json(
        run.comparison,
        {
            "systems": [*others, AFTER],
            "primary": found[0].primary,
            "looks": looks,
            "comparisons": [one.to_dict() for result in found for one in result.comparisons],
            "warnings": sorted({warning for result in found for warning in result.warnings}),
        },
    )
    verdict = _verdict(stage, found[0], looks)
    write_json(run.verdict, {**asdict(verdict), "lines": {key: list(lines) for key, lines in verdict.lines.items()}})


def _looked(stage: Stage) -> int:
    """Write in the ledger that the test part was opened for this run; return for how many systems it was so far."""
    after = read_json(stage.run.scores("after"))
    metric = stage.config.evaluate.metric or after["primary"]
    value = next(one["value"] for one in after["scores"] if one["metric"] == metric)
    return looked(stage.run.path.parent / LEDGER, stage.run, (metric, value))


def _verdict(stage: Stage, found: ComparisonResult, looks: int) -> Verdict:
    comparison = next(one for one in found.comparisons if one.metric == found.primary)
    before_score, after_score = (saved_score(stage.run, folder, found.primary) for folder in ("before", "after"))
    return verdict_of(comparison, before_score, after_score, stage.plan.level, looks)
