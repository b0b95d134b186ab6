"""The settings of the fine-tuning itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from truetune.config.group import Group


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


BESIDE = ("lora_rank", "ia3", "prompt_pieces", "prefix_pieces")
"""Recipes that train something small beside a frozen model."""


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
    contrastive: bool = Field(
        default=False,
        description="Few labels: learn which texts share one, then a linear head on the features (SetFit style)",
    )
    hard_negatives: int = Field(
        default=0,
        ge=0,
        description="Rankings: each query learns to reject one of its this many likest wrong documents too (TF-IDF)",
    )
    matryoshka: list[Annotated[int, Field(gt=0)]] = Field(
        default=[],
        description="Rankings: vectors cut to their first so many numbers learn to rank too ([64, 128]); see `export`",
    )
    teacher: str | None = Field(
        default=None, description="Distillation: a fine-tuned run or bundle whose probabilities are learnt too"
    )
    teacher_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5, description="Distillation: share of each target that is the teacher's; the rest is the label's"
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
    ia3: bool = Field(
        default=False, description="IA3: train a factor of each key, value and inner value of the layers, and the head"
    )
    prompt_pieces: int = Field(
        default=0, ge=0, description="Prompt tuning: train the vectors of so many pieces before each text, and the head"
    )
    prefix_pieces: int = Field(
        default=0,
        ge=0,
        description="Prefix tuning: train keys and values of so many pieces before those of each layer, and the head",
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
