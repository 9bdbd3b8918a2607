"""Presentations made for tests, and what stands in one."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.opc.constants import RELATIONSHIP_TYPE

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"


def corporate(*, dark: bool = True, font: str = "Georgia") -> bytes:
    """A template of 4:3 with a font of its own, two slides and a section that names them."""
    presentation = Presentation()
    master = presentation.slide_masters[0]
    theme: Any = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme._blob = theme.blob.replace(b"Calibri", font.encode())
    if dark:
        master.background.fill.solid()
        master.background.fill.fore_color.rgb = RGBColor(0x10, 0x20, 0x40)  # type: ignore[no-untyped-call]
    for _ in range(2):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        assert slide.shapes.title is not None
        slide.shapes.title.text_frame.text = "old and secret"
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def opened(data: bytes) -> Any:
    return Presentation(io.BytesIO(data))


def parts(data: bytes) -> dict[str, str]:
    """The XML parts of a package by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if name.endswith((".xml", ".rels"))}


def slides_of(data: bytes) -> list[str]:
    """The XML of the slides, in the order of their numbers."""
    found = {name: text for name, text in parts(data).items() if re.fullmatch(r"ppt/slides/slide\d+\.xml", name)}
    return [found[f"ppt/slides/slide{number}.xml"] for number in range(1, len(found) + 1)]


def texts_of(slide: Any) -> str:
    """All texts of a slide: of shapes, of those in groups, and of tables."""
    return "\n".join(node.text or "" for node in slide._element.iter(f"{_A}t"))


_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
