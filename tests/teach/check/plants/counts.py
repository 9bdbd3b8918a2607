"""Planted in parameters and multiplications."""

from __future__ import annotations

from random import Random

from archcalc.passes.analysis import Analysis
from archcalc.teach.check.model import TOTAL
from tests.teach.check.plants.numbers import (
    KERNELS,
    Plant,
    convolutions,
    counted,
    number,
    pick,
    pools,
    rows,
    shape,
    shaped,
    windows,
)


def forgot_bias(rng: Random, analysis: Analysis) -> Plant | None:
    biased = [row for row in rows(analysis, "conv2d", "conv_transpose2d", "linear") if getattr(row.op, "bias", False)]
    if rng.random() < 0.2 and biased:
        # Of layers that share weights one has them.
        owned = [row for row in biased if row.weights_of is None]
        total = sum(row.params for row in analysis.rows) - sum(row.output_shape[0] for row in owned)
        return Plant(TOTAL, "params", number(total))
    row = pick(rng, biased)
    owner = row and analysis[row.weights_of or row.name]
    return row and Plant(row.name, "params", number(owner.params - row.output_shape[0]))


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
    return counted(rng, conv, flat + conv.b * conv.K, flat)


def wrong_input_channels(rng: Random, analysis: Analysis) -> Plant | None:
    found = convolutions(analysis)
    conv = pick(rng, [conv for conv in found if conv.G == 1])
    if not conv:
        return None
    at = [one.name for one in found].index(conv.name)
    near = {one.D for one in found[max(0, at - 2) : at + 3]} | {one.K for one in found[max(0, at - 2) : at + 3]}
    depth = pick(rng, sorted(near - {conv.D, 1}))
    # Without a bias twice the depth is twice the number.
    if not depth or (depth == 2 * conv.D and not conv.b):
        return None
    weights = conv.Fh * conv.Fw * depth * conv.K
    if depth == 2 * conv.D:
        return Plant(conv.name, "params", number(weights + conv.b * conv.K))
    return counted(rng, conv, weights + conv.b * conv.K, weights)


def forgot_output_channels(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.K > 1 and conv.D != conv.K])
    if not conv:
        return None
    if rng.random() < 0.4:
        return Plant(conv.name, "output_shape", shape(conv.H2, conv.W2, conv.D))
    one = conv.Fh * conv.Fw * conv.D // conv.G
    return counted(rng, conv, one + conv.b, one)


def forgot_groups(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.G > 1])
    if not conv:
        return None
    weights = conv.Fh * conv.Fw * conv.D * conv.K
    return counted(rng, conv, weights + conv.b * conv.K, weights)


def wrong_kernel(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [*convolutions(analysis), *windows(analysis)])
    if not conv:
        return None
    # A window that is larger by the padding is the same as no padding, H − (F + 2P) + 2P; one that is larger by the
    # stride the same as no + 1, (H − F)/S; and one of the size of the map is the size of the map.
    same = (conv.Fh, conv.Fw, conv.Fh + conv.top + conv.bottom, conv.Fh + conv.Sh, conv.H1, conv.H2)
    kernel = rng.choice([size for size in KERNELS if size not in same])
    if conv.row.op.family == "pooling" or rng.random() < 0.3:
        if kernel <= conv.Sh and conv.top + conv.bottom == 0:
            return None  # the very same as padding `same`: H/S, rounded up
        if conv.sizes(F=kernel)[0] in conv.twice:
            return None  # the very same as pooled twice
        if conv.usual(conv.sizes(F=kernel)):
            return None
        return shaped(conv, conv.sizes(F=kernel)) if not isinstance(conv.padding, str) else None
    weights = kernel * kernel * conv.D // conv.G * conv.K
    return counted(rng, conv, weights + conv.b * conv.K, weights)


def kernel_not_squared(rng: Random, analysis: Analysis) -> Plant | None:
    # F·K for F·F·D·K: with a depth of F nobody can tell which of the two was left out.
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.Fh == conv.Fw > 1 and conv.Fh != conv.D])
    if not conv:
        return None
    weights = conv.Fh * conv.D // conv.G * conv.K
    return counted(rng, conv, weights + conv.b * conv.K, weights)


def map_size_as_kernel(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.H1 > 1 and conv.H1 not in (conv.Fh, 1)])
    if not conv:
        return None
    if (conv.Fh, conv.b, conv.H1) == (1, 0, conv.H2):
        return None  # the very same as the weights at each position
    weights = conv.H1 * conv.W1 * conv.D // conv.G * conv.K
    return counted(rng, conv, weights + conv.b * conv.K, weights)


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
        is_padded = not any(conv.padding) and conv.sizes(P=(2 * (conv.Fh // 2), 2 * (conv.Fw // 2))) == (
            conv.H1,
            conv.W1,
        )
        return None if is_stride or is_padded else Plant(conv.name, "output_shape", shape(conv.H1, conv.W1, conv.K))
    return Plant(conv.name, "multiplications", number(conv.weights * conv.H1 * conv.W1))
