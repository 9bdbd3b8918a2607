"""Activation functions. They work in place by convention: nothing new is stored."""

from collections.abc import Sequence
from typing import ClassVar

from archcalc.core.numbers import product
from archcalc.core.shapes import Shape
from archcalc.ops import rules
from archcalc.ops.base import Operations, Pointwise, elements, names

#: What people call any activation function.
ANY = names("activation|nonlinearity|non linearity|активация|функция активации")


class Activation(Pointwise):
    """A function of one value; `each` says what it costs."""

    family = "activation"
    in_place = True
    each: ClassVar[Operations]

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return per_value(self.each, elements(output))


def per_value(each: Operations, values: int) -> Operations:
    """So many operations for each of these values."""
    return Operations(*(count * values for count in each))


class Relu(Activation):
    """max(0, x)."""

    saves_in_place = ("output",)
    saves = ("output",)
    kind = "relu"
    stem = "relu"
    noun = "ReLU"
    words = (*names("relu|rectified linear unit|rectifier|rectified linear|релу|релю|线性整流"), *ANY)
    each = Operations(comparisons=1)


class Relu6(Activation):
    """min(max(0, x), 6). Source: Krizhevsky 2010, convolutional deep belief networks on CIFAR-10."""

    kind = "relu6"
    stem = "relu"
    noun = "ReLU6"
    words = (*names("relu6|relu|relu 6"), *ANY)
    each = Operations(comparisons=2)


class Sigmoid(Activation):
    """1/(1 + e^−x)."""

    saves_in_place = ("output",)
    saves = ("output",)
    kind = "sigmoid"
    stem = "sigmoid"
    noun = "sigmoid"
    words = (*names("sigmoid|logistic|sigm|logistic sigmoid|сигмоида|сигмоид|sigmoide|sigmoïde"), *ANY)
    each = Operations(additions=1, divisions=1, exponentials=1)


class Tanh(Activation):
    """(e^2x − 1)/(e^2x + 1)."""

    saves_in_place = ("output",)
    saves = ("output",)
    kind = "tanh"
    stem = "tanh"
    noun = "tanh"
    words = (*names("tanh|hyperbolic tangent|th|гиперболический тангенс|тангенс|tangente hiperbólica"), *ANY)
    each = Operations(additions=2, multiplications=1, divisions=1, exponentials=1)


class ScaledTanh(Activation):
    """A·tanh(S·x) with A = 1.7159 and S = 2/3. Source: LeCun et al. 1998, section II.B and appendix A."""

    saves_in_place = ("output",)
    saves = ("output",)
    kind = "scaled_tanh"
    stem = "tanh"
    noun = "scaled tanh"
    words = (*names("scaled tanh|tanh|hyperbolic tangent"), *ANY)
    each = Operations(additions=2, multiplications=3, divisions=1, exponentials=1)


class Softmax(Activation):
    """e^x divided by the sum over the classes, at each position."""

    saves_in_place = ("output",)
    saves = ("output",)
    kind = "softmax"
    stem = "softmax"
    noun = "softmax"
    words = names("softmax|prob|probs|probabilities|софтмакс")
    each = Operations(divisions=1, exponentials=1)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return super().operations(inputs, output)._replace(additions=_sums_over_classes(output))


def _sums_over_classes(output: Shape) -> int:
    """Additions that sum up the classes at each position."""
    return rules.sums(product(output[1:]), output[0], 0)  # type: ignore[no-any-return]  # ints give an int


class LogSoftmax(Activation):
    """x − ln Σ e^x over the classes, at each position: the logarithm of softmax."""

    saves_in_place = ("output",)
    saves = ("output",)
    kind = "log_softmax"
    stem = "softmax"
    noun = "log softmax"
    words = names("log softmax|logsoftmax|log probabilities|logprob|логсофтмакс|логарифм софтмакс")
    each = Operations(additions=1, exponentials=1)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        each = super().operations(inputs, output)
        # One logarithm for each position.
        return each._replace(
            additions=_sums_over_classes(output) + each.additions,
            exponentials=each.exponentials + product(output[1:]),
        )
