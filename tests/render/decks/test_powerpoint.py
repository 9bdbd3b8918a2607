"""Decks as presentations: read back with python-pptx, and their XML looked at where that does not go."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from pptx import Presentation

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.render.decks.deck import render, usual_plan
from archcalc.render.decks.lecture import Plan, Points, Section, Titled, Wanted
from archcalc.render.decks.template import Template
from archcalc.render.diagrams.fonts import installed
from archcalc.render.diagrams.theme import THEMES, contrast
from tests.render.decks.presentations import corporate, opened, parts, slides_of, texts_of
from tests.render.decks.test_deck import analysis_of, deck_of

HOSTILE = "<b>&\u202e\x07 \" ' ]]>"


@cache
def made(*names: str, steps: bool = False, template: bytes | None = None) -> bytes:
    plan = usual_plan([analysis_of(name) for name in names])
    return render(plan, "pptx", steps=steps, template=template, name="corporate.pptx")[0]


def test_titles_tables_points_and_notes_can_be_read_back() -> None:
    presentation = opened(made("lenet5"))
    slides = list(presentation.slides)
    wanted = deck_of("lenet5").slides
    assert [slide.shapes.title.text_frame.text for slide in slides] == [slide.title for slide in wanted]
    assert [slide.notes_slide.notes_text_frame.text for slide in slides] == ["\n".join(one.notes) for one in wanted]
    table = next(shape.table for shape in slides[2].shapes if shape.has_table)
    assert [cell.text for cell in table.rows[1].cells][:3] == ["input", "", "32×32×1"]
    assert [cell.text for cell in table.rows[len(table.rows) - 1].cells][3] == "61,706"
    assert texts_of(slides[7]).splitlines()[1:5] == list(wanted[7].points)
    assert (presentation.core_properties.title, presentation.slide_width) == ("LeNet-5", 12_192_000)


def test_pictures_are_shapes_with_glued_connectors() -> None:
    slide = opened(made("lenet5", steps=True)).slides[1]
    kinds = [type(shape).__name__ for shape in slide.shapes]
    assert kinds.count("Connector") == 3
    assert sum("tailEnd" in shape._element.xml for shape in slide.shapes) == 7
    assert {shape.name for shape in slide.shapes if type(shape).__name__ == "GroupShape"} >= {"C1", "S2", "F6"}
    assert not any("Picture" in kind for kind in kinds)


@pytest.mark.parametrize("template", [None, corporate()], ids=["usual", "template"])
def test_numbers_of_shapes_differ_and_everything_lies_on_the_slide(template: bytes | None) -> None:
    data = made("lenet5", steps=True, template=template)
    presentation = opened(data)
    for slide, text in zip(presentation.slides, slides_of(data), strict=True):
        numbers = re.findall(r'<p:cNvPr id="(\d+)"', text)
        assert len(numbers) == len(set(numbers))
        for shape in slide.shapes:
            assert shape.left > -80_000
            assert shape.top >= 0
            assert shape.left + shape.width < presentation.slide_width + 80_000, (shape.name, shape.left, shape.width)
            assert shape.top + shape.height < presentation.slide_height + 80_000, shape.name


def test_contents_lie_below_the_title() -> None:
    for slide in opened(made("lenet5", template=corporate())).slides:
        title = slide.shapes.title
        for shape in slide.shapes:
            if shape is not title and not shape.is_placeholder:
                assert shape.top >= title.top + title.height


def test_steps_name_shapes_that_are_there() -> None:
    data = made("lenet5", steps=True)
    timed = {number: text for number, text in enumerate(slides_of(data)) if "<p:timing" in text}
    # The picture, two derivations, the quiz.
    assert sorted(timed) == [1, 3, 4, 7]
    for text in timed.values():
        targets = re.findall(r'<p:spTgt spid="(\d+)"', text)
        assert targets
        assert set(targets) <= set(re.findall(r'<p:cNvPr id="(\d+)"', text))
        numbers = re.findall(r'<p:cTn id="(\d+)"', text)
        assert sorted(map(int, numbers)) == list(range(1, len(numbers) + 1))
    # Each box of the picture comes with a click; the input is there from the start.
    assert timed[1].count('nodeType="clickEffect"') == 7
    assert timed[7].count("<p:txEl>") == 3
    assert '<p:bldP spid="' in timed[7]
    assert not any("<p:timing" in text for text in slides_of(made("lenet5")))


def test_a_template_keeps_its_layouts_fonts_and_colours() -> None:
    data = made("lenet5", template=corporate())
    text = "".join(parts(data).values())
    assert "secret" not in text
    assert 'typeface="Georgia"' in text
    slides = slides_of(data)
    assert 'typeface="+mn-lt"' in slides[1]
    assert "Arial" not in "".join(slides)
    presentation = opened(data)
    assert presentation.slide_width == 9_144_000
    names = [slide.slide_layout.name for slide in presentation.slides]
    assert names == ["Title Slide", *["Title Only"] * 6, *["Title and Content"] * 2]


def test_texts_are_measured_in_the_font_of_the_template() -> None:
    """Where this system has it: then no line is longer than its slide, however wide the letters."""
    face = installed("DejaVu Serif")
    if face is None:
        pytest.skip("DejaVu Serif is not installed, or there is no fontconfig")
    presentation = opened(made("alexnet", template=corporate(font="DejaVu Serif")))
    groups = [shape for slide in presentation.slides for shape in slide.shapes if hasattr(shape, "shapes")]
    boxes = [shape for group in groups for shape in group.shapes if shape.name.startswith("H₂ = ")]
    assert boxes
    for box in boxes:
        run = box.text_frame.paragraphs[0].runs[0]
        width = sum(face.width(letter, False) for letter in run.text) / 1000 * run.font.size
        assert width == pytest.approx(box.width, rel=0.02)
        assert box.left + width < presentation.slide_width


@pytest.mark.parametrize("font", ["No Such Font", "", "--help"])
def test_texts_in_an_unknown_font_have_space(font: str) -> None:
    opened_template = Template(corporate(font=font), "corporate.pptx", "light")
    assert (opened_template.face, opened_template.share) == (None, 0.85)


@pytest.mark.parametrize(("dark", "theme"), [(True, "dark"), (False, "light")])
def test_pictures_are_dark_on_a_dark_template(dark: bool, theme: str) -> None:
    assert Template(corporate(dark=dark), "corporate.pptx", "light").theme == theme


@pytest.mark.parametrize(
    ("theme", "template"),
    [("light", None), ("dark", None), ("print", None), ("dark", corporate()), ("dark", corporate(dark=False))],
)
def test_cells_of_tables_have_the_colours_of_the_theme(theme: str, template: bytes | None) -> None:
    plan = usual_plan([analysis_of(name) for name in ("lenet5", "alexnet")])
    slides = opened(render(plan, "pptx", theme=theme, template=template)[0]).slides
    tables = [shape.table for slide in slides for shape in slide.shapes if shape.has_table]
    assert len(tables) > 2
    cells = [cell for table in tables for cell in table.iter_cells()]
    runs = [(cell, run) for cell in cells for paragraph in cell.text_frame.paragraphs for run in paragraph.runs]
    colours = THEMES[theme]
    for cell, run in runs:
        assert run.font.size is not None
        assert str(run.font.color.rgb) == colours.ink[1:].upper()
        assert contrast(colours.ink, f"#{cell.fill.fore_color.rgb}") > 7


def test_tables_on_a_light_template_have_its_style() -> None:
    cells = "".join(re.findall("<a:tc>.*?</a:tc>", "".join(slides_of(made("lenet5", template=corporate(dark=False))))))
    assert "<a:tc>" in cells
    assert "<a:solidFill>" not in cells


@pytest.mark.slow
@pytest.mark.parametrize("steps", [False, True])
def test_the_same_deck_gives_the_same_bytes(steps: bool) -> None:
    plan = usual_plan([analysis_of("lenet5")])
    assert render(plan, "pptx", steps=steps)[0] == made("lenet5", steps=steps)


def _zipped(**files: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _broken(part: str, data: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(corporate())) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name == part else old.read(name))
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        _zipped(a=b"x"),
        _broken("ppt/presentation.xml", b"<not xml"),
        _broken("ppt/presentation.xml", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
        _broken("ppt/slideLayouts/slideLayout1.xml", b"<a/>"),
        _broken("[Content_Types].xml", b"<Types/>"),
        _broken("ppt/theme/theme1.xml", b"<x"),
        corporate()[:4000],
    ],
    ids=["empty", "text", "archive", "xml", "entity", "layout", "types", "theme", "cut"],
)
def test_what_is_no_template_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"^bad\.pptx (is no presentation|has no)"):
        Template(data, "bad.pptx", "light")


def test_a_template_is_for_presentations() -> None:
    with pytest.raises(UsageError, match=r"a template is for \.pptx, not for \.pdf"):
        render(usual_plan([analysis_of("lenet5")]), "pdf", template=corporate())


def test_hostile_words_stay_words() -> None:
    slides = (
        Wanted("title", Titled()),
        Wanted("section", Section(title=HOSTILE, subtitle=HOSTILE)),
        Wanted("points", Points(title=HOSTILE, points=[HOSTILE, "b"], notes=HOSTILE)),
    )
    plan = Plan(HOSTILE, HOSTILE, HOSTILE, "", (), slides)
    for template in (None, corporate()):
        presentation = opened(render(plan, "pptx", template=template, steps=True)[0])
        assert "<b>&" in texts_of(presentation.slides[2])
        assert "\x07" not in texts_of(presentation.slides[2])
        assert "<b>&" in presentation.slides[2].notes_slide.notes_text_frame.text


@pytest.mark.slow
def test_long_texts_fit_into_the_properties_of_documents(tmp_path: Path) -> None:
    """PowerPoint and Word have 255 characters for a title, a subject and an author (ECMA-376, part 2)."""
    spec = "name: n\ntitle: " + "t" * 300 + "\ninput: 8x8x1\nlayers:\n  - conv2d: {out_channels: 2, kernel_size: 3}\n"
    network = ac.from_yaml(spec)
    ac.deck(network, title="d" * 300).save(tmp_path / "deck.pptx")
    network.draw().save(tmp_path / "picture.pptx")
    ac.demo("conv", network).save(tmp_path / "demo.pptx")
    ac.exercise(network).sheet.save(tmp_path / "sheet.docx")
    for name in ("deck", "picture", "demo"):
        properties = Presentation(str(tmp_path / f"{name}.pptx")).core_properties
        assert len(properties.title) <= 255 >= len(properties.subject)
    assert len(Document(str(tmp_path / "sheet.docx")).core_properties.title) == 255
