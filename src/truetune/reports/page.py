"""The page: one self-contained HTML file about a run, a system's scores, or a comparison."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from truetune import __version__
from truetune.files import write_text
from truetune.reports.agreement import disagreements
from truetune.reports.content import Head, Page, Paragraph, Section, Table
from truetune.reports.run import AFTER, SavedRun, System, read_run
from truetune.reports.sections.audit import audit_head, audit_sections
from truetune.reports.sections.baselines import baselines_section
from truetune.reports.sections.behaviour import behaviour_section
from truetune.reports.sections.changes import changes_section
from truetune.reports.sections.comparisons import comparisons_section
from truetune.reports.sections.confusion import confusion_section
from truetune.reports.sections.curves import curves_section
from truetune.reports.sections.data import audit_section, data_section
from truetune.reports.sections.decisions import decisions_section
from truetune.reports.sections.diagnosis import diagnosis_section
from truetune.reports.sections.drift import drift_head, drift_section
from truetune.reports.sections.errors import errors_section
from truetune.reports.sections.front import front_section
from truetune.reports.sections.kinds import kinds_section
from truetune.reports.sections.labels import labels_section
from truetune.reports.sections.learning import learning_section
from truetune.reports.sections.manifest import manifest_section
from truetune.reports.sections.probes import probes_section
from truetune.reports.sections.reading import reading_section
from truetune.reports.sections.reliability import reliability_section
from truetune.reports.sections.scores import scores_section
from truetune.reports.sections.search import confirmation_section, race_section, search_head, space_section
from truetune.reports.sections.settings import settings_section
from truetune.reports.sections.slices import compared_slices_section, slices_section
from truetune.reports.sections.verdict import comparison_head, run_head, scores_head
from truetune.reports.sections.weak import weak_parts, weak_section
from truetune.reports.support import support
from truetune.reports.visible import visible
from truetune.reports.words import Say, say_in
from truetune.tasks.table import PRETRAINED

OF_ANSWERS = ("changes", "errors", "confusion", "curves", "reliability")
"""Sections about single answers, right or wrong, of which pretraining has none."""


def run_page(run: Path, language: str) -> str:
    """Return the page of a run folder, from its saved files alone.

    What an unfinished run lacks is left out with a sentence that says why. Raises `RunError` for a folder
    that is no run or a file that cannot be read, `ConfigError` for an unknown language.
    """
    saved = read_run(run)
    say = say_in(language).of("pretraining") if saved.task in PRETRAINED else say_in(language)
    return _html(say, run_head(say, saved), _run_sections(say, saved), saved.name)


def scores_page(evaluation: Mapping[str, Any], language: str) -> str:
    """Return the page of one system's scores, from the JSON that `evaluate` prints."""
    say = say_in(language)
    system = System(AFTER, str(evaluation.get("system") or ""), evaluation)
    names = [score["metric"] for score in evaluation["scores"]]
    primary = str(evaluation.get("primary") or next(iter(names), ""))
    sections: tuple[Section | None, ...] = (
        scores_section(say, [system], {}, primary),
        labels_section(say, [system], {}),
        slices_section(say, evaluation, primary),
    )
    if evaluation.get("weak"):
        sections = (*sections, Section("weak", say["weak.title"], tuple(weak_parts(say, evaluation["weak"], None))))
    head = scores_head(say, evaluation, primary)
    return _html(say, head, tuple(section for section in sections if section), head.title)


def comparison_page(comparison: Mapping[str, Any], language: str) -> str:
    """Return the page of paired comparisons, from the JSON that `compare` prints."""
    say = say_in(language)
    head = comparison_head(say, comparison)
    sections = (comparisons_section(say, comparison), compared_slices_section(say, comparison))
    return _html(say, head, tuple(section for section in sections if section), head.title)


def audit_page(audit: Mapping[str, Any], name: str, language: str) -> str:
    """Return the page of an audit, from the JSON that `truetune audit` prints."""
    say = say_in(language)
    return _html(say, audit_head(say, audit, name), audit_sections(say, audit), name)


def drift_page(drift: Mapping[str, Any], name: str, language: str) -> str:
    """Return the page of drift of a file, from the JSON that `truetune drift` prints."""
    say = say_in(language)
    return _html(say, drift_head(say, drift, name), (drift_section(say, drift),), name)


def search_page(log: Mapping[str, Any], name: str, language: str) -> str:
    """Return the page of a search for better settings, from its `decisions.json`."""
    say = say_in(language)
    sections = (
        race_section(say, log),
        confirmation_section(say, log),
        front_section(say, log),
        settings_section(say, log),
        space_section(say, log),
    )
    return _html(say, search_head(say, log, name), tuple(section for section in sections if section), name)


def write(path: Path, html: str) -> None:
    """Write a page, whole or not at all."""
    write_text(path, html)


def _run_sections(say: Say, run: SavedRun) -> tuple[Section, ...]:
    predictions = run.after.predictions if run.after else None
    scored: tuple[Section | None, ...] = (
        Section("scores", say["scores.title"], (Paragraph(say["missing.scores"], "missing"),)),
    )
    if run.systems:
        stale = tuple(Paragraph(text, "warning") for text in disagreements(say, run))
        first = scores_section(say, run.systems, run.compared, run.primary)
        scored = (
            replace(first, parts=(*stale, *first.parts)),
            labels_section(say, run.systems, support(predictions)),
        )
    sections = (
        *scored,
        baselines_section(say, run),
        changes_section(say, run),
        kinds_section(say, run),
        weak_section(say, run),
        errors_section(say, predictions),
        behaviour_section(say, run),
        reading_section(say, run),
        probes_section(say, run),
        confusion_section(say, run.systems),
        curves_section(say, run.systems),
        reliability_section(say, run.systems),
        decisions_section(say, run),
        diagnosis_section(say, run),
        learning_section(say, run),
        data_section(say, run),
        audit_section(say, run),
        manifest_section(say, run),
    )
    left_out = OF_ANSWERS if run.task in PRETRAINED else ()
    return tuple(section for section in sections if section and section.id not in left_out)


def _html(say: Say, head: Head, sections: tuple[Section, ...], name: str) -> str:
    foot = say["page.foot"].format(version=__version__)
    page = Page(say.language, head, sections, foot)
    title = say["page.title.run"].format(name=name)
    return _templates().get_template("page.html").render(page=page, say=say, title=title).lstrip()


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("truetune.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"visible": visible, "download": _download}
    templates.globals["css"] = Markup(_source("page.css"))  # noqa: S704 - our own file
    return templates


def _source(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _download(table: Table) -> str:
    """Return the table's records as a data URI, so that the page carries its numbers unrounded."""
    text = json.dumps(list(table.records), ensure_ascii=False, indent=1, default=str)
    return "data:application/json;base64," + base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
