"""Grouped convolutions as parallel towers: Krizhevsky et al. 2012, "ImageNet Classification with Deep CNNs", figure 2.

Each hidden map is cut into as many parts as there are groups, and so is an input or an output of a layer in groups. A
layer in groups reads the part of its own tower; any other one reads all parts, and its lines cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.core.language import balanced, chain, say
from archcalc.passes.analysis import Row
from archcalc.render.diagrams.compose import compose_graph
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Rect, Shape, Text
from archcalc.render.diagrams.maps import Volume, groups_of, is_chain, volumes_of
from archcalc.render.diagrams.papers.figure import (
    NOTE,
    TEXT,
    Body,
    Key,
    Request,
    finish,
    stroke,
    subtitle_of,
    swatch,
    title_of,
)
from archcalc.render.diagrams.papers.labels import label_texts, name_text
from archcalc.render.diagrams.papers.trunk import Unsuited
from archcalc.render.diagrams.solids import SCALES, Box, Measure, depth_note, joint, solid, window_of
from archcalc.render.diagrams.text import LEADING, text_width, wrap
from archcalc.render.diagrams.theme import Theme, family_name
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import drawn_together, lines_of

#: More towers, or more maps in a row, are no figure.
MOST_TOWERS, MOST = 4, 24
GAP, APART, WRAP = 62.0, 40.0, 136.0


class Floor(NamedTuple):
    """A map in its parts, the groups of its layer, and the pools after it, which are not drawn."""

    volume: Volume
    parts: int
    groups: int
    pools: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def towers_drawing(request: Request) -> Drawing:
    """The picture. Raises `Unsuited` for a network that is no chain, or has no layers in two to four groups."""
    wiring = Wiring(request.analyses[0])
    floors = floors_of(wiring, request)
    theme = request.theme
    sizes = request.sizes or "sqrt"
    parts = max(floor.parts for floor in floors)
    divided = [_part(floor) for floor in floors]
    factor = (1.0 if parts == 2 else 1.8 / parts) / request.text
    measure = Measure(divided, sizes, factor, 1 / request.text)
    parted = [measure.box(volume.shape, 0) for volume, floor in zip(divided, floors, strict=True) if floor.parts > 1]
    distance = max(box.height + box.up + box.stack for box in parted) + APART
    boxes = _boxes(floors, divided, measure, request)
    items: list[Cluster] = []
    for index, floor in enumerate(floors):
        if index:
            items += _links(floors, divided, boxes, index, distance, measure, theme)
        reader = _reader(divided[index + 1], floor) if index + 1 < len(floors) else None
        window = window_of(boxes[index], reader, measure) if reader else None
        items += _floor(floor, divided[index], boxes[index], index, distance, window, reader, theme)
    for index, floor in enumerate(floors):
        items += _sizes(floor, divided[index], boxes[index], index, distance, theme)
    base = max(_axis(part, floor.parts, distance) + box.y + box.height for floor, box in zip(floors, boxes, strict=True)
               for part in range(floor.parts)) + 26  # fmt: skip
    captions = [
        _caption(floor, box, base, index, request) for index, (floor, box) in enumerate(zip(floors, boxes, strict=True))
    ]
    items += captions
    bottom = max(shape.y for item in captions for shape in item.shapes if isinstance(shape, Text)) + 6
    lines = [shape for item in captions for shape in item.shapes if isinstance(shape, Text)]
    left = min([text.x - text_width(text.text, text.size, text.bold) / 2 for text in lines] + [boxes[0].x - 34])
    right = max([text.x + text_width(text.text, text.size, text.bold) / 2 for text in lines]
                + [boxes[-1].x + boxes[-1].width + boxes[-1].right + 44])  # fmt: skip
    top = min(box.top + _axis(0, floor.parts, distance) for floor, box in zip(floors, boxes, strict=True))
    families = {volume.family: volume.paint for volume in divided}
    keys: list[Key] = [swatch(paint, family_name(family)) for family, paint in families.items()]
    keys.append(stroke(say("reads its own tower"), theme.edge, 1.2))
    if any(isinstance(shape, Curve) and shape.dash == CROSS for item in items for shape in item.shapes):
        keys.append(stroke(say("reads the other towers too"), theme.accent, 1.2, CROSS))
    title = title_of(request.analyses[0])
    note = say(
        "Every hidden map is drawn in {parts} parts. Heights, depths and thicknesses: {scale}; dense layers on a scale "
        "of their own. Activations belong to the box before them; pools are named, not drawn.",
        parts=parts, scale=say(SCALES[sizes]),
    )  # fmt: skip
    note = " ".join([note, *drawn_together(_unnamed(floors, wiring))])
    note += depth_note(volume.shape for volume in divided)
    description = say("{title}: feature maps in {parts} towers from left to right.", title=title, parts=parts)
    body = Body(tuple(items), left, top - 4, right, bottom)
    return finish(request, body, title, subtitle_of(request.analyses[0]), description, keys, note)


CROSS = (5.0, 3.0)


def floors_of(wiring: Wiring, request: Request) -> list[Floor]:
    """The maps of a chain with the number of their parts. Raises `Unsuited` for a network without such groups."""
    network = wiring.analysis.graph.name
    diagram = compose_graph(wiring)
    if not is_chain(diagram):
        raise Unsuited(f"{network} branches")
    rows = wiring.analysis.by_name
    volumes = volumes_of(diagram, wiring, request.theme)
    groups = [groups_of(_row(volume, wiring)) for volume in volumes]
    several = sorted({
        number for volume, number in zip(volumes, groups, strict=True)
        if number > 1 and not _is_alone(volume, number, wiring)
    })  # fmt: skip
    if not several:
        raise Unsuited(f"{network} has no grouped convolution")
    most = several[-1]
    if most > MOST_TOWERS or any(most % number for number in several):
        raise Unsuited(
            f"{network} has convolutions in {', '.join(map(str, several))} groups, not in 2 to {MOST_TOWERS}"
        )
    floors: list[Floor] = []
    for volume, number in zip(volumes, groups, strict=True):
        names = tuple(part.name for part in volume.node.parts)
        if volume.family == "pooling" and floors:
            before = floors[-1]
            floors[-1] = before._replace(pools=(*before.pools, rows[names[0]].summary), names=before.names + names)
            continue
        floors.append(Floor(volume, 1, number, (), names))
    if len(floors) > MOST:
        raise Unsuited(f"{network} has {len(floors)} maps in a row, more than {MOST}")
    return [floor._replace(parts=_parts(floors, index, most)) for index, floor in enumerate(floors)]


def _parts(floors: Sequence[Floor], index: int, most: int) -> int:
    """In how many parts a map is drawn: the first and the last one in the groups of the layer that they belong to."""
    ends = {0: floors[min(1, len(floors) - 1)].groups, len(floors) - 1: floors[-1].groups}
    groups, channels = ends.get(index, most), floors[index].volume.shape[0]
    return next(
        (parts for parts in (most, groups) if groups % parts == channels % parts == 0 and parts <= MOST_TOWERS), 1
    )


def _row(volume: Volume, wiring: Wiring) -> Row:
    """The layer that made a map."""
    name = next((part.name for part in volume.node.parts if part.lines), volume.node.parts[0].name)
    return wiring.analysis.by_name[name]


def _is_alone(volume: Volume, groups: int, wiring: Wiring) -> bool:
    """Whether each channel is read by itself, which alone makes no towers."""
    shapes = _row(volume, wiring).input_shapes
    return bool(shapes) and groups == shapes[0][0]


def _unnamed(floors: Sequence[Floor], wiring: Wiring) -> list[Row]:
    """The layers that are neither drawn nor named and are no activations, as LRN."""
    shown = {_row(floor.volume, wiring).name for floor in floors}
    rows = [wiring.analysis.by_name[name] for floor in floors for name in floor.names if name not in shown]
    return [row for row in rows if row.op.family not in ("activation", "pooling")]


def _part(floor: Floor) -> Volume:
    channels, *positions = floor.volume.shape
    return floor.volume._replace(shape=(channels // floor.parts, *positions))


def _axis(part: int, parts: int, distance: float) -> float:
    return (part - (parts - 1) / 2) * distance if parts > 1 else 0.0


def links_between(before: Floor, after: Floor) -> list[tuple[int, int]]:
    """Which part of a map is read for which part of the next one: they have channels of one group."""
    return [
        (source, target) for source in range(before.parts) for target in range(after.parts)
        if _groups_in(source, before.parts, after.groups) & _groups_in(target, after.parts, after.groups)
    ]  # fmt: skip


def _groups_in(part: int, parts: int, groups: int) -> set[int]:
    """The groups that have channels in a part of a map."""
    return set(range(part * groups // parts, -(-(part + 1) * groups // parts)))


def _reader(reader: Volume, floor: Floor) -> Volume:
    """The layer after a map, with the share that it reads of a part."""
    return reader._replace(share=min(reader.share * floor.parts, 1.0))


def _texts(floor: Floor, index: int, request: Request) -> list[str]:
    """The lines of a caption: the name first, bold."""
    row = request.analyses[0].by_name[floor.names[0]]
    name = name_text(floor.volume.label, request.names or "paper")
    lines = [name] if name else []
    if index:
        others = [request.analyses[0].by_name[name] for name in floor.names[1:]]
        lines += label_texts(row, request.labels or ("kernel",), others)
        if request.labels is None or "kernel" in request.labels:
            lines += [chain(["", pool]) for pool in floor.pools]
    return lines


def _wrapped(texts: Sequence[str]) -> list[str]:
    """In lines that are broken after a comma first: "2 groups" stays together."""
    parts = [part for text in texts for part in balanced(lines_of(text.split(", "), ", ", WRAP, NOTE))]
    return [line for text in parts for line in wrap(text, WRAP, NOTE)]


def _boxes(floors: Sequence[Floor], volumes: Sequence[Volume], measure: Measure, request: Request) -> list[Box]:
    """The boxes from left to right around the axis y = 0, so far apart that captions do not meet."""
    boxes: list[Box] = []
    x = end = 0.0
    for index, (floor, volume) in enumerate(zip(floors, volumes, strict=True)):
        box = measure.box(volume.shape, x)
        lines = [*_wrapped(_texts(floor, index, request)), "×".join(map(str, volume.shape))]
        half = max(text_width(line, NOTE, True) for line in lines) / 2
        middle = box.x + box.width / 2
        push = max(end + 10 + half - middle, 0.0) if boxes else 0.0
        box = box._replace(x=box.x + push)
        boxes.append(box)
        end = middle + push + half
        x = box.x + box.width + box.right + GAP
    return boxes


def _links(
    floors: Sequence[Floor], volumes: Sequence[Volume], boxes: Sequence[Box], index: int, distance: float,
    measure: Measure, theme: Theme,
) -> list[Cluster]:  # fmt: skip
    """The windows of a layer, from each part that it reads to each part that it gives."""
    before, after, reader = floors[index - 1], floors[index], volumes[index]
    found = []
    for source, target in links_between(before, after):
        crosses = before.parts > 1 and after.parts > 1 and source != target
        start = _moved(boxes[index - 1], _axis(source, before.parts, distance))
        end = _moved(boxes[index], _axis(target, after.parts, distance))
        colour = theme.accent if crosses else theme.edge
        shapes = [_inked(shape, colour, crosses) for shape in joint(start, end, reader, measure)]
        ends = {"source": _part_of(before, source), "target": _part_of(after, target)}
        title = say("{source} crosses to {target}", **ends) if crosses else say("{source} to {target}", **ends)
        found.append(Cluster(title, tuple(shapes), "edge", step=index + 1))
    return found


def _part_of(floor: Floor, part: int) -> str:
    """A part of a map in words; a map that is whole by its name."""
    if floor.parts == 1:
        return floor.volume.label
    return say("{name}, part {part} of {parts}", name=floor.volume.label, part=part + 1, parts=floor.parts)


def _inked(shape: Shape, colour: str, crosses: bool) -> Shape:
    if not isinstance(shape, Curve):
        return shape
    if shape.fill:
        return shape._replace(fill=colour, opacity=0.07 if crosses else 0.12)
    return shape._replace(line=colour, thickness=1.0, dash=CROSS if crosses else ())


def _moved(box: Box, dy: float) -> Box:
    return box._replace(y=box.y + dy)


def _floor(
    floor: Floor, volume: Volume, box: Box, index: int, distance: float, window: tuple[Point, ...] | None,
    reader: Volume | None, theme: Theme,
) -> list[Cluster]:  # fmt: skip
    """The parts of a map, each with its sizes."""
    found = []
    size = "×".join(map(str, (*volume.shape[1:], volume.shape[0])))
    for part in range(floor.parts):
        dy = _axis(part, floor.parts, distance)
        shapes = solid(volume, box, window, theme, reader)
        cluster = Cluster(f"{_part_of(floor, part)}: {size}", tuple(shapes), "node", floor.names[0], "",
                          floor.names if len(floor.names) > 1 else (), index + 1)  # fmt: skip
        found.append(cluster.moved(0, dy))
    return found


def _sizes(floor: Floor, volume: Volume, box: Box, index: int, distance: float, theme: Theme) -> list[Cluster]:
    """The sizes below the parts of a map, in front of the lines that run there."""
    size = "×".join(map(str, (*volume.shape[1:], volume.shape[0])))
    x, y, width = box.x + box.width / 2, box.y + box.height + NOTE + 4, text_width(size, NOTE, True)
    chip = Rect(x - width / 2 - 2, y - NOTE, width + 4, NOTE + 4, theme.background, None)
    cluster = Cluster(size, (chip, Text(x, y, size, NOTE, theme.ink, True, "middle")), "plain", step=index + 1)
    return [cluster.moved(0, _axis(part, floor.parts, distance)) for part in range(floor.parts)]


def _caption(floor: Floor, box: Box, y: float, index: int, request: Request) -> Cluster:
    shapes: list[Shape] = []
    texts = _texts(floor, index, request)
    named = (request.names or "paper") != "none"
    for number, line in enumerate(_wrapped(texts)):
        bold = named and number == 0
        y += NOTE * LEADING
        colour = request.theme.ink if bold else request.theme.quiet
        shapes.append(Text(box.x + box.width / 2, y, line, TEXT if bold else NOTE, colour, bold, "middle"))
    return Cluster(floor.volume.label, tuple(shapes), "plain", step=index + 1)
