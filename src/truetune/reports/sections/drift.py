"""The page of drift: a verdict, and how each feature was and is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Head, Section, Table
from truetune.reports.visible import one_line
from truetune.reports.words import Say

Json = Mapping[str, Any]


def drift_head(say: Say, drift: Json, name: str) -> Head:
    """Return whether drift is shown, and of what."""
    sizes = {"examples": numbers.count(drift["examples"]), "reference": numbers.count(drift["reference"])}
    subtitle = say["drift.subtitle"].format(**sizes)
    names = [str(one["feature"]) for one in drift["features"] if one["drifted"]]
    moved = say["drift.and"].join(say[f"drift.feature.{name}"] for name in names)
    alpha = numbers.share(drift["alpha"])
    told = say["drift.shown"].format(features=moved) if drift["drift"] else say["drift.not shown"].format(alpha=alpha)
    lines = [say["drift.method"].format(number=len(drift["features"]), alpha=alpha)]
    if drift["grouped"]:
        lines.append(say["drift.grouped"])
    return Head(say["drift.kicker"], name, subtitle, "worse" if drift["drift"] else "none", told, tuple(lines))


def drift_section(say: Say, drift: Json) -> Section:
    """Return the table of all features."""
    return Section("features", say["drift.caption"], (drift_table(say, drift),))


def drift_table(say: Say, drift: Json) -> Table:
    """Return how each feature was on validation and is in the file."""
    names = ("feature", "before", "after", "distance", "p", "adjusted", "drifted")
    columns = tuple(Column(say[f"drift.column.{name}"], name not in ("feature", "drifted")) for name in names)
    rows = tuple(_row(say, one) for one in drift["features"])
    return Table("drift", "", columns, rows, drift["features"])


def _row(say: Say, one: Json) -> tuple[Cell, ...]:
    name = str(one["feature"])
    name = say[f"drift.feature.{name}"]
    if one["bin"] is None:
        feature = say["drift.median"].format(feature=name)
        values = [_plain(one["before"]), _plain(one["after"])]
    else:
        feature = say["drift.share"].format(feature=name, bin=one_line(one["bin"]))
        values = [numbers.share(one["before"]), numbers.share(one["after"])]
    told = say["drift.yes" if one["drifted"] else "drift.no"]
    tests = [numbers.share(one["distance"]), numbers.p_value(one["p_value"]), numbers.p_value(one["p_adjusted"])]
    return tuple(Cell(text) for text in (feature, *values, *tests, told))


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3f}"
