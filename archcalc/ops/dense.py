"""Layers in which every output reads every input."""

from collections.abc import Sequence
from typing import Annotated

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.ops import rules
from archcalc.ops.base import (
    EVERYTHING,
    POINTS,
    Count,
    Letter,
    MatrixProduct,
    Op,
    Operations,
    Param,
    Reads,
    elements,
    names,
)
from archcalc.ops.conv import CONV_OF_RANK
from archcalc.ops.reweighted import Reweighted

#: What people call a fully connected layer.
_DENSE = names(
    "fc|dense|fully connected|full connection|linear|affine|inner product|ip|f|mlp|полносвязный|полносвязного|"
    "плотный|линейный|полносвязанный|densa|totalmente conectada|completamente conectada|"
    "entièrement connectée|vollverbunden|vollverbundene|vollvernetzt|"
    "vollvernetzte|dichte|vollständig verbunden|全连接|全結合|שכבה מקושרת לחלוטין|"
    "שכבה צפופה|լրիվ կապակցված|լիակապ"
)


class Linear(Reweighted):
    """Fully connected layer. An image is flattened first, as in the papers. Source: CS231n, fully-connected layer.

    `per_position`: over the channels of each position by itself, with the same weights, as PyTorch applies `Linear` to
    rows of tokens. Source: Vaswani et al. 2017, section 3.3.
    """

    kind = "linear"
    stem = "fc"
    noun = "dense"
    words = _DENSE
    family = "dense"
    unit = "neuron"

    out_features: Annotated[Count, Letter("K", "neurons")]
    bias: bool = True
    per_position: bool = False

    def _features(self, shape: Shape) -> Number:
        """Values that a neuron reads."""
        return shape[0] if self.per_position else elements(shape)

    def _times(self, shape: Shape) -> Number:
        """How often the layer is applied to a map."""
        return product(shape[1:]) if self.per_position else 1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.out_features, *(inputs[0][1:] if self.per_position else ()))

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        weight = self.stored(Param("weight", (self.out_features, self._features(inputs[0]))))
        return (*weight, Param("bias", (self.out_features,))) if self.bias else weight

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        each = rules.linear_multiplications(self._features(inputs[0]), self.out_features)
        return self._times(inputs[0]) * each  # type: ignore[no-any-return]  # ints give an int

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        results = self._times(inputs[0]) * self.out_features
        return Operations(
            additions=rules.sums(results, self._features(inputs[0]), int(self.bias)),
            multiplications=self.macs(inputs, output),
        )

    def matrix_product(self, inputs: Sequence[Shape], output: Shape) -> MatrixProduct | None:
        features = self._features(inputs[0])
        return MatrixProduct(1, (self.out_features, features), (features, self._times(inputs[0])))

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        if self.per_position:
            return self
        if len(inputs[0]) - 1 not in CONV_OF_RANK:
            return None
        return CONV_OF_RANK[len(inputs[0]) - 1].model_validate(
            {
                "out_channels": self.out_features,
                "kernel_size": inputs[0][1:],
                "bias": self.bias,
                "weight_norm": self.weight_norm,
                "spectral_norm": self.spectral_norm,
            }
        )

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (POINTS if self.per_position else EVERYTHING,)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, str(self.out_features)) + self._where()

    def describe(self, inputs: Sequence[Shape]) -> str:
        return _neurons(self.out_features, self._features(inputs[0])) + self._where()

    def _where(self) -> str:
        return say(" at each position") if self.per_position else ""

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [*([] if self.bias else [say("no bias")]), *self.normalised()]


class Rbf(Op):
    """Squared Euclidean distance to a fixed ±1 code vector for each class.

    The code vectors are parameters that are not trained. Source: LeCun et al. 1998, section II.B, equation 7.
    """

    kind = "rbf"
    stem = "rbf"
    noun = "RBF"
    words = (
        *names(
            "rbf|radial basis function|radial basis functions|euclidean rbf|gaussian connections|рбф|радиально базисный"
        ),
        *_DENSE,
    )
    family = "dense"
    unit = "neuron"

    out_features: Annotated[Count, Letter("K", "neurons")]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if len(inputs[0]) != 1:
            raise ShapeError("needs a flat input", f"input {format_shape(inputs[0])}; put flatten or linear before it")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.out_features,)

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return (Param("centers", (self.out_features, inputs[0][0]), trainable=False),)

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        return 0

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        # One subtraction and one square for each element, then their sum.
        squares = rules.linear_multiplications(inputs[0][0], self.out_features)
        return Operations(additions=squares + rules.sums(self.out_features, inputs[0][0], 0), multiplications=squares)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (EVERYTHING,)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, str(self.out_features))

    def describe(self, inputs: Sequence[Shape]) -> str:
        return _neurons(self.out_features, elements(inputs[0]))


def _neurons(count: int, inputs: int) -> str:
    return say("{neurons} of {inputs}", neurons=several(count, "neuron"), inputs=several(inputs, "input"))
