"""Classes for what shapes share: the same picture in fewer letters."""

from __future__ import annotations

import pytest

from archcalc.render.convert import to_png
from archcalc.render.diagrams.classes import with_classes
from archcalc.render.diagrams.draw import Choices
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.svg import svg
from tests.render.diagrams.pictures import analysis_of, parse


@pytest.mark.parametrize(("style", "theme"), [("graph", "light"), ("volumes", None), ("towers", None)])
def test_the_picture_is_the_same_and_shorter(style: str, theme: str | None) -> None:
    plain = svg(drawing_of(analysis_of("alexnet@grouped"), Choices(style=style, theme=theme))[0])
    short = with_classes(plain)
    assert len(short) < 0.75 * len(plain)
    assert with_classes(plain) == short
    shapes, others = (
        [(element.tag, element.text, {key: value for key, value in element.items() if key != "class"})
         for element in parse(text).iter() if not element.tag.endswith("}style")]
        for text in (plain, short)
    )  # fmt: skip
    assert shapes == others


@pytest.mark.slow
def test_the_pixels_are_the_same() -> None:
    plain = svg(drawing_of(analysis_of("alexnet@grouped"), Choices(style="towers"))[0])
    assert to_png(with_classes(plain), 1) == to_png(plain, 1)


def test_a_picture_with_nothing_in_common_stays() -> None:
    text = '<svg>\n<desc id="desc">a</desc>\n<rect x="1" fill="#000" stroke="#fff"/>\n</svg>\n'
    assert with_classes(text) == text
