"""The configuration of a run: frozen, in small groups, checked at birth.

A YAML file and `section.key=value` overrides become one `Config`. Unknown keys are refused with the
nearest known one; every error names file, line and key, and all of them are listed together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from truetune.config.group import Fraction, Group
from truetune.config.pretrain import Pretrain as Pretrain
from truetune.errors import ConfigError
from truetune.faults import explained
from truetune.yaml_text import line_of_keys, overridden, parsed


class Data(Group):
    """Where labelled examples come from and how they are split."""

    source: str | None = Field(default=None, description="One file, folder, `hub:NAME` or `builtin:NAME` to be split")
    train: str | None = Field(default=None, description="A training file, where the split is given")
    validation: str | None = Field(default=None, description="A validation file; made from train when absent")
    test: str | None = Field(default=None, description="A test file; made from train when absent")
    format: str | None = Field(default=None, description="File format; found from name and content when absent")
    encoding: str | None = Field(default=None, description="Text encoding; detected when absent")
    columns: dict[str, str | list[str]] = Field(
        default={}, description="Field of the task -> column of the file, or columns that become one text"
    )
    group: str | None = Field(
        default=None, description="Column whose equal values stay in one part (document, user, dialogue)"
    )
    labels: list[str] | None = Field(default=None, description="The labels that may occur; any other is an error")
    validation_share: Fraction = Field(default=0.1, description="Share of examples for validation, when it is made")
    test_share: Fraction = Field(default=0.2, description="Share of examples for the test part, when it is made")
    split_seed: int = Field(default=0, description="Seed of the split")
    drop_duplicates: bool = Field(default=True, description="Drop texts equal after normalisation, before splitting")
    limit: int | None = Field(
        default=None, gt=0, description="Train and split at most this many examples, drawn by content"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Data:
        if (self.source is None) == (self.train is None):
            raise ValueError("give either `source` (one file to split) or `train` (with `validation` and `test`)")
        if self.source is not None and (self.validation or self.test):
            raise ValueError("`validation` and `test` go with `train`; with `source` they are made")
        if self.validation_share + self.test_share >= 1:
            raise ValueError("`validation_share` + `test_share` must stay below 1")
        return self


class Model(Group):
    """Which pretrained model, and how it is run."""

    name: str = Field(
        description="A Hub name, local folder, `builtin:NAME` (`truetune models`), or `new:SIZE` to pretrain"
    )
    framework: Literal["pytorch"] = Field(default="pytorch", description="The framework that runs it")
    max_length: int | None = Field(default=None, gt=7, description="Longest input in pieces; default: the model's own")
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Dropout everywhere in the model; its own when absent"
    )
    trim_vocabulary: bool = Field(
        default=True,
        description="Train with the embedding rows that the corpus needs; the full matrix is shipped",
    )
    freeze_embeddings: bool = Field(default=False, description="Do not train the word embeddings")
    freeze_layers: int = Field(
        default=0, ge=0, description="Do not train all embeddings and this many layers from the input on"
    )
    gradient_checkpointing: bool = Field(
        default=False, description="Less memory, more time: compute inner values of layers again for the gradient"
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:0, mps")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(default="auto", description="Precision of matrix products")


class Train(Group):
    """The fine-tuning itself."""

    epochs: Annotated[float, Field(gt=0)] = Field(default=3.0, description="Passes over the training part")
    learning_rate: Annotated[float, Field(gt=0)] = Field(default=1e-4, description="Peak learning rate of AdamW")
    head_learning_rate: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Peak rate of the new head; default: 1e-3 where every piece has an answer (ner), else as the rest",
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Each layer has the rate of the one above it times this"
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(default=0.01, description="Decoupled; none on biases and norms")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.1, description="Share of steps with a rising rate")
    tokens_per_batch: int = Field(default=1024, gt=0, description="Padded pieces a step")
    keep_every: int | None = Field(
        default=None, gt=0, description="Keep the checkpoint of every so many steps, beside the best and the last"
    )
    packing: bool = Field(
        default=False, description="Decoders: several texts in one row of a batch, none of which sees another"
    )
    clip: Annotated[float, Field(gt=0)] = Field(default=1.0, description="Largest norm of the gradient")
    evaluations_per_epoch: int = Field(default=1, gt=0, description="How often validation is scored")
    patience: int | None = Field(
        default=None,
        gt=0,
        description="Stop after this many evaluations without a better score; never when absent",
    )
    margin: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Stop when `patience` (2) evaluations gained less than this for sure, by an interval",
    )
    metric: str | None = Field(default=None, description="What chooses the checkpoint; default: the primary metric")
    seed: int = Field(default=0, description="Seed of initial head, order and dropout")
    checkpoint_seconds: Annotated[float, Field(ge=0)] = Field(
        default=60.0,
        description="Seconds of training between checkpoints for --resume",
    )


class Recipe(Group):
    """What is changed in the loss and the weights so that training generalises; each is off unless it is set."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Share of each target that is spread evenly over all labels"
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none", description="balanced: each label has the same say in the loss, however rare it is"
    )
    focal_gamma: Annotated[float, Field(ge=0, lt=100)] = Field(
        default=0.0, description="Focal loss: answers that are sure already count less (2 is usual)"
    )
    r_drop: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="R-Drop: weight of the disagreement of two passes with other dropout (1 to 5)"
    )
    fgm: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Adversarial training: norm of the move of the word embeddings; below that of one row"
    )
    lora_rank: int = Field(
        default=0, ge=0, description="LoRA: train a difference of this rank to each matrix of the layers, and the head"
    )
    lora_alpha: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="LoRA: the difference is scaled by this / lora_rank; default: twice the rank"
    )
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="LoRA: dropout of what goes into the trained difference"
    )
    mixout: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Share of the matrices of the layers that is as pretrained at each step (0.1 to 0.9)"
    )
    swa: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Average the weights of the evaluations behind this share of the steps too (0.5)"
    )
    ema: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Decay of averages of the weights over the steps, used in place of the last (0.99)"
    )


class Generate(Group):
    """How a model that writes texts is asked, and writes."""

    prompt: str | None = Field(
        default=None,
        description="Template with {source} in it; default: the model's chat template, or a plain one",
    )
    max_pieces: int | None = Field(
        default=None, gt=1, description="Longest text that is written, in pieces; default: from the training answers"
    )
    beams: int = Field(default=1, gt=0, description="Beams of the search; 1: greedy")
    temperature: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="0: the most probable piece each time; above: pieces are drawn"
    )
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Of which share of the probability pieces are drawn"
    )
    seed: int = Field(default=0, description="Seed of what is drawn")


class Evaluate(Group):
    """How sure the numbers say they are."""

    metric: str | None = Field(default=None, description="What decides the verdict; default: the primary metric")
    baselines: list[str] | None = Field(default=None, description="Which baselines to fit; default: all of the task")
    level: Fraction = Field(default=0.95, description="Confidence level of intervals")
    resamples: int = Field(default=10_000, ge=100, description="Resamples of bootstrap and randomisation")
    seed: int = Field(default=0, description="Seed of resampling")


class Decide(Group):
    """What is made of the probabilities of labels, fitted on validation and stored with the model."""

    calibrate: Literal["none", "temperature", "platt", "isotonic"] = Field(
        default="none", description="Map probabilities to ones that are right as often as they say"
    )
    threshold: Literal["metric", "f1", "cost", "precision", "recall"] = Field(
        default="metric",
        description="What says a label: metric: the most probable, of several labels a text those above the threshold "
        "with the best validation score; else thresholds by F1, by `costs`, or by a `floor` of precision or recall",
    )
    label: str | None = Field(
        default=None, description="Of one label a text: the label whose threshold is chosen (f1, precision, recall)"
    )
    floor: Fraction | None = Field(default=None, description="Least precision or recall of the label, or of each")
    costs: dict[str, dict[str, Annotated[float, Field(ge=0)]]] = Field(
        default={},
        description="Gold label -> said label -> cost; 0 where right, else 1, where nothing is said. "
        "Of several labels a text: label -> `missed`, `false` -> cost",
    )
    abstain: Literal["none", "coverage", "risk"] = Field(
        default="none", description="Leave unsure texts to people: answer a share of all, or as many as `risk` allows"
    )
    coverage: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="Share of texts that is answered, for `abstain: coverage`"
    )
    risk: Fraction | None = Field(
        default=None, description="Largest share of wrong ones among the answered, for `abstain: risk`"
    )
    sure: Fraction | None = Field(
        default=None,
        description="With which probability `floor` and `risk` hold for new texts; absent: they hold on validation",
    )
    conformal: Literal["none", "lac", "aps"] = Field(
        default="none", description="Prediction sets that hold the right label as often as `level` says"
    )
    level: Fraction = Field(default=0.9, description="Promised coverage of the prediction sets")

    @model_validator(mode="after")
    def _together(self) -> Decide:
        needs = {
            "floor": ("threshold", self.threshold in ("precision", "recall"), self.floor is not None),
            "costs": ("threshold", self.threshold == "cost", bool(self.costs)),
            "coverage": ("abstain", self.abstain == "coverage", self.coverage is not None),
            "risk": ("abstain", self.abstain == "risk", self.risk is not None),
        }
        for name, (by, needed, given) in needs.items():
            if needed and not given:
                raise ValueError(f"`{by}: {getattr(self, by)}` needs `{name}`")
            if given and not needed:
                raise ValueError(f"`{name}` is given, but `{by}: {getattr(self, by)}` does not read it")
        if self.sure is not None and self.floor is None and self.risk is None:
            raise ValueError("`sure` goes with `floor` or `risk`")
        if self.label is not None and self.threshold not in ("f1", "precision", "recall"):
            raise ValueError(f"`label` is given, but `threshold: {self.threshold}` does not read it")
        return self

    @property
    def nothing(self) -> bool:
        """Whether the model answers as it is."""
        return (self.calibrate, self.threshold, self.abstain, self.conformal) == ("none", "metric", "none", "none")


class Optimize(Group):
    """How `truetune optimize` searches; `finetune` does not read it."""

    trials: int = Field(default=50, gt=0, description="At most so many trials, the config itself among them")
    minutes: Annotated[float, Field(gt=0)] = Field(default=30.0, description="Of training, confirmation included")
    sampler: Literal["tpe", "random"] = Field(default="tpe", description="What proposes trials")
    space: dict[str, Any] = Field(
        default={}, description="Setting -> list of values, or low, high and log; default: what recipes vary"
    )
    diagnosis: str | None = Field(
        default=None,
        description="A run with a diagnosis whose moves are tried first; default: that of this config, if any",
    )
    margin: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="A trial must be able to lead the best by more than this, or it is stopped"
    )
    risk: Annotated[float, Field(ge=0, lt=0.5)] = Field(
        default=0.1, description="A trial is stopped where its chance of that is below this; 0: no trial is stopped"
    )
    finalists: int = Field(default=3, gt=0, description="How many trials are trained again to confirm them")
    seeds: int = Field(default=3, ge=2, description="With how many new seeds")


class Track(Group):
    """Where the run is written."""

    output: str = Field(default="runs", description="Folder that holds run folders")
    name: str | None = Field(default=None, description="Name of the run folder; the config file's name when absent")
    language: Literal["en", "zh"] = Field(default="en", description="Language of the report")
    to: list[Literal["tensorboard", "wandb", "mlflow"]] = Field(
        default=[], description="Where the run is followed besides its folder"
    )
    project: str = Field(default="truetune", description="What trackers call the project (MLflow: the experiment)")


class Config(Group):
    """All settings of one run."""

    task: str = Field(description="What to learn (see `truetune tasks`)")
    data: Data
    model: Model
    train: Train = Train()
    recipe: Recipe = Recipe()
    generate: Generate = Generate()
    evaluate: Evaluate = Evaluate()
    decide: Decide = Decide()
    pretrain: Pretrain = Pretrain()
    optimize: Optimize = Optimize()
    track: Track = Track()
    scale: Literal["single", "torchrun", "ray"] = Field(
        default="single",
        description="torchrun: fine-tune in `workers` processes on this machine; ray: here or on several machines",
    )
    workers: int = Field(default=1, ge=1, description="Processes that fine-tune together, each a share of every step")

    shard: bool = Field(
        default=False,
        description="Each of the workers holds a share of the weights (FSDP), for models whose training fits no device",
    )

    @model_validator(mode="after")
    def _scaled(self) -> Config:
        if self.workers > 1 and self.scale == "single":
            raise ValueError(f"`workers: {self.workers}` needs `scale: torchrun` or `scale: ray`")
        if self.shard and self.workers == 1:
            raise ValueError("`shard: true` spreads weights over several `workers`, found 1; set `workers` and `scale`")
        if self.shard and self.recipe.mixout:
            raise ValueError("`recipe.mixout` needs all pretrained weights beside the trained; set it or `shard` to 0")
        if self.workers > 1 and self.recipe.fgm:
            raise ValueError("`recipe.fgm` moves words by the gradient of a whole step; set it to 0, or `workers` to 1")
        return self

    @field_validator("task")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("name a task; `truetune tasks` lists them")
        return value


def load(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Return the config of a YAML file with `section.key=value` overrides applied.

    Paths in `data` are relative to the config file's folder (or, where nothing is there, to the
    current folder). Raises `ConfigError`, which lists every fault.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); expected a YAML config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start} is not UTF-8; save the config as UTF-8") from error
    settings = overridden(parsed(text, str(file)), overrides)
    places = {key: f"{file}:{line}" for key, line in line_of_keys(text).items()}
    places |= {override.partition("=")[0]: f"override {override}" for override in overrides}
    return from_settings(settings, str(file), places, folder=file.parent)


def from_settings(
    settings: Mapping[str, Any],
    where: str = "config",
    places: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Config:
    """Return the config that nested settings describe; `where` and `places` (key -> file and line) make
    errors findable.
    """
    try:
        config = Config.model_validate(dict(settings))
    except ValidationError as error:
        raise ConfigError(explained(error, Config, where, places or {})) from None
    return config if folder is None else _with_paths(config, folder)


def to_yaml(config: Config) -> str:
    """Return the whole config, defaults included, as YAML that `load` reads back to an equal config."""
    text: str = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return text


def schema() -> dict[str, Any]:
    """Return the JSON schema of the config file, for editors."""
    return Config.model_json_schema()


def _with_paths(config: Config, folder: Path) -> Config:
    def found(name: str | None) -> str | None:
        if name is None or name.startswith(("builtin:", "hub:")) or Path(name).is_absolute():
            return name
        return str(folder / name) if (folder / name).exists() else name

    data = config.data
    places = {key: found(getattr(data, key)) for key in ("source", "train", "validation", "test")}
    return config.model_copy(update={"data": data.model_copy(update=places)})
