"""A layer on a map that can be shown: few channels, few positions, small whole numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from typing import Any

import numpy as np

from archcalc.core.errors import ArchcalcError, ArrayError, UsageError
from archcalc.core.language import say
from archcalc.core.shapes import Shape, format_shape
from archcalc.execute.calls import Pools, array_sizes, run
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.windows import Frame, each, frame_of, span
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops.base import Op
from archcalc.ops.reshape import Input
from archcalc.passes.analysis import Analysis, analyse

#: The most that is shown: channels of a map, filters, positions of the result along an axis, pixels along an axis.
CHANNELS, FILTERS, POSITIONS, PIXELS = 3, 2, 3, 24
#: Where windows are columns of a matrix: numbers of a window, sides of one that has more, pixels of the map.
MOST_TAPS, SHORT, MOST_COLUMNS = 50, 5, 81
#: Steps of a demonstration, and numbers in all its matrices.
MOST_STEPS, MOST_NUMBERS = 100, 6000


@dataclass(frozen=True)
class Small:
    """A layer, the map that it reads, its arrays, and what its kernel makes of them; one image."""

    layer: Layer
    graph: LayerGraph
    x: Array
    arrays: Mapping[str, Array]
    out: Array
    #: What is not as in the network, in words.
    smaller: tuple[str, ...]

    @property
    def op(self) -> Op:
        return self.layer.op

    @property
    def rank(self) -> int:
        """Position axes of the map."""
        return self.x.ndim - 2

    def again(self, x: Array, **arrays: Array) -> Array:
        """What the kernel makes of another map, or with other arrays."""
        return run(self.layer, [x], {**self.arrays, **arrays}, Pools(self.graph))

    def frame(self) -> Frame:
        """The window of the layer over the map."""
        op: Any = self.op
        kwargs: dict[str, Any] = {"stride": op.stride, "padding": op.padding, "dilation": getattr(op, "dilation", 1)}
        if hasattr(op, "ceil_mode"):
            kwargs |= {"ceil_mode": op.ceil_mode}
        return frame_of(self.x, each(op.kernel_size, self.rank), **kwargs)


def base(op: Op) -> str:
    """The kind of an op without its rank: conv of conv2d."""
    return re.sub(r"\dd$", "", op.kind)


def numbers(name: str, size: Shape, low: int, high: int, seed: int) -> Array:
    """Small whole numbers, the same on every machine."""
    data = (blake2b(f"{seed}/{name}/{index}".encode(), digest_size=2).digest() for index in range(prod(size)))
    values = [low + int.from_bytes(part, "big") % (high - low + 1) for part in data]
    return np.array(values, dtype=np.float64).reshape(size)


def suitable(analysis: Analysis, name: str | None, kinds: tuple[str, ...], what: str) -> list[int]:
    """The indices of the layers of these kinds, or of the one with this name. Raises `UsageError` without any."""
    graph = analysis.graph
    if name is None:
        if found := [index for index, layer in enumerate(graph) if base(layer.op) in kinds]:
            return found
        raise UsageError(f"{graph.name} has no layer for {what}; it is shown on {', '.join(kinds)}")
    from archcalc.core.suggest import did_you_mean

    exact = [index for index, layer in enumerate(graph) if layer.name.lower() == name.lower()]
    if not exact:
        raise UsageError(f"{graph.name} has no layer {name[:80]!r}{did_you_mean(name, graph.index)}")
    layer = graph.layers[exact[0]]
    if base(layer.op) not in kinds:
        raise UsageError(f"{layer.name} is a {layer.op.kind}; {what} is shown on {', '.join(kinds)}")
    return exact[:1]


def shrink(
    analysis: Analysis,
    index: int,
    seed: int,
    given: Mapping[str, Array] | None = None,
    change: Mapping[str, Any] | None = None,
    kind: str = "",
) -> Small:
    """The layer with as few channels, filters and positions as show how it works, and numbers for all of it.

    `given` are arrays in place of made ones: `input` (channels, *positions), `weight`, `bias`; nothing is made smaller
    then. `change` are other settings of the layer. `kind` is that of the demonstration: where windows are
    columns or rows of a matrix, large ones become smaller too. Raises `UsageError` where it does not fit.
    """
    row, layer = analysis.rows[index], analysis.graph.layers[index]
    shape, op = row.input_shapes[0], row.op
    if not 2 <= len(shape) <= 3:
        raise UsageError(f"{layer.name} reads {format_shape(shape)}; a demonstration is of signals and images")
    smaller: list[str] = []
    if change:
        op = op.model_copy(update=dict(change))
    widest = max(_spans(op, len(shape) - 1))
    if widest > PIXELS:
        raise UsageError(f"the window of {layer.name} spans {widest:,} pixels; at most {PIXELS} are shown")
    if not given:
        is_flat = kind in ("im2col", "matrix")
        op, shape = _fewer_channels(op, shape, smaller, is_flat)
        if is_flat:
            op = _fewer_taps(op, smaller)
        whole, shape = shape, _fewer_positions(op, shape, kind == "matrix")
        if shape != whole:
            sides = ["×".join(map(str, one[1:])) for one in (shape, whole)]
            smaller.append(say("{new} pixels in place of {old}", new=sides[0], old=sides[1]))
    small = Layer(layer.name, op, (0,))
    graph = LayerGraph(
        analysis.graph.name,
        (Layer("input", Input(shape=shape), ()), small),
        (Output("output", 1),),
        title=analysis.graph.title,
    )
    analyse(graph)  # raises where the layer does not fit
    x = _given(given, "input", shape)
    if x is None:
        x = numbers("input", shape, 0, 2, seed)
    sizes = array_sizes(small, x[None])
    arrays = {}
    for name, size in sizes.items():
        found = _given(given, name, size)
        low, high = (0, 1) if name == "bias" else (-1, 1)
        arrays[name] = numbers(name, size, low, high, seed) if found is None else found
    for name in given or ():
        if name not in ("input", *sizes):
            raise ArrayError(
                name, f"{layer.name} has no {name[:40]!r}; it has input{''.join(f', {one}' for one in sizes)}"
            )
    out = run(small, [x[None]], arrays, Pools(graph))
    return Small(small, graph, x[None], arrays, out, tuple(smaller))


def _given(given: Mapping[str, Array] | None, name: str, size: Shape) -> Array | None:
    if not given or name not in given:
        return None
    array = given[name]
    if array.shape != tuple(size):
        raise ArrayError(name, f"{name} has the shape {array.shape}, and {tuple(size)} is wanted")
    return array


def _fewer_channels(op: Op, shape: Shape, smaller: list[str], is_flat: bool) -> tuple[Op, Shape]:
    """Few input channels and filters; groups stay groups."""
    settings: Any = op
    groups = getattr(settings, "groups", 1)
    channels = shape[0]
    update: dict[str, Any] = {}
    if groups > 1:
        update["groups"] = min(groups, 2)
        channels = min(channels // groups, 2) * update["groups"]
        each_group = settings.out_channels // groups
        update["out_channels"] = min(each_group, FILTERS // update["groups"] or 1) * update["groups"]
    else:
        channels = min(channels, CHANNELS)
        if is_flat and channels * prod(each(settings.kernel_size, len(shape) - 1)) > MOST_TAPS:
            channels = 1
        if getattr(settings, "out_channels", None) is not None:
            update["out_channels"] = min(settings.out_channels, FILTERS)
    if channels < shape[0]:
        smaller.append(say("{count} of {all:,} channels", count=channels, all=shape[0]))
    if groups > 2:
        smaller.append(say("{count} of {all:,} groups", count=2, all=groups))
    if getattr(settings, "connections", None) is not None:
        update["connections"] = None
        smaller.append(say("filters without the table of connections"))
    wanted = update.get("out_channels")
    if wanted is not None and wanted < settings.out_channels:
        smaller.append(say("{count} of {all:,} filters", count=wanted, all=settings.out_channels))
    return op.model_copy(update=update), (channels, *shape[1:])


def _fewer_taps(op: Op, smaller: list[str]) -> Op:
    """A smaller window where it has more numbers than a row of a matrix can show; its stride stays."""
    settings: Any = op
    if prod(settings.kernel_size) <= MOST_TAPS:
        return op
    sides = tuple(min(side, SHORT) for side in settings.kernel_size)
    padding = settings.padding
    if isinstance(padding, tuple):
        padding = tuple(min(one, SHORT // 2) for one in padding)
    smaller.append(
        say(
            "a window of {new} in place of {old}",
            new="×".join(map(str, sides)),
            old="×".join(map(str, settings.kernel_size)),
        )
    )
    if padding != settings.padding:
        old, new = (each(one, len(sides))[0] for one in (settings.padding, padding))
        smaller.append(say("padding {new} in place of {old}", new=new, old=old))
    return op.model_copy(update={"kernel_size": sides, "padding": padding})


def _fewer_positions(op: Op, shape: Shape, is_matrix: bool) -> Shape:
    """The smallest square map on which the layer has some positions; no side is longer than that of the map itself.

    A dense layer's matrix has a column for each pixel: there are fewer positions where they would be too many.
    """
    try:
        whole = op.output_shape([shape])
        if prod(whole[1:]) <= (POSITIONS + 1) ** 2 and max(shape[1:]) <= 12:
            return shape
    except ArchcalcError:
        pass
    settings: Any = op
    rank = len(shape) - 1
    wanted = 6 if base(op) == "conv_transpose" else POSITIONS
    if is_matrix:
        step = max(each(settings.stride, rank))
        side = max(_spans(op, rank)) + (wanted - 1) * step
        wanted = wanted if shape[0] * side**rank <= MOST_COLUMNS else wanted - 1
    # Padding alone is no map: a window, unless it is large, fits into the map itself.
    least = min(max(_spans(op, rank)), 5)
    for size in range(1, PIXELS + 1):
        tried = (shape[0], *(min(size, whole_size) for whole_size in shape[1:]))
        try:
            op.check([tried])
            made = op.output_shape([tried])
        except (ArchcalcError, ValueError):
            continue
        axes = zip(made[1:], tried[1:], shape[1:], strict=True)
        is_enough = all(positions >= wanted or side == whole_side for positions, side, whole_side in axes)
        if is_enough and (size >= least or tried == shape):
            return tried
    raise UsageError(
        f"{op.summary([shape])} needs a map of more than {'×'.join([str(PIXELS)] * rank)} pixels to move its window"
    )


def _spans(op: Op, rank: int) -> tuple[int, ...]:
    """The pixels that a window spans along each axis."""
    settings: Any = op
    return tuple(map(span, each(settings.kernel_size, rank), each(getattr(op, "dilation", 1), rank)))
