"""Multiplications as papers count them, and every other operation by kind."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.ops.base import Operations
from archcalc.passes.shapes import ShapedLayer


class Work(NamedTuple):
    """The multiply-adds of a convolution or dense layer, and all operations by kind; per image.

    None where the op cannot be counted.
    """

    macs: int | None
    operations: Operations | None


def count_operations(layer: ShapedLayer) -> Work:
    """What a layer calculates for one image."""
    return Work(layer.op.macs(layer.inputs, layer.output), layer.op.operations(layer.inputs, layer.output))
