"""Demonstrations as pictures, slides and pages."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from PIL import Image

from archcalc.core.demonstration import Cell, Demonstration, Grid, Group, Step, Written
from archcalc.core.errors import UsageError
from archcalc.core.language import use
from archcalc.execute.demonstrate.demonstrate import demonstrate
from archcalc.passes.analysis import analyse
from archcalc.render.demos.demo import render
from archcalc.render.demos.frames import Frames
from archcalc.render.diagrams.drawing import Text
from archcalc.render.diagrams.theme import LIGHT
from archcalc.spec.catalogue import load
from tests.core.messages import TRANSLATED

HOSTILE = '</script><script>alert(1)</script><b>&\u202e\x07"'


@cache
def shown(kind: str = "conv", network: str = "5x5x3 -> conv3-2/2p1") -> Demonstration:
    return demonstrate(kind, analyse(load(network)))


def hostile() -> Demonstration:
    grid = Grid(HOSTILE, ((1.0, None),), (0, 0, 1, 2))
    step = Step(HOSTILE, (Cell(0, 0, 0),), (), (Written(Cell(0, 0, 1), -2.5),), (HOSTILE,))
    return Demonstration("conv", HOSTILE, HOSTILE, (Group(HOSTILE, (grid,)),), (step,), (HOSTILE,))


def texts(number: int) -> list[str]:
    return [shape.text for shape in Frames(shown(), LIGHT).drawing(number).shapes() if isinstance(shape, Text)]


def test_the_output_fills_in() -> None:
    demonstration = shown()
    counts = [len([text for text in texts(number) if re.fullmatch(r"−?\d+", text)]) for number in (0, 1, 7, 18)]
    # 3 maps of 7×7, 2 filters of 3·3·3 and a bias each, and the values written so far; what is marked appears twice.
    assert counts[0] == 3 * 49 + 2 * 28
    frames = Frames(demonstration, LIGHT)
    for number in (1, 7, 18):
        boxes = {shape for shape in frames.overlay(number)[0].shapes if not isinstance(shape, Text)}
        assert len(boxes) == 27 + 28 + 1
    assert "7. filter 0 at 2, 0" in texts(7)
    assert "7. filter 0 at 2, 0" not in texts(8)


@pytest.mark.parametrize("kind", ["conv", "im2col", "matrix", "backward"])
def test_everything_lies_in_the_picture_and_matrices_stand_apart(kind: str) -> None:
    frames = Frames(shown(kind, "5x5x1 -> conv3-1p0"), LIGHT)
    for shape in frames.drawing(3).shapes():
        right = shape.x + getattr(shape, "width", 0)  # type: ignore[union-attr]
        assert shape.x >= 0  # type: ignore[union-attr]
        assert right <= frames.width
        assert shape.y <= frames.height  # type: ignore[union-attr]
    areas = [
        (one.x, one.y, one.x + one.width * len(grid.values[0]), one.y + one.height * len(grid.values))
        for one, grid in zip(frames.places, frames.grids, strict=True)
    ]
    for number, (left, top, right, bottom) in enumerate(areas):
        for other in areas[number + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_a_picture_that_moves_is_one_svg_with_a_time_for_each_step() -> None:
    text = render(shown("pool", "4x4x1 -> pool2"), "svg").decode()
    fromstring(text)
    assert [int(step) for step in re.findall(r'<g class="plain" data-step="(\d+)"', text)][::2] == [1, 2, 3, 4, 5]
    assert text.count("@keyframes") == 5
    assert "prefers-reduced-motion" in text


def test_a_gif_has_a_picture_for_each_step() -> None:
    data = render(shown("pool", "4x4x1 -> pool2"), "gif")
    picture: Any = Image.open(io.BytesIO(data))
    assert (picture.n_frames, picture.info["loop"], picture.info["duration"]) == (5, 0, 1600)
    assert data == render(shown("pool", "4x4x1 -> pool2"), "gif")


def test_slides_have_a_step_each() -> None:
    from pptx import Presentation

    slides = Presentation(io.BytesIO(render(shown("pool", "4x4x1 -> pool2"), "pptx"))).slides
    assert len(slides) == 5


def test_a_page_holds_every_number_and_loads_nothing() -> None:
    text = render(shown(), "html").decode()
    assert text.count("<td") == 3 * 49 + 2 * 28 + 2 * 9
    assert not re.search(r'(?:src|href)="', text)
    assert "default-src 'none'" in unescape(text)
    names = re.findall(r' id="([^"]+)"', text)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("form", ["html", "svg", "gif", "pptx"])
def test_hostile_words_stay_words(form: str) -> None:
    data = render(hostile(), form)
    if form in ("html", "svg"):
        text = data.decode()
        assert text.count("<script") == (2 if form == "html" else 0)
        assert "<b>" not in text
        assert "\u202e" not in text
        assert "\x07" not in text


def test_what_cannot_be_made() -> None:
    with pytest.raises(UsageError, match="no format 'png'; there are html, svg, gif, pptx"):
        render(shown(), "png")
    with pytest.raises(UsageError, match="no theme 'pink'"):
        render(shown(), "svg", "pink")


@pytest.fixture(params=TRANSLATED)
def chosen(request: pytest.FixtureRequest) -> Iterator[str]:
    use(request.param)
    yield request.param
    use("en")


@pytest.mark.parametrize(
    ("kind", "network"),
    [
        ("conv", "40x40x5 -> conv3-9/2p1"), ("pool", "6x6x2 -> avgpool3/2p1"), ("im2col", "5x5x2 -> conv3-2p0"),
        ("matrix", "4x4x1 -> conv2-1p0"), ("dilated", "9x9x1 -> conv3-1p1"), ("transposed", "3x3x1 -> upconv3-1/2d2"),
        ("receptive-field", "24x24x3 -> conv3-4 -> pool2 -> conv3-4"), ("backward", "5x5x2 -> conv3-2p1"),
        ("backward", "6x6x1 -> pool2"),
    ],
)  # fmt: skip
def test_every_sentence_is_in_the_language(kind: str, network: str, chosen: str) -> None:
    made = demonstrate(kind, analyse(load(network)))
    said = [made.title, made.subtitle, *made.notes, *(group.title for group in made.groups)]
    said += [text for step in made.steps for text in (step.title, *step.lines)]
    names = re.compile(r"max-|(conv|pool|upconv|avgpool)\d|[WX]_(row|col)|" + re.escape(network))
    assert not [text for text in said if re.search("[A-Za-z]{3}", names.sub("", text))]
    page = render(made, "html").decode()
    assert f'<html lang="{chosen}" dir="{"rtl" if chosen == "he" else "ltr"}">' in page
    words = re.sub("<[^>]*>", " ", re.sub("(?s)<(style|script).*?</(style|script)>", " ", page))
    assert not re.findall("[A-Za-z]{3,}", names.sub("", re.sub("Home|End", "", unescape(words))))
    pictures = [shape.text for shape in Frames(made, LIGHT).drawing(1).shapes() if isinstance(shape, Text)]
    assert not [text for text in pictures if re.search("[A-Za-z]{3}", names.sub("", text))]


def test_mathematics_runs_from_left_to_right_in_hebrew() -> None:
    use("he")
    try:
        made = demonstrate("conv", analyse(load("9x9x2 -> conv5-1p2")))
    finally:
        use("en")
    first, *_, last = made.steps[0].lines
    assert re.fullmatch("\u2066x.*\u2069", first)
    assert re.search("\u2066[^\u2066]* = [^\u2066]*\u2069$", last)
