"""Which pixels of the input a position of each layer depends on: those whose change reaches it in the executor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from archcalc.core.demonstration import Cell, Grid, Group, Step, Written
from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.core.shapes import Shape, format_shape
from archcalc.execute.calls import Pools, array_sizes, kernel_of, run
from archcalc.execute.demonstrate.grids import place_text
from archcalc.execute.demonstrate.slide import Shown
from archcalc.execute.demonstrate.small import numbers
from archcalc.execute.kernels import Array
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops.reshape import Input
from archcalc.passes.analysis import Analysis, analyse

#: Pixels along an axis that are shown, and layers.
PIXELS, LAYERS = 32, 8
#: So many pixels more than the field has are tried.
MARGIN = 14


def receptive_field(analysis: Analysis, index: int, seed: int) -> tuple[Shown, tuple[str, ...]]:
    """One step for each layer with a window on the way to a layer; and what is not as in the network."""
    graph, row = analysis.graph, analysis.rows[index]
    field = row.receptive_field
    shape = graph.only_input("this demonstration")
    if field is None or len(shape) != 3 or len(row.output_shape) != 3:
        raise UsageError(f"{row.name} has no receptive field that can be shown: name a layer of maps")
    if max(field.size) > PIXELS:
        size = "×".join(map(str, field.size))
        raise UsageError(f"{row.name} sees {size} pixels, and at most {PIXELS} are shown: name an earlier layer")
    # As few pixels as hold the whole field of some position; at the edges a part of it is padding.
    for more in range(2, MARGIN):
        small, kept = _one_channel(graph, index, shape, max(field.size) + more)
        reached = _reached(small)
        if _extent(reached[-1], _widest(reached[-1]), small.input_shape[1:]) == field.size:
            break
    side = small.input_shape[1:]
    shown = [place for place in kept if small.layers[place].op.family in ("convolution", "pooling")][-LAYERS:]
    pixels = numbers("pixels", side, 0, 9, seed)
    groups = [
        Group(say("input"), (Grid("x", tuple(tuple(map(float, line)) for line in pixels), (0, 0, side[0], side[1])),))
    ]
    steps = []
    measured = analyse(small)
    for number, place in enumerate(shown, 1):
        layer, made = small.layers[place], measured.rows[place].output_shape[1:]
        blank = tuple((None,) * made[1] for _ in range(made[0]))
        groups.append(Group(layer.name, (Grid(format_shape(made), blank, (0, 0, made[0], made[1])),)))
        middle = _widest(reached[place])
        seen = reached[place][:, middle[0], middle[1]].reshape(side)
        read = tuple(Cell(0, int(i), int(j)) for i, j in np.argwhere(seen))
        size = "×".join(map(str, _extent(reached[place], middle, side)))
        computed = measured.rows[place].receptive_field
        said = "×".join(map(str, computed.size)) if computed else "?"
        line = say(
            "position {place} of {layer}: a change of {count} pixels reaches it, in {size}",
            place=place_text(middle), layer=layer.name, count=len(read), size=size,
        )  # fmt: skip
        formula = say("receptive field by the formula: {size}", size=said)
        formula += "" if size == said else say("; the rest of it is padding, or lies in gaps")
        lines = (line, formula)
        written = (Written(Cell(number, *middle), float(len(read))),)
        steps.append(Step(layer.name, read, (), written, lines))
    remarks = [say("one channel in every layer (its field does not depend on channels)")]
    if side != shape[1:]:
        sizes = ["×".join(map(str, one)) for one in (side, shape[1:])]
        remarks.append(say("{new} pixels in place of {old}", new=sizes[0], old=sizes[1]))
    return (groups, steps), tuple(remarks)


def _widest(reached: Array) -> tuple[int, int]:
    """The position that most pixels reach, of those the nearest to the middle."""
    counts = reached.sum(axis=0)
    height, width = counts.shape
    places = np.argwhere(counts == counts.max()).tolist()
    row, column = min(places, key=lambda place: (abs(2 * place[0] - height + 1) + abs(2 * place[1] - width + 1), place))
    return row, column


def _extent(reached: Array, position: tuple[int, int], side: tuple[int, ...]) -> tuple[int, ...]:
    """From the first pixel to the last that reaches a position, along each axis."""
    seen = reached[:, position[0], position[1]].reshape(side)
    found = [np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0)]
    return tuple(int(places[-1] - places[0] + 1) if len(places) else 0 for places in found)


def _one_channel(graph: LayerGraph, index: int, shape: Shape, size: int) -> tuple[LayerGraph, list[int]]:
    """What a layer depends on, with one channel in every map, on as few pixels as hold its field."""
    order = sorted(graph.read_by(index))
    place = {old: new for new, old in enumerate(order)}
    names = [graph.layers[old].name for old in order]
    side = tuple(min(whole, size) for whole in shape[1:])
    while True:
        layers = []
        for old in order:
            layer = graph.layers[old]
            op: Any = layer.op
            if op.is_input:
                op = Input(shape=(1, *side))
            else:
                fields = type(op).model_fields
                update = {name: 1 for name in ("out_channels", "groups") if getattr(op, name, None) is not None}
                if "connections" in fields:
                    update["connections"] = None  # type: ignore[assignment]  # a table of channels
                op = op.model_copy(update=update)
            layers.append(Layer(layer.name, op, tuple(place[source] for source in layer.inputs)))
        small = replace(
            graph, layers=tuple(layers), outputs=(Output("output", len(layers) - 1),), recipe=None, arrays={}
        )
        found = analyse(small, partial=True)
        if not found.problems and len(found.rows) == len(layers) and min(found.rows[-1].output_shape[1:]) > 0:
            return small, [number for number, name in enumerate(names) if name]
        if side == shape[1:] or max(side) > PIXELS + MARGIN:
            raise UsageError(f"{graph.layers[index].name} cannot be shown with one channel on {PIXELS} pixels")
        side = tuple(min(whole, one + 1) for whole, one in zip(shape[1:], side, strict=True))


@np.errstate(all="ignore")
def _reached(graph: LayerGraph) -> list[Array]:
    """For each layer and each position whether a change of a pixel reaches it: (pixels, *positions).

    A pixel that is no number makes everything that is computed from it no number: each image has one such pixel.
    """
    height, width = graph.input_shape[1:]
    count = height * width
    x = np.ones((count, 1, height, width))
    x[np.arange(count), 0, np.arange(count) // width, np.arange(count) % width] = np.nan
    pools = Pools(graph)
    maps: list[Array] = []
    found: list[Array] = []
    for layer in graph:
        kernel_of(layer)
        inputs = [maps[source] for source in layer.inputs] or [x]
        sizes = array_sizes(layer, *inputs)
        arrays = {name: np.ones(size) for name, size in sizes.items()}
        maps.append(x if layer.op.is_input else run(layer, inputs, arrays, pools))
        found.append(np.asarray(np.isnan(maps[-1]).any(axis=1)))
    return found
