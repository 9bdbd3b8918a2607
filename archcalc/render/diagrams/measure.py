"""How large boxes are: from their texts, the font's metrics and fixed paddings. Lengths are in pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.render.diagrams.model import Diagram, Node, Part
from archcalc.render.diagrams.text import LEADING, shorten, text_width
from archcalc.render.diagrams.words import AND

LABEL, SMALL = 12.0, 10.5
CARD_LABEL = 13.5
PAD = 9.0
#: Wider texts are shortened; the whole text stays in the title that is read out or shown on hovering.
WIDEST = 240.0
BADGE = 11.0
#: Between a label and the words next to it.
BESIDE = 6.0


class TextLine(NamedTuple):
    """A text of a part, already short enough; `x` counts from the left of the part, or from its middle."""

    text: str
    size: float
    bold: bool
    x: float
    y: float
    centred: bool


class PartBox(NamedTuple):
    """A part with its height and the lines in it."""

    part: Part
    height: float
    width: float
    lines: tuple[TextLine, ...]


class NodeBox(NamedTuple):
    """A node's stack of parts, and the space below it in which the output shape stands."""

    node: Node
    width: float
    parts: tuple[PartBox, ...]
    output: str
    output_width: float
    badge: str
    badge_width: float
    #: Whether lines come in at its front alone.
    closed: bool = False
    #: From its top to the line through it, in a row, of a box that needs no more space than it has; else its middle.
    above: float | None = None
    #: How far from that line others may come in.
    front: float = 0.0
    #: Whether its parts stand from left to right, as the picture is read; else one below the other.
    in_row: bool = False

    @property
    def height(self) -> float:
        heights = [part.height for part in self.parts]
        return max(heights) if self.in_row else sum(heights)

    def places(self) -> Iterator[tuple[PartBox, float, float, float]]:
        """Each part with its left, its top and its width in the box."""
        left = top = 0.0
        for part in self.parts:
            yield part, left, top, part.width if self.in_row else self.width
            left, top = (left + part.width, 0.0) if self.in_row else (0.0, top + part.height)


def measure_part(part: Part, card: bool, badge: float) -> PartBox:
    """One or more lines, centred."""
    size = CARD_LABEL if card else LABEL
    label = shorten(part.label, WIDEST - badge, size, True)
    if not part.lines:
        height = 30.0 if card or part.family in ("input", "output") else 21.0
        baseline = height / 2 + size * 0.36
        lines = _head(label, part.suffix, size, baseline)
        return PartBox(part, height, _length(lines) + 2 * PAD + (0 if part.suffix else badge), tuple(lines))
    y = PAD - 2 + size
    lines = _head(label, part.suffix, size, y)
    width = _length(lines) + badge
    y += (size - SMALL) * 0.4
    for line in part.lines:
        y += SMALL * LEADING
        text = shorten(line, WIDEST, SMALL)
        lines.append(TextLine(text, SMALL, False, 0, y, True))
        width = max(width, text_width(text, SMALL))
    return PartBox(part, y + PAD - 1, width + 2 * PAD, tuple(lines))


def _head(label: str, suffix: str, size: float, y: float) -> list[TextLine]:
    """The label, with words next to it where there are some."""
    if not suffix:
        return [TextLine(label, size, True, 0, y, True)]
    first = text_width(label, size, True)
    suffix = shorten(suffix, max(WIDEST + 50 - first, 60.0), SMALL)
    left = -(first + BESIDE + text_width(suffix, SMALL)) / 2
    return [
        TextLine(label, size, True, left, y, False),
        TextLine(suffix, SMALL, False, left + first + BESIDE, y, False),
    ]


def _length(head: Sequence[TextLine]) -> float:
    return sum(text_width(line.text, line.size, line.bold) for line in head) + BESIDE * (len(head) - 1)


def measure_node(node: Node, cards: bool, down: bool) -> NodeBox:
    """A node as wide as its widest part; where the picture is read from left to right, parts stand so, equally high."""
    badge = f"×{node.times}" if node.times > 1 else ""
    badge_width = text_width(badge, BADGE, True) + 10 if badge else 0.0
    in_row = len(node.parts) > 1 and not down
    parts = tuple(
        measure_part(_narrow(part) if in_row else part, cards, badge_width)._replace(part=part) for part in node.parts
    )
    width = sum(part.width for part in parts) if in_row else max(part.width for part in parts)
    if in_row:
        height = max(part.height for part in parts)
        parts = tuple(_higher(part, height) for part in parts)
    output = node.output
    output_width = text_width(output, SMALL) if output else 0.0
    return NodeBox(node, width, parts, output, output_width, badge, badge_width, in_row=in_row)


def _narrow(part: Part) -> Part:
    """A part with the words next to its label below it, and with short lines."""
    return part._replace(suffix="", lines=tuple(AND.join(filter(None, (part.suffix, *part.lines))).split(AND)))


def _higher(part: PartBox, height: float) -> PartBox:
    """A part of another height, its texts in the middle."""
    lines = tuple(line._replace(y=line.y + (height - part.height) / 2) for line in part.lines)
    return part._replace(height=height, lines=lines)


def measure(diagram: Diagram, even: bool = True, down: bool = True) -> dict[str, NodeBox]:
    """Every node's box. Cards outside of frames are equally wide where they are to be `even`."""
    boxes = {node.id: measure_node(node, diagram.cards, down) for node in diagram.nodes}
    cards = diagram.nodes if even and diagram.cards else ()
    return level(boxes, [node.id for node in cards if not node.path and not node.auxiliary])


def level(boxes: dict[str, NodeBox], names: Sequence[str]) -> dict[str, NodeBox]:
    """The boxes with some as wide as the widest of them, so that a chain has straight sides."""
    names = [name for name in names if not boxes[name].in_row]
    widest = max((boxes[name].width for name in names), default=0.0)
    return {**boxes, **{name: boxes[name]._replace(width=widest) for name in names}}
