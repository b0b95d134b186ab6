"""The PyTorch backbone: any Transformers encoder or decoder, fine-tuned and asked for logits."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from truetune.backbones.base import ModelSettings, Recipe, State
from truetune.backbones.tokenizer import FastTokenizer
from truetune.backbones.torch_adversarial import check_perturbable, perturbed
from truetune.backbones.torch_average import Average
from truetune.backbones.torch_device import chosen_device, chosen_precision
from truetune.backbones.torch_dropout import Bits, with_bit_dropout
from truetune.backbones.torch_losses import disagreement, summed_loss
from truetune.backbones.torch_model import explained, load_network, quiet
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import adamw, freeze_layers, group_of, moments, set_moments, trained
from truetune.backbones.torch_saved import load_saved, save_network
from truetune.backbones.torch_vocabulary import with_rows
from truetune.errors import ModelError
from truetune.types import Batch, Floats, Ints


class TorchBackbone:
    """The `Backbone` of PyTorch."""

    def __init__(
        self,
        network: Network,
        tokenizer: FastTokenizer,
        settings: ModelSettings,
        recipe: Recipe,
        vocabulary: Ints | None,
    ) -> None:
        """`settings` as chosen for this machine; `vocabulary`: the pieces that training will meet, None: any."""
        self.tokenizer = tokenizer
        self.settings = settings
        self._network = network
        self._recipe = recipe
        self._device = next(network.parameters()).device
        self._table = with_rows(network.model, None if settings.freeze_embeddings else vocabulary)
        if settings.freeze_embeddings:
            network.model.get_input_embeddings().requires_grad_(False)
        freeze_layers(network, settings.freeze_layers)
        if recipe.fgm:
            check_perturbable(network.model.get_input_embeddings())
        self._bits = Bits(settings.seed)
        if self._device.type == "cpu":
            with_bit_dropout(network, self._bits)
        self._optimizer = adamw(network, recipe)
        self._average = Average(network, recipe.ema, self._table) if recipe.ema else None
        self._steps = 0
        network.eval()

    @property
    def groups(self) -> tuple[str, ...]:
        """Parameter groups from input to output."""
        return tuple(dict.fromkeys(group_of(self._network).values()))

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was chosen for this machine and model, as JSON values."""
        parameters = trained(self._network).values()
        return {
            "device": str(self._device),
            "precision": self.settings.precision,
            "pooling": self._network.form.pooling,
            "max_length": self.tokenizer.max_length,
            "trained_parameters": sum(one.numel() for one in parameters),
            "trained_words": None if self._table is None else len(self._table.rows),
        }

    def train_step(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        """Learn from several micro-batches as from one batch, and return the loss before the step."""
        with self._average.training() if self._average else contextlib.nullcontext():
            return self._learnt(micro_batches, rates, targets)

    def _learnt(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        self._network.train()
        with self._randomness():
            total = moved = self._backward(micro_batches, targets)
            if self._recipe.fgm and math.isfinite(total):
                with perturbed(self._network.model.get_input_embeddings(), self._recipe.fgm):
                    moved = self._backward(micro_batches, targets)
        finite = self._move(rates) if math.isfinite(total) and math.isfinite(moved) else False
        if finite and self._average is not None:
            self._average.add()
        self._clear_gradients()
        self._steps += 1
        self._network.eval()
        return total if finite else math.nan

    def _backward(self, micro_batches: Sequence[Batch], targets: int) -> float:
        """Add to the gradients those of the mean loss, and return it."""
        total = 0.0
        for batch in micro_batches:
            loss = self._loss(batch) / targets
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def _loss(self, batch: Batch) -> Tensor:
        """Return the sum of the losses of all targets; of two passes their mean, and what they disagree in."""
        recipe, multiple = self._recipe, self.settings.multiple
        aims = torch.from_numpy(batch.targets).to(self._device)
        logits = self._training_logits(batch)
        loss = summed_loss(logits, aims, recipe, multiple)
        if not recipe.r_drop:
            return loss
        other = self._training_logits(batch)
        loss = (loss + summed_loss(other, aims, recipe, multiple)) / 2
        return loss + recipe.r_drop * disagreement(logits, other, aims, multiple)

    def _training_logits(self, batch: Batch) -> Tensor:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            return self._logits(batch).float()

    def predict(self, batch: Batch) -> Floats:
        """Return logits in float32 precision, `[batch, labels]` or `[batch, length, labels]`."""
        with torch.inference_mode():
            return _array(self._logits(batch))

    def features(self, batch: Batch) -> Floats:
        """Return the mean of each input's last hidden states, `[batch, hidden]`."""
        hidden = self.piece_features(batch)
        weights = batch.mask[..., None].astype(np.float64)
        means: Floats = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return means

    def piece_features(self, batch: Batch) -> Floats:
        """Return the last hidden states, `[batch, length, hidden]`."""
        with torch.inference_mode():
            return _array(self._network.hidden(*self._inputs(batch)))

    def state(self, optimizer: bool = True) -> State:
        """Return a copy of the trained weights, and of the optimizer's running means.

        Where weights are averaged, the averages are the weights; what is averaged goes with the optimizer.
        """
        tensors: dict[str, Tensor] = {f"weight/{name}": one for name, one in trained(self._network).items()}
        if optimizer:
            tensors |= moments(self._network, self._optimizer) | (self._average.raw() if self._average else {})
        arrays = {name: one.detach().cpu().numpy().copy() for name, one in tensors.items()}
        values = {"steps": self._steps, "settings": _plain(self.settings)}
        if self._average is not None and optimizer:
            values |= {"ema": self._recipe.ema, "averaged": self._average.steps}
        return State(arrays, values)

    def restore(self, state: State) -> None:
        """Go back to a state; without running means in it, the optimizer begins anew."""
        parameters = trained(self._network)
        expected = {f"weight/{name}": tuple(one.shape) for name, one in parameters.items()}
        found = {name: one.shape for name, one in state.arrays.items() if name.startswith("weight/")}
        if found != expected or state.values.get("settings") != _plain(self.settings):
            differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
            raise ModelError(
                "the stored state belongs to another model, vocabulary or setting "
                f"({', '.join(differing[:3]) or 'settings differ'}); start the run anew"
            )
        self._refuse_other_average(state)
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(torch.from_numpy(state.arrays[f"weight/{name}"]))
        if self._table is not None:
            self._table.changed()
        values = {name: torch.from_numpy(one) for name, one in state.arrays.items() if not name.startswith("weight/")}
        set_moments(self._network, self._optimizer, values)
        if self._average is not None:
            self._average.restore(values, int(state.values.get("averaged", 0)))
        self._steps = int(state.values["steps"])

    def _refuse_other_average(self, state: State) -> None:
        """Raise ModelError for a state to train on from whose weights were averaged otherwise."""
        moving = any(name.startswith("mean/") for name in state.arrays)
        stored = float(state.values.get("ema", 0.0))
        if stored != self._recipe.ema and (moving or stored):
            raise ModelError(
                f"the stored state averages its weights with decay {stored:g}, but recipe.ema is "
                f"{self._recipe.ema:g}; go on with recipe.ema={stored:g}, or start the run anew"
            )

    def save(self, folder: Path) -> None:
        """Write weights, config, tokenizer and settings; plain Transformers loads the folder too."""
        save_network(self._network, self.tokenizer, self.settings, folder)

    @contextlib.contextmanager
    def _randomness(self) -> Iterator[None]:
        """Make all randomness of a step a function of seed and step number, and leave no trace of it."""
        self._bits.begin(self._steps)
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(int(np.random.SeedSequence([self.settings.seed, self._steps]).generate_state(1)[0]))
            yield

    def _inputs(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        ids, mask, segments = (
            torch.from_numpy(part).to(self._device) for part in (batch.ids, batch.mask, batch.segments)
        )
        return ids, mask, segments

    def _logits(self, batch: Batch) -> Tensor:
        logits: Tensor = self._network(*self._inputs(batch))
        return logits

    def _move(self, rates: Mapping[str, float]) -> bool:
        """Clip the gradient and take the step; return False, and take none, where the gradient is not finite."""
        gradients = [one.grad for one in trained(self._network).values() if one.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(one) for one in gradients])).item()
        if not math.isfinite(norm):
            return False
        if norm > self._recipe.clip:
            for gradient in gradients:
                gradient.mul_(self._recipe.clip / norm)
        for group in self._optimizer.param_groups:
            group["lr"] = rates[group["group"]]
        self._optimizer.step()
        return True

    def _clear_gradients(self) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        if self._table is not None:
            self._table.clear_gradient()


def ensure_found(name: str) -> None:
    """Raise ModelError where no model of that name or folder can be had, before work is spent on anything else."""
    from transformers import AutoConfig

    with quiet(), explained(name):
        AutoConfig.from_pretrained(name)


def load_tokenizer(settings: ModelSettings) -> FastTokenizer:
    """Load the tokenizer of a model; for tagging, Chinese and Japanese are cut into single characters.

    Raises ModelError where `max_length` is more than the model takes.
    """
    from transformers import AutoConfig, AutoTokenizer

    with quiet(), explained(settings.name):
        config = AutoConfig.from_pretrained(settings.name)
        tokenizer = FastTokenizer(AutoTokenizer.from_pretrained(settings.name), _positions(config))
    if settings.max_length is not None:
        tokenizer.shorten(settings.max_length)
    if settings.head == "tag":
        tokenizer.isolate_han()
    return tokenizer


def load_backbone(
    settings: ModelSettings, recipe: Recipe, tokenizer: FastTokenizer, vocabulary: Ints | None = None
) -> TorchBackbone:
    """Load a pretrained model for fine-tuning.

    `vocabulary`, the sorted distinct pieces of the training inputs, trims what is trained to their embedding
    rows: same result, less work. Raises ModelError for a model that cannot be loaded or used.
    """
    device = chosen_device(settings.device)
    network = load_network(settings, device)
    precision, _ = chosen_precision(settings.precision, device, network.model.config.hidden_size)
    chosen = replace(settings, device=str(device), precision=precision, max_length=tokenizer.max_length)
    if vocabulary is not None:
        vocabulary = np.union1d(vocabulary, tokenizer.special)
    return TorchBackbone(network, tokenizer, chosen, recipe, vocabulary)


def saved_backbone(folder: Path, device: str = "auto") -> TorchBackbone:
    """Load a folder that `save` wrote, to predict with it or to train it further."""
    network, tokenizer, settings = load_saved(folder, chosen_device(device))
    return TorchBackbone(network, tokenizer, settings, Recipe(), None)


def used_pieces(inputs: Iterable[Ints]) -> Ints:
    """Return the sorted distinct ids of training inputs, some thousand of which are in memory at a time."""
    rest = iter(inputs)
    used = np.zeros(0, dtype=np.int64)
    while some := list(islice(rest, 4096)):
        used = np.union1d(used, np.concatenate(some))
    return used


def _positions(config: Any) -> int | None:
    """Return how many pieces the position embeddings reach."""
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        return None
    reserved = (config.pad_token_id or 0) + 1 if config.model_type in _RESERVING else 0
    return int(positions) - reserved


_RESERVING = frozenset({"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "longformer", "mpnet"})
"""Model types whose positions begin behind the padding id."""


def _plain(settings: ModelSettings) -> dict[str, Any]:
    return {**asdict(replace(settings, device="any")), "labels": list(settings.labels)}


def _array(tensor: Tensor) -> npt.NDArray[np.float64]:
    return tensor.float().cpu().numpy().astype(np.float64)
