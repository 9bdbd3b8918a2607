"""Planted in shapes and receptive fields, and in what is calculated from them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from archcalc.passes.analysis import Analysis
from tests.teach.check.plants.numbers import Conv, Plant, number, pair, pick, shape, shaped, windows


def _window_settings(conv: Conv, rng: Random, sizes: tuple[int, int]) -> Plant | None:
    """The shape, or sometimes what is calculated from it."""
    if min(sizes) < 1 or sizes == (conv.H2, conv.W2):
        return None
    if conv.row.multiplications and sizes != (conv.H1, conv.W1) and rng.random() < 0.3:
        return Plant(conv.name, "multiplications", number(conv.weights * sizes[0] * sizes[1]))
    return shaped(conv, sizes)


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
    if not conv or before is None or len(before.axes[0].spans) > 1 or before.axes[0].size != before.axes[1].size:
        return None
    step = before.axes[0].jump
    if (conv.d > 1 and not dilated) or (strided and step == 1):
        return None
    size = wrong(before.axes[0].size, step, conv)
    return Plant(conv.name, "receptive_field", pair(size, size))


def wrong_stride(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, windows(analysis))
    if not conv:
        return None
    stride = rng.choice([size for size in (2, 3, 4) if size != conv.Sh])
    if conv.row.op.family == "pooling" and conv.sizes(S=stride)[0] in conv.twice:
        return None  # the very same as pooled twice
    if conv.sizes(S=stride) == (conv.H1, conv.W1):
        return None  # the size of the input
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
    # Rounded down, one side of padding is often none.
    if conv and conv.sizes(P=(conv.top, conv.left)) == conv.sizes(P=(0, 0)):
        return None
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
    if not row:
        return None
    depth, height, width = row.output_shape
    # Depth first is an order of its own; depth in the middle is none.
    return None if depth in (height, width) else Plant(row.name, "output_shape", shape(height, depth, width))


def added_padding(rng: Random, analysis: Analysis) -> Plant | None:
    """`same`: the input divided by the stride, rounded up; or half of the window's pixels on each side."""
    conv = pick(rng, [conv for conv in windows(analysis) if not any(conv.padding) and conv.d == 1])
    if not conv:
        return None
    if rng.random() < 0.5:
        return shaped(conv, (-(-conv.H1 // conv.Sh), -(-conv.W1 // conv.Sw)))
    return shaped(conv, conv.sizes(P=(2 * (conv.Fh // 2), 2 * (conv.Fw // 2)))) if conv.Fh == conv.Fw > 1 else None


def other_input(rng: Random, analysis: Analysis) -> Plant | None:
    """224 for 227 and the other way round, in the first window of the network."""
    conv = next(iter(windows(analysis)), None)
    if conv is None or conv.row.inputs != (analysis.rows[0].name,) or conv.H1 not in (224, 227):
        return None
    side = 451 - conv.H1
    sizes = [
        ((side - conv.Fh + conv.top + conv.bottom) // conv.Sh + 1),
        ((side - conv.Fw + conv.left + conv.right) // conv.Sw + 1),
    ]
    if tuple(sizes) == conv.sizes(one=0):
        return None  # the very same as no + 1
    return shaped(conv, (sizes[0], sizes[1])) if not conv.ceil else None
