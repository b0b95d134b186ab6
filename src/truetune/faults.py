"""What is wrong with settings, in words: where, which key, what was expected, and the nearest key that is known."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from truetune.errors import nearest


def explained(error: ValidationError, root: type[BaseModel], where: str, places: Mapping[str, str]) -> str:
    """Return all faults of settings that should have been a `root`, a line each; `places`: key -> file and line."""
    return "\n".join(_fault(dict(item), root, where, places) for item in error.errors(include_url=False))


def _fault(item: Mapping[str, Any], root: type[BaseModel], where: str, places: Mapping[str, str]) -> str:
    path = [str(part) for part in item["loc"] if not (isinstance(part, str) and "[" in part)]
    key = ".".join(path)
    place = places.get(key) or places.get(".".join(path[:-1])) or where
    if item["type"] == "extra_forbidden":
        known = _known_keys(root, path[:-1])
        return f"{place}: unknown key {key!r}; {nearest(path[-1], known)}"
    if item["type"] == "missing":
        return f"{place}: key {key!r} is missing; {_described(root, path)}"
    if item["type"] == "value_error":
        message = str(item["ctx"]["error"])
        return f"{place}: {key + ': ' if key else ''}{message}"
    if item["type"] == "model_type":
        return (
            f"{place}: {key}: expected a group of keys ({', '.join(_known_keys(root, path))}), found {item['input']!r}"
        )
    message = item["msg"].replace("Input should be", "expected")
    return f"{place}: {key}: {message}, found {item['input']!r}"


def _known_keys(root: type[BaseModel], path: Sequence[str]) -> list[str]:
    group = _group_at(root, path)
    return list(group.model_fields) if group else []


def _described(root: type[BaseModel], path: Sequence[str]) -> str:
    group = _group_at(root, path[:-1])
    field = group.model_fields.get(path[-1]) if group else None
    return field.description if field and field.description else f"the group `{path[-1]}` is needed"


def _group_at(root: type[BaseModel], path: Sequence[str]) -> type[BaseModel] | None:
    group: type[BaseModel] | None = root
    for part in path:
        field = group.model_fields.get(part) if group else None
        group = _as_group(field.annotation) if field else None
    return group


def _as_group(annotation: Any) -> type[BaseModel] | None:
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    for option in options:
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None
