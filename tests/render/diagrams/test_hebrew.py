"""Pictures in Hebrew: numbers keep their units, and stand in the order in which the line is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from archcalc.core.language import is_turned, use
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from tests.render.diagrams.pictures import analysis_of, svg_of

APART = re.compile("\u2066[^\u2066-\u2069]*\u2069")
#: A unit away from its number, or a product that a line from right to left would turn round.
TURNED = re.compile(r"\d\s[KMGT]\b|\d\s?[×+/=−]\s?\d|\d\s?[×+/=−] ?□|≥")


@pytest.fixture(autouse=True)
def hebrew() -> Iterator[None]:
    use("he")
    yield
    use("en")


def lines_of(name: str, style: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)", svg_of(name, style))


@pytest.mark.parametrize(
    "line",
    [
        "\u2067\u20669,536\u2069 פרמ' · \u2066118 M\u2069 כפ.\u2069",
        "\u2067\u20662 × 70,400\u2069 פרמ' · \u20662 × 218 M\u2069 כפ.\u2069",
        "\u2067סך הכול \u2066140,800\u2069 · \u2066437 M\u2069\u2069",
    ],
)
def test_numbers_of_a_box(line: str) -> None:
    assert line in [text.replace("&#x27;", "'") for text in lines_of("resnet50", "blocks")]


def test_layers_that_follow_each_other_run_from_right_to_left() -> None:
    picture = draw(analysis_of("googlenet"), "svg", Choices(style="blocks", fit="16:9", theme="light")).data.decode()
    lines = re.findall(r"<text[^>]*>([^<]*)", picture)
    chains = [line for line in lines if "←" in line]
    assert not [line for line in lines if "→" in line]
    assert all(line.startswith("\u2067\u2067") for line in chains)
    conv1 = "\u2067\u2067קונבולוציה \u20667×7\u2069, 64, \u2066/2\u2069\u2069 ← \u2066ReLU\u2069\u2069"
    assert f"\u2067{conv1}\u2069" in chains


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("resnet50", "blocks"), ("alexnet", "graph"), ("unet", "volumes"), ("alexnet@grouped", "towers"),
        ("mobilenet", "bars"), ("lenet5", "maps"), ("alexnet", "slabs"), ("googlenet", "tall"), ("yolov3", "detector"),
    ],
)  # fmt: skip
def test_numbers_with_units_and_products_are_set_apart(name: str, style: str) -> None:
    lines = [line for line in lines_of(name, style) if is_turned(line)]
    assert lines
    for line in lines:
        rest = line
        while (inner := APART.sub("□", rest)) != rest:
            rest = inner
        assert not TURNED.search(rest), line
        # A part from right to left stands in none from left to right: LibreOffice would not order it.
        assert "\u2066" not in APART.sub("", line)
