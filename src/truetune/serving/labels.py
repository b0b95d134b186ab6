"""What a request with labels holds: ids of answered texts, each with its label."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from truetune.errors import nearest
from truetune.serving.envelope import held
from truetune.serving.limits import RefusedError

MOST = 10_000
LABELS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["labels"],
                    "additionalProperties": False,
                    "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}},
                },
                "example": {"labels": {"3f2a/0": "positive", "3f2a/1": "negative"}},
            }
        },
    }
}


def labels_of(body: bytes, known: Collection[str]) -> dict[str, str]:
    """Return id -> label of a request's body; raises `RefusedError` (422) that says what was expected.

    A label that the model does not have is refused: labels are written down, and texts are not.
    """
    labels: dict[str, str] = held(body, "labels", dict, '{"labels": {"ID": "LABEL"}}')
    if not 1 <= len(labels) <= MOST:
        raise RefusedError(422, f"expected 1 to {MOST:,} labels in a request, found {len(labels):,}")
    for id, label in labels.items():
        if not isinstance(label, str) or label not in known:
            raise RefusedError(422, f"{id!r:.80}: {label!r:.50} is no label of the model; {nearest(str(label), known)}")
    return labels
