"""SVG elements as escaped markup, and the frame that makes a drawing accessible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from truetune.reports.visible import one_line, shortened, visible

SIZE = 13.0
"""Font size of a figure's texts in its own units, which are pixels at full width."""

NARROW = 600.0
"""A drawing does not shrink below this width; what is around it scrolls instead."""

Attributes = Mapping[str, object]


class Point(NamedTuple):
    """A place in the drawing, in its units; y grows downwards."""

    x: float
    y: float


def element(name: str, attributes: Attributes, children: Iterable[Markup] = ()) -> Markup:
    """Return one element with escaped attributes; attributes of value None are left out."""
    written = "".join(f' {key}="{escape(_plain(value))}"' for key, value in attributes.items() if value is not None)
    inside = "".join(children)
    return Markup(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")  # noqa: S704


def group(children: Iterable[Markup], css: str | None = None, title: str = "") -> Markup:
    """Return a `<g>`; `title` is what a pointer resting on it shows."""
    head = [text_element("title", title)] if title else []
    return element("g", {"class": css}, [*head, *children])


def drawing(width: float, height: float, described: tuple[str, str], children: Iterable[Markup]) -> Markup:
    """Return an `<svg>` of that size with `described`: its title and the sentence that stands for it."""
    title, description = described
    return element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_plain(width)} {_plain(height)}",
            "width": width,
            "height": height,
            "style": f"min-width:{_plain(min(width, NARROW))}px",
            "role": "img",
            "aria-label": visible(f"{title}. {description}"),
        },
        [text_element("title", title), text_element("desc", description), *children],
    )


def text_element(name: str, content: str, attributes: Attributes | None = None) -> Markup:
    """Return an element that holds nothing but escaped text."""
    return element(name, attributes or {}, [escape(visible(content))])


def label(content: str, at: Point, css: str | None = None, anchor: str | None = None) -> Markup:
    """Return a line of text with its baseline at a point; `anchor` is `middle` or `end`."""
    return text_element("text", content, {"x": at.x, "y": at.y, "class": css, "text-anchor": anchor})


def fitted(content: str, at: Point, room: float, anchor: str | None = None) -> Markup:
    """Return a label cut to `room` pixels; the whole text then shows under the pointer."""
    whole = one_line(content)
    short = shortened(whole, room, SIZE)
    title = [text_element("title", whole)] if short != whole else []
    attributes = {"x": at.x, "y": at.y, "text-anchor": anchor}
    return element("text", attributes, [*title, escape(short)])


def line(start: Point, end: Point, css: str) -> Markup:
    """Return a straight line."""
    return element("line", {"x1": start.x, "y1": start.y, "x2": end.x, "y2": end.y, "class": css})


def polyline(points: Sequence[Point], css: str, title: str = "") -> Markup:
    """Return a line through points."""
    path = " ".join(f"{_plain(point.x)},{_plain(point.y)}" for point in points)
    head = [text_element("title", title)] if title else []
    return element("polyline", {"points": path, "class": css}, head)


def rectangle(corner: Point, width: float, height: float, css: str, opacity: float | None = None) -> Markup:
    """Return a rectangle by its upper left corner."""
    attributes = {"x": corner.x, "y": corner.y, "width": max(width, 0), "height": max(height, 0)}
    return element("rect", {**attributes, "class": css, "fill-opacity": opacity})


def circle(center: Point, radius: float, css: str) -> Markup:
    """Return a circle."""
    return element("circle", {"cx": center.x, "cy": center.y, "r": radius, "class": css})


def turned(content: str, at: Point, degrees: float, room: float) -> Markup:
    """Return a label that starts at a point and runs upwards for negative `degrees`, as column heads do."""
    whole = one_line(content)
    short = shortened(whole, room, SIZE)
    title = [text_element("title", whole)] if short != whole else []
    turn = f"rotate({_plain(degrees)} {_plain(at.x)} {_plain(at.y)})"
    return element("text", {"x": at.x, "y": at.y, "transform": turn}, [*title, escape(short)])


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
    return str(value)
