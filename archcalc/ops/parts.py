"""Ops that take a part of a map: a run of its channels or of its positions."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.numbers import Number, ceil_div, minimum
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops.axes import (
    AxisName,
    ForAll,
    axis_of,
    by_position,
    position_reads,
)
from archcalc.ops.base import (
    POINTS,
    Count,
    Letter,
    Margin,
    Pointwise,
    Reads,
    Size,
    Window,
    elements,
    names,
)


class Part(Pointwise):
    """A run of channels or positions; subclasses say which."""

    saves = ()
    family = "shape"

    axis: AxisName = "channels"

    @abstractmethod
    def run(self, size: Number) -> tuple[Number, Number, Number]:
        """The first index that is taken of an axis of this size, how many are, and the step from one to the next."""

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        shape = inputs[0]
        size = shape[axis_of(self.axis, shape)]
        start, count, step = self.run(size)
        if count < 1 or start + (count - 1) * step >= size:
            last = f"{start} to {start + (count - 1) * step}" if count > 0 else f"from {start} on"
            raise ShapeError(
                f"it takes more along {self.axis} than the input has",
                f"input {format_shape(shape)} has {size} along {self.axis}, counted from 0; taken are {last}",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        place = axis_of(self.axis, inputs[0])
        _, count, _ = self.run(inputs[0][place])
        return (*inputs[0][:place], count, *inputs[0][place + 1 :])

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        place = axis_of(self.axis, inputs[0])
        start, _, step = self.run(inputs[0][place])
        return (POINTS if place == 0 else position_reads(inputs[0], {place: Window(1, step, -start)}),)

    def values_read(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return elements(output)

    def sliding(self, inputs: Sequence[Shape]) -> "Part | None":
        return self if self.axis == "channels" else None

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("{kind} of {axis}", kind=say(self.noun), axis=say(self.axis))


class Chunk(Part):
    """One of `chunks` parts of one size, by its `index` from 0; the last may be smaller. Source: PyTorch, `chunk`."""

    kind = "chunk"
    stem = "chunk"
    noun = "chunk"
    words = names("channel chunk|torch chunk|часть каналов|分块")

    chunks: Annotated[Count, Letter("n", "chunks")]
    index: Margin = 0

    def run(self, size: Number) -> tuple[Number, Number, Number]:
        each = ceil_div(size, self.chunks)
        start = self.index * each
        return start, minimum(each, size - start), 1

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        words = say("chunk {index} of {count}", index=self.index + 1, count=self.chunks)
        return words + ("" if self.axis == "channels" else f", {say(self.axis)}")


class Split(Part):
    """One of the parts of these `sizes`, by its `index` from 0; one size is that of every part.

    Source: PyTorch, `split`.
    """

    kind = "split"
    stem = "split"
    noun = "split"
    words = names("channel split|split channels|torch split|разделение каналов|división|teilen|拆分|分割")

    sizes: Annotated[tuple[Size, ...], by_position(Size)]
    index: Margin = 0

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        size = inputs[0][axis_of(self.axis, inputs[0])]
        parts, is_list = len(self.sizes), not isinstance(self.sizes, ForAll)
        if is_list and sum(self.sizes) != size:
            raise ShapeError(
                f"the sizes are not those of the {self.axis}",
                f"sizes {list(self.sizes)} add up to {sum(self.sizes)}; "
                f"input {format_shape(inputs[0])} has {size} along {self.axis}",
                *([f"they fit with sizes: {fitting}"] if (fitting := self._fitting(size)) else []),
            )
        if is_list and self.index >= parts:
            raise ShapeError(
                "there is no part of this index",
                f"index {self.index}, and sizes {list(self.sizes)} are {parts} parts",
                f"the index counts from 0: it fits with index: {parts - 1}",
            )
        super().check(inputs, strict)

    def _fitting(self, size: int) -> list[int]:
        """The sizes with a last part that takes what is left; nothing where the others leave nothing."""
        sizes = list(self.sizes)
        rest = size - sum(sizes)
        sizes = [*sizes, rest] if rest > 0 else [*sizes[:-1], sizes[-1] + rest]
        return sizes if sizes[-1] > 0 else []

    def run(self, size: Number) -> tuple[Number, Number, Number]:
        if not isinstance(self.sizes, ForAll):
            return sum(self.sizes[: self.index]), self.sizes[self.index], 1
        start = self.index * self.sizes[0]
        return start, minimum(self.sizes[0], size - start), 1

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [say("parts of {sizes}", sizes=", ".join(map(str, self.sizes)))]

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        words = say("split, part {index}", index=self.index + 1)
        return words + ("" if self.axis == "channels" else f", {say(self.axis)}")


class Narrow(Part):
    """`length` channels or positions from `start` on, all that are left if it is not given; with a `step` every n-th.

    Source: PyTorch, `narrow`, and slices of Python.
    """

    kind = "narrow"
    stem = "narrow"
    noun = "narrow"
    words = names("select|slice channels|channel slice|getitem|take|срез каналов|recorte")

    start: Annotated[Margin, Letter("O", "first index taken")] = 0
    length: Annotated[Size | None, Letter("L", "how many are taken")] = None
    step: Annotated[Size, Letter("S", "step")] = 1

    def run(self, size: Number) -> tuple[Number, Number, Number]:
        count = ceil_div(size - self.start, self.step) if self.length is None else self.length
        return self.start, count, self.step

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        step = "" if self.step == 1 else say(", every {step}", step=self.step)
        if self.length is None:
            return say("narrow {axis}, from {start}", axis=say(self.axis), start=self.start) + step
        words = say("narrow {axis}, {length} from {start}", axis=say(self.axis), length=self.length, start=self.start)
        return words + step
