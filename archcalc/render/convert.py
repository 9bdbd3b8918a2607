"""SVG as PDF and PNG, for diagrams and charts alike: by vl-convert, with the shipped fonts.

A character that these lack is taken from a font of the system, where one has it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.text import FOLDER

#: A larger PNG does not fit into memory everywhere.
MOST_PIXELS = 60_000_000
#: Addresses, in bytes, that the JavaScript engine of vl-convert reserves; where it cannot, it ends the process.
RESERVED = 64 * 2**30
#: Units of 96 to the inch as points of 72.
POINT = 0.75
#: A page may have no longer side in points (ISO 32000, annex C); larger drawings are drawn smaller.
LONGEST_SIDE = 14_400.0


@lru_cache(maxsize=1)
def converter() -> ModuleType:
    """vl-convert, which brings Vega, a renderer of SVG and a JavaScript engine of its own."""
    import vl_convert

    vl_convert.register_font_directory(str(FOLDER))
    module: ModuleType = vl_convert
    return module


def scripted() -> ModuleType:
    """vl-convert for what runs in its JavaScript engine. Raises `UsageError` where addresses are limited too far."""
    if sys.platform != "win32":
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY and limit < RESERVED:
            raise UsageError(
                f"charts need {RESERVED:,} bytes of address space, and this process is limited to {limit:,} (ulimit -v)"
            )
    return converter()


def to_png(drawn: str, scale: float) -> bytes:
    """An SVG as PNG, with `scale` pixels to each unit."""
    from PIL import Image

    data: bytes = converter().svg_to_png(drawn, scale=scale)
    # Written again, for vl-convert hardly compresses it.
    out = io.BytesIO()
    Image.open(io.BytesIO(data), formats=["PNG"]).save(out, "PNG")
    return out.getvalue()


def to_pdf(pages: Sequence[str], title: str, subject: str, scale: float = 1.0) -> bytes:
    """SVGs as a document of one page each, `scale` points to a unit; the same drawing gives the same bytes."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    for page in pages:
        reader = PdfReader(io.BytesIO(converter().svg_to_pdf(page)))
        for number in range(1, len(reader.xref[0]) + 1):
            _sort(reader.get_object(number))
        added = writer.add_page(reader.pages[0])
        added.scale_by(min(scale, LONGEST_SIDE / float(max(added.mediabox.width, added.mediabox.height))))
    if len(pages) > 1:
        writer.compress_identical_objects()
    writer.metadata = {"/Title": title, "/Subject": subject, "/Creator": "archcalc"}
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _sort(thing: Any) -> None:
    """Put the entries of dictionaries in order: vl-convert writes them in that of a hash table."""
    if isinstance(thing, dict):
        entries = sorted(thing.items())
        thing.clear()
        thing.update(entries)
        for _, value in entries:
            _sort(value)
    elif isinstance(thing, list):
        for value in thing:
            _sort(value)
