"""A deep chain as touching slabs, stage by stage in one row, as in the figures of VGG that PlotNeuralNet made common.

Height and depth of a slab are those of its map, its thickness stands for channels; a narrow band is an activation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise, product
from typing import NamedTuple

from archcalc.core.language import say, without_isolates
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Row
from archcalc.render.diagrams import words
from archcalc.render.diagrams.arrange import READABLE, page_height
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Shape, Text
from archcalc.render.diagrams.paint import MARGIN, SUBTITLE
from archcalc.render.diagrams.papers.bars import DASHES, MEANING
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
from archcalc.render.diagrams.papers.trunk import Arc, Stop, Trunk, Unsuited, trunk_of
from archcalc.render.diagrams.solids import SCALES, SHIFT, Box, depth_note, faces, scaled, slabs_of
from archcalc.render.diagrams.text import LEADING, shorten, text_width, wrap
from archcalc.render.diagrams.theme import Paint, Theme, family_name, mix
from archcalc.render.diagrams.wiring import Wiring

#: More slabs than this are no figure.
MOST = 260
TALLEST, SMALLEST, VECTOR = 190.0, 10.0, 9.0
THICKEST, THINNEST, BAND = 46.0, 2.5, 0.16
#: How far the depth of a map goes to the right and up for each pixel of its height.
RIGHT, UP = 0.24, 0.2
APART, WRAP, AROUND = 30.0, 140.0, 170.0
#: How far slabs grow into an empty part of the page, and how thin they become where there are many.
GROWTH, THIN = (0.7, 0.85, 1.0, 1.25, 1.5, 1.8, 2.2, 2.7), (1.0, 0.7, 0.45, 0.3, 0.2)

#: A block gives a stage its name if it holds so much of its layers.
MAIN = 0.75


class Stage(NamedTuple):
    """Slabs that touch: layers that give maps of one size, with the pool after them; and their caption.

    Those of one size with depth are drawn together at every position of it.
    """

    first: int
    boxes: tuple[Box, ...]
    caption: tuple[str, ...]

    @property
    def left(self) -> float:
        return self.boxes[0].left

    @property
    def right(self) -> float:
        return max(box.x + box.width + box.right for box in self.boxes)

    @property
    def middle(self) -> float:
        return (self.boxes[0].x + self.boxes[-1].x + self.boxes[-1].width) / 2


class Scale(NamedTuple):
    """How sizes and channels become lengths."""

    sizes: str
    tallest: float
    thickest: float
    size: int
    channels: int
    features: int

    def box(self, stop: Stop, x: float) -> Box:
        channels, *positions = stop.shape
        if max(positions, default=1) == 1:
            height = scaled(channels, self.features, 2 * SMALLEST, self.tallest, self.sizes)
            return Box(x, -height / 2, VECTOR, height, VECTOR * 0.5, VECTOR * 0.4)
        height, depth = (scaled(size, self.size, SMALLEST, self.tallest, self.sizes) for size in (positions * 2)[-2:])
        width = scaled(channels, self.channels, THINNEST, self.thickest, self.sizes)
        depth = depth if positions[1:] else VECTOR
        slabs = slabs_of(positions)
        stack = (slabs - 1) * SHIFT
        return Box(x + stack, (stack - height) / 2, width, height, depth * RIGHT, depth * UP, slabs)


def slabs_drawing(request: Request) -> Drawing:
    """The picture. Raises `Unsuited` for a network that is no chain with shortcuts, or has too many layers."""
    analysis, theme = request.analyses[0], request.theme
    trunk = trunk_of(Wiring(analysis))
    if len(trunk.stops) > MOST:
        raise Unsuited(f"{analysis.graph.name} has {len(trunk.stops)} layers, more than {MOST} slabs")
    if not any(len(stop.size) > 1 for stop in trunk.stops):
        raise Unsuited(f"{analysis.graph.name} has no maps of height and width")
    stages = _best(trunk, request)
    items: list[Cluster] = []
    items += [_flow(before, after, trunk, theme) for before, after in pairwise(stages)]
    for stage in stages:
        items += _slabs(stage, trunk, theme)
    boxes = [box for stage in stages for box in stage.boxes]
    items += [_arc(arc, trunk, boxes, theme) for arc in trunk.arcs]
    top = min([box.top for box in boxes] + [_peak(arc, boxes) for arc in trunk.arcs])
    low = max(box.y + box.height for box in boxes) + 12
    items += [_caption(stage, low, request) for stage in stages]
    widths = [_width(stage.caption) for stage in stages]
    body = Body(
        tuple(items),
        min(min(stage.left, stage.middle - width / 2) for stage, width in zip(stages, widths, strict=True)),
        top - 8,
        max(max(stage.right, stage.middle + width / 2) for stage, width in zip(stages, widths, strict=True)),
        low + max(len(stage.caption) for stage in stages) * NOTE * LEADING + 6,
    )
    sizes = request.sizes or "sqrt"
    vectors = any(max(stop.size, default=1) == 1 for stop in trunk.stops)
    scale = say(SCALES[sizes])
    if vectors:
        note = say(
            "Height, depth and thickness by height, width and channels: {scale}; vectors on a scale of their own.",
            scale=scale,
        )
    else:
        note = say("Height, depth and thickness by height, width and channels: {scale}.", scale=scale)
    note += depth_note(stop.shape for stop in trunk.stops)
    if any(stop.activated for stop in trunk.stops):
        note += " " + say("Narrow bands: activations.")
    if any(arc.rows for arc in trunk.arcs) and not set(COUNTS).isdisjoint(_labels(request)):
        note += " " + say("Numbers of a stage count the shortcuts that end in it.")
    if any(stop.gated for stop in trunk.stops):
        note += " " + say("SE: channels are scaled by squeeze and excitation.")
    title = title_of(analysis)
    description = say("{title}: layers as slabs from left to right, {scale}.", title=title, scale=scale)
    return finish(request, body, title, subtitle_of(analysis), description, _keys(trunk, theme), note)


# -- stages ----------------------------------------------------------------------------------------------------------


def stages_of(trunk: Trunk) -> list[range]:
    """Runs of layers that give maps of one size; a pool ends the run before it."""
    cuts = [0]
    for index, (before, after) in enumerate(pairwise(trunk.stops), 1):
        size, last = (stop.size if max(stop.size, default=1) > 1 else () for stop in (after, before))
        pools = after.main.op.family == "pooling" and before.main.op.family not in ("pooling", "input")
        ended = before.main.op.family == "pooling" and index - 1 not in cuts
        if before.main.op.family == "input" or ended or (size != last and not pools):
            cuts.append(index)
    return [range(first, end) for first, end in pairwise([*cuts, len(trunk.stops)])]


def _best(trunk: Trunk, request: Request) -> list[Stage]:
    """The stages in the sizes with which texts can be read and slabs are large."""
    maps = [stop for stop in trunk.stops if max(stop.size, default=1) > 1]
    flat = [stop for stop in trunk.stops if max(stop.size, default=1) == 1]
    runs = stages_of(trunk)
    captions = [_lines(trunk, run, request) for run in runs]

    def placed(factor: float, thin: float) -> list[Stage]:
        scale = Scale(
            request.sizes or "sqrt", TALLEST * factor, THICKEST * thin * factor**0.5,
            max(max(stop.size) for stop in maps), max(stop.shape[0] for stop in maps),
            max((stop.shape[0] for stop in flat), default=1),
        )  # fmt: skip
        return _placed(trunk, runs, captions, scale)

    best: tuple[float, float, float] | None = None
    for factor, thin in product(GROWTH, THIN):
        stages = placed(factor, thin)
        width = stages[-1].right - stages[0].left + 2 * MARGIN + 40
        height = TALLEST * factor * (1 + UP) + max(map(len, captions)) * NOTE * LEADING + AROUND
        points = SUBTITLE * page_height(request.ratio) * min(request.ratio / width, 1 / height)
        worth = (100 if points >= READABLE else 0) + min(points, READABLE) * 3 + 3 * factor + 2 * thin
        if best is None or worth > best[0]:
            best = worth, factor, thin
    assert best is not None
    return placed(best[1] / request.text, best[2] / request.text**0.5)


def _placed(trunk: Trunk, runs: Sequence[range], captions: Sequence[Sequence[str]], scale: Scale) -> list[Stage]:
    """The stages from left to right, so far apart that neither they nor their captions meet."""
    found: list[Stage] = []
    x = 0.0
    for run, caption in zip(runs, captions, strict=True):
        boxes: list[Box] = []
        for index in run:
            stop = trunk.stops[index]
            if boxes and max(stop.size, default=1) == 1:
                x += boxes[-1].right + 7  # vectors stand apart
            box = scale.box(stop, x)
            if boxes and trunk.stops[index - 1].size == stop.size:
                box = box._replace(x=x)
            boxes.append(box)
            x = box.x + box.width
        stage = Stage(run.start, tuple(boxes), tuple(caption))
        if found:
            before = found[-1]
            needed = before.middle + (_width(before.caption) + _width(caption)) / 2 + 16
            push = max(needed - stage.middle, before.right + APART - stage.left, 0.0)
            stage = stage._replace(boxes=tuple(box._replace(x=box.x + push) for box in boxes))
        found.append(stage)
        x = stage.right
    return found


def _width(lines: Sequence[str]) -> float:
    return max((text_width(line, NOTE, True) for line in lines), default=0.0)


def _labels(request: Request) -> tuple[str, ...]:
    return request.labels or ("shape", "kernel")


def _lines(trunk: Trunk, run: range, request: Request) -> list[str]:
    """The caption of a stage: its name, and what is asked for."""
    stops = [trunk.stops[index] for index in run]
    labels = _labels(request)
    names = request.names or "paper"
    name = "" if names == "none" else stage_name(stops, names)
    lines = [shorten(name, WRAP, TEXT, True)] if name else []
    if run == range(1):
        labels = tuple(label for label in labels if label == "shape")
    rows = [row for stop in stops for row in (stop.main, *trunk.others(stop))]
    rows += [row for arc in trunk.arcs if arc.target in run for row in trunk.on(arc)]
    for label in labels:
        texts = [count_text(rows, label)] if label in COUNTS else _label(stops, label)
        lines += [line for text in texts if text for line in wrap(text, WRAP, NOTE)]
    return lines


def _label(stops: Sequence[Stop], label: str) -> list[str]:
    if label == "shape":
        last = next((stop for stop in reversed(stops) if stop.main.op.family != "pooling"), stops[-1])
        size = f"{'×'.join(map(str, last.size))} × " if max(last.size, default=1) > 1 else ""
        channels = list(dict.fromkeys(stop.shape[0] for stop in stops))
        few = ", ".join(map(str, channels)) if len(channels) < 3 else f"{min(channels)}–{max(channels)}"
        return [size + few]
    if label == "kernel":
        kinds = Counter(_kind(stop) for stop in stops)
        return [f"{count} × {kind}" if count > 1 else kind for kind, count in kinds.items()]
    return label_texts(stops[-1].main, (label,))


def _kind(stop: Stop) -> str:
    """What a layer does, without its channels and strides, which are drawn: conv 3×3, depthwise."""
    first, *rest = stop.main.summary.split(", ")
    more = [part for part in rest if not re.fullmatch(r"\d+|/\d+(×\d+)*", without_isolates(part))]
    return ", ".join([first, *more]) + (" + SE" if stop.gated else "")


def stage_name(stops: Sequence[Stop], names: str) -> str:
    """The block that holds nearly all of a stage, or its first and its last layer."""
    layers = [stop for stop in stops if stop.main.op.family != "pooling"] or list(stops)
    paths = [stop.name.split("/") for stop in layers]
    blocks = Counter(path[0] for path in paths if len(path) > 1)
    if blocks and names == "paper":
        block, count = blocks.most_common(1)[0]
        if count >= MAIN * len(layers):
            return block
    ends = [path[0] if names == "paper" else "/".join(path) for path in (paths[0], paths[-1])]
    return words.span(*ends)


def _caption(stage: Stage, y: float, request: Request) -> Cluster:
    shapes: list[Shape] = []
    named = request.names != "none"
    for number, line in enumerate(stage.caption):
        bold = named and number == 0
        y += NOTE * LEADING
        colour = request.theme.ink if bold else request.theme.quiet
        shapes.append(Text(stage.middle, y, line, TEXT if bold else NOTE, colour, bold, "middle"))
    return Cluster(" ".join(stage.caption), tuple(shapes), "plain", step=stage.first + 1)


# -- slabs -----------------------------------------------------------------------------------------------------------


def paint_of(stop: Stop, theme: Theme) -> Paint:
    """By the kind of layer; of convolutions a depthwise one has a stronger colour, one of 1×1 a fainter one."""
    paint = theme.families[stop.main.op.family]
    kind = convolution_kind(stop.main)
    if kind == "depthwise":
        return paint._replace(fill=mix(paint.fill, paint.line, 0.5))
    if kind == "1×1":
        return paint._replace(fill=mix(paint.fill, theme.background, 0.6))
    return paint


def convolution_kind(row: Row) -> str:
    """Depthwise, grouped, 1×1, or nothing of the kind."""
    if row.op.family != "convolution":
        return ""
    groups = int(getattr(row.op, "groups", 1))
    if groups > 1:
        return "depthwise" if row.input_shapes and groups == row.input_shapes[0][0] else "grouped"
    kernel = getattr(row.op, "kernel_size", ())
    return "1×1" if kernel and max(kernel) == 1 else ""


def _slabs(stage: Stage, trunk: Trunk, theme: Theme) -> list[Cluster]:
    """Each slab with its band; behind those of one size the same ones at other positions in depth."""
    found = []
    numbered = list(enumerate(stage.boxes, stage.first))
    for _, run in groupby(numbered, lambda item: trunk.stops[item[0]].size):
        boxes = list(run)
        for number in reversed(range(boxes[0][1].slabs)):
            for index, box in boxes:
                stop = trunk.stops[index]
                text = f"{stop.name}: {stop.main.summary}; {say('output {size}', size=format_shape(stop.shape))}"
                shapes = tuple(_banded(stop, box.slab(number), theme))
                node = Cluster(text, shapes, "node", stop.main.name, "", covers([stop.main]), index + 1)
                found.append(Cluster(text, shapes, "plain", step=index + 1) if number else node)
    return found


def _banded(stop: Stop, box: Box, theme: Theme) -> list[Shape]:
    paint = paint_of(stop, theme)
    shapes = faces(box, paint, theme)
    if stop.activated and box.width * BAND > 0.6:
        band = box.width * BAND
        dark = paint._replace(fill=mix(paint.fill, paint.line, 0.55))
        shapes += faces(box._replace(x=box.x + box.width - band, width=band), dark, theme)
    return shapes


def _flow(before: Stage, after: Stage, trunk: Trunk, theme: Theme) -> Cluster:
    last = before.boxes[-1]
    start = (last.x + last.width + last.right / 2 + 2, -last.up / 2)
    line = Curve((start, (after.left - 2, start[1])), theme.edge, 1.4, arrow=True)
    title = f"{trunk.stops[after.first - 1].name} → {trunk.stops[after.first].name}"
    return Cluster(title, (line,), "edge", step=after.first + 1)


def _peak(arc: Arc, boxes: Sequence[Box]) -> float:
    """How high an arc goes: above all slabs on its way."""
    between = boxes[arc.source : arc.target + 1]
    return min(box.top for box in between) - 12 - min(len(between), 12)


def _arc(arc: Arc, trunk: Trunk, boxes: Sequence[Box], theme: Theme) -> Cluster:
    """From the end of a slab over the next ones to the end of another."""
    start, end = boxes[arc.source], boxes[arc.target]
    (x, y), (u, v) = ((box.x + box.width + box.right / 2, box.y - box.up / 2) for box in (start, end))
    # A curve of degree three reaches three quarters of the way to its handles.
    high = _peak(arc, boxes)
    handle = min(y, v) - (min(y, v) - high) * 4 / 3
    curve = Curve(((x, y), (x, handle), (u, handle), (u, v)), theme.accent, 1.4, True, True, DASHES[arc.kind])
    title = f"{trunk.stops[arc.source].name} → {trunk.stops[arc.target].name}, {say(MEANING[arc.kind])}"
    return Cluster(title, (curve,), "edge", step=arc.target + 1)


def _keys(trunk: Trunk, theme: Theme) -> list[Key]:
    keys: dict[str, Key] = {}
    for stop in trunk.stops[1:]:
        kind = convolution_kind(stop.main)
        label = family_name(stop.main.op.family)
        if kind in ("depthwise", "1×1"):
            label += f", {say(kind) if kind == 'depthwise' else kind}"
        keys.setdefault(label, swatch(paint_of(stop, theme), label))
    kinds = {arc.kind for arc in trunk.arcs}
    return [*keys.values(), *(stroke(say(MEANING[k]), theme.accent, 1.4, DASHES[k]) for k in MEANING if k in kinds)]
