"""What a model fine-tuned to write has to beat: the source itself, its beginning, the answer to the likest source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from truetune.data.stored import values_at
from truetune.text import sentences
from truetune.training.baselines import Baseline, Candidate, Columns, Part, Progress, Score, chosen, some_examples
from truetune.training.baselines_text import MOST_CHARACTERS, vectoriser

LEADS = (1, 2, 3)
"""How many sentences a lead may have."""
MOST_TEXTS = 20_000
"""Among how many training sources the likest is looked for at most."""
AT_ONCE = 512


def copied(validation: Part, tests: Sequence[str], score: Score) -> Baseline:
    """Return the sources as they are; inputs are sources, gold are references."""
    candidate = Candidate({}, _said(validation.inputs), _said(tests))
    return chosen("copy", [candidate], validation.gold, score, ())


def lead(validation: Part, tests: Sequence[str], score: Score) -> Baseline:
    """Return the first sentences of each source; how many is chosen on the validation part."""

    def candidates() -> Iterator[Candidate]:
        for number in LEADS:
            sides = ([beginning(text, number) for text in some] for some in (validation.inputs, tests))
            yield Candidate({"sentences": number}, *map(_said, sides))

    return chosen("lead", candidates(), validation.gold, score, ())


def beginning(text: str, number: int) -> str:
    """Return the first sentences of a text."""
    places = sentences(text)[:number]
    return text[places[0][0] : places[-1][1]]


def nearest(train: Part, validation: Part, tests: Sequence[str], score: Score, progress: Progress) -> Baseline:
    """Return the first reference of the training source that is most like each source by TF-IDF."""
    kept, notes = some_examples(len(train.gold), MOST_TEXTS, "training texts")
    sources, references = values_at(train.inputs, kept), values_at(train.gold, kept)
    progress(f"nearest: looking through {len(sources):,} texts")
    made = vectoriser(sum(map(len, sources)) <= MOST_CHARACTERS, len(sources))
    known = made.fit_transform(sources)
    sides = []
    for texts in (validation.inputs, tests):
        rows = made.transform(texts)
        places = [
            place
            for start in range(0, len(texts), AT_ONCE)
            for place in np.asarray((rows[start : start + AT_ONCE] @ known.T).toarray()).argmax(axis=1).tolist()
        ]
        sides.append(_said([references[place][0] for place in places]))
    return chosen("nearest", [Candidate({}, *sides)], validation.gold, score, notes)


def _said(texts: Sequence[str]) -> Columns:
    return {"text": list(texts)}
