"""The most probable legal sequence of tags against the best tag of each word by itself, on the outputs of one model.

    python benchmarks/legal_tags.py RUN [RUN ...]

A run is a finished `truetune finetune` of entities. Its model reads the test part; the same outputs are decoded both
ways. Argmax alone is read as conlleval reads it: an `I-X` behind anything but `B-X` or `I-X` begins an entity.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from unittest import mock

import truetune
from truetune.bundle.run_folder import RunFolder
from truetune.data.dataset import Dataset
from truetune.tasks.legal_tags import allowed, legal_path
from truetune.types import Floats

WORDS = {"words": 0, "illegal": 0, "texts": 0, "with illegal": 0}


def alone(logits: Floats, tags: Sequence[str]) -> list[int]:
    """Return the best tag of each word, `I-X` that cannot stand there made `B-X`, and count what was illegal."""
    if not len(logits):
        return []
    follows, opens = allowed(tags)
    path = [int(place) for place in logits.argmax(axis=1)]
    wrong = [not opens[path[0]]] + [not follows[one, other] for one, other in pairwise(path)]
    WORDS["words"] += len(path)
    WORDS["illegal"] += sum(wrong)
    WORDS["texts"] += 1
    WORDS["with illegal"] += any(wrong)
    begins = {place: list(tags).index("B-" + tag[2:]) for place, tag in enumerate(tags) if tag.startswith("I-")}
    return [begins[place] if bad else place for place, bad in zip(path, wrong, strict=True)]


def compared(run: Path) -> None:
    """Print both scores of a run and their difference."""
    part = Dataset.open(RunFolder(run).data("test"))
    texts, gold = part.column("text"), part.column("spans")
    model = truetune.load(run)
    said = {}
    for name, path in (("argmax", alone), ("legal", legal_path)):
        with mock.patch("truetune.tasks.tag_encoding.legal_path", path):
            said[name] = [[list(span) for span in one["spans"]] for one in model.predict(texts)]
    pairs = zip(texts, gold, strict=True)
    records = [{"text": text, "spans": [list(span) for span in spans]} for text, spans in pairs]
    result = truetune.compare(task="ner", gold=records, predicted=list(said.values()))
    counts = {name: f"{number:,}" for name, number in WORDS.items()}
    told = "{run}: {illegal} of {words} tags are illegal by themselves, in {with illegal} of {texts} texts"
    print(told.format(run=run, **counts))
    scored = [truetune.evaluate(task="ner", gold=records, predicted=spans) for spans in said.values()]
    for one in result.comparisons:
        if one.metric in ("span_f1", "span_precision", "span_recall"):
            values = ", ".join(f"{way} {of.score(one.metric).value:.4f}" for way, of in zip(said, scored, strict=True))
            bounds = f"{one.difference:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
            print(f"{one.metric}: {values}, difference {bounds}, p {one.p_value:.4f}, {one.verdict}")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        WORDS.update(dict.fromkeys(WORDS, 0))
        compared(Path(name))
