"""What a request to predict holds, and how OpenAPI describes it."""

from __future__ import annotations

import json
from typing import Any

from truetune.serving.envelope import held
from truetune.serving.limits import RefusedError

_TEXT: dict[str, Any] = {
    "oneOf": [
        {"type": "string"},
        {"type": "array", "items": {}, "description": "The fields of the task, in order"},
        {"type": "object", "description": "The fields of the task, by name"},
    ]
}
PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["texts"],
                    "additionalProperties": False,
                    "properties": {"texts": {"type": "array", "minItems": 1, "items": _TEXT}},
                },
                "example": {"texts": ["a lovely film"]},
            }
        },
    }
}
PREDICTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One prediction a text, with the fields of `truetune predict`, and which model gave them",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["model", "predictions"],
                    "properties": {
                        "model": {"type": "string"},
                        "predictions": {"type": "array", "items": {"type": "object"}},
                    },
                }
            }
        },
    },
    **{
        status: {"description": why}
        for status, why in {
            401: "No right API key",
            408: "The request arrived too slowly",
            413: "The request is too large",
            422: "The request cannot be read; the reason names what was expected",
            429: "More requests than the rate allows",
            503: "More waits than can be answered in time; Retry-After says when to come again",
            504: "Not answered in time",
        }.items()
    },
}

STREAMED: dict[int | str, dict[str, Any]] = {
    **{status: told for status, told in PREDICTED.items() if status != 504},
    200: {
        "description": "Lines of JSON: pieces of the text in their order, joined they are the text; then the answer "
        "of /v1/predict, or a reason why there is none",
        "content": {
            "application/x-ndjson": {
                "schema": {
                    "oneOf": [
                        {"type": "object", "required": ["piece"], "properties": {"piece": {"type": "string"}}},
                        {"type": "object", "required": ["model", "predictions"]},
                        {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
                    ]
                }
            }
        },
    },
}


def texts_of(body: bytes, most: int) -> list[Any]:
    """Return the texts of a request's body; raises `RefusedError` (422) that says what was expected."""
    texts: list[Any] = held(body, "texts", list, '{"texts": ["..."]}')
    if not 1 <= len(texts) <= most:
        raise RefusedError(422, f"expected 1 to {most} texts in a request, found {len(texts):,}")
    for place, text in enumerate(texts):
        if not isinstance(text, str | list | dict):
            raise RefusedError(422, f"texts[{place}]: expected a text, or the fields of one, found {text!r:.50}")
    try:
        json.dumps(texts, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RefusedError(422, f"a text holds half a character ({error.reason}); send whole ones") from None
    return texts
