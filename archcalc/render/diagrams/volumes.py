"""The figure of LeNet, AlexNet and VGG: feature maps as boxes in perspective, with the window of the next layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, pairwise, product
from typing import NamedTuple

from archcalc.core.language import balanced, chain, say
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.arrange import READABLE, page_height
from archcalc.render.diagrams.compose import compose_graph, compose_volumes
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Shape, Text
from archcalc.render.diagrams.legend import legend_shapes
from archcalc.render.diagrams.maps import MOST, Volume, is_chain, volumes_of
from archcalc.render.diagrams.model import Diagram, Swatch
from archcalc.render.diagrams.paint import MARGIN, heading
from archcalc.render.diagrams.solids import (
    EDGE,
    SCALES,
    Box,
    Measure,
    depth_note,
    goes_through,
    joint,
    sizes_of,
    solid,
    window_of,
)
from archcalc.render.diagrams.text import LEADING, text_width, wrap
from archcalc.render.diagrams.theme import LIGHT, Theme, mix
from archcalc.render.diagrams.unet import find_stops, unet_drawing
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import drawn_together, lines_of, span

GAP = 26.0
NAME, NOTE = 13.5, 12.0
#: How wide captions are: where boxes stand apart, and below equal ones.
WRAP, NARROW = 94.0, 78.0
#: Between equal boxes that have one caption.
CLOSE = 5.0
#: Between a box and the height and width at the next one.
CLEAR = 3.0
#: How far boxes grow into an empty part of the page, or shrink for it.
GROWTH, THIN = (0.6, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25), 0.5
#: How deep boxes look where one row leaves the page empty above and below; and what that costs, as a power of it.
DEPTHS, FLAT = (1.0, 0.6, 0.4), 0.12
#: Margins, title, legend and note around the rows.
AROUND = 140.0
#: What a second row costs the reader, each row, and equal boxes with one caption, as shares of the size.
SECOND_ROW, EACH_ROW, TOGETHER = 0.35, 0.03, 0.1


def suits_volumes(analysis: Analysis) -> bool:
    """Whether a network has such a figure of all its layers: a chain, or a U."""
    wiring = Wiring(analysis)
    diagram = compose_graph(wiring)
    return is_row_or_u(diagram, wiring) and not (is_chain(diagram) and len(diagram.nodes) > MOST)


def is_u(analysis: Analysis) -> bool:
    """Whether the volumes of a network stand in a U."""
    wiring = Wiring(analysis)
    return find_stops(compose_graph(wiring), wiring) is not None


def draws_volumes(wiring: Wiring) -> bool:
    """Whether the style draws a network: whole, or with its blocks folded."""
    diagram = compose_graph(wiring)
    if is_row_or_u(diagram, wiring):
        return len(diagram.nodes) <= MOST
    return len(compose_volumes(wiring, 1).nodes) <= MOST


def is_row_or_u(diagram: Diagram, wiring: Wiring) -> bool:
    """Whether the volumes of a network stand in a row, or in a U; those of others have branches."""
    return is_chain(diagram) or find_stops(diagram, wiring) is not None


class Caption(NamedTuple):
    """The text below a box, or below several that are equal and follow each other."""

    volumes: tuple[Volume, ...]
    lines: tuple[tuple[str, float, bool], ...]

    @property
    def width(self) -> float:
        return max(text_width(text, size, bold) for text, size, bold in self.lines)

    @property
    def height(self) -> float:
        return sum(size * LEADING for _, size, _ in self.lines) + 4


class BoxRow(NamedTuple):
    """A row of boxes: those of each caption, and the space around them."""

    captions: tuple[Caption, ...]
    boxes: tuple[tuple[Box, ...], ...]
    left: float
    right: float
    top: float
    #: Where the captions start, and where they end.
    bottom: float
    end: float


def volumes_drawing(
    diagram: Diagram, wiring: Wiring, theme: Theme, sizes: str, ratio: float, fill: bool = False, larger: float = 1.0
) -> Drawing:
    """The picture of a chain, in as many rows as make it largest on a page of the shape `ratio`.

    It is as wide as the page if it is to `fill` it. Boxes are smaller by the factor `larger`, by which all is enlarged.
    """
    arms = None if is_chain(diagram) else find_stops(diagram, wiring)
    if arms is not None:
        return unet_drawing(diagram, arms, theme, sizes, fill, larger)
    volumes = volumes_of(diagram, wiring, theme)
    measure, rows = best_rows(volumes, sizes, ratio, larger)
    widest, height = _size(rows)
    inner = max(widest - 2 * MARGIN, 300.0, height * ratio - 2 * MARGIN if fill else 0.0)
    head, y = heading(diagram.title, diagram.subtitle, inner, MARGIN, theme) if diagram.title else ([], MARGIN)
    items = [Cluster(diagram.title, tuple(head), "title")] if head else []
    done = 0
    for row in rows:
        dx = MARGIN - row.left + (inner - (row.right - row.left if len(rows) == 1 else widest - 2 * MARGIN)) / 2
        items += [cluster.moved(dx, y - row.top) for cluster in _row(row, done, volumes, measure, theme)]
        done += sum(map(len, row.boxes))
        y += row.end - row.top + 16
    swatches = [swatch for swatch in diagram.legend if not swatch.edge and _shown(swatch, volumes)]
    legend, legend_height = legend_shapes(swatches, diagram.scale, theme, MARGIN, y, inner - 10)
    how = say(SCALES[sizes])
    if any(not volume.shape[1:] for volume in volumes):
        note = say(
            "Heights and depths of maps, and thicknesses by channels: {scale}; dense layers on a scale of their own.",
            scale=how,
        )
    else:
        note = say("Heights and depths of maps, and thicknesses by channels: {scale}.", scale=how)
    note += depth_note(volume.shape for volume in volumes)
    if any(volume.spread for volume in volumes):
        note += " " + say("Pyramids: the window that a value is computed from or spread to.")
    else:
        note += " " + say("Pyramids: the window that a value is computed from.")
    every = [box for row in rows for boxes in row.boxes for box in boxes]
    if any(
        goes_through(box, reader) and window_of(box, reader, measure)
        for box, reader in zip(every, volumes[1:], strict=False)
    ):
        note += " " + say("Dashed through a box: the maps that a window reads.")
    note = " ".join([note, *drawn_together(row for volume in volumes for row in volume.beside)])
    y += legend_height + 8
    for text in wrap(note, inner, NOTE):
        y += NOTE * LEADING
        legend.append(Text(MARGIN, y, text, NOTE, theme.quiet))
    items.append(Cluster("Legend", tuple(legend), "legend"))
    description = diagram.description.split(". ")[0] + ". "
    description += say("Feature maps as boxes from left to right, {scale}.", scale=how)
    return Drawing(inner + 2 * MARGIN, y + MARGIN, theme.background, diagram.title, description, tuple(items))


def _size(rows: Sequence[BoxRow]) -> tuple[float, float]:
    """Width and height of a picture with these rows."""
    return max(row.right - row.left for row in rows) + 2 * MARGIN, sum(row.end - row.top + 16 for row in rows) + AROUND


def best_rows(volumes: Sequence[Volume], sizes: str, ratio: float, larger: float = 1.0) -> tuple[Measure, list[BoxRow]]:
    """The rows whose texts can be read on a slide, or are largest, with boxes that grow into what stays empty."""
    best: tuple[float, tuple[Sequence[Caption], float, float, float, int]] | None = None
    apart = [caption_of([volume]) for volume in volumes]
    together = list(grouped(volumes))
    for captions in (apart, together) if len(together) < len(apart) else (apart,):
        for factor, thickness, depth in product(GROWTH, (1.0, THIN), DEPTHS):
            measure = Measure(volumes, sizes, factor, thickness, depth)
            for place, rows in enumerate(islice(_rows(captions, measure), None if depth == 1 else 1)):
                width, height = _size(rows)
                points = EDGE * page_height(ratio) * min(ratio / width, 1 / height)
                worth = points * (factor * thickness) ** 0.25 * depth**FLAT * (1 - EACH_ROW) ** len(rows)
                worth *= (1 - SECOND_ROW if len(rows) > 1 else 1) * (1 - TOGETHER if captions is together else 1)
                worth += 100 if points >= READABLE else 0
                if best is None or worth > best[0]:
                    best = worth, (captions, factor, thickness, depth, place)
    assert best is not None
    chosen, factor, thickness, depth, place = best[1]
    measure = Measure(volumes, sizes, factor / larger, thickness / larger, depth)
    return measure, list(_rows(chosen, measure))[place]


def _rows(captions: Sequence[Caption], measure: Measure) -> Iterator[list[BoxRow]]:
    """One row, two rows of about one length, and so on."""
    whole = row_of_boxes(captions, measure)
    for count in range(1, min(6, len(captions)) + 1):
        limit = (whole.right - whole.left) / count
        ends = [sum(boxes[0].x < (number + 1) * limit for boxes in whole.boxes) for number in range(count - 1)]
        cuts = list(accumulate([0, *ends, len(captions)], max))
        spans = pairwise(cuts)
        yield [row_of_boxes(captions[start:end], measure) for start, end in spans if start < end]


def row_of_boxes(captions: Sequence[Caption], measure: Measure) -> BoxRow:
    """Boxes from left to right, so that neither they nor their captions meet."""
    found: list[tuple[Box, ...]] = []
    x = right_of_text = right_of_sizes = 0.0
    for caption in captions:
        boxes: list[Box] = []
        for volume in caption.volumes:
            boxes.append(measure.box(volume.shape, boxes[-1].x + boxes[-1].width + CLOSE if boxes else x))
        middle = _front(boxes).x + _front(boxes).width / 2
        push = max(right_of_text + 8 + caption.width / 2 - middle, 0.0) if found else 0.0
        # The sizes at the box lie neither over the box before it nor over its sizes.
        left, _ = _extent(caption.volumes[-1].shape, _front(boxes))
        push = max(push, (right_of_sizes + CLEAR - left) if found else 0.0)
        boxes = [box._replace(x=box.x + push) for box in boxes]
        found.append(tuple(boxes))
        right_of_text = middle + push + caption.width / 2
        right_of_sizes = _extent(caption.volumes[-1].shape, _front(boxes))[1]
        x = boxes[-1].x + boxes[-1].width + boxes[-1].right + GAP
    every = [box for boxes in found for box in boxes]
    bottom = max(box.y + box.height for box in every) + 18
    fronts = [_front(boxes) for boxes in found]
    left = min(box.x + (box.width - caption.width) / 2 for box, caption in zip(fronts, captions, strict=True))
    return BoxRow(
        tuple(captions),
        tuple(found),
        left - 28,
        max(right_of_text, x - GAP + 22) + 4,
        min(box.top for box in every) - 16,
        bottom,
        bottom + max(caption.height for caption in captions),
    )


def _extent(shape: tuple[int, ...], front: Box) -> tuple[float, float]:
    """From the left to the right of a box and of the height and width at it; below it there is no neighbour."""
    left, right = front.left, front.x + front.width + front.right
    for text in sizes_of(shape, front, LIGHT):
        long = text_width(text.text, text.size, text.bold)
        start = text.x - {"start": 0.0, "middle": long / 2, "end": long}[text.anchor]
        if text.y < front.y + front.height:
            left, right = min(left, start), max(right, start + long)
    return left, right


def _front(boxes: Sequence[Box]) -> Box:
    """One box in place of several equal ones."""
    return boxes[0]._replace(width=boxes[-1].x + boxes[-1].width - boxes[0].x)


def _row(row: BoxRow, first: int, volumes: Sequence[Volume], measure: Measure, theme: Theme) -> list[Cluster]:
    """Boxes, and from each one the window that the next one reads; arrows where a row ends and goes on."""
    items: list[Cluster] = []
    places = [(group, place) for group, boxes in enumerate(row.boxes) for place in range(len(boxes))]
    for index, (group, place) in enumerate(places, first):
        boxes, caption = row.boxes[group], row.captions[group]
        box, volume = boxes[place], volumes[index]
        inside = place + 1 < len(boxes)
        reader = volumes[index + 1] if index + 1 < len(volumes) and not inside else None
        shapes: list[Shape] = []
        if index == first and index:
            shapes.append(Curve(((box.left - 24, 0.0), (box.left - 2, 0.0)), theme.edge, 1.4, arrow=True))
        shapes += solid(volume, box, window_of(box, reader, measure) if reader else None, theme, reader)
        if not inside:
            front = _front(boxes)
            shapes += [*sizes_of(volume.shape, front, theme), *_texts(caption, front, row.bottom, theme)]
        names = tuple(part.name for part in volume.node.parts)
        what = "×".join(str(size) for size in (*volume.shape[1:], volume.shape[0]))
        items.append(Cluster(f"{', '.join(names)}: {what}", tuple(shapes), "node", volume.node.parts[0].name, "",
                             names if len(names) > 1 else (), index + 1))  # fmt: skip
        if reader:
            title = f"{volume.label} → {reader.label}"
            x, y = box.x + box.width + box.right + 3, -box.up / 2
            between: list[Shape] = [Curve(((x, y), (x + 20, y)), theme.edge, 1.4, arrow=True)]
            if group + 1 < len(row.boxes):
                between = joint(box, row.boxes[group + 1][0], reader, measure)
            items.append(Cluster(title, tuple(between), "edge", step=index + 2))
    return items


def _texts(caption: Caption, front: Box, baseline: float, theme: Theme) -> Iterator[Shape]:
    for text, size, bold in caption.lines:
        baseline += size * LEADING
        colour = theme.ink if bold else theme.quiet
        colour = mix(colour, theme.background, 0.45) if caption.volumes[-1].faded else colour
        yield Text(front.x + front.width / 2, baseline, text, size, colour, bold, "middle")


def _shown(swatch: Swatch, volumes: Sequence[Volume]) -> bool:
    return any(volume.family == swatch.family for volume in volumes)


def grouped(volumes: Sequence[Volume]) -> Iterator[Caption]:
    """Captions of runs of equal layers, or of equal blocks of two layers."""
    start = 0
    while start < len(volumes):
        period, times = next(((p, t) for p in (1, 2) if (t := _repeats(volumes, start, p)) > 1), (1, 1))
        yield caption_of(volumes[start : start + period * times], period, NARROW)
        start += period * times


def _repeats(volumes: Sequence[Volume], start: int, period: int) -> int:
    """How often so many layers, which give maps of one size, follow each other from a place on."""

    def look(volume: Volume) -> tuple[object, ...]:
        return volume.lines, volume.shape, volume.kernel, volume.faded

    first = volumes[start : start + period]
    blocks = {volume.label.rpartition("/")[0] for volume in first} if period > 1 else set()
    if len({volume.shape for volume in first}) > 1 or not first[0].shape[1:] or len(blocks) > 1 or "" in blocks:
        return 1
    end = start
    while [look(volume) for volume in volumes[end : end + period]] == [look(volume) for volume in first]:
        end += period
    return (end - start) // period


def caption_of(volumes: Sequence[Volume], period: int = 1, width: float = WRAP) -> Caption:
    """Name, what the layer does, in short lines."""
    times = len(volumes) // period
    ends = [volumes[0].label, volumes[-1].label]
    if period > 1:
        ends = [label.rpartition("/")[0] for label in ends]
    texts = [text for volume in volumes[:period] for text in volume.lines]
    if times > 1 and period == 1 and texts:
        texts[0] = f"{times} × {texts[0]}"
    elif times > 1:
        texts = [say("{count} times", count=times), *texts[:1], *(chain(["", text]) for text in texts[1:])]
    names = lines_of(_from_to(*(label.split("/") for label in ends)), "/", WRAP, NAME)
    lines = [(line, NAME, True) for name in names for line in wrap(name, WRAP * 1.5, NAME, True)]
    # A line is broken after a comma first: "2 groups" stays together.
    parts = [part for text in texts for part in balanced(lines_of(text.split(", "), ", ", width, NOTE))]
    lines += [(line, NOTE, False) for text in parts for line in wrap(text, width, NOTE)]
    return Caption(tuple(volumes), tuple(lines))


def _from_to(first: Sequence[str], last: Sequence[str]) -> list[str]:
    """The name of a run: the blocks around all of it, and the parts of the innermost from the first to the last."""
    common = next((level for level, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first) - 1)
    return [*first[:common], span(first[common], last[common])] if first != last else list(first)
