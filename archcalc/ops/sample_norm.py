"""Normalisation by the statistics of one image: layer, group, instance and RMS norm. They are the same in training."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.ops import rules
from archcalc.ops.base import (
    EVERYTHING,
    Count,
    Letter,
    Operations,
    Param,
    Pointwise,
    Reads,
    Real,
    affine_in_words,
    dividing,
    elements,
    names,
)


class SampleNorm(Pointwise):
    """(x − mean)/√(variance + ε)·γ + β, with the mean and the variance of a group of values of one image."""

    family = "normalisation"
    unit = "channel"

    epsilon: Annotated[Real, Field(gt=0)] = 1e-5

    @abstractmethod
    def groups_of(self, shape: Shape) -> tuple[Number, Number]:
        """How many groups of values have a mean of their own, and the values of each."""

    @property
    @abstractmethod
    def affine_parts(self) -> tuple[bool, bool]:
        """Whether there is a γ, and whether there is a β."""

    @property
    def may_have_arrays(self) -> bool:
        return any(self.affine_parts)

    def affine_shape(self, shape: Shape) -> Shape:
        """The shape of γ and of β."""
        return shape[:1]

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        named = zip(("weight", "bias"), self.affine_parts, strict=True)
        return tuple([Param(name, self.affine_shape(inputs[0])) for name, is_there in named if is_there])

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        groups, size = self.groups_of(output)
        values = elements(output)
        scale, shift = self.affine_parts
        return Operations(
            # The sums of the mean and of the variance, the differences from the mean, then ε and β.
            additions=2 * rules.sums(groups, size, 0) + values + groups + int(shift) * values,
            # The squares, what they are divided by as a factor, then γ.
            multiplications=2 * values + int(scale) * values,
            divisions=3 * groups,
            exponentials=groups,
        )

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return 2 * self.groups_of(output)[0]  # mean and inverse deviation

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (EVERYTHING,)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return affine_in_words(*self.affine_parts)

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: on a larger map the statistics are others."""


class LayerNorm(SampleNorm):
    """Normalises the channels at each position by themselves (`axes: channels`), or all values of the image (`all`).

    Source: Ba et al. 2016, equation 4; over channels as in Vaswani et al. 2017.
    """

    kind = "layer_norm"
    stem = "norm"
    noun = "layer norm"
    words = names(
        "layernorm|layer normalization|layer normalisation|ln|нормализация слоя|послойная нормализация|"
        "normalización de capa|normalisation de couche|层归一化|レイヤー正規化"
    )

    axes: Literal["channels", "all"] = "channels"
    elementwise_affine: bool = True
    bias: bool = True

    @property
    def affine_parts(self) -> tuple[bool, bool]:
        return self.elementwise_affine, self.elementwise_affine and self.bias

    def affine_shape(self, shape: Shape) -> Shape:
        return shape[:1] if self.axes == "channels" else shape

    def groups_of(self, shape: Shape) -> tuple[Number, Number]:
        return (product(shape[1:]), shape[0]) if self.axes == "channels" else (1, elements(shape))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return Pointwise.windows(self, inputs) if self.axes == "channels" else super().windows(inputs)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("layer norm") if self.axes == "channels" else say("layer norm over all values")


class RmsNorm(LayerNorm):
    """x/√(mean of x² + ε)·γ over the channels at each position, or over all values. Source: Zhang & Sennrich 2019."""

    kind = "rms_norm"
    stem = "norm"
    noun = "RMS norm"
    words = names("rmsnorm|rms normalization|root mean square norm|root mean square layer norm")

    bias: bool = False

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return self.groups_of(output)[0]

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        groups, size = self.groups_of(output)
        values = elements(output)
        scale, shift = self.affine_parts
        return Operations(
            additions=rules.sums(groups, size, 0) + groups + int(shift) * values,
            multiplications=2 * values + int(scale) * values,
            divisions=2 * groups,
            exponentials=groups,
        )

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("RMS norm") if self.axes == "channels" else say("RMS norm over all values")


class L2Norm(SampleNorm):
    """The channels at each position as a vector of length 1: x/max(‖x‖, ε).

    Source: PyTorch, `normalize`; Liu et al. 2015 (ParseNet), section 3.3; Schroff et al. 2015, figure 2.
    """

    kind = "l2_norm"
    stem = "norm"
    noun = "L2 norm"
    words = names("l2 normalize|l2 normalization|l2 normalisation|unit norm|cosine norm|l2归一化")

    epsilon: Annotated[Real, Field(gt=0)] = 1e-12

    @property
    def affine_parts(self) -> tuple[bool, bool]:
        return False, False

    def groups_of(self, shape: Shape) -> tuple[Number, Number]:
        return product(shape[1:]), shape[0]

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        groups, size = self.groups_of(output)
        return Operations(
            additions=rules.sums(groups, size, 0),
            multiplications=2 * elements(output),  # the squares, then what they are divided by as a factor
            comparisons=groups,
            divisions=groups,
            exponentials=groups,
        )

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return Pointwise.windows(self, inputs)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return []  # it has neither by definition

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("L2 norm")


class GroupNorm(SampleNorm):
    """Normalises groups of channels, each over all positions. Source: Wu & He 2018, equation 7."""

    kind = "group_norm"
    stem = "norm"
    noun = "group norm"
    words = names("gn|groupnorm|group normalization|group normalisation|групповая нормализация|组归一化|グループ正規化")

    num_groups: Annotated[Count, Letter("G", "groups")]
    affine: bool = True

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        channels = inputs[0][0]
        if channels % self.num_groups:
            raise ShapeError(
                "num_groups does not divide the channels",
                f"input {format_shape(inputs[0])}, num_groups {self.num_groups}",
                dividing("it fits with num_groups: {}", self.num_groups, channels),
            )
        if self.groups_of(inputs[0])[1] == 1:
            raise _no_variance(inputs[0])

    @property
    def affine_parts(self) -> tuple[bool, bool]:
        return self.affine, self.affine

    def groups_of(self, shape: Shape) -> tuple[Number, Number]:
        return self.num_groups, product((*shape[1:], rules.group_depth(shape[0], self.num_groups)))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"{say(self.noun)}, {several(self.num_groups, 'group')}"


class InstanceNorm(SampleNorm):
    """Normalises each channel of an image over its positions. Source: Ulyanov et al. 2016, equation 2."""

    kind = "instance_norm"
    stem = "norm"
    noun = "instance norm"
    words = names(
        "instancenorm|instance normalization|instance normalisation|contrast normalization|"
        "нормализация по экземпляру|实例归一化|インスタンス正規化"
    )

    affine: bool = False

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if self.groups_of(inputs[0])[1] == 1:
            raise _no_variance(inputs[0])

    @property
    def affine_parts(self) -> tuple[bool, bool]:
        return self.affine, self.affine

    def groups_of(self, shape: Shape) -> tuple[Number, Number]:
        return shape[0], product(shape[1:])

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("instance norm")


class GlobalResponseNorm(SampleNorm):
    """The map x plus γ·x·N + β, where N is the norm of a channel over all positions, divided by the mean norm plus ε.

    Source: Woo et al. 2023 (ConvNeXt V2), algorithm 1.
    """

    kind = "global_response_norm"
    stem = "grn"
    noun = "GRN"
    words = names("grn|global response normalization|global response normalisation|全局响应归一化")

    epsilon: Annotated[Real, Field(gt=0)] = 1e-6

    @property
    def affine_parts(self) -> tuple[bool, bool]:
        return True, True

    def groups_of(self, shape: Shape) -> tuple[Number, Number]:
        return shape[0], product(shape[1:])

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        channels, size = self.groups_of(output)
        values = elements(output)
        return Operations(
            # The sums of squares, the mean of the norms, ε, then β and x.
            additions=rules.sums(channels, size, 0) + rules.sums(1, channels, 0) + 1 + 2 * values,
            multiplications=3 * values,  # the squares, N and γ
            divisions=channels + 1,
            exponentials=channels,
        )

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return 3 * output[0] + 1  # the norms, those times γ, and N times γ of each channel; the mean norm plus ε

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("global response norm")


def _no_variance(shape: Shape) -> ShapeError:
    return ShapeError(
        "one value by itself has no variance: the output would be the same for every input",
        f"input {format_shape(shape)}",
        "layer_norm normalises the channels of one position",
    )
