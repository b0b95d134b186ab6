"""One step of training: losses, gradients, clipping, AdamW; all its randomness is a function of seed and number."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.form import check_sizes
from truetune.backbones.torch_adversarial import check_perturbable, perturbed
from truetune.backbones.torch_average import Average
from truetune.backbones.torch_dropout import Bits, with_bit_dropout
from truetune.backbones.torch_losses import objective_of
from truetune.backbones.torch_mixout import Mixout
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import adamw, moments, set_moments, trained
from truetune.backbones.torch_placed import whole
from truetune.backbones.torch_recompute import recompute_layers
from truetune.backbones.torch_replaced import detection_loss
from truetune.backbones.torch_together import Processes
from truetune.backbones.torch_vocabulary import RowEmbedding
from truetune.types import Batch

MIXED = 2**31
"""The stream of random bits that all processes draw alike."""


class Learner:
    """Moves the trained weights of a network as a recipe says."""

    def __init__(
        self,
        network: Network,
        settings: ModelSettings,
        recipe: Recipe,
        table: RowEmbedding | None,
        together: Processes | None = None,
    ) -> None:
        """`table`: the word embeddings, where only the rows of a step have gradients; `together`: who learns too."""
        self._together = together
        self._network = network
        self._settings = settings
        self._recipe = recipe
        self._objective = objective_of(settings)
        self._table = table
        self._device = next(network.parameters()).device
        if recipe.fgm:
            check_perturbable(network.model.get_input_embeddings())
        if recipe.matryoshka:
            check_sizes(recipe.matryoshka, network.model.config.hidden_size, "recipe.matryoshka")
        self._bits = Bits(settings.seed, 0 if together is None else together.rank)
        if self._device.type == "cpu":
            with_bit_dropout(network, self._bits)
        self._mixed_bits = Bits(settings.seed, MIXED)
        if settings.gradient_checkpointing:
            recompute_layers(network, self._bits)
        self._mixout = Mixout(network, recipe.mixout, self._mixed_bits) if recipe.mixout else None
        self.optimizer = adamw(network, recipe)
        self._average = Average(network, recipe.ema, table) if recipe.ema else None
        self.steps = 0
        """How many steps were taken."""

    def step(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        """Learn from several micro-batches as from one batch, and return the loss before the step."""
        with self._average.training() if self._average else contextlib.nullcontext():
            return self._learnt(micro_batches, rates, targets)

    def backward(self, micro_batches: Sequence[Batch], targets: int) -> float:
        """Add to the gradients those of the mean loss, and return it."""
        total = 0.0
        for batch in micro_batches:
            loss = self._loss(batch) / targets
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def memory(self) -> dict[str, Tensor]:
        """Return what is needed, beside the network's weights, to take the next step: running means by name."""
        return moments(self._network, self.optimizer) | (self._average.raw() if self._average else {})

    def values(self) -> dict[str, Any]:
        """Return how the weights were averaged, as JSON values."""
        return {"ema": self._recipe.ema, "averaged": self._average.steps} if self._average else {}

    def remember(self, memory: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Go on from what `memory` and `values` returned; the steps are those of `values`."""
        set_moments(self._network, self.optimizer, memory)
        if self._average is not None:
            self._average.restore(memory, int(values.get("averaged", 0)))
        self.steps = int(values["steps"])

    def _learnt(self, micro_batches: Sequence[Batch], rates: Mapping[str, float], targets: int) -> float:
        self._network.train()
        with self._randomness(), self._mixout.mixed() if self._mixout else contextlib.nullcontext():
            spare = self._spare(len(micro_batches))
            total = moved = self.backward(micro_batches, targets)
            for _ in range(spare):
                self._backward_nothing()
            if self._recipe.fgm and math.isfinite(total):
                with perturbed(self._network.model.get_input_embeddings(), self._recipe.fgm):
                    moved = self.backward(micro_batches, targets)
        if self._together is not None:
            total = moved = self._joined(total, self._together)
        finite = self._move(rates) if math.isfinite(total) and math.isfinite(moved) else False
        if finite and self._average is not None:
            self._average.add()
        self._clear_gradients()
        self.steps += 1
        self._network.eval()
        return total if finite else math.nan

    def _joined(self, loss: float, together: Processes) -> float:
        """Put the gradients of all processes together, and return the sum of their losses."""
        if together.sharded:
            return float(together.summed(np.array([loss]))[0])
        if self._table is not None:
            self._table.whole_gradient()
        parameters = list(trained(self._network).values())
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        together.sum_gradients(parameters)
        return float(together.summed(np.array([loss]))[0])

    def _spare(self, micro_batches: int) -> int:
        """Return how much oftener another process computes in this step, where layers are whole for all or for none."""
        if self._together is None or not self._together.sharded:
            return 0
        return self._together.most(micro_batches) - micro_batches

    def _backward_nothing(self) -> None:
        """Compute as for a micro-batch, for the sake of the processes that have one; no gradient comes of it."""
        ids = torch.zeros(1, 2, dtype=torch.long, device=self._device)
        # A prompt of one piece and an answer of one, so that there is something to predict for every head.
        inputs = (ids, torch.ones_like(ids, dtype=torch.bool), torch.arange(2, device=self._device)[None])
        with self._autocast():
            found = [self._network(*inputs).float().sum() for _ in range(2 if self._recipe.r_drop else 1)]
        (torch.stack(found).sum() * 0).backward()  # type: ignore[no-untyped-call]

    def _loss(self, batch: Batch) -> Tensor:
        """Return the sum of the losses of all targets; of two passes their mean, and what they disagree in."""
        recipe, objective = self._recipe, self._objective
        aims = torch.from_numpy(batch.targets).to(self._device)
        if self._network.generator is not None:
            with self._autocast():
                return detection_loss(self._network, self._network.inputs(batch), aims)
        logits = self._logits(batch)
        loss = objective.summed(logits, aims, recipe)
        if not recipe.r_drop:
            return loss
        other = self._logits(batch)
        loss = (loss + objective.summed(other, aims, recipe)) / 2
        return loss + recipe.r_drop * objective.disagreement(logits, other, aims)

    def _logits(self, batch: Batch) -> Tensor:
        with self._autocast():
            logits: Tensor = self._network(*self._network.inputs(batch))
            return logits.float()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.precision == "bfloat16")

    @contextlib.contextmanager
    def _randomness(self) -> Iterator[None]:
        """Make all randomness of a step a function of seed and step number, and leave no trace of it."""
        self._bits.begin(self.steps)
        self._mixed_bits.begin(self.steps)
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(int(np.random.SeedSequence(self._bits.source).generate_state(1)[0]))
            yield

    def _move(self, rates: Mapping[str, float]) -> bool:
        """Clip the gradient and take the step; return False, and take none, where the gradient is not finite."""
        gradients = [one.grad for one in trained(self._network).values() if one.grad is not None]
        norm = whole(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(one) for one in gradients]))).item()
        if not math.isfinite(norm):
            return False
        if norm > self._recipe.clip:
            for gradient in gradients:
                gradient.mul_(self._recipe.clip / norm)
        for group in self.optimizer.param_groups:
            group["lr"] = rates[group["group"]]
        self.optimizer.step()
        return True

    def _clear_gradients(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        if self._table is not None:
            self._table.clear_gradient()
