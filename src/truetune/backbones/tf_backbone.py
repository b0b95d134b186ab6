"""The TensorFlow backbone: BERT, RoBERTa and GPT-2 on Keras, fine-tuned and asked for logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from truetune.backbones.base import ModelSettings, Recipe, State
from truetune.backbones.saved_form import settings_values
from truetune.backbones.tf_network import EMBEDDINGS, Network
from truetune.backbones.tf_saved import save_network
from truetune.backbones.tf_start import tf
from truetune.backbones.tf_step import INPUTS, Learner
from truetune.backbones.tf_weights import Weight
from truetune.backbones.tf_work import Work, best_speed
from truetune.backbones.tf_writing import Writer
from truetune.backbones.tokenizer import FastTokenizer
from truetune.errors import ModelError
from truetune.types import IGNORED, Batch, Floats, Told, Writing, Written

FRAMEWORK = "tensorflow"


class TensorFlowBackbone:
    """The `Backbone` of TensorFlow."""

    together: None = None
    """It learns alone."""

    def __init__(self, network: Network, tokenizer: FastTokenizer, settings: ModelSettings, recipe: Recipe) -> None:
        """`settings` as chosen for this machine."""
        self.tokenizer = tokenizer
        self.settings = settings
        self._network = network
        self._weights = _trained(network, settings)
        self._learner = Learner(network, self._weights, settings, recipe)
        self._work = Work(network, self._weights)
        self._logits = tf.function(network.logits, input_signature=INPUTS, autograph=False, jit_compile=False)
        self._hidden = tf.function(network.hidden, input_signature=INPUTS, autograph=False, jit_compile=False)
        self._writer = Writer(network) if network.form.writes else None

    @property
    def groups(self) -> tuple[str, ...]:
        """Parameter groups from input to output."""
        return tuple(dict.fromkeys(self._network.group_of(name) for name in self._weights))

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was chosen for this machine and model, as JSON values."""
        table = self._network.body.words
        return {
            "framework": FRAMEWORK,
            "device": "cpu",
            "precision": self.settings.precision,
            "pooling": self._network.form.pooling,
            "packable": False,
            "max_length": self.tokenizer.max_length,
            "trained_parameters": sum(int(np.prod(one.variable.shape)) for one in self._weights.values()),
            "trained_words": int(table.rows.shape[0]),
        }

    def train_step(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        """Learn from several micro-batches as from one batch, and return the loss before the step."""
        return self._learner.step(micro_batches, rates, targets)

    def predict(self, batch: Batch) -> Floats:
        """Return logits, `[batch, labels]` or `[batch, length, labels]`."""
        found: Floats = self._logits(*_inputs(batch)).numpy().astype(np.float64)
        return found

    def write(self, batch: Batch, writing: Writing, told: Told | None = None) -> list[Written]:
        """Return what the model writes for each prompt of a batch; `told` is asked whether to go on."""
        if self._writer is None:
            raise ModelError(f"a model with the head {self.settings.head!r} writes no texts")
        return self._writer.written(batch, writing, self.tokenizer, told)

    def features(self, batch: Batch) -> Floats:
        """Return the mean of each input's last hidden states, `[batch, hidden]`."""
        weights = batch.mask[..., None].astype(np.float64)
        means: Floats = (self.piece_features(batch) * weights).sum(axis=1) / weights.sum(axis=1)
        return means

    def set_head(self, weight: Floats, bias: Floats) -> None:
        """Raise ModelError: heads are not set from outside here."""
        raise ModelError("recipe.contrastive: the TensorFlow backbone does not have it; set model.framework to pytorch")

    def scored(self, batch: Batch) -> Floats:
        """Return the log-probability of each target, and whether it is the most probable piece, `[targets, 2]`."""
        logits = self.predict(batch)
        own = logits[np.arange(len(logits)), batch.targets[batch.targets != IGNORED]]
        most = logits.max(axis=1)
        totals = most + np.log(np.exp(logits - most[:, None]).sum(axis=1))
        return np.stack([own - totals, (own >= most).astype(np.float64)], axis=1)

    def piece_features(self, batch: Batch) -> Floats:
        """Return the last hidden states, `[batch, length, hidden]`."""
        found: Floats = self._hidden(*_inputs(batch)).numpy().astype(np.float64)
        return found

    def work(self, pieces: int, pairs: int) -> float:
        """Return the operations of learning from so many pieces, by the model's formula."""
        return self._work.of(pieces, pairs)

    def best_speed(self) -> float:
        """Measure the operations a second of a large matrix product."""
        return best_speed()

    def readings(self) -> Mapping[str, float]:
        """Return nothing: it runs on a processor."""
        return {}

    def state(self, optimizer: bool = True) -> State:
        """Return a copy of the trained weights, and of the optimizer's running means."""
        arrays = {f"weight/{name}": one.variable.numpy() for name, one in self._weights.items()}
        if optimizer:
            arrays |= self._learner.memory()
        values = {"steps": self._learner.steps, "moves": self._learner.moves, **self._origin()}
        return State(arrays, values)

    def restore(self, state: State) -> None:
        """Go back to a state; without running means in it, the optimizer begins anew."""
        if any(state.values.get(name) != value for name, value in self._origin().items()):
            raise ModelError("the stored state belongs to another framework or other settings; start the run anew")
        expected = {f"weight/{name}": tuple(one.variable.shape) for name, one in self._weights.items()}
        found = {name: one.shape for name, one in state.arrays.items() if name.startswith("weight/")}
        if found != expected:
            differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
            raise ModelError(
                "the stored state belongs to another model or vocabulary "
                f"({', '.join(differing[:3])}); start the run anew"
            )
        for name, one in self._weights.items():
            one.variable.assign(state.arrays[f"weight/{name}"])
        self._learner.remember(state.arrays, int(state.values["steps"]), int(state.values["moves"]))

    def gathered(self) -> TensorFlowBackbone:
        """Return itself: no weights are elsewhere."""
        return self

    def save(self, folder: Path) -> None:
        """Write weights, config, tokenizer and settings; plain Transformers and PyTorch load the folder too."""
        save_network(self._network, self.tokenizer, self.settings, folder)

    def _origin(self) -> dict[str, Any]:
        return {"framework": FRAMEWORK, "settings": settings_values(replace(self.settings, device="any"))}


def _trained(network: Network, settings: ModelSettings) -> dict[str, Weight]:
    """Return the weights that training changes; raises ModelError where more layers are frozen than there are."""
    layers = len(network.body.layers)
    if settings.freeze_layers > layers:
        raise ModelError(
            f"model.freeze_layers: {settings.freeze_layers} layers cannot be frozen, the model has {layers}"
        )
    frozen = {f"layer.{place}" for place in range(settings.freeze_layers)} | (
        {EMBEDDINGS} if settings.freeze_layers else set()
    )
    words = network.body.words
    return {
        name: one
        for name, one in network.weights().items()
        if network.group_of(name) not in frozen and not (settings.freeze_embeddings and one.table is words)
    }


def _inputs(batch: Batch) -> tuple[Any, ...]:
    return tf.constant(batch.ids), tf.constant(batch.mask), tf.constant(batch.segments)
