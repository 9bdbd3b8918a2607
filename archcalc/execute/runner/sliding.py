"""Sliding evaluation: a network as one convolution over a larger image, against its crops one by one.

A dense layer on a map is a convolution with a filter as large as the map, so the whole network slides over a larger
image in one pass. Source: CS231n, "Converting FC layers to CONV layers"; Sermanet et al. 2013 (OverFeat), section 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.calls import only_image
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.registry import Sizes
from archcalc.execute.runner.execute import execute
from archcalc.execute.weights import Weights
from archcalc.passes.analysis import Analysis, analyse
from archcalc.passes.sliding import Converted, convert, main_output


class ReshapedWeights:
    """The weights of a network, those of dense layers as filters (outputs, C, height, width)."""

    def __init__(self, weights: Weights, reshaped: Mapping[str, Mapping[str, Shape]]) -> None:
        self._weights = weights
        self._reshaped = reshaped

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        own = self._weights.of(layer, {**sizes, **self._reshaped.get(layer, {})})
        return {name: own[name].reshape(size) for name, size in sizes.items()}


class Slid(NamedTuple):
    """Scores (classes, rows, columns) of one pass over a large image, and of its crops one by one.

    multiplications: of the one pass, and of all crops.
    """

    scores: Array
    crops: Array
    stride: tuple[int, int]
    multiplications: tuple[int, int]
    converted: Converted

    @property
    def difference(self) -> float:
        """The largest difference between both, as a share of the largest score."""
        return float(np.abs(self.scores - self.crops).max()) / (float(np.abs(self.crops).max()) or 1.0)

    @property
    def same_class(self) -> int:
        """The number of crops for which both find the same class."""
        return int((self.scores.argmax(axis=0) == self.crops.argmax(axis=0)).sum())


def slide(
    analysis: Analysis, large: Array, weights: Weights, observe: Callable[[int, str], None] | None = None
) -> Slid:
    """Run a network over a large image (1, C, H, W) in one pass, and over each of its crops.

    A crop is as large as the network's own input, and starts where a position of the one pass does. Raises
    `UsageError` where the image is smaller, or larger by what is no multiple of the stride. `observe` is called with 1,
    2, … and a word as the runs are done.
    """
    only_image(analysis.graph, "sliding")
    converted = convert(analysis)
    stride = converted.stride
    rows, columns = crop_origins(analysis.graph.input_shape, (large.shape[2], large.shape[3]), stride)
    wide = analyse(converted.analysis.graph.with_input(large.shape[1:]), 1, analysis.dtype)
    filters = ReshapedWeights(weights, converted.reshaped)
    main = converted.analysis.graph.outputs[0].name
    scores = execute(wide.graph, large, filters).outputs[main][0]
    if scores.shape[1:] != (len(rows), len(columns)):
        raise UsageError(
            f"one pass gives {scores.shape[1]}×{scores.shape[2]} positions for {len(rows)}×{len(columns)} crops: the "
            f"padding of this network adds positions"
        )
    crops = np.empty_like(scores)
    height, width = analysis.graph.input_shape[1:]
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            if observe is not None:
                observe(1 + i * len(columns) + j, f"crop at {top}, {left}")
            crop = np.ascontiguousarray(large[:, :, top : top + height, left : left + width])
            crops[:, i, j] = execute(analysis.graph, crop, weights).outputs[main].reshape(-1)
    whole = wide.totals.multiplications
    each = sum(
        analysis.rows[index].multiplications or 0 for index in analysis.graph.read_by(main_output(analysis.graph).layer)
    )
    return Slid(scores, crops, stride, (whole, each * len(rows) * len(columns)), converted)


def crop_origins(own: Shape, large: tuple[int, int], stride: tuple[int, int]) -> tuple[range, range]:
    """Rows and columns where crops begin. Raises `UsageError` that names sizes which would do."""
    ranges = []
    for name, size, wanted, step in zip(("height", "width"), own[1:], large, stride, strict=True):
        if wanted < size or (wanted - size) % step:
            below = size + max(wanted - size, 0) // step * step
            raise UsageError(
                f"the {name} {wanted} is no {size} plus a multiple of the stride {step}: {below} or {below + step} are"
            )
        ranges.append(range(0, wanted - size + 1, step))
    return ranges[0], ranges[1]
