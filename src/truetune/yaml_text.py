"""Settings as YAML text: read strictly, with the line of every key, and overridden key by key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from truetune.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars (`1e-4` is a number, `no` and `2024-01-01` are text); a doubled key is an error."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9][0-9_]*$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:[0-9][0-9_]*\.[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
        r"|\.(?:inf|Inf|INF|nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def parsed(text: str, where: str) -> dict[str, Any]:
    """Return the nested settings of a text; raises `ConfigError`, which begins with `where` and the line."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        _refuse_doubled(root, where)
        settings = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{where}{line}: is not YAML ({getattr(error, 'problem', error)})") from None
    if not isinstance(settings, dict):
        raise ConfigError(
            f"{where}: expected groups such as `task`, `data`, `model`, found {type(settings).__name__}; "
            "`truetune init DATA` writes a config to start from"
        )
    return settings


def _refuse_doubled(node: yaml.Node | None, where: str) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            raise ConfigError(f"{where}:{key.start_mark.line + 1}: key {key.value!r} stands twice; keep one")
        seen.add(key.value)
        _refuse_doubled(value, where)


def line_of_keys(text: str) -> dict[str, int]:
    """Return the line of every key, by its dotted path."""
    found: dict[str, int] = {}

    def walk(node: yaml.Node | None, path: tuple[str, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                found[".".join((*path, key.value))] = key.start_mark.line + 1
                walk(value, (*path, key.value))

    walk(yaml.compose(text, Loader=_Loader), ())
    return found


def overridden(settings: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return settings in which `section.key=value` overrides stand; raises `ConfigError` for any other form."""
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in settings.items()}
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not key:
            raise ConfigError(f"{override!r}: expected section.key=value, for example train.epochs=2")
        *path, last = key.split(".")
        place = result
        for part in path:
            inner = place.get(part)
            inner = {} if inner is None else inner
            if not isinstance(inner, dict):
                raise ConfigError(f"{override!r}: {part!r} is a value, not a group with a key {last!r}")
            place[part] = inner = dict(inner)
            place = inner
        place[last] = yaml.load(value, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    return result
