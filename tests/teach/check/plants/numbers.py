"""What plants are made of: answers, the numbers of a layer by their letters, and random choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.model import Answer
from archcalc.teach.reading.stated import Stated

#: Kernels, strides and so on that a student could mix up.
KERNELS = (1, 3, 5, 7, 11)


class Plant(NamedTuple):
    """A wrong answer, and of one that follows from another the answer before it."""

    layer: str
    quantity: str
    stated: Stated
    before: Answer | None = None


Planter = Callable[[Random, Analysis], "Plant | None"]


def number(value: int | Fraction) -> Stated:
    exact = Fraction(value)
    return Stated(str(value), exact, exact, exact)


def shape(height: int, width: int, depth: int) -> Stated:
    return Stated(f"{height}x{width}x{depth}", shape=(depth, height, width), sides=(height, width, depth))


def pair(height: int, width: int) -> Stated:
    return Stated(f"{height}x{width}", sides=(height, width))


class Conv:
    """The numbers of a convolution or pool, by their letters."""

    def __init__(self, row: Row) -> None:
        op: Any = row.op
        self.row = row
        self.name = row.name
        self.D, self.H1, self.W1 = row.input_shapes[0]
        self.K, self.H2, self.W2 = row.output_shape
        self.Fh, self.Fw = op.kernel_size
        self.Sh, self.Sw = op.stride
        self.G = getattr(op, "groups", 1)
        self.b = int(getattr(op, "bias", False))
        self.d = getattr(op, "dilation", (1, 1))[0]
        self.ceil = getattr(op, "ceil_mode", False)
        self.padding = op.padding
        if isinstance(self.padding, str):
            self.top = self.bottom = self.left = self.right = 0
        else:
            self.top, self.left, self.bottom, self.right = self.padding

    @property
    def weights(self) -> int:
        return int(self.Fh * self.Fw * self.D // self.G * self.K)

    @property
    def positions(self) -> int:
        return self.H2 * self.W2

    @property
    def twice(self) -> tuple[int, int]:
        """The heights of an output to which the layer was applied again, rounded down and up."""
        steps = self.H2 - self.Fh + self.top + self.bottom
        return steps // self.Sh + 1, -(-steps // self.Sh) + 1

    def usual(self, sizes: tuple[int, int]) -> bool:
        """Whether a mistake that is made more often gives the same: another stride, rounding, padding, no + 1."""
        others = [self.sizes(S=stride) for stride in (1, 2, 3, 4)]
        once = (self.top, self.left)
        others += [self.sizes(ceil=not self.ceil), self.sizes(P=(0, 0)), self.sizes(P=once), self.sizes(one=0)]
        return sizes in others

    def sizes(
        self, F: int | None = None, S: int | None = None, P: tuple[int, int] | None = None, one: int = 1,  # noqa: N803  the letters of the formula
        d: int | None = None, ceil: bool | None = None,
    ) -> tuple[int, int]:  # fmt: skip
        """(H − F + P)/S + 1 along both axes, with what is given in the place of what is right."""
        found: list[int] = []
        for size, kernel, stride, padding in (
            (self.H1, self.Fh, self.Sh, self.top + self.bottom),
            (self.W1, self.Fw, self.Sw, self.left + self.right),
        ):
            kernel = F or kernel  # noqa: PLW2901  the reading differs from the setting
            span = (d or self.d) * (kernel - 1) + 1
            padding = P[len(found)] if P is not None else padding  # noqa: PLW2901
            stride = S or stride  # noqa: PLW2901
            span_left = size - span + padding
            up = self.ceil if ceil is None else ceil
            found.append((-(-span_left // stride) if up else span_left // stride) + one)
        return found[0], found[1]


def convolutions(analysis: Analysis) -> list[Conv]:
    """Plain, grouped and depthwise convolutions; those with a table or of another kind are left out."""
    return [
        Conv(row) for row in analysis.rows if row.op.kind == "conv2d" and getattr(row.op, "connections", None) is None
    ]


def pools(analysis: Analysis) -> list[Conv]:
    return [Conv(row) for row in analysis.rows if row.op.kind in ("max_pool2d", "avg_pool2d")]


def windows(analysis: Analysis) -> list[Conv]:
    """Windows whose padding is given in pixels."""
    return [one for one in (*convolutions(analysis), *pools(analysis)) if not isinstance(one.padding, str)]


def rows(analysis: Analysis, *kinds: str) -> list[Row]:
    return [row for row in analysis.rows if row.op.kind in kinds]


def pick(rng: Random, options: Sequence[Any]) -> Any:
    return rng.choice(options) if options else None


def counted(rng: Random, conv: Conv, params: int, per_position: int) -> Plant:
    """Parameters, or as often multiplications."""
    if rng.random() < 0.5:
        return Plant(conv.name, "params", number(params))
    return Plant(conv.name, "multiplications", number(per_position * conv.positions))


def shaped(conv: Conv, sizes: tuple[int, int]) -> Plant | None:
    if min(sizes) < 1 or sizes == (conv.H2, conv.W2):
        return None
    return Plant(conv.name, "output_shape", shape(*sizes, conv.K))
