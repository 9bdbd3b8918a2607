"""Pictures in a font of one's own: boxes are made for its widths, and what is no font is one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.drawing import Rect, Text
from archcalc.render.diagrams.fonts import drawn_in
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.text import FACE, FILES, text_width
from tests.render.diagrams.pictures import analysis_of

REGULAR, BOLD = str(FILES[False]), str(FILES[True])


@pytest.mark.parametrize("text", ["conv 3×3, 64", "свёртка", "קונבולוציה", "34,944 params", "⌊13/2⌋ ⌈13/2⌉ QKᵀ"])
@pytest.mark.parametrize("bold", [False, True])
def test_a_font_from_a_file_is_measured_as_the_shipped_one(text: str, bold: bool) -> None:
    wanted = text_width(text, 12, bold)
    with drawn_in((REGULAR, BOLD)):
        assert text_width(text, 12, bold) == pytest.approx(wanted, rel=0.04)
    with drawn_in(REGULAR):  # a string is one file; without a second one bold letters are as wide as others
        assert text_width(text, 12, True) == pytest.approx(text_width(text, 12, False))
    assert FACE.get() is None


@pytest.mark.parametrize("style", ["graph", "blocks"])
def test_boxes_are_as_wide_as_texts_in_the_font_need(style: str) -> None:
    """All letters bold: the boxes are wider, and no text leaves its own."""
    plain, _ = drawing_of(analysis_of("resnet18"), Choices(style=style))
    with drawn_in((BOLD, BOLD)):
        wide, _ = drawing_of(analysis_of("resnet18"), Choices(style=style))
        for item in wide.items:
            boxes = [shape for shape in item.shapes if isinstance(shape, Rect) and item.role == "node"]
            for shape in item.shapes if boxes else ():
                if isinstance(shape, Text) and shape.anchor == "middle":
                    half = text_width(shape.text, shape.size, shape.bold) / 2
                    assert min(box.x for box in boxes) <= shape.x - half
                    assert shape.x + half <= max(box.x + box.width for box in boxes)
    again, _ = drawing_of(analysis_of("resnet18"), Choices(style=style))
    assert (again.width, again.height) == (plain.width, plain.height)

    def widest(drawing: object) -> float:
        return max(s.width for i in drawing.items if i.role == "node" for s in i.shapes if isinstance(s, Rect))  # type: ignore[attr-defined]

    assert widest(wide) > widest(plain)


def test_pictures_name_the_font() -> None:
    name = "'Arimo', Arimo, Arial"
    assert name in draw(analysis_of("lenet5"), "svg", Choices(font=(BOLD,))).data.decode()
    assert name not in draw(analysis_of("lenet5"), "svg").data.decode()
    assert draw(analysis_of("lenet5"), "pdf", Choices(font=(BOLD,))).data.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "is no font"), (b"# Changes", "is no font"), (FILES[False].read_bytes()[:2000], "is no font")],
)
def test_what_is_no_font_is_one_error(data: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "own.ttf"
    file.write_bytes(data)
    with pytest.raises(UsageError, match=message):
        draw(analysis_of("lenet5"), "svg", Choices(font=(str(file),)))


def test_other_faults_of_fonts_are_errors(tmp_path: Path) -> None:
    for files, message in (((str(tmp_path / "no.ttf"),), "there is no file"), ((BOLD,) * 3, "up to two files")):
        with pytest.raises(UsageError, match=message):
            draw(analysis_of("lenet5"), "svg", Choices(font=files))
    with pytest.raises(UsageError, match="dot leaves fonts to the program"):
        draw(analysis_of("lenet5"), "dot", Choices(font=(BOLD,)))
