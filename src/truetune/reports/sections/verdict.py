"""The head of the page: is it better, by how much, how sure is that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Head, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.phrases import in_language
from truetune.reports.plots.difference import Panels, difference
from truetune.reports.plots.intervals import Line, Mark
from truetune.reports.run import SavedRun
from truetune.reports.sections.scores import difference_cells, mark, tone
from truetune.reports.words import Say

Json = Mapping[str, Any]


def run_head(say: Say, run: SavedRun) -> Head:
    """Return a run's verdict as it was saved; a run that has none says so."""
    model = (run.manifest.get("model") or {}).get("name") or say["unknown"]
    source = (run.manifest.get("data") or {}).get("source") or say["unknown"]
    subtitle = say["head.subtitle"].format(model=model, data=source)
    kicker = say["head.kicker"].format(task=say.name("task", run.task))
    lines = _lines(say, run)
    verdict = str((run.verdict or {}).get("verdict") or "")
    if not lines:
        return Head(kicker, run.name, subtitle, "none", say["head.no verdict"], (say["head.no verdict.why"],))
    return Head(kicker, run.name, subtitle, tone(verdict), lines[0], lines[1:], _run_figure(say, run))


def _lines(say: Say, run: SavedRun) -> tuple[str, ...]:
    """Return the saved verdict, its test and its reason in the language of the page."""
    lines = ((run.verdict or {}).get("lines") or {}).get(say.language) or ()
    one = run.compared.get(run.primary) or {}
    english = (str(one.get("signature") or "").partition("; ")[0], str(one.get("reason") or ""))
    known = {text: in_language(text, say.language) for text in english if text}
    return tuple(_replaced(line, known) for line in lines)


def _replaced(line: str, known: Mapping[str, str]) -> str:
    for text, shown in known.items():
        line = line.replace(text, shown)
    return line


def scores_head(say: Say, evaluation: Json, primary: str) -> Head:
    """Return the score that decides, with its interval, as the statement."""
    score = next((one for one in evaluation["scores"] if one["metric"] == primary), None)
    kicker = say["head.scores"]
    name = str(evaluation.get("system") or say.name("task", str(evaluation.get("task", ""))))
    if score is None or score["value"] is None:
        why = in_language(str((score or {}).get("reason") or ""), say.language)
        return Head(kicker, name, "", "none", say["head.no score"], (why,) if why else ())
    level = numbers.level([score])
    bounds = (numbers.number(score["low"]), numbers.number(score["high"]))
    known = score["low"] is not None and score["high"] is not None
    statement = say["head.score" if known else "head.score alone"].format(
        metric=metric_name(primary, say.language),
        value=numbers.number(score["value"]),
        low=bounds[0],
        high=bounds[1],
        level=level,
    )
    size = say["head.examples"].format(examples=numbers.count(score["examples"]))
    return Head(kicker, name, "", "open", statement, (size,))


def comparison_head(say: Say, comparison: Json) -> Head:
    """Return the verdict on the metric that decides: of the first candidate, each other one on a line."""
    ones = comparison["comparisons"]
    primary = str(comparison.get("primary") or (ones[0]["metric"] if ones else ""))
    deciding = [one for one in ones if one["metric"] == primary]
    systems: Sequence[str] = comparison.get("systems") or ()
    title = " · ".join(systems)
    if len(systems) == 2:
        title = f"{systems[1]} {say['against'].format(baseline=systems[0])}"
    kicker = say["head.comparison"]
    if not deciding:
        return Head(kicker, title, "", "none", say["head.no verdict"], ())
    statement, sure = _sentence(say, deciding[0]), _sure(say, deciding[0])
    joint = " " if say.language == "en" else ""
    others = [f"{_sentence(say, one)}{joint}{_sure(say, one)}" for one in deciding[1:]]
    return Head(kicker, title, "", tone(deciding[0]["verdict"]), statement, (sure, *others))


def _sentence(say: Say, one: Json) -> str:
    known = one["low"] is not None and one["high"] is not None
    return say["head.compared" if known else "head.compared alone"].format(
        verdict=say.name("verdict", one["verdict"]),
        candidate=one["candidate"],
        baseline=one["baseline"],
        metric=metric_name(one["metric"], say.language),
        difference=numbers.signed(one["difference"]),
        low=numbers.signed(one["low"]),
        high=numbers.signed(one["high"]),
    )


def _sure(say: Say, one: Json) -> str:
    """Return the p-value from which the verdict comes, and what could have been seen, where that is known."""
    told = (one.get(name) for name in ("p_margin", "p_adjusted", "p_value"))
    p = numbers.p_stated(next((value for value in told if value is not None), None))
    known = one["detectable"] is not None
    detectable = numbers.number(one["detectable"])
    return say["head.sure" if known else "head.sure alone"].format(p=p, detectable=detectable)


def _run_figure(say: Say, run: SavedRun) -> Figure | None:
    """Return before and after on one scale, their paired difference on another."""
    metric = run.primary
    one = run.compared.get(metric)
    if one is None or one["difference"] is None:
        return None
    name = metric_name(metric, say.language)
    lines, rows, records = [], [], []
    for system in run.systems:
        drawn = mark(say, system.score(metric), system.role, system.name)
        if drawn is None:
            return None
        role = say[f"column.{system.role}"]
        lines.append(Line(say["series"].format(role=role, name=system.name), (drawn,)))
        rows.append((Cell(lines[-1].label), Cell(numbers.number(drawn.value), numbers.interval(drawn.low, drawn.high))))
        records.append({"system": system.name, "role": system.role, metric: system.score(metric)})
    bounds = numbers.interval(one["low"], one["high"], sign=True)
    shown = numbers.signed(one["difference"])
    said = f"{shown} {bounds}".strip()
    change = Mark(one["difference"], one["low"], one["high"], f"change {tone(one['verdict'])}", shown, said)
    cells = difference_cells(say, one)
    rows.append((Cell(say["column.difference"]), cells[0]))
    records.append({"difference": one})
    title = say["head.figure"].format(metric=name)
    sentence = "; ".join(f"{line.label}: {line.marks[0].said}" for line in lines)
    panels = Panels(tuple(lines), Line(say["column.difference"], (change,)), name, say["head.figure.difference"])
    drawn_all = difference(panels, (title, f"{sentence}; {say['column.difference']}: {said}"))
    table = Table("verdict", title, (Column(""), Column(name, True)), tuple(rows), records)
    return Figure(title, drawn_all, say["head.figure.caption"], table)
