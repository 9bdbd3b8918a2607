"""The figure of LeNet, AlexNet and VGG: feature maps as boxes in perspective, with the window of the next layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from archcalc.render.diagrams.unet import find_stops, unet_drawing
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import lines_of

GAP = 26.0
NAME, NOTE = 13.5, 12.0
WRAP = 94.0
#: How far boxes grow into an empty part of the page.
GROWTH = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25)


def suits_volumes(analysis: Analysis) -> bool:
    """Whether a network has such a figure: a chain, or a U."""
    wiring = Wiring(analysis)
    diagram = compose_graph(wiring)
    if is_chain(diagram):
        return len(diagram.nodes) <= MOST
    return find_stops(diagram, wiring) is not None


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
    diagram: Diagram, wiring: Wiring, theme: Theme, sizes: str = "linear", ratio: float | None = None
) -> Drawing:
    """The picture of a chain, in as many rows as make it largest on a page of the shape `ratio`."""
    arms = None if is_chain(diagram) else find_stops(diagram, wiring)
    if arms is not None:
        return unet_drawing(diagram, arms, theme, sizes)
    volumes = volumes_of(diagram, wiring, theme)
    measure, lines = best_rows(volumes, sizes, ratio)
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
    vectors = "; dense layers on a scale of their own" if any(len(volume.shape) == 1 for volume in volumes) else ""
    spread = " or spread to" if any(volume.spread for volume in volumes) else ""
    note = (
        f"Heights and depths of maps, and thicknesses by channels: {how}{vectors}. "
        f"Pyramids: the window that a value is computed from{spread}."
    )
    y += height + 8
    for text in wrap(note, inner, NOTE):
        y += NOTE * LEADING
        legend.append(Text(MARGIN, y, text, NOTE, theme.quiet))
    items.append(Cluster("Legend", tuple(legend), "legend"))
    description = f"{diagram.description.split('. ')[0]}. Feature maps as boxes from left to right, {how}."
    return Drawing(inner + 2 * MARGIN, y + MARGIN, theme.background, diagram.title, description, tuple(items))


def best_rows(volumes: Sequence[Volume], sizes: str, ratio: float | None) -> tuple[Measure, list[BoxRow]]:
    """The rows whose texts are largest on a page of the shape `ratio`, with boxes that grow into what stays empty."""
    best: tuple[float, Measure, list[BoxRow]] | None = None
    for factor in GROWTH if ratio else GROWTH[:1]:
        measure = Measure(volumes, sizes, factor)
        for rows in _rows(volumes, measure):
            width = max(row.right - row.left for row in rows) + 2 * MARGIN
            height = sum(row.end - row.top + 16 for row in rows) + 130
            size = min((ratio or 16 / 9) / width, 1 / height) * (0.85 if len(rows) > 1 else 1) * 0.97 ** len(rows)
            size *= factor**0.25
            if best is None or size > best[0]:
                best = size, measure, rows
    assert best is not None
    return best[1:]


def _rows(volumes: Sequence[Volume], measure: Measure) -> Iterator[list[BoxRow]]:
    """One row, two rows of about one length, and so on."""
    whole = row_of_boxes(volumes, 0, measure)
    for count in range(1, min(6, len(volumes)) + 1):
        limit = (whole.right - whole.left) / count
        rows: list[BoxRow] = []
        start = 0
        for index in range(count):
            end = len(volumes) if index == count - 1 else start + 1
            while end < len(volumes) and index < count - 1 and whole.boxes[end].x < (index + 1) * limit:
                end += 1
            if end > start:
                rows.append(row_of_boxes(volumes[start:end], start, measure))
            start = end
        yield rows


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
    names = lines_of(volume.label.split("/"), "/", WRAP, NAME)
    lines = [(line, NAME, True) for name in names for line in wrap(name, WRAP * 1.5, NAME, True)]
    # A line is broken after a comma first: "2 groups" stays together.
    parts = [part for text in volume.lines for part in lines_of(text.split(", "), ", ", WRAP, NOTE)]
    return lines + [(line, NOTE, False) for text in parts for line in wrap(text, WRAP, NOTE)]


def _caption_left(volume: Volume, box: Box) -> float:
    return box.x + box.width / 2 - max(text_width(text, size, bold) for text, size, bold in _caption(volume)) / 2


def _caption_height(volume: Volume) -> float:
    return sum(size * LEADING for _, size, _ in _caption(volume)) + 4
