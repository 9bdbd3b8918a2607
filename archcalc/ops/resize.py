"""Ops that change the size of a map: interpolation, and borders made of the map itself."""

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import Number
from archcalc.core.shapes import Shape, axes_in_words, format_shape
from archcalc.ops import rules
from archcalc.ops.axes import axes_named, by_position, for_each_axis, want_each_axis
from archcalc.ops.base import (
    POINT,
    UPSAMPLING,
    AxisReads,
    Count,
    Letter,
    Margin,
    Operations,
    Pointwise,
    Reads,
    Real,
    Size,
    Spans,
    Window,
    by,
    elements,
    names,
)

_TAPS = {"nearest": 1, "linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}
#: A decimal that is a fraction with no larger denominator is that fraction.
_LARGEST_DENOMINATOR = 10**6
#: In how many ways positions may read the map before they are listed instead, on maps that are not larger.
_MOST_PHASES = 4096
#: The number of position axes for which PyTorch has a mode.
_RANKS = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}


def _whole(value: Any) -> Any:
    """2 for 2.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Interpolate(Pointwise):
    """Another size: `size`, `scale_factor` times the old one, or that of a second map.

    `nearest` repeats values; the others weight neighbours by the distance of pixel centres, or with `align_corners` of
    corners: 2, 4 or 8 of them, and 16 for `bicubic` with a = −3/4. With `antialias` the filter of a smaller map is as
    much wider as the map is smaller, and a = −1/2. Source: PyTorch, `interpolate`; Keys 1981, eq. 15.
    """

    saves = ()
    kind = "interpolate"
    stem = "resize"
    noun = "interpolate"
    words = (
        *names(
            "upsample like|interpolation|resize like|bicubic upsampling|trilinear upsampling|bicubic|"
            "интерполяция|изменение размера|interpolación|redimensionar|插值|補間"
        ),
        *UPSAMPLING,
    )
    family = "shape"
    most_inputs = 2
    sized_by_second = True

    size: Annotated[tuple[Size, ...], by_position(Size)] | None = None
    #: A whole number, or a decimal: then sizes are rounded down, and positions are `1/scale_factor` apart, as in
    #: PyTorch without `recompute_scale_factor`.
    scale_factor: Annotated[
        Count | Annotated[Real, Field(gt=0, le=1 << 30)] | None, BeforeValidator(_whole), Letter("S", "scale")
    ] = None
    mode: Literal["nearest", "linear", "bilinear", "trilinear", "bicubic"] = "nearest"
    align_corners: bool = False
    antialias: bool = False

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        shape, rank = inputs[0], len(inputs[0]) - 1
        if rank == 0:
            raise ShapeError("interpolate needs positions, but its input is flat", f"input {format_shape(shape)}")
        given = [name for name in ("size", "scale_factor") if getattr(self, name) is not None]
        given += ["a second input"] * (len(inputs) == 2)
        if len(given) != 1:
            raise ShapeError(
                "needs one of size, scale_factor and a second input whose size it takes",
                f"given: {' and '.join(given) or 'none'}",
            )
        if self.size is not None:
            want_each_axis("size", self.size, shape)
        if len(inputs) == 2 and len(inputs[1]) != len(shape):
            raise ShapeError(
                "the map whose size is taken has other axes",
                f"input {format_shape(shape)}, to fit {format_shape(inputs[1])}",
            )
        if _RANKS.get(self.mode, rank) != rank:
            fits = [mode for mode in _TAPS if _RANKS.get(mode, rank) == rank]
            raise ShapeError(
                f"{self.mode} is for maps with {axes_in_words(_RANKS[self.mode])}",
                f"input {format_shape(shape)} has {axes_in_words(rank)}; it fits with mode: {' or '.join(fits)}",
            )
        if self.align_corners and self.mode == "nearest":
            raise ShapeError("nearest has no corners to align; align_corners is for the other modes")
        if self.antialias and isinstance(self.scale_factor, float):
            raise ShapeError("antialias takes a size or a whole scale_factor", f"scale_factor {self.scale_factor:g}")
        if self.antialias and (self.mode not in ("bilinear", "bicubic") or self.align_corners):
            raise ShapeError(
                "antialias is for bilinear and bicubic without aligned corners",
                f"mode: {self.mode}, align_corners: {str(self.align_corners).lower()}",
            )

        if isinstance(self.scale_factor, float):
            self._check_scale(shape, self.scale_factor)

    def _check_scale(self, shape: Shape, factor: float) -> None:
        for size, new in zip(shape[1:], self.sizes((shape,)), strict=True):
            product = size * factor  # PyTorch's own rule, in floating point
            given = f"input {format_shape(shape)}, scale_factor {factor:g}"
            if new < 1:
                raise ShapeError("nothing is left of a side", f"{given}; {size}·{factor:g} is less than 1")
            if int(product) != new:
                raise ShapeError(
                    "the size is not clear: the product with the scale is a whole number but for rounding",
                    f"{given}; PyTorch makes {int(product)} of {size}, exactly it is {new}",
                    "give the size instead of the scale_factor",
                )

    def scale(self) -> tuple[Number, Number]:
        """The scale as a fraction, the one that is meant by the decimal: 3/2 for 1.5, 2/3 for 0.6666666666666666."""
        factor = self.scale_factor
        if not isinstance(factor, float):
            return factor, 1
        near = Fraction(factor).limit_denominator(_LARGEST_DENOMINATOR)
        found = near if float(near) == factor else Fraction(str(factor))
        return found.numerator, found.denominator

    def step(self, old: Number, new: Number) -> tuple[Number, Number]:
        """Old positions from one new position to the next, as a fraction.

        As in PyTorch, a side that keeps its size keeps its values, whatever the decimal (not with `bicubic`), and one
        that doubles repeats each with `nearest`. Source: ATen, `nearest_idx`, `compute_source_index_and_lambda`.
        """
        plain = (new == old and self.mode != "bicubic") or (new == 2 * old and self.mode == "nearest")
        if plain or not isinstance(self.scale_factor, float):
            return old, new
        times, parts = self.scale()
        return parts, times

    def sizes(self, inputs: Sequence[Shape]) -> tuple[Number, ...]:
        """The positions of the output, axis by axis."""
        old = inputs[0][1:]
        if self.size is not None:
            return for_each_axis(self.size, len(old)) or ()
        if self.scale_factor is not None:
            times, parts = self.scale()
            return tuple([times * size // parts for size in old])
        return inputs[1][1:]

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: what lies between two pixels depends on the size of the map."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], *self.sizes(inputs))

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        if self.mode == "nearest":
            return Operations()
        if self.antialias:
            # How many old pixels a new one is made of depends on where it is.
            pairs = zip(inputs[0][1:], output[1:], strict=True)
            terms = output[0] * prod([sum(last - first + 1 for first, last in self._spans(*pair)) for pair in pairs])
            return Operations(additions=terms - elements(output), multiplications=terms)
        values, terms = elements(output), _TAPS[self.mode] ** (len(output) - 1)
        return Operations(additions=rules.sums(values, terms, 0), multiplications=terms * values)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        pairs = zip(inputs[0][1:], self.sizes(inputs), strict=True)
        reads = tuple([self._reads(old, new) for old, new in pairs])
        return (reads, None)[: len(inputs)]

    def _reads(self, old: int, new: int) -> AxisReads:
        if old == 1:
            return Window(new, new, transposed=True)  # all are copies of it
        step, parts = (old - 1, new - 1) if self.align_corners and new > 1 else self.step(old, new)
        shared = gcd(step, parts)
        moves, period = step // shared, parts // shared
        spans = tuple([self._span(index, int(old), int(new)) for index in range(min(period, max(new, _MOST_PHASES)))])
        return Spans(spans, moves=moves if len(spans) == period else None)

    def _spans(self, old: int, new: int) -> list[tuple[int, int]]:
        """What each new position is made of, within the map."""
        spans = [self._span(index, int(old), int(new)) for index in range(new)]
        return [(max(first, 0), min(last, old - 1)) for first, last in spans]

    def _span(self, index: int, old: int, new: int) -> tuple[int, int]:
        """The first and the last old position that a new one is made of; those outside repeat the edge."""
        step, parts = self.step(old, new)
        if self.mode == "nearest":
            return index * step // parts, index * step // parts
        if self.antialias and old > new:
            # The middle of the new pixel, and half of the filter on both sides of it, without its zero ends.
            middle, half = (2 * index + 1) * old + new, _TAPS[self.mode] * old
            return (middle - half) // (2 * new), -(-(middle + half) // (2 * new)) - 2
        # The place in the old grid is top/bottom, whole and rest.
        top, bottom = (
            (index * (old - 1), max(new - 1, 1)) if self.align_corners else ((2 * index + 1) * step - parts, 2 * parts)
        )
        whole, rest = divmod(top, bottom)
        before, after = (0, 0) if rest == 0 else (0, 1) if self.mode != "bicubic" else (-1, 2)
        return whole + before, whole + after

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [say("corners aligned")] if self.align_corners else []

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        mode = say("{mode} with antialiasing", mode=say(self.mode)) if self.antialias else say(self.mode)
        if self.scale_factor is not None:
            return f"{with_value(self.noun, f'×{self._written()}')}, {mode}"
        if self.size is not None:
            return say("interpolate to {size}, {mode}", size=by(self.size), mode=mode)
        return say("interpolate to a map, {mode}", mode=mode)

    def _written(self) -> str:
        """The scale as people write it: 1.5, or 2/3 where the decimal is long."""
        factor = self.scale_factor
        if isinstance(factor, float) and float(f"{factor:g}") == factor:
            return f"{factor:g}"
        times, parts = self.scale()
        return f"{times}" if parts == 1 else f"{times}/{parts}"


class BorderPad(Pointwise):
    """Positions around each channel, made of the map itself.

    `padding` is a number, one for each position axis, or those before each axis and then those after each.
    """

    family = "shape"
    #: How much larger than the padding a side must be.
    spare: ClassVar[int] = 0

    padding: Annotated[tuple[Margin, ...], by_position(Margin)]

    def margins(self, shape: Shape) -> list[tuple[int, int]]:
        """Positions before and after, axis by axis."""
        rank, given = len(shape) - 1, self.padding
        each = for_each_axis(given, rank)
        return list(zip(each or given[:rank], each or given[rank:], strict=True))

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        shape, rank = inputs[0], len(inputs[0]) - 1
        if rank == 0 or (for_each_axis(self.padding, rank) is None and len(self.padding) != 2 * rank):
            raise ShapeError(
                "padding needs a number for each position axis, or two",
                f"padding {list(self.padding)}, input {format_shape(shape)}",
            )
        for axis, size, sides in zip(axes_named(shape)[1:], shape[1:], self.margins(shape), strict=True):
            if self.spare >= 0 and max(sides) + self.spare > size:
                raise ShapeError(
                    f"the {axis} is too small for its padding",
                    f"input {format_shape(shape)}, padding {list(self.padding)}; "
                    f"at most {size - self.spare} can be made of a side of {size}",
                )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *sizes = inputs[0]
        padded = zip(sizes, self.margins(inputs[0]), strict=True)
        return (channels, *(size + rules.total_padding(before, after) for size, (before, after) in padded))

    def source(self, place: int, size: int) -> int:
        """The position, of `size` along an axis, whose values stand at a place that may lie outside."""
        raise NotImplementedError

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        """The border reads the positions whose values it repeats."""
        return (tuple([self._read(*axis) for axis in zip(inputs[0][1:], self.margins(inputs[0]), strict=True)]),)

    def _read(self, size: int, sides: tuple[int, int]) -> AxisReads:
        if sides == (0, 0):
            return POINT
        places = [self.source(place, size) for place in range(-sides[0], size + sides[1])]
        return Spans(tuple([(place, place) for place in places]))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, ", ".join(map(str, self.padding)))


class ReflectionPad(BorderPad):
    """The map reflected at its edge, which is not repeated. Source: PyTorch, `ReflectionPad2d`."""

    kind = "reflection_pad"
    stem = "pad"
    noun = "reflection pad"
    words = names("reflect pad|reflection padding|reflectionpad1d|reflectionpad3d|mirror pad|отражение|镜像填充")
    spare = 1

    def source(self, place: int, size: int) -> int:
        return size - 1 - abs(size - 1 - abs(place))


class ReplicationPad(BorderPad):
    """The values at the edge repeated. Source: PyTorch, `ReplicationPad2d`."""

    kind = "replication_pad"
    stem = "pad"
    noun = "replication pad"
    words = names("replicate pad|replication padding|replicationpad1d|replicationpad3d|edge pad|复制填充")
    spare = -1

    def source(self, place: int, size: int) -> int:
        return min(max(place, 0), size - 1)


class CircularPad(BorderPad):
    """The map goes on with its other side. Source: PyTorch, `CircularPad2d`."""

    kind = "circular_pad"
    stem = "pad"
    noun = "circular pad"
    words = names("circularpad|circular padding|circularpad1d|circularpad3d|wrap pad|periodic pad|循环填充")

    def source(self, place: int, size: int) -> int:
        return place % size
