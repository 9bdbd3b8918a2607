"""Normalisation and dropout."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import Number
from archcalc.core.shapes import Shape, axes_in_words, format_shape
from archcalc.ops import rules
from archcalc.ops.base import (
    Op,
    Operations,
    Param,
    Pointwise,
    Real,
    Size,
    affine_in_words,
    elements,
    names,
)
from archcalc.ops.ranks import Ranks, class_of_rank

#: Keras's `Normalization` divides by the root of the variance, or by 10⁻⁷ where that is larger: nearly this epsilon.
NORMALIZATION_EPSILON = 1e-14


class BatchNorm(Pointwise):
    """(x − mean)/√(variance + ε)·γ + β for each channel; `scale` and `shift` say whether γ and β are trained.

    As in PyTorch, `batch_norm1d` takes flat maps and rows, the others maps with as many position axes as their name
    says. Source: Ioffe & Szegedy 2015, algorithm 1.
    """

    stem = "bn"
    noun = "batch norm"
    unit = "channel"
    words = names(
        "bn|batchnorm|batch norm|batch normalization|batch normalisation|spatial batch norm|батчнорм|"
        "батч норм|батч нормализация|пакетная нормализация|normalización por lotes|normalisation par lots|"
        "批归一化|批量归一化|バッチ正規化"
    )
    family = "normalisation"
    rank: ClassVar[int] = 2
    saved_for_batch = True

    epsilon: Annotated[Real, Field(gt=0)] = 1e-5
    scale: bool = True
    shift: bool = True

    @property
    def counts_values(self) -> bool:
        """Whether it is Keras's `Normalization`, which keeps how many values it saw."""
        return not self.scale and not self.shift and self.epsilon == NORMALIZATION_EPSILON

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        has = len(inputs[0]) - 1
        if max(has, 1) == self.rank:
            return
        raise ShapeError(
            f"needs {axes_in_words(self.rank)} and channels, but its input "
            + (f"has {axes_in_words(has)}" if has else "is flat"),
            f"input {format_shape(inputs[0])}",
            f"it fits with batch_norm{max(has, 1)}d",
        )

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        channels = inputs[0][:1]
        params = [Param("weight", channels)] if self.scale else []
        if self.shift:
            params.append(Param("bias", channels))
        running = (
            Param("running_mean", channels, trainable=False, buffer=True),
            Param("running_var", channels, trainable=False, buffer=True),
        )
        return (*params, *running)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        # At inference the four numbers of a channel are one scale and one shift.
        values = elements(output)
        return Operations(additions=values, multiplications=values)

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return 2 * inputs[0][0]  # mean and inverse deviation of the batch

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return _BATCH_NORM_OF_RANK[len(inputs[0]) - 1].model_construct(**self.model_dump())

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return affine_in_words(self.scale, self.shift)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("batch norm")


_BATCH_NORM_OF_RANK = Ranks(BatchNorm, "batch_norm")


class LocalResponseNorm(Pointwise):
    """x / (k + α/n · Σ x²)^β over a window of n channels, cut off at the first and last.

    Source: Krizhevsky et al. 2012, section 3.3. There α is not divided by n; Caffe and PyTorch divide, and so does
    this op. An even window reaches one channel further backward, as in PyTorch; in ONNX and Darknet it is forward.
    """

    kind = "local_response_norm"
    stem = "norm"
    noun = "LRN"
    words = names(
        "lrn|norm|local response norm|local response normalization|local response normalisation|"
        "response normalization|normalization|normalisation|cross map lrn|нормализация|局部响应归一化"
    )
    family = "normalisation"

    size: Size = 5
    alpha: Real = 1e-4
    beta: Real = 0.75
    k: Real = 1.0

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        # PyTorch keeps the padded squares, the scale, and its power.
        return 3 * elements(output) + (self.size - 1) * (elements(output) // output[0])

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        channels = output[0]
        read = rules.window_elements_inside(channels, self.size // 2, (self.size - 1) // 2)
        sums = values // channels * (read - channels)
        return Operations(
            additions=sums + values,  # the sum of squares, then k
            multiplications=2 * values,  # the square, then α/n
            divisions=values,
            exponentials=values,
        )

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("LRN, size {size}", size=self.size)


class Dropout(Pointwise):
    """Drops values at random in training; does nothing at inference. Source: Hinton et al. 2012."""

    saves = ()
    kind = "dropout"
    stem = "drop"
    noun = "dropout"
    words = names("dropout|drop|дропаут|исключение|随机失活")
    family = "regularisation"
    in_place = True
    is_view = True
    only_in_training = True

    p: Annotated[Real, Field(ge=0, le=1)] = 0.5

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return elements(output)  # one byte of the mask for each value

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, f"{self.p:g}")


__getattr__ = class_of_rank(globals())
