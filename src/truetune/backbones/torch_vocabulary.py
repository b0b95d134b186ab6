"""Word embeddings whose gradient touches only the rows that a step needs.

`nn.Embedding` fills a dense gradient of every row at every step: for a vocabulary of 250,037 that is 384 MB of
zeros. `RowEmbedding` keeps one gradient buffer and clears only the rows that were written. Given a vocabulary,
it also trains (and gives the optimizer) only those rows; all others cannot change anyway, because they have
no gradient and no weight decay, so the result is the same. Whatever is not training reads the full matrix,
with the trained rows written back: words that training never saw keep their pretrained vectors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from truetune.errors import ModelError
from truetune.types import Ints


class RowEmbedding(nn.Module):
    """An `nn.Embedding` that trains some of its rows, or all."""

    full: Tensor
    places: Tensor

    def __init__(self, embedding: nn.Embedding, vocabulary: Ints | None = None) -> None:
        """`vocabulary`: the ids that training will meet, sorted and distinct; None: all."""
        super().__init__()
        full = embedding.weight.detach()
        kept = torch.arange(len(full)) if vocabulary is None else torch.from_numpy(vocabulary)
        kept = kept.to(full.device)
        places = torch.full((len(full),), -1, dtype=torch.long, device=full.device)
        places[kept] = torch.arange(len(kept), device=full.device)
        self.register_buffer("full", full, persistent=False)
        self.register_buffer("places", places, persistent=False)
        self.rows = nn.Parameter(full if vocabulary is None else full[kept].clone(), requires_grad=True)
        self._kept = None if vocabulary is None else kept
        self.padding = embedding.padding_idx
        self._touched: list[Tensor] = []
        self._gradient: Tensor | None = None
        self._written = True

    @property
    def weight(self) -> Tensor:
        """The full matrix `[vocabulary, hidden]`, trained rows included."""
        if self._kept is None:
            return self.rows.detach()
        if not self._written:
            self.full[self._kept] = self.rows.detach()
        self._written = True
        return self.full

    def forward(self, ids: Tensor) -> Tensor:
        """Return `[..., hidden]`."""
        if not self.training:
            return functional.embedding(ids, self.weight)
        self._written = False
        places = ids if self._kept is None else self.places[ids]
        if self._kept is not None and bool((places < 0).any()):
            unknown = sorted(set(ids[places < 0].tolist()))[:5]
            raise ModelError(f"training met the pieces {unknown}, which are not in the vocabulary that it was given")
        if not self.rows.requires_grad:
            return functional.embedding(places, self.rows)
        found: Tensor = _Looked.apply(self.rows, places, ids, self)  # type: ignore[no-untyped-call]
        return found

    def add_gradient(self, places: Tensor, ids: Tensor, gradient: Tensor) -> None:
        """Add `[..., hidden]` to the gradients of the rows at `places`."""
        if self.padding is not None:
            gradient = gradient.masked_fill((ids == self.padding)[..., None], 0)
        distinct, inverse = torch.unique(places, return_inverse=True)
        sums = torch.ops.aten.embedding_dense_backward(
            gradient.to(self.rows.dtype).contiguous(), inverse, len(distinct), -1, False
        )
        if self._gradient is None:
            self._gradient = torch.zeros_like(self.rows)
        self.rows.grad = self._gradient
        self._gradient[distinct] += sums
        self._touched.append(distinct)

    def whole_gradient(self) -> None:
        """Have a gradient for every row, because others will write into any of them; it is cleared as a whole."""
        if not self.rows.requires_grad:
            return
        if self._gradient is None:
            self._gradient = torch.zeros_like(self.rows)
        self.rows.grad = self._gradient
        self._touched = [torch.arange(len(self.rows), device=self.rows.device)]

    @property
    def touched(self) -> Tensor:
        """The distinct places of the rows that have a gradient."""
        return torch.unique(torch.cat(self._touched)) if self._touched else self.places.new_zeros(0)

    def clear_gradient(self) -> None:
        """Set the gradient back to zero where it was written."""
        if self._gradient is not None:
            for distinct in self._touched:
                self._gradient[distinct] = 0
            self.rows.grad = self._gradient
        self._touched.clear()

    def changed(self) -> None:
        """Say that the trained rows were set from outside."""
        self._written = False


class _Looked(torch.autograd.Function):
    """Rows of a table; the gradient goes straight into the table's own buffer."""

    @staticmethod
    def forward(context: Any, rows: Tensor, places: Tensor, ids: Tensor, table: RowEmbedding) -> Tensor:
        context.save_for_backward(places, ids)
        context.table = table
        return functional.embedding(places, rows)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[None, None, None, None]:
        places, ids = context.saved_tensors
        context.table.add_gradient(places, ids, gradients[0])
        return None, None, None, None


def with_rows(model: Any, vocabulary: Ints | None) -> RowEmbedding | None:
    """Put a `RowEmbedding` in the place of a model's word embeddings, and return it.

    Returns None, and changes nothing, where they are more than a plain table (scaled, or shared with an output).
    """
    embedding = model.get_input_embeddings()
    shared = getattr(model, "get_output_embeddings", lambda: None)()
    if type(embedding) is not nn.Embedding or embedding.max_norm is not None or shared is not None:
        return None
    table = RowEmbedding(embedding, vocabulary)
    model.set_input_embeddings(table)
    return table


def plain_embedding(table: RowEmbedding) -> nn.Embedding:
    """Return the `nn.Embedding` of the full matrix, trained rows included."""
    rows, columns = table.weight.shape
    return nn.Embedding(rows, columns, padding_idx=table.padding, _weight=table.weight)
