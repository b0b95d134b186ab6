"""The PyTorch backbone: any Transformers encoder or decoder, fine-tuned and asked for logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from truetune.backbones.base import ModelSettings, Precision, Recipe, State
from truetune.backbones.pretrained import quiet
from truetune.backbones.saved_form import settings_values
from truetune.backbones.tokenizer import FastTokenizer
from truetune.backbones.torch_device import device_readings
from truetune.backbones.torch_model import load_network
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import HEAD, freeze_layers, group_of, trained
from truetune.backbones.torch_peft import with_ia3, with_lora
from truetune.backbones.torch_pieces import keep_pretrained
from truetune.backbones.torch_placed import placed, whole
from truetune.backbones.torch_saved import save_network
from truetune.backbones.torch_shard import reachable, spread
from truetune.backbones.torch_step import Learner
from truetune.backbones.torch_together import Processes
from truetune.backbones.torch_vocabulary import with_rows
from truetune.backbones.torch_work import Work, best_speed
from truetune.backbones.torch_writing import written_ids
from truetune.errors import ModelError
from truetune.types import IGNORED, Batch, Floats, Ints, Told, Writing, Written


class TorchBackbone:
    """The `Backbone` of PyTorch."""

    def __init__(
        self,
        network: Network,
        tokenizer: FastTokenizer,
        settings: ModelSettings,
        recipe: Recipe,
        vocabulary: Ints | None,
        together: Processes | None = None,
    ) -> None:
        """`settings` as chosen for this machine; `vocabulary`: the pieces that training will meet, None: any.

        Where processes hold shares of the weights, word embeddings are a matrix like any other.
        """
        self.tokenizer = tokenizer
        self.together = together
        self.settings = settings
        self._network = network
        self._recipe = recipe
        _put_beside(network, settings)
        if settings.learns_pieces:
            keep_pretrained(network)
        frozen = settings.freeze_embeddings or settings.keeps_pretrained
        sharded = together is not None and together.sharded
        # A generator shares the word embeddings, and scores the whole vocabulary by them.
        whole_table = sharded or network.generator is not None
        self._table = None if whole_table else with_rows(network.model, None if frozen else vocabulary)
        if frozen:
            network.model.get_input_embeddings().requires_grad_(False)
        freeze_layers(network, settings.freeze_layers)
        if together is not None and sharded:
            spread(network, torch.device(settings.device), together.size)
        # What is gathered in a forward pass without gradients is used again in one with them.
        self._asked = torch.no_grad if sharded else torch.inference_mode
        self._learner = Learner(network, settings, recipe, self._table, together)
        self._work = Work(network, recipe)
        network.eval()

    @property
    def groups(self) -> tuple[str, ...]:
        """Parameter groups from input to output."""
        found = dict.fromkeys(group_of(self._network).values())
        # Some models name their head before what it stands on.
        return tuple(sorted(found, key=lambda group: group == HEAD))

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was chosen for this machine and model, as JSON values."""
        parameters = trained(self._network).values()
        return {
            "device": str(next(self._network.parameters()).device),
            "precision": self.settings.precision,
            "pooling": self._network.form.pooling,
            "packable": self._network.packable,
            "max_length": self.tokenizer.max_length,
            "trained_parameters": sum(one.numel() for one in parameters),
            "trained_words": None if self._table is None else len(self._table.rows),
        }

    def train_step(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        """Learn from several micro-batches as from one batch, and return the loss before the step."""
        self._network.begun.on = True
        return self._learner.step(micro_batches, rates, targets)

    def predict(self, batch: Batch) -> Floats:
        """Return logits in float32 precision, `[batch, labels]` or `[batch, length, labels]`."""
        with self._asked():
            return _array(self._network(*self._network.inputs(batch)))

    def write(self, batch: Batch, writing: Writing, told: Told | None = None) -> list[Written]:
        """Return what the model writes for each prompt of a batch; `told` is asked whether to go on."""
        with self._asked(), quiet(), reachable(self._network):
            found = written_ids(self._network, batch, writing, self.tokenizer, told)
        end = self.tokenizer.end
        return [Written(self.tokenizer.text(ids), bool(len(ids)) and int(ids[-1]) == end, len(ids)) for ids in found]

    def features(self, batch: Batch) -> Floats:
        """Return the mean of each input's last hidden states, `[batch, hidden]`."""
        hidden = self.piece_features(batch)
        weights = batch.mask[..., None].astype(np.float64)
        means: Floats = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return means

    def scored(self, batch: Batch) -> Floats:
        """Return the log-probability of each target, and whether it is the most probable piece, `[targets, 2]`."""
        with torch.inference_mode():
            logits = self._network(*self._network.inputs(batch)).float()
            aims = torch.from_numpy(batch.targets[batch.targets != IGNORED]).to(logits.device)
            own = logits.gather(1, aims[:, None])[:, 0]
            hits = own >= logits.max(dim=1).values
            return _array(torch.stack([own - logits.logsumexp(dim=1), hits.float()], dim=1))

    def set_head(self, weight: Floats, bias: Floats) -> None:
        """Put a linear layer in the place of the head; raises ModelError where the head is no such layer."""
        linear = self._network.own[-1] if isinstance(self._network.own, nn.Sequential) else None
        if not isinstance(linear, nn.Linear) or tuple(linear.weight.shape) != weight.shape:
            raise ModelError(f"this model has no linear head of {weight.shape[0]} labels over means of pieces")
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))

    def piece_features(self, batch: Batch) -> Floats:
        """Return the last hidden states, `[batch, length, hidden]`."""
        with self._asked(), reachable(self._network):
            return _array(self._network.hidden(*self._network.inputs(batch)))

    def work(self, pieces: int, pairs: int) -> float:
        """Return the operations of learning from so many pieces, by the model's formula."""
        return self._work.of(pieces, pairs)

    def best_speed(self) -> float:
        """Measure the operations a second of a large matrix product, in the precision of training."""
        precision: Precision = "bfloat16" if self.settings.precision == "bfloat16" else "float32"
        return best_speed(next(self._network.parameters()).device, precision)

    def readings(self) -> Mapping[str, float]:
        """Return memory and load of a GPU, nothing on a CPU."""
        return device_readings(next(self._network.parameters()).device)

    def state(self, optimizer: bool = True) -> State:
        """Return a copy of the trained weights, and of the optimizer's running means.

        Where weights are averaged, the averages are the weights; what is averaged goes with the optimizer.
        """
        tensors: dict[str, Tensor] = {f"weight/{name}": one for name, one in trained(self._network).items()}
        if optimizer:
            tensors |= self._learner.memory()
        arrays = {name: whole(one.detach()).cpu().numpy().copy() for name, one in tensors.items()}
        values = {"steps": self._learner.steps, "settings": _origin(self.settings)}
        if optimizer:
            values |= self._learner.values()
        return State(arrays, values)

    def restore(self, state: State) -> None:
        """Go back to a state; without running means in it, the optimizer begins anew."""
        parameters = trained(self._network)
        expected = {f"weight/{name}": tuple(one.shape) for name, one in parameters.items()}
        found = {name: one.shape for name, one in state.arrays.items() if name.startswith("weight/")}
        if found != expected or state.values.get("settings") != _origin(self.settings):
            differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
            raise ModelError(
                "the stored state belongs to another model, vocabulary or setting "
                f"({', '.join(differing[:3]) or 'settings differ'}); start the run anew"
            )
        self._refuse_other_average(state)
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(placed(torch.from_numpy(state.arrays[f"weight/{name}"]), parameter))
        if self._table is not None:
            self._table.changed()
        values = {name: torch.from_numpy(one) for name, one in state.arrays.items() if not name.startswith("weight/")}
        self._learner.remember(values, state.values)
        self._network.begun.on = self._learner.steps > 0

    def _refuse_other_average(self, state: State) -> None:
        """Raise ModelError for a state to train on from whose weights were averaged otherwise."""
        moving = any(name.startswith("mean/") for name in state.arrays)
        stored = float(state.values.get("ema", 0.0))
        if stored != self._recipe.ema and (moving or stored):
            raise ModelError(
                f"the stored state averages its weights with decay {stored:g}, but recipe.ema is "
                f"{self._recipe.ema:g}; go on with recipe.ema={stored:g}, or start the run anew"
            )

    def gathered(self) -> TorchBackbone:
        """Return a backbone that has all weights: itself, or on the processor one of what processes hold shares of."""
        if self.together is None or not self.together.sharded:
            return self
        state = self.state(optimizer=False)
        if self.together.rank:
            return self
        settings = replace(self.settings, device="cpu")
        network = load_network(settings, torch.device("cpu"))
        _put_beside(network, settings)
        parameters = dict(network.named_parameters())
        with torch.no_grad():
            for name, one in state.arrays.items():
                parameters[name.removeprefix("weight/")].copy_(torch.from_numpy(one))
        return TorchBackbone(network, self.tokenizer, settings.as_pretrained, Recipe(), None)

    def save(self, folder: Path) -> None:
        """Write weights, config, tokenizer and settings; plain Transformers loads the folder too."""
        save_network(self._network, self.tokenizer, self.settings, folder)


def _put_beside(network: Network, settings: ModelSettings) -> None:
    """Put beside the layers what is trained instead of them, and is merged into them when it is saved."""
    if settings.lora is not None:
        with_lora(network, settings.lora, settings.seed)
    elif settings.ia3:
        with_ia3(network)


def _origin(settings: ModelSettings) -> dict[str, Any]:
    return settings_values(replace(settings, device="any"))


def _array(tensor: Tensor) -> npt.NDArray[np.float64]:
    return tensor.float().cpu().numpy().astype(np.float64)
