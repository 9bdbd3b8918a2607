"""Ops that put the channels and positions of a map in another order."""

from collections.abc import Sequence
from math import gcd
from typing import Annotated, Any

from pydantic import BeforeValidator

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import Number, isqrt, product
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.ops import rules
from archcalc.ops.axes import (
    AxisName,
    axes_named,
    axis_of,
    by_position,
    for_each_axis,
    want_each_axis,
)
from archcalc.ops.base import (
    POINTS,
    REORDERED,
    Count,
    Letter,
    Pointwise,
    Reads,
    Size,
    Spans,
    Turned,
    Window,
    by,
    dividing,
    names,
)


class ChannelShuffle(Pointwise):
    """Reads the channels, which lie in `groups` rows, column by column. Source: Zhang et al. 2017, figure 1."""

    saves = ()
    kind = "channel_shuffle"
    stem = "shuffle"
    noun = "channel shuffle"
    words = names("shuffle|channelshuffle|перемешивание каналов|mezcla de canales|通道混洗")
    family = "shape"

    groups: Count

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if inputs[0][0] % self.groups:
            raise ShapeError(
                "groups does not divide the channels",
                f"input {format_shape(inputs[0])}, groups {self.groups}; the remainder is {inputs[0][0] % self.groups}",
                dividing("it fits with groups: {}", self.groups, inputs[0][0]),
            )

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"{say(self.noun)}, {several(self.groups, 'group')}"


def _want_names(value: Any) -> Any:
    """The names of axes as they are. Raises `ValueError` for numbers, with the names that they have in PyTorch."""
    numbers = list(value) if isinstance(value, (list, tuple)) else []
    if not numbers or any(type(number) is not int for number in numbers):
        return value
    if numbers[0] == 0 and 2 < len(numbers) < 6 and sorted(numbers) == list(range(len(numbers))):
        named = axes_named(numbers[1:])
        meant = (
            f"{numbers} of PyTorch, where the batch comes first, is [{', '.join(named[n - 1] for n in numbers[1:])}]"
        )
    else:
        meant = (
            "1 of PyTorch is channels, 2 and 3 are height and width of an image, 2 is length of a row; 0 is the batch"
        )
    raise ValueError(f"takes the names of axes, without the batch, not {numbers}: {meant}")


class Permute(Pointwise):
    """The axes in another order, channels first as in PyTorch: `dims` names the old axis for each new one."""

    saves = ()
    kind = "permute"
    stem = "permute"
    noun = "permute"
    words = names("permutation|permute axes|movedim|перестановка осей|permutar|维度置换")
    family = "shape"

    dims: Annotated[tuple[AxisName, ...], BeforeValidator(_want_names)]

    def order(self, shape: Shape) -> tuple[int, ...]:
        """The old axis for each new one, by index."""
        return tuple([axis_of(axis, shape) for axis in self.dims])

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if sorted(self.order(inputs[0])) != list(range(len(inputs[0]))):
            raise ShapeError(
                "dims does not name every axis once",
                f"dims [{', '.join(self.dims)}], input {format_shape(inputs[0])} "
                f"has {', '.join(axes_named(inputs[0]))}",
            )

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: rows and columns change places."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return tuple([inputs[0][axis] for axis in self.order(inputs[0])])

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        order = self.order(inputs[0])
        if order == tuple(range(len(order))):
            return (POINTS,)
        places = [order.index(axis) - 1 for axis in range(1, len(order))]
        return (Turned(tuple([None if place < 0 else place for place in places])),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("permute to {order}", order=", ".join(map(say, self.dims)))


class Transpose(Permute):
    """Two axes change places. Source: PyTorch, `transpose`."""

    kind = "transpose"
    stem = "transpose"
    noun = "transpose"
    words = names("transposition|swapaxes|swap axes|swapdims|транспонирование|transponer|转置|転置")

    dims: Annotated[tuple[AxisName, AxisName], BeforeValidator(_want_names)]

    def order(self, shape: Shape) -> tuple[int, ...]:
        first, second = (axis_of(axis, shape) for axis in self.dims)
        swapped = {first: second, second: first}
        return tuple([swapped.get(axis, axis) for axis in range(len(shape))])

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("transpose {first} and {second}", first=say(self.dims[0]), second=say(self.dims[1]))


class PixelShuffle(Pointwise):
    """r·r channels become a block of r×r positions of one. Source: Shi et al. 2016, equation 4."""

    saves = ()
    kind = "pixel_shuffle"
    stem = "shuffle"
    noun = "pixel shuffle"
    words = names("pixelshuffle|depth to space|depthtospace|sub pixel|subpixel convolution|субпиксельная|像素重组")
    family = "shape"

    upscale_factor: Annotated[Count, Letter("r", "factor")]

    def block(self, shape: Shape) -> Number:
        """Positions of a block."""
        return product((self.upscale_factor,) * (len(shape) - 1))

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        _want_positions(self, inputs[0])
        block = self.block(inputs[0])
        if inputs[0][0] % block:

            def fitting() -> str:
                blocks = inputs[0][0] // block
                fits = " or ".join([str(count * block) for count in (blocks, blocks + 1) if count])
                return f"it fits with {fits} channels"

            raise ShapeError(
                "the channels are not whole blocks of positions",
                f"input {format_shape(inputs[0])}, upscale_factor {self.upscale_factor}: {block} channels a block",
                fitting,
            )

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: it enlarges its map."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        grown = [size * self.upscale_factor for size in sizes]
        return (rules.group_depth(channels, self.block(inputs[0])), *grown)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        factor = self.upscale_factor
        return (tuple([Window(factor, factor, transposed=True)] * (len(inputs[0]) - 1)),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, f"×{self.upscale_factor}")


#: The largest factor that is proposed.
_LARGEST_FACTOR = 32


class PixelUnshuffle(Pointwise):
    """Blocks of r×r positions become channels: space to depth. Source: Redmon & Farhadi 2016, "passthrough" layer."""

    saves = ()
    kind = "pixel_unshuffle"
    stem = "unshuffle"
    noun = "pixel unshuffle"
    words = names("pixelunshuffle|space to depth|spacetodepth|reorg|focus|passthrough|пространство в глубину")
    family = "shape"

    downscale_factor: Annotated[Count, Letter("r", "factor")]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        _want_positions(self, inputs[0])
        for axis, size in zip(axes_named(inputs[0])[1:], inputs[0][1:], strict=True):
            if size % self.downscale_factor:
                raise ShapeError(
                    f"downscale_factor does not divide the {axis}",
                    f"input {format_shape(inputs[0])}, downscale_factor {self.downscale_factor}; "
                    f"the remainder is {size % self.downscale_factor}",
                    self._fit(inputs[0]),
                )

    def _fit(self, shape: Shape) -> str:
        """Factors that divide all sides, and the padding with which this one does."""
        rank, common = len(shape) - 1, gcd(*shape[1:])
        factors = [each for each in range(2, min(common, _LARGEST_FACTOR) + 1) if common % each == 0]
        padding = [0] * rank + [-size % self.downscale_factor for size in shape[1:]]
        padded = f"after zero_pad{rank}d: {{padding: {padding}}}"
        return (
            f"it fits with downscale_factor {' or '.join(map(str, factors))}, or {padded}"
            if factors
            else f"it fits {padded}"
        )

    def sliding(self, inputs: Sequence[Shape]) -> "PixelUnshuffle":
        return self

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        block = product((self.downscale_factor,) * len(sizes))
        return (channels * block, *(size // self.downscale_factor for size in sizes))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        factor = self.downscale_factor
        return (tuple([Window(factor, factor)] * (len(inputs[0]) - 1)),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, f"/{self.downscale_factor}")


class Tokens(Pointwise):
    """The positions in one row, H×W×C → (H·W)×C: what attention reads. Source: Dosovitskiy et al. 2020, equation 1."""

    saves = ()
    kind = "tokens"
    stem = "tokens"
    noun = "tokens"
    words = names("to tokens|tokenize|flatten positions|flatten spatial|to sequence|токены|в токены|序列化")
    family = "shape"
    in_place = True
    is_view = True

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: rows and columns are no longer apart."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], product(inputs[0][1:]))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (POINTS if len(inputs[0]) == 2 else REORDERED,)


class Grid(Pointwise):
    """A row of tokens as a map of this `size`, [height, width]; a square if it is not given."""

    saves = ()
    kind = "grid"
    stem = "grid"
    noun = "grid"
    words = names("to grid|untokenize|tokens to grid|unflatten|fold tokens|to map|сетка|в карту")
    family = "shape"
    in_place = True
    is_view = True

    size: tuple[Size, Size] | tuple[Size, Size, Size] | None = None

    def resolve(self, inputs: Sequence[Shape]) -> "Grid":
        if self.size is not None or len(inputs[0]) != 2:
            return self
        side = isqrt(inputs[0][1])
        if side * side != inputs[0][1]:
            raise ShapeError(
                "the tokens are no square, and no size is given",
                f"input {format_shape(inputs[0])}: {several(inputs[0][1], 'token')}; {side}×{side} has {side * side}",
                _rectangles(inputs[0][1]),
            )
        return Grid.model_construct(size=(side, side))

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if len(inputs[0]) != 2:
            raise ShapeError(
                "needs a row of tokens", f"input {format_shape(inputs[0])}; tokens puts positions in a row"
            )
        assert self.size is not None
        if product(self.size) != inputs[0][1]:
            raise ShapeError(
                "the size is another number of tokens",
                f"input {format_shape(inputs[0])}: {several(inputs[0][1], 'token')}; "
                f"size {'×'.join(map(str, self.size))} has {product(self.size)}",
                _rectangles(inputs[0][1]),
            )

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: the grid has a size of its own."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], *(self.size or ()))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (REORDERED,)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, "" if self.size is None else by(self.size))


def _rectangles(count: int) -> str:
    """The rectangle nearest to a square that has so many tokens, and the square with one token less."""
    rows = next(rows for rows in range(isqrt(count), 0, -1) if count % rows == 0)
    side = isqrt(count - 1)
    first = f"it fits with size: [{rows}, {count // rows}]"
    extra = f"; {side}×{side} with a class token, which narrow cuts off: {{axis: length, start: 1}}"
    return first + (extra if side > 1 and side * side == count - 1 else "")


class Roll(Pointwise):
    """Moves the map round by `shifts`, a number for each position axis: what leaves it comes in on the other side.

    Source: Liu et al. 2021 (Swin Transformer), figure 4; PyTorch, `roll`.
    """

    saves = ()
    kind = "roll"
    stem = "roll"
    noun = "roll"
    words = names("cyclic shift|circular shift|torch roll|shift|циклический сдвиг|循环移位")
    family = "shape"

    shifts: Annotated[tuple[int, ...], by_position(int)]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        _want_positions(self, inputs[0])
        want_each_axis("shifts", self.shifts, inputs[0])

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: what comes in on the other side depends on the size of the map."""

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        sizes = inputs[0][1:]
        shifts = for_each_axis(self.shifts, len(sizes)) or ()
        places = [
            [(index - shift) % int(size) for index in range(size)] for size, shift in zip(sizes, shifts, strict=True)
        ]
        return (tuple([Spans(tuple([(place, place) for place in axis])) for axis in places]),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("roll by {shifts}", shifts=", ".join(map(str, self.shifts)))


def _want_positions(op: Any, shape: Shape) -> None:
    """Raise `ShapeError` where a map is flat."""
    if len(shape) == 1:
        raise ShapeError(f"{op.kind} needs positions, but its input is flat", f"input {format_shape(shape)}")
