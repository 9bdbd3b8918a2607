"""Pooling, LeNet's trainable subsampling, and unpooling."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from archcalc.core.errors import ShapeError
from archcalc.core.language import apart, say, with_value
from archcalc.core.numbers import Number
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.base import (
    Letter,
    Margin,
    Margins,
    Operations,
    Param,
    Reads,
    Sizes,
    Spatial,
    Window,
    WithoutWeights,
    by,
    elements,
    names,
)
from archcalc.ops.ranks import Ranks, class_of_rank
from archcalc.ops.windowed import (
    PADDING_LETTER,
    Axis,
    KernelSize,
    Stride,
    Windowed,
    by_default,
    padding_in_words,
    plain,
    stride_in_words,
)

#: What people call pooling of any kind, and averages of any kind.
POOLING = names(
    "pool|pooling|p|downsampling|пулинг|пулинга|пул|подвыборка|подвыборки|"
    "подвыборочный|agrupación|agrupamento|池化|プーリング|פולינג|דגימה|փուլինգ|ենթանմուշառում"
)
AVERAGE = names("avgpool|average pool|average pooling|avg pooling|subsampling")


def _without_default(schema: dict[str, Any]) -> None:
    """The default stride depends on the kernel: the schema cannot name it."""
    schema.pop("default", None)


class Pool(WithoutWeights, Windowed):
    """A window that moves over each channel by itself. The stride is the window unless given, as in PyTorch."""

    family = "pooling"

    stride: Stride = by_default(
        1,
        description="the kernel_size unless given",
        json_schema_extra=_without_default,
    )
    #: Round (W − F + 2P)/S up: the last window may hang over the edge.
    ceil_mode: bool = False
    #: With ceil_mode: drop a last window that would start in the padding (PyTorch; Caffe does so only where P > 0).
    #: OpenVINO keeps it: its maximum is −∞, its sum 0.
    clip_last_window: bool = True

    @classmethod
    def with_defaults(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        if "kernel_size" in fields and fields.get("stride") is None:
            return {**fields, "stride": fields["kernel_size"]}
        return fields

    @model_validator(mode="before")
    @classmethod
    def _stride_is_window(cls, fields: Any) -> Any:
        return cls.with_defaults(fields) if isinstance(fields, dict) else fields

    def positions(self, axis: Axis) -> Number:
        if not self.ceil_mode:
            return super().positions(axis)
        count = rules.ceil_window_output_size(axis.size, axis.window, axis.stride, axis.padding)
        if self.clip_last_window:
            count = rules.windows_that_start_inside(count, axis.size, axis.stride, axis.before)
        return count

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        super().check(inputs, strict)
        for index, axis in enumerate(self.axes(inputs[0])):
            if max(axis.before, axis.after) >= axis.window:
                raise ShapeError(
                    "the padding is as large as the window, so some windows would hold nothing but padding",
                    f"kernel_size {self.kernel_size[index]}, padding {max(axis.before, axis.after)}",
                )
            if _straddles(axis, self.dilation[index], self.positions(axis)):
                raise ShapeError(
                    "the taps of a window lie on both sides of its input, so it would hold nothing but padding",
                    f"input {format_shape(inputs[0])}, kernel_size {self.kernel_size[index]}, dilation "
                    f"{self.dilation[index]}, padding {axis.before}",
                )
            if rules.window_start(self.positions(axis) - 1, axis.stride, axis.before) >= axis.size + axis.after:
                raise ShapeError(
                    "the last window begins after the end of the padded input and reads nothing",
                    f"input {format_shape(inputs[0])}, kernel_size {self.kernel_size[index]}, stride {axis.stride}",
                    "without ceil_mode, or with clip_last_window, there is no such window",
                )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], *self.spatial_output(inputs[0]))

    def _window_elements(self) -> int:
        return rules.patch_elements(self.kernel_size, 1)  # type: ignore[no-any-return]  # ints give an int

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [*super().details(inputs), *self._rounding()]

    def _rounding(self) -> list[str]:
        if not self.ceil_mode:
            return []
        return [say("rounded up") if self.clip_last_window else say("rounded up even into the padding")]

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, by(self.kernel_size)) + self.window_summary()


def _straddles(axis: Axis, dilation: int, positions: int) -> bool:
    """Whether a window that begins in the padding steps over the whole input; only wider steps than that can."""
    if axis.size >= dilation:
        return False
    starts = range(-axis.before, min(0, -axis.before + positions * axis.stride), axis.stride)
    return any(start % dilation >= axis.size for start in starts[:dilation])


class MaxPool(Pool):
    """The largest value of each window. Source: CS231n, pooling layer."""

    stem = "pool"
    noun = "max pool"
    words = (
        *names(
            "maxpool|max pooling|mp|max pool|max|spatial max pooling|макспулинг|макс пулинг|"
            "максимальный пулинг|max пулинг|максимальная подвыборка|пулинг по максимуму|max agrupación|"
            "max agrupamento|maximum pooling|最大池化|最大プーリング|מקס פולינג|מקסימום פולינג|մաքս փուլինգ"
        ),
        *POOLING,
    )

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return 8 * elements(output)  # where each maximum is, as 64-bit numbers

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(comparisons=rules.sums(elements(output), self._window_elements(), 0))


MAX_POOL_OF_RANK = Ranks(MaxPool, "max_pool")


class AvgPool(Pool):
    """The mean of each window. `count_include_pad`: padding zeros count as values when dividing."""

    stem = "pool"
    noun = "avg pool"
    words = (
        *names(
            "ap|mean pool|mean pooling|spatial average pooling|средний пулинг|усредняющий пулинг|"
            "פולינג ממוצע|միջին փուլինգ|пулинг по среднему|average пулинг|平均池化|平均プーリング|mittelwert pooling"
        ),
        *AVERAGE,
        *POOLING,
    )

    count_include_pad: bool = True

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        super().check(inputs, strict)
        for index, axis in enumerate(self.axes(inputs[0])):
            start = rules.window_start(self.positions(axis) - 1, axis.stride, axis.before)
            if not self.count_include_pad and start >= axis.size:
                raise ShapeError(
                    "the last window holds nothing but padding, which does not count, so there is no mean",
                    f"input {format_shape(inputs[0])}, kernel_size {self.kernel_size[index]}, stride {axis.stride}",
                    "with clip_last_window, or with count_include_pad, there is no such window",
                )

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        return Operations(additions=rules.sums(values, self._window_elements(), 0), divisions=values)


AVG_POOL_OF_RANK = Ranks(AvgPool, "avg_pool")


class LpPool(Pool):
    """The p-norm of each window; p = 2 is L2 pooling. Source: CS231n, general pooling."""

    saves = ("inputs", "output")
    stem = "pool"
    noun = "Lp pool"
    words = (*names("lp pool|lp pooling|l2 pool|l2 pooling|l2pool|power average pooling"), *POOLING)

    norm_type: Annotated[int, Field(strict=True, ge=1, le=16), Letter("p", "power")] = 2

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        powers = rules.powers(values * self._window_elements(), self.norm_type)
        return Operations(
            additions=rules.sums(values, self._window_elements(), 0),
            multiplications=powers,
            exponentials=values if self.norm_type > 1 else 0,
        )

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("L{power} pool", power=self.norm_type) + f" {apart(by(self.kernel_size))}{self.window_summary()}"


LP_POOL_OF_RANK = Ranks(LpPool, "lp_pool")


class Subsampling(Pool):
    """The sum of each window times a trained coefficient plus a trained bias, one pair for each channel.

    Source: LeCun et al. 1998, section II.B, layers S2 and S4.
    """

    stem = "pool"
    noun = "subsampling"
    unit = "channel"
    words = (
        *names("sub sampling|subsample|s|субдискретизация|下采样|サブサンプリング|submuestreo"),
        *AVERAGE,
        *POOLING,
    )

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        channels = inputs[0][0]
        return Param("weight", (channels,)), Param("bias", (channels,))

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        return Operations(additions=rules.sums(values, self._window_elements(), 1), multiplications=values)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, by(self.kernel_size)) + self.window_summary()


SUBSAMPLING_OF_RANK = Ranks(Subsampling, "subsampling")


class MaxUnpool(WithoutWeights, Spatial):
    """Puts every value back where max pooling found it; zeros elsewhere.

    Inputs: the maps; the max-pooling layer whose switches are used; and, where the pooling was not exact, the map
    that was pooled, which gives the size. Source: Zeiler & Fergus 2013, section 2.1.
    """

    saves = ()
    stem = "unpool"
    noun = "max unpool"
    words = names("unpool|unpooling|max unpool|max unpooling|распулинг|анпулинг|反池化")
    family = "pooling"
    fewest_inputs = 2
    most_inputs = 3

    kernel_size: KernelSize
    stride: Annotated[Sizes | None, Letter("S", "stride")] = None
    padding: Annotated[Margins, PADDING_LETTER] = by_default(0)

    @classmethod
    def list_lengths(cls, name: str) -> tuple[int, ...]:
        return (cls.rank,) if name == "padding" else super().list_lengths(name)

    @field_validator("padding", mode="before", json_schema_input_type=Margin | tuple[Margin, ...])
    @classmethod
    def _padding_by_axis(cls, value: Any) -> Any:
        return cls.by_axis(value)

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        for shape in inputs:
            self.want_positions(shape)
        if inputs[0] != inputs[1]:
            raise ShapeError(
                "the maps and the pooled maps that hold the switches differ",
                f"maps {format_shape(inputs[0])}, pooled {format_shape(inputs[1])}",
            )
        if min(self._sizes(inputs[0])) < 1:
            raise ShapeError(
                "nothing is left of the output once the padding is cut off",
                f"input {format_shape(inputs[0])}, padding {list(self.padding)}",
            )
        if len(inputs) == 3:
            self._check_size(inputs[0], inputs[2])

    def _check_size(self, maps: Shape, wanted: Shape) -> None:
        if wanted[0] != maps[0]:
            raise ShapeError(
                "the map that gives the size has other channels", f"{format_shape(wanted)}, maps {format_shape(maps)}"
            )
        # A floored pool drops less than a stride; a rounded-up one hangs over by less than its window.
        for axis, size in enumerate(self._sizes(maps)):
            if not size - self.kernel_size[axis] < wanted[axis + 1] < size + self._stride()[axis]:
                raise ShapeError(
                    "the map that gives the size is not one that was pooled to the maps",
                    f"size {format_shape(wanted)}, maps {format_shape(maps)}",
                )

    def _stride(self) -> tuple[int, ...]:
        return self.stride or self.kernel_size

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs) == 3:
            return inputs[2]
        return (inputs[0][0], *self._sizes(inputs[0]))

    def _sizes(self, shape: Shape) -> tuple[Number, ...]:
        return tuple(
            rules.transposed_output_size(
                shape[axis + 1],
                self.kernel_size[axis],
                self._stride()[axis],
                rules.total_padding(self.padding[axis], self.padding[axis]),
                0,
            )
            for axis in range(self.rank)
        )

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations()

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        axes = zip(self.kernel_size, self._stride(), self.padding, strict=True)
        reads = tuple([Window(*axis, transposed=True) for axis in axes])
        return (reads, reads, None)[: len(inputs)]

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return self.describe(inputs) + f", {apart('×' + plain(self._stride()))}"

    def describe(self, inputs: Sequence[Shape]) -> str:
        return with_value(self.noun, by(self.kernel_size))

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [stride_in_words(self._stride()), padding_in_words(self.padding)]


MAX_UNPOOL_OF_RANK = Ranks(MaxUnpool, "max_unpool")


__getattr__ = class_of_rank(globals())
