"""A chart as shapes looks as Vega's own picture of it, pixel by pixel."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops

from archcalc.passes.analysis import analyse
from archcalc.render.charts.compare import compare
from archcalc.render.charts.figure import Look
from archcalc.render.charts.memory import memory
from archcalc.render.charts.profile import profile
from archcalc.render.charts.receptive_field import receptive_field
from archcalc.render.charts.render import svg as by_vega
from archcalc.render.charts.shapes import chart_shapes, read_shapes
from archcalc.render.charts.timeline import timeline
from archcalc.render.convert import to_png
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Text
from archcalc.render.diagrams.svg import svg
from archcalc.spec.catalogue import load
from tests.tiers import slow_but

LOOK = Look("light", 880, 400, "")
ALONG = {"memory": memory, "profile": profile, "receptive_field": receptive_field}
SEVERAL = {"compare": compare, "timeline": timeline}


def _pixels(drawn: str) -> Image.Image:
    return Image.open(io.BytesIO(to_png(drawn, 1))).convert("RGB")


@pytest.mark.parametrize("kind", slow_but(["memory"], [*ALONG, *SEVERAL]))
def test_the_shapes_look_as_the_chart_does(kind: str) -> None:
    networks = [analyse(load(name)) for name in ("alexnet", "vgg16", "resnet50")]
    spec = ALONG[kind](networks[0], LOOK) if kind in ALONG else SEVERAL[kind](networks, LOOK)
    drawing = Drawing(880, 400, "#ffffff", "title", "", (chart_shapes(spec),))
    difference = ImageChops.difference(_pixels(svg(drawing)), _pixels(by_vega(spec))).convert("L").histogram()
    # Edges of curves may be rounded to another hundredth of a pixel; a text that were moved would differ in hundreds.
    assert sum(difference[60:]) < 60


def test_what_is_written_is_read() -> None:
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9" fill="#ffffff"/>'
        '<g transform="translate(5,7)">'
        '<text transform="translate(1,2) rotate(-90) translate(0,-3)" font-size="13px" text-anchor="middle">up</text>'
        '<path d="M0,0h4v2h-4Z" fill="#ff0000" stroke="#0000ff" stroke-width="2"/>'
        '<path d="M0,0h1v1Z" opacity="0"/></g></svg>'
    )
    text, area, line = read_shapes(drawn)
    assert text == Text(3, 9, "up", 13, "#000000", anchor="middle", turned=True)
    assert isinstance(area, Curve)
    assert isinstance(line, Curve)
    assert set(area.points) == {(5, 7), (9, 7), (9, 9), (5, 9)}
    assert (area.fill, line.line, line.thickness) == ("#ff0000", "#0000ff", 2)
    assert 'transform="rotate(-90 3 9)"' in svg(Drawing(9, 9, "#ffffff", "", "", (Cluster("", (text,)),)))


@pytest.mark.parametrize(
    "part",
    [
        '<circle r="3"/>',
        '<path d="M0,0Q1,1,2,2" fill="#000000"/>',
        '<text transform="rotate(45)">x</text>',
        '<path d="M0,0A5,5,0,0,1,3,3" fill="#000000"/>',
    ],
)
def test_what_is_not_known_is_an_error(part: str) -> None:
    with pytest.raises(ValueError, match="a chart holds"):
        read_shapes(f'<svg xmlns="http://www.w3.org/2000/svg">{part}</svg>')
