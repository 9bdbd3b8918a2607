"""What convolution and pooling share: a window that slides over the position axes."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, field_validator

from archcalc.core.errors import ShapeError
from archcalc.core.language import apart, say
from archcalc.core.numbers import Number, ceil_div
from archcalc.core.shapes import AXES, Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.base import Letter, Margin, Op, Reads, Sizes, Spatial, Window


class Sides(tuple[int, ...]):
    """Positions added or cut off on every side, in the order of ONNX: begin of each axis, then end of each axis."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(Annotated[tuple[Margin, ...], AfterValidator(cls)])

    @classmethod
    def halves(cls, totals: Sequence[int]) -> "Sides":
        """A total for each axis, half of it on each side; an odd position goes to the end, as in TensorFlow."""
        return cls((*(total // 2 for total in totals), *(total - total // 2 for total in totals)))

    @property
    def begins(self) -> tuple[int, ...]:
        return self[: len(self) // 2]

    @property
    def ends(self) -> tuple[int, ...]:
        return self[len(self) // 2 :]

    @property
    def is_even(self) -> bool:
        """Whether the same number stands on all sides."""
        return len(set(self)) == 1


class Padded(Spatial):
    """An op that adds or cuts off positions on the sides of its axes; the fields `padding` and `margins`."""

    #: The words that `padding` may be.
    padding_words: ClassVar[tuple[str, ...]] = ("same", "valid")

    @classmethod
    def list_lengths(cls, name: str) -> tuple[int, ...]:
        return (cls.rank, 2 * cls.rank) if name in ("padding", "margins") else super().list_lengths(name)

    @field_validator(
        "padding", "margins",
        mode="before", check_fields=False,
        json_schema_input_type=Margin | tuple[Margin, ...] | Literal["same", "valid"],
    )  # fmt: skip
    @classmethod
    def _sides(cls, value: Any) -> Any:
        """All sides: of a number, of one for each axis, or of begin and end of each axis."""
        if value is None or (value == "same" and "same" in cls.padding_words):
            return value
        if value == "valid" and "valid" in cls.padding_words:
            return (0,) * 2 * cls.rank
        if isinstance(value, (list, tuple)) and len(value) == 2 * cls.rank:
            return value
        if isinstance(value, (list, tuple)) and len(value) == cls.rank:
            return (*value, *value)
        if isinstance(value, (list, tuple, str)):
            wanted = ["a number", *([f"[{', '.join(AXES[cls.rank])}]"] if cls.rank > 1 else [])]
            wanted += [f"[{', '.join(side_names(cls.rank))}]", *cls.padding_words]
            raise ValueError(f"should be {', '.join(wanted[:-1])} or {wanted[-1]}")
        return (value,) * 2 * cls.rank


def side_names(rank: int) -> tuple[str, ...]:
    """The sides in the order of `Sides`."""
    if rank == 1:
        return ("begin", "end")
    if rank == 2:
        return ("top", "left", "bottom", "right")
    return ("front", "top", "left", "back", "bottom", "right")


#: All sides (a number, one for each axis, or begin and end of each axis), `valid` (none) or `same` (⌈W/S⌉ positions; an
#: odd one goes to the end of the axis, as in TensorFlow).
Padding = Sides | Literal["same"]
PADDING_LETTER = Letter("P", "padding on one side")
SidesPadding = Annotated[Padding, PADDING_LETTER]
KernelSize = Annotated[Sizes, Letter("F", "window")]
Stride = Annotated[Sizes, Letter("S", "stride")]
Dilation = Annotated[Sizes, Letter("d", "dilation", plain=1)]


def by_default(value: Any, **more: Any) -> Any:
    """The default of a setting that has one value for each axis; `more` goes to pydantic's `Field`."""
    return Field(default=value, validate_default=True, **more)


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


class Windowed(Padded):
    """An op with a window. Subclasses add what the window computes."""

    kernel_size: KernelSize
    stride: Stride = by_default(1)
    padding: SidesPadding = by_default(0)
    dilation: Dilation = by_default(1)
    #: An input that the windows do not tile is an error, as in U-Net, whose pools must meet even sizes.
    exact: bool = False

    def axis(self, shape: Shape, axis: int) -> Axis:
        """The window along a position axis, counted from 0."""
        size = shape[axis + 1]
        window = rules.dilated_window(self.kernel_size[axis], self.dilation[axis])
        stride = self.stride[axis]
        if isinstance(self.padding, str):
            total = rules.same_padding(size, window, stride)
            return Axis(size, window, stride, total // 2, total - total // 2)
        return Axis(size, window, stride, self.padding[axis], self.padding[axis + self.rank])

    def axes(self, shape: Shape) -> tuple[Axis, ...]:
        """The window along every position axis."""
        return tuple([self.axis(shape, axis) for axis in range(self.rank)])

    def sides(self, shape: Shape) -> Sides:
        """The padding on every side of an input, that of `same` too."""
        axes = self.axes(shape)
        return Sides((*(axis.before for axis in axes), *(axis.after for axis in axes)))

    def positions(self, axis: Axis) -> Number:
        """How many windows fit along an axis."""
        return rules.window_output_size(axis.size, axis.window, axis.stride, axis.padding)

    def spatial_output(self, shape: Shape) -> tuple[Number, ...]:
        return tuple([self.positions(axis) for axis in self.axes(shape)])

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        shape = inputs[0]
        self.want_positions(shape)
        for index, axis in enumerate(self.axes(shape)):
            if self.positions(axis) < 1:
                raise _window_too_large(self, shape, index)
            if (strict or self.exact) and rules.leftover(axis.size, axis.window, axis.stride, axis.padding):
                raise _does_not_tile(axis, AXES[self.rank][index])

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        reads = [
            Window(axis.window, axis.stride, axis.before, dilation=dilation)
            for axis, dilation in zip(self.axes(inputs[0]), self.dilation, strict=True)
        ]
        return (tuple(reads),)

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return self

    def window_summary(self) -> str:
        """The stride and dilation, where they are not 1."""
        stride = "" if set(self.stride) == {1} else f", {apart('/' + plain(self.stride))}"
        dilation = "".join(f", {words}" for words in dilation_in_words(self.dilation))
        return stride + dilation

    def describe(self, inputs: Sequence[Shape]) -> str:
        return self.summary(inputs).partition(",")[0]

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [stride_in_words(self.stride), *dilation_in_words(self.dilation), padding_in_words(self.padding)]


def plain(sizes: Sequence[int]) -> str:
    """3 of (3, 3), else 1×3."""
    return str(sizes[0]) if len(set(sizes)) == 1 else "×".join(map(str, sizes))


def stride_in_words(stride: Sequence[int]) -> str:
    """Stride 2; stride 1×2."""
    return say("stride {size}", size=plain(stride))


def dilation_in_words(dilation: Sequence[int]) -> list[str]:
    """Dilation 2; nothing where it is 1."""
    return [] if set(dilation) == {1} else [say("dilation {size}", size=plain(dilation))]


def padding_in_words(padding: str | Sequence[int]) -> str:
    """No padding, padding 2, padding 0×3, padding top 0, left 1, bottom 0, right 2."""
    if isinstance(padding, str):
        return say("padding {size}", size=padding)
    if not any(padding):
        return say("no padding")
    sides = Sides(padding)
    if sides.begins != sides.ends:
        named = zip(side_names(len(sides) // 2), sides, strict=True)
        return say("padding {size}", size=", ".join(f"{say(side)} {value}" for side, value in named))
    return say("padding {size}", size=plain(sides.begins))


def _window_too_large(op: Windowed, shape: Shape, index: int) -> ShapeError:
    def given() -> str:
        axis, step = op.axis(shape, index), op.dilation[index]
        dilation = f", dilation {step}" if step != 1 else ""
        kernel, padding = _as_written(op.kernel_size), _as_written((axis.before, axis.after))
        return f"input {format_shape(shape)}, kernel_size {kernel}{dilation}, padding {padding}"

    def fitting() -> str:
        axis = op.axis(shape, index)
        missing = -(-(axis.window - axis.size - axis.padding) // 2)
        padded = axis.before + missing if isinstance(axis.before, int) else missing
        fits = (axis.size + axis.padding - 1) // op.dilation[index] + 1
        return f"it fits with padding: {padded}, or kernel_size: {fits}"

    return ShapeError("the window is larger than its input", given, fitting)


def _as_written(sizes: Sequence[int]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else str(list(sizes))


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
