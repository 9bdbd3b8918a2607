"""Ops that cut positions off, or add some: crops, slices, zeros around, channels of zeros, upsampling."""

from collections.abc import Sequence
from typing import Annotated, Literal

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import ceil_div
from archcalc.core.shapes import Shape, axes_in_words, format_shape
from archcalc.ops import rules
from archcalc.ops.base import (
    COPIES,
    UPSAMPLING,
    Count,
    Letter,
    Margin,
    Margins,
    Op,
    Operations,
    Pointwise,
    Reads,
    Sizes,
    Spatial,
    Window,
    by,
    elements,
    names,
)
from archcalc.ops.ranks import Ranks, class_of_rank
from archcalc.ops.windowed import Padded, Sides, SidesPadding, by_default, plain


class Crop(Pointwise, Padded):
    """Cuts margins off; with a second input, cuts the first to the second's positions, around the centre.

    An odd pixel more is cut at the bottom and right. Source: Ronneberger et al. 2015, figure 1 (copy and crop).
    """

    saves = ()
    stem = "crop"
    noun = "crop"
    words = (*names("crop|cropping|center crop|centre crop|обрезка|кроп|裁剪"), *COPIES)
    family = "shape"
    most_inputs = 2
    sized_by_second = True

    padding_words = ()

    margins: Annotated[Sides | None, Letter("M", "margin cut off")] = None

    def resolve(self, inputs: Sequence[Shape]) -> "Crop":
        if len(inputs) == 1 or self.margins is not None:
            return self
        for shape in inputs:
            self.want_positions(shape)
        spare = [map_size - size for map_size, size in zip(inputs[0][1:], inputs[1][1:], strict=True)]
        if min(spare) < 0:
            raise ShapeError(
                "the map to crop is smaller than the map to fit",
                f"map {format_shape(inputs[0])}, to fit {format_shape(inputs[1])}",
            )
        return self.model_copy(update={"margins": Sides.halves(spare)})

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        self.want_positions(inputs[0])
        if self.margins is None:
            raise ShapeError("needs margins, or a second input whose size it takes")
        if min(self.output_shape(inputs)) < 1:
            raise ShapeError(
                "the margins leave nothing",
                f"input {format_shape(inputs[0])}, margins {list(self.margins)}",
            )

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return self if len(inputs) == 1 else None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        margins = self.margins or Sides((0,) * 2 * self.rank)
        return (channels, *(size - b - e for size, b, e in zip(sizes, margins.begins, margins.ends, strict=True)))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        margins = self.margins or Sides((0,) * 2 * self.rank)
        kept = tuple([Window(1, before=-margin) for margin in margins.begins])
        return (kept, None)[: len(inputs)]

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        if self.margins is None:
            return say(self.noun)
        return with_value(self.noun, _margins(self.margins))


CROP_OF_RANK = Ranks(Crop, "crop")


def _margins(sides: Sides) -> object:
    return sides[0] if sides.is_even else list(sides)


class Slice(Pointwise, Spatial):
    """Every `step`-th position of each axis, from `start` on."""

    saves = ()
    stem = "slice"
    noun = "slice"
    words = names("slice|slicing|strided slice|срез")
    family = "shape"

    step: Annotated[Sizes, Letter("S", "step")] = by_default(1)
    start: Annotated[Margins, Letter("O", "first row or column taken")] = by_default(0)

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        self.want_positions(inputs[0])
        if min(self.output_shape(inputs)) < 1:
            raise ShapeError(
                "the slice starts after the last row or column",
                f"input {format_shape(inputs[0])}, start {list(self.start)}",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        kept = (ceil_div(size - start, step) for size, start, step in zip(sizes, self.start, self.step, strict=True))
        return (channels, *kept)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (tuple([Window(1, step, -start) for step, start in zip(self.step, self.start, strict=True)]),)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        start = [say("from {start}", start=plain(self.start))] if any(self.start) else []
        return [say("step {size}", size=plain(self.step)), *start]

    def describe(self, inputs: Sequence[Shape]) -> str:
        return say(self.noun)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("slice, /{step}", step=plain(self.step))


SLICE_OF_RANK = Ranks(Slice, "slice")


class ZeroPad(Pointwise, Padded):
    """Zeros around each channel.

    `same`: those that a window of this `kernel_size` and `stride` would take. Source: TensorFlow, `padding="SAME"`.
    """

    saves = ()
    stem = "pad"
    noun = "zero pad"
    words = names("zero pad|zero padding|pad|padding|zeropad|дополнение нулями|паддинг|填充|零填充")
    family = "shape"

    padding_words = ("same",)

    padding: SidesPadding
    kernel_size: Sizes = by_default(1)
    stride: Sizes = by_default(1)

    def resolve(self, inputs: Sequence[Shape]) -> "ZeroPad":
        self.want_positions(inputs[0])
        if self.padding != "same":
            return self
        axes = zip(inputs[0][1:], self.kernel_size, self.stride, strict=True)
        return self.model_copy(update={"padding": Sides.halves([rules.same_padding(*axis) for axis in axes])})

    def sides(self) -> Sides:
        assert self.padding != "same"
        return self.padding

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        both = zip(sizes, self.sides().begins, self.sides().ends, strict=True)
        return (channels, *(size + rules.total_padding(begin, end) for size, begin, end in both))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (tuple([Window(1, before=margin) for margin in self.sides().begins]),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, _margins(self.sides()))


ZERO_PAD_OF_RANK = Ranks(ZeroPad, "zero_pad")


class PadChannels(Pointwise):
    """Channels of zeros before and after: the shortcut without parameters. Source: He et al. 2015, option A.

    With `out_channels` the rest is added: after them unless `before` is given, evenly where `before` is `half`.
    """

    saves = ()
    kind = "pad_channels"
    stem = "pad"
    noun = "pad channels"
    words = names("pad channels|channel padding|zero channels")
    family = "shape"

    before: Annotated[Margin | Literal["half"], Letter("C_b", "channels before", plain=0)] = 0
    after: Annotated[Margin | None, Letter("C_a", "channels after", plain=0)] = None
    out_channels: Count | None = None

    def resolve(self, inputs: Sequence[Shape]) -> "PadChannels":
        if self.out_channels is None and self.before != "half":
            return self
        missing = (self.out_channels or 0) - inputs[0][0]
        before = missing // 2 if self.before == "half" else self.before
        if self.out_channels is None or self.after is not None or missing < 0 or before > missing:
            raise ShapeError(
                "out_channels is too small for the channels of the input and `before`, and it takes no `after`",
                f"input {format_shape(inputs[0])}, out_channels {self.out_channels}, before {self.before}",
            )
        return PadChannels.model_construct(before=before, after=missing - before, out_channels=None)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        assert self.before != "half"
        return (self.before + inputs[0][0] + (self.after or 0), *inputs[0][1:])

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, f"{self.before} + {self.after or 0}")


class Upsample(Pointwise, Spatial):
    """Enlarges each channel by a whole factor, by repeating values or by linear interpolation (pixel centres)."""

    saves = ()
    stem = "upsample"
    noun = "upsample"
    words = UPSAMPLING
    family = "shape"

    scale: Annotated[Sizes, Letter("S", "scale")] = by_default(2)
    mode: Literal["nearest", "linear", "bilinear", "trilinear"] = "nearest"

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        self.want_positions(inputs[0])
        wanted = ("linear", "bilinear", "trilinear")[self.rank - 1]
        if self.mode not in ("nearest", wanted):
            raise ShapeError(
                f"mode: {self.mode} is not for maps with {axes_in_words(self.rank)}",
                f"input {format_shape(inputs[0])}",
                f"use mode: {wanted}",
            )

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        return (channels, *(factor * size for factor, size in zip(self.scale, sizes, strict=True)))

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        if self.mode == "nearest":
            return Operations()
        # Linear: two weighted neighbours a value along each axis, so four in a bilinear mean.
        neighbours = 2**self.rank
        values = elements(output)
        return Operations(additions=rules.sums(values, neighbours, 0), multiplications=neighbours * values)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        if self.mode == "nearest":
            return (tuple([Window(factor, factor, transposed=True) for factor in self.scale]),)
        # The triangle of half-width `factor` around each pixel centre, without its zero ends.
        triangles = [Window(2 * factor - factor % 2, factor, factor // 2, transposed=True) for factor in self.scale]
        return (tuple(triangles),)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [say(self.mode)]

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        is_even = len(set(self.scale)) == 1
        if not is_even:
            return with_value(self.noun, by(self.scale))
        return f"{with_value(self.noun, f'×{self.scale[0]}')}, {say(self.mode)}"


UPSAMPLE_OF_RANK = Ranks(Upsample, "upsample")


__getattr__ = class_of_rank(globals())
