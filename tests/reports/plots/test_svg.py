"""Every figure is well-formed XML whose texts are what was given, whatever they are."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest
from markupsafe import Markup

from truetune.reports.plots.confusion import Matrix, heat_map, row_shares
from truetune.reports.plots.curves import Curve, Frame, curves
from truetune.reports.plots.difference import Panels, difference
from truetune.reports.plots.flips import Change, Part, gained_and_lost, whole_and_parts
from truetune.reports.plots.intervals import Line, Mark, dots
from truetune.reports.plots.learning import Learning, Words, learning_curve
from truetune.reports.plots.reliability import Bin, Reliability, reliability
from truetune.reports.plots.reliability import Words as ReliabilityWords
from truetune.reports.plots.svg import Point, fitted, label

NAME = "</text><script>alert(1)</script> & \"'\x00 好评 👩‍👩‍👧 \u202e"
SAID = ("title " + NAME, "description " + NAME)
SVG = "{http://www.w3.org/2000/svg}"


def interval_plot(name: str) -> Markup:
    marks = (Mark(0.5, 0.4, 0.6, "before", "0.500", name), Mark(0.7, None, None, "after", "0.700", name))
    return dots([Line(name, marks), Line("", ())], SAID, name, [("before", name), ("after", name)])


def difference_plot(name: str) -> Markup:
    rows = (Line(name, (Mark(0.5, 0.4, 0.6, "before", "0.500", name),)),)
    change = Line(name, (Mark(-0.02, -0.05, 0.01, "change", "-0.020", name),))
    return difference(Panels(rows, change, name, name), SAID)


def curve_plot(name: str) -> Markup:
    x = np.array([0.0, 0.0, 1.0])
    return curves([Curve("after", name, x, x[::-1])], Frame(name, name, (Point(0, 0), Point(1, 1))), SAID)


def matrix_plot(name: str) -> Markup:
    counts = np.array([[5, 1], [0, 123456]])
    return heat_map(
        Matrix((name, "b"), (name, "b"), counts, row_shares(counts), frozenset({(0, 0), (1, 1)})), (name, name), SAID
    )


def reliability_plot(name: str) -> Markup:
    bins = (Bin(0.4, 0.5, 0.45, 0.5, 7, name), Bin(0.9, 1.0, 0.97, 0.9, 70, name))
    return reliability([Reliability("after", name, bins)], ReliabilityWords(name, name, name), SAID)


def learning_plot(name: str) -> Markup:
    steps = np.arange(1.0, 2001)
    run = Learning(steps, 1 / steps, ((1000.0, name),), np.array([1000.0, 2000.0]), np.array([0.5, 0.5]), 1)
    return learning_curve(run, Words(name, name, name, name, name), SAID)


def flip_plots(name: str) -> Markup:
    bar = whole_and_parts([Part("kept", name, 7), Part("lost", name, 0)], SAID)
    return Markup("<g xmlns='http://www.w3.org/2000/svg'>{}{}</g>").format(
        bar, gained_and_lost([Change(name, 3, 0), Change("b", 0, 9)], (name, name), SAID)
    )


PLOTS = [interval_plot, difference_plot, curve_plot, matrix_plot, reliability_plot, learning_plot, flip_plots]


@pytest.mark.parametrize("plot", PLOTS)
def test_texts_are_escaped_and_places_are_numbers(plot: Callable[[str], Markup]) -> None:
    root = ET.fromstring(str(plot(NAME)))
    assert not list(root.iter(f"{SVG}script"))
    said = "".join(root.itertext())
    assert "</text><script>" in said
    assert "\\x00" in said
    for element in root.iter():
        for key in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"):
            assert np.isfinite(float(element.get(key, "0")))
        for key in ("width", "height"):
            assert float(element.get(key, "0")) >= 0


@pytest.mark.parametrize("plot", PLOTS)
def test_a_reader_who_cannot_see_it_is_told_what_it_shows(plot: Callable[[str], Markup]) -> None:
    root = ET.fromstring(str(plot("accuracy")))
    drawings = [root] if root.tag == f"{SVG}svg" else list(root.iter(f"{SVG}svg"))
    for one in drawings:
        assert one.get("role") == "img"
        assert (one.get("aria-label") or "").startswith("title ")
        assert [child.tag for child in list(one)[:2]] == [f"{SVG}title", f"{SVG}desc"]


def test_a_label_that_does_not_fit_keeps_its_whole_text_under_the_pointer() -> None:
    short = ET.fromstring(str(fitted("a_very_long_label_indeed", Point(0, 0), 60)))
    assert (short.findtext("title") or "") == "a_very_long_label_indeed"
    assert "".join(short.itertext()).endswith("…")
    whole = ET.fromstring(str(fitted("short", Point(0, 0), 60)))
    assert whole.text == "short"


def test_numbers_are_written_short() -> None:
    assert label("x", Point(1 / 3, 2.0)) == '<text x="0.33" y="2">x</text>'
