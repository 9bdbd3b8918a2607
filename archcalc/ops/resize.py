"""Ops that change the size of a map: interpolation, and borders made of the map itself."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import Number
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.axes import axes_named, by_position
from archcalc.ops.base import (
    AxisReads,
    Count,
    Letter,
    Margin,
    Operations,
    Pointwise,
    Reads,
    Size,
    Spans,
    Window,
    by,
    elements,
    names,
)

_TAPS = {"nearest": 1, "linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}
#: The number of position axes for which PyTorch has a mode.
_RANKS = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}


class Interpolate(Pointwise):
    """Another size: `size`, `scale_factor` times the old one, or that of a second map.

    `nearest` repeats values; the others weight neighbours by the distance of pixel centres, or with `align_corners` of
    corners: 2, 4 or 8 of them, and 16 for `bicubic` with a = −3/4. Source: PyTorch, `interpolate`; Keys 1981, eq. 15.
    """

    saves = ()
    kind = "interpolate"
    stem = "resize"
    noun = "interpolate"
    words = names(
        "upsample like|interpolation|resize like|bicubic upsampling|trilinear upsampling|bicubic|"
        "интерполяция|изменение размера|interpolación|redimensionar|插值|補間"
    )
    family = "shape"
    most_inputs = 2

    size: Annotated[
        tuple[Size, ...] | None,
        BeforeValidator(lambda value: None if value is None else by_position(value),
                        json_schema_input_type=Size | tuple[Size, ...] | None),
    ] = None  # fmt: skip
    scale_factor: Annotated[Count | None, Letter("S", "scale")] = None
    mode: Literal["nearest", "linear", "bilinear", "trilinear", "bicubic"] = "nearest"
    align_corners: bool = False

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
        if self.size is not None and len(self.size) not in (1, rank):
            raise ShapeError(
                "size needs a number for each position axis", f"size {list(self.size)}, input {format_shape(shape)}"
            )
        if len(inputs) == 2 and len(inputs[1]) != len(shape):
            raise ShapeError(
                "the map whose size is taken has other axes",
                f"input {format_shape(shape)}, to fit {format_shape(inputs[1])}",
            )
        if _RANKS.get(self.mode, rank) != rank:
            fits = [mode for mode in _TAPS if _RANKS.get(mode, rank) == rank]
            raise ShapeError(
                f"{self.mode} is for maps with {_RANKS[self.mode]} position axes",
                f"input {format_shape(shape)} has {rank}; it fits with mode: {' or '.join(fits)}",
            )
        if self.align_corners and self.mode == "nearest":
            raise ShapeError("nearest has no corners to align; align_corners is for the other modes")

    def sizes(self, inputs: Sequence[Shape]) -> tuple[Number, ...]:
        """The positions of the output, axis by axis."""
        old = inputs[0][1:]
        if self.size is not None:
            return self.size if len(self.size) == len(old) else self.size * len(old)
        if self.scale_factor is not None:
            return tuple([self.scale_factor * size for size in old])
        return inputs[1][1:]

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: what lies between two pixels depends on the size of the map."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], *self.sizes(inputs))

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        if self.mode == "nearest":
            return Operations()
        values, terms = elements(output), _TAPS[self.mode] ** (len(output) - 1)
        return Operations(additions=rules.sums(values, terms, 0), multiplications=terms * values)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        pairs = zip(inputs[0][1:], self.sizes(inputs), strict=True)
        reads = tuple([self._reads(old, new) for old, new in pairs])
        return (reads, None)[: len(inputs)]

    def _reads(self, old: int, new: int) -> AxisReads:
        factor = self.scale_factor
        if factor is not None and self.mode == "nearest":
            return Window(factor, factor, transposed=True)
        if factor is not None and self.mode != "bicubic" and not self.align_corners:
            # The triangle of half-width `factor` around each pixel centre, without its zero ends.
            return Window(2 * factor - factor % 2, factor, factor // 2, transposed=True)
        return Spans(tuple([self._span(index, int(old), int(new)) for index in range(new)]))

    def _span(self, index: int, old: int, new: int) -> tuple[int, int]:
        """The first and the last old position that a new one is made of."""
        if self.mode == "nearest":
            return index * old // new, index * old // new
        # The place in the old grid is top/bottom, whole and rest.
        top, bottom = (
            (index * (old - 1), max(new - 1, 1)) if self.align_corners else ((2 * index + 1) * old - new, 2 * new)
        )
        if self.mode != "bicubic":
            top = max(top, 0)
        whole, rest = divmod(top, bottom)
        reach = (0, 0) if rest == 0 else (0, 1) if self.mode != "bicubic" else (-1, 2)
        first, last = (min(max(whole + step, 0), old - 1) for step in reach)
        return first, last

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        if self.scale_factor is not None:
            return f"{with_value(self.noun, f'×{self.scale_factor}')}, {say(self.mode)}"
        if self.size is not None:
            return say("interpolate to {size}, {mode}", size=by(self.size), mode=say(self.mode))
        return say("interpolate to a map, {mode}", mode=say(self.mode))


class BorderPad(Pointwise):
    """Positions around each channel, made of the map itself.

    `padding` is a number, one for each position axis, or those before each axis and then those after each.
    """

    family = "shape"
    #: How much larger than the padding a side must be.
    spare: ClassVar[int] = 0

    padding: Annotated[
        tuple[Margin, ...], BeforeValidator(by_position, json_schema_input_type=Margin | tuple[Margin, ...])
    ]

    def margins(self, shape: Shape) -> list[tuple[int, int]]:
        """Positions before and after, axis by axis."""
        rank, given = len(shape) - 1, self.padding
        if len(given) == 2 * rank:
            return list(zip(given[:rank], given[rank:], strict=True))
        return [(side, side) for side in (given * rank if len(given) == 1 else given)]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        shape, rank = inputs[0], len(inputs[0]) - 1
        if rank == 0 or len(self.padding) not in (1, rank, 2 * rank):
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

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        """As for zeros: the border counts as padding."""
        return (tuple([Window(1, before=before) for before, _ in self.margins(inputs[0])]),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, ", ".join(map(str, self.padding)))


class ReflectionPad(BorderPad):
    """The map reflected at its edge, which is not repeated. Source: PyTorch, `ReflectionPad2d`."""

    kind = "reflection_pad"
    stem = "pad"
    noun = "reflection pad"
    words = names("reflect pad|reflection padding|reflectionpad1d|reflectionpad3d|mirror pad|отражение|镜像填充")
    spare = 1


class ReplicationPad(BorderPad):
    """The values at the edge repeated. Source: PyTorch, `ReplicationPad2d`."""

    kind = "replication_pad"
    stem = "pad"
    noun = "replication pad"
    words = names("replicate pad|replication padding|replicationpad1d|replicationpad3d|edge pad|复制填充")
    spare = -1


class CircularPad(BorderPad):
    """The map goes on with its other side. Source: PyTorch, `CircularPad2d`."""

    kind = "circular_pad"
    stem = "pad"
    noun = "circular pad"
    words = names("circularpad|circular padding|circularpad1d|circularpad3d|wrap pad|periodic pad|循环填充")
