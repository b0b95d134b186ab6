"""What the training loop and the evaluation need of a model, whatever framework runs it.

Arrays cross this line, tensors never do. This module imports no framework.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy.typing as npt

from truetune.text import Fold
from truetune.types import Batch, Floats, Head, Tokenizer, Told, Writing, Written

Precision = Literal["float32", "bfloat16"]
Pooling = Literal["mean", "first", "last", "marked"]


@dataclass(frozen=True)
class Lora:
    """Train a difference of low rank to each matrix of the layers, instead of the pretrained part [Hu et al. 2022]."""

    rank: int
    alpha: float
    """The difference is B A times alpha / rank."""
    dropout: float = 0.0
    """Of what goes into A."""


@dataclass(frozen=True)
class ModelSettings:
    """Which pretrained model, with which head."""

    name: str
    """A Hub name or a local folder."""
    head: Head
    labels: tuple[str, ...]
    """Output position -> label (`classify`), tag (`tag`) or type (`nested`); one name for `regress`."""
    tags: tuple[str, ...] = ()
    """Behind the labels, for `joint`: output position -> tag of a piece."""
    multiple: bool = False
    """Several labels an example: a sigmoid a label instead of one softmax."""
    contrast: bool = False
    """Learn which texts share a label, by their vectors; the head is set by `set_head`, not trained."""
    fold: tuple[Fold, ...] = ()
    """Which characters of a text are read as others: full-width forms, traditional characters."""
    layers: int | None = None
    """How many layers are kept, from the input on; None: all."""
    max_length: int | None = None
    """The longest input in pieces; None: the model's own."""
    dropout: float | None = None
    """Dropout everywhere in the model; None: its own."""
    pooling: Pooling | Literal["auto"] = "auto"
    """Which vector of `classify` stands for the text: the mean of its pieces, the first, the last, or those of the two
    marks of a pair, side by side [Baldini Soares et al. 2019]; a decoder knows a pair at the end, and reads the last.
    """
    freeze_embeddings: bool = False
    """Keep the word embeddings as they are."""
    freeze_layers: int = 0
    """Keep this many layers from the input on as they are, and all embeddings with them."""
    lora: Lora | None = None
    """None: no matrix has a difference beside it."""
    ia3: bool = False
    """Train a factor of each key, value and inner value of the layers, instead of the pretrained part."""
    prompt_pieces: int = 0
    """Train the vectors of so many pieces before each text, instead of the pretrained part; 0: none."""
    prefix_pieces: int = 0
    """Train keys and values of so many pieces before those of each layer, instead of the pretrained part; 0: none."""
    gradient_checkpointing: bool = False
    """Compute the inner values of layers again for the gradient instead of keeping them [Chen et al. 2016]."""
    precision: Precision | Literal["auto"] = "auto"
    """Of matrix products in training; predictions are always float32."""
    device: str = "auto"
    seed: int = 0
    """Of the new head and of dropout."""

    @property
    def keeps_pretrained(self) -> bool:
        """Whether the pretrained part stays as it is, and something small beside it is trained."""
        return self.lora is not None or self.ia3 or self.learns_pieces

    @property
    def learns_pieces(self) -> bool:
        """Whether what is trained cannot be merged into the pretrained part: pieces that no text has."""
        return bool(self.prompt_pieces or self.prefix_pieces)

    @property
    def as_pretrained(self) -> ModelSettings:
        """The same model without what is trained beside its pretrained part."""
        return replace(self, lora=None, ia3=False, prompt_pieces=0, prefix_pieces=0)


@dataclass(frozen=True)
class Recipe:
    """How the weights are moved: AdamW with decoupled weight decay [Loshchilov and Hutter 2019].

    Decay spares biases, norms and word embeddings; so rows of unseen words stay exactly as they are.
    """

    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    clip: float = 1.0
    """The largest norm of the whole gradient; a longer one is scaled down to it."""
    label_smoothing: float = 0.0
    """Share of the target that is spread evenly over all labels [Szegedy et al. 2016]."""
    class_weights: tuple[float, ...] = ()
    """Of a target's loss, by its label, `[labels]`; several labels a text: of all absent, then of all present ones,
    `[2 * labels]`. Empty: 1 for all."""
    focal_gamma: float = 0.0
    """The loss of an answer with probability p is multiplied by (1 - p) to this [Lin et al. 2017]."""
    r_drop: float = 0.0
    """Weight of the disagreement of two passes with other dropout masks [Liang et al. 2021]; 0: one pass."""
    fgm: float = 0.0
    """Norm of the adversarial move of the word embeddings, on which each step learns too [Miyato et al. 2017]; 0: none.
    The loss that a step returns is without it."""
    matryoshka: tuple[int, ...] = ()
    """Rankings: vectors cut to their first so many numbers have a loss each beside the whole [Kusupati et al. 2022]."""
    mixout: float = 0.0
    """Share of the matrices of the layers that is as pretrained at each step [Lee, Cho and Kang 2020]; 0: none."""
    ema: float = 0.0
    """Decay of the running averages of the weights, which are predicted with, chosen and shipped; 0: none."""


@dataclass(frozen=True, eq=False)
class State:
    """What training has changed so far; nothing else is needed to go on exactly from here."""

    arrays: Mapping[str, npt.NDArray[Any]]
    values: Mapping[str, Any] = field(default_factory=dict)
    """JSON values."""


class Together(Protocol):
    """The process that runs this, among several that learn as one."""

    rank: int
    """From 0; the first alone writes."""
    size: int
    sharded: bool
    """Whether each holds a share of the weights: then all must predict, and call for the state, equally often."""

    def summed(self, own: Floats) -> Floats:
        """Return the sum of an array over all processes; each must call it with the same shape."""
        ...


class Predictor(Protocol):
    """A model that predicts: a backbone, or what was exported of one."""

    @property
    def together(self) -> Together | None:
        """The other processes that learn with this one, each from its share of every step; None: it learns alone."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that the model was made for."""
        ...

    def predict(self, batch: Batch) -> Floats:
        """Return logits, `[batch, labels]` or, for heads of pieces, `[batch, length, ...]`; no dropout."""
        ...

    def write(self, batch: Batch, writing: Writing, told: Told | None = None) -> list[Written]:
        """Return what a model with the head `generate` writes for each prompt of a batch.

        `told`, for a batch of one prompt, is asked after each piece whether to go on; it gets what is written so far,
        but of beams, among which nothing is decided before the end, the empty text.
        """
        ...


class Backbone(Predictor, Protocol):
    """A model that learns and predicts."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Parameter groups from input to output: `embeddings`, `layer.0`, ..., `head`."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was chosen for this machine and model (device, precision, pooling...), as JSON values."""
        ...

    def train_step(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        """Learn from several micro-batches as from one batch, and return the loss before the step.

        The loss is the sum over all targets divided by `targets`, the true number of them in the whole step.
        `rates` gives the learning rate of each group. A loss or gradient that is not finite changes nothing,
        and NaN is returned. Of several processes each has its own micro-batches, and `targets` of all of them.
        """
        ...

    def features(self, batch: Batch) -> Floats:
        """Return the mean of each input's last hidden states, `[batch, hidden]`; no dropout."""
        ...

    def scored(self, batch: Batch) -> Floats:
        """Return `[targets, 2]` for heads that predict pieces: the log-probability (nats) of each target, and 1 where
        no other piece is more probable, else 0; in the order of the batch, row by row; no dropout.
        """
        ...

    def set_head(self, weight: Floats, bias: Floats) -> None:
        """Put a linear layer, `[labels, hidden]` and `[labels]`, in the place of a head that is one over means."""
        ...

    def piece_features(self, batch: Batch) -> Floats:
        """Return the last hidden states, `[batch, length, hidden]`; no dropout."""
        ...

    def work(self, pieces: int, pairs: int) -> float:
        """Return the floating point operations of learning from so many pieces, by the model's formula.

        `pairs` is the sum of the squared lengths of the inputs. Padding is not counted.
        """
        ...

    def best_speed(self) -> float:
        """Measure and return the operations a second of a large matrix product, in the precision of training."""
        ...

    def readings(self) -> Mapping[str, float]:
        """Return what the device tells of itself (`gpu_memory_bytes`...); nothing on a CPU."""
        ...

    def state(self, optimizer: bool = True) -> State:
        """Return a copy of all that training has changed; without the optimizer: of the weights only."""
        ...

    def gathered(self) -> Backbone:
        """Return a backbone that has all weights and can be saved: itself, unless processes hold shares of them.

        Each of the processes must call it; only what the first gets has the weights.
        """
        ...

    def restore(self, state: State) -> None:
        """Go back to a state of a backbone with the same settings; raises ModelError for any other."""
        ...

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), config and tokenizer; plain Transformers loads the folder too."""
        ...
