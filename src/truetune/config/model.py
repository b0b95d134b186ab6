"""The settings of the pretrained model, and of what it writes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from truetune.config.group import Group
from truetune.text import Fold


class Model(Group):
    """Which pretrained model, and how it is run."""

    name: str = Field(
        description="A Hub name, local folder, `builtin:NAME` (`truetune models`), or `new:SIZE` to pretrain"
    )
    framework: Literal["pytorch", "tensorflow"] = Field(
        default="pytorch", description="The framework that runs it; tensorflow: BERT, RoBERTa, and GPT-2 to write"
    )
    max_length: int | None = Field(default=None, gt=7, description="Longest input in pieces; default: the model's own")
    fold: list[Fold] = Field(
        default=[],
        description="Read full-width letters, digits and signs as half-width (width), traditional as simplified",
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Dropout everywhere in the model; its own when absent"
    )
    layers: int | None = Field(
        default=None, gt=0, description="Keep only this many layers from the input on: a smaller, faster model"
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
