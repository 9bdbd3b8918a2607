"""Convolutions, tap by tap: what one tap of a filter reads is a map of its own, and its product a matrix product.

The gradient with respect to the input of a convolution is again a convolution, with flipped filters: each gradient
times its filter is added to the pixels that the window read. Source: CS231n, convolutional layer, "backpropagation".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward, with_bias
from archcalc.execute.kernels.registry import Array
from archcalc.execute.kernels.windows import NO_PADDING, Frame, Pair, Sides, Steps, frame_of


@backward("conv2d", nature="linear")
def conv2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    groups: int = 1,
    connections: Sequence[Sequence[int]] | None = None,
    **steps: Unpack[Steps],
) -> Gradients:
    """For each tap: ∂L/∂W = g · what it read, transposed; what it read gets Wᵀ · g."""
    if connections is not None:
        rows = np.repeat(np.arange(len(connections)), [len(row) for row in connections])
        columns = np.concatenate([list(row) for row in connections])
        whole = np.zeros((len(connections), x.shape[1], *weight.shape[1:]), weight.dtype)
        whole[rows, columns] = weight
        found = conv2d(grad, x, whole, bias, **steps)
        return Gradients(found.maps, {**found.arrays, "weight": found.arrays["weight"][rows, columns]})
    frame = frame_of(x, (weight.shape[2], weight.shape[3]), **steps)
    padded = frame.pad(x)
    to_padded = np.zeros_like(padded)
    to_weight = np.empty_like(weight)
    given = _grouped(grad, groups)
    taps = zip(frame.taps(padded), frame.taps(to_padded), strict=True)
    for (row, column, seen), (_, _, target) in taps:
        filters = weight[:, :, row, column].reshape(groups, -1, weight.shape[1])
        product = given @ _grouped(seen, groups).swapaxes(2, 3)
        to_weight[:, :, row, column] = product.sum(axis=0).reshape(weight.shape[:2])
        target[...] += (filters.swapaxes(1, 2) @ given).reshape(target.shape)
    return Gradients((frame.cut(to_padded),), with_bias(to_weight, bias, grad, (0, 2, 3)))


def _grouped(x: Array, groups: int) -> Array:
    """(N, groups, C/groups, positions)."""
    return x.reshape(len(x), groups, x.shape[1] // groups, -1)


@backward("depthwise_conv2d", nature="linear")
def depthwise_conv2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    **steps: Unpack[Steps],
) -> Gradients:
    """As many groups as channels."""
    return conv2d(grad, x, weight, bias, groups=x.shape[1], **steps)


@backward("conv_transpose2d", nature="linear")
def conv_transpose2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = NO_PADDING,
    groups: int = 1,
) -> Gradients:
    """The transpose of a transposed convolution: each pixel gets the convolution of the gradient under its filter."""
    frame = Frame((weight.shape[2], weight.shape[3]), stride, (1, 1), padding)
    # The whole result, with zeros where the padding was cut off. What output_padding added lies under no filter.
    whole = frame.pad(grad)
    height, width = x.shape[2:]
    to_x = np.zeros((len(x), groups, x.shape[1] // groups, height * width), x.dtype)
    to_weight = np.empty_like(weight)
    maps = _grouped(x, groups)
    for row, column, values in frame.taps(whole):
        seen = _grouped(values[:, :, :height, :width], groups)
        filters = weight[:, :, row, column].reshape(groups, -1, weight.shape[1])
        to_x += filters @ seen
        to_weight[:, :, row, column] = (maps @ seen.swapaxes(2, 3)).sum(axis=0).reshape(weight.shape[:2])
    return Gradients((to_x.reshape(x.shape),), with_bias(to_weight, bias, grad, (0, 2, 3)))


@backward("locally_connected2d", nature="linear")
def locally_connected2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    **steps: Unpack[Steps],
) -> Gradients:
    """A dense layer at each position."""
    frame = frame_of(x, (weight.shape[4], weight.shape[5]), **steps)
    padded = frame.pad(x)
    to_padded = np.zeros_like(padded)
    to_weight = np.empty_like(weight)
    rows, columns = frame.starts(padded)
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            given, filters = grad[:, :, i, j], weight[:, i, j].reshape(len(weight), -1)
            seen, target = frame.at(padded, top, left), frame.at(to_padded, top, left)
            to_weight[:, i, j] = (given.T @ seen.reshape(len(x), -1)).reshape(weight[:, i, j].shape)
            target += (given @ filters).reshape(target.shape)
    return Gradients((frame.cut(to_padded),), with_bias(to_weight, bias, grad, (0,)))
