"""Convolutions, tap by tap: what one tap of a filter reads is a map of its own, and its product a matrix product.

The gradient with respect to the input of a convolution is again a convolution, with flipped filters: each gradient
times its filter is added to the pixels that the window read. Source: CS231n, convolutional layer, "backpropagation".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward, with_bias
from archcalc.execute.kernels.registry import Array, positions
from archcalc.execute.kernels.transposed import placed
from archcalc.execute.kernels.windows import Padding, PerAxis, Sliding, frame_of, part


@backward("convNd", nature="linear")
def conv(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    groups: int = 1,
    connections: Sequence[Sequence[int]] | None = None,
    **sliding: Unpack[Sliding],
) -> Gradients:
    """For each tap: ∂L/∂W = g · what it read, transposed; what it read gets Wᵀ · g."""
    if connections is not None:
        rows = np.repeat(np.arange(len(connections)), [len(row) for row in connections])
        columns = np.concatenate([list(row) for row in connections])
        whole = np.zeros((len(connections), x.shape[1], *weight.shape[1:]), weight.dtype)
        whole[rows, columns] = weight
        found = conv(grad, x, whole, bias, **sliding)
        return Gradients(found.maps, {**found.arrays, "weight": found.arrays["weight"][rows, columns]})
    frame = frame_of(x, weight.shape[2:], **sliding)
    padded = frame.pad(x)
    to_padded = np.zeros_like(padded)
    to_weight = np.empty_like(weight)
    given = _grouped(grad, groups)
    for (tap, seen), (_, target) in zip(frame.taps(padded), frame.taps(to_padded), strict=True):
        filters = weight[:, :, *tap].reshape(groups, -1, weight.shape[1])
        product = given @ _grouped(seen, groups).swapaxes(2, 3)
        to_weight[:, :, *tap] = product.sum(axis=0).reshape(weight.shape[:2])
        target[...] += (filters.swapaxes(1, 2) @ given).reshape(target.shape)
    return Gradients((frame.cut(to_padded, x),), with_bias(to_weight, bias, grad, (0, *positions(x))))


def _grouped(x: Array, groups: int) -> Array:
    """(N, groups, C/groups, positions)."""
    return x.reshape(len(x), groups, x.shape[1] // groups, -1)


@backward("depthwise_convNd", nature="linear")
def depthwise_conv(
    grad: Array, x: Array, weight: Array, bias: Array | None = None, **sliding: Unpack[Sliding]
) -> Gradients:
    """As many groups as channels."""
    return conv(grad, x, weight, bias, groups=x.shape[1], **sliding)


@backward("conv_transposeNd", nature="linear")
def conv_transpose(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: int | PerAxis = 1,
    padding: Padding = 0,
    dilation: int | PerAxis = 1,
    groups: int = 1,
) -> Gradients:
    """The transpose of a transposed convolution: each pixel gets the convolution of the gradient under its filter."""
    # The whole result, with zeros where the padding was cut off. What output_padding added lies under no filter.
    frame, reached = placed(x, weight.shape[2:], stride, padding, dilation)
    under = np.zeros((*grad.shape[:2], *np.maximum(reached, np.add(frame.begins, grad.shape[2:]))), grad.dtype)
    under[part(frame.begins, grad.shape[2:])] = grad
    to_x = np.zeros((len(x), groups, x.shape[1] // groups, x[0, 0].size), x.dtype)
    to_weight = np.empty_like(weight)
    maps = _grouped(x, groups)
    for tap, values in frame.taps(under):
        seen = _grouped(values[part((0,) * len(tap), x.shape[2:])], groups)
        filters = weight[:, :, *tap].reshape(groups, -1, weight.shape[1])
        to_x += filters @ seen
        to_weight[:, :, *tap] = (maps @ seen.swapaxes(2, 3)).sum(axis=0).reshape(weight.shape[:2])
    return Gradients((to_x.reshape(x.shape),), with_bias(to_weight, bias, grad, (0, *positions(x))))


@backward("locally_connectedNd", nature="linear")
def locally_connected(
    grad: Array, x: Array, weight: Array, bias: Array | None = None, **sliding: Unpack[Sliding]
) -> Gradients:
    """A dense layer at each position."""
    frame = frame_of(x, weight.shape[x.ndim :], **sliding)
    padded = frame.pad(x)
    to_padded = np.zeros_like(padded)
    to_weight = np.empty_like(weight)
    for (position, seen), (_, target) in zip(frame.places(padded), frame.places(to_padded), strict=True):
        given, filters = grad[:, :, *position], weight[:, *position]
        to_weight[:, *position] = (given.T @ seen.reshape(len(x), -1)).reshape(filters.shape)
        target[...] += (given @ filters.reshape(len(weight), -1)).reshape(target.shape)
    return Gradients((frame.cut(to_padded, x),), with_bias(to_weight, bias, grad, (0,)))
