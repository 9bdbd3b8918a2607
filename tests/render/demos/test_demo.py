"""Demonstrations as pictures, slides and pages."""

from __future__ import annotations

import io
import re
from functools import cache
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from PIL import Image

from archcalc.core.demonstration import Cell, Demonstration, Grid, Group, Step, Written
from archcalc.core.errors import UsageError
from archcalc.execute.demonstrate.demonstrate import demonstrate
from archcalc.passes.analysis import analyse
from archcalc.render.demos.demo import render
from archcalc.render.demos.frames import Frames
from archcalc.render.diagrams.drawing import Text
from archcalc.render.diagrams.theme import LIGHT
from archcalc.spec.catalogue import load

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
    assert "default-src 'none'" in text
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
