"""How a model that writes texts is asked, and writes: from config, tokenizer and training part; what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from truetune.errors import ConfigError
from truetune.tasks.text_encoding import SOURCE, longest_written, prompt_of
from truetune.text import script
from truetune.types import Finding, Tokenizer, Writing
from truetune.workflows.stage import Stage

ASKED = {"translation": "Translate:\n", "summarization": "Summarize:\n"}
"""What a decoder is told before the source, unless `generate.prompt` says otherwise."""
INTO_CHINESE = "Translate into Chinese:\n"
"""The same where the answers are Chinese and the sources are not: no model can know that before it learns."""
SOME = 1000
"""By how many training texts their script is told."""
ANSWERED = "\n\n"
"""What stands between source and answer where the tokenizer has no chat template."""


def with_writing(stage: Stage, tokenizer: Tokenizer) -> Stage:
    """Return the stage with all that decides what is written; a stage of another task as it is."""
    if stage.training.head != "generate":
        return stage
    settings = stage.config.generate
    prompt = settings.prompt
    if prompt is None:
        sources, references = stage.data.texts("train")[:SOME], stage.data.gold("train")["references"][:SOME]
        asked = "" if tokenizer.two_sided else asked_of(stage.data.task.name, sources, references)
        prompt = tokenizer.template(asked + SOURCE) or (SOURCE if tokenizer.two_sided else asked + SOURCE + ANSWERED)
    prompt_of(prompt, tokenizer)
    writing = Writing(
        prompt=prompt,
        pieces=most_pieces(settings.max_pieces, stage.data.gold("train")["references"], tokenizer),
        beams=settings.beams,
        temperature=settings.temperature,
        top_p=settings.top_p,
        seed=settings.seed,
    )
    return replace(stage, labels=replace(stage.labels, writing=writing))


def most_pieces(asked: int | None, references: Sequence[Sequence[str]], tokenizer: Tokenizer) -> int:
    """Return how many pieces a text may have: as asked for, else as the training part needs; no more than have room.

    A decoder alone shares its room with the source, which is seen to where that is read.
    """
    if not tokenizer.two_sided:
        return asked or longest_written(references, tokenizer)
    most = tokenizer.longest_answer
    if asked and asked > most:
        raise ConfigError(
            f"generate.max_pieces: {asked:,} is more than the {most:,} pieces that the decoder of this model has "
            "positions for; lower it"
        )
    return asked or min(longest_written(references, tokenizer), most)


def asked_of(task: str, sources: Sequence[str], references: Sequence[Sequence[str]]) -> str:
    """Return what a decoder is told before the source."""
    chinese = script(sources) != "zh" and script(text for each in references for text in each) == "zh"
    return INTO_CHINESE if task == "translation" and chinese else ASKED.get(task, "")


def written_findings(
    stage: Stage, predicted: Mapping[str, Sequence[Any]], references: Sequence[Sequence[str]]
) -> Iterator[Finding]:
    """Yield how long the texts are that were written for the test part, and how many of them did not come to an end."""
    writing = stage.labels.writing
    if writing is None or not predicted["text"]:
        return
    sizes = np.array([len(text) for text in predicted["text"]])
    known = np.array([len(each[0]) for each in references])
    numbers = [f"{np.quantile(some, q, method='higher'):.0f}" for some in (sizes, known) for q in (0.5, 0.95, 1.0)]
    cut = [place for place, finished in enumerate(predicted["finished"]) if not finished]
    advice = (
        f"texts written for test have {numbers[0]} characters in the median, {numbers[1]} at 95 %, {numbers[2]} at "
        f"most; their references {numbers[3]}, {numbers[4]} and {numbers[5]}; {len(cut) / len(sizes):.1%} were cut off "
        "without an end"
    )
    yield Finding("lengths of written texts", "note", len(sizes), (), advice)
    if cut:
        shown = tuple(f"example {place}: {predicted['text'][place][-60:]}" for place in cut[:5])
        advice = (
            f"{len(cut) / len(sizes):.1%} of the texts written for test reached {writing.pieces:,} pieces without an "
            "end and are cut off there; train longer, or raise generate.max_pieces"
        )
        yield Finding("texts cut off", "warning", len(cut), shown, advice)
