"""Parameters: weights and biases, trained and fixed, and the buffers that frameworks keep with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import Layer
from archcalc.ops.base import Op, Param
from archcalc.passes.shapes import ShapedLayer


class ParamCount(NamedTuple):
    """Numbers of values: all parameters, those that are trained, buffers (running statistics), and the biases."""

    params: int
    trainable: int
    buffers: int
    biases: int


NONE = ParamCount(0, 0, 0, 0)


def count_params(layer: ShapedLayer) -> ParamCount:
    """The parameters of a layer, counted from its arrays."""
    arrays = own_arrays(layer.layer, layer.op, layer.inputs)
    if not arrays:
        return NONE
    kept = [array for array in arrays if not array.buffer]
    trained = [array for array in kept if array.trainable]
    params = count_values(kept)
    trainable = params if len(trained) == len(kept) else count_values(trained)
    buffers = count_values([array for array in arrays if array.buffer])
    biases = count_values([array for array in kept if array.is_bias])
    return ParamCount(params, trainable, buffers, biases)


def own_arrays(layer: Layer, op: Op, inputs: Sequence[Shape]) -> tuple[Param, ...]:
    """The arrays that a layer owns: none where it uses those of another layer, which counts them."""
    if layer.weights_of is not None:
        return ()
    arrays = op.param_shapes(inputs)
    return tuple([array._replace(trainable=False) for array in arrays]) if layer.frozen else arrays


class Share(NamedTuple):
    """What arrays hold: each has `rests` values (kernel×kernel×depth) for every one of the `common` axes."""

    rests: tuple[Number, ...]
    common: Number


def share_out(arrays: Sequence[Param]) -> Share:
    """Take out the axes that the arrays share: (F·F·D + 1)·K has the rests F·F·D and 1, and K in common.

    An axis is shared where it is the very same number, as `out_channels` is in the shapes of weight and bias.
    """
    common = min((array.shape for array in arrays), key=len) if len(arrays) > 1 else ()
    rests = [_without(array.shape, common) for array in arrays]
    if any(rest is None for rest in rests):
        common, rests = (), [array.shape for array in arrays]
    return Share(tuple([product(_kernel_first(rest or ())) for rest in rests]), product(common))


def count_values(arrays: Sequence[Param]) -> Number:
    """Values of all arrays together."""
    if not arrays:
        return 0
    first, *others = (shared := share_out(arrays)).rests
    for rest in others:
        first = first + rest
    return first * shared.common


def _without(shape: Shape, axes: Shape) -> Shape | None:
    rest = list(shape)
    for axis in axes:
        index = next((index for index, other in enumerate(rest) if other is axis), None)
        if index is None:
            return None
        del rest[index]
    return tuple(rest)


def _kernel_first(shape: Shape) -> Shape:
    """Depth, kernel, kernel in the order of the textbooks: kernel×kernel×depth; filters last."""
    return (*shape[-2:], *shape[-3::-1]) if len(shape) > 2 else shape[::-1]
