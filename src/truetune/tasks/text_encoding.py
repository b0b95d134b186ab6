"""A text for a text: prompt and answer to one model input, and what a model wrote to predictions.

The prompt is the template of the bundle with the source in it, the same in training, evaluation and use. The loss is on
the answer alone, its end included, whatever id fills a batch up: what does not count is told by the target, not by ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from truetune.errors import ConfigError, DataError
from truetune.tasks.base import Encode, Encoding, Labels, Lengths
from truetune.tasks.windows import SHOWN
from truetune.types import IGNORED, Encoded, Finding, Ints, Tokenizer, Writing, Written

SOURCE = "{source}"
"""Where the source stands in a template."""
MARGIN, ENOUGH = 1.2, 0.99
"""A written text may have `MARGIN` times as many pieces as the shortest `ENOUGH` of the training answers."""


class Prompt(NamedTuple):
    """The fixed pieces around a source."""

    before: Ints
    after: Ints


def prompt_of(template: str, tokenizer: Tokenizer) -> Prompt:
    """Return the pieces of a template around its `{source}`; raises `ConfigError` where that is not there once."""
    if template.count(SOURCE) != 1:
        raise ConfigError(
            f"generate.prompt: expected {SOURCE} once, found {template.count(SOURCE)} times: {template!r}"
        )
    before, after = tokenizer.pieces(template.split(SOURCE))
    return Prompt(before.ids, after.ids)


def longest_written(references: Sequence[Sequence[str]], tokenizer: Tokenizer) -> int:
    """Return how many pieces a written text may have, its end included, from those of the training part."""
    sizes = [len(tokenizer.closed(found.ids)) for each in references for found in tokenizer.answer_pieces(list(each))]
    if not sizes:
        raise DataError("no example of the training part has a reference: there is nothing to learn")
    return int(np.ceil(MARGIN * np.quantile(sizes, ENOUGH, method="higher")))


def source_encoder(keep: Literal["beginning", "end"]) -> Encode:
    """Return what makes model inputs of sources; of a source that is too long the beginning, or the end, is kept."""

    def encode(
        columns: Sequence[Sequence[Any]],
        gold: Mapping[str, Sequence[Any]] | None,
        labels: Labels,
        tokenizer: Tokenizer,
        lengths: Lengths,
        first: int = 0,
    ) -> Encoding:
        """Return an input of each source (the last column) with each of its references; without gold, of the source.

        Segment 0 is the prompt, segment 1 the answer; targets are the answer's own ids at their places.
        """
        writing = writing_of(labels)
        prompt = prompt_of(writing.prompt, tokenizer)
        frame = len(tokenizer.opened(np.concatenate(prompt)))
        room = lengths.longest - frame - (0 if tokenizer.two_sided else writing.pieces)
        if room < 1:
            raise ConfigError(
                f"inputs of {lengths.longest} pieces leave no room for a source beside the prompt ({frame}) and "
                f"{writing.pieces} written pieces; raise model.max_length, or lower generate.max_pieces"
            )
        cut = _Cut([], [])
        inputs = []
        for row, source in enumerate(tokenizer.pieces(columns[-1])):
            ids = source.ids[:room] if keep == "beginning" else source.ids[-room:]
            if len(ids) < len(source.ids):
                cut.sources.append(first + row)
            asked = tokenizer.opened(np.concatenate([prompt.before, ids, prompt.after]))
            if gold is None:
                inputs.append(_input(first + row, asked, asked[:0]))
                continue
            for reference in tokenizer.answer_pieces(list(gold["references"][row])):
                answer = tokenizer.closed(reference.ids)
                if len(answer) > writing.pieces:
                    cut.answers.append(first + row)
                inputs.append(_input(first + row, asked, answer[: writing.pieces]))
        return Encoding(inputs, tuple(_findings(cut, room, writing.pieces)))

    return encode


def decode_texts(
    texts: Sequence[Any], encoded: Sequence[Encoded], outputs: Sequence[Written], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `text`, and `finished`: whether the model ended it by itself."""
    found: list[Written | None] = [None] * len(texts)
    for one, output in zip(encoded, outputs, strict=True):
        found[one.example] = output
    missing = [place for place, output in enumerate(found) if output is None]
    if missing:
        raise DataError(f"example {missing[0]} has no output; expected one input of each example")
    whole = [output for output in found if output is not None]
    return {"text": [one.text for one in whole], "finished": [one.finished for one in whole]}


def writing_of(labels: Labels) -> Writing:
    """Return how a model writes; raises `ConfigError` where that was not chosen."""
    if labels.writing is None:
        raise ConfigError("this model was saved without its prompt; fine-tune it again")
    return labels.writing


class _Cut(NamedTuple):
    sources: list[int]
    answers: list[int]


def _input(example: int, asked: Ints, answer: Ints) -> Encoded:
    ids = np.concatenate([asked, answer])
    segments = np.repeat(np.array([0, 1]), [len(asked), len(answer)])
    nowhere = np.full(len(ids), -1, dtype=np.int64)
    return Encoded(example, ids, segments, np.where(segments == 1, ids, IGNORED), nowhere, nowhere)


def _findings(cut: _Cut, room: int, pieces: int) -> Iterator[Finding]:
    for check, examples, advice in (
        ("sources cut", cut.sources, f"only {room:,} pieces of these sources are read; raise model.max_length"),
        (
            "references cut",
            cut.answers,
            f"these references have more than {pieces:,} pieces: their ends are not learnt; raise generate.max_pieces",
        ),
    ):
        if examples:
            shown = tuple(f"example {one}" for one in examples[:SHOWN])
            yield Finding(check, "warning", len(examples), shown, advice)
