"""A Vega-Lite specification in a format, by vl-convert, which brings Vega and needs no browser."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.render.convert import MOST_PIXELS, scripted, to_pdf, to_png
from archcalc.render.diagrams.svg import FONTS, in_own_font, left_to_right
from archcalc.render.diagrams.text import missing

FORMATS = {
    "svg": "scalable picture; text stays text",
    "png": "picture of pixels",
    "pdf": "scalable document with its fonts",
    "html": "interactive page that works without a network",
    "json": "the Vega-Lite specification",
}
#: What Vega says of each group of marks: a role without a name.
_ROLES = re.compile(r' role="graphics-(?:object|symbol)" aria-roledescription="[^"]*"')
#: What stands in a text.
_TEXT = re.compile(r"(?<=>)[^<>]+(?=</text>)")
#: Names inside the document, which must differ where several plots stand on one page.
_NAMES = re.compile(r'(?<=id=")(?=\w)|(?<=url\(#)|(?<=href="#)')

#: What Vega writes and what changes no picture: an empty path, an opacity of 1, decimals that no screen shows.
_EMPTY = re.compile(r'<path class="(?:fore|back)ground" aria-hidden="true" d="(?:M0,0h0v0h0Z)?"[^<>]*/>')
_TAG = re.compile(r"<(?:g|path|text|line|rect)(?= )[^<>]*>")
_PLACE = re.compile(r' (?:d|transform|x2|y2)="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-\d+)?")


def render(spec: Mapping[str, Any], form: str, scale: float = 2.0) -> bytes:
    """The bytes of a file in one of `FORMATS`; `scale` is for PNG: pixels to each unit of the SVG.

    Raises `UsageError` for an unknown format, a PNG that is too large, or where vl-convert is not installed.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no format {form[:60]!r}; there are {', '.join(FORMATS)}")
    if form == "json":
        return (json.dumps(spec, ensure_ascii=False, indent=1) + "\n").encode()
    if form == "html":
        from archcalc.render.charts.html import page

        return page(spec, bundle(), FONTS).encode()
    drawn = svg(spec)
    if form == "svg":
        return drawn.encode()
    if form == "png":
        return _png(drawn, scale)
    title, description = str(spec["usermeta"]["archcalc"]["title"]), str(spec["description"])
    return to_pdf([drawn], title, description)


def missing_characters(spec: Mapping[str, Any]) -> str:
    """The characters in a plot that the shipped fonts lack: PNG and PDF take them from a font of the system."""
    texts: list[str] = []
    for layer in spec["layer"]:
        text = layer["mark"].get("text", "")
        texts += [text] if isinstance(text, str) else text
        field = layer["encoding"].get("text", {}).get("field")
        texts += [row[field] for row in layer["data"]["values"] if field]
    return "".join(sorted(missing(texts)))


def svg(spec: Mapping[str, Any], ids: str = "") -> str:
    """The SVG with a title and a description for screen readers; every `id` in it starts with `ids`."""
    drawn: str = scripted().vegalite_to_svg(dict(spec))
    title, description = (escape(str(text)) for text in (spec["usermeta"]["archcalc"]["title"], spec["description"]))
    head, tag, rest = drawn.partition(">")
    # The picture has a name; the groups of marks in it have a role without one.
    rest = _TAG.sub(_shorter, _EMPTY.sub("", _ROLES.sub("", rest)))
    rest = _TEXT.sub(lambda found: in_own_font(found[0]), rest)
    if ids:
        rest = _NAMES.sub(ids, rest)
    names = f'aria-labelledby="{ids}title {ids}desc"'
    texts = f'<title id="{ids}title">{title}</title><desc id="{ids}desc">{description}</desc>'
    return f'{head} role="img" {names} font-family="{FONTS}"{left_to_right()}{tag}{texts}{rest}\n'


def _shorter(tag: re.Match[str]) -> str:
    """A tag without what the whole picture says, its places to two decimals."""
    text = tag[0].replace(' opacity="1"', "").replace(f' font-family="{FONTS}"', "")
    return _PLACE.sub(lambda place: _LONG.sub(lambda long: f"{round(float(long[0]), 2):g}", place[0]), text)


def _png(drawn: str, scale: float) -> bytes:
    size = re.search(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"', drawn)
    assert size, "Vega writes width and height"
    pixels = float(size[1]) * float(size[2])
    if pixels * scale**2 > MOST_PIXELS:
        raise UsageError(
            f"a PNG at scale {scale:g} would have {pixels * scale**2 / 1e6:,.0f} million pixels; at most "
            f"{MOST_PIXELS // 10**6} are drawn: --scale {(MOST_PIXELS / pixels) ** 0.5 // 0.1 / 10:g} or less"
        )
    return to_png(drawn, scale)


@lru_cache(maxsize=1)
def bundle() -> str:
    """The JavaScript of Vega, Vega-Lite and Vega-Embed, each as a name of the window."""
    code: str = scripted().javascript_bundle()
    return code
