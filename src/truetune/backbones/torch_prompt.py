"""Vectors that stand in a model's input beside those of its pieces [Lester et al. 2021]."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Prompt(nn.Module):
    """The vectors, `[pieces, width]`, and where they stand: before a text, or behind its first piece."""

    def __init__(self, vectors: nn.Parameter, place: int) -> None:
        """`place`: how many pieces of the text stand before them. An encoder's first piece stands for the text."""
        super().__init__()
        self.vectors = vectors
        self._place = place

    def inputs(self, words: nn.Module, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return a Transformers model's inputs with the vectors in them, in the place of ids.

        `words` looks vectors up. What else is told of each piece (its segment) is 0 for those of the prompt.
        """
        found = dict(inputs)
        looked_up = words(found.pop("input_ids"))
        own = self.vectors.to(looked_up.dtype)[None].expand(looked_up.shape[0], -1, -1)
        found["inputs_embeds"] = self._joined(looked_up, own)
        for name, fill in (("attention_mask", 1), ("token_type_ids", 0)):
            if name in found:
                one = found[name]
                found[name] = self._joined(one, one.new_full((one.shape[0], len(self.vectors)), fill))
        return found

    def cut(self, outputs: Tensor) -> Tensor:
        """Return the outputs `[batch, length, ...]` of the pieces of the text alone."""
        return torch.cat([outputs[:, : self._place], outputs[:, self._place + len(self.vectors) :]], dim=1)

    def _joined(self, pieces: Tensor, own: Tensor) -> Tensor:
        return torch.cat([pieces[:, : self._place], own, pieces[:, self._place :]], dim=1)


def reads_vectors(network: Any) -> bool:
    """Return whether a model does with vectors of pieces what it does with the pieces; some scale what they look up."""
    model = network.model.get_encoder() if network.two_sided else network.body
    device = next(network.parameters()).device
    ids = torch.tensor([[1, 2, 3]], device=device)
    training = model.training
    model.eval()
    with torch.no_grad():
        vectors = network.model.get_input_embeddings()(ids)
        mask = torch.ones_like(ids)
        read = model(input_ids=ids, attention_mask=mask).last_hidden_state
        given = model(inputs_embeds=vectors, attention_mask=mask).last_hidden_state
    model.train(training)
    return bool(torch.allclose(read, given, atol=1e-4))
