"""The figure of LeNet, AlexNet and VGG: feature maps as boxes in perspective, with the window of the next layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.compose import compose_graph
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Shape, Text, shifted
from archcalc.render.diagrams.legend import legend_shapes
from archcalc.render.diagrams.maps import MOST, Volume, is_chain, volumes_of
from archcalc.render.diagrams.model import Diagram, Swatch
from archcalc.render.diagrams.paint import MARGIN, heading
from archcalc.render.diagrams.solids import Box, Measure, joint, solid, window_of
from archcalc.render.diagrams.text import LEADING, text_width, wrap
from archcalc.render.diagrams.theme import Theme, mix
from archcalc.render.diagrams.unet import find_arms, unet_drawing
from archcalc.render.diagrams.wiring import Wiring

GAP = 34.0
NAME, NOTE = 11.5, 9.5
WRAP = 92.0


def suits_volumes(analysis: Analysis) -> bool:
    """Whether a network has such a figure: a chain, or a U."""
    wiring = Wiring(analysis)
    diagram = compose_graph(wiring)
    if is_chain(diagram):
        return len(diagram.nodes) <= MOST
    return find_arms(diagram, wiring) is not None


class BoxRow(NamedTuple):
    """A row of boxes: which volumes, where, and the space around them."""

    first: int
    boxes: tuple[Box, ...]
    left: float
    right: float
    top: float
    #: Where the captions start, and where they end.
    bottom: float
    end: float


def volumes_drawing(
    diagram: Diagram, wiring: Wiring, theme: Theme, sizes: str = "log", ratio: float | None = None
) -> Drawing:
    """The picture of a chain, in as many rows as make it largest on a page of the shape `ratio`."""
    arms = None if is_chain(diagram) else find_arms(diagram, wiring)
    if arms is not None:
        return unet_drawing(diagram, arms, theme, sizes)
    volumes = volumes_of(diagram, wiring, theme)
    measure = Measure(volumes, sizes)
    lines = best_rows(volumes, measure, ratio or 16 / 9)
    inner = max(*(line.right - line.left for line in lines), 300.0)
    head, y = heading(diagram.title, diagram.subtitle, inner, MARGIN, theme) if diagram.title else ([], MARGIN)
    items = [Cluster(diagram.title, tuple(head), "title")] if head else []
    for line in lines:
        dx = MARGIN - line.left + (inner - (line.right - line.left)) / (2 if len(lines) == 1 else 1e9)
        items += [
            cluster._replace(shapes=tuple(shifted(shape, dx, y - line.top) for shape in cluster.shapes))
            for cluster in _row(line, volumes, measure, theme)
        ]
        y += line.end - line.top + 16
    swatches = [swatch for swatch in diagram.legend if not swatch.edge and _shown(swatch, volumes)]
    legend, height = legend_shapes(swatches, diagram.scale, theme, MARGIN, y, inner - 10)
    how = "logarithmic scale" if sizes == "log" else "linear scale"
    spread = " or spread to" if any(volume.spread for volume in volumes) else ""
    note = f"Heights, depths and thicknesses: {how}. Pyramids: the window that a value is computed from{spread}."
    y += height + 8
    for text in wrap(note, inner, NOTE):
        y += NOTE * LEADING
        legend.append(Text(MARGIN, y, text, NOTE, theme.quiet))
    items.append(Cluster("Legend", tuple(legend), "legend"))
    description = f"{diagram.description.split('. ')[0]}. Feature maps as boxes from left to right, {how}."
    return Drawing(inner + 2 * MARGIN, y + MARGIN, theme.background, diagram.title, description, tuple(items))


def best_rows(volumes: Sequence[Volume], measure: Measure, ratio: float) -> list[BoxRow]:
    """Rows of about one length."""
    best: tuple[float, list[BoxRow]] | None = None
    whole = row_of_boxes(volumes, 0, measure)
    for count in range(1, min(6, len(volumes)) + 1):
        limit = (whole.right - whole.left) / count
        lines: list[BoxRow] = []
        start = 0
        for index in range(count):
            end = len(volumes) if index == count - 1 else start + 1
            while end < len(volumes) and index < count - 1 and whole.boxes[end].x < (index + 1) * limit:
                end += 1
            if end > start:
                lines.append(row_of_boxes(volumes[start:end], start, measure))
            start = end
        width = max(line.right - line.left for line in lines) + 2 * MARGIN
        height = sum(line.end - line.top + 16 for line in lines) + 130
        size = min(ratio / width, 1 / height) * (0.85 if count > 1 else 1) * 0.97**count
        if best is None or size > best[0]:
            best = size, lines
    assert best is not None
    return best[1]


def row_of_boxes(volumes: Sequence[Volume], first: int, measure: Measure) -> BoxRow:
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
    return BoxRow(
        first,
        tuple(boxes),
        min(_caption_left(volume, box) for volume, box in zip(volumes, boxes, strict=True)) - 28,
        max(right_of_text, boxes[-1].x + boxes[-1].width + boxes[-1].right + 22) + 4,
        min(box.y - box.up for box in boxes) - 16,
        bottom,
        bottom + max(_caption_height(volume) for volume in volumes),
    )


def _row(line: BoxRow, volumes: Sequence[Volume], measure: Measure, theme: Theme) -> list[Cluster]:
    """Boxes, and from each one the window that the next one reads; arrows where a row ends and goes on."""
    items: list[Cluster] = []
    for index, box in enumerate(line.boxes, line.first):
        volume = volumes[index]
        reader = volumes[index + 1] if index + 1 < len(volumes) else None
        window = window_of(box, reader, measure) if reader else None
        shapes: list[Shape] = []
        if index == line.first and index:
            shapes.append(Curve(((box.x - 24, 0.0), (box.x - 2, 0.0)), theme.edge, 1.4, arrow=True))
        shapes += solid(volume, box, window, theme)
        baseline = line.bottom
        for text, size, bold in _caption(volume):
            baseline += size * LEADING
            colour = theme.ink if bold else theme.quiet
            colour = mix(colour, theme.background, 0.45) if volume.faded else colour
            shapes.append(Text(box.x + box.width / 2, baseline, text, size, colour, bold, "middle"))
        names = tuple(part.name for part in volume.node.parts)
        what = "×".join(str(size) for size in (*volume.shape[1:], volume.shape[0]))
        items.append(Cluster(f"{', '.join(names)}: {what}", tuple(shapes), "node", volume.node.parts[0].name, "",
                             names if len(names) > 1 else (), index + 1))  # fmt: skip
        if reader and index + 1 < line.first + len(line.boxes):
            between = joint(box, line.boxes[index + 1 - line.first], reader, measure)
            items.append(Cluster(f"{volume.label} → {reader.label}", tuple(between), "edge", step=index + 2))
        elif reader:
            x, y = box.x + box.width + box.right + 3, -box.up / 2
            arrow = Curve(((x, y), (x + 20, y)), theme.edge, 1.4, arrow=True)
            items.append(Cluster(f"{volume.label} → {reader.label}", (arrow,), "edge", step=index + 2))
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
