"""What can be chosen of a picture: its format, style, colours and shape."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.arrange import DIRECTIONS, PAGES
from archcalc.render.diagrams.compose import COLOUR_BY
from archcalc.render.diagrams.papers.labels import LABELS, NAMES
from archcalc.render.diagrams.theme import THEMES

#: Figures as papers draw them.
PAPERS = ("towers", "bars", "maps", "slabs", "tall", "detector")
STYLES = ("graph", "blocks", "volumes", *PAPERS)
#: How lengths grow with sizes; without a choice linear, and by the root where papers draw small maps larger.
SIZES = ("linear", "sqrt", "log")
FORMATS = {
    "svg": "scalable picture; text stays text",
    "png": "picture of pixels",
    "pdf": "scalable document with its fonts",
    "dot": "Graphviz source",
    "tex": "LaTeX source with TikZ",
    "mmd": "Mermaid source, for Markdown",
    "drawio": "diagrams.net document",
    "pptx": "slides of PowerPoint; shapes that can be edited",
}
#: Formats that say what is connected, and leave the drawing to others.
SOURCES = ("dot", "mmd", "drawio")
DRAWN = tuple(form for form in FORMATS if form not in SOURCES)
#: Formats that hold volumes and figures of papers.
SHAPED = (*DRAWN, "drawio")
#: Formats whose texts may have another font.
FONTED = ("svg", "png", "pdf", "pptx")
#: Formats whose files hold several pages.
PAGED = ("pdf", "pptx")
#: Networks of more layers are folded into blocks unless a style is asked for.
DEEP = 60
#: More layers than this are never drawn one by one, unless `depth` is "all".
MOST_LAYERS = 2000
RATIO = 16 / 9
#: The sides of an upright sheet of A4, in points.
SHEET = PAGES["sheet"]


@dataclass(frozen=True)
class Choices:
    """What is drawn and how. `depth` is a number of levels, or None for a fitting one; 0 opens everything.

    `steps` reveals the network part by part. Without a `theme` pictures are light; an SVG is dark on a dark page.
    `labels` and `names` choose the texts of figures of papers; None is what the paper of the style writes.
    """

    style: str | None = None
    depth: int | None = None
    only: str | None = None
    color_by: str = "kind"
    highlight: str | None = None
    theme: str | None = None
    direction: str = "fit"
    fit: str | None = None
    #: How high the page is that `fit` fills, in points, where a picture has less than the whole slide.
    page_height: float | None = None
    font_size: float = 12.0
    #: Files of a font to draw in, the second with its bold letters; without any the shipped font.
    font: str | tuple[str, ...] = ()
    title: str | None = None
    scale: float = 2.0
    sizes: str | None = None
    expand: str | None = None
    steps: bool = False
    labels: tuple[str, ...] | None = None
    names: str | None = None


def known(what: str, value: str, words: tuple[str, ...]) -> str:
    """The value, if it is one of the words. Raises `UsageError` that lists them."""
    if value not in words:
        raise UsageError(f"there is no {what} {value[:60]!r}; there are {', '.join(words)}")
    return value


def check(form: str, choices: Choices) -> None:
    """Raise `UsageError` for a format or a choice that does not exist, or that do not go together."""
    known("format", form, tuple(FORMATS))
    if choices.theme is not None:
        known("theme", choices.theme, tuple(THEMES))
    known("direction", choices.direction, DIRECTIONS)
    known("colouring", choices.color_by, COLOUR_BY)
    if choices.sizes is not None:
        known("scale of sizes", choices.sizes, SIZES)
    if choices.style is not None:
        known("style", choices.style, STYLES)
    for label in choices.labels or ():
        known("label", label, LABELS)
    if choices.names is not None:
        known("choice of names", choices.names, NAMES)
    parse_ratio(choices.fit)
    _check_style(choices)
    if choices.font and form not in FONTED:
        raise UsageError(f"--font goes with {', '.join(FONTED)}; {form} leaves fonts to the program that draws it")
    if choices.steps and form in SOURCES:
        raise UsageError(f"{form} has no steps; there are steps in {', '.join(DRAWN)}")


def _check_style(choices: Choices) -> None:
    """Raise `UsageError` for a choice that the style does not have: none is left out in silence."""
    if choices.style in PAPERS:
        for option, chosen in (("--depth", choices.depth is not None), ("--highlight", choices.highlight),
                               ("--color-by", choices.color_by != "kind"), ("--expand", choices.expand)):  # fmt: skip
            if chosen:
                others = ", ".join(style for style in STYLES if style not in PAPERS)
                raise UsageError(f"{option} goes with the styles {others}, not with {choices.style}")
    elif choices.labels is not None or choices.names is not None:
        option = "--labels" if choices.labels is not None else "--names"
        raise UsageError(
            f"{option} goes with the styles {', '.join(PAPERS)}, not with {choices.style or 'the default'}"
        )


def default_style(analysis: Analysis) -> str:
    """Every layer of a shallow network, the blocks of a deep one."""
    return "graph" if len(analysis.rows) <= DEEP else "blocks"


def is_sheet(text: str | None) -> bool:
    """Whether a page is an upright sheet of A4, which has a size besides its shape."""
    return (text or "").strip().lower() == "a4"


def parse_ratio(text: str | None) -> float:
    """16:9 as a number; A4 is an upright sheet."""
    if text is None:
        return RATIO
    if is_sheet(text):
        return SHEET[0] / SHEET[1]
    found = re.fullmatch(r"\s*(\d{1,5}(?:\.\d+)?)\s*[:x×/]\s*(\d{1,5}(?:\.\d+)?)\s*", text)
    if not found or not float(found[1]) or not float(found[2]):
        raise UsageError(f"--fit takes width:height, as in 16:9, or A4, not {text[:40]!r}")
    ratio = float(found[1]) / float(found[2])
    if not 1 / 20 <= ratio <= 20:
        raise UsageError(f"--fit {text[:40]} is too narrow; sides may differ twentyfold")
    return ratio
