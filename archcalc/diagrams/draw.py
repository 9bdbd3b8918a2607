"""`draw`: an analysis and choices in, the bytes of a picture out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from archcalc.analysis import Analysis
from archcalc.diagrams.arrange import DIRECTIONS, arrange, size_on_page
from archcalc.diagrams.compose import COLOUR_BY, compose_blocks, compose_graph
from archcalc.diagrams.fold import EVERYTHING
from archcalc.diagrams.mark import mark
from archcalc.diagrams.model import Diagram
from archcalc.diagrams.network import Network
from archcalc.diagrams.only import only
from archcalc.diagrams.pack import Layout
from archcalc.diagrams.paint import enlarge, page, paint
from archcalc.diagrams.scene import Scene
from archcalc.diagrams.text import clean
from archcalc.diagrams.theme import THEMES
from archcalc.errors import UsageError

STYLES = ("graph", "blocks", "volumes")
FORMATS = {
    "svg": "scalable picture; text stays text",
    "png": "picture of pixels",
    "pdf": "scalable document with its fonts",
    "dot": "Graphviz source",
    "tex": "LaTeX source with TikZ",
    "mmd": "Mermaid source, for Markdown",
    "drawio": "diagrams.net document",
}
#: Formats that say what is connected, and leave the drawing to others.
SOURCES = ("dot", "mmd", "drawio")
DRAWN = tuple(form for form in FORMATS if form not in SOURCES)
#: Networks of more layers are folded into blocks unless a style is asked for.
DEEP = 60
#: More layers than this are never drawn one by one, unless `depth` is "all".
MOST_LAYERS = 2000
#: Blocks are opened one level further as long as no more cards come of it.
MOST_CARDS = 18
RATIO = 16 / 9


@dataclass(frozen=True)
class Choices:
    """What is drawn and how. `depth` is a number of levels, or None for a fitting one; 0 opens everything."""

    style: str | None = None
    depth: int | None = None
    only: str | None = None
    color_by: str = "kind"
    highlight: str | None = None
    theme: str = "light"
    direction: str = "fit"
    fit: str | None = None
    font_size: float = 12.0
    title: str | None = None
    scale: float = 2.0
    sizes: str = "log"
    expand: str | None = None


class Picture(NamedTuple):
    """The bytes of a file, and what there is to say about it."""

    data: bytes
    notes: tuple[str, ...] = ()


def _known(what: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"there is no {what} {value[:60]!r}; there are {', '.join(known)}")
    return value


def draw(analysis: Analysis, form: str, choices: Choices | None = None) -> Picture:
    """A picture of a network in one of `FORMATS`. Raises `UsageError` for a choice that does not exist."""
    choices = choices or Choices()
    _known("format", form, tuple(FORMATS))
    _known("theme", choices.theme, tuple(THEMES))
    _known("direction", choices.direction, DIRECTIONS)
    _known("colouring", choices.color_by, tuple(COLOUR_BY))
    ratio = parse_ratio(choices.fit)
    if choices.only:
        analysis = only(analysis, choices.only)
    style = _known("style", choices.style or default_style(analysis), STYLES)
    if choices.expand and (style != "blocks" or form in SOURCES):
        raise UsageError(f"--expand opens a block of the style blocks, in {', '.join(DRAWN)}")
    if style == "volumes" and form in SOURCES:
        raise UsageError(f"{form} shows the styles graph and blocks; volumes has {', '.join(DRAWN)}")
    if form in SOURCES:
        diagram, layout = _diagram(analysis, style, choices, ratio, form)
        return Picture(_source(diagram, layout, form, choices).encode(), diagram.notes)
    scene, notes = scene_of(analysis, choices)
    picture = render(scene, form, choices)
    return picture._replace(notes=notes + picture.notes)


def scene_of(analysis: Analysis, choices: Choices) -> tuple[Scene, tuple[str, ...]]:
    """The drawing by itself, and what there is to say about it."""
    ratio = parse_ratio(choices.fit)
    style = choices.style or default_style(analysis)
    theme = THEMES[choices.theme]
    if style == "volumes":
        return _volumes(analysis, choices, ratio), ()
    diagram, layout = _diagram(analysis, style, choices, ratio, "svg")
    scene = paint(diagram, layout or arrange(diagram, choices.direction), theme)
    if choices.expand:
        scene = _expanded(scene, diagram, analysis, choices)
    scene = enlarge(scene, choices.font_size / 12)
    return page(scene, ratio) if choices.fit else scene, diagram.notes


def _expanded(scene: Scene, diagram: Diagram, analysis: Analysis, choices: Choices) -> Scene:
    """The drawing with one block, every layer of it, beside."""
    from archcalc.diagrams.expand import beside, holder

    block = str(choices.expand).strip("/")
    part = only(analysis, block)
    inner = replace(compose_graph(Network(part), choices.color_by), title="", subtitle="", whole=True)
    theme = THEMES[choices.theme]
    opened = paint(inner, arrange(inner, "TB"), theme)
    return beside(scene, opened, holder(diagram, analysis, block), block, theme)


def _source(diagram: Diagram, layout: Layout | None, form: str, choices: Choices) -> str:
    """The formats that say what is connected."""
    theme = THEMES[choices.theme]
    direction = "LR" if choices.direction == "LR" else "TB"
    if form == "dot":
        from archcalc.diagrams.dot import dot

        return dot(diagram, theme, direction)
    if form == "mmd":
        from archcalc.diagrams.mermaid import mermaid

        return mermaid(diagram, theme, direction)
    from archcalc.diagrams.drawio import drawio

    return drawio(diagram, layout or arrange(diagram, choices.direction), theme)


def _volumes(analysis: Analysis, choices: Choices, ratio: float) -> Scene:
    from archcalc.diagrams.solids import SIZES
    from archcalc.diagrams.volumes import volumes_scene

    _known("scale of sizes", choices.sizes, SIZES)
    network = Network(analysis)
    diagram = _finished(compose_graph(network, choices.color_by), network, choices, ())
    scene = volumes_scene(diagram, network, THEMES[choices.theme], choices.sizes, ratio)
    scene = enlarge(scene, choices.font_size / 12)
    return page(scene, ratio) if choices.fit else scene


def render(scene: Scene, form: str, choices: Choices) -> Picture:
    """A drawing in a format."""
    if form == "png":
        from archcalc.diagrams.png import png

        return Picture(*png(scene, choices.scale))
    if form == "pdf":
        from archcalc.diagrams.pdf import pdf

        return Picture(*pdf(scene))
    if form == "tex":
        from archcalc.diagrams.tikz import tikz

        return Picture(tikz(scene).encode())
    from archcalc.diagrams.svg import svg

    return Picture(svg(scene).encode())


def default_style(analysis: Analysis) -> str:
    """Every layer of a shallow network, the blocks of a deep one."""
    return "graph" if len(analysis.rows) <= DEEP else "blocks"


def parse_ratio(text: str | None) -> float:
    """16:9 as a number."""
    if text is None:
        return RATIO
    found = re.fullmatch(r"\s*(\d{1,5}(?:\.\d+)?)\s*[:x×/]\s*(\d{1,5}(?:\.\d+)?)\s*", text)
    if not found or not float(found[1]) or not float(found[2]):
        raise UsageError(f"--fit takes width:height, as in 16:9, not {text[:40]!r}")
    ratio = float(found[1]) / float(found[2])
    if not 1 / 20 <= ratio <= 20:
        raise UsageError(f"--fit {text[:40]} is too narrow; sides may differ twentyfold")
    return ratio


def _diagram(
    analysis: Analysis, style: str, choices: Choices, ratio: float, form: str
) -> tuple[Diagram, Layout | None]:
    network = Network(analysis)
    notes: tuple[str, ...] = ()
    if len(network.rows) > MOST_LAYERS and choices.depth != 0:
        notes = (
            f"{len(network.rows):,} layers are more than a picture can show: drawn folded into blocks; "
            "--style graph --depth all draws every layer",
        )
        style = "blocks"
    candidates: list[Diagram] = []
    if style == "graph":
        candidates = [compose_graph(network, choices.color_by)]
    elif choices.depth == 0:
        candidates = [compose_blocks(network, EVERYTHING, choices.color_by)]
    elif choices.depth is not None:
        candidates = [compose_blocks(network, choices.depth, choices.color_by)]
    else:
        candidates = _depths(network, choices.color_by)
        if not choices.fit or form in ("dot", "mmd"):
            candidates = candidates[-1:]
    made = [_finished(diagram, network, choices, notes) for diagram in candidates]
    if form in ("dot", "mmd"):
        return made[-1], None
    layouts = [arrange(diagram, choices.direction, ratio) for diagram in made]
    return max(zip(made, layouts, strict=True), key=lambda pair: _worth(pair[1], ratio, len(pair[0].nodes)))


def _depths(network: Network, color_by: str) -> list[Diagram]:
    """Folded to one level, and to further ones as long as few cards come of it."""
    found = [compose_blocks(network, 1, color_by)]
    for depth in (2, 3):
        deeper = compose_blocks(network, depth, color_by)
        if len(deeper.nodes) > MOST_CARDS or len(deeper.nodes) == len(found[-1].nodes):
            break
        found.append(deeper)
    return found


def _worth(layout: Layout, ratio: float, cards: int) -> float:
    """Readable text first (9 points on a slide of 7.5 inches), then what shows more."""
    size = 12 * size_on_page((layout.width, layout.height), ratio) * 7.5 * 72
    return min(size, 9.0) * 1000 + cards


def _finished(diagram: Diagram, network: Network, choices: Choices, notes: tuple[str, ...]) -> Diagram:
    """With the title that was asked for, the highlighting, and what is to be said."""
    if choices.highlight:
        diagram = mark(diagram, network, choices.highlight)
    if choices.title is not None:
        title = clean(choices.title)
        diagram = replace(diagram, title=title, subtitle=diagram.subtitle if title else "")
    return replace(diagram, notes=notes + diagram.notes, whole=choices.only is not None)
