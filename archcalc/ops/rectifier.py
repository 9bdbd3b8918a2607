"""Activation functions after ReLU: leaky, exponential, smooth and hard ones, and gates."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.activation import ANY, Activation, Sigmoid, Tanh, per_value
from archcalc.ops.base import Count, Operations, Param, Pointwise, Real, elements, names


class LeakyRelu(Activation):
    """x above 0, below it x times `negative_slope`. Source: Maas et al. 2013, section 2."""

    saves_in_place = ("output",)
    kind = "leaky_relu"
    stem = "relu"
    noun = "leaky ReLU"
    words = (*names("leaky relu|lrelu|leaky|leaky rectifier|утечка relu|relu с утечкой|带泄漏整流"), *ANY)
    each = Operations(multiplications=1, comparisons=1)

    negative_slope: Real = 0.01


class Prelu(Activation):
    """Values above 0; below it times a trained slope, one for all channels or one for each.

    Source: He et al. 2015, Delving deep into rectifiers, equation 1.
    """

    kind = "prelu"
    stem = "relu"
    noun = "PReLU"
    words = (*names("prelu|parametric relu|parametric rectified linear unit|参数化整流"), *ANY)
    unit = "channel"
    each = Operations(multiplications=1, comparisons=1)

    #: 1, or as many as there are channels.
    num_parameters: Count | Literal["channels"] = 1

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if self.num_parameters not in (1, "channels", inputs[0][0]):
            raise ShapeError(
                "num_parameters is neither 1 nor the number of channels",
                f"input {format_shape(inputs[0])}, num_parameters {self.num_parameters}",
                f"it fits with num_parameters: 1, or num_parameters: channels, which is {inputs[0][0]} here",
            )

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return (Param("weight", (1,) if self.num_parameters == 1 else inputs[0][:1]),)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [say("one slope") if self.num_parameters == 1 else say("a slope for each channel")]


class Elu(Activation):
    """x above 0, below it α·(e^x − 1). Source: Clevert et al. 2015, equation 15."""

    saves_in_place = ("output",)
    kind = "elu"
    stem = "elu"
    noun = "ELU"
    words = (*names("elu|exponential linear unit|指数线性单元"), *ANY)
    each = Operations(additions=1, multiplications=1, comparisons=1, exponentials=1)

    alpha: Real = 1.0


class Selu(Activation):
    """λ·x above 0, below it λ·α·(e^x − 1); λ = 1.0507, α = 1.6733. Source: Klambauer et al. 2017, equation 2."""

    saves_in_place = ("output",)
    kind = "selu"
    stem = "selu"
    noun = "SELU"
    words = (*names("selu|scaled elu|scaled exponential linear unit"), *ANY)
    each = Operations(additions=1, multiplications=2, comparisons=1, exponentials=1)


class Gelu(Activation):
    """x·Φ(x), with Φ the normal distribution; `approximate: tanh` writes it with a tanh.

    Source: Hendrycks & Gimpel 2016, section 2. The error function counts as an exponential.
    """

    kind = "gelu"
    stem = "gelu"
    noun = "GELU"
    words = (*names("gelu|gaussian error linear unit|高斯误差线性单元"), *ANY)
    #: x·½·(1 + erf(x/√2)): two products and one with 1/√2.
    each = Operations(additions=1, multiplications=3, exponentials=1)

    approximate: Literal["none", "tanh"] = "none"

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        if self.approximate == "none":
            return super().operations(inputs, output)
        # ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x·x·x))), with the tanh counted as above.
        each = Operations(*map(sum, zip(Tanh.each, Operations(additions=2, multiplications=6), strict=True)))
        return per_value(each, elements(output))


class Silu(Activation):
    """x·σ(x), also called swish. Source: Elfwing et al. 2017, equation 5; Ramachandran et al. 2017."""

    kind = "silu"
    stem = "silu"
    noun = "SiLU"
    words = (*names("silu|swish|sigmoid linear unit|свиш"), *ANY)
    each = Operations(additions=1, multiplications=1, divisions=1, exponentials=1)


class Mish(Activation):
    """x·tanh(ln(1 + e^x)). Source: Misra 2019, equation 1."""

    kind = "mish"
    stem = "mish"
    noun = "Mish"
    words = (*names("mish|миш"), *ANY)
    #: A softplus, a tanh and a product.
    each = Operations(additions=3, multiplications=2, divisions=1, exponentials=3)


class Hardsigmoid(Activation):
    """min(max(0, x + 3), 6)/6. Source: Howard et al. 2019, section 5.2."""

    kind = "hardsigmoid"
    stem = "sigmoid"
    noun = "hard sigmoid"
    words = (*names("hardsigmoid|hard sigmoid|h sigmoid|жёсткая сигмоида"), *ANY)
    each = Operations(additions=1, comparisons=2, divisions=1)


class Hardswish(Activation):
    """x·min(max(0, x + 3), 6)/6. Source: Howard et al. 2019, section 5.2."""

    kind = "hardswish"
    stem = "hardswish"
    noun = "hard swish"
    words = (*names("hardswish|hard swish|h swish|hs"), *ANY)
    each = Operations(additions=1, multiplications=1, comparisons=2, divisions=1)


class Hardtanh(Activation):
    """min(max(`min_val`, x), `max_val`). Source: Collobert 2004, chapter 6."""

    kind = "hardtanh"
    stem = "tanh"
    noun = "hard tanh"
    words = (*names("hardtanh|hard tanh|clip|clamp"), *ANY)
    each = Operations(comparisons=2)

    min_val: Real = -1.0
    max_val: Real = 1.0

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if self.min_val >= self.max_val:
            raise ShapeError("min_val is not below max_val", f"min_val {self.min_val:g}, max_val {self.max_val:g}")


class Softplus(Activation):
    """ln(1 + e^(β·x))/β; x itself where β·x is above `threshold`. Source: Dugas et al. 2001, section 3."""

    kind = "softplus"
    stem = "softplus"
    noun = "softplus"
    words = (*names("softplus|soft plus|smooth relu|софтплюс"), *ANY)

    beta: Annotated[Real, Field(gt=0)] = 1.0
    threshold: Real = 20.0

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        scaled = int(self.beta != 1)
        each = Operations(additions=1, multiplications=scaled, comparisons=1, divisions=scaled, exponentials=2)
        return per_value(each, elements(output))


class Glu(Pointwise):
    """The first half of the channels times the sigmoid of the second. Source: Dauphin et al. 2017, equation 1."""

    kind = "glu"
    stem = "glu"
    noun = "GLU"
    words = names("glu|gated linear unit|gate|门控线性单元")
    family = "activation"

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if inputs[0][0] % 2:
            count = inputs[0][0]
            raise ShapeError(
                "an odd number of channels has no halves",
                f"input {format_shape(inputs[0])}",
                f"it needs an even number of channels, as {count - 1} or {count + 1}"
                if count > 1
                else "it needs two channels for each that it gives",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (rules.group_depth(inputs[0][0], 2), *inputs[0][1:])

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        each = Operations(*map(sum, zip(Sigmoid.each, Operations(multiplications=1), strict=True)))
        return per_value(each, elements(output))
