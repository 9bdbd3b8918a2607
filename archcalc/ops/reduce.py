"""Pooling along axes that are named: the mean or the largest value of each row of values."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.axes import AxisName, axis_of, position_reads
from archcalc.ops.base import POINTS, Op, Operations, Reads, Window, WithoutWeights, elements, names
from archcalc.ops.pool import AVERAGE, POOLING


def _as_list(value: object) -> object:
    """A name as a list of one."""
    return (value,) if isinstance(value, str) else value


class Reduced(WithoutWeights):
    """One value in place of all those along some axes, which stay with a size of 1."""

    family = "pooling"

    axes: Annotated[
        tuple[AxisName, ...],
        Field(min_length=1),
        BeforeValidator(_as_list, json_schema_input_type=AxisName | tuple[AxisName, ...]),
    ]

    def places(self, shape: Shape) -> tuple[int, ...]:
        """The axes by their index in a shape."""
        return tuple([axis_of(axis, shape) for axis in self.axes])

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if len(set(self.places(inputs[0]))) < len(self.axes):
            raise ShapeError(
                "axes names an axis twice", f"axes [{', '.join(self.axes)}], input {format_shape(inputs[0])}"
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        places = self.places(inputs[0])
        return tuple([1 if axis in places else size for axis, size in enumerate(inputs[0])])

    def terms(self, shape: Shape) -> Number:
        """How many values become one."""
        return product([shape[axis] for axis in self.places(shape)])

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        shape = inputs[0]
        # As a global pool: with one position there is no step, and it goes on as if it slid over a larger map.
        reads = {axis: Window(shape[axis]) for axis in self.places(shape) if axis}
        return (position_reads(shape, reads) if reads else POINTS,)

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return self if self.axes == ("channels",) else None

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("{kind} of {axis}", kind=say(self.noun), axis=", ".join([say(axis) for axis in self.axes]))


class Mean(Reduced):
    """The mean along axes. Source: PyTorch, `mean` with `keepdim`."""

    saves = ()
    kind = "mean"
    stem = "mean"
    noun = "mean"
    words = (
        *names("average over axes|mean over axes|reduce mean|channel mean|среднее по осям|среднее|均值"),
        *AVERAGE,
        *POOLING,
    )

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        return Operations(additions=rules.sums(values, self.terms(inputs[0]), 0), divisions=values)


class Amax(Reduced):
    """The largest value along axes. Source: PyTorch, `amax` with `keepdim`; Woo et al. 2018, equation 3."""

    saves = ("inputs", "output")
    kind = "amax"
    stem = "amax"
    noun = "maximum"
    words = (*names("max over axes|reduce max|channel max|максимум по осям|максимум|最大值"), *POOLING)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(comparisons=rules.sums(elements(output), self.terms(inputs[0]), 0))
