"""Models that write: logits of an answer's pieces in training, and texts piece by piece in use.

Decoders (GPT style) read prompt and answer as one; encoder-decoders (T5, BART, Marian) read the prompt and write the
answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor

from truetune.backbones.tokenizer import FastTokenizer
from truetune.types import IGNORED, Batch, Ints, Told, Writing


def answer_logits(network: Any, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
    """Return the logits of every answer piece of a batch, `[pieces, vocabulary]`, input by input.

    `segments` are 1 at the pieces of answers; each piece is predicted from those before it.
    """
    answer, model = segments == 1, network.model
    if not model.config.is_encoder_decoder:
        inputs, told = network.read(ids, mask), answer[:, 1:]
        if "input_ids" in inputs and "logits_to_keep" in signature(model.forward).parameters:
            # The vocabulary is large: nothing is computed over it where no text has a piece to tell.
            places = torch.nonzero(told.any(dim=0)).squeeze(1)
            kept: Tensor = model(**inputs, logits_to_keep=places).logits
            return kept[told[:, places]]
        logits: Tensor = network.cut(model(**inputs).logits)
        return logits[:, :-1][told]
    places = answer.sum(dim=1)
    filled = torch.arange(int(places.max()), device=ids.device) < places[:, None]
    labels = torch.full(filled.shape, IGNORED, dtype=torch.long, device=ids.device)
    labels[filled] = ids[answer]
    begun = model.prepare_decoder_input_ids_from_labels(labels)
    inputs = {**network.read(ids, mask & ~answer), "use_cache": False}
    found: Tensor = model(**inputs, decoder_input_ids=begun).logits
    return found[filled]


def written_ids(
    network: Any, batch: Batch, writing: Writing, tokenizer: FastTokenizer, told: Told | None = None
) -> list[Ints]:
    """Return the ids that a model writes for each prompt of a batch, its end token included where it came to one.

    `told`, for one prompt, is asked after each piece whether to go on.
    """
    model, two_sided = network.model, network.two_sided
    device = next(model.parameters()).device
    ids, mask = batch.ids, batch.mask
    if not two_sided:
        # A decoder goes on behind the last piece, so the padding stands before the first.
        order = np.argsort(mask, axis=1, kind="stable")
        ids, mask = np.take_along_axis(ids, order, axis=1), np.take_along_axis(mask, order, axis=1)
    inputs = network.read(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
    inputs.pop("use_cache", None)
    # Behind vectors only what is new comes back.
    begin = 1 if two_sided else ids.shape[1] if "input_ids" in inputs else 0

    def stopped(found: Tensor, _scores: Any) -> Tensor:
        assert told is not None
        row = _to_end(found[0, begin:].cpu().numpy(), tokenizer.end)
        go_on = told(tokenizer.text(row) if writing.beams == 1 else "")
        return torch.full((len(found),), not go_on, dtype=torch.bool, device=found.device)

    settings = _settings(model, writing, tokenizer)
    with _nothing_else(model), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(writing.seed)
        found = model.generate(
            **inputs, generation_config=settings, stopping_criteria=[] if told is None else [stopped]
        )
    rows = found.cpu().numpy()[:, begin:]
    return [_to_end(row, tokenizer.end) for row in rows]


def _settings(model: Any, writing: Writing, tokenizer: FastTokenizer) -> Any:
    """Return all that decides what is written; of the model's files only where a text begins."""
    from transformers import GenerationConfig

    # Transformers draws among the 50 likeliest pieces unless it is told to draw among all.
    sampled = {"temperature": writing.temperature, "top_p": writing.top_p, "top_k": 0} if writing.temperature else {}
    return GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=writing.pieces,
        num_beams=writing.beams,
        do_sample=bool(writing.temperature),
        eos_token_id=tokenizer.end,
        pad_token_id=tokenizer.pad,
        bos_token_id=_beginning(model, "bos_token_id"),
        decoder_start_token_id=_beginning(model, "decoder_start_token_id"),
        suppress_tokens=_never(model, tokenizer),
        **sampled,
    )


def _never(model: Any, tokenizer: FastTokenizer) -> list[int] | None:
    """Return what is never written: a decoder's padding. Marian's has no weights; its score of 0 is often the best."""
    return [tokenizer.pad] if model.config.is_encoder_decoder and tokenizer.pad != tokenizer.end else None


def _beginning(model: Any, name: str) -> Any:
    """Return the id by which a model begins a text, from its config or, where newer files have it, beside it."""
    found = getattr(model.config, name, None)
    return getattr(model.generation_config, name, None) if found is None else found


@contextlib.contextmanager
def _nothing_else(model: Any) -> Iterator[None]:
    """While inside, a model has no settings of writing of its own, with which Transformers fills what is left open.

    Those of BART force an end at the last piece, so that no text seems cut off; others a least length or no repeats.
    """
    from transformers import GenerationConfig

    stored, model.generation_config = model.generation_config, GenerationConfig()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        model.generation_config = stored


def _to_end(row: Ints, end: int) -> Ints:
    """Return ids up to the first end token, which is kept: what follows it is padding."""
    ends = np.flatnonzero(row == end)
    return row[: int(ends[0]) + 1] if len(ends) else row
