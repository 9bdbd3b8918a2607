"""A drawing as shapes with positions: what the vector formats write down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Point = tuple[float, float]
#: The radius of the corners of lines.
CORNER = 8.0
Anchor = Literal["start", "middle", "end"]


class Rect(NamedTuple):
    """A rectangle, with round corners if wanted."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    line: str | None = None
    thickness: float = 1.0
    radius: float = 0.0
    dash: tuple[float, ...] = ()


class Curve(NamedTuple):
    """A line through points; `bezier` means start, then triples of two handles and an end. May end in an arrow."""

    points: tuple[Point, ...]
    line: str | None
    thickness: float = 1.2
    bezier: bool = False
    arrow: bool = False
    dash: tuple[float, ...] = ()
    fill: str | None = None
    closed: bool = False
    opacity: float = 1.0


class Text(NamedTuple):
    """A line of text; `y` is the baseline. One that is `turned` runs upwards, as the title of an axis does."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    bold: bool = False
    anchor: Anchor = "start"
    turned: bool = False


class Ramp(NamedTuple):
    """A rectangle filled with colours that run from left to right."""

    x: float
    y: float
    width: float
    height: float
    colours: tuple[str, ...]


Shape = Rect | Curve | Text | Ramp


class Cluster(NamedTuple):
    """Shapes that belong together, with a title for screen readers, and names for what finds them in a page."""

    title: str
    shapes: tuple[Shape, ...]
    role: str = "node"
    #: The layer that is shown, or the folded block.
    layer: str = ""
    block: str = ""
    #: Every layer that is shown, where they are several.
    layers: tuple[str, ...] = ()
    #: The step of a series in which it appears; 0 is from the start.
    step: int = 0
    #: The node of the diagram that it belongs to, and the layer of links that say the same as its lines.
    owner: str = ""
    linked: int = 0

    def moved(self, dx: float, dy: float, factor: float = 1.0) -> Cluster:
        """The same enlarged by a factor and moved."""
        return self._replace(shapes=tuple(shifted(shape, dx, dy, factor) for shape in self.shapes))


class Link(NamedTuple):
    """An edge from box to box in one piece, for formats in which lines are glued to boxes."""

    source: str
    target: str
    title: str
    #: The corners of a line with right angles.
    points: tuple[Point, ...]
    line: str
    thickness: float
    dash: tuple[float, ...] = ()
    step: int = 0
    #: Links of a layer lie above what comes before the first line with `linked` of this number.
    layer: int = 1


class Drawing(NamedTuple):
    """A whole drawing."""

    width: float
    height: float
    background: str
    title: str
    description: str
    items: tuple[Cluster, ...]
    links: tuple[Link, ...] = ()

    def shapes(self) -> list[Shape]:
        """All shapes, the lowest first."""
        return [shape for cluster in self.items for shape in cluster.shapes]


def main_box(cluster: Cluster) -> Rect | None:
    """The box of a node: the last one below its first text."""
    found = None
    for shape in cluster.shapes:
        if isinstance(shape, Text):
            break
        if isinstance(shape, Rect):
            found = shape
    return found


def arrow_head(points: Sequence[Point], size: float) -> tuple[Point, Point, Point]:
    """The triangle at the end of a line."""
    (x, y) = points[-1]
    before = next((point for point in reversed(points[:-1]) if point != points[-1]), (x, y - 1.0))
    dx, dy = x - before[0], y - before[1]
    length = (dx * dx + dy * dy) ** 0.5
    ux, uy = dx / length, dy / length
    back = (x - ux * size, y - uy * size)
    half = size * 0.42
    return (x, y), (back[0] - uy * half, back[1] + ux * half), (back[0] + uy * half, back[1] - ux * half)


def shifted(shape: Shape, dx: float, dy: float, factor: float = 1.0) -> Shape:
    """A shape enlarged by a factor and moved."""
    if isinstance(shape, Curve):
        return shape._replace(
            points=tuple((x * factor + dx, y * factor + dy) for x, y in shape.points),
            thickness=shape.thickness * factor,
            dash=tuple(part * factor for part in shape.dash),
        )
    moved = shape._replace(x=shape.x * factor + dx, y=shape.y * factor + dy)
    if isinstance(moved, Text):
        return moved._replace(size=moved.size * factor)
    moved = moved._replace(width=moved.width * factor, height=moved.height * factor)
    if isinstance(moved, Rect):
        moved = moved._replace(
            thickness=moved.thickness * factor,
            radius=moved.radius * factor,
            dash=tuple(part * factor for part in moved.dash),
        )
    return moved


def shifted_link(link: Link, dx: float, dy: float, factor: float = 1.0) -> Link:
    """A link enlarged by a factor and moved."""
    return link._replace(
        points=tuple((x * factor + dx, y * factor + dy) for x, y in link.points),
        thickness=link.thickness * factor,
        dash=tuple(part * factor for part in link.dash),
    )


def rounded(points: Sequence[Point], radius: float) -> tuple[Point, ...]:
    """A line with right angles as curves with round corners: a start and triples of two handles and an end."""
    result: list[Point] = [points[0]]
    for index in range(1, len(points)):
        x, y = points[index]
        if index == len(points) - 1:
            result += [result[-1], (x, y), (x, y)]
            continue
        (px, py), (nx, ny) = points[index - 1], points[index + 1]
        before, after = abs(x - px) + abs(y - py), abs(nx - x) + abs(ny - y)
        r = min(radius, before / 2, after / 2)
        if r < 0.01:
            result += [result[-1], (x, y), (x, y)]
            continue
        near = (x - (x - px) / before * r, y - (y - py) / before * r)
        far = (x + (nx - x) / after * r, y + (ny - y) / after * r)
        result += [result[-1], near, near, (x, y), (x, y), far]
    return tuple(result)
