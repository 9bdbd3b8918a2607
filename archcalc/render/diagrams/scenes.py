"""From an analysis and choices to a drawing: what is shown, where it stands, how it looks."""

from __future__ import annotations

from dataclasses import replace

from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.arrange import arrange, size_on_page
from archcalc.render.diagrams.choices import MOST_LAYERS, Choices, default_style, known, parse_ratio
from archcalc.render.diagrams.compose import compose_blocks, compose_graph
from archcalc.render.diagrams.fold import EVERYTHING
from archcalc.render.diagrams.mark import mark
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.network import Network
from archcalc.render.diagrams.only import only
from archcalc.render.diagrams.pack import Layout
from archcalc.render.diagrams.paint import enlarge, page, paint
from archcalc.render.diagrams.scene import Scene
from archcalc.render.diagrams.steps import Steps
from archcalc.render.diagrams.text import clean
from archcalc.render.diagrams.theme import THEMES

#: Blocks are opened one level further as long as no more cards come of it.
MOST_CARDS = 18


def scene_of(analysis: Analysis, choices: Choices, links: bool = False) -> tuple[Scene, tuple[str, ...]]:
    """The drawing, and what there is to say about it. With `links` it has each edge in one piece too."""
    if choices.only:
        analysis = only(analysis, choices.only)
    ratio = parse_ratio(choices.fit)
    if (choices.style or default_style(analysis)) == "volumes":
        scene = _volumes(analysis, choices, ratio)
        notes: tuple[str, ...] = ()
    else:
        diagram, layout = diagram_of(analysis, choices)
        layout = layout or arrange(diagram, choices.direction, ratio)
        steps = Steps(diagram, layout) if choices.steps else None
        scene, notes = paint(diagram, layout, THEMES[choices.theme], steps, links), diagram.notes
        if choices.expand:
            scene = _expanded(scene, diagram, analysis, choices, links)
    scene = enlarge(scene, choices.font_size / 12)
    return page(scene, ratio) if choices.fit else scene, notes


def _volumes(analysis: Analysis, choices: Choices, ratio: float) -> Scene:
    from archcalc.render.diagrams.solids import SIZES
    from archcalc.render.diagrams.volumes import volumes_scene

    known("scale of sizes", choices.sizes, SIZES)
    network = Network(analysis)
    diagram = _finished(compose_graph(network, choices.color_by), network, choices, ())
    return volumes_scene(diagram, network, THEMES[choices.theme], choices.sizes, ratio)


def _expanded(scene: Scene, diagram: Diagram, analysis: Analysis, choices: Choices, links: bool) -> Scene:
    """The drawing with one block, every layer of it, beside."""
    from archcalc.render.diagrams.expand import beside, holder

    block = str(choices.expand).strip("/")
    part = only(analysis, block)
    inner = replace(compose_graph(Network(part), choices.color_by), title="", subtitle="", whole=True)
    theme = THEMES[choices.theme]
    opened = paint(inner, arrange(inner, "TB"), theme, links=links)
    return beside(scene, opened, holder(diagram, analysis, block), block, theme)


def diagram_of(analysis: Analysis, choices: Choices, placed: bool = True) -> tuple[Diagram, Layout | None]:
    """What is shown, and where it stands unless that is not asked for."""
    ratio, style = parse_ratio(choices.fit), choices.style or default_style(analysis)
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
        if not choices.fit or not placed:
            candidates = candidates[-1:]
    made = [_finished(diagram, network, choices, notes) for diagram in candidates]
    if not placed:
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
