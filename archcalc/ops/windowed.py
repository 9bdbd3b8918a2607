"""What convolution and pooling share: a window that slides over height and width."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator

from archcalc.core.errors import ShapeError
from archcalc.core.numbers import Number, ceil_div
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.base import Letter, Margin, Op, Reads, SizePair, Window, want_image


class Sides(NamedTuple):
    """Padding in pixels on the four sides, in the order of ONNX: begin of each axis, then end of each axis."""

    top: Margin
    left: Margin
    bottom: Margin
    right: Margin


def _as_sides(value: Any) -> Any:
    if value == "valid":
        return (0, 0, 0, 0)
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return (value[0], value[1], value[0], value[1])
    if isinstance(value, (list, tuple)) and len(value) == 4:
        return value
    if isinstance(value, (list, tuple)) or (isinstance(value, str) and value != "same"):
        raise ValueError("should be a number, [height, width], [top, left, bottom, right], same or valid")
    return value if isinstance(value, str) else (value, value, value, value)


#: A number, [height, width], [top, left, bottom, right], `valid` (none) or `same` (⌈W/S⌉ positions; an odd pixel goes
#: to the bottom and right, as in TensorFlow).
Padding = Annotated[
    Sides | Literal["same"],
    BeforeValidator(
        _as_sides,
        json_schema_input_type=Margin
        | tuple[Margin, Margin]
        | tuple[Margin, Margin, Margin, Margin]
        | Literal["same", "valid"],
    ),
]
NO_PADDING = Sides(0, 0, 0, 0)
PADDING_LETTER = Letter("P", "padding on one side")
SidesPadding = Annotated[Padding, PADDING_LETTER]
KernelSize = Annotated[SizePair, Letter("F", "window")]
Stride = Annotated[SizePair, Letter("S", "stride")]


class Axis(NamedTuple):
    """One axis of a sliding window, with dilation and `same` already worked out."""

    size: Number
    window: Number
    stride: Number
    before: Number
    after: Number

    @property
    def padding(self) -> Number:
        return rules.total_padding(self.before, self.after)


class Windowed(Op):
    """An op with a window. Subclasses add what the window computes."""

    kernel_size: KernelSize
    stride: Stride = (1, 1)
    padding: SidesPadding = NO_PADDING
    dilation: Annotated[SizePair, Letter("d", "dilation", plain=1)] = (1, 1)
    #: An input that the windows do not tile is an error, as in U-Net, whose pools must meet even sizes.
    exact: bool = False

    def axis(self, shape: Shape, axis: int) -> Axis:
        """The window along the height (axis 0) or the width (axis 1)."""
        size = shape[axis + 1]
        window = rules.dilated_window(self.kernel_size[axis], self.dilation[axis])
        stride = self.stride[axis]
        if isinstance(self.padding, str):
            total = rules.same_padding(size, window, stride)
            return Axis(size, window, stride, total // 2, total - total // 2)
        return Axis(size, window, stride, self.padding[axis], self.padding[axis + 2])

    def positions(self, axis: Axis) -> Number:
        """How many windows fit along an axis."""
        return rules.window_output_size(axis.size, axis.window, axis.stride, axis.padding)

    def spatial_output(self, shape: Shape) -> tuple[Number, Number]:
        return self.positions(self.axis(shape, 0)), self.positions(self.axis(shape, 1))

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        shape = inputs[0]
        want_image(shape)
        for index in (0, 1):
            axis = self.axis(shape, index)
            if self.positions(axis) < 1:
                raise _window_too_large(self, shape, index)
            if (strict or self.exact) and rules.leftover(axis.size, axis.window, axis.stride, axis.padding):
                raise _does_not_tile(axis, "height" if index == 0 else "width")

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        axes = [self.axis(inputs[0], index) for index in range(len(self.kernel_size))]
        return (
            tuple(
                [
                    Window(axis.window, axis.stride, axis.before, dilation=dilation)
                    for axis, dilation in zip(axes, self.dilation, strict=True)
                ]
            ),
        )

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return self

    def window_summary(self) -> str:
        """The stride and dilation, where they are not 1."""
        stride = "" if self.stride == (1, 1) else f", /{plain(self.stride)}"
        dilation = "" if self.dilation == (1, 1) else f", dilation {plain(self.dilation)}"
        return stride + dilation

    def describe(self, inputs: Sequence[Shape]) -> str:
        return self.summary(inputs).partition(",")[0]

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        dilation = [] if self.dilation == (1, 1) else [f"dilation {plain(self.dilation)}"]
        return [f"stride {plain(self.stride)}", *dilation, padding_in_words(self.padding)]


def plain(sizes: Sequence[int]) -> str:
    """3 of (3, 3), else 1×3."""
    return str(sizes[0]) if len(set(sizes)) == 1 else "×".join(map(str, sizes))


def padding_in_words(padding: str | Sequence[int]) -> str:
    """No padding, padding 2, padding 0×3, padding top 0, left 1, bottom 0, right 2."""
    if isinstance(padding, str):
        return f"padding {padding}"
    if not any(padding):
        return "no padding"
    half = len(padding) // 2
    if len(padding) == 4 and padding[:half] != padding[half:]:
        return "padding " + ", ".join(f"{side} {value}" for side, value in zip(Sides._fields, padding, strict=True))
    return f"padding {plain(padding[:2])}"


def _window_too_large(op: Windowed, shape: Shape, index: int) -> ShapeError:
    axis = op.axis(shape, index)
    missing = -(-(axis.window - axis.size - axis.padding) // 2)
    padded = axis.before + missing if isinstance(axis.before, int) else missing
    fits = (axis.size + axis.padding - 1) // op.dilation[index] + 1
    dilation = f", dilation {op.dilation[index]}" if op.dilation[index] != 1 else ""
    return ShapeError(
        "the window is larger than its input",
        f"input {format_shape(shape)}, kernel_size {_as_written(op.kernel_size)}{dilation}, "
        f"padding {_as_written((axis.before, axis.after))}",
        f"it fits with padding: {padded}, or kernel_size: {fits}",
    )


def _as_written(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"[{pair[0]}, {pair[1]}]"


def _does_not_tile(axis: Axis, name: str) -> ShapeError:
    size, window, stride, padding = axis.size, axis.window, axis.stride, axis.padding
    rest = rules.leftover(size, window, stride, padding)
    floored = rules.window_output_size(size, window, stride, padding)
    ceiled = rules.ceil_window_output_size(size, window, stride, padding)
    same = ceil_div(size, stride)
    paddings = [total for total in (padding - rest, padding + stride - rest) if total >= 0]
    strides = [s for s in range(1, stride + 3) if (size - window + padding) % s == 0][-3:]
    pixels = f"{' or '.join(map(str, paddings))} {'pixel' if paddings == [1] else 'pixels'} of padding in all"
    return ShapeError(
        f"the windows do not tile the {name}: (W − F + 2P)/S + 1 is not whole",
        f"({size} − {window} + {padding})/{stride} + 1 leaves {rest} of {stride} over; "
        f"floor gives {floored}, ceil {ceiled}, padding: same {same}",
        f"whole with W = {size - rest} or {size + stride - rest}; with {pixels}; "
        f"with S = {' or '.join(map(str, strides))}",
    )
