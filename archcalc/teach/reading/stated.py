"""What a text says, read exactly: a number with its rounding, a shape, a calculation."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from archcalc.core.shapes import Shape
from archcalc.explain.derive.trace import Node


class Stated(NamedTuple):
    """What a cell says, read exactly.

    A rounded number (35K, 1.2M, 58.1 MiB) states every value that rounds to it: `low` ≤ value ≤ `high`. A number
    written in full has low = high = value. `unit` is `bytes` where a unit of memory was written (the bounds are in
    bytes then), else empty. Of a shape only `shape` is given, in (C, H, W) or (N,) order as it would be if written
    H×W×C; `sides` are the sides in the order of the page. `expression` is the calculation, where one was written:
    a tree of numbers (`archcalc.explain.derive.trace.Node`), as the student wrote it.
    """

    text: str
    value: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    unit: str = ""
    shape: Shape | None = None
    sides: tuple[int, ...] = ()
    expression: Node | None = None
    #: The axes of the shape are named, so that their order is known.
    is_ordered: bool = False
    #: A number of values that is printed after a shape and is not that of the shape.
    printed: int | None = None
    #: All sides of a shape of four, of which the first was taken for the batch: of a volume they are all its own.
    with_batch: tuple[int, ...] = ()
    #: The sides after the batch of a shape that holds for inputs of any size, None for those that are free.
    free: tuple[int | None, ...] = ()
    #: What the calculation may come to, where its numbers are rounded: 9.2M + 123.6M.
    reach: tuple[Fraction, Fraction] | None = None

    #: The calculations before the last, each with its result: 11·11·3 = 363 of 11·11·3 = 363; 363·96 + 96 = 34944.
    steps: tuple[Stated, ...] = ()

    def holds(self, number: int | Fraction) -> bool:
        """Whether this number is what is stated, within its rounding."""
        return self.low is not None and self.high is not None and self.low <= number <= self.high
