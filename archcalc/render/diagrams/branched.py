"""Volumes of networks that branch: maps as boxes in perspective, with their shortcuts and branches as lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import product
from math import prod
from operator import itemgetter
from typing import NamedTuple

from archcalc.core.language import is_chain, say
from archcalc.core.shapes import format_shape
from archcalc.core.words import several
from archcalc.ops.merge import Add, Concat, Multiply
from archcalc.passes.analysis import Row
from archcalc.render.diagrams import words
from archcalc.render.diagrams.arrange import READABLE, SHORT_PIECES, page_height
from archcalc.render.diagrams.columns import plan
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Shape, Text
from archcalc.render.diagrams.fold import Folding, Unit, fold, main_layer
from archcalc.render.diagrams.frames import LONGEST_PIECE, Path, innermost
from archcalc.render.diagrams.heads import with_heads_at_their_maps
from archcalc.render.diagrams.levels import Grid, Levels
from archcalc.render.diagrams.maps import look
from archcalc.render.diagrams.measure import NodeBox, PartBox
from archcalc.render.diagrams.model import Diagram, Node
from archcalc.render.diagrams.pack import MOST_LINES, Layout, assemble, cut_ranges, make_segments
from archcalc.render.diagrams.paint import MARGIN, paint, part_cluster
from archcalc.render.diagrams.ports import joined
from archcalc.render.diagrams.segments import Line, Placed
from archcalc.render.diagrams.solids import SCALES, Box, Measure, depth_note, faces
from archcalc.render.diagrams.steps import Steps
from archcalc.render.diagrams.text import LEADING, clean, text_width, wrap
from archcalc.render.diagrams.theme import Theme, mix
from archcalc.render.diagrams.trace import MEET
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import drawn_together, span

NAME, NOTE = 11.5, 11.0
#: How wide the texts at a layer and at a folded block are.
WRAP, WIDE = 66.0, 108.0
#: The radius of the sign of a sum or a product.
SIGN = 8.0
OUTPUT = "→"
#: How large boxes are against texts, as a share of those of a chain; and the scales of a page with all of it.
GROWTH = (0.8, 0.55, 0.4, 0.3)
#: Title, legend and note, and margins.
AROUND = (40.0, 110.0)
#: The size of text, in points on a slide, that can be read on a screen of 1920 × 1080; with less blocks are folded.
SHOWN = 5.8
#: What each further map costs that goes from one part to the next with others, at most two.
LANE_COST = 2.5
#: What rows of maps of one size gain, and what it costs that lines between them run back.
LEVELS_GAIN, OVER = 12.0, 5.0
#: More boxes than this are no figure; and so many are few.
MOST, FEW = 150, 12


class Piece(NamedTuple):
    """A box of the picture: the map that it gives, the channels of the maps that are joined in it, and its texts."""

    node: Node
    shape: tuple[int, ...]
    #: The channels of each map that a concatenation joins, in its order.
    joined: tuple[int, ...]
    #: + or × where maps are added or multiplied; such a box is a sign. OUTPUT where the network ends.
    sign: str
    above: str
    below: tuple[tuple[str, bool], ...]
    #: The layers that are drawn with another, in this box or sign.
    beside: tuple[Row, ...] = ()


class Plate(NamedTuple):
    """A piece with the box of its map, around the origin, and the space that it takes with its texts."""

    piece: Piece
    box: Box
    width: float
    above: float
    below: float


def pieces_of(
    diagram: Diagram, wiring: Wiring, depth: int, reading: Set[str] = frozenset(), wide: float = WIDE
) -> list[Piece]:
    """What is drawn for each node of a diagram that `compose_volumes` made; those `reading` several maps name them.

    Texts at folded blocks are as `wide`.
    """
    folding = fold(wiring, depth)
    units = {"/".join(unit.block) if unit.block else wiring.rows[unit.rows[0]].name: unit for unit in folding.units}
    read_on = _read_on(folding, wiring)
    sharing = words.sharing([group.path for group in diagram.groups], wiring.rows)
    pieces = []
    for node in diagram.nodes:
        piece = _piece(node, units[node.id], wiring, read_on, sharing, wide) if node.id in units else _ending(node)
        if node.id in reading and (text := _reads(units[node.id], folding, wiring)):
            lines = wrap(text, wide if units[node.id].block else WRAP, NOTE)
            piece = piece._replace(below=(*piece.below, *((line, False) for line in lines)))
        pieces.append(piece)
    return pieces


def _reads(unit: Unit, folding: Folding, wiring: Wiring) -> str:
    """What a unit reads, by the names of the boxes, in its order; of which maps of a box its own texts say."""
    holder = {row: other for other in folding.units for row in other.rows}
    names: dict[int, tuple[str, ...]] = {}
    inside = set(unit.rows)
    for source in (source for row in unit.rows for source in wiring.inputs[row] if source not in inside):
        other = holder[folding.original(source)]
        if other.block is None or len(wiring.exits(other.rows)) == 1:
            names[source] = wiring.paths[source][len(other.path) :]
    # What several are called is no name: then with the blocks around it.
    shown = {source: clean(name[0]) for source, name in names.items()}
    alike = Counter(shown.values())
    found = [name if alike[name] == 1 or wiring.paths[source] == names[source]
             else clean("/".join((*wiring.paths[source][: -len(names[source])], name)))
             for source, name in shown.items()]  # fmt: skip
    return say("reads {names}", names=", ".join(dict.fromkeys(found))) if found else ""


def _read_on(folding: Folding, wiring: Wiring) -> set[int]:
    """The layers whose maps another unit reads."""
    holder = {row: place for place, unit in enumerate(folding.units) for row in unit.rows}
    found = set()
    for place, unit in enumerate(folding.units):
        for source in (source for row in unit.rows for source in wiring.inputs[row]):
            original = folding.original(source)
            if holder[original] != place or original != source:
                found.add(original)
    return found


def _may_name(piece: Piece) -> bool:
    """Sums, products and the parts of a concatenation need no names, and repeated boxes say what each reads."""
    is_block = piece.node.parts[0].family == "block"
    return not piece.sign and piece.node.times == 1 and (is_block or not piece.joined)


def _ending(node: Node) -> Piece:
    return Piece(
        node, (), (), OUTPUT, "", ((node.parts[0].label, True), *((line, False) for line in node.parts[0].lines))
    )


def _piece(node: Node, unit: Unit, wiring: Wiring, read_on: Set[int], sharing: Set[Path], wide: float) -> Piece:
    part = node.parts[0]
    rows = [wiring.rows[row] for row in unit.rows]
    shape = rows[-1].output_shape
    times = f" ×{unit.times}" if unit.times > 1 else ""
    is_said = not sharing.isdisjoint(node.path[:level] for level in range(1, len(node.path) + 1))
    if unit.block is not None:
        # Of several maps that others read the largest is drawn.
        read = [row for row in unit.rows if row in read_on] or [unit.rows[-1]]
        given = max(reversed(read), key=lambda row: prod(wiring.rows[row].output_shape))
        shape, joined = wiring.rows[given].output_shape, _joined(given, unit.rows, wiring)
        below = [(line, True) for line in wrap(part.label + times, wide, NAME, True)]
        below += [(line, False) for text in part.lines for line in wrap(text, wide, NOTE)]
        return Piece(node, shape, joined if len(joined) > 1 else (), "", node.output, tuple(below))
    index = main_layer(wiring, unit.rows)
    main = wiring.rows[index]
    inputs = [wiring.rows[source].output_shape for source in wiring.inputs[unit.rows[0]]]
    beside = tuple([row for row in rows if row is not main])
    sign = "+" if isinstance(main.op, Add) else "×" if isinstance(main.op, Multiply) else ""
    if sign:
        return Piece(node, shape, (), sign, "", ((times.strip(), True),) if times else (), beside)
    joined = _joined(index, unit.rows, wiring) if isinstance(main.op, Concat) else ()
    name = "" if node.path else span(unit.first, unit.last) if unit.first else _name(index, unit.rows, wiring)
    below = [(line, True) for line in wrap(name + times, WRAP * 1.5, NAME, True)] if name + times else []
    if main.op.family != "input":
        text = words.summary(main, is_said)
        if main.op.family == "convolution" and len(shape) > 2:  # 3×3, 64 is clear, and 3, 64 is not
            text = text.removeprefix(f"{say(main.op.noun)} ")
        below += [(line, False) for line in wrap(clean(text), WRAP, NOTE)]
    said = {clean(words.summary(row, is_said)) for row in rows}
    for line in part.lines:  # such as whose map is read, or a number
        if line not in said and not is_chain(line):
            below += [(text, False) for text in wrap(line, WRAP, NOTE)]
    resized = not inputs or any(size[1:] != shape[1:] for size in inputs)
    return Piece(node, shape, joined, "", format_shape(shape) if resized or joined else "", tuple(below), beside)


def _name(index: int, rows: Sequence[int], wiring: Wiring) -> str:
    """The name of a layer with the blocks around it; a block that is all in the box gives it its name."""
    path = wiring.paths[index]
    while len(path) > 1 and wiring.sizes[path[:-1]] == sum(
        wiring.paths[row][: len(path) - 1] == path[:-1] for row in rows
    ):
        path = path[:-1]
    return clean("/".join(path))


def _joined(index: int, inside: Sequence[int], wiring: Wiring) -> tuple[int, ...]:
    """The channels of the maps that the last concatenation of some layers joins, those before it included."""
    row = wiring.rows[index]
    if isinstance(row.op, Concat) and row.output_shape[0] == sum(shape[0] for shape in row.input_shapes):
        return tuple(
            channels
            for source in wiring.inputs[index]
            for channels in (
                _joined(source, inside, wiring) if source in inside else (wiring.rows[source].output_shape[0],)
            )
        )
    sources = wiring.inputs[index]
    if row.op.family in ("activation", "normalisation", "regularisation") and sources and sources[0] in inside:
        return _joined(sources[0], inside, wiring)
    return (row.output_shape[0],)


def _plates(pieces: Sequence[Piece], sizes: str, factor: float, larger: float) -> dict[str, Plate]:
    drawn = [piece for piece in pieces if not piece.sign]
    measure = Measure(drawn, sizes, factor / larger, min(1.0, factor * 1.6) / larger)
    return {piece.node.id: _plate(piece, measure) for piece in pieces}


def _plate(piece: Piece, measure: Measure) -> Plate:
    texts = max((text_width(text, NAME if bold else NOTE, bold) for text, bold in piece.below), default=0.0)
    lines = sum((NAME if bold else NOTE) * LEADING for _, bold in piece.below)
    if piece.sign:
        low = SIGN + (lines + 3 if lines else 0.0)
        # The arrow of an output is the line that leads to it.
        half = 0.0 if piece.sign == OUTPUT else SIGN
        return Plate(piece, Box(-half, -SIGN, 2 * half, 2 * SIGN, 0.0, 0.0), max(2 * SIGN, texts), SIGN, low)
    box = measure.box(piece.shape, 0.0)
    across, high = box.stack + box.width + box.right, box.height + box.up + box.stack
    box = box._replace(x=box.stack - across / 2, y=box.up + box.stack - high / 2)
    half = high / 2
    width = max(texts, text_width(piece.above, NOTE), across) + 7
    return Plate(piece, box, width, half + (NOTE + 5 if piece.above else 2), half + lines + 6)


class _Figures:
    """The boxes in perspective at the places of a layout."""

    def __init__(self, plates: Mapping[str, Plate], layout: Layout, diagram: Diagram, theme: Theme) -> None:
        self.plates, self.diagram, self.theme = plates, diagram, theme
        #: Where lines start and end at the space around a box, the places on the box to which they go on, and how far
        #: next to these others end.
        self._starts: list[tuple[Point, Point, float]] = []
        self._ends: list[tuple[Point, Point, float]] = []
        for placed in layout.nodes:
            box = plates[placed.box.node.id].box
            x, y = placed.x + placed.width / 2, placed.y + plates[placed.box.node.id].above
            # Around a sign there is no space: a line that went back there would have its arrow turned round.
            first, last = x + box.left - 1, x + box.x + box.width + box.right + 1
            if first > placed.x:
                self._ends.append(((placed.x, y), (first, y), placed.box.front))
            if last < placed.start[0]:
                self._starts.append((placed.start, (last, y), 0.0))

    def line(self, line: Line) -> Line:
        """A line from box to box, and not only to the space around them."""
        points = line.points
        start, end = _on(points[0], self._starts), _on(points[-1], self._ends) if line.arrow else None
        if start:
            points = (start, start, points[0], *points)
        if end:
            points = (*points, points[-1], end, end)
        return line._replace(points=points)

    def node(self, placed: Placed) -> list[Cluster]:
        node = placed.box.node
        plate = self.plates[node.id]
        piece, theme = plate.piece, self.theme
        x, y = placed.x + placed.width / 2, placed.y + plate.above
        box = plate.box._replace(x=x + plate.box.x, y=y + plate.box.y)
        paint_, faded = look(self.diagram, node.parts, node.parts[0].family, theme)
        ink = mix(theme.ink, theme.background, 0.55) if faded else theme.ink
        quiet = mix(theme.quiet, theme.background, 0.45) if faded else theme.quiet
        shapes: list[Shape] = []
        low = box.y + box.height
        if piece.sign:
            shapes += [] if piece.sign == OUTPUT else _sign(piece.sign, x, y, paint_.fill, ink)
        elif piece.joined:
            for slab in map(box.slab, reversed(range(box.slabs))):
                for number, part in enumerate(_parts(slab, piece.joined)):
                    fill = paint_.fill if number % 2 == 0 else mix(paint_.fill, paint_.line, 0.3)
                    shapes += faces(part, paint_._replace(fill=fill), theme)
        else:
            shapes += faces(box, paint_, theme)
        if piece.above:
            shapes.append(Text(x, box.top - 5, piece.above, NOTE, quiet, anchor="middle"))
        low += 3
        for text, bold in piece.below:
            low += (NAME if bold else NOTE) * LEADING
            shapes.append(Text(x, low, text, NAME if bold else NOTE, ink if bold else quiet, bold, "middle"))
        return [part_cluster(node, node.parts[0], shapes)]


def _on(point: Point, places: Sequence[tuple[Point, Point, float]]) -> Point | None:
    """The place on a box to which a line goes on that ends at the space around it."""
    x, y = point
    return next(
        ((on[0], on[1] + y - v) for (u, v), on, front in places if abs(x - u) < MEET and abs(y - v) < front + MEET),
        None,
    )


def _parts(box: Box, channels: Sequence[int]) -> Iterator[Box]:
    """A box cut along its channels."""
    total, done = sum(channels), 0
    for count in channels:
        yield box._replace(x=box.x + box.width * done / total, width=box.width * count / total)
        done += count


def _sign(sign: str, x: float, y: float, fill: str, ink: str) -> list[Shape]:
    """A circle with a plus or a times."""
    k = SIGN * 0.5523
    circle = (
        (x + SIGN, y), (x + SIGN, y + k), (x + k, y + SIGN), (x, y + SIGN), (x - k, y + SIGN), (x - SIGN, y + k),
        (x - SIGN, y), (x - SIGN, y - k), (x - k, y - SIGN), (x, y - SIGN), (x + k, y - SIGN), (x + SIGN, y - k),
        (x + SIGN, y),
    )  # fmt: skip
    shapes: list[Shape] = [Curve(circle, ink, 1.2, True, fill=fill, closed=True)]
    reach = SIGN * 0.55
    arms = ((1, 0), (0, 1)) if sign == "+" else ((0.7, 0.7), (0.7, -0.7))
    shapes += [Curve(((x - a * reach, y - b * reach), (x + a * reach, y + b * reach)), ink, 1.6) for a, b in arms]
    return shapes


class Arranged(NamedTuple):
    """A diagram with its boxes and their places, and the size of the smallest text on a slide."""

    diagram: Diagram
    plates: Mapping[str, Plate]
    layout: Layout
    points: float


def best_arranged(
    diagram: Diagram,
    wiring: Wiring,
    depth: int,
    sizes: str,
    ratio: float,
    larger: float = 1.0,
    reading: Set[str] = frozenset(),
) -> Arranged:
    """The rows and the size of boxes with which texts can be read and boxes are large.

    Boxes that several lines enter at one place are `reading` maps whose names they say.
    """
    diagram = with_heads_at_their_maps(_plain(diagram))
    # Of few blocks the texts may be wider: then towers one below the other are lower.
    widths = (WIDE, WIDE * 2.5) if len(diagram.nodes) <= FEW and depth == 1 else (WIDE,)
    pieces = [pieces_of(diagram, wiring, depth, reading, wide) for wide in widths]
    levels = Levels(diagram, {piece.node.id: piece.shape[1:] for piece in pieces[0]})
    grids: list[_Rows] = []
    best: tuple[float, Arranged] | None = None
    # Most diagrams are cut into the same segments whatever the length.
    cuts: dict[tuple[range, ...], int] = {}
    for longest in (LONGEST_PIECE, *SHORT_PIECES):
        cuts.setdefault(tuple(cut_ranges(diagram, longest)), longest)
    for own, factor in product(pieces, GROWTH):
        plates = _plates(own, sizes, factor, larger)
        boxes = {name: _node_box(plate) for name, plate in plates.items()}
        for longest in cuts.values():
            segments = make_segments(diagram, False, longest, boxes)
            lanes = max(len(segment.entries) for segment in segments)
            for count in range(1, min(len(segments), MOST_LINES) + 1):
                found = plan(segments, False, count)
                points = _points(found.size, ratio)
                worth = _worth(points) + 8 * factor - 0.2 * count
                worth -= LANE_COST * min(max(lanes - 1, 0), 2)
                if best is None or worth > best[0]:
                    best = worth, Arranged(diagram, plates, assemble(found, frozenset()), points)
        for place, grid in enumerate(levels.grids(boxes) if levels.suit else ()):
            points = _points(grid.size, ratio)
            gain = LEVELS_GAIN + 8 * factor - OVER * place
            grids.append((_worth(points) + gain, gain, grid, plates))
    assert best is not None
    arranged = _in_rows(diagram, max(grids, key=itemgetter(0), default=None), *best, ratio)
    named = [placed for placed in arranged.layout.nodes if _may_name(arranged.plates[placed.box.node.id].piece)]
    more = reading | joined(arranged.layout.lines, named)
    return arranged if more == reading else best_arranged(diagram, wiring, depth, sizes, ratio, larger, more)


#: What rows are worth, and gain, as far as their size is known before lines are drawn; their places and boxes.
_Rows = tuple[float, float, Grid, Mapping[str, Plate]]


def _in_rows(diagram: Diagram, rows: _Rows | None, worth: float, other: Arranged, ratio: float) -> Arranged:
    """The network with a row for each size of its maps, where that is worth more than an `other` layout."""
    if rows is None or rows[0] <= worth:
        return other
    _, gain, grid, plates = rows
    plan = grid.plan()
    points = _points(plan.size, ratio) if plan else 0.0
    # Clearer rows must not be smaller than what can be read on a screen.
    if plan is None or _worth(points) + gain <= worth or points < min(other.points, SHOWN):
        return other
    return Arranged(diagram, plates, assemble(plan, frozenset()), points)


def _points(size: Point, ratio: float) -> float:
    """The size of the smallest text on a slide."""
    return NOTE * page_height(ratio) * min(ratio / (size[0] + AROUND[0]), 1 / (size[1] + AROUND[1]))


def _worth(points: float) -> float:
    """What the size of texts is worth: first of all that they can be read."""
    return min(points, READABLE) * 5 + min(points, 12.0)


def _plain(diagram: Diagram) -> Diagram:
    """With frames around the outermost blocks and those that repeat alone."""
    every = {group.path for group in diagram.groups}
    groups = tuple(
        group
        for group in diagram.groups
        if group.times > 1 or every.isdisjoint(group.path[:level] for level in range(len(group.path)))
    )
    kept = {group.path for group in groups}
    nodes = tuple(node._replace(path=innermost(node.path, kept)) for node in diagram.nodes)
    # An output has no box.
    legend = tuple(swatch for swatch in diagram.legend if swatch.family != "output")
    return replace(diagram, nodes=nodes, groups=groups, legend=legend)


def _node_box(plate: Plate) -> NodeBox:
    part = PartBox(plate.piece.node.parts[0], plate.above + plate.below, plate.width, ())
    closed = plate.piece.sign not in ("+", "×")
    front = max(-plate.box.y, 0.0)
    return NodeBox(plate.piece.node, plate.width, (part,), "", 0.0, "", 0.0, closed, plate.above, front)


def branched_drawing(arranged: Arranged, theme: Theme, sizes: str, ratio: float, fill: bool) -> Drawing:
    """The picture, with what its signs mean below it."""
    diagram, layout = arranged.diagram, arranged.layout
    figures = _Figures(arranged.plates, layout, diagram, theme)
    drawing = paint(diagram, layout, theme, Steps(diagram, layout), ratio=ratio if fill else 0.0, figures=figures)
    texts = wrap(note_of(arranged, sizes), drawing.width - 2 * MARGIN, NOTE)
    y = drawing.height - MARGIN
    lines = [Text(MARGIN, y + (number + 1) * NOTE * LEADING, text, NOTE, theme.quiet)
             for number, text in enumerate(texts)]  # fmt: skip
    note = Cluster("Legend", tuple(lines), "legend")
    # No link says the same as these lines: slides draw them as they are.
    items = tuple(item._replace(linked=0) for item in drawing.items)
    return drawing._replace(height=drawing.height + len(texts) * NOTE * LEADING, items=(*items, note))


def note_of(arranged: Arranged, sizes: str) -> str:
    """What the boxes and signs of a picture mean, and what is folded in it."""
    pieces = [plate.piece for plate in arranged.plates.values()]
    notes = [say("Heights and depths of maps, and thicknesses by channels: {scale}.", scale=say(SCALES[sizes]))]
    notes += filter(None, [depth_note(piece.shape for piece in pieces).strip()])
    if any(piece.sign == "+" for piece in pieces):
        notes.append(say("A circle with + adds maps."))
    if any(piece.sign == "×" for piece in pieces):
        notes.append(say("A circle with × multiplies."))
    if any(piece.joined for piece in pieces):
        notes.append(say("Parts of a box along its thickness: the maps that are concatenated."))
    notes += drawn_together(row for piece in pieces for row in piece.beside)
    if any(node.times > 1 for node in arranged.diagram.nodes) or any(
        group.times > 1 for group in arranged.diagram.groups
    ):
        notes.append(say("×N: so many equal blocks follow each other, of which one is drawn."))
    folded = sum(piece.node.parts[0].family == "block" for piece in pieces)
    if folded:
        notes.append(say("Folded, drawn as the map that each gives: {blocks}.", blocks=several(folded, "block")))
    return " ".join(notes)
