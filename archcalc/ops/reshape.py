"""Ops that move values without calculating: shapes, cropping, slicing, padding, upsampling."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer

from archcalc.core.errors import ShapeError, UsageError
from archcalc.core.numbers import ceil_div
from archcalc.core.shapes import Shape, format_shape, parse_image_shape, spec_shape
from archcalc.ops import rules
from archcalc.ops.base import (
    POINTS,
    REORDERED,
    Count,
    Letter,
    Margin,
    MarginPair,
    Op,
    Operations,
    Pointwise,
    Reads,
    SizePair,
    Window,
    by,
    elements,
    names,
    want_image,
)
from archcalc.ops.windowed import PADDING_LETTER, Sides, plain


def _as_sides(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return (value[0], value[1], value[0], value[1]) if len(value) == 2 else value
    return value if isinstance(value, str) else (value, value, value, value)


#: A number, [height, width] or [top, left, bottom, right].
Margins = Annotated[
    Sides,
    BeforeValidator(
        _as_sides,
        json_schema_input_type=Margin | tuple[Margin, Margin] | tuple[Margin, Margin, Margin, Margin],
    ),
]


class Input(Pointwise):
    """The network's input; it stores the image."""

    kind = "input"
    stem = "input"
    noun = "input"
    words = names(
        "input|image|data|in|input image|вход|изображение|входное изображение|entrada|imagen|imagem|eingabe|"
        "entrée|bild|输入|入力|קלט|մուտք"
    )
    family = "input"
    fewest_inputs = 0
    most_inputs = 0

    shape: tuple[int, ...]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.shape

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return ""


class Identity(Pointwise):
    """The input itself, under another name."""

    kind = "identity"
    stem = "identity"
    noun = "identity"
    words = names("identity|shortcut|skip|skip connection|тождество|тождественный")
    family = "shape"
    in_place = True
    is_view = True


class Flatten(Pointwise):
    """All values in one row, channel by channel."""

    kind = "flatten"
    stem = "flatten"
    noun = "flatten"
    words = names(
        "flatten|reshape|view|flat|vectorize|unroll|выпрямление|развёртка|развертка|вектор|aplanar|"
        "aplanamiento|achatar|aplatir|展平|平坦化"
    )
    family = "shape"
    in_place = True
    is_view = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (elements(inputs[0]),)

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return Identity()


def _as_shape(value: Any) -> Any:
    if isinstance(value, int):
        return (value,)
    if isinstance(value, list):
        raise ValueError("should be written height×width×channels, as in 7x7x512, or a number")
    if isinstance(value, tuple) and len(value) not in (1, 3):
        raise ValueError("a shape is height×width×channels, or one number")
    if isinstance(value, str):
        try:
            return parse_image_shape(value)
        except UsageError as error:
            raise ValueError(str(error)) from error
    return value


class Reshape(Pointwise):
    """The same values in the same order under another shape: `height×width×channels`, or a number for a flat one."""

    kind = "reshape"
    stem = "reshape"
    noun = "reshape"
    words = names("reshape|view")
    family = "shape"
    in_place = True
    is_view = True

    shape: Annotated[
        tuple[Margin, ...], BeforeValidator(_as_shape, json_schema_input_type=str | int), PlainSerializer(spec_shape)
    ]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if elements(inputs[0]) != elements(self.shape):
            raise ShapeError(
                "the number of values changes",
                f"input {format_shape(inputs[0])} has {elements(inputs[0]):,} values, "
                f"{format_shape(self.shape)} has {elements(self.shape):,}",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.shape

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return None

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        # A flat map keeps what its values saw.
        return (POINTS if len(self.shape) == 1 or self.shape == inputs[0] else REORDERED,)


class Crop2d(Pointwise):
    """Cuts margins off; with a second input, cuts the first to the second's height and width, around the centre.

    An odd pixel more is cut at the bottom and right. Source: Ronneberger et al. 2015, figure 1 (copy and crop).
    """

    kind = "crop2d"
    stem = "crop"
    noun = "crop"
    words = names("crop|cropping|center crop|centre crop|обрезка|кроп|裁剪")
    family = "shape"
    most_inputs = 2

    margins: Annotated[Margins | None, Letter("M", "margin cut off")] = None

    def resolve(self, inputs: Sequence[Shape]) -> "Crop2d":
        if len(inputs) == 1 or self.margins is not None:
            return self
        for shape in inputs:
            want_image(shape)
        spare = [inputs[0][axis] - inputs[1][axis] for axis in (1, 2)]
        if min(spare) < 0:
            raise ShapeError(
                "the map to crop is smaller than the map to fit",
                f"map {format_shape(inputs[0])}, to fit {format_shape(inputs[1])}",
            )
        top, left = (pixels // 2 for pixels in spare)
        return Crop2d.model_construct(margins=Sides(top, left, spare[0] - top, spare[1] - left))

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        want_image(inputs[0])
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
        channels, height, width = inputs[0]
        margins = self.margins or Sides(0, 0, 0, 0)
        return (channels, height - margins.top - margins.bottom, width - margins.left - margins.right)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        margins = self.margins or Sides(0, 0, 0, 0)
        kept = (Window(1, before=-margins.top), Window(1, before=-margins.left))
        return (kept, None)[: len(inputs)]

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        if self.margins is None:
            return "crop"
        margin: object = self.margins.top if len(set(self.margins)) == 1 else list(self.margins)
        return f"crop {margin}"


class Slice2d(Pointwise):
    """Every `step`-th row and column, from `start` on."""

    kind = "slice2d"
    stem = "slice"
    noun = "slice"
    words = names("slice|slicing|strided slice|срез")
    family = "shape"

    step: Annotated[SizePair, Letter("S", "step")] = (1, 1)
    start: Annotated[MarginPair, Letter("O", "first row or column taken")] = (0, 0)

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        want_image(inputs[0])
        if min(self.output_shape(inputs)) < 1:
            raise ShapeError(
                "the slice starts after the last row or column",
                f"input {format_shape(inputs[0])}, start {list(self.start)}",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        kept = (ceil_div(sizes[axis] - self.start[axis], self.step[axis]) for axis in (0, 1))
        return (channels, *kept)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        height, width = (Window(1, self.step[axis], -self.start[axis]) for axis in (0, 1))
        return ((height, width),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"slice, /{plain(self.step)}"


class ZeroPad2d(Pointwise):
    """Rows and columns of zeros around each channel.

    `same`: those that a window of this `kernel_size` and `stride` would take. Source: TensorFlow, `padding="SAME"`.
    """

    kind = "zero_pad2d"
    stem = "pad"
    noun = "zero pad"
    words = names("zero pad|zero padding|pad|padding|zeropad|дополнение нулями|паддинг|填充|零填充")
    family = "shape"

    padding: Annotated[Margins | Literal["same"], PADDING_LETTER]
    kernel_size: SizePair = (1, 1)
    stride: SizePair = (1, 1)

    def resolve(self, inputs: Sequence[Shape]) -> "ZeroPad2d":
        want_image(inputs[0])
        if self.padding != "same":
            return self
        totals = [rules.same_padding(inputs[0][axis + 1], self.kernel_size[axis], self.stride[axis]) for axis in (0, 1)]
        top, left = (total // 2 for total in totals)
        sides = Sides(top, left, totals[0] - top, totals[1] - left)
        return ZeroPad2d.model_construct(padding=sides, kernel_size=self.kernel_size, stride=self.stride)

    def _sides(self) -> Sides:
        assert self.padding != "same"
        return self.padding

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = inputs[0]
        top, left, bottom, right = self._sides()
        return (channels, height + rules.total_padding(top, bottom), width + rules.total_padding(left, right))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        sides = self._sides()
        return ((Window(1, before=sides.top), Window(1, before=sides.left)),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        sides = self._sides()
        margin: object = sides.top if len(set(sides)) == 1 else list(sides)
        return f"zero pad {margin}"


class PadChannels(Pointwise):
    """Channels of zeros before and after: the shortcut without parameters. Source: He et al. 2015, option A.

    With `out_channels` the rest is added: after them unless `before` is given, evenly where `before` is `half`.
    """

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
        return f"pad channels {self.before} + {self.after or 0}"


class Upsample2d(Pointwise):
    """Enlarges each channel by a whole factor, by repeating values or by bilinear interpolation (pixel centres)."""

    kind = "upsample2d"
    stem = "upsample"
    noun = "upsample"
    words = names(
        "upsample|upsampling|up sampling|unsampling|interpolate|resize|nearest upsampling|"
        "bilinear upsampling|апсемплинг|апсэмплинг|повышение разрешения|上采样|アップサンプリング"
    )
    family = "shape"

    scale: Annotated[SizePair, Letter("S", "scale")] = (2, 2)
    mode: Literal["nearest", "bilinear"] = "nearest"

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        want_image(inputs[0])

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = inputs[0]
        return (channels, self.scale[0] * height, self.scale[1] * width)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        # Bilinear: four weighted neighbours a value.
        weighted = elements(output) if self.mode == "bilinear" else 0
        return Operations(additions=3 * weighted, multiplications=4 * weighted)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        if self.mode == "nearest":
            height, width = (Window(factor, factor, transposed=True) for factor in self.scale)
        else:
            # The triangle of half-width `factor` around each pixel centre, without its zero ends.
            height, width = (
                Window(2 * factor - factor % 2, factor, factor // 2, transposed=True) for factor in self.scale
            )
        return ((height, width),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return (
            f"upsample ×{self.scale[0]}, {self.mode}"
            if self.scale[0] == self.scale[1]
            else f"upsample {by(self.scale)}"
        )
