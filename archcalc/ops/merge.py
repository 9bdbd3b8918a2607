"""Ops that join several maps into one."""

from collections.abc import Sequence

from archcalc.core.errors import ShapeError
from archcalc.core.numbers import Number
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.base import EVERYTHING, POINTS, Operations, Pointwise, Reads, Real, elements, names


def _listed(inputs: Sequence[Shape]) -> str:
    return "inputs " + ", ".join(format_shape(shape) for shape in inputs)


class Add(Pointwise):
    """The sum of maps of one shape. Source: He et al. 2015, equation 1."""

    kind = "add"
    stem = "add"
    noun = "add"
    words = names("add|merge|addition|sum|residual|elementwise add|eltwise|shortcut add|сложение|сумма|suma|somme|相加")
    family = "merge"
    fewest_inputs = 2
    most_inputs = None

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if any(shape != inputs[0] for shape in inputs):
            raise ShapeError("the maps to add differ in shape", _listed(inputs))

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(additions=rules.sums(elements(output), len(inputs), 0))


class Multiply(Pointwise):
    """The product of maps (one value a channel is spread over the positions), times a constant `factor`.

    Source: Hu et al. 2017 (squeeze and excitation); the factor: Szegedy et al. 2016, section 3.3 (scaled residuals).
    """

    kind = "multiply"
    stem = "multiply"
    noun = "multiply"
    words = names("multiply|mul|mult|product|elementwise product|умножение|произведение")
    family = "merge"
    most_inputs = None

    factor: Real = 1.0

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        output = self.output_shape(inputs)
        for shape in inputs:
            if shape != output and shape not in ((output[0], 1, 1), output[:1]):
                raise ShapeError("the maps to multiply do not fit together", _listed(inputs))

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return max(inputs, key=elements)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(multiplications=rules.sums(elements(output), len(inputs), int(self.factor != 1)))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        # One value a channel reaches every position.
        output = self.output_shape(inputs)
        return tuple(POINTS if shape == output else EVERYTHING for shape in inputs)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return "multiply" if self.factor == 1 else f"multiply by {self.factor:g}"


class Concat(Pointwise):
    """Maps of one height and width stacked along the channels. Source: Szegedy et al. 2014, section 4."""

    kind = "concat"
    stem = "concat"
    noun = "concat"
    words = names("concat|concatenate|concatenation|depth concat|filter concat|cat|merge|конкатенация|объединение|拼接")
    family = "merge"
    most_inputs = None

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if any(shape[1:] != inputs[0][1:] for shape in inputs):
            raise ShapeError("the maps to concatenate differ in height or width", _listed(inputs))

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels: Number = inputs[0][0]
        for shape in inputs[1:]:
            channels = channels + shape[0]
        return (channels, *inputs[0][1:])
