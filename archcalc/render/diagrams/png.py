"""A drawing as PNG, by resvg."""

from __future__ import annotations

from archcalc.render.diagrams.drawing import Drawing, Text
from archcalc.render.diagrams.fonts import FILES, FOLDER, missing
from archcalc.render.diagrams.svg import svg

#: Larger pictures are drawn smaller, so that they fit into memory.
MOST_PIXELS = 60_000_000


def png(drawing: Drawing, scale: float = 2.0) -> tuple[bytes, tuple[str, ...]]:
    """The picture, and what there is to say about it."""
    import resvg_py

    notes = []
    largest = (MOST_PIXELS / (drawing.width * drawing.height)) ** 0.5
    if scale > largest:
        notes.append(f"the PNG is drawn at scale {largest:.2f}, not {scale:g}, to stay within {MOST_PIXELS // 10**6} "
                     "million pixels; SVG and PDF have no such limit")  # fmt: skip
        scale = largest
    lacking = missing(shape.text for shape in drawing.shapes() if isinstance(shape, Text))
    data: bytes = resvg_py.svg_to_bytes(
        svg_string=svg(drawing),
        zoom=scale,
        # Fonts of the system only where they are needed: looking for them takes time, and they differ.
        skip_system_fonts=not lacking,
        font_files=[str(file) for file in FILES.values()],
        font_dirs=[str(FOLDER)],
        font_family="Arimo",
        sans_serif_family="Arimo",
    )
    return bytes(data), tuple(notes)
