"""Reading a plot back: its data from the specification, its texts from the SVG, measured with the font file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from math import cos, radians, sin
from typing import Any
from xml.etree import ElementTree

from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.render import svg
from archcalc.spec.catalogue import load
from tests.render.diagrams.pictures import SVG, Box, overlaps, parse, width

Spec = dict[str, Any]
Matrix = tuple[float, float, float, float, float, float]
_STEP = re.compile(r"(translate|rotate)\(([^)]*)\)")


@cache
def analysis_of(name: str) -> Analysis:
    return analyse(load(name))


def data_of(spec: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """The rows of the first layer whose data has a field of this name."""
    for layer in spec["layer"]:
        rows: list[dict[str, Any]] = layer["data"]["values"]
        if rows and field in rows[0]:
            return rows
    raise AssertionError(f"no layer has the field {field}")


def words_of(spec: Mapping[str, Any]) -> str:
    """Every text that stands in the picture by itself."""
    return "\n".join(str(layer["mark"]["text"]) for layer in spec["layer"] if "text" in layer["mark"])


def _times(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f)


def _matrix(text: str) -> Matrix:
    found: Matrix = (1, 0, 0, 1, 0, 0)
    for name, numbers in _STEP.findall(text):
        values = [float(number) for number in re.split(r"[ ,]+", numbers.strip())]
        if name == "translate":
            step: Matrix = (1, 0, 0, 1, values[0], values[1] if len(values) > 1 else 0)
        else:
            angle = radians(values[0])
            step = (cos(angle), sin(angle), -sin(angle), cos(angle), 0, 0)
        found = _times(found, step)
    return found


def _walk(element: ElementTree.Element, outer: Matrix) -> Iterator[tuple[ElementTree.Element, Matrix]]:
    matrix = _times(outer, _matrix(element.get("transform", "")))
    yield element, matrix
    for child in element:
        yield from _walk(child, matrix)


def texts(root: ElementTree.Element) -> list[Box]:
    """Where each text is inked; turned ones too."""
    found = []
    for element, (a, b, c, d, e, f) in _walk(root, (1, 0, 0, 1, 0, 0)):
        if element.tag != f"{SVG}text" or not (element.text or "").strip():
            continue
        size = float(element.attrib["font-size"].removesuffix("px"))
        text = element.text or ""
        long = width(text, size, element.get("font-weight") == "bold")
        left = -{"start": 0.0, "middle": long / 2, "end": long}[element.get("text-anchor", "start")]
        corners = [(x, y) for x in (left, left + long) for y in (-size * 0.72, size * 0.16)]
        xs = [a * x + c * y + e for x, y in corners]
        ys = [b * x + d * y + f for x, y in corners]
        found.append(Box(min(xs), min(ys), max(xs), max(ys), text))
    return found


def check_chart(spec: Mapping[str, Any]) -> ElementTree.Element:
    """The SVG of a plot: as large as it says; no text leaves it or lies over another one."""
    root = parse(svg(spec))
    _, _, wide, high = (float(part) for part in root.attrib["viewBox"].split())
    padding = spec["padding"]
    assert wide == round(spec["width"] + padding["left"] + padding["right"])
    assert high == round(spec["height"] + padding["top"] + padding["bottom"])
    written = texts(root)
    assert len(written) > 3
    page = Box(0, 0, wide, high)
    assert [box.text for box in written if not page.holds(box)] == []
    assert overlaps(written) == []
    return root
