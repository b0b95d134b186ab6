"""From the settings of a run to a backbone, and from a backbone to predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from truetune import config
from truetune.backbones.base import Backbone, Lora, ModelSettings, Predictor, Recipe
from truetune.backbones.builtin import MODELS, builtin_folder
from truetune.backbones.choice import PYTORCH, need_framework
from truetune.backbones.outputs import Watch, logits_of, texts_of, unwatched
from truetune.errors import ConfigError, TruetuneError
from truetune.tasks.base import Encoding, Labels, Lengths, Task, Training
from truetune.tasks.table import PRETRAINED
from truetune.training.class_weights import balanced_weights
from truetune.types import Encoded, Head, Tokenizer
from truetune.workflows.progress import Progress

ON_PROCESSOR, ON_GPU = 512, 8192
"""Pieces, padding counted, in one batch of predictions. Larger ones leave a processor's caches and are padded more."""
WRITTEN_AT_ONCE = 2048
"""Pieces in one batch, those to be written counted, where each step reads all weights for one piece a text."""
EXAMPLES_AT_ONCE, ENCODED_AT_ONCE = 16_384, 2048
"""Examples whose inputs are in memory while they are predicted, and while they are only encoded."""


def model_place(name: str, progress: Progress) -> str:
    """Return where a model is loaded from: the folder of an embedded one, else the name as it is."""
    if name.startswith("builtin:"):
        return str(builtin_folder(name.removeprefix("builtin:"), progress.say))
    return name


def licence_of(name: str) -> str:
    """Return the licence of a pretrained model's weights: known of the embedded ones, else `unknown`."""
    known = MODELS.get(name.removeprefix("builtin:")) if name.startswith("builtin:") else None
    return known.licence if known else "unknown"


def settings_of(run: config.Config, place: str, head: Head, labels: Labels, marks: bool = False) -> ModelSettings:
    """Return the backbone's settings; `marks`: whether the task marks a pair of entities in its inputs."""
    model = run.model
    return ModelSettings(
        name=place,
        head=head,
        labels=labels.names,
        tags=labels.tags,
        multiple=labels.multiple,
        fold=tuple(model.fold),
        layers=model.layers,
        max_length=model.max_length,
        dropout=model.dropout,
        pooling="marked" if marks else "auto",
        freeze_embeddings=model.freeze_embeddings,
        freeze_layers=model.freeze_layers,
        lora=lora_of(run.recipe),
        ia3=run.recipe.ia3,
        prompt_pieces=run.recipe.prompt_pieces,
        prefix_pieces=run.recipe.prefix_pieces,
        gradient_checkpointing=model.gradient_checkpointing,
        precision=model.dtype,
        device=model.device,
        seed=run.train.seed,
    )


def lora_of(recipe: config.Recipe) -> Lora | None:
    """Return how low the rank is of what is trained; None: the pretrained part is trained itself."""
    if not recipe.lora_rank:
        return None
    return Lora(recipe.lora_rank, recipe.lora_alpha or 2.0 * recipe.lora_rank, recipe.lora_dropout)


OF_PIECES = ("tag", "joint", "nested", "span")
"""Heads that say something of pieces: long texts are read in windows that share a quarter."""
OF_LABELS = ("label_smoothing", "class_weights", "focal_gamma")
"""Recipes that change the loss of labels."""


def check_recipe(run: config.Config, labels: Labels, head: Head) -> None:
    """Raise `ConfigError` for a recipe that has no meaning for what is learnt; before anything is spent on it."""
    recipe = run.recipe
    if recipe.contrastive:
        _refuse_beside(run, labels, head, "contrastive", ("teacher",))
    for name, nothing in (("hard_negatives", 0), ("matryoshka", [])):
        if getattr(recipe, name) and head != "embed":
            raise ConfigError(
                f"recipe.{name}: is of rankings, and the task {run.task} ranks nothing; set it to {nothing}"
            )
    if recipe.teacher:
        _refuse_beside(run, labels, head, "teacher", ("contrastive",))
    if head not in ("classify", "tag"):
        for name in OF_LABELS[1:] if head == "joint" else OF_LABELS:
            if getattr(recipe, name) != type(recipe).model_fields[name].default:
                raise ConfigError(
                    f"recipe.{name}: is of labels alone, and the task {run.task} learns something else; leave it out"
                )


def recipe_of(run: config.Config, inputs: Iterable[Encoded], labels: Labels, head: Head) -> Recipe:
    """Return how the weights are moved; `inputs` of the training part are read where their labels are weighted.

    Raises `ConfigError` as `check_recipe` does.
    """
    check_recipe(run, labels, head)
    recipe = run.recipe
    balanced = recipe.class_weights == "balanced"
    return Recipe(
        weight_decay=run.train.weight_decay,
        clip=run.train.clip,
        label_smoothing=recipe.label_smoothing,
        class_weights=balanced_weights(inputs, len(labels.names), labels.multiple) if balanced else (),
        focal_gamma=recipe.focal_gamma,
        r_drop=recipe.r_drop,
        matryoshka=tuple(recipe.matryoshka),
        fgm=recipe.fgm,
        mixout=recipe.mixout,
        ema=recipe.ema,
    )


def _refuse_beside(run: config.Config, labels: Labels, head: Head, own: str, others: tuple[str, ...]) -> None:
    """Raise `ConfigError` where a recipe of one label a text has no meaning, or another one beside it has none."""
    if head != "classify" or labels.multiple:
        several = "several labels a text" if head == "classify" else f"the task {run.task}"
        raise ConfigError(f"recipe.{own}: is of one label a text, and this is {several}; leave it out")
    for name in (*OF_LABELS, "r_drop", *others):
        if getattr(run.recipe, name) != type(run.recipe).model_fields[name].default:
            raise ConfigError(
                f"recipe.{name}: has no meaning beside recipe.{own}, whose loss is its own; leave one out"
            )
    if run.model.framework != "pytorch":
        raise ConfigError(f"recipe.{own}: is there on PyTorch alone; set model.framework to pytorch")


def lengths_of(training: Training, longest: int) -> Lengths:
    """Return how long texts are read: in windows that share a quarter where pieces have answers."""
    return Lengths(longest, longest // 4 if training.head in OF_PIECES else 0, "windows")


def training_of(task: Task) -> Training:
    """Return how a task is trained; raises `TruetuneError` for one that is pretrained, or only scored."""
    if task.name in PRETRAINED:
        raise TruetuneError(
            f"the task {task.name!r} is learnt of unlabelled text, by `truetune pretrain`; what came of it answers "
            "nothing yet: fine-tune it (model.name: RUN/model)"
        )
    if task.training is None:
        raise TruetuneError(
            f"the task {task.name!r} is scored, not trained, by this version; `truetune tasks` lists those that are"
        )
    return task.training


def save_into(backbone: Backbone, folder: Path) -> None:
    """Write a backbone's files into a folder that is there, beside what else a bundle holds."""
    backbone.save(folder / "saved")
    for file in (folder / "saved").iterdir():
        file.replace(folder / file.name)
    (folder / "saved").rmdir()


def pieces_at_once(backbone: Predictor) -> int:
    """Return how many pieces, padding counted, the backbone is best given in one batch."""
    facts: Mapping[str, Any] = getattr(backbone, "facts", {})
    return ON_PROCESSOR if facts.get("device", "cpu") == "cpu" else ON_GPU


def shown_by(progress: Progress, title: str) -> Watch:
    """Return what moves a progress bar with the batches of a prediction."""
    return lambda batches: progress.over(title, batches, len(batches))


def outputs_of(backbone: Predictor, encoded: Sequence[Encoded], labels: Labels, watch: Watch = unwatched) -> list[Any]:
    """Return the logits of each input, or what was written for it."""
    if labels.writing is not None:
        pieces = max(WRITTEN_AT_ONCE, pieces_at_once(backbone))
        return list(texts_of(backbone, encoded, labels.writing, pieces, watch))
    return list(logits_of(backbone, encoded, pieces_at_once(backbone), watch))


def predicted_by(
    backbone: Predictor,
    training: Training,
    columns: Sequence[Sequence[Any]],
    labels: Labels,
    threshold: float,
    progress: Progress,
) -> dict[str, list[Any]]:
    """Return the predicted columns of texts; the inputs of some thousand of them are in memory at a time."""
    lengths = lengths_of(training, backbone.tokenizer.max_length)
    found: dict[str, list[Any]] = {}
    starts = range(0, max(len(columns[0]), 1), EXAMPLES_AT_ONCE)
    watch = shown_by(progress, "predicting") if len(starts) == 1 else unwatched
    for start in starts if len(starts) == 1 else progress.over("predicting", starts, len(starts)):
        texts = [column[start : start + EXAMPLES_AT_ONCE] for column in columns]
        encoded = training.encode(texts, None, labels, backbone.tokenizer, lengths).inputs
        outputs = outputs_of(backbone, encoded, labels, watch)
        for name, values in training.decode(texts[0], encoded, outputs, labels, threshold).items():
            found.setdefault(name, []).extend(values)
    return found


def encoded_parts(
    training: Training,
    columns: Sequence[Sequence[Any]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
) -> Iterator[Encoding]:
    """Yield the model inputs of columns, which may be on disk, some thousand examples at a time."""
    lengths = lengths_of(training, tokenizer.max_length)
    for start in range(0, len(columns[0]), ENCODED_AT_ONCE):
        part = slice(start, start + ENCODED_AT_ONCE)
        some = None if gold is None else {name: values[part] for name, values in gold.items()}
        yield training.encode([column[part] for column in columns], some, labels, tokenizer, lengths, start)


def need_packages(needed_for: str, framework: str = PYTORCH) -> None:
    """Raise `MissingPackageError` where what fine-tuning with a framework needs is not installed."""
    need_framework(framework, needed_for)


def facts_of(backbone: Backbone) -> Mapping[str, Any]:
    """Return what was chosen for this machine and model."""
    return dict(backbone.facts)
