"""Pooling over whole maps, and into a given number of windows."""

from collections.abc import Sequence
from itertools import starmap
from math import gcd
from typing import Annotated

from archcalc.core.language import apart, mark, say, with_value
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape
from archcalc.ops import rules
from archcalc.ops.base import (
    EVERYTHING,
    Letter,
    Op,
    Operations,
    Reads,
    Sizes,
    Spans,
    Spatial,
    Window,
    WithoutWeights,
    by,
    elements,
    names,
)
from archcalc.ops.pool import AVERAGE, AVG_POOL_OF_RANK, POOLING
from archcalc.ops.ranks import Ranks, class_of_rank
from archcalc.ops.reshape import Identity

#: What people call averages over whole maps.
_GLOBAL = names("gap|global average pool|global average pooling|global avg pool|global avg pooling")


def _as_window(shape: Shape) -> Op:
    """The mean of a whole map as average pooling with a window of its size."""
    if elements(shape[1:]) == 1:
        return Identity()
    return AVG_POOL_OF_RANK[len(shape) - 1].model_validate({"kernel_size": shape[1:], "stride": 1})


class GlobalPool(WithoutWeights, Spatial):
    """One value of each channel, from all of its positions."""

    family = "pooling"

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        self.want_positions(inputs[0])

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], *(1,) * self.rank)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (EVERYTHING,)


class GlobalAvgPool(GlobalPool):
    """The mean of each channel. Source: Lin et al. 2013, section 3.2."""

    saves = ()
    stem = "pool"
    noun = "global pool"
    words = (
        *names(
            "global pool|global pooling|глобальный пулинг|глобальный средний пулинг|"
            "глобальное усреднение|全局平均池化|グローバル平均プーリング"
        ),
        *_GLOBAL,
        *AVERAGE,
        *POOLING,
    )

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        channels, *positions = inputs[0]
        return Operations(additions=rules.sums(channels, product(positions), 0), divisions=channels)

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return _as_window(inputs[0])

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("global average pool")


GLOBAL_AVG_POOL_OF_RANK = Ranks(GlobalAvgPool, "global_avg_pool")


class GlobalMaxPool(GlobalPool):
    """The largest value of each channel."""

    saves = ("inputs", "output")
    stem = "pool"
    noun = "global max pool"
    words = (*names("global max pool|global max pooling|gmp|глобальный максимальный пулинг|全局最大池化"), *POOLING)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        channels, *positions = inputs[0]
        return Operations(comparisons=rules.sums(channels, product(positions), 0))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("global max pool")


GLOBAL_MAX_POOL_OF_RANK = Ranks(GlobalMaxPool, "global_max_pool")


class AdaptivePool(WithoutWeights, Spatial):
    """Windows chosen so that the output has a given size: ⌊i·W/N⌋ … ⌈(i + 1)·W/N⌉. Source: PyTorch."""

    family = "pooling"

    output_size: Annotated[Sizes, Letter("N", "output size")]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        self.want_positions(inputs[0])

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], *self.output_size)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (tuple([_adaptive_reads(*axis) for axis in zip(inputs[0][1:], self.output_size, strict=True)]),)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        axes = zip(inputs[0][1:], self.output_size, strict=True)
        return [say("windows of {sizes}", sizes=apart("×".join(_lengths(_adaptive_reads(*axis)) for axis in axes)))]

    def read(self, shape: Shape) -> Number:
        """Elements that all windows read together."""
        channels, *sizes = shape
        return product((channels, *starmap(_adaptive_elements, zip(sizes, self.output_size, strict=True))))


class AdaptiveAvgPool(AdaptivePool):
    """Means over windows chosen so that the output has a given size: ⌊i·W/N⌋ … ⌈(i + 1)·W/N⌉. Source: PyTorch."""

    stem = "pool"
    noun = "adaptive pool"
    words = (
        *names(
            "adaptive pool|adaptive pooling|adaptive avg pool|adaptive average pool|"
            "adaptive average pooling|адаптивный пулинг|自适应平均池化"
        ),
        *_GLOBAL,
        *AVERAGE,
        *POOLING,
    )

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        return Operations(additions=rules.uneven_sums(self.read(inputs[0]), values, 0), divisions=values)

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        if self.output_size == inputs[0][1:]:
            return Identity()
        return _as_window(inputs[0]) if set(self.output_size) == {1} else None

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(mark("adaptive average pool"), by(self.output_size))


ADAPTIVE_AVG_POOL_OF_RANK = Ranks(AdaptiveAvgPool, "adaptive_avg_pool")


class AdaptiveMaxPool(AdaptivePool):
    """The largest values of windows chosen so that the output has a given size. Source: PyTorch."""

    stem = "pool"
    noun = "adaptive max pool"
    words = (*names("adaptive max pool|adaptive max pooling|自适应最大池化"), *POOLING)

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return 8 * elements(output)  # where each maximum is, as 64-bit numbers

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(comparisons=rules.uneven_sums(self.read(inputs[0]), elements(output), 0))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, by(self.output_size))


ADAPTIVE_MAX_POOL_OF_RANK = Ranks(AdaptiveMaxPool, "adaptive_max_pool")


def _adaptive_reads(size: int, count: int) -> Window | Spans:
    """The windows along an axis: all alike where they tile it, and that of a global pool where there is one."""
    if count == 1:
        return Window(size)
    if size % count == 0:
        stride = rules.adaptive_window_start(1, size, count)
        return Window(stride, stride)
    starts = [rules.adaptive_window_start(position, size, count) for position in range(count)]
    ends = [rules.adaptive_window_end(position, size, count) for position in range(count)]
    return Spans(tuple([(start, end - 1) for start, end in zip(starts, ends, strict=True)]))


def _lengths(read: Window | Spans) -> str:
    """How many positions a window reads: 2, or 2–3."""
    if isinstance(read, Window):
        return str(read.size)
    lengths = {last - first + 1 for first, last in read.spans}
    return "–".join(map(str, sorted({min(lengths), max(lengths)})))


def _adaptive_elements(size: Number, count: Number) -> Number:
    """Elements that all adaptive windows along an axis read together.

    W + N − gcd(W, N): every element once, and again where a window starts inside of one. Symbols are added up.
    """
    if size % count == 0:
        return size
    if isinstance(size, int) and isinstance(count, int):
        return size + count - gcd(size, count)
    return sum(
        rules.adaptive_window_end(position, size, count) - rules.adaptive_window_start(position, size, count)
        for position in range(count)
    )


__getattr__ = class_of_rank(globals())
