"""From an analysis and choices to a drawing: what is shown, where it stands, how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from archcalc.core.errors import UsageError
from archcalc.core.language import mark, say
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.arrange import (
    ON_SLIDE,
    READABLE,
    READABLE_U,
    UNTITLED,
    arrange,
    page_height,
    points_on_slide,
)
from archcalc.render.diagrams.choices import MOST_LAYERS, PAPERS, Choices, default_style, parse_ratio
from archcalc.render.diagrams.compose import compose_blocks, compose_graph, compose_volumes
from archcalc.render.diagrams.drawing import Drawing, Text
from archcalc.render.diagrams.fold import EVERYTHING, fold
from archcalc.render.diagrams.mark import mark as highlighted
from archcalc.render.diagrams.measure import WIDEST
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.only import only
from archcalc.render.diagrams.pack import Layout
from archcalc.render.diagrams.paint import enlarge, page, paint
from archcalc.render.diagrams.stack import ANY, stacked
from archcalc.render.diagrams.steps import Steps
from archcalc.render.diagrams.text import clean
from archcalc.render.diagrams.theme import theme_of
from archcalc.render.diagrams.ushape import u_layout
from archcalc.render.diagrams.wiring import Wiring

if TYPE_CHECKING:
    from archcalc.render.diagrams.branched import Arranged

#: The size of font for which everything has the size of its style.
PLAIN_SIZE = 12.0
#: What makes texts larger.
LARGER = {
    "graph": mark("--style blocks or --only BLOCK shows less at a time"),
    "blocks": mark("a smaller --depth or --only BLOCK shows less at a time"),
    "volumes": mark("--style blocks, or of a network with branches a smaller --depth, has fewer boxes"),
    **dict.fromkeys(PAPERS, mark("--style blocks or --only BLOCK shows less at a time")),
}
#: The lines of cards that are to be narrow.
NARROW = (180.0, 150.0, 120.0)
#: What narrow cards are worth whose texts are too small all the same.
SLIM = 0.85
#: More cards than this are not tried with shorter lines.
MOST_ON_SLIDE = 40
#: How many cards a stack may have where they are put together.
STACKS = (1, 2, 3, 5, ANY)
#: Neighbours are put together to no fewer cards than this.
FEWEST = 4
#: Blocks are opened one level further as long as no more cards come of it.
MOST_CARDS = 18


def drawing_of(
    analysis: Analysis, choices: Choices, links: bool = False, others: Sequence[Analysis] = ()
) -> tuple[Drawing, tuple[str, ...]]:
    """The drawing, and what there is to say about it. With `links` it has each edge in one piece too.

    `others` are drawn next to the network, in a style that has several.
    """
    if choices.only:
        analysis = only(analysis, choices.only)
    ratio = parse_ratio(choices.fit)
    notes: tuple[str, ...] = ()
    if choices.style in PAPERS:
        drawing = _paper([analysis, *others], choices, ratio, links)
    elif others:
        raise UsageError("several networks are drawn next to each other in the style bars alone: --style bars")
    elif (choices.style or default_style(analysis)) == "volumes":
        drawing, notes = _volumes(analysis, choices, ratio)
    else:
        diagram, layout = diagram_of(analysis, choices)
        layout = layout or arrange(diagram, choices.direction, ratio, bool(choices.fit))
        steps = Steps(diagram, layout) if choices.steps else None
        notes = diagram.notes
        drawing = paint(diagram, layout, theme_of(choices.theme), steps, links, ratio if choices.fit else 0)
        if choices.expand:
            drawing = _expanded(drawing, diagram, analysis, choices, links)
    drawing = enlarge(drawing, choices.font_size / PLAIN_SIZE)
    if choices.fit:
        drawing = page(drawing, ratio)
        notes += small_texts(drawing, choices.style or default_style(analysis))
    return drawing, notes


def small_texts(drawing: Drawing, style: str) -> tuple[str, ...]:
    """What there is to say where texts are too small on a slide."""
    smallest = min((shape.size for shape in drawing.shapes() if isinstance(shape, Text)), default=READABLE)
    upright = drawing.height > drawing.width
    points = smallest * page_height(drawing.width / drawing.height) / drawing.height
    if points > READABLE - 0.05:
        return ()
    where = say("a sheet of A4") if upright else say("a slide of 13.3 × 7.5 inches")
    return (
        say(
            "the smallest text is {points:.1f} pt on {where}, not {readable:g}; {hint}",
            points=points,
            where=where,
            readable=READABLE,
            hint=say(LARGER[style]),
        ),
    )


def _paper(analyses: Sequence[Analysis], choices: Choices, ratio: float, links: bool) -> Drawing:
    from archcalc.render.diagrams.papers.figure import Request
    from archcalc.render.diagrams.papers.styles import paper_drawing

    request = Request(
        tuple(analyses),
        theme_of(choices.theme),
        ratio,
        choices.labels,
        choices.names,
        choices.sizes,
        bool(choices.fit),
        choices.direction,
        choices.title,
        links,
        choices.font_size / PLAIN_SIZE,
    )
    return paper_drawing(str(choices.style), request)


def _volumes(analysis: Analysis, choices: Choices, ratio: float) -> tuple[Drawing, tuple[str, ...]]:
    from archcalc.render.diagrams.volumes import is_row_or_u, volumes_drawing

    wiring = Wiring(analysis)
    diagram = compose_graph(wiring, choices.color_by)
    if not is_row_or_u(diagram, wiring):
        return _branched(wiring, choices, ratio)
    diagram = _finished(diagram, wiring, choices, ())
    drawing = volumes_drawing(
        diagram,
        wiring,
        theme_of(choices.theme),
        choices.sizes or "linear",
        ratio,
        bool(choices.fit),
        choices.font_size / PLAIN_SIZE,
    )
    return drawing, diagram.notes


def _branched(wiring: Wiring, choices: Choices, ratio: float) -> tuple[Drawing, tuple[str, ...]]:
    """Volumes with shortcuts and branches: as much of the network as can be read on a screen."""
    from archcalc.render.diagrams.branched import MOST, SHOWN, best_arranged, branched_drawing

    sizes, larger = choices.sizes or "sqrt", choices.font_size / PLAIN_SIZE
    depths = [EVERYTHING, 3, 2, 1] if len(wiring.rows) <= MOST_LAYERS else [1]
    if choices.depth is not None:
        depths = [choices.depth or EVERYTHING]
    best: Arranged | None = None
    count = 0
    for depth in depths:
        diagram = compose_volumes(wiring, depth, choices.color_by)
        if len(diagram.nodes) > MOST or len(diagram.nodes) == count:
            count = len(diagram.nodes)
            continue
        count = len(diagram.nodes)
        found = best_arranged(_finished(diagram, wiring, choices, ()), wiring, depth, sizes, ratio, larger)
        best = found if best is None or found.points > best.points else best
        if best.points >= SHOWN:
            break
    if best is None:
        raise UsageError(
            say(
                "{count:,} boxes are too many for the style volumes: take a smaller --depth or --style blocks",
                count=count,
            )
        )
    drawing = branched_drawing(best, theme_of(choices.theme), sizes, ratio, bool(choices.fit))
    return drawing, best.diagram.notes


def _expanded(drawing: Drawing, diagram: Diagram, analysis: Analysis, choices: Choices, links: bool) -> Drawing:
    """The drawing with one block, every layer of it, next to it."""
    from archcalc.render.diagrams.expand import holder, side_by_side

    block = str(choices.expand).strip("/")
    part = only(analysis, block)
    inner = replace(compose_graph(Wiring(part), choices.color_by), title="", subtitle="", whole=True)
    theme = theme_of(choices.theme)
    opened = paint(inner, arrange(inner, "TB"), theme, links=links)
    return side_by_side(drawing, opened, holder(diagram, analysis, block), block, theme)


def diagram_of(analysis: Analysis, choices: Choices, placed: bool = True) -> tuple[Diagram, Layout | None]:
    """What is shown, and where it stands unless that is not asked for.

    Where texts are too small on a slide, cards are put together, and layers folded unless the style is asked for.
    """
    ratio, style = parse_ratio(choices.fit), choices.style or default_style(analysis)
    wiring = Wiring(analysis)
    notes: tuple[str, ...] = ()
    if len(wiring.rows) > MOST_LAYERS and choices.depth != 0 and choices.style != "blocks":
        notes = (
            f"{analysis.layer_count:,} layers are more than a picture can show: drawn folded into blocks; "
            "--style graph --depth all draws every layer",
        )
        style = "blocks"
    slide = bool(choices.fit and placed)
    best: tuple[Diagram, Layout] | None = None
    for candidates in _candidates(wiring, choices, style, slide):
        for candidate in candidates:
            diagram = _finished(candidate, wiring, choices, notes)
            if not placed:
                return diagram, None
            made = diagram, arrange(diagram, choices.direction, ratio, bool(choices.fit))
            if best is None or _worth(*made, choices) > _worth(*best, choices):
                best = made
        assert best is not None
        # Of a U the other ways are tried too, until one shows it in letters of the same size.
        if not slide or (_text_size(best[1], choices) >= READABLE and (best[1].shaped or not u_layout(best[0]))):
            return best
    assert best is not None
    if (
        _points(best[1], choices) >= READABLE
        or choices.expand
        or choices.depth is not None
        or (style == "graph" and choices.style)
    ):
        return best
    return _gathered(best, wiring, choices, notes)


def _gathered(
    best: tuple[Diagram, Layout], wiring: Wiring, choices: Choices, notes: tuple[str, ...]
) -> tuple[Diagram, Layout]:
    """With neighbours put together until texts can be read, in as many steps as that takes."""
    ratio, depth = parse_ratio(choices.fit), _depths(wiring)[0]
    count, points = len(fold(wiring, depth).units), _points(best[1], choices)
    while count > FEWEST and points < READABLE:
        count = max(min(count - 1, int(count * (points / READABLE) ** 1.5)), FEWEST)
        points = 0.0
        for widest in (WIDEST, *NARROW[:2]):
            dense = compose_blocks(wiring, depth, choices.color_by, widest, True, count)
            for most in STACKS:
                diagram = _finished(stacked(dense, most), wiring, choices, notes)
                layout = arrange(diagram, choices.direction, ratio, True)
                if (found := _points(layout, choices)) > points:
                    best, points = (diagram, layout), found
                if points >= READABLE:
                    return best
    return best


def _candidates(wiring: Wiring, choices: Choices, style: str, slide: bool) -> Iterator[Iterable[Diagram]]:
    """What may be shown, from what shows most; each is for where the texts of all before it are too small."""
    color = choices.color_by
    depths = [choices.depth or EVERYTHING] if choices.depth is not None else _depths(wiring)
    if style == "graph":
        yield [compose_graph(wiring, color)]
        if not slide or choices.style:
            return
    if not slide:
        yield [compose_blocks(wiring, depths[-1], color)]
        return
    # On a slide lines may be short, so that texts are larger.
    wide = [compose_blocks(wiring, depth, color) for depth in depths]
    if len(wide[0].nodes) > MOST_ON_SLIDE:
        yield wide
        return
    yield [*wide, *(compose_blocks(wiring, depth, color, widest) for widest in NARROW for depth in depths)]
    if not choices.expand:
        dense = [compose_blocks(wiring, depths[0], color, widest, dense=True) for widest in (WIDEST, *NARROW[:2])]
        yield (stacked(diagram, most) for most in STACKS for diagram in dense)


def _depths(wiring: Wiring) -> list[int]:
    """Folded to one level, and to further ones as long as few cards come of it."""
    found, cards = [1], len(fold(wiring, 1).units)
    for depth in (2, 3):
        deeper = len(fold(wiring, depth).units)
        if deeper + len(wiring.endings) > MOST_CARDS or deeper == cards:
            break
        found.append(depth)
        cards = deeper
    return found


def _worth(diagram: Diagram, layout: Layout, choices: Choices) -> float:
    """Readable text first (9 points on a slide of 7.5 inches), then the shape of the network, then what shows more.

    Narrow cards are worth their shape where they make texts readable, or much larger.
    """
    points, large = _points(layout, choices), _text_size(layout, choices) >= READABLE
    points *= SLIM if diagram.slim and points < READABLE else 1
    shape = layout.shaped * (200 if large else 100)
    return min(points, READABLE) * 1000 + (0 if diagram.slim else len(diagram.nodes)) + shape


def _points(layout: Layout, choices: Choices) -> float:
    """The size of the smallest text on the page; what may be smaller in the shape of the network counts as larger."""
    return _text_size(layout, choices) * (READABLE / READABLE_U if layout.shaped else 1)


def _text_size(layout: Layout, choices: Choices) -> float:
    """The size of the smallest text on the page."""
    around = ON_SLIDE if choices.title != "" else UNTITLED
    ratio = parse_ratio(choices.fit)
    points, whole = points_on_slide((layout.width, layout.height), ratio, around), page_height(ratio)
    return points * (choices.page_height or whole) / whole


def _finished(diagram: Diagram, wiring: Wiring, choices: Choices, notes: tuple[str, ...]) -> Diagram:
    """The diagram with the requested title, the highlighting and the notes."""
    if choices.highlight:
        diagram = highlighted(diagram, wiring, choices.highlight)
    if choices.title is not None:
        title = clean(choices.title)
        diagram = replace(diagram, title=title, subtitle=diagram.subtitle if title else "")
    return replace(diagram, notes=notes + diagram.notes, whole=choices.only is not None)
