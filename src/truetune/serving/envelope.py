"""The body of a request: JSON that is one object with one key."""

from __future__ import annotations

import json
from typing import Any

from truetune.serving.limits import RefusedError

KINDS: dict[type, str] = {list: "a list", dict: "an object"}


def held(body: bytes, key: str, kind: type, example: str) -> Any:
    """Return what stands under the only key of a body; raises `RefusedError` (422), which shows the example."""
    try:
        stored = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(422, f"the body is no JSON ({error}); expected {example}") from None
    if not isinstance(stored, dict) or set(stored) != {key} or not isinstance(stored[key], kind):
        raise RefusedError(422, f'expected an object with one key, "{key}", {KINDS[kind]}: {example}')
    return stored[key]
