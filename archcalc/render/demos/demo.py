"""`render`: a demonstration in a format: a page, a picture that moves, slides."""

from __future__ import annotations

import io

from archcalc.core.demonstration import Demonstration
from archcalc.core.errors import UsageError
from archcalc.render.demos.frames import Frames
from archcalc.render.diagrams.drawing import Cluster
from archcalc.render.diagrams.theme import THEMES

FORMATS = {
    "html": "a page that goes step by step, with the keyboard or the mouse; works offline",
    "svg": "a picture that moves; where motion is not wanted it shows the end",
    "gif": "a picture of pixels that moves",
    "pptx": "a slide for each step; shapes that can be edited",
}
#: Seconds that a step is shown.
SECONDS = 1.6
#: The widest GIF in pixels, and the most that all its pictures may have.
WIDEST, MOST_PIXELS = 1400, 120_000_000


def render(demonstration: Demonstration, form: str, theme: str = "light") -> bytes:
    """A demonstration as a file in one of `FORMATS`. Raises `UsageError` for another format or theme."""
    if form not in FORMATS:
        raise UsageError(f"there is no format {form[:60]!r}; there are {', '.join(FORMATS)}")
    if theme not in THEMES:
        raise UsageError(f"there is no theme {theme[:60]!r}; there are {', '.join(THEMES)}")
    if form == "html":
        from archcalc.render.demos.page import page

        return page(demonstration, THEMES[theme]).encode("utf-8", "backslashreplace")
    frames = Frames(demonstration, THEMES[theme])
    if form == "svg":
        return _svg(frames).encode()
    if form == "gif":
        return _gif(frames)
    from archcalc.render.diagrams.pptx import pptx

    return pptx([frames.drawing(number) for number in range(len(frames) + 1)])


def _svg(frames: Frames) -> str:
    """All steps on top of each other, of which one is seen at a time."""
    from archcalc.render.diagrams.svg import svg

    count = len(frames) + 1
    items: list[Cluster] = frames.base()
    for number in range(count):
        items += [one._replace(step=number + 1) for one in frames.overlay(number)]
    drawn = svg(frames.drawn(items), steps=True)
    rules = [f"[data-step]{{animation:{count * SECONDS:g}s step-end infinite;visibility:hidden}}"]
    for number in range(count):
        begin, end = 100 * number / count, 100 * (number + 1) / count
        rules.append(f'[data-step="{number + 1}"]{{animation-name:s{number + 1}}}')
        rules.append(
            f"@keyframes s{number + 1}{{0%{{visibility:{'visible' if number == 0 else 'hidden'}}}"
            f"{begin:.4f}%{{visibility:visible}}{end:.4f}%{{visibility:hidden}}}}"
        )
    rules.append(
        "@media (prefers-reduced-motion:reduce){[data-step]{animation:none}"
        f'[data-step="{count}"]{{visibility:visible}}}}'
    )
    head, tag, rest = drawn.partition("</desc>")
    return f"{head}{tag}<style>{''.join(rules)}</style>{rest}"


def _gif(frames: Frames) -> bytes:
    """A picture for each step, all with the colours of the first; it begins again at the end."""
    from PIL import Image

    from archcalc.render.convert import to_png
    from archcalc.render.diagrams.svg import svg

    count = len(frames) + 1
    scale = min(1.0, WIDEST / frames.width, (MOST_PIXELS / count / (frames.width * frames.height)) ** 0.5)
    pictures = []
    for number in range(count):
        data = to_png(svg(frames.drawing(number)), scale)
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        pictures.append(picture.quantize(64, dither=Image.Dither.NONE))
    out = io.BytesIO()
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=round(SECONDS * 1000), loop=0, optimize=False
    )
    return out.getvalue()
