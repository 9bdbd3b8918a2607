"""Convolutions, tap by tap: what one tap of a filter reads is a map of its own, and its product a matrix product.

The gradient with respect to the input of a convolution is again a convolution, with the filters turned over: each
gradient stamps its filter on the pixels that the window read. Source: CS231n, convolutional layer, "backpropagation".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward, with_bias
from archcalc.execute.kernels.registry import Array
from archcalc.execute.kernels.windows import NO_PADDING, Frame, Padding, Pair, Sides, lay


@backward("conv2d")
def conv2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    connections: Sequence[Sequence[int]] | None = None,
) -> Gradients:
    """For each tap: ∂L/∂W = g · what it read, transposed; what it read gets Wᵀ · g."""
    if connections is not None:
        rows = np.repeat(np.arange(len(connections)), [len(row) for row in connections])
        columns = np.concatenate([list(row) for row in connections])
        whole = np.zeros((len(connections), x.shape[1], *weight.shape[1:]), weight.dtype)
        whole[rows, columns] = weight
        found = conv2d(grad, x, whole, bias, stride=stride, padding=padding, dilation=dilation)
        return Gradients(found.maps, {**found.arrays, "weight": found.arrays["weight"][rows, columns]})
    frame = lay(x, (weight.shape[2], weight.shape[3]), stride, padding, dilation)
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


@backward("depthwise_conv2d")
def depthwise_conv2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
) -> Gradients:
    """As many groups as channels."""
    return conv2d(grad, x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=x.shape[1])


@backward("conv_transpose2d")
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
    """The transpose of a transposed convolution: each pixel gets the convolution of the gradient under its stamp."""
    frame = Frame((weight.shape[2], weight.shape[3]), stride, (1, 1), padding)
    # The whole canvas, with zeros where the padding was cut off. What output_padding added lies under no stamp.
    canvas = frame.pad(grad)
    height, width = x.shape[2:]
    to_x = np.zeros((len(x), groups, x.shape[1] // groups, height * width), x.dtype)
    to_weight = np.empty_like(weight)
    maps = _grouped(x, groups)
    for row, column, stamped in frame.taps(canvas):
        seen = _grouped(stamped[:, :, :height, :width], groups)
        filters = weight[:, :, row, column].reshape(groups, -1, weight.shape[1])
        to_x += filters @ seen
        to_weight[:, :, row, column] = (maps @ seen.swapaxes(2, 3)).sum(axis=0).reshape(weight.shape[:2])
    return Gradients((to_x.reshape(x.shape),), with_bias(to_weight, bias, grad, (0, 2, 3)))


@backward("locally_connected2d")
def locally_connected2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
) -> Gradients:
    """A dense layer at each position."""
    frame = lay(x, (weight.shape[4], weight.shape[5]), stride, padding, dilation)
    padded = frame.pad(x)
    to_padded = np.zeros_like(padded)
    to_weight = np.empty_like(weight)
    rows, columns = frame.places(padded)
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            given, filters = grad[:, :, i, j], weight[:, i, j].reshape(len(weight), -1)
            seen, target = frame.at(padded, top, left), frame.at(to_padded, top, left)
            to_weight[:, i, j] = (given.T @ seen.reshape(len(x), -1)).reshape(weight[:, i, j].shape)
            target += (given @ filters).reshape(target.shape)
    return Gradients((frame.cut(to_padded),), with_bias(to_weight, bias, grad, (0,)))
