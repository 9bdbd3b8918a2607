"""Slides: shapes that can be edited, connectors that hold on to them and run as in the drawing."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pptx
import pytest

from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.draw import Choices, draw
from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.ooxml import ConnectorEnd, Pen, can_be_glued, connector
from tests.render.diagrams.pictures import analysis_of, width
from tests.render.diagrams.test_formats import scripts, special
from tests.tiers import slow_but

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
SITES = {0: (0.5, 0.0), 1: (0.0, 0.5), 2: (0.5, 1.0), 3: (1.0, 0.5)}


def slides(analysis: Analysis, **choices: Any) -> Any:
    return pptx.Presentation(io.BytesIO(draw(analysis, "pptx", Choices(**choices)).data)).slides


def tree(slide: Any) -> ElementTree.Element:
    return ElementTree.fromstring(slide.part.blob)


def _number(element: ElementTree.Element | None, name: str) -> float:
    assert element is not None
    return float(element.attrib[name])


def _part(element: ElementTree.Element, path: str) -> ElementTree.Element:
    found = element.find(path)
    assert found is not None, path
    return found


def course(shape: ElementTree.Element) -> list[Point]:
    """Where a preset connector runs, by its definition in ECMA-376 (presetShapeDefinitions.xml)."""
    transform = _part(shape, f"{P}spPr/{A}xfrm")
    off, ext = _part(transform, f"{A}off"), _part(transform, f"{A}ext")
    x, y, w, h = _number(off, "x"), _number(off, "y"), _number(ext, "cx"), _number(ext, "cy")
    geometry = _part(shape, f"{P}spPr/{A}prstGeom")
    shares = [float(guide.attrib["fmla"].split()[1]) / 100_000 for guide in geometry.iter(f"{A}gd")]
    kind = geometry.attrib["prst"]
    if kind == "straightConnector1":
        local = [(0.0, 0.0), (w, h)]
    elif kind == "bentConnector2":
        local = [(0.0, 0.0), (w, 0.0), (w, h)]
    else:
        assert kind == "bentConnector3"
        local = [(0.0, 0.0), (w * shares[0], 0.0), (w * shares[0], h), (w, h)]
    found = []
    for a, b in local:
        # Mirrored first, then turned around the middle.
        dx = (a - w / 2) * (-1 if transform.get("flipH") == "1" else 1)
        dy = (b - h / 2) * (-1 if transform.get("flipV") == "1" else 1)
        for _ in range(round(float(transform.get("rot", "0")) / 5_400_000)):
            dx, dy = -dy, dx
        found.append((x + w / 2 + dx, y + h / 2 + dy))
    return found


@pytest.mark.parametrize(
    "points",
    [
        [(10, 20), (10, 90)],
        [(10, 20), (300, 90)],
        [(10, 20), (50, 20), (50, 90)],
        [(10, 20), (10, 70), (90, 70)],
        [(90, 20), (90, 70), (10, 70)],
        [(10, 20), (10, 55), (80, 55), (80, 90)],
        [(80, 20), (80, 55), (10, 55), (10, 90)],
        [(10, 20), (50, 20), (50, 70), (90, 70)],
    ],
)
def test_bent_connectors_run_through_their_corners(points: list[Point]) -> None:
    points = [(x * 9525.0, y * 9525.0) for x, y in points]
    text = connector(7, "a", points, Pen("#000000", 9525), ConnectorEnd(1, 2), ConnectorEnd(2, 0))
    found = course(ElementTree.fromstring(text))
    assert len(found) == len(points)
    # A share is rounded, and ends in one line are drawn a hundred units apart.
    for (x, y), (a, b) in zip(points, found, strict=True):
        assert (a, b) == pytest.approx((x, y), abs=150)


@pytest.mark.parametrize(
    "points",
    [
        [(10, 20), (10, 80), (80, 80), (80, 90)],
        [(10, 20), (50, 20), (50, 90), (10, 90)],
        [(50, 10), (50, 30), (-70, 30), (-70, 95), (44, 95)],
        [(50, 500), (50, 530), (120, 530), (120, 5), (200, 5), (200, 40)],
    ],
)
def test_a_line_that_libreoffice_would_lay_elsewhere_is_a_shape_with_its_points(points: list[Point]) -> None:
    """LibreOffice 7.4 ignores where the corners of a glued connector are."""
    given = [(x * 9525, y * 9525) for x, y in points]
    shape = ElementTree.fromstring(
        connector(7, "a", given, Pen("#000000", 9525), ConnectorEnd(1, 2), ConnectorEnd(2, 0))
    )
    assert shape.tag == f"{P}sp"
    off = _part(shape, f"{P}spPr/{A}xfrm/{A}off")
    found = [(_number(one, "x"), _number(one, "y")) for one in shape.iter(f"{A}pt")]
    assert [(x + _number(off, "x"), y + _number(off, "y")) for x, y in found] == given


NETWORKS = [
    ("resnet18", {"style": "graph"}),
    ("resnet50", {"style": "blocks"}),
    ("googlenet@aux", {"style": "blocks"}),
    ("unet", {"style": "graph"}),
    ("nasnet_mobile", {"style": "blocks", "direction": "LR"}),
    ("xception", {"style": "blocks"}),
    ("resnet50", {"style": "blocks", "expand": "conv4_x/unit3"}),
]


def places(root: ElementTree.Element) -> dict[str, tuple[float, float, float, float]]:
    found = {}
    for shape in root.iter(f"{P}sp"):
        about, transform = _part(shape, f"{P}nvSpPr/{P}cNvPr"), shape.find(f"{P}spPr/{A}xfrm")
        if transform is not None:
            off, ext = _part(transform, f"{A}off"), _part(transform, f"{A}ext")
            found[about.attrib["id"]] = (
                _number(off, "x"), _number(off, "y"), _number(ext, "cx"), _number(ext, "cy")
            )  # fmt: skip
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "choices"), slow_but(NETWORKS[2:4], NETWORKS))
def test_every_edge_with_few_corners_is_a_connector_between_two_boxes(name: str, choices: dict[str, Any]) -> None:
    links = [
        link
        for link in drawing_of(analysis_of(name), Choices(**choices), links=True)[0].links
        if can_be_glued(link.points)
    ]
    (slide,) = slides(analysis_of(name), **choices)
    root = tree(slide)
    boxes = places(root)
    connectors = list(root.iter(f"{P}cxnSp"))
    assert len(connectors) == len(links) > 0
    for shape in connectors:
        about = _part(shape, f"{P}nvCxnSpPr/{P}cNvCxnSpPr")
        for end in ("stCxn", "endCxn"):
            glue = _part(about, f"{A}{end}")
            assert glue.attrib["id"] in boxes
            assert int(glue.attrib["idx"]) in SITES
        start = _part(about, f"{A}stCxn")
        x, y, w, h = boxes[start.attrib["id"]]
        a, b = SITES[int(start.attrib["idx"])]
        assert course(shape)[0] == pytest.approx((x + a * w, y + b * h), abs=30_000)


@pytest.mark.parametrize(("name", "choices"), slow_but(NETWORKS[2:4], [*NETWORKS, ("alexnet", {"style": "volumes"})]))
def test_numbers_of_shapes_are_their_own(name: str, choices: dict[str, Any]) -> None:
    (slide,) = slides(analysis_of(name), **choices)
    numbers = [element.attrib["id"] for element in tree(slide).iter(f"{P}cNvPr")]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("name", "choices"), slow_but(NETWORKS[2:4], [*NETWORKS, ("vgg16", {"style": "graph", "color_by": "params"})])
)
def test_texts_fit_into_their_boxes(name: str, choices: dict[str, Any]) -> None:
    (slide,) = slides(analysis_of(name), **choices)
    checked = 0
    for shape in tree(slide).iter(f"{P}sp"):
        transform = shape.find(f"{P}spPr/{A}xfrm")
        if transform is None or shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph") is not None:
            continue
        long, high = (_number(_part(transform, f"{A}ext"), key) for key in ("cx", "cy"))
        lines = [paragraph for paragraph in shape.iter(f"{A}p") if list(paragraph.iter(f"{A}r"))]
        sizes = [max(int(_part(run, f"{A}rPr").attrib["sz"]) for run in line.iter(f"{A}r")) for line in lines]
        for line in lines:
            wide = sum(
                width(run.findtext(f"{A}t") or "", int(_part(run, f"{A}rPr").attrib["sz"]) / 100,
                      _part(run, f"{A}rPr").attrib["b"] == "1")
                for run in line.iter(f"{A}r")
            )  # fmt: skip
            assert wide * 12_700 <= long * 1.01 + 12_700
            checked += 1
        assert sum(sizes) / 100 * 12_700 * 1.15 * 0.95 <= high * 1.02 + 12_700
    assert checked > 10


def test_a_slide_has_its_title_and_every_layer() -> None:
    (slide,) = slides(analysis_of("alexnet"), style="graph")
    assert slide.shapes.title.text == "AlexNet"
    text = "".join(tree(slide).itertext())
    for row in analysis_of("alexnet").rows:
        assert row.name in text
    assert "34,944 params" in text


@pytest.mark.slow
def test_slides_have_the_shape_that_was_asked_for() -> None:
    for fit, ratio in ((None, 16 / 9), ("4:3", 4 / 3)):
        data = draw(analysis_of("unet"), "pptx", Choices(fit=fit)).data
        presentation = pptx.Presentation(io.BytesIO(data))
        assert presentation.slide_width / presentation.slide_height == pytest.approx(ratio, rel=1e-3)


@pytest.mark.slow
def test_a_long_network_has_larger_slides_not_smaller_text() -> None:
    data = draw(analysis_of("resnet152"), "pptx", Choices(style="graph")).data
    presentation = pptx.Presentation(io.BytesIO(data))
    width, height = presentation.slide_width, presentation.slide_height
    assert width
    assert 12_192_000 * 2 < width <= 51_206_400
    assert height
    assert height <= 51_206_400


@pytest.mark.slow
@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
def test_names_are_escaped(style: str) -> None:
    for analysis in (special(), scripts()):
        (slide,) = slides(analysis, style=style)
        assert len(list(tree(slide).iter(f"{P}sp"))) > 4
    text = "".join(tree(slides(special(), style=style)[0]).itertext())
    assert "c<&\">'|_$%#~^\\`x`" in text


def test_steps_are_slides() -> None:
    found = slides(analysis_of("alexnet"), style="graph", steps=True)
    assert len(found) == 12
    boxes = [sum(bool("".join(shape.itertext()).strip()) for shape in tree(slide).iter(f"{P}sp")) for slide in found]
    assert boxes == sorted(set(boxes))
    lines = [
        sum(shape.find(f"{P}spPr/{A}ln/{A}tailEnd") is not None for shape in tree(slide).iter()) for slide in found
    ]
    assert lines == list(range(12))


@pytest.mark.slow
def test_the_same_bytes() -> None:
    first, second = (draw(analysis_of("resnet18"), "pptx", Choices(steps=True)).data for _ in range(2))
    assert first == second
    dates = {info.date_time for info in zipfile.ZipFile(io.BytesIO(first)).infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}
    core = zipfile.ZipFile(io.BytesIO(first)).read("docProps/core.xml").decode()
    assert "ResNet-18" in core
    assert not re.search(r"202\d", core)


def elements(slide: Any) -> Iterator[ElementTree.Element]:
    yield from tree(slide).iter()


def test_themes_colour_the_slide() -> None:
    (slide,) = slides(analysis_of("lenet5"), theme="dark")
    assert any(element.get("val") == "14181F" for element in elements(slide))


@pytest.mark.parametrize(("name", "style", "small"), [("resnet50", "graph", True), ("alexnet", "graph", False)])
@pytest.mark.parametrize("fit", [None, "16:9"])
def test_small_texts_of_slides_are_said(name: str, style: str, small: bool, fit: str | None) -> None:
    notes = draw(analysis_of(name), "pptx", Choices(style=style, fit=fit)).notes
    assert any("the smallest text is" in note for note in notes) == small
