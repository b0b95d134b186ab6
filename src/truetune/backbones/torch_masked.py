"""Models that tell what is masked: logits at the masked places alone."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def masked_logits(model: Any, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
    """Return the logits of every masked piece of a batch, `[pieces, vocabulary]`, input by input.

    `segments` are 1 at the places that are asked about; the model is told of one segment only. The scores of the
    vocabulary, a large part of the work of a small model, are computed at these places alone.
    """
    asked = segments == 1
    hidden: Tensor = model.base_model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    heads = [
        module
        for name, module in model.named_children()
        if name != model.base_model_prefix and any(True for _ in module.parameters())
    ]
    if len(heads) == 1:
        logits: Tensor = heads[0](hidden[asked])
        return logits
    # A head of several modules (DistilBERT) has its own way from hidden states to scores.
    whole: Tensor = model(input_ids=ids, attention_mask=mask.long()).logits
    return whole[asked]
