"""How the numbers were made: versions, machine, seeds, hashes, times, and the settings as resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Facts, Paragraph, Part, Section, Source
from truetune.reports.run import SavedRun
from truetune.reports.visible import one_line
from truetune.reports.words import Say

GROUPS = ("model", "data", "versions", "seconds")
"""Groups of the manifest that have a heading of their own, in this order; all else is the run."""


def manifest_section(say: Say, run: SavedRun) -> Section:
    """Return everything that the manifest holds, and the config."""
    title = say["manifest.title"]
    parts: list[Part] = []
    if run.manifest:
        rest = {key: value for key, value in run.manifest.items() if key not in GROUPS}
        groups = {"run": rest, **{name: run.manifest[name] for name in GROUPS if run.manifest.get(name)}}
        parts += [Facts(say[f"manifest.{name}"], tuple(_facts(name, group))) for name, group in groups.items()]
    else:
        parts.append(Paragraph(say["missing.manifest"], "missing"))
    if run.config:
        parts.append(Source(say["manifest.config"], run.config))
    return Section("manifest", title, tuple(parts))


def _facts(group: str, values: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield names and values; names inside names are joined by dots."""
    if not isinstance(values, Mapping):
        yield prefix or group, _shown(group, prefix, values)
        return
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _facts(group, value, name)
        elif value not in (None, "", []):
            yield name, _shown(group, name, value)


def _shown(group: str, name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)
        return one_line(text)
    if group == "seconds":
        return numbers.duration(value)
    if name.endswith("bytes"):
        return numbers.size(value)
    if isinstance(value, int):
        return str(value) if "seed" in name else numbers.count(value)
    return f"{value:g}"
