"""How convolutions and pools are spelt in Keras."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.spelling import (
    KERAS,
    Arg,
    Case,
    Layout,
    Made,
    Speller,
    Spelling,
    Table,
    args,
    only,
    plain,
    pools_padding,
)
from archcalc.ops import rules
from archcalc.ops.windowed import Sides

TABLE: Table[Speller] = Table()


def _pairs(sides: Sides) -> Any:
    """Padding as Keras's layers take it: a number, or begin and end of each axis."""
    if sides.is_even:
        return sides[0]
    pairs = tuple(zip(sides.begins, sides.ends, strict=True))
    return pairs[0] if len(pairs) == 1 else pairs


def zeros(sides: Sides, suffix: str = "pad") -> tuple[Made, ...]:
    rank = len(sides) // 2
    return (Made(f"layers.ZeroPadding{rank}D", args(("padding", _pairs(sides))), suffix),) if any(sides) else ()


def cropped(sides: Sides, suffix: str = "crop") -> tuple[Made, ...]:
    rank = len(sides) // 2
    return (Made(f"layers.Cropping{rank}D", args(("cropping", _pairs(sides))), suffix),) if any(sides) else ()


def own_arrays(case: Case) -> dict[str, Layout]:
    """The arrays of a layer that keeps them as archcalc does."""
    arrays = case.op.param_shapes(case.inputs)
    return {each.name: Layout(each.name, tuple(range(len(each.shape)))) for each in arrays}


@TABLE.of("locally_connectedNd")
def _local(case: Case) -> Spelling:
    op: Any = case.op
    own = Made("LocallyConnected", args(
        ("filters", op.out_channels), ("kernel_size", op.kernel_size), ("strides", op.stride),
        dilation_rate=(plain(op.dilation), 1), use_bias=(op.bias, True),
    ))  # fmt: skip
    return Spelling((*zeros(op.sides(case.inputs[0])), own), arrays=own_arrays(case))


def _is_same(case: Case) -> bool:
    """Whether the padding is what Keras calls same."""
    op: Any = case.op
    axes = op.axes(case.inputs[0])
    totals = [rules.same_padding(axis.size, axis.window, axis.stride) for axis in axes]
    return tuple(op.sides(case.inputs[0])) == tuple(Sides.halves(totals))


def _padding(case: Case) -> tuple[tuple[Made, ...], str]:
    """Zeros before a layer, and its argument `padding`."""
    op: Any = case.op
    sides = op.sides(case.inputs[0])
    if not any(sides):
        return (), "valid"
    return ((), "same") if _is_same(case) else (zeros(sides), "valid")


def _kernel(rank: int) -> tuple[int, ...]:
    """(K, C, positions) as (positions, C, K)."""
    return (*range(2, 2 + rank), 1, 0)


@TABLE.of("convNd")
def _conv(case: Case) -> Spelling:
    op: Any = case.op
    if set(op.stride) != {1} and set(op.dilation) != {1}:
        raise case.cannot("a convolution with both stride and dilation", KERAS)
    if op.connections is not None:
        made = Made("TableConv", args(
            ("connections", op.connections), ("kernel_size", op.kernel_size), strides=(plain(op.stride), 1),
            dilation_rate=(plain(op.dilation), 1), use_bias=(op.bias, True),
        ))  # fmt: skip
        return Spelling((*zeros(op.sides(case.inputs[0])), made), arrays=own_arrays(case))
    before, padding = _padding(case)
    channels, rank = case.inputs[0][0], case.rank
    window = {
        "strides": (plain(op.stride), 1), "padding": (padding, "valid"), "dilation_rate": (plain(op.dilation), 1),
        "use_bias": (op.bias, True),
    }  # fmt: skip
    arrays = {"weight": Layout("kernel", _kernel(rank)), "bias": Layout("bias", (0,))}
    if op.groups == channels > 1 and rank < 3:
        multiplier = op.out_channels // channels
        own = Made(f"layers.DepthwiseConv{rank}D", args(
            ("kernel_size", plain(op.kernel_size)), depth_multiplier=(multiplier, 1), **window,
        ))  # fmt: skip
        arrays["weight"] = Layout("kernel", (*range(2, 2 + rank), 0, 1), (*op.kernel_size, channels, multiplier))
        return Spelling((*before, own), arrays=arrays)
    own = Made(f"layers.Conv{rank}D", args(
        ("filters", op.out_channels), ("kernel_size", plain(op.kernel_size)), **window, groups=(op.groups, 1),
    ))  # fmt: skip
    return Spelling((*before, own), arrays=arrays)


@TABLE.of("conv_transposeNd")
def _conv_transpose(case: Case) -> Spelling:
    op: Any = case.op
    if op.groups != 1:
        raise case.cannot("a transposed convolution in groups", KERAS)
    if set(op.stride) != {1} and set(op.dilation) != {1}:
        raise case.cannot("a transposed convolution with both stride and dilation", KERAS)
    begins, ends = op.cut_off().begins, []
    for axis, (size, window, stride) in enumerate(zip(case.inputs[0][1:], op.spans(), op.stride, strict=True)):
        ends.append(size * stride + max(window - stride, 0) - begins[axis] - case.output[1 + axis])
    if min((*begins, *ends)) < 0:
        raise case.cannot("a transposed convolution that is extended beyond its filters", KERAS)
    own = Made(f"layers.Conv{case.rank}DTranspose", args(
        ("filters", op.out_channels), ("kernel_size", plain(op.kernel_size)), strides=(plain(op.stride), 1),
        dilation_rate=(plain(op.dilation), 1), use_bias=(op.bias, True),
    ))  # fmt: skip
    arrays = {"weight": Layout("kernel", _kernel(case.rank)), "bias": Layout("bias", (0,))}
    return Spelling((own, *cropped(Sides((*begins, *ends)))), arrays=arrays)


def _want_plain_window(case: Case) -> None:
    op: Any = case.op
    if any(step > 1 < size for step, size in zip(op.dilation, op.kernel_size, strict=True)):
        raise case.cannot("a pool with dilation", KERAS)


def _pool_args(op: Any, padding: str) -> tuple[Arg, ...]:
    return args(
        ("pool_size", plain(op.kernel_size)), strides=(plain(op.stride), plain(op.kernel_size)),
        padding=(padding, "valid"),
    )  # fmt: skip


@TABLE.of("max_poolNd")
def _max_pool(case: Case) -> Spelling:
    op: Any = case.op
    needed = pools_padding(case)
    too_far = any(side >= size for side, size in zip(needed, op.kernel_size * 2, strict=True))
    dilated = any(step > 1 < size for step, size in zip(op.dilation, op.kernel_size, strict=True))
    if case.switches or too_far or dilated:
        places = ("padding", tuple(needed))
        own = Made("MaxPoolingWithPlaces", args(("kernel_size", op.kernel_size), ("strides", op.stride), places,
                                                dilation_rate=(plain(op.dilation), 1)))  # fmt: skip
        return Spelling((own,))
    call = f"layers.MaxPooling{case.rank}D"
    if not any(needed):
        return Spelling((Made(call, _pool_args(op, "valid")),))
    if _is_same(case) and not op.ceil_mode:
        return Spelling((Made(call, _pool_args(op, "same")),))
    margins = ((0, 0), *zip(needed.begins, needed.ends, strict=True), (0, 0))
    pad = Made("ops.pad", (Arg("pad_width", margins, keyword=False), Arg("constant_values", float("-inf"), 0)), "pad")
    return Spelling((pad, Made(call, _pool_args(op, "valid"))))


@TABLE.of("avg_poolNd")
def _avg_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    sides, needed = op.sides(case.inputs[0]), pools_padding(case)
    call = f"layers.AveragePooling{case.rank}D"
    if not any(needed):
        return Spelling((Made(call, _pool_args(op, "valid")),))
    # With more padding at the end, Keras's torch backend repeats the last value instead of leaving padding out.
    if _is_same(case) and sides.is_even and not op.ceil_mode and not op.count_include_pad:
        return Spelling((Made(call, _pool_args(op, "same")),))
    if op.count_include_pad and all(last <= end for last, end in zip(needed.ends, sides.ends, strict=True)):
        return Spelling((*zeros(needed), Made(call, _pool_args(op, "valid"))))
    counted = sides if op.count_include_pad else Sides((0,) * len(sides))
    more = args(("pool_size", op.kernel_size), ("strides", op.stride), ("padding", tuple(needed)), ("counted", counted))
    return Spelling((Made("PaddedAveragePooling", more),))


@TABLE.of("subsamplingNd")
def _subsampling(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    own = Made("Subsampling", args(("pool_size", op.kernel_size), ("strides", op.stride)))
    arrays = {name: Layout(name, (0,)) for name in ("weight", "bias")}
    return Spelling((*zeros(pools_padding(case)), own), arrays=arrays)


@TABLE.of("max_unpoolNd")
def _max_unpool(case: Case) -> Spelling:
    op: Any = case.op
    found_in = case.output[1:] if case.pooled is None else case.pooled[1:]
    return Spelling((Made("MaxUnpooling", args(
        ("size", case.output[1:]), ("found_in", found_in), ("kernel_size", op.kernel_size),
        ("strides", op.stride or op.kernel_size), ("padding", op.padding),
    )),))  # fmt: skip


@TABLE.of("lp_poolNd")
def _lp_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    own = Made("LpPooling", args(("pool_size", op.kernel_size), ("strides", op.stride), ("norm_type", op.norm_type)))
    return Spelling((*zeros(pools_padding(case)), own))


@TABLE.of("mean", "amax")
def _reduced(case: Case) -> Spelling:
    """The channels are the last axis here."""
    op: Any = case.op
    axes = [axis or 1 + case.rank for axis in op.places(case.inputs[0])]
    return only(f"ops.{op.kind}", ("axis", axes), keepdims=(True, False))


@TABLE.of("global_avg_poolNd", "global_max_poolNd")
def _global_pool(case: Case) -> Spelling:
    what = "Average" if "avg" in case.op.kind else "Max"
    return only(f"layers.Global{what}Pooling{case.rank}D", keepdims=(True, False))


@TABLE.of("adaptive_avg_poolNd", "adaptive_max_poolNd")
def _adaptive(case: Case) -> Spelling:
    what = "Average" if "avg" in case.op.kind else "Max"
    if set(case.output[1:]) == {1}:
        return _global_pool(case)
    if all(size % count == 0 for size, count in zip(case.inputs[0][1:], case.output[1:], strict=True)):
        window = plain([size // count for size, count in zip(case.inputs[0][1:], case.output[1:], strict=True)])
        return only(f"layers.{what}Pooling{case.rank}D", ("pool_size", window))
    return only(f"layers.Adaptive{what}Pooling{case.rank}D", ("output_size", plain(case.output[1:])))
