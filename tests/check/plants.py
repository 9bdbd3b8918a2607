"""Planted mistakes: what a student who makes one would write, by formulas worked out here by hand.

Nothing here asks the rules of the ops or the code under test: only settings and shapes are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from archcalc.analysis import Analysis, Row
from archcalc.check.model import TOTAL, Answer, Stated

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
            room = size - span + padding
            up = self.ceil if ceil is None else ceil
            found.append((-(-room // stride) if up else room // stride) + one)
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


def _counted(rng: Random, conv: Conv, params: int, per_position: int) -> Plant:
    """Parameters, or as often multiplications."""
    if rng.random() < 0.5:
        return Plant(conv.name, "params", number(params))
    return Plant(conv.name, "multiplications", number(per_position * conv.positions))


def _shaped(conv: Conv, sizes: tuple[int, int]) -> Plant | None:
    if min(sizes) < 1 or sizes == (conv.H2, conv.W2):
        return None
    return Plant(conv.name, "output_shape", shape(*sizes, conv.K))


# --- parameters and multiplications


def forgot_bias(rng: Random, analysis: Analysis) -> Plant | None:
    biased = [row for row in rows(analysis, "conv2d", "conv_transpose2d", "linear") if getattr(row.op, "bias", False)]
    if rng.random() < 0.2 and biased:
        total = sum(row.params for row in analysis.rows) - sum(row.output_shape[0] for row in biased)
        return Plant(TOTAL, "params", number(total))
    row = pick(rng, biased)
    return row and Plant(row.name, "params", number(row.params - row.output_shape[0]))


def added_bias(rng: Random, analysis: Analysis) -> Plant | None:
    plain = [conv for conv in convolutions(analysis) if not conv.b]
    conv = pick(rng, plain)
    if conv and rng.random() < 0.6:
        return Plant(conv.name, "params", number(conv.weights + conv.K))
    conv = pick(rng, convolutions(analysis))
    values = conv.weights * conv.positions + conv.K * conv.positions if conv else 0
    return conv and Plant(conv.name, "multiplications", number(values))


def bias_per_weight(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.b])
    if not conv:
        return None
    wrong = rng.choice([2 * conv.weights, conv.weights + conv.K * conv.positions])
    return Plant(conv.name, "params", number(wrong))


def forgot_input_channels(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.D > 1 and conv.G == 1])
    if not conv:
        return None
    flat = conv.Fh * conv.Fw * conv.K
    return _counted(rng, conv, flat + conv.b * conv.K, flat)


def wrong_input_channels(rng: Random, analysis: Analysis) -> Plant | None:
    found = convolutions(analysis)
    conv = pick(rng, [conv for conv in found if conv.G == 1])
    if not conv:
        return None
    at = [one.name for one in found].index(conv.name)
    near = {one.D for one in found[max(0, at - 2) : at + 3]} | {one.K for one in found[max(0, at - 2) : at + 3]}
    depth = pick(rng, sorted(near - {conv.D, 1}))
    if not depth:
        return None
    weights = conv.Fh * conv.Fw * depth * conv.K
    return _counted(rng, conv, weights + conv.b * conv.K, weights)


def forgot_output_channels(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.K > 1 and conv.D != conv.K])
    if not conv:
        return None
    if rng.random() < 0.4:
        return Plant(conv.name, "output_shape", shape(conv.H2, conv.W2, conv.D))
    one = conv.Fh * conv.Fw * conv.D // conv.G
    return _counted(rng, conv, one + conv.b, one)


def forgot_groups(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.G > 1])
    if not conv:
        return None
    weights = conv.Fh * conv.Fw * conv.D * conv.K
    return _counted(rng, conv, weights + conv.b * conv.K, weights)


def wrong_kernel(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [*convolutions(analysis), *windows(analysis)])
    if not conv:
        return None
    # A window that is larger by the padding is the same as no padding, H − (F + 2P) + 2P; one that is larger by the
    # stride the same as no + 1, (H − F)/S; and one of the size of the map is the size of the map.
    same = (conv.Fh, conv.Fw, conv.Fh + conv.top + conv.bottom, conv.Fh + conv.Sh, conv.H1, conv.H2)
    kernel = rng.choice([size for size in KERNELS if size not in same])
    if conv.row.op.family == "pooling" or rng.random() < 0.3:
        return _shaped(conv, conv.sizes(F=kernel)) if not isinstance(conv.padding, str) else None
    weights = kernel * kernel * conv.D // conv.G * conv.K
    return _counted(rng, conv, weights + conv.b * conv.K, weights)


def kernel_not_squared(rng: Random, analysis: Analysis) -> Plant | None:
    # F·K for F·F·D·K: with a depth of F nobody can tell which of the two was left out.
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.Fh == conv.Fw > 1 and conv.Fh != conv.D])
    if not conv:
        return None
    weights = conv.Fh * conv.D // conv.G * conv.K
    return _counted(rng, conv, weights + conv.b * conv.K, weights)


def map_size_as_kernel(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.H1 > 1 and conv.H1 not in (conv.Fh, 1)])
    if not conv:
        return None
    weights = conv.H1 * conv.W1 * conv.D // conv.G * conv.K
    return _counted(rng, conv, weights + conv.b * conv.K, weights)


def params_in_pool(rng: Random, analysis: Analysis) -> Plant | None:
    pool = pick(rng, [pool for pool in pools(analysis) if pool.Fh > 1])
    if not pool:
        return None
    weights = pool.Fh * pool.Fw * pool.D
    wrong = rng.choice([weights * pool.D + pool.D, weights * pool.D, weights, weights + pool.D])
    return Plant(pool.name, "params", number(wrong))


def forgot_batch_norm(rng: Random, analysis: Analysis) -> Plant | None:
    found = [row for row in rows(analysis, "batch_norm2d") if row.params]
    if not found:
        return None
    if rng.random() < 0.5:
        return Plant(rng.choice(found).name, "params", number(0))
    total = sum(row.params for row in analysis.rows if row.op.kind != "batch_norm2d")
    return Plant(TOTAL, "params", number(total))


def counted_running_statistics(rng: Random, analysis: Analysis) -> Plant | None:
    found = rows(analysis, "batch_norm2d")
    if not found:
        return None
    if rng.random() < 0.6:
        row = rng.choice(found)
        return Plant(row.name, "params", number(row.params + 2 * row.output_shape[0]))
    total = sum(row.params for row in analysis.rows) + sum(2 * row.output_shape[0] for row in found)
    return Plant(TOTAL, "params", number(total))


def multiplications_without_positions(rng: Random, analysis: Analysis) -> Plant | None:
    found = [conv for conv in convolutions(analysis) if conv.positions > 1]
    conv = pick(rng, found)
    return conv and Plant(conv.name, "multiplications", number(conv.weights))


def positions_of_input(rng: Random, analysis: Analysis) -> Plant | None:
    found = [conv for conv in convolutions(analysis) if (conv.H1, conv.W1) != (conv.H2, conv.W2)]
    conv = pick(rng, found)
    if not conv:
        return None
    if rng.random() < 0.3:
        # The stride left out where the padding keeps the size is the very same reading.
        is_stride = not isinstance(conv.padding, str) and conv.sizes(S=1) == (conv.H1, conv.W1)
        return None if is_stride else Plant(conv.name, "output_shape", shape(conv.H1, conv.W1, conv.K))
    return Plant(conv.name, "multiplications", number(conv.weights * conv.H1 * conv.W1))


# --- shapes


def _window_settings(conv: Conv, rng: Random, sizes: tuple[int, int]) -> Plant | None:
    """The shape, or sometimes what is calculated from it."""
    if min(sizes) < 1 or sizes == (conv.H2, conv.W2):
        return None
    if conv.row.multiplications and sizes != (conv.H1, conv.W1) and rng.random() < 0.3:
        return Plant(conv.name, "multiplications", number(conv.weights * sizes[0] * sizes[1]))
    return _shaped(conv, sizes)


def _field(
    rng: Random,
    analysis: Analysis,
    wrong: Callable[[int, int, Conv], int],
    strided: bool = False,
    dilated: bool = False,
) -> Plant | None:
    """A receptive field, from that of the layer before and its step."""
    found = [conv for conv in windows(analysis) if conv.Fh == conv.Fw > 1 and conv.row.receptive_field is not None]
    conv = pick(rng, [conv for conv in found if conv.d > 1 or not dilated])
    before = analysis[conv.row.inputs[0]].receptive_field if conv else None
    if not conv or before is None or len(before.height.spans) > 1 or before.height.size != before.width.size:
        return None
    step = before.height.jump
    if (conv.d > 1 and not dilated) or (strided and step == 1):
        return None
    size = wrong(before.height.size, step, conv)
    return Plant(conv.name, "receptive_field", pair(size, size))


def wrong_stride(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, windows(analysis))
    if not conv:
        return None
    stride = rng.choice([size for size in (2, 3, 4) if size != conv.Sh])
    return _window_settings(conv, rng, conv.sizes(S=stride))


def forgot_stride(rng: Random, analysis: Analysis) -> Plant | None:
    if rng.random() < 0.3:
        return _field(rng, analysis, lambda seen, step, conv: seen + conv.d * (conv.Fh - 1), strided=True)
    conv = pick(rng, [conv for conv in windows(analysis) if conv.Sh > 1])
    return conv and _window_settings(conv, rng, conv.sizes(S=1))


def forgot_padding(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in windows(analysis) if conv.top + conv.left])
    return conv and _window_settings(conv, rng, conv.sizes(P=(0, 0)))


def padding_once(rng: Random, analysis: Analysis) -> Plant | None:
    # (H − F + P)/S + 1 and (H − F + 2P)/S are the same number where P = S: nobody can tell the two apart.
    twice = [conv for conv in windows(analysis) if conv.top == conv.bottom and conv.top + conv.left]
    conv = pick(rng, [conv for conv in twice if (conv.top, conv.left) != (conv.Sh, conv.Sw)])
    return conv and _window_settings(conv, rng, conv.sizes(P=(conv.top, conv.left)))


def forgot_plus_one(rng: Random, analysis: Analysis) -> Plant | None:
    if rng.random() < 0.2:
        return _field(rng, analysis, lambda seen, step, conv: seen + conv.Fh * step)
    conv = pick(rng, windows(analysis))
    # (H − F + 2P)/S and (H − F)/S + 1 are the same where 2P = S, and ⌈x⌉ is ⌊x⌋ + 1 where x is not whole.
    if not conv or conv.top + conv.bottom == conv.Sh or (conv.ceil and conv.sizes() != conv.sizes(ceil=False)):
        return None
    return _window_settings(conv, rng, conv.sizes(one=0))


def floor_ceil(rng: Random, analysis: Analysis) -> Plant | None:
    found = [conv for conv in windows(analysis) if conv.sizes(ceil=True) != conv.sizes(ceil=False)]
    found = [conv for conv in found if conv.sizes() == (conv.H2, conv.W2)]
    conv = pick(rng, found)
    return conv and _window_settings(conv, rng, conv.sizes(ceil=not conv.ceil))


def forgot_dilation(rng: Random, analysis: Analysis) -> Plant | None:
    if rng.random() < 0.3:
        return _field(rng, analysis, lambda seen, step, conv: seen + (conv.Fh - 1) * step, dilated=True)
    conv = pick(rng, [conv for conv in windows(analysis) if conv.d > 1])
    return conv and _window_settings(conv, rng, conv.sizes(d=1))


def swapped_axes(rng: Random, analysis: Analysis) -> Plant | None:
    row = pick(rng, [row for row in analysis.rows if len(row.output_shape) == 3])
    depth, height, width = row.output_shape
    # Depth first is an order of its own; depth in the middle is none.
    return None if depth in (height, width) else Plant(row.name, "output_shape", shape(height, depth, width))


# --- the rest


def factor_two(rng: Random, analysis: Analysis) -> Plant | None:
    row = pick(rng, [row for row in analysis.rows if row.multiplications])
    if not row:
        return None
    quantity = rng.choice(("params", "multiplications", "multiplications", "memory"))
    right = {"params": row.params, "memory": row.activation_bytes}.get(quantity, row.multiplications)
    if rng.random() < 0.2:
        return Plant(TOTAL, "multiplications", number(2 * sum(row.multiplications for row in analysis.rows)))
    return Plant(row.name, quantity, number(2 * right))


def unit(rng: Random, analysis: Analysis) -> Plant | None:
    row = pick(rng, [row for row in analysis.rows if row.activations > 1000])
    case = rng.randrange(4)
    if case == 0:
        return Plant(row.name, "memory", number(row.activations))
    if case == 1:
        return Plant(row.name, "activations", number(row.activation_bytes))
    if case == 2:
        row = pick(rng, [row for row in analysis.rows if row.params])
        if not row:
            return None
        return Plant(row.name, "params", number(4 * row.params))
    where = rng.choice((row.name, TOTAL))
    value = row.activation_bytes if where == row.name else sum(row.activation_bytes for row in analysis.rows)
    # The number of MiB with two decimals, called MB; and the other way round.
    divided, times = (1 << 20, 10**6) if rng.random() < 0.5 else (10**6, 1 << 20)
    hundredths = (200 * value + divided) // (2 * divided)
    if hundredths < 100:
        return None
    low, high = (Fraction(2 * hundredths + off, 200) * times for off in (-1, 1))
    return Plant(where, "memory", Stated("", Fraction(hundredths, 100) * times, low, high, "bytes"))


def sum_of_parts(rng: Random, analysis: Analysis) -> Plant | None:
    row = pick(rng, [row for row in rows(analysis, "concat", "add") if len(row.output_shape) == 3])
    if not row:
        return None
    depths = [given[0] for given in row.input_shapes]
    wrong = sum(depths) - rng.choice(depths) if row.op.kind == "concat" else sum(depths)
    return Plant(row.name, "output_shape", shape(row.output_shape[1], row.output_shape[2], wrong))


def repeat_count(rng: Random, analysis: Analysis) -> Plant | None:
    quantity = rng.choice(("params", "multiplications"))
    column = [getattr(row, quantity) for row in analysis.rows if getattr(row, quantity)]
    if len(column) < 2:
        return None
    change = rng.choice(column) * rng.choice((-1, -1, 1))
    return Plant(TOTAL, quantity, number(sum(column) + change))


def digit_slip(rng: Random, analysis: Analysis) -> Plant | None:
    quantity = rng.choice(("params", "multiplications", "activations"))
    row = pick(rng, [row for row in analysis.rows if getattr(row, quantity) > 99])
    if not row:
        return None
    digits = list(str(getattr(row, quantity)))
    at = rng.randrange(1, len(digits))
    case = rng.randrange(4)
    if case == 0:
        digits[at] = rng.choice([digit for digit in "0123456789" if digit != digits[at]])
    elif case == 1:
        digits[at - 1], digits[at] = digits[at], digits[at - 1]
        if digits[0] == "0":
            return None
    elif case == 2:
        del digits[at]
    else:
        digits.insert(at, digits[at])
    return Plant(row.name, quantity, number(int("".join(digits))))


def _significant(value: int, digits: int) -> int:
    unit = 10 ** max(0, len(str(value)) - digits)
    return int((2 * value + unit) // (2 * unit) * unit)


def rounded_inputs(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.positions > 1])
    if rng.random() < 0.3:
        return Plant(TOTAL, "params", number(sum(_significant(row.params, 3) for row in analysis.rows)))
    if not conv:
        return None
    if rng.random() < 0.5:
        values = _significant(conv.positions * conv.K, 3)
        return Plant(conv.name, "multiplications", number(values * conv.Fh * conv.Fw * conv.D // conv.G))
    each = _significant(conv.Fh * conv.Fw * conv.D // conv.G + conv.b, 2)
    return Plant(conv.name, "params", number(each * conv.K))


def carried_forward(rng: Random, analysis: Analysis) -> Plant | None:
    """The padding or the + 1 of a convolution forgotten, and the pool or convolution that reads it right for that."""
    readers = [conv for conv in windows(analysis) if conv.H1 > 4]
    conv = pick(rng, readers)
    if not conv:
        return None
    name = conv.row.inputs[0]
    while analysis[name].op.kind in ("relu", "batch_norm2d", "dropout", "local_response_norm"):
        name = analysis[name].inputs[0]
    if analysis[name].op.kind != "conv2d" or isinstance(getattr(analysis[name].op, "padding", ""), str):
        return None
    before = Conv(analysis[name])
    sizes = before.sizes(P=(0, 0)) if rng.random() < 0.6 else before.sizes(one=0)
    if min(sizes) < conv.Fh or sizes == (before.H2, before.W2):
        return None
    follow = Conv(conv.row)
    follow.H1, follow.W1 = sizes
    wrong = follow.sizes()
    if min(wrong) < 1 or wrong == (conv.H2, conv.W2):
        return None
    answer = Answer(before.name, "output_shape", f"{sizes[0]}x{sizes[1]}x{before.K}")
    if conv.row.multiplications and rng.random() < 0.6:
        return Plant(conv.name, "multiplications", number(conv.weights * wrong[0] * wrong[1]), answer)
    return Plant(conv.name, "output_shape", shape(*wrong, conv.K), answer)


def unknown(rng: Random, analysis: Analysis) -> Plant | None:
    """A number out of nowhere."""
    quantity = rng.choice(("params", "multiplications"))
    row = pick(rng, [row for row in analysis.rows if getattr(row, quantity) > 9999])
    if not row:
        return None
    right = getattr(row, quantity)
    wrong = rng.randrange(right // 2, 2 * right)
    return Plant(row.name, quantity, number(wrong)) if wrong != right else None


PLANTERS: dict[str, Planter] = {
    planter.__name__: planter
    for planter in (
        forgot_bias, added_bias, bias_per_weight, forgot_input_channels, wrong_input_channels, forgot_output_channels,
        forgot_groups, wrong_kernel, kernel_not_squared, map_size_as_kernel, wrong_stride, forgot_stride,
        forgot_padding, padding_once, forgot_plus_one, floor_ceil, forgot_dilation, params_in_pool, forgot_batch_norm,
        counted_running_statistics, multiplications_without_positions, positions_of_input, factor_two, unit,
        swapped_axes, sum_of_parts, repeat_count, digit_slip, rounded_inputs, carried_forward, unknown,
    )
}  # fmt: skip
