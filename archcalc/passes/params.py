"""Parameters: weights and biases, trained and fixed, and the buffers beside them."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.numbers import product
from archcalc.passes.shapes import ShapedLayer


class ParamCount(NamedTuple):
    """Numbers of values: all parameters, those that are trained, and buffers (running statistics)."""

    params: int
    trainable: int
    buffers: int


NONE = ParamCount(0, 0, 0)


def count_params(layer: ShapedLayer) -> ParamCount:
    """The parameters of a layer, counted from its arrays."""
    arrays = layer.op.param_shapes(layer.inputs)
    if not arrays:
        return NONE
    trainable = fixed = buffers = 0
    for array in arrays:
        if array.buffer:
            buffers += product(array.shape)
        elif array.trainable:
            trainable += product(array.shape)
        else:
            fixed += product(array.shape)
    return ParamCount(trainable + fixed, trainable, buffers)
