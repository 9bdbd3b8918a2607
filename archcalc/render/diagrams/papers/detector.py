"""Backbone, neck and heads as a pyramid: Lin et al. 2017, "Feature Pyramid Networks", figure 1; RetinaNet, figure 3.

A network of several outputs on maps of several sizes. Its backbone goes up, from large maps to small ones; a neck,
where there is one, enlarges maps and joins them with those of the backbone; at each size heads give the outputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archcalc.core.language import chain, mark, say
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Row
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Rect, Shape, Text
from archcalc.render.diagrams.papers.figure import (
    NOTE,
    TEXT,
    Body,
    Key,
    Request,
    covers,
    finish,
    stroke,
    subtitle_of,
    swatch,
    title_of,
)
from archcalc.render.diagrams.papers.labels import COUNTS, count_text, label_texts
from archcalc.render.diagrams.papers.pyramid import Place, Pyramid, Size, Way, pyramid_of
from archcalc.render.diagrams.papers.trunk import Unsuited
from archcalc.render.diagrams.text import LEADING, clean, shorten, text_width
from archcalc.render.diagrams.theme import Paint, Theme
from archcalc.render.diagrams.wiring import FOLLOWERS, Wiring
from archcalc.render.diagrams.words import AND, lines_of

#: The narrowest box, and how much wider the one of the largest map is.
NARROW, WIDER, PAD = 120.0, 90.0, 8.0
UP, ACROSS, GAP, WIDEST = 22.0, 70.0, 8.0, 260.0
MOST = 12
#: Columns from left to right.
COLUMNS = ("backbone", "neck", "shared", "head")
FAMILY = {"backbone": "convolution", "neck": "block", "shared": "normalisation", "head": "pooling"}


class Card(NamedTuple):
    """A box with its lines of text, the first one bold, and the rows that it stands for."""

    place: Place
    lines: tuple[str, ...]
    rows: tuple[Row, ...]
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def low(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


def detector_drawing(request: Request) -> Drawing:
    """The picture. Raises `Unsuited` for a network that does not give outputs on maps of several sizes."""
    wiring, theme = Wiring(request.analyses[0]), request.theme
    pyramid = pyramid_of(wiring)
    if len(pyramid.sizes) > MOST:
        raise Unsuited(f"{wiring.analysis.graph.name} has maps of {len(pyramid.sizes)} sizes, more than {MOST}")
    cards = _placed(pyramid, wiring, request)
    rows = _rows_of_heads(pyramid)
    items = [_frame([cards[place] for place in heads], theme) for heads in rows.values()]
    items += [_way(way, cards, wiring, rows, request) for way in pyramid.ways if way.target not in _later(rows)]
    items += [_card(card, step, theme) for step, card in enumerate(cards.values(), 1)]
    top = min(card.y for card in cards.values())
    used = [kind for kind in COLUMNS if any(place[0] == kind for place in cards)]
    for name in [kind for kind in used if kind != "shared"]:
        inside = [card for card in cards.values() if card.place[0] == name]
        middle = (min(card.x for card in inside) + max(card.right for card in inside)) / 2
        text = Text(middle, top - 16, say(name), TEXT + 1, theme.ink, True, "middle")
        items.append(Cluster(name, (text,), "plain"))
    body = Body(
        tuple(items), min(card.x for card in cards.values()) - 4, top - 34,
        max(card.right for card in cards.values()) + 4, max(card.low for card in cards.values()) + 4,
    )  # fmt: skip
    keys: list[Key] = [swatch(_paint(kind, theme), say(MEANING[kind])) for kind in used]
    keys.append(stroke(say("feature maps"), theme.edge, 1.4))
    if any(_ways_texts(way, wiring, request) for way in pyramid.ways):
        keys.append(stroke(say("feature maps through layers that are drawn as an arrow"), theme.accent, 1.6))
    title = title_of(request.analyses[0])
    note = say("One row for each size of map, the smallest at the top. Activations and normalisation are not listed.")
    description = say(
        "{title}: backbone from the bottom to the top, neck and heads next to it at each size of map.", title=title
    )
    return finish(request, body, title, subtitle_of(request.analyses[0]), description, keys, note)


MEANING = {
    "backbone": mark("backbone"), "neck": mark("neck"), "shared": mark("layers that all heads of a size read"),
    "head": mark("head"),
}  # fmt: skip


def _paint(kind: str, theme: Theme) -> Paint:
    return theme.families[FAMILY[kind]]


# -- texts -----------------------------------------------------------------------------------------------------------


def _labels(request: Request) -> tuple[str, ...]:
    return request.labels or ("shape", "kernel")


def recipe(rows: Sequence[Row], parts: Mapping[str, str], most: int = 3) -> list[str]:
    """What some layers do, each kind once, 5 × conv 3×3, 256; where there are many kinds, how many of each op.

    Layers with the weights of another part say so, all at once where all that have weights use those of one.
    """
    owners = {row.name: _owner(row, parts) for row in rows if row.weights_of or row.params or row.buffers}
    whole = next(iter(owners.values()), "") if len(set(owners.values())) == 1 else ""
    counted = [row for row in rows if row.op.family not in FOLLOWERS and row.op.family not in ("merge", "input")]
    kinds = Counter((row._replace(weights_of=None).summary, owners.get(row.name, "")) for row in counted)
    if len(kinds) > most:
        kinds = Counter((say(row.op.noun), owners.get(row.name, "")) for row in counted)
    texts = []
    for (text, owner), count in kinds.items():
        said = say("{summary}, weights of {layer}", summary=text, layer=owner) if owner and not whole else text
        texts.append(f"{count} × {said}" if count > 1 else said)
    return [*texts, say("weights of {owner}", owner=whole)] if whole else texts


def _owner(row: Row, parts: Mapping[str, str]) -> str:
    """The part whose weights a layer uses; nothing where it has its own."""
    return parts.get(row.weights_of, row.weights_of.partition("/")[0]) if row.weights_of else ""


def _lines(place: Place, rows: Sequence[Row], request: Request, parts: Mapping[str, str]) -> tuple[str, ...]:
    """The name and the size of a part in one line, what it does in the next ones."""
    kind, _, output = place
    labels = _labels(request)
    first = [] if request.names == "none" else [output if kind == "head" else _name(rows)]
    lines = []
    merge = next((row for row in rows if row.op.family == "merge" and kind == "neck"), None)
    for label in labels:
        if label == "shape":
            first.append(format_shape(rows[-1].output_shape))
        elif label == "kernel":
            lines += [merge.summary] if merge else []
            lines += recipe(rows, parts, 2 if kind == "backbone" else 3)
        elif label == "receptive_field":
            lines += label_texts(rows[-1], (label,))
        else:
            lines += [text for text in [count_text(rows, label)] if text]
    if request.fill and request.ratio > 1:  # a slide has more space at the sides than above and below
        lines = lines_of(lines, AND, WIDEST, NOTE)
    return tuple(shorten(clean(line), WIDEST, NOTE) for line in (*([AND.join(first)] if first else []), *lines))


def _name(rows: Sequence[Row]) -> str:
    """The outermost block that holds most of some layers, or the names of one or two layers."""
    outer = Counter(row.name.partition("/")[0] for row in rows if row.params or row.op.family == "merge")
    if not outer:
        return rows[0].name.partition("/")[0]
    if len(outer) == 2 and len(rows) < 4:
        return AND.join(outer)
    return outer.most_common(1)[0][0]


# -- places ----------------------------------------------------------------------------------------------------------


def _placed(pyramid: Pyramid, wiring: Wiring, request: Request) -> dict[Place, Card]:
    """The cards in a row for each size, the smallest size at the top, in columns by kind."""
    made = {place: _made(place, rows, wiring, request, pyramid) for place, rows in pyramid.parts.items()}
    widest = {
        kind: max((card.width for card in made.values() if card.place[0] == kind), default=0.0) for kind in COLUMNS
    }
    left: dict[str, float] = {}
    x = 0.0
    label = dict.fromkeys(COLUMNS, 0.0)
    lines = 0
    for way in pyramid.ways:
        texts = _ways_texts(way, wiring, request)
        across = way.source[1] == way.target[1]
        # The text of a vertical arrow ends in the middle of its column.
        longest = max((text_width(text, NOTE) for text in texts), default=0.0)
        label[way.target[0]] = max(label[way.target[0]], longest + 40 if across else longest + 30 - NARROW / 2)
        lines = lines if across else max(lines, len(texts))
    for kind in COLUMNS:
        if widest[kind]:
            x += max(ACROSS if kind == "neck" else ACROSS / 2, label[kind]) if x else 0.0
            left[kind] = x
            x += widest[kind]
    found: dict[Place, Card] = {}
    rows = _rows_of_heads(pyramid)
    y = 0.0
    for size in reversed(pyramid.sizes):
        row = [card for card in made.values() if card.place[1] == size]
        stacks = {kind: [card for card in row if card.place[0] == kind] for kind in COLUMNS}
        stacks["backbone"].reverse()  # from the input up, with space for an arrow
        gaps = {**dict.fromkeys(COLUMNS, GAP), "backbone": UP}
        heights = {
            kind: sum(card.height for card in stack) + gaps[kind] * (len(stack) - 1)
            for kind, stack in stacks.items() if stack
        }  # fmt: skip
        beside = size in rows
        if beside:
            heights["head"] = max(card.height for card in stacks["head"]) + 2 * PAD
        tall = max(heights.values())
        for kind, stack in stacks.items():
            top = y + (tall - heights.get(kind, 0.0)) / 2
            if kind == "head" and beside:
                high = heights["head"] - 2 * PAD
                for number, card in enumerate(stack):
                    x = left[kind] + PAD + number * (widest[kind] + GAP)
                    found[card.place] = card._replace(x=x, y=top + PAD, width=widest[kind], height=high)
                continue
            for card in stack:
                wide = widest[kind] if kind in ("shared", "head") else card.width
                here = left[kind] + (widest[kind] - wide) / 2
                found[card.place] = card._replace(x=here, y=top, width=wide)
                top += card.height + gaps[kind]
        labelled = any(way.rows and way.source[1] == size != way.target[1] for way in pyramid.ways)
        y += tall + (max(UP, lines * NOTE * LEADING + 16) if labelled else UP)
    return found


def _names_of_parts(pyramid: Pyramid, wiring: Wiring) -> dict[str, str]:
    """What the part is called in the picture that a layer belongs to: a head by its output."""
    found = {}
    for (kind, _, output), indices in pyramid.parts.items():
        rows = [wiring.rows[index] for index in indices]
        found.update(dict.fromkeys((row.name for row in rows), output if kind == "head" else _name(rows)))
    return found


def _made(place: Place, rows: Sequence[int], wiring: Wiring, request: Request, pyramid: Pyramid) -> Card:
    lines = _lines(place, [wiring.rows[row] for row in rows], request, _names_of_parts(pyramid, wiring))
    given = [clean(ending.label) for ending in wiring.endings if ending.layer in rows]
    if given and place[0] != "head":  # others read on what is an output too
        lines += (shorten(f"{say('output')}: {', '.join(given)}", WIDEST, NOTE),)
    needed = max((text_width(line, NOTE, number == 0) for number, line in enumerate(lines)), default=0.0) + 2 * PAD + 8
    share = (max(place[1]) / max(pyramid.sizes[0])) ** 0.5
    width = max(needed, NARROW + WIDER * share) if place[0] in ("backbone", "neck") else needed
    return Card(place, lines, tuple(wiring.rows[row] for row in rows), width, len(lines) * NOTE * LEADING + 2 * PAD - 2)


def _card(card: Card, step: int, theme: Theme) -> Cluster:
    paint = _paint(card.place[0], theme)
    shapes: list[Shape] = [Rect(card.x, card.y, card.width, card.height, paint.fill, paint.line, 1.2, 5)]
    y = card.y + PAD - 4
    for number, line in enumerate(card.lines):
        y += NOTE * LEADING
        shapes.append(Text(card.middle[0], y, line, NOTE, theme.ink, number == 0, "middle"))
    names = tuple(row.name for row in card.rows)
    title = clean("; ".join(card.lines))
    return Cluster(title, tuple(shapes), "node", names[0], "", covers(card.rows), step)


def _ways_texts(way: Way, wiring: Wiring, request: Request) -> list[str]:
    """What happens on the way between two parts, in its order, and what it counts."""
    labels, rows = _labels(request), [wiring.rows[row] for row in way.rows]
    texts = [text for row in rows for text in recipe([row], {})] if "kernel" in labels else []
    texts = [chain(["", text]) if number else text for number, text in enumerate(texts)]
    return [*texts, *(text for label in labels if label in COUNTS and (text := count_text(rows, label)))]


def _rows_of_heads(pyramid: Pyramid) -> dict[Size, list[Place]]:
    """By size, heads that all read one part: they stand side by side in one frame."""
    read: dict[Place, set[Place]] = {}
    for way in pyramid.ways:
        read.setdefault(way.target, set()).add(way.source)
    found: dict[Size, list[Place]] = {}
    for place in pyramid.parts:
        if place[0] == "head":
            found.setdefault(place[1], []).append(place)
    return {
        size: places
        for size, places in found.items()
        if len(places) > 1 and len(set().union(*(read.get(place, set()) for place in places))) == 1
    }


def _later(rows: dict[Size, list[Place]]) -> set[Place]:
    """The heads of a frame but for the first one: one arrow leads to all."""
    return {place for places in rows.values() for place in places[1:]}


def _frame(cards: Sequence[Card], theme: Theme) -> Cluster:
    first, last = cards[0], cards[-1]
    box = Rect(first.x - PAD, first.y - PAD, last.right - first.x + 2 * PAD, first.height + 2 * PAD,
               theme.frame.fill, theme.frame.line, 1.0, 6)  # fmt: skip
    return Cluster(", ".join(card.place[2] for card in cards), (box,), "block")


def _way(
    way: Way, cards: dict[Place, Card], wiring: Wiring, rows: dict[Size, list[Place]], request: Request
) -> Cluster:
    """An arrow from card to card: straight up or down in a column, straight or in a step across a row."""
    start, end = cards[way.source], cards[way.target]
    names = end.lines[0] if end.lines else ""
    if way.target in rows.get(way.target[1], ()):
        end = end._replace(x=end.x - PAD, y=end.y - PAD, height=end.height + 2 * PAD)
        names = ", ".join(place[2] for place in rows[way.target[1]])
    texts = _ways_texts(way, wiring, request)
    theme = request.theme
    colour = theme.accent if texts else theme.edge
    thickness = 1.6 if texts else 1.4
    shapes: list[Shape] = []
    if start.place[0] == end.place[0] or start.middle[0] == end.middle[0]:
        x = start.middle[0]
        up = end.y < start.y
        ends = ((x, start.y if up else start.low), (x, end.low + 1 if up else end.y - 1))
        shapes.append(Curve(ends, colour, thickness, arrow=True))
        middle = (ends[0][1] + ends[1][1]) / 2 + NOTE * 0.36 - (len(texts) - 1) * NOTE * LEADING / 2
        shapes += [
            Text(x - 10, middle + number * NOTE * LEADING, text, NOTE, theme.quiet, False, "end")
            for number, text in enumerate(texts)
        ]
    else:
        y, v = start.middle[1], end.middle[1]
        if start.place[1] == end.place[1] and start.y < v < start.low:
            y = v
        bend = end.x - 18
        points = (
            ((start.right, y), (bend, y), (bend, v), (end.x - 1, v))
            if abs(y - v) > 1
            else ((start.right, y), (end.x - 1, y))
        )
        shapes.append(Curve(points, colour, thickness, arrow=True))
        for number, text in enumerate(reversed(texts)):
            shapes.append(
                Text(
                    (start.right + end.x) / 2, y - 6 - number * NOTE * LEADING, text, NOTE, theme.quiet, False, "middle"
                )
            )
    title = f"{start.lines[0] if start.lines else ''} → {names}"
    return Cluster(clean(title), tuple(shapes), "edge", step=list(cards).index(way.target) + 1)
