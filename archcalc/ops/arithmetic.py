"""Arithmetic with fixed numbers, and differences and quotients of maps."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops.base import NO_OPERATIONS, Operations, Pointwise, Reads, Real, elements, names
from archcalc.ops.merge import check_maps, spread_reads, spread_shape

#: A number for all channels, or one for each.
Numbers = Real | Annotated[tuple[Real, ...], Field(min_length=1)]


class Rescale(Pointwise):
    """Each value times a fixed factor plus a fixed offset: one number for all channels, or one for each.

    Source: Keras, `Rescaling`; torchvision, `Normalize`, which is (x − mean)/std.
    """

    saves = ()
    kind = "rescale"
    stem = "rescale"
    noun = "rescale"
    words = names("rescaling|normalize input|standardize|fixed scale|add constant|标准化")
    family = "normalisation"

    factor: Numbers = 1.0
    offset: Numbers = 0.0

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        for name, numbers in (("factor", self.factor), ("offset", self.offset)):
            if isinstance(numbers, tuple) and len(numbers) != inputs[0][0]:
                raise ShapeError(
                    f"{name} has {len(numbers)} numbers, but there are {inputs[0][0]} channels",
                    f"input {format_shape(inputs[0])}",
                    f"{name} is one number, or one for each channel",
                )

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        return Operations(
            additions=values * _changes(self.offset, 0), multiplications=values * _changes(self.factor, 1)
        )

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        if isinstance(self.factor, tuple) or isinstance(self.offset, tuple):
            return say("rescale each channel")
        factor = [] if self.factor == 1 else [f"·{self.factor:g}"]
        offset = [] if self.offset == 0 else [f"{'−' if self.offset < 0 else '+'} {abs(self.offset):g}"]
        return with_value(self.noun, " ".join([*factor, *offset]))


def _changes(numbers: float | tuple[float, ...], neutral: float) -> int:
    """1 where any of the numbers does something, else 0."""
    return int(any(number != neutral for number in (numbers if isinstance(numbers, tuple) else (numbers,))))


class Power(Pointwise):
    """Each value to a fixed power: 2 the square, 0.5 the root, −1 the reciprocal. Source: PyTorch, `pow`."""

    kind = "power"
    stem = "power"
    noun = "power"
    words = names("pow|square|sqrt|square root|reciprocal|rsqrt|степень|幂")
    family = "activation"

    exponent: Real

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        if self.exponent == 1:
            return NO_OPERATIONS
        if self.exponent == -1:
            return Operations(divisions=values)
        if self.exponent in (2, 3):
            return Operations(multiplications=values * int(self.exponent - 1))
        return Operations(exponentials=values)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, f"{self.exponent:g}")


class Difference(Pointwise):
    """What the difference and the quotient of two maps share: which maps fit together, and what is read of them."""

    family = "merge"
    fewest_inputs = 2
    most_inputs = 2

    broadcast: bool = False

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        check_maps(inputs, self.kind, self.broadcast)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return spread_shape(inputs) or inputs[0]

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return spread_reads(inputs, self.output_shape(inputs))


class Subtract(Difference):
    """The first map minus the second, of one shape; with `broadcast` they are spread over one another.

    Source: NumPy, broadcasting; Keras, `Subtract`.
    """

    saves = ()
    kind = "subtract"
    stem = "subtract"
    noun = "subtract"
    words = names("subtract|sub|difference|minus|разность|вычитание|相减")

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(additions=elements(output))


class Divide(Difference):
    """The first map divided by the second, of one shape; with `broadcast` they are spread over one another.

    Source: NumPy, broadcasting.
    """

    kind = "divide"
    stem = "divide"
    noun = "divide"
    words = names("divide|div|quotient|ratio|деление|частное|相除")

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(divisions=elements(output))
