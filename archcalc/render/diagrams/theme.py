"""Colours: pale fills with a darker line, distinguished by people who see few colours, and always with words.

The hues are those of Okabe and Ito; the scale runs from light to dark, so that it survives a black-and-white printer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from archcalc.core.language import mark, say


class Tone(str):
    """A colour for a light page that knows the one for a dark page, for pictures that follow the page they stand in."""

    __slots__ = ("dark",)
    dark: str

    def __new__(cls, light: str, dark: str) -> Tone:
        tone = super().__new__(cls, light)
        tone.dark = dark
        return tone


def on_dark(colour: str) -> str:
    """The colour on a dark page."""
    return colour.dark if isinstance(colour, Tone) else colour


class Paint(NamedTuple):
    """The fill of a box and its line."""

    fill: str
    line: str


class Theme(NamedTuple):
    """Everything that has a colour."""

    name: str
    background: str
    ink: str
    quiet: str
    edge: str
    accent: str
    frame: Paint
    inner_frame: Paint
    families: Mapping[str, Paint]
    scale: tuple[str, ...]


#: Each family of ops: how a legend names it, and fill and line in the themes light, dark and print.
_FAMILIES = {
    "input": (mark("input"), "#ffffff #4b5563", "#252d38 #c2ccd6", "#ffffff #000000"),
    "convolution": (mark("convolution"), "#dcebf7 #2f78b5", "#173a59 #66b1ea", "#cccccc #000000"),
    "pooling": (mark("pooling"), "#fbe2d2 #c8560f", "#57290c #f39a5c", "#e6e6e6 #000000"),
    "normalisation": (mark("normalisation"), "#dbf1e8 #1d8f6d", "#0f4234 #4fcfa5", "#f4f4f4 #808080"),
    "activation": (mark("activation"), "#fdf1cd #b58a14", "#4a3a0a #e7bf4e", "#ffffff #808080"),
    "regularisation": (mark("dropout"), "#f1f1f1 #8a8a8a", "#33383f #a2a8af", "#ffffff #808080"),
    "dense": (mark("dense"), "#f5e0ec #a94f83", "#4c2039 #e597c0", "#b0b0b0 #000000"),
    "attention": (mark("attention"), "#e4f3d6 #4f8a1b", "#26400f #a3d977", "#dedede #000000"),
    "recurrent": (mark("recurrent"), "#fbdede #b93a3a", "#551f1f #f08f8f", "#c4c4c4 #000000"),
    "merge": (mark("add, concat, multiply"), "#e3e6ea #3d4650", "#39424e #d3dae2", "#ffffff #000000"),
    "parameter": (
        mark("trained array, token, embedding"),
        "#efe3d8 #7a4f2b",
        "#3d2a1a #d2a679",
        "#ebebeb #000000",
    ),
    "shape": (mark("reshape, resize, crop, pad"), "#e6f3f8 #5c93a8", "#1d3d49 #86c0d4", "#f4f4f4 #000000"),
    "opaque": (mark("not known"), "#ffffff #9a3412", "#252d38 #fdba74", "#ffffff #000000"),
    "block": (mark("block of layers"), "#e6e7f5 #5257a6", "#2b2e58 #a5a9ee", "#dadada #000000"),
    "output": (mark("output"), "#d5d9df #1b1f24", "#414b58 #eef2f6", "#dadada #000000"),
}
FAMILIES = {family: label for family, (label, *_) in _FAMILIES.items()}


def family_name(family: str) -> str:
    """How a legend names a family of ops."""
    return say(FAMILIES[family])


def _theme(name: str, column: int, plain: str, frames: str, scale: str) -> Theme:
    """A theme by the background, ink, quiet, edge and accent colours, the fills and lines of frames, and the scale."""
    background, ink, quiet, edge, accent = plain.split()
    fill, line, inner_fill, inner_line = frames.split()
    families = {family: Paint(*row[column].split()) for family, row in _FAMILIES.items()}
    return Theme(name, background, ink, quiet, edge, accent, Paint(fill, line), Paint(inner_fill, inner_line), families,
                 tuple(scale.split()))  # fmt: skip


LIGHT = _theme(
    "light",
    1,
    "#ffffff #1b1f24 #57606a #4b5563 #b4470a",
    "#f6f8fa #c3cad3 #ffffff #d5dae1",
    "#f1f6fc #cfe1f2 #a0c8e4 #5fa4d0 #2b7bba #0d4f96 #08306b",
)
DARK = _theme(
    "dark",
    2,
    "#14181f #eef2f6 #a9b4c0 #aab6c3 #ffab70",
    "#1b212a #45505e #212935 #465160",
    "#1c2733 #1d3e5c #1f5788 #2f77b0 #5c9fd0 #9cc9e8 #dceefb",
)
PRINT = _theme(
    "print",
    3,
    "#ffffff #000000 #333333 #000000 #000000",
    "#ffffff #777777 #ffffff #999999",
    "#ffffff #e8e8e8 #d0d0d0 #b5b5b5 #939393 #6b6b6b #3f3f3f",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK, PRINT)}


def _paired(light: Paint, dark: Paint) -> Paint:
    return Paint(Tone(light.fill, dark.fill), Tone(light.line, dark.line))


#: Light, and dark where the page is dark.
FOLLOWING = Theme(
    "following",
    Tone(LIGHT.background, DARK.background),
    Tone(LIGHT.ink, DARK.ink),
    Tone(LIGHT.quiet, DARK.quiet),
    Tone(LIGHT.edge, DARK.edge),
    Tone(LIGHT.accent, DARK.accent),
    _paired(LIGHT.frame, DARK.frame),
    _paired(LIGHT.inner_frame, DARK.inner_frame),
    {family: _paired(paint, DARK.families[family]) for family, paint in LIGHT.families.items()},
    tuple(Tone(light, dark) for light, dark in zip(LIGHT.scale, DARK.scale, strict=True)),
)


def theme_of(name: str | None) -> Theme:
    """A theme by its name; without one the theme that follows the page."""
    return FOLLOWING if name is None else THEMES[name]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(first: str, second: str, share: float) -> str:
    """A colour between two; `share` is that of the second."""
    if isinstance(first, Tone) or isinstance(second, Tone):
        return Tone(mix(str(first), str(second), share), mix(on_dark(first), on_dark(second), share))
    pairs = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def pale(theme: Theme) -> Theme:
    """The colours of what stands back before something that is highlighted."""

    def towards(colour: str, share: float) -> str:
        return mix(colour, theme.background, share)

    def paint(one: Paint) -> Paint:
        return Paint(towards(one.fill, 0.7), towards(one.line, 0.6))

    return theme._replace(
        ink=towards(theme.ink, 0.45),
        quiet=towards(theme.quiet, 0.45),
        edge=towards(theme.edge, 0.6),
        accent=towards(theme.accent, 0.6),
        frame=paint(theme.frame),
        inner_frame=paint(theme.inner_frame),
        families={family: paint(one) for family, one in theme.families.items()},
        scale=tuple(towards(colour, 0.7) for colour in theme.scale),
    )


def heat(theme: Theme, position: float) -> str:
    """The colour at a position of the scale, from 0 to 1."""
    place = min(max(position, 0.0), 1.0) * (len(theme.scale) - 1)
    step = min(int(place), len(theme.scale) - 2)
    return mix(theme.scale[step], theme.scale[step + 1], place - step)


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2: 0 black, 1 white."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in _channels(colour))
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def contrast(first: str, second: str) -> float:
    """Contrast ratio as in WCAG 2; 4.5 is readable."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(fill: str) -> str:
    """Black or white, whichever stands out more on a fill."""
    if isinstance(fill, Tone):
        return Tone(readable(str(fill)), readable(fill.dark))
    return max("#101418", "#ffffff", key=lambda ink: contrast(ink, fill))
