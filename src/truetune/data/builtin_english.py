"""English texts: opinions rated by people (Hutto and Gilbert 2014), questions by what they ask for (TREC)."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence

from truetune.data.builtin_source import Reading, Record, kept_once

CLEAR = 0.5
"""The least distance of a mean rating (-4 to 4) from 0 that makes a label.

About twenty people rated each text, with a median standard deviation of 0.8, so the standard error of a
mean is about 0.18: a text within 0.5 of 0 has no polarity that the raters agree on.
"""

RATED = {
    "movies": "movieReviewSnippets_GroundTruth.txt",
    "products": "amazonReviewSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
}
"""The files of opinions. The fourth, newspaper editorials, is left out: 43 % of it is within `CLEAR`."""

QUESTION_KINDS = {
    "ABBR": "abbreviation",
    "DESC": "description",
    "ENTY": "entity",
    "HUM": "human",
    "LOC": "location",
    "NUM": "number",
}


def read_opinions(files: Sequence[bytes]) -> Reading:
    """Return texts of `RATED`, in its order, `positive` or `negative` by their mean rating.

    A line is id, mean rating, text. In `products` the id is review and sentence: sentences of one review
    share the `group`. `source` names the file's kind and `rating` is the mean.
    """
    records: list[Record] = []
    lines = 0
    for source, content in zip(RATED, files, strict=True):
        for line in content.decode("utf-8-sig").splitlines():
            name, rating, text = line.split("\t")
            if name == "id":
                continue
            lines += 1
            mean = float(rating)
            if abs(mean) >= CLEAR:
                records.append(
                    {
                        "id": f"{source}-{name}",
                        "text": text.strip(),
                        "label": "positive" if mean > 0 else "negative",
                        "group": f"{source}-{name.partition('_')[0]}",
                        "source": source,
                        "rating": mean,
                    }
                )
    kept, facts = kept_once(records, "label")
    return Reading(kept, f"{lines - len(records):,} of {lines:,} texts are rated within {CLEAR} of 0; {facts}")


def read_opinions_packed(files: Sequence[bytes]) -> Reading:
    """Return the same from the one archive (tar.gz) that the authors publish."""
    with tarfile.open(fileobj=io.BytesIO(files[0])) as packed:
        members = [packed.extractfile(f"hutto_ICWSM_2014/{name}") for name in RATED.values()]
        return read_opinions([member.read() for member in members if member is not None])


def read_questions(files: Sequence[bytes]) -> Reading:
    """Return questions with the kind of their answer; a line is KIND:DETAIL, a space, the question."""
    records: list[Record] = []
    for number, line in enumerate(files[0].decode("utf-8").splitlines(), start=1):
        kinds, _, text = line.partition(" ")
        if text.strip():
            kind, _, detail = kinds.partition(":")
            records.append({"id": str(number), "text": text.strip(), "label": QUESTION_KINDS[kind], "detail": detail})
    return kept_once(records, "label")
