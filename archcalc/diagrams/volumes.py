"""The figure of LeNet, AlexNet and VGG: feature maps as boxes in perspective, with the window of the next layer."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import NamedTuple

from archcalc.analysis import Analysis
from archcalc.diagrams.legend import legend_shapes
from archcalc.diagrams.model import Diagram, Node, Swatch
from archcalc.diagrams.network import Network
from archcalc.diagrams.paint import MARGIN, heading
from archcalc.diagrams.scene import Cluster, Curve, Point, Scene, Shape, Text, shifted
from archcalc.diagrams.text import LEADING, text_width, wrap
from archcalc.diagrams.theme import Theme, heat, mix
from archcalc.errors import UsageError

SIZES = ("log", "linear")
#: Height of the largest map, and how far the depth of a map goes to the right and up for each pixel of height.
TALLEST, SMALLEST = 190.0, 9.0
RIGHT, UP = 0.26, 0.22
#: Thickness of the box with most channels; of a vector.
THICKEST, THINNEST, VECTOR = 62.0, 4.0, 11.0
GAP = 34.0
NAME, NOTE, EDGE = 11.5, 9.5, 9.5
WRAP = 92.0
#: More boxes than this are no figure.
MOST = 150


class Volume(NamedTuple):
    """A feature map: height, width and channels of it, and the window that reads it next."""

    node: Node
    family: str
    fill: str
    label: str
    lines: tuple[str, ...]
    shape: tuple[int, ...]
    #: Kernel height and width of the layer that made it; None where it reads everything.
    kernel: tuple[int, int] | None


class Box(NamedTuple):
    """The front of a volume: its left upper corner and size, and the way to its back."""

    x: float
    y: float
    width: float
    height: float
    right: float
    up: float


def scaled(value: int, largest: int, shortest: float, longest: float, logarithmic: bool) -> float:
    """The length for a number: `longest` for the largest one."""
    if logarithmic:
        return shortest + (longest - shortest) * (log2(value + 1) - 1) / max(log2(largest + 1) - 1, 1)
    return max(longest * value / largest, shortest / 2)


class Measure:
    """Lengths in the picture for sizes of maps and numbers of channels."""

    def __init__(self, volumes: Sequence[Volume], sizes: str) -> None:
        self.logarithmic = sizes == "log"
        images = [volume.shape for volume in volumes if len(volume.shape) == 3]
        self.size = max((max(shape[1:]) for shape in images), default=1)
        self.channels = max((shape[0] for shape in images), default=1)
        self.features = max((volume.shape[0] for volume in volumes if len(volume.shape) == 1), default=1)

    def _length(self, value: int, largest: int, shortest: float, longest: float) -> float:
        return scaled(value, largest, shortest, longest, self.logarithmic)

    def box(self, shape: tuple[int, ...], x: float) -> Box:
        """A box around the axis y = 0."""
        if len(shape) == 1:
            height = self._length(shape[0], self.features, SMALLEST * 2, TALLEST * 0.85)
            return Box(x, -height / 2, VECTOR, height, VECTOR * 0.5, VECTOR * 0.4)
        height = self._length(shape[1], self.size, SMALLEST, TALLEST)
        depth = self._length(shape[2], self.size, SMALLEST, TALLEST)
        width = self._length(shape[0], self.channels, THINNEST, THICKEST)
        return Box(x, -height / 2, width, height, depth * RIGHT, depth * UP)


def is_chain(diagram: Diagram) -> bool:
    """Whether every node reads one node, and is read by one."""
    targets = [edge.target for edge in diagram.edges]
    return len(targets) == len(set(targets)) == len({edge.source for edge in diagram.edges})


def suits_volumes(analysis: Analysis) -> bool:
    """Whether a network has such a figure: a chain, or a U."""
    from archcalc.diagrams.compose import compose_graph
    from archcalc.diagrams.unet import find_arms

    network = Network(analysis)
    diagram = compose_graph(network)
    if is_chain(diagram):
        return len(diagram.nodes) <= MOST
    return find_arms(diagram, network) is not None


def volumes_of(diagram: Diagram, network: Network, theme: Theme) -> list[Volume]:
    """The maps of a chain of layers. Raises `UsageError` where the network branches."""
    rows = network.analysis.by_name
    if not is_chain(diagram):
        raise UsageError(
            f"the style volumes shows chains of layers and U-Nets, but {network.analysis.graph.name} branches "
            "otherwise: take --style blocks or graph"
        )
    if len(diagram.nodes) > MOST:
        raise UsageError(f"{len(diagram.nodes):,} boxes are too many for the style volumes: take --style blocks")
    volumes = []
    for node in diagram.nodes:
        main = next((part for part in node.parts if part.lines), node.parts[0])
        row, last = rows[main.name], rows[node.parts[-1].name]
        reads = row.op.windows(row.input_shapes)
        window = reads[0] if reads else None
        kernel = (int(window[0].size), int(window[1].size)) if isinstance(window, tuple) else None
        plain = theme.families["input" if diagram.scale else main.family].fill
        fill = plain if main.heat is None else heat(theme, main.heat)
        lines = tuple(line for line in main.lines if "params" not in line)
        volumes.append(Volume(node, main.family, fill, main.label, lines, last.output_shape, kernel))
    return volumes


class Line(NamedTuple):
    """A row of boxes: which volumes, where, and the room around them."""

    first: int
    boxes: tuple[Box, ...]
    left: float
    right: float
    top: float
    #: Where the captions start, and where they end.
    bottom: float
    end: float


def volumes_scene(
    diagram: Diagram, network: Network, theme: Theme, sizes: str = "log", ratio: float | None = None
) -> Scene:
    """The picture of a chain, in as many rows as make it largest on a page of the shape `ratio`."""
    from archcalc.diagrams.unet import find_arms, unet_scene

    arms = None if is_chain(diagram) else find_arms(diagram, network)
    if arms is not None:
        return unet_scene(diagram, arms, theme, sizes)
    volumes = volumes_of(diagram, network, theme)
    measure = Measure(volumes, sizes)
    lines = best_lines(volumes, measure, ratio or 16 / 9)
    inner = max(*(line.right - line.left for line in lines), 300.0)
    head, y = heading(diagram.title, diagram.subtitle, inner, MARGIN, theme) if diagram.title else ([], MARGIN)
    items = [Cluster(diagram.title, tuple(head), "title")] if head else []
    for line in lines:
        dx = MARGIN - line.left + (inner - (line.right - line.left)) / (2 if len(lines) == 1 else 1e9)
        items += [
            cluster._replace(shapes=tuple(shifted(shape, dx, y - line.top) for shape in cluster.shapes))
            for cluster in _line(line, volumes, measure, theme)
        ]
        y += line.end - line.top + 16
    swatches = [swatch for swatch in diagram.legend if not swatch.edge and _shown(swatch, volumes)]
    legend, height = legend_shapes(swatches, diagram.scale, theme, MARGIN, y, inner - 10)
    how = "logarithmic scale" if sizes == "log" else "linear scale"
    note = f"Heights, depths and thicknesses: {how}. Pyramids: the window that a value is computed from."
    y += height + 8
    for text in wrap(note, inner, NOTE):
        y += NOTE * LEADING
        legend.append(Text(MARGIN, y, text, NOTE, theme.quiet))
    items.append(Cluster("Legend", tuple(legend), "legend"))
    description = f"{diagram.description.split('. ')[0]}. Feature maps as boxes from left to right, {how}."
    return Scene(inner + 2 * MARGIN, y + MARGIN, theme.background, diagram.title, description, tuple(items))


def best_lines(volumes: Sequence[Volume], measure: Measure, ratio: float) -> list[Line]:
    """Rows of about one length."""
    best: tuple[float, list[Line]] | None = None
    whole = line_of(volumes, 0, measure)
    for count in range(1, min(6, len(volumes)) + 1):
        limit = (whole.right - whole.left) / count
        lines: list[Line] = []
        start = 0
        for index in range(count):
            end = len(volumes) if index == count - 1 else start + 1
            while end < len(volumes) and index < count - 1 and whole.boxes[end].x < (index + 1) * limit:
                end += 1
            if end > start:
                lines.append(line_of(volumes[start:end], start, measure))
            start = end
        width = max(line.right - line.left for line in lines) + 2 * MARGIN
        height = sum(line.end - line.top + 16 for line in lines) + 130
        size = min(ratio / width, 1 / height) * (0.85 if count > 1 else 1) * 0.97**count
        if best is None or size > best[0]:
            best = size, lines
    assert best is not None
    return best[1]


def line_of(volumes: Sequence[Volume], first: int, measure: Measure) -> Line:
    """Boxes from left to right, so that neither they nor their captions meet."""
    boxes: list[Box] = []
    x = right_of_text = 0.0
    for volume in volumes:
        box = measure.box(volume.shape, x)
        text = max(text_width(line, size, bold) for line, size, bold in _caption(volume))
        x = max(x, right_of_text + 8 + text / 2 - box.width / 2) if boxes else x
        box = box._replace(x=x)
        boxes.append(box)
        right_of_text = x + box.width / 2 + text / 2
        x += box.width + box.right + GAP
    bottom = max(box.y + box.height for box in boxes) + 18
    return Line(
        first,
        tuple(boxes),
        min(_caption_left(volume, box) for volume, box in zip(volumes, boxes, strict=True)) - 28,
        max(right_of_text, boxes[-1].x + boxes[-1].width + boxes[-1].right + 22) + 4,
        min(box.y - box.up for box in boxes) - 16,
        bottom,
        bottom + max(_caption_height(volume) for volume in volumes),
    )


def _line(line: Line, volumes: Sequence[Volume], measure: Measure, theme: Theme) -> list[Cluster]:
    """Boxes, and from each one the window that the next one reads; arrows where a row ends and goes on."""
    items: list[Cluster] = []
    for index, box in enumerate(line.boxes, line.first):
        volume = volumes[index]
        reader = volumes[index + 1] if index + 1 < len(volumes) else None
        window = _window(box, reader, measure) if reader else None
        shapes: list[Shape] = []
        if index == line.first and index:
            shapes.append(Curve(((box.x - 24, 0.0), (box.x - 2, 0.0)), theme.edge, 1.4, arrow=True))
        shapes += _solid(volume, box, window, line.bottom, theme)
        names = tuple(part.name for part in volume.node.parts)
        what = "×".join(str(size) for size in (*volume.shape[1:], volume.shape[0]))
        items.append(Cluster(f"{', '.join(names)}: {what}", tuple(shapes), "node", volume.node.parts[0].name, "",
                             names if len(names) > 1 else ()))  # fmt: skip
        if reader and index + 1 < line.first + len(line.boxes):
            joint = _joint(box, line.boxes[index + 1 - line.first], reader, measure, theme)
            items.append(Cluster(f"{volume.label} → {reader.label}", tuple(joint), "edge"))
        elif reader:
            x, y = box.x + box.width + box.right + 3, -box.up / 2
            arrow = Curve(((x, y), (x + 20, y)), theme.edge, 1.4, arrow=True)
            items.append(Cluster(f"{volume.label} → {reader.label}", (arrow,), "edge"))
    return items


def _shown(swatch: Swatch, volumes: Sequence[Volume]) -> bool:
    return any(volume.family == swatch.family for volume in volumes)


def _caption(volume: Volume) -> list[tuple[str, float, bool]]:
    """Name, what the layer does, in short lines."""
    lines = [(line, NAME, True) for line in wrap(volume.label, WRAP * 1.5, NAME, True)]
    return lines + [(line, NOTE, False) for text in volume.lines for line in wrap(text, WRAP, NOTE)]


def _caption_left(volume: Volume, box: Box) -> float:
    return box.x + box.width / 2 - max(text_width(text, size, bold) for text, size, bold in _caption(volume)) / 2


def _caption_height(volume: Volume) -> float:
    return sum(size * LEADING for _, size, _ in _caption(volume)) + 4


def _solid(volume: Volume, box: Box, window: tuple[Point, ...] | None, bottom: float, theme: Theme) -> list[Shape]:
    """The three faces that are seen, the sizes at the edges, the window of the next layer and the caption."""
    x, y, width, height, right, up = box
    line = theme.families[volume.family].line
    top = ((x, y), (x + right, y - up), (x + width + right, y - up), (x + width, y))
    side = ((x + width, y), (x + width + right, y - up), (x + width + right, y + height - up), (x + width, y + height))
    front = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    shapes: list[Shape] = []
    for points, fill in (
        (top, mix(volume.fill, theme.background, 0.45)),
        (side, mix(volume.fill, line, 0.22)),
        (front, volume.fill),
    ):
        shapes.append(Curve(points, line, 1.0, fill=fill, closed=True))
    if window:
        shapes.append(Curve(window, theme.ink, 0.9, fill=mix(volume.fill, theme.ink, 0.28), closed=True))
    shapes += _sizes(volume, box, theme)
    baseline = bottom
    for text, size, bold in _caption(volume):
        baseline += size * LEADING
        colour = theme.ink if bold else theme.quiet
        shapes.append(Text(x + width / 2, baseline, text, size, colour, bold, "middle"))
    return shapes


def _sizes(volume: Volume, box: Box, theme: Theme) -> list[Shape]:
    """Height at the left edge, width at the receding one, channels below."""
    x, y, width, height, right, up = box
    below = Text(x + width / 2, y + height + EDGE + 3, str(volume.shape[0]), EDGE, theme.ink, True, "middle")
    if len(volume.shape) == 1:
        return [below]
    low = y + height * 0.78 + EDGE * 0.36 if height > 44 else y + height + EDGE
    return [
        Text(x - 3, low, str(volume.shape[1]), EDGE, theme.quiet, anchor="end"),
        Text(x + right / 2 - 3, y - up / 2 - 3, str(volume.shape[2]), EDGE, theme.quiet, anchor="end"),
        below,
    ]


def _window(box: Box, reader: Volume, measure: Measure) -> tuple[Point, ...] | None:
    """The window of the next layer, on the side of a box on which a map is seen."""
    if reader.kernel is None or reader.kernel == (1, 1):
        return None
    height = min(_part(reader.kernel[0], box.height, measure), box.height * 0.8)
    depth = min(_part(reader.kernel[1], box.height, measure) / box.height, 0.8)
    x, y = box.x + box.width, box.y
    start = (1 - depth) * 0.35
    top = box.height * 0.12
    near, far = start, start + depth
    return (
        (x + box.right * near, y - box.up * near + top),
        (x + box.right * far, y - box.up * far + top),
        (x + box.right * far, y - box.up * far + top + height),
        (x + box.right * near, y - box.up * near + top + height),
    )


def _part(kernel: int, height: float, measure: Measure) -> float:
    """How large a window is drawn: in proportion, but large enough to be seen."""
    return max(height * 0.14, TALLEST * kernel / max(measure.size, 1), 5.0)


def _joint(before: Box, after: Box, volume: Volume, measure: Measure, theme: Theme) -> list[Shape]:
    """A pyramid from the window to the value that it gives, or the edges of a dense layer."""
    window = _window(before, volume, measure)
    line = theme.families[volume.family].line
    if window is None:
        x = before.x + before.width
        corners = ((x, before.y), (x, before.y + before.height))
        goals = ((after.x, after.y), (after.x, after.y + after.height))
        if volume.kernel is not None:  # each value by itself, or a 1×1 convolution
            middle = (x + before.right / 2, -before.up / 2)
            return [Curve((middle, (after.x, 0.0)), line, 1.1, dash=(3.0, 2.0), arrow=True)]
        return [Curve((a, b), line, 0.9, dash=(3.0, 2.5)) for a, b in zip(corners, goals, strict=True)]
    apex = (after.x, after.y + after.height * 0.3)
    shapes: list[Shape] = [Curve((window[1], apex, window[2]), None, 0, fill=line, closed=True, opacity=0.1)]
    shapes += [Curve((point, apex), line, 0.8) for point in window]
    return shapes
