"""A Transformers model with a head: how logits come out of its hidden states."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from truetune.backbones.base import ModelSettings, Pooling
from truetune.backbones.form import LEAST, Form, is_decoder
from truetune.backbones.torch_choices import choice_scores, choices_apart
from truetune.backbones.torch_joint import joint_outputs
from truetune.backbones.torch_masked import masked_logits
from truetune.backbones.torch_nested import ends_of, width_of
from truetune.backbones.torch_prefix import Switch
from truetune.backbones.torch_prompt import Prompt
from truetune.backbones.torch_writing import answer_logits
from truetune.errors import ModelError
from truetune.types import HEAD_MARK, TAIL_MARK, Batch


class Network(nn.Module):
    """A Transformers model with its head."""

    def __init__(self, model: Any, form: Form, head: nn.Module | None) -> None:
        super().__init__()
        self.model = model
        self.form = form
        self.own = head
        # Vectors in the input beside those of the pieces, and whether these, or a prefix, are read.
        self.prompt: Prompt | None = None
        self.begun = Switch()
        # What fills masked places while a model learns to tell what is replaced; no part of what is saved.
        self.generator: nn.Module | None = None
        accepted = inspect.signature(model.base_model.forward).parameters
        # Whether the model tells the first text from the second by segments.
        self.segmented = "token_type_ids" in accepted and getattr(model.config, "type_vocab_size", 0) > 1
        self._positions = "position_ids" in accepted
        self._cache = {"use_cache": False} if "use_cache" in accepted else {}

    @property
    def body(self) -> Any:
        """The pretrained part."""
        return self.model.base_model

    @property
    def packable(self) -> bool:
        """Whether several texts may share a row: the model reads one way, and is told where a text begins."""
        return self._positions and is_decoder(self.model.config) and self.prompt is None

    @property
    def two_sided(self) -> bool:
        """Whether the model reads with an encoder and writes with a decoder."""
        return bool(getattr(self.model.config, "is_encoder_decoder", False))

    @property
    def reads_from_the_left(self) -> bool:
        """Whether no first piece stands for the whole text: a decoder, or an encoder before one."""
        return self.two_sided or is_decoder(self.model.config)

    def forward(self, ids: Tensor, mask: Tensor, segments: Tensor, packed: Tensor | None = None) -> Tensor:
        """Return logits, `[inputs, labels]`, or `[batch, length, ...]` for `tag`, `joint`, `span` and `nested`.

        For `generate` and `mask` they are those of every piece that is predicted, `[pieces, vocabulary]`, for `detect`
        those of every piece that is asked about, `[pieces, 2]`. For `span`
        padding has the score `LEAST`, so that it has no share in a softmax over the length. For `embed` they are
        vectors, see `sides`. `packed` `[batch, length]`: where several inputs share a row, which of them a piece
        belongs to, -1 for none.
        """
        if packed is not None:
            return self._packed(ids, mask, segments, packed)
        if self.form.masks:
            return masked_logits(self.model, ids, mask, segments)
        if self.form.detects:
            assert self.own is not None
            read: Tensor = self.own(self.hidden(ids, mask, torch.zeros_like(ids)))[segments == 1]
            return read
        if self.form.writes:
            return answer_logits(self, ids, mask, segments)
        if self.form.embeds:
            vectors = [self._vectors(*side) for side in sides(ids, mask, segments)]
            return vectors[0] if len(vectors) == 1 else torch.stack(vectors, dim=1)
        if self.form.ends:
            scores = self._ends(ids, mask, segments)
            return scores.masked_fill(~mask.bool()[..., None], LEAST)  # an exported model gets whole numbers
        if self.form.nests:
            assert self.own is not None
            return ends_of(self.own(self.hidden(ids, mask, segments)), mask)
        if self.form.chooses:
            return self._choices(ids, mask, segments)
        if self.form.joins:
            assert self.own is not None
            hidden = self.hidden(ids, mask, segments)
            return joint_outputs(self.own(pooled(hidden, mask, "mean")), self.own(hidden), self.form.joins)
        if not self.form.own_head and self.form.pooling in (None, "first"):
            logits: Tensor = self.model(**self.read(ids, mask, segments)).logits
            return self.cut(logits) if self.form.pooling is None else logits
        hidden = self.hidden(ids, mask, segments)
        if self.form.pooling == "marked":
            hidden = pair_states(hidden, segments)
        elif self.form.pooling is not None:
            hidden = pooled(hidden, mask, self.form.pooling)
        if self.form.contrasts and self.training:
            return nn.functional.normalize(hidden.float(), dim=-1)
        scored: Tensor = self.own(hidden) if self.own is not None else self.model.score(hidden)
        return scored

    def alone(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """Return what `forward` does of inputs that hold one thing each: of a choice its score, `[rows, 1]`.

        Nothing is taken apart, so the steps are the same for all inputs, and can be exported.
        """
        if self.form.chooses:
            return self._row_scores(ids, mask, segments)
        return self._vectors(ids, mask) if self.form.embeds else self(ids, mask, segments)

    def _ends(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        if self.own is not None:
            own: Tensor = self.own(self.hidden(ids, mask, segments))
            return own
        found = self.model(**self.read(ids, mask, segments))
        return self.cut(torch.stack([found.start_logits, found.end_logits], dim=-1))

    def _choices(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """Return the score of each choice of an input, `[batch, choices]`; one that it lacks has `LEAST`."""
        *rows, there = choices_apart(ids, mask, segments)
        return choice_scores(self._row_scores(*rows), there, self.form.chooses, LEAST)

    def _row_scores(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """Return the scores of choices that have a row each, `[rows, 1]`."""
        assert self.own is not None
        assert self.form.pooling is not None
        scores: Tensor = self.own(pooled(self.hidden(ids, mask, segments), mask, self.form.pooling))
        return scores

    def _vectors(self, ids: Tensor, mask: Tensor) -> Tensor:
        assert self.form.pooling is not None
        whole = pooled(self.hidden(ids, mask, torch.zeros_like(ids)), mask, self.form.pooling).float()
        return nn.functional.normalize(whole[:, : self.form.vector or None], dim=-1)

    def inputs(self, batch: Batch) -> tuple[Tensor, ...]:
        """Return what `forward` takes of a batch, where the network is."""
        device = next(self.parameters()).device
        parts = (batch.ids, batch.mask, batch.segments, *([] if batch.packed is None else [batch.packed]))
        return tuple(torch.from_numpy(part).to(device) for part in parts)

    def _packed(self, ids: Tensor, mask: Tensor, segments: Tensor, packed: Tensor) -> Tensor:
        """Return the logits of texts that share rows: each piece sees those before it in its own text."""
        if not self.packable:
            if self.prompt is not None:
                raise ModelError("train.packing: texts with a prompt cannot share a row; set it to false")
            raise ModelError(
                f"train.packing: {self.model.config.model_type} cannot have several texts in a row (only decoders that "
                "are told positions can); set it to false"
            )
        length = packed.shape[1]
        places = torch.arange(length, device=packed.device)
        begins = torch.ones_like(packed, dtype=torch.bool)
        begins[:, 1:] = packed[:, 1:] != packed[:, :-1]
        positions = places - torch.where(begins, places, 0).cummax(dim=1).values
        seen = (packed[:, :, None] == packed[:, None, :]) & (places[:, None] >= places)
        inputs = {**self._inputs(ids, mask, segments), "attention_mask": seen[:, None], "position_ids": positions}
        if self.form.pooling is None and not self.form.own_head:
            logits: Tensor = self.model(**inputs).logits
            # The first piece of a text is never asked for, so none is predicted from the text before it.
            return logits[:, :-1][segments[:, 1:] == 1] if self.form.writes else logits
        hidden: Tensor = self.body(**inputs).last_hidden_state
        if self.form.pooling is not None:
            hidden = _pooled_texts(hidden, packed, self.form.pooling)
        scored: Tensor = self.own(hidden) if self.own is not None else self.model.score(hidden)
        return scored

    def hidden(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """Return the last hidden states, `[batch, length, hidden]`."""
        states: Tensor = self.body(**self.read(ids, mask, segments)).last_hidden_state
        return self.cut(states)

    def read(self, ids: Tensor, mask: Tensor, segments: Tensor | None = None) -> dict[str, Any]:
        """Return what the Transformers model is given of a batch, with a prompt where there is one."""
        inputs = self._inputs(ids, mask, torch.zeros_like(ids) if segments is None else segments)
        if self.prompt is None or not self.begun.on:
            return inputs
        return self.prompt.inputs(self.model.get_input_embeddings(), inputs)

    def cut(self, outputs: Tensor) -> Tensor:
        """Return the outputs `[batch, length, ...]` of the pieces of texts, without those of a prompt."""
        return outputs if self.prompt is None or not self.begun.on else self.prompt.cut(outputs)

    def _inputs(self, ids: Tensor, mask: Tensor, segments: Tensor) -> dict[str, Any]:
        inputs = {"input_ids": ids, "attention_mask": mask.long(), **self._cache}
        if not self.segmented:
            return inputs
        return {**inputs, "token_type_ids": torch.where(segments > 1, 0, segments) if self.form.marks else segments}


def sides(ids: Tensor, mask: Tensor, segments: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return ids and mask of the texts of a batch; of several in an input, which segments tell apart, of each in turn.

    Vectors are then `[batch, hidden]`, or `[batch, texts, hidden]`.
    """
    number = int(torch.where(mask, segments, 0).max()) + 1
    if number == 1:
        return [(ids, mask)]
    found = []
    for place in range(number):
        own = mask & (segments == place)
        lengths = own.sum(dim=1)
        filled = torch.arange(int(lengths.max()), device=ids.device) < lengths[:, None]
        # What fills up is never read; the first id of all is one that the model knows.
        side = torch.full(filled.shape, int(ids[0, 0]), dtype=ids.dtype, device=ids.device)
        side[filled] = ids[own]
        found.append((side, filled))
    return found


def pooled(hidden: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """Return one vector a text, `[batch, hidden]`, of `[batch, length, hidden]`; padding never counts."""
    if pooling == "first":
        return hidden[:, 0]
    if pooling == "last":
        last = mask.shape[1] - 1 - mask.long().flip(1).argmax(1)
        return hidden[torch.arange(hidden.shape[0], device=hidden.device), last]  # len() would fix an exported size
    weights = mask[..., None].to(torch.float32)
    return (hidden.float() * weights).sum(1) / weights.sum(1)


def pair_states(hidden: Tensor, segments: Tensor) -> Tensor:
    """Return the states of head and tail side by side, `[batch, 2 * hidden]`: each the mean of its mark's pieces.

    Of an entity whose mark did not fit into the input they are zeros.
    """
    marks = torch.stack([segments == mark for mark in (HEAD_MARK, TAIL_MARK)], dim=1).float()
    return (marks @ hidden.float() / marks.sum(dim=2, keepdim=True).clamp(min=1)).flatten(1)


def _pooled_texts(hidden: Tensor, packed: Tensor, pooling: Pooling) -> Tensor:
    """Return one vector a text, `[inputs, hidden]`, where texts share rows; in the order of their numbers."""
    belongs = packed.flatten()
    places = torch.arange(len(belongs), device=packed.device)
    flat = hidden.flatten(0, 1)
    texts = int(belongs.max()) + 1
    if pooling == "mean":
        own = belongs >= 0
        sums = flat.new_zeros(texts, flat.shape[1], dtype=torch.float32).index_add(0, belongs[own], flat[own].float())
        return sums / torch.bincount(belongs[own], minlength=texts)[:, None]
    order = torch.argsort(belongs * len(belongs) + places)[(belongs < 0).sum() :]
    counts = torch.bincount(belongs[belongs >= 0], minlength=texts)
    ends = counts.cumsum(0)
    return flat[order[ends - (counts if pooling == "first" else 1)]]


def own_head(settings: ModelSettings, form: Form, config: Any) -> nn.Module | None:
    """Return dropout and one linear layer, where the head is ours."""
    if not form.own_head:
        return None
    outputs = len(settings.labels) + len(settings.tags)
    width = width_of(outputs) if form.nests else 1 if form.chooses else 2 if form.detects else outputs
    linear = drawn(nn.Linear(config.hidden_size * (2 if form.pooling == "marked" else 1), width), config)
    rates = (getattr(config, name, None) for name in ("classifier_dropout", "hidden_dropout_prob", "resid_pdrop"))
    return nn.Sequential(nn.Dropout(next((rate for rate in rates if rate is not None), 0.0)), linear)


def drawn(linear: nn.Linear, config: Any) -> nn.Linear:
    """Draw a layer as BERT draws it: a normal of the config's `initializer_range`, no bias."""
    nn.init.normal_(linear.weight, std=float(getattr(config, "initializer_range", 0.02)))
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear
