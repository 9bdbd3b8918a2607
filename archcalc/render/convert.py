"""SVG as PDF and PNG, for diagrams and charts alike: by vl-convert, with the shipped fonts.

A character that these lack is taken from a font of the system, where one has it.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from html import escape, unescape
from types import ModuleType
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.svg import ARMENIAN, ARMENIAN_LETTERS
from archcalc.render.diagrams.text import FOLDER, text_width

if TYPE_CHECKING:
    from pypdf import PageObject, PdfWriter

_TEXT = re.compile(r"<text ([^>]*)>(.*?)</text>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_TAG = re.compile("<[^>]*>")
#: Signs of direction in a table of what glyphs stand for: they are drawn as spaces, which a reader takes for them.
_UNSEEN = re.compile(b"<(?:200[EF]|202[A-E]|206[6-9])>", re.IGNORECASE)
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


def _in_runs(drawn: str) -> str:
    """An SVG whose texts with Armenian letters are runs of one font, each at its place.

    Where one text needs two fonts, the renderer takes a third one, which has all of its letters, for the whole.
    """
    return _TEXT.sub(_runs, drawn) if ARMENIAN_LETTERS.search(drawn) else drawn


def _runs(found: re.Match[str]) -> str:
    look = dict(_ATTRIBUTE.findall(found[1]))
    text = unescape(_TAG.sub("", found[2]))
    if not ARMENIAN_LETTERS.search(text):
        return found[0]
    size, bold = float(look["font-size"].removesuffix("px")), look.get("font-weight") in ("bold", "700")
    width, anchor = text_width(text, size, bold), look.get("text-anchor", "start")
    x = float(look.get("x", 0)) - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    runs = []
    for run in filter(None, re.split(f"({ARMENIAN_LETTERS.pattern})", text)):
        font = f' font-family="{ARMENIAN}"' if ARMENIAN_LETTERS.match(run) else ""
        runs.append(f'<tspan x="{x:.2f}"{font}>{escape(run)}</tspan>')
        x += text_width(run, size, bold)
    attributes = re.sub(r'text-anchor="[a-z]+"|xml:space="[a-z]+"', "", found[1])
    return f'<text {attributes} xml:space="preserve">{"".join(runs)}</text>'


def to_png(drawn: str, scale: float) -> bytes:
    """An SVG as PNG, with `scale` pixels to each unit."""
    from PIL import Image

    data: bytes = converter().svg_to_png(_in_runs(drawn), scale=scale)
    # Written again, for vl-convert hardly compresses it.
    out = io.BytesIO()
    Image.open(io.BytesIO(data), formats=["PNG"]).save(out, "PNG")
    return out.getvalue()


def to_pdf(pages: Sequence[str], title: str, subject: str, scale: float = 1.0) -> bytes:
    """SVGs as a document of one page each, `scale` points to a unit; the same drawing gives the same bytes."""
    return written(document(pages, title, subject, scale))


def document(pages: Sequence[str], title: str, subject: str, scale: float = 1.0) -> PdfWriter:
    """The document of `to_pdf`, to add more to."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import StreamObject

    writer = PdfWriter()
    for page in pages:
        reader = PdfReader(io.BytesIO(converter().svg_to_pdf(_in_runs(page))))
        for number in range(1, len(reader.xref[0]) + 1):
            thing: Any = reader.get_object(number)
            _sort(thing)
            if isinstance(thing, StreamObject) and b"begincmap" in (texts := thing.get_data()):
                thing.set_data(_UNSEEN.sub(b"<0020>", texts))
        own = reader.pages[0]
        _scale(own, min(scale, LONGEST_SIDE / float(max(own.mediabox.width, own.mediabox.height))))
        writer.add_page(own)
    if len(pages) > 1:
        writer.compress_identical_objects()
    writer.metadata = {"/Title": title, "/Subject": subject, "/Creator": "archcalc"}
    return writer


def written(writer: PdfWriter) -> bytes:
    """The bytes of a document."""
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _scale(page: PageObject, factor: float) -> None:
    """Scale a page by what stands before its drawing: pypdf's `scale_by` reads all of the drawing, which is slow."""
    from pypdf.generic import FloatObject, RectangleObject

    if factor == 1:
        return
    drawing: Any = page["/Contents"].get_object()
    drawing.set_data(b"%f 0 0 %f 0 0 cm\n" % (factor, factor) + drawing.get_data())
    page.mediabox = RectangleObject(tuple(FloatObject(float(side) * factor) for side in page.mediabox))


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
