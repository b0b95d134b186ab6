"""`truetune pretrain`: corpus, model; measured on held-out documents, trained, measured again. One run folder.

What learns, stops, saves and goes on is what fine-tunes: the loop, its checkpoints and its log are the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from truetune.backbones.base import Backbone, Recipe
from truetune.backbones.choice import PYTORCH
from truetune.bundle.format import NAME, SCORES, Bundle, write_bundle
from truetune.bundle.run_folder import PARTS, RunFolder
from truetune.config import Config
from truetune.data.dataset import Dataset
from truetune.data.encoded import kept
from truetune.errors import ConfigError, nearest
from truetune.files import read_json, whole_folder, write_json
from truetune.pretraining.fertility import fertilities, lost_texts, used_share
from truetune.pretraining.likelihoods import likelihoods, unigram_likelihoods
from truetune.pretraining.objective import OBJECTIVES, Objective
from truetune.pretraining.samples import SHOWN, samples
from truetune.reports.model_card import write_card
from truetune.reports.page import run_page, write
from truetune.tasks.base import Labels
from truetune.text import script
from truetune.tracking.local import events
from truetune.tracking.trackers import need_trackers
from truetune.training.checkpoint import Checkpoints
from truetune.training.stopping import Selection
from truetune.types import Encoded
from truetune.workflows.corpus import prepared_corpus
from truetune.workflows.finetune import SOME, FinetuneResult, result_of
from truetune.workflows.following import followed
from truetune.workflows.held_out import AFTER, UNIGRAM, UNTUNED, HeldOut, concluded, stand_before, write_scored
from truetune.workflows.launching import learnt_by_workers
from truetune.workflows.loading import backbone_of
from truetune.workflows.manifest import manifest, timed
from truetune.workflows.model import ENCODED_AT_ONCE, licence_of, need_packages, save_into, settings_of, shown_by
from truetune.workflows.probes import probe_of, probed
from truetune.workflows.progress import Progress
from truetune.workflows.starting import CHOSEN, STARTED, base_name, nothing_left_of, settings_from, started
from truetune.workflows.starting_model import check_start, place_of_start
from truetune.workflows.tuning import Follow, Learnt, Room, followed_training, training_plan

UNUSED = (
    "r_drop",
    "fgm",
    "class_weights",
    "focal_gamma",
    "label_smoothing",
    "contrastive",
    "hard_negatives",
    "matryoshka",
    "teacher",
)
"""Recipes of labelled examples, which pretraining does not know."""
UNREAD = {
    "group": "documents are held out one by one; put what belongs together into one document, or give "
    "data.validation and data.test",
    "labels": "is of labelled examples, and pretraining has none; leave it out",
    "per_label": "is of labelled examples, and pretraining has none; leave it out",
    "documents": "is of rankings; give the corpus as data.source",
}
"""Settings of the data that pretraining does not read, and what to do about them."""


@dataclass(frozen=True)
class Stage:
    """What the stages of a run share."""

    config: Config
    objective: Objective
    parts: Mapping[str, Dataset]
    run: RunFolder
    progress: Progress

    def inputs(self, part: str, tokenizer: Any, asked: bool) -> Sequence[Encoded]:
        """Return the model inputs of a part, on disk where they are many."""
        encode = self.objective.asked if asked else self.objective.learnt
        texts = self.parts[part].stored("text")

        def some() -> Iterator[list[Encoded]]:
            for start in range(0, len(texts), ENCODED_AT_ONCE):
                yield encode(texts[start : start + ENCODED_AT_ONCE], tokenizer, start, self.config.pretrain)

        return kept(some(), self.run.path / "data")


def pretrain(
    config: Config | Mapping[str, Any] | str | Path, *, resume: bool = False, progress: Progress | None = None
) -> FinetuneResult:
    """Pretrain as a config says, and return what came of it on the held-out documents.

    With `resume`, go on with the newest unfinished run of the config's name; a finished one is as it was.
    """
    settings = settings_from(config)
    name = settings.track.name or (Path(config).stem if isinstance(config, str | Path) else settings.task)
    objective, probe = _objective(settings), probe_of(settings)
    shown = progress or Progress()
    need_packages("pretraining")
    need_trackers(settings.track.to)
    check_start(settings, objective.head)
    run = started(settings, name, resume)
    shown.say(f"run {run.path}")
    with nothing_left_of(run):
        with timed(run, "data"):
            parts = prepared_corpus(settings, run, shown)
        stage = Stage(settings, objective, parts, run, shown)
        place = place_of_start(settings, run, parts["train"].stored("text"), shown)
        backbone, inputs = _loaded(stage, place)
    held_out = {part: _held_out(stage, part, backbone) for part in ("validation", "test")}
    with timed(run, "baselines"):
        _before(stage, backbone, inputs, held_out)
    with followed(settings, run, shown) as trackers:
        with timed(run, "pretraining"):
            if settings.workers > 1 and not (run.model / NAME).is_file():
                learnt_by_workers(run, settings, shown, resume)
            if (run.model / NAME).is_file():
                for event in events(run.events):
                    trackers.event(event)
            else:
                _learn(stage, backbone, inputs, held_out["validation"], Follow(resume, trackers))
        if probe is not None and not run.probes.is_file():
            with timed(run, "probes"):
                probed(run, probe, backbone, place, shown)
        with timed(run, "evaluation"):
            _after(stage, held_out["test"])
        _finished(stage, held_out["test"])
    return result_of(run)


def pretrained_together(run: RunFolder, settings: Config, follow: Follow, progress: Progress, together: Any) -> None:
    """Pretrain with the other processes of `together`, on what the run has prepared; the first saves the model."""
    parts = {name: Dataset.open(run.data(name)) for name in PARTS}
    stage = Stage(settings, _objective(settings), parts, run, progress)
    place = place_of_start(settings, run, parts["train"].stored("text"), progress)
    backbone, inputs = _loaded(stage, place, together)
    _learn(stage, backbone, inputs, _held_out(stage, "validation", backbone), follow)


def _held_out(stage: Stage, part: str, backbone: Backbone) -> HeldOut:
    documents, tokenizer = stage.parts[part], backbone.tokenizer
    asked = stage.inputs(part, tokenizer, asked=True)
    writes = stage.objective.head == "generate"
    return HeldOut(
        stage.objective.task, documents, asked, lost_texts(tokenizer, documents.stored("text")) if writes else 0
    )


def _objective(settings: Config) -> Objective:
    if settings.task not in OBJECTIVES:
        raise ConfigError(f"task: {settings.task!r} is not pretrained; {nearest(settings.task, OBJECTIVES)}")
    for name in UNUSED:
        if getattr(settings.recipe, name) != type(settings.recipe).model_fields[name].default:
            raise ConfigError(f"recipe.{name}: is of labelled examples, and pretraining has none; leave it out")
    for name, instead in UNREAD.items():
        if getattr(settings.data, name) is not None:
            raise ConfigError(f"data.{name}: {instead}")
    for name in ("prompt_pieces", "prefix_pieces"):
        if getattr(settings.recipe, name):
            raise ConfigError(f"recipe.{name}: cannot be merged into what is pretrained; take recipe.lora_rank")
    if settings.model.framework != PYTORCH:
        raise ConfigError(f"model.framework: {settings.model.framework} does not pretrain; leave it out")
    if settings.shard:
        raise ConfigError("shard: each process of a pretraining has all weights; set it to false")
    if settings.train.margin is not None:
        raise ConfigError("train.margin: is not known to pretraining yet; use train.patience")
    if not settings.decide.nothing:
        raise ConfigError("decide: is of labels, and pretraining has none; leave it out")
    if settings.evaluate.baselines is not None:
        raise ConfigError("evaluate.baselines: is of labelled examples; pretraining always has the same two")
    metrics = [metric.name for metric in OBJECTIVES[settings.task].task.scoring.metrics]
    for key, metric in (("evaluate.metric", settings.evaluate.metric), ("train.metric", settings.train.metric)):
        if metric is not None and metric not in metrics:
            raise ConfigError(f"{key}: {metric!r} is no metric of {settings.task}; {nearest(metric, metrics)}")
    return OBJECTIVES[settings.task]


def _loaded(stage: Stage, place: str, together: Any = None) -> tuple[Backbone, Sequence[Encoded]]:
    """Load the model that is begun with, and the inputs that it learns."""
    from truetune.backbones.pretrained import load_tokenizer

    config = stage.config
    settings = settings_of(config, place, stage.objective.head, Labels(()))
    tokenizer = load_tokenizer(settings)
    if tokenizer.two_sided:
        raise ConfigError(
            f"model.name: {config.model.name} is an encoder-decoder, which is not pretrained here; expected an encoder "
            "(BERT style) or a decoder (GPT style)"
        )
    inputs = stage.inputs("train", tokenizer, asked=False)
    recipe = config.recipe
    moved = Recipe(weight_decay=config.train.weight_decay, clip=config.train.clip, mixout=recipe.mixout, ema=recipe.ema)
    return backbone_of(stage.run, config, (settings, moved, tokenizer), together=together), inputs


def _plan(stage: Stage, backbone: Backbone) -> Any:
    plan = training_plan(stage.config, stage.objective.head)
    return replace(plan, masking=stage.objective.masking(stage.config, backbone.tokenizer))


def _before(stage: Stage, backbone: Backbone, inputs: Sequence[Encoded], held_out: Mapping[str, HeldOut]) -> None:
    """Score what knows how often each piece stands, and the model as it is; the better one on validation is before."""
    run = stage.run
    if run.scores("before").is_file():
        return
    shares = stage.objective.shares(inputs, int(backbone.tokenizer.size), stage.config.pretrain)  # type: ignore[attr-defined]
    for name in (UNIGRAM, UNTUNED):
        stage.progress.say(f"baseline {name}")
        said = {}
        for part, one in held_out.items():
            if name == UNIGRAM:
                said[part] = unigram_likelihoods(shares, one.asked, len(one.documents))
            else:
                said[part] = likelihoods(backbone, one.asked, len(one.documents), shown_by(stage.progress, name))
        fit = {"name": name, "validation": held_out["validation"].worth(said["validation"], stage.config)}
        write_json(run.system(f"baselines/{name}") / "fit.json", {**fit, "settings": {}, "notes": []})
        write_scored(run, f"baselines/{name}", name, held_out["test"], said["test"], stage.config)
    stand_before(run, (UNIGRAM, UNTUNED))


def _learn(stage: Stage, backbone: Backbone, inputs: Sequence[Encoded], one: HeldOut, follow: Follow) -> None:
    """Train, and save what scored best on the validation documents; of several processes the first saves."""
    settings = stage.config
    metric = one.metric(settings.train.metric or settings.evaluate.metric)
    selection = Selection(metric.name, metric.better, settings.train.patience)

    def scores() -> dict[str, float]:
        return one.scores(likelihoods(backbone, one.asked, len(one.documents)))

    room = Room(stage.run, settings, stage.progress, "pretraining")
    followed_training(room, Learnt(backbone, inputs, _plan(stage, backbone)), (selection, scores), follow)
    if backbone.together is not None and backbone.together.rank:
        return
    with whole_folder(stage.run.model) as folder:
        save_into(backbone, folder)
        bundle = Bundle(
            task=stage.objective.task.name,
            labels=(),
            multiple=False,
            max_length=backbone.tokenizer.max_length,
            base_model=base_name(settings.model.name),
            licence=licence_of(settings.model.name),
            language=script(stage.parts["train"].stored("text")[:SOME]),
            data={part: found["fingerprint"] for part, found in read_json(stage.run.facts)["splits"].items()},
        )
        write_bundle(folder, bundle)


def _after(stage: Stage, test: HeldOut) -> None:
    """Score what is shipped: the model as it is loaded from its folder."""
    from truetune.backbones.torch import saved_backbone

    if stage.run.scores("after").is_file():
        return
    backbone = saved_backbone(stage.run.model, stage.config.model.device)
    said = likelihoods(backbone, test.asked, len(test.documents), shown_by(stage.progress, "predicting"))
    _write_reading(stage, backbone)
    result = write_scored(stage.run, "after", AFTER, test, said, stage.config)
    stage.progress.say(f"after: {result.primary} {result.score(result.primary).value:.4f} on the test part")


def _write_reading(stage: Stage, backbone: Backbone) -> None:
    """Save how validation documents are cut, and what a decoder writes behind their beginnings."""
    settings, tokenizer = stage.config, backbone.tokenizer
    texts = stage.parts["validation"].stored("text")
    learnt = stage.inputs("train", tokenizer, asked=False)
    size = int(tokenizer.size)  # type: ignore[attr-defined]
    writes = stage.objective.head == "generate"
    cut = {
        "pieces": size,
        "used": used_share((one.ids for one in learnt), size),
        "level": settings.evaluate.level,
        "fertility": [one.to_dict() for one in fertilities(tokenizer, texts, settings.evaluate.level)],
    }
    written = [one.to_dict() for one in samples(backbone, texts[: 10 * SHOWN])] if writes else []
    write_json(stage.run.reading, {"tokenizer": cut, "samples": written})


def _finished(stage: Stage, test: HeldOut) -> None:
    """Write what stands at the end of a run: card, comparison, verdict, manifest, report."""
    run, settings = stage.run, stage.config
    write_json(run.model / SCORES, read_json(run.scores("after")))
    write_card(run.model)
    concluded(run, test, settings)
    if not run.finished:
        began = read_json(run.path / STARTED)["at"]
        write_json(run.manifest, manifest(settings, run, read_json(run.path / CHOSEN), began))
    write(run.report, run_page(run.path, settings.track.language))
    Checkpoints(run.checkpoints).remove()
    shutil.rmtree(run.path / "data" / "whole", ignore_errors=True)
