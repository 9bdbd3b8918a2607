"""Reading a picture back: the texts and boxes of an SVG, measured with the font file itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from xml.etree import ElementTree

from PIL import ImageFont

from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.diagrams.draw import Choices, draw
from archcalc.render.diagrams.text import FILES
from archcalc.spec.catalogue import load

SVG = "{http://www.w3.org/2000/svg}"


class Box(NamedTuple):
    """A rectangle by its corners."""

    left: float
    top: float
    right: float
    bottom: float
    text: str = ""

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box, slack: float = 0.5) -> bool:
        return (
            self.left - slack <= other.left
            and other.right <= self.right + slack
            and self.top - slack <= other.top
            and other.bottom <= self.bottom + slack
        )


@cache
def analysis_of(name: str) -> Analysis:
    return analyse(load(name))


@cache
def svg_of(name: str, style: str | None = None, depth: int | None = None) -> str:
    return draw(analysis_of(name), "svg", Choices(style=style, depth=depth)).data.decode()


def parse(text: str) -> ElementTree.Element:
    """The picture, with the look of its classes as attributes."""
    root = ElementTree.fromstring(text)
    light = "".join(style.text or "" for style in root.iter(f"{SVG}style")).partition("@media")[0]
    looks = {
        name: [rule.split(":") for rule in look.split(";")] for name, look in re.findall(r"\.(\w+){([^}]*)}", light)
    }
    for element in root.iter():
        for key, value in looks.get(element.get("class", ""), ()):
            element.set(key, value.removesuffix("px"))
    return root


@cache
def font(bold: bool) -> ImageFont.FreeTypeFont:
    """A shipped font, at a size of 1000."""
    return ImageFont.truetype(str(FILES[bold]), 1000, layout_engine=ImageFont.Layout.BASIC)


@cache
def width(text: str, size: float, bold: bool) -> float:
    """The width of a text by the font file, which the drawing does not read."""
    return font(bold).getlength(text) * size / 1000


def text_box(element: ElementTree.Element) -> Box:
    """Where a text is inked: capitals and small letters, without the descenders' last bit."""
    size = float(element.attrib["font-size"])
    text = element.text or ""
    long = width(text, size, element.get("font-weight") == "bold")
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    left = x - {"start": 0.0, "middle": long / 2, "end": long}[element.get("text-anchor", "start")]
    return Box(left, y - size * 0.72, left + long, y + size * 0.16, text)


def rectangles(group: ElementTree.Element) -> Iterator[Box]:
    for element in group.iter(f"{SVG}rect"):
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        yield Box(x, y, x + float(element.attrib["width"]), y + float(element.attrib["height"]))


def texts(root: ElementTree.Element) -> list[Box]:
    return [text_box(element) for element in root.iter(f"{SVG}text")]


def overlaps(boxes: list[Box]) -> list[tuple[str, str]]:
    """Pairs of boxes that meet."""
    found = []
    active: list[Box] = []
    for box in sorted(boxes, key=lambda box: box.top):
        active = [other for other in active if other.bottom > box.top]
        found += [(other.text, box.text) for other in active if other.meets(box)]
        active.append(box)
    return found


def groups(root: ElementTree.Element, role: str) -> list[ElementTree.Element]:
    return [element for element in root.iter(f"{SVG}g") if element.get("class") == role]


def layers_of(node: ElementTree.Element) -> list[str]:
    """The layers that a node shows."""
    several = node.get("data-layers")
    if several is not None:
        return [str(layer) for layer in json.loads(several)]
    return [layer for layer in [node.get("data-layer")] if layer is not None]


def course(data: str) -> Iterator[tuple[float, float]]:
    """Places along the path of a `d` attribute, as archcalc writes it: M, L, C and Z with absolute numbers."""
    here = (0.0, 0.0)
    for command, rest in re.findall(r"([MLCZ])([^MLCZ]*)", data):
        numbers = [float(part) for part in rest.split()]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "C":
            for place in range(1, 9):
                t = place / 8
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                curve = [here, *points]
                yield (sum(w * x for w, (x, _) in zip(weights, curve, strict=True)),
                       sum(w * y for w, (_, y) in zip(weights, curve, strict=True)))  # fmt: skip
        else:
            yield from points
        here = points[-1] if points else here


def check_picture(text: str) -> ElementTree.Element:
    """No text lies over another, leaves the picture, or is cut by its box; no two boxes of nodes meet."""
    root = parse(text)
    _, _, wide, high = (float(part) for part in root.attrib["viewBox"].split())
    page = Box(0, 0, wide, high)
    written = texts(root)
    assert [box.text for box in written if not page.holds(box)] == []
    assert overlaps(written) == []
    for path in root.iter(f"{SVG}path"):
        outside = [(x, y) for x, y in course(path.attrib["d"]) if not (0 <= x <= wide and 0 <= y <= high)]
        assert outside == [], path.attrib["d"]
    outer = []
    for node in groups(root, "node"):
        frames = list(rectangles(node))
        if not frames:
            continue
        shadow = Box(min(f.left for f in frames), min(f.top for f in frames), max(f.right for f in frames),
                     max(f.bottom for f in frames), (node.findtext(f"{SVG}title") or ""))  # fmt: skip
        outer.append(shadow)
        # A text inside of the box, or the size of the output, wholly outside of it.
        for box in (text_box(element) for element in node.iter(f"{SVG}text")):
            inside = any(frame.holds(box) for frame in frames)
            assert inside or not any(frame.meets(box) for frame in frames), box
    assert overlaps([box._replace(left=box.left + 1, right=box.right - 1, top=box.top + 1, bottom=box.bottom - 1)
                     for box in outer]) == []  # fmt: skip
    return root
