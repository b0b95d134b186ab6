"""Tensors that several processes hold shares of: whole, spread, exchanged in place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor with the shares of all processes in it, each of which must call this; another as it is."""
    if not isinstance(tensor, DTensor):
        return tensor
    found: Tensor = tensor.full_tensor()
    return found


def placed(value: Tensor, like: Tensor) -> Tensor:
    """Return a value where another tensor is, and spread as that is; every process has the same value."""
    moved = value.to(like.device)
    if not isinstance(like, DTensor) or not value.ndim:
        return moved
    return distribute_tensor(moved, like.device_mesh, like.placements, src_data_rank=None)


def exchange(first: Tensor, second: Tensor) -> None:
    """Exchange the values of two tensors that are spread alike, where they are: whoever holds either sees it."""
    with torch.no_grad():
        own, other = (one.to_local() if isinstance(one, DTensor) else one for one in (first, second))
        held = own.clone()
        own.copy_(other)
        other.copy_(held)
