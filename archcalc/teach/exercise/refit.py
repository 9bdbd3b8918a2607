"""Settings that count channels or positions of a layer's input, for an input of another size.

A split of 64 and 64 channels is one of 80 and 80 where there are 160: nothing is left over that was read before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isqrt
from typing import Any

from archcalc.core.errors import ShapeError
from archcalc.core.numbers import product
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.graph.shaping import shape_layer
from archcalc.ops.arrange import Grid
from archcalc.ops.attention import MultiheadAttention
from archcalc.ops.axes import axis_of
from archcalc.ops.base import Op, elements
from archcalc.ops.conv import Conv
from archcalc.ops.margins import PadChannels
from archcalc.ops.parts import Chunk, Narrow, Split
from archcalc.ops.rectifier import Prelu
from archcalc.ops.reshape import Reshape
from archcalc.passes.shapes import ShapedLayer

Settings = Mapping[str, Any]
Inputs = Sequence[Shape]


def refit(graph: LayerGraph, before: Sequence[ShapedLayer]) -> LayerGraph | None:
    """The network with settings that follow the sizes of its maps; `before` are its layers with other sizes.

    None where a layer cannot do with its new input what it did before.
    """
    layers, outputs = [], list[Shape]()
    try:
        for layer, old in zip(graph.layers, before, strict=True):
            inputs = tuple([outputs[source] for source in layer.inputs])
            op = layer.op
            if inputs != old.inputs:
                op = with_settings(op, _settings(op, old, inputs))
            layers.append(layer._replace(op=op))
            outputs.append(shape_layer(layers[-1], inputs)[1])
    except (ShapeError, ValueError):
        return None
    return replace(graph, layers=tuple(layers))


def with_settings(op: Op, settings: Settings) -> Op:
    """The op with other settings. Raises `ValueError` for what it does not take."""
    given = {name: getattr(op, name) for name in type(op).model_fields}
    return type(op).model_validate({**given, **settings}) if settings else op


def _settings(op: Op, old: ShapedLayer, new: Inputs) -> Settings:
    """What changes of a layer's settings. Raises `ShapeError` where it cannot be said."""
    before, after = old.inputs[0], new[0]
    if isinstance(op, Split):
        return {"sizes": _parts(op, *_sizes(op.axis, before, after))}
    if isinstance(op, Chunk):
        size, wanted = _sizes(op.axis, before, after)
        if size % op.chunks == 0 and wanted % op.chunks:
            raise _no_fit()
    if isinstance(op, Narrow):
        return _run(op, *_sizes(op.axis, before, after))
    if isinstance(op, Reshape):
        return {"shape": _reshaped(op.shape, before, after)}
    if isinstance(op, Grid) and op.size is not None and before[1] != after[1]:
        side = isqrt(after[1])
        return {"size": (side, side) if len(set(op.size)) == 1 and len(op.size) == 2 else op.size}
    if isinstance(op, MultiheadAttention):
        embed = None if op.embed_dim is None else _scaled(op.embed_dim, before[0], after[0])
        return {"embed_dim": embed, "kdim": None, "vdim": None}
    if isinstance(old.op, Conv) and isinstance(op, Conv) and old.op.groups == before[0] > 1:
        return {"groups": after[0], "out_channels": after[0] * (old.op.out_channels // old.op.groups)}
    if isinstance(op, PadChannels):
        given = {"before": op.before, "after": op.after}
        return {name: _scaled(side, before[0], after[0]) for name, side in given.items() if isinstance(side, int)}
    if isinstance(op, Prelu) and op.num_parameters == before[0] > 1:
        return {"num_parameters": after[0]}
    return {}


def _no_fit() -> ShapeError:
    return ShapeError("its settings do not follow the size of its input")


def _scaled(number: int, before: int, after: int) -> int:
    """A number that grows as the size does. Raises `ShapeError` where it would be no whole number."""
    whole, rest = divmod(number * after, before)
    if rest:
        raise _no_fit()
    return whole


def _sizes(axis: Any, before: Shape, after: Shape) -> tuple[int, int]:
    place = axis_of(axis, before)
    return before[place], after[place]


def _parts(op: Split, before: int, after: int) -> tuple[int, ...]:
    """The parts of a split: all grow alike, or of positions the largest alone, as next to a class token."""
    try:
        return type(op.sizes)([_scaled(size, before, after) for size in op.sizes])
    except ShapeError:
        if op.axis == "channels" or len(op.sizes) == 1:
            raise
    largest = max(op.sizes)
    at = op.sizes.index(largest)
    return (*op.sizes[:at], largest + after - before, *op.sizes[at + 1 :])


def _run(op: Narrow, before: int, after: int) -> Settings:
    """A run: its ends stay at the ends of the axis, or move as the size does. One of a single index stays one."""
    last = op.start == before - 1
    single = op.length == 1 or (op.length is None and last)
    if op.axis != "channels" and (single or op.length is None):
        return {"start": after - 1 if last and op.start else op.start}
    length = None if op.length is None else _scaled(op.length, before, after)
    return {"start": _scaled(op.start, before, after), "length": length}


def _reshaped(shape: Shape, before: Shape, after: Shape) -> Shape:
    """The shape that the values of another map get: with the same positions, or with the same channels."""
    values, rank = elements(after), len(shape) - 1
    if rank == 0:
        return (values,)
    if before[1:] == after[1:] or len(before) == 1:  # other channels: the positions stay
        positions = product(shape[1:])
        return (_scaled(shape[0], elements(before), values), *shape[1:]) if values % positions == 0 else shape
    positions = product(after[1:])
    if shape[0] == before[0] == after[0] and rank == 1:
        return (after[0], positions)
    if shape == before:
        return after
    raise _no_fit()
