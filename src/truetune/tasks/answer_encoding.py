"""Answers that stand in a text: question and window to one model input, first and last piece to a stretch of text.

As Devlin et al. (2019) do for SQuAD: the model gives each piece of the text a score as the first and as the last of the
answer; the first special token stands for "no answer here".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from truetune.errors import DataError, ModelError
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.classify_encoding import NONE, sigmoid
from truetune.tasks.windows import SHOWN, windows
from truetune.types import IGNORED, Encoded, Finding, Floats, Ints, Pieces, Tokenizer

ENDS = ("start", "end")
NOWHERE = -1
"""The offset of an answer that is none."""
SPARE = 2
"""An answer may be so many times as long as the longest of the training part."""


def answer_schema(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return whether questions may have no answer, and how long answers are, in characters."""
    longest, optional = 0, False
    for answers in gold["answers"]:
        longest = max([longest, *map(len, answers)])
        optional = optional or not answers
    if not longest:
        raise DataError("no question of the training part has an answer: there is nothing to learn")
    return Labels(ENDS, optional=optional, longest=SPARE * longest)


def place_of(text: str, answer: str, start: int) -> tuple[int, int] | None:
    """Return where an answer stands in a text, nearest to where it is said to; None where it does not stand there."""
    answer = answer.strip()
    if not answer:
        return None
    places = []
    at = text.find(answer)
    while at >= 0:
        places.append(at)
        at = text.find(answer, at + 1)
    if not places:
        return None
    found = min(places, key=lambda place: abs(place - start)) if start >= 0 else places[0]
    return found, found + len(answer)


def encode_answers(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return the windows of each text behind its question; columns are texts and questions.

    The target `[2]` holds the first and the last piece of the first answer that stands in the text; 0, the first
    special token, where the window has none. A question whose answers stand nowhere in its text is not learnt.
    """
    texts, questions = columns[0], columns[1]
    cut = _Cut([], [], [])
    inputs: list[Encoded] = []
    pieces = zip(tokenizer.pieces(questions), tokenizer.pieces(texts), strict=True)
    frame = _frame(tokenizer)
    for row, (question, text) in enumerate(pieces):
        example = first + row
        room = lengths.longest - frame.size
        asked = question.ids[: room // 2]
        if len(asked) < len(question.ids):
            cut.questions.append(example)
        left = room - len(asked)
        answer = None if gold is None else _ends(texts[row], text, _answers(gold, row))
        if answer is None:
            cut.absent.append(example)
        shared = replace(lengths, overlap=min(lengths.overlap, left // 2))
        spans = windows(len(text.ids), left, shared)
        if len(spans) > 1:
            cut.windows.append(example)
        for window in spans:
            inputs.append(_input(_Asked(example, asked, text, answer), window, tokenizer, frame.second))
    return Encoding(inputs, tuple(_findings(cut, gold is not None)))


def decode_answers(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `answer` and its offset `start`, the best stretch over all windows of a text.

    Where questions may have no answer, `no_answer_probability` is the sigmoid of what the scores of "no answer" (of the
    window that is least sure of it) exceed those of the answer; above `threshold` the answer is empty, at -1.
    """
    best = np.full(len(texts), -np.inf)
    silent = np.full(len(texts), np.inf)
    places = [(NOWHERE, NOWHERE)] * len(texts)
    for one, logits in zip(encoded, outputs, strict=True):
        silent[one.example] = min(silent[one.example], float(logits[0].sum()))
        value, place = best_stretch(one, logits, labels.longest)
        if value > best[one.example]:
            best[one.example], places[one.example] = value, place
    empty = np.flatnonzero(np.isinf(best))
    if len(empty):
        raise DataError(f"example {int(empty[0])} has no piece of its text in any input; is the text empty?")
    answers = [text[start:end] for text, (start, end) in zip(texts, places, strict=True)]
    starts = [start for start, _ in places]
    if not labels.optional:
        return {"answer": answers, "start": starts}
    chances = sigmoid(silent - best).tolist()
    kept = [chance <= threshold for chance in chances]
    return {
        "answer": [answer if there else "" for answer, there in zip(answers, kept, strict=True)],
        "start": [start if there else NOWHERE for start, there in zip(starts, kept, strict=True)],
        "no_answer_probability": chances,
    }


def best_stretch(one: Encoded, logits: Floats, longest: int) -> tuple[float, tuple[int, int]]:
    """Return the highest sum of a first and a last piece's scores, and its characters; -inf where there is none.

    Both are pieces of the text, the last not before the first, together at most `longest` characters.
    """
    inside = np.flatnonzero(one.starts >= 0)
    if not len(inside):
        return -np.inf, (NOWHERE, NOWHERE)
    sums = logits[inside, 0][:, None] + logits[inside, 1][None, :]
    sizes = one.ends[inside][None, :] - one.starts[inside][:, None]
    allowed = (np.arange(len(inside))[:, None] <= np.arange(len(inside))[None, :]) & (sizes <= longest)
    allowed |= np.eye(len(inside), dtype=np.bool_)
    sums = np.where(allowed, sums, -np.inf)
    begin, end = np.unravel_index(int(sums.argmax()), sums.shape)
    return float(sums[begin, end]), (int(one.starts[inside[begin]]), int(one.ends[inside[end]]))


class _Frame(NamedTuple):
    size: int
    """Special tokens of a question with its text."""
    second: int
    """How many special tokens stand before the text."""


class _Asked(NamedTuple):
    """A question with its text, in pieces."""

    example: int
    question: Ints
    text: Pieces
    answer: tuple[int, int] | None
    """First and last piece; (-1, -1) for no answer, None where nothing is to be learnt."""


class _Cut(NamedTuple):
    questions: list[int]
    windows: list[int]
    absent: list[int]


def _frame(tokenizer: Tokenizer) -> _Frame:
    """Return where the text stands among special tokens; raises `ModelError` where none stands before the question."""
    mark = np.array([NOWHERE], dtype=np.int64)
    ids, _, begin = tokenizer.wrapped(NONE, mark)
    if not begin:
        raise ModelError(
            "this model puts no special token before a text, so nothing can stand for `no answer here`; choose an "
            "encoder (BERT style)"
        )
    return _Frame(len(ids) - 1, int(np.flatnonzero(ids == NOWHERE)[0]))


def _answers(gold: Mapping[str, Sequence[Any]], row: int) -> list[tuple[str, int]]:
    answers = gold["answers"][row]
    starts = gold["answer_starts"][row] if "answer_starts" in gold else ()
    return [(answer, starts[at] if at < len(starts) else NOWHERE) for at, answer in enumerate(answers)]


def _ends(text: str, pieces: Pieces, answers: Sequence[tuple[str, int]]) -> tuple[int, int] | None:
    """Return the first and last piece of the first answer that stands in the text; (-1, -1) for no answer at all.

    None where there are answers and none of them stands there.
    """
    if not answers:
        return NOWHERE, NOWHERE
    for answer, start in answers:
        place = place_of(text, answer, start)
        if place is not None:
            inside = np.flatnonzero((pieces.ends > place[0]) & (pieces.starts < place[1]))
            if len(inside):
                return int(inside[0]), int(inside[-1])
    return None


def _input(asked: _Asked, window: tuple[int, int], tokenizer: Tokenizer, before: int) -> Encoded:
    """Return one input; `before` is how many special tokens stand before the text."""
    start, end = window
    ids, segments, _ = tokenizer.wrapped(asked.question, asked.text.ids[start:end])
    begin = before + len(asked.question)
    starts, ends = np.full((2, len(ids)), NOWHERE, dtype=np.int64)
    starts[begin : begin + end - start] = asked.text.starts[start:end]
    ends[begin : begin + end - start] = asked.text.ends[start:end]
    return Encoded(asked.example, ids, segments, _target(asked.answer, window, begin), starts, ends)


def _target(answer: tuple[int, int] | None, window: tuple[int, int], begin: int) -> Floats:
    if answer is None:
        return np.full(2, float(IGNORED))
    if window[0] <= answer[0] and answer[1] < window[1]:
        return np.array(answer, dtype=np.float64) + begin - window[0]
    return np.zeros(2)


def _findings(cut: _Cut, learnt: bool) -> Iterator[Finding]:
    def finding(check: str, severity: Any, examples: Sequence[int], advice: str) -> Finding:
        return Finding(check, severity, len(examples), tuple(f"example {one}" for one in examples[:SHOWN]), advice)

    if cut.windows:
        advice = "texts that do not fit into one input behind their question are read in overlapping windows"
        yield finding("text windows", "note", cut.windows, advice)
    if cut.questions:
        advice = "of these questions only the first half of an input is read; raise model.max_length if it takes more"
        yield finding("questions cut", "warning", cut.questions, advice)
    if cut.absent and learnt:
        advice = "no answer of these questions stands in its text, so nothing is learnt of them; correct the answers"
        yield finding("answers not learnt", "warning", cut.absent, advice)
