"""Replaced-token detection [Clark et al. 2020]: a small generator fills masked places, the model tells which are false.

The generator learns what is masked, beside the model and with its word embeddings, is read no gradient of the model's
errors, and is left behind when the model is saved.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from truetune.backbones.torch_attention import registered
from truetune.backbones.torch_optimizer import layer_stacks

SMALLER = 4
"""How many times narrower the generator is than the model."""
HEAD_WIDTH = 64
"""Of a head of attention of the generator; it has at least one."""
WEIGHT = 7.5
"""Of the loss of a piece that is read beside that of a piece that is masked: ELECTRA's 50 between their means, where
15 % are masked. So losses of micro-batches add up."""


def generator_of(network: Any, seed: int) -> nn.Module:
    """Return a masked language model of the network's depth, with its word embeddings and random weights."""
    from transformers import ElectraConfig, ElectraForMaskedLM

    body = network.model.config
    words = network.model.get_input_embeddings()
    heads = max(1, round(body.hidden_size / SMALLER / HEAD_WIDTH))
    config = ElectraConfig(
        vocab_size=words.num_embeddings,
        embedding_size=words.embedding_dim,
        hidden_size=heads * HEAD_WIDTH,
        num_hidden_layers=max(1, sum(layer_stacks(network).values())),
        num_attention_heads=heads,
        intermediate_size=4 * heads * HEAD_WIDTH,
        max_position_embeddings=body.max_position_embeddings,
        pad_token_id=words.padding_idx or 0,
    )
    config._attn_implementation = registered() if words.weight.device.type == "cpu" else "sdpa"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator: Any = ElectraForMaskedLM(config).to(words.weight.device)
    generator.set_input_embeddings(words)
    generator.generator_lm_head.weight = words.weight
    found: nn.Module = generator
    return found


def detection_loss(network: Any, inputs: tuple[Tensor, ...], aims: Tensor) -> Tensor:
    """Return the sum of the losses of both over a batch whose masked places are asked for, `aims` `[batch, length]`.

    A piece that the generator draws right counts as written.
    """
    ids, mask, segments = inputs
    asked = segments == 1
    told = _filled(network.generator, ids, mask, asked)
    drawn = torch.multinomial(told.detach().softmax(dim=1), 1)[:, 0]
    written, read = torch.where(asked, aims, ids), ids.masked_scatter(asked, drawn)
    found = network(read, mask, mask.long()).float()
    replaced = (read != written)[mask.bool()].long()
    masked = functional.cross_entropy(told, aims[asked], reduction="sum")
    return masked + WEIGHT * functional.cross_entropy(found, replaced, reduction="sum")


def _filled(generator: Any, ids: Tensor, mask: Tensor, asked: Tensor) -> Tensor:
    """Return the generator's logits at the masked places alone, `[pieces, vocabulary]`."""
    hidden = generator.electra(input_ids=ids, attention_mask=mask.long()).last_hidden_state[asked]
    logits: Tensor = generator.generator_lm_head(generator.generator_predictions(hidden))
    return logits.float()
