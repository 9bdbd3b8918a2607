"""A laid-out diagram as a drawing: boxes, frames, lines and their texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from archcalc.core.language import say
from archcalc.render.diagrams.arrange import ON_SLIDE
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Rect, Shape, Text, rounded, shifted_link
from archcalc.render.diagrams.legend import legend_shapes, legend_width
from archcalc.render.diagrams.measure import BADGE, LABEL, SMALL
from archcalc.render.diagrams.model import Diagram, Edge, EdgeKind, Node, Part
from archcalc.render.diagrams.pack import Layout
from archcalc.render.diagrams.segments import HEADER, SHADOW, Frame, Line, Placed
from archcalc.render.diagrams.steps import Steps
from archcalc.render.diagrams.strokes import Stroke, edge_colour, edge_title
from archcalc.render.diagrams.text import LEADING, clean, text_width, wrap
from archcalc.render.diagrams.theme import Theme, heat, mix, pale, readable
from archcalc.render.diagrams.trace import kinded, links_of, ways

MARGIN = 20.0
TITLE, SUBTITLE = 18.0, 12.0
NARROWEST = 390.0
ARROW = 6.5
LEGEND_GAP = 16.0
#: Between the title and a legend to the right of it, and how high that may be.
KEY_GAP, KEY_HEIGHT = 40.0, 40.0


class Figures(Protocol):
    """What stands in the place of boxes with texts, and how far lines go on into it."""

    def node(self, placed: Placed) -> list[Cluster]: ...

    def line(self, line: Line) -> Line: ...


def paint(
    diagram: Diagram,
    layout: Layout,
    theme: Theme,
    steps: Steps | None = None,
    links: bool = False,
    ratio: float = 0.0,
    figures: Figures | None = None,
) -> Drawing:
    """The whole picture: title, diagram, legend, as wide as a page of width:height = `ratio`, if one is given.

    With `steps` each part knows when it appears. `links` gives each edge in one piece too, as slides need it.
    """
    inner = max(layout.width, NARROWEST, (layout.height + ON_SLIDE[1]) * ratio - ON_SLIDE[0])
    items: list[Cluster] = []
    y = MARGIN
    if diagram.title:
        head, y = heading(diagram.title, diagram.subtitle, inner, y, theme)
        items.append(Cluster(diagram.title, tuple(head), "title"))
    key = _key(diagram, inner, theme) if ratio else []
    if key:
        items.append(Cluster("Legend", tuple(key), "key"))
    dx = MARGIN + (inner - layout.width) / 2
    look = _Look(diagram, layout, theme)
    paths = [frame.group.path for frame in layout.frames]
    levels = [sum(path[: len(other)] == other for other in set(paths)) for path in paths]
    of_frame = [steps.of_group(path, layout) if steps else 0 for path in paths]
    framed = list(zip(layout.frames, levels, of_frame, strict=True))
    body: list[Cluster] = [
        _frame(frame, level, look.of_frame(frame))._replace(step=step) for frame, level, step in framed
    ]
    of_line = steps.of_line if steps else [0] * len(layout.lines)
    body += [
        _line(figures.line(line) if figures else line, look.of_line(number))._replace(step=step, linked=1)
        for number, (line, step) in enumerate(zip(kinded(diagram, layout), of_line, strict=True))
    ]
    body += [_frame_label(frame, level, look.of_frame(frame))._replace(step=step) for frame, level, step in framed]
    kinds, scaled = trunk_kinds(diagram), diagram.scale is not None
    for placed in layout.nodes:
        step = steps.of_node[placed.box.node.id] if steps else 0
        kind, read = kinds.get(placed.box.node.id, "flow"), placed.box.node.id in diagram.read
        clusters = figures.node(placed) if figures else _node(placed, look, scaled)
        if placed.trunk != placed.start:
            clusters.insert(0, _trunk(placed, kind, look.of_trunk(placed.box.node), layout.down, not read))
        body += [cluster._replace(step=step, owner=placed.box.node.id) for cluster in clusters]
    items += [item.moved(dx, y) for item in body]
    top = y
    y += layout.height
    legend, height = legend_shapes(diagram.legend, diagram.scale, theme, MARGIN, y + LEGEND_GAP, inner)
    if legend and not key:
        items.append(Cluster("Legend", tuple(legend), "legend"))
        y += LEGEND_GAP + height
    made = links_of(diagram, layout, theme, steps.of_node if steps else {}) if links else []
    return Drawing(inner + 2 * MARGIN, y + MARGIN, theme.background, diagram.title, diagram.description, tuple(items),
                 tuple(shifted_link(link, dx, top) for link in made))  # fmt: skip


def _key(diagram: Diagram, inner: float, theme: Theme) -> list[Shape]:
    """The legend to the right of the title, if it fits there in two rows."""
    titles = ((diagram.title, TITLE, True), (diagram.subtitle, SUBTITLE, False))
    written = max(text_width(text, size, bold) for text, size, bold in titles)
    needed = legend_width(diagram.legend)
    space = inner - written - KEY_GAP
    if not diagram.title or space < needed / 2:
        return []
    left = MARGIN + inner - min(needed, space)
    shapes, height = legend_shapes(diagram.legend, diagram.scale, theme, left, MARGIN + 4, space)
    return shapes if height <= KEY_HEIGHT else []


class _Look:
    """The colours of each thing: pale for what stands back where something is highlighted."""

    def __init__(self, diagram: Diagram, layout: Layout, theme: Theme) -> None:
        self.theme = theme
        self._pale = pale(theme) if diagram.marked else theme
        marked = [node for node in diagram.nodes if any(part.marked for part in node.parts)]
        self._paths = {node.path[:level] for node in marked for level in range(1, len(node.path) + 1)}
        on = [way for way in ways(diagram, layout) if way.edge.marked] if marked else []
        self._lines = {number for way in on for number in way.lines}
        self._sources = {way.edge.source for way in on} | {node.id for node in marked if node.id not in diagram.read}

    def of_parts(self, parts: Sequence[Part]) -> Theme:
        return self.theme if any(part.marked for part in parts) else self._pale

    def of_frame(self, frame: Frame) -> Theme:
        return self.theme if frame.group.path in self._paths else self._pale

    def of_line(self, number: int) -> Theme:
        return self.theme if number in self._lines else self._pale

    def of_trunk(self, node: Node) -> Theme:
        return self.theme if node.id in self._sources else self._pale


def heading(title: str, subtitle: str, width: float, y: float, theme: Theme) -> tuple[list[Shape], float]:
    """Title and subtitle in as many lines as they need, and where the rest begins."""
    shapes: list[Shape] = []
    for text, size, bold, colour in ((title, TITLE, True, theme.ink), (subtitle, SUBTITLE, False, theme.quiet)):
        for line in wrap(text, width, size, bold):
            y += size * (LEADING if not bold else 1.0)
            shapes.append(Text(MARGIN, y, line, size, colour, bold))
        y += 2 if bold else 0
    return shapes, y + 10


def _frame(frame: Frame, level: int, theme: Theme) -> Cluster:
    group = frame.group
    paint_ = theme.frame if level % 2 else theme.inner_frame
    dash = (5.0, 3.0) if group.auxiliary else ()
    x, y, width, height = frame.x, frame.y, frame.width, frame.height
    shapes: list[Shape] = [
        Rect(x + step * SHADOW, y + step * SHADOW, width, height, paint_.fill, paint_.line, 1.0, 6)
        for step in ((2, 1) if group.times > 1 else ())
    ]
    shapes.append(Rect(x, y, width, height, paint_.fill, paint_.line, 1.0, 6, dash))
    return Cluster(clean("/".join(group.path)), tuple(shapes), "block", block="/".join(group.path))


def _frame_label(frame: Frame, level: int, theme: Theme) -> Cluster:
    """Above the lines, which it covers where they would run through it."""
    group = frame.group
    paint_ = theme.frame if level % 2 else theme.inner_frame
    baseline = frame.y + 15.5
    shapes: list[Shape] = [Text(frame.x + 10, baseline, group.label, LABEL, theme.quiet, True)]
    x = frame.x + 10 + text_width(group.label, LABEL, True)
    if group.times > 1:
        shapes += _badge(f"×{group.times}", x + 8, baseline - 4, theme)
        x += text_width(f"×{group.times}", BADGE, True) + 18
    if group.note:
        shapes.append(Text(x + 8, baseline, group.note, SMALL, theme.quiet))
    left, top, right = frame.x, frame.y, frame.x + frame.width
    corners = [(left, top + HEADER), (left, top), (right, top), (right, top + HEADER)]
    back = Curve(rounded(corners, 6), paint_.line, 1.0, True, fill=mix(paint_.fill, paint_.line, 0.3), closed=True)
    return Cluster(group.label, (back, *shapes), "plain")


def _badge(text: str, x: float, middle: float, theme: Theme) -> list[Shape]:
    width = text_width(text, BADGE, True) + 10
    return [
        Rect(x, middle - 8, width, 16, theme.ink, None, 0, 8),
        Text(x + width / 2, middle + BADGE * 0.36, text, BADGE, theme.background, True, "middle"),
    ]


def _line(line: Line, theme: Theme) -> Cluster:
    edge = line.edge
    colour = edge_colour(edge.kind, theme)
    curve = Curve(line.points, colour, Stroke.thickness[edge.kind], True, line.arrow, Stroke.dash[edge.kind])
    return Cluster(edge_title(edge), (curve,), "edge")


def _node(placed: Placed, look: _Look, scaled: bool) -> list[Cluster]:
    """One cluster a part, so that each layer can be found by itself."""
    box, node = placed.box, placed.box.node
    x, y, width = placed.x, placed.y, placed.width
    clusters: list[Cluster] = []
    shapes: list[Shape] = []
    if node.times > 1:
        theme = look.of_parts(node.parts)
        under = theme.families[node.parts[0].family]
        for step in (2, 1):
            fill = mix(under.fill, theme.background, 0.35)
            shapes.append(Rect(x + step * SHADOW, y + step * SHADOW, width, box.height, fill, under.line, 1.0, 5))
    for number, (part_box, dx, dy, wide) in enumerate(box.places()):
        part, left, top = part_box.part, x + dx, y + dy
        theme = look.of_parts((part,))
        # Where colours stand for numbers, what has none is plain.
        paint_ = theme.families["input" if scaled and part.heat is None else part.family]
        fill, line, ink = paint_.fill, paint_.line, theme.ink
        if part.heat is not None:
            fill = heat(theme, part.heat)
            ink = readable(fill) if theme is look.theme else theme.ink
        round_ = 15.0 if part.family in ("input", "output") else 5.0
        dash = (5.0, 3.0) if node.auxiliary else (3.0, 2.0) if part.family == "regularisation" else ()
        if part.marked:
            shapes.append(Rect(left, top, wide, part_box.height, fill, theme.accent, 2.6, round_))
        else:
            shapes.append(Rect(left, top, wide, part_box.height, fill, line, 1.2, round_, dash))
        middle = left + (wide - (box.badge_width + 2 if box.badge else 0)) / 2
        centre = left + wide / 2
        for line_number, text in enumerate(part_box.lines):
            at = middle if line_number == 0 else centre
            if text.centred:
                shapes.append(Text(at, top + text.y, text.text, text.size, ink, text.bold, "middle"))
            else:
                shapes.append(Text(at + text.x, top + text.y, text.text, text.size, ink, text.bold))
        if box.badge and number == 0:
            shapes += _badge(box.badge, left + wide - box.badge_width - 5, y + 14, look.of_parts(node.parts))
        clusters.append(part_cluster(node, part, shapes))
        shapes = []
    return clusters


def part_cluster(node: Node, part: Part, shapes: Sequence[Shape]) -> Cluster:
    """The shapes of a part, with its names."""
    layer, block = ("", part.name) if part.family == "block" else (part.name, "")
    title = _title(node, part)
    return Cluster(title, tuple(shapes), "node", layer, block, part.holds if part.holds != (layer,) else ())


def trunk_kinds(diagram: Diagram) -> dict[str, EdgeKind]:
    """How the line that leaves a node is drawn: as its edges, where they are all of one kind."""
    kinds: dict[str, EdgeKind] = {}
    for edge in diagram.edges:
        kinds[edge.source] = "flow" if kinds.get(edge.source, edge.kind) != edge.kind else edge.kind
    return kinds


def _trunk(placed: Placed, kind: EdgeKind, theme: Theme, down: bool, last: bool) -> Cluster:
    """The line that leaves a box, with the size of its map; it ends in an arrow where nothing reads it."""
    (x, y), (end_x, end_y) = placed.start, placed.trunk
    line = Curve(((x, y), (end_x, end_y)), edge_colour(kind, theme), Stroke.thickness[kind], arrow=last,
                 dash=Stroke.dash[kind])  # fmt: skip
    if down:
        text = Text(x + 6, (y + end_y) / 2 + SMALL * 0.36, placed.box.output, SMALL, theme.quiet)
    else:
        text = Text((x + end_x) / 2 + 1, y - 5, placed.box.output, SMALL, theme.quiet, anchor="middle")
    return Cluster(edge_title(Edge(placed.box.node.id, "")), (line, text), "edge", linked=1)


def _title(node: Node, part: Part) -> str:
    words = ", ".join(filter(None, (part.suffix, *part.lines)))
    lines = [f"{part.name or part.label}: {words}" if words else part.name or part.label]
    if node.times > 1:
        lines.append(say("repeated {count} times", count=node.times))
    if node.output and part is node.parts[-1]:
        lines.append(say("output {size}", size=node.output))
    return clean("; ".join(lines))


def enlarge(drawing: Drawing, factor: float) -> Drawing:
    """The same drawing, larger."""
    if factor == 1:
        return drawing
    items = tuple(item.moved(0, 0, factor) for item in drawing.items)
    links = tuple(shifted_link(link, 0, 0, factor) for link in drawing.links)
    return drawing._replace(width=drawing.width * factor, height=drawing.height * factor, items=items, links=links)


def page(drawing: Drawing, ratio: float) -> Drawing:
    """The drawing in the middle of a page of exactly width:height = `ratio`."""
    width, height = max(drawing.width, drawing.height * ratio), max(drawing.height, drawing.width / ratio)
    dx: float = (width - drawing.width) / 2
    dy: float = (height - drawing.height) / 2
    items = tuple(item if item.role in ("title", "key") else item.moved(dx, dy) for item in drawing.items)
    links = tuple(shifted_link(link, dx, dy) for link in drawing.links)
    return drawing._replace(width=width, height=height, items=items, links=links)
