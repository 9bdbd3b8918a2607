"""How convolutions and pools are spelt in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.interop.export.spelling import (
    PYTORCH,
    Arg,
    Case,
    Made,
    Speller,
    Spelling,
    Table,
    args,
    only,
    plain,
    pools_padding,
)
from archcalc.ops.reweighted import Reweighted
from archcalc.ops.windowed import Sides

TABLE: Table[Speller] = Table()


def pad_order(begins: Sequence[int], ends: Sequence[int]) -> int | tuple[int, ...]:
    """Sides as PyTorch's padding modules take them: the last axis first, its begin and its end."""
    pairs = zip(reversed(begins), reversed(ends), strict=True)
    return plain([side for pair in pairs for side in pair])


def _zeros(sides: Sides, rank: int) -> tuple[Made, ...]:
    """The zeros around a map as a part of their own; none where there are none."""
    if not any(sides):
        return ()
    return (Made(f"nn.ZeroPad{rank}d", args(("padding", pad_order(sides.begins, sides.ends))), "pad"),)


def _padding(sides: Sides, rank: int) -> tuple[tuple[Made, ...], int | tuple[int, ...]]:
    """Padding as the argument of a module where begin and end of each axis are equal, else as a part before it."""
    if sides.begins == sides.ends:
        return (), plain(sides.begins)
    return _zeros(sides, rank), 0


@TABLE.of("convNd")
def _conv(case: Case) -> Spelling:
    op: Any = case.op
    before, padding = _padding(op.sides(case.inputs[0]), case.rank)
    window = {"stride": (plain(op.stride), 1), "padding": (padding, 0), "dilation": (plain(op.dilation), 1)}
    if op.connections is not None:
        table = (Arg("connections", [list(row) for row in op.connections], keyword=False),)
        own = Made("TableConv", (
            *args(("in_channels", case.inputs[0][0])), *table, *args(("kernel_size", op.kernel_size)),
            *args(**window, bias=(op.bias, True)),
        ))  # fmt: skip
        return Spelling((*before, own))
    own = Made(normalised(op, f"nn.Conv{case.rank}d"), args(
        ("in_channels", case.inputs[0][0]), ("out_channels", op.out_channels), ("kernel_size", plain(op.kernel_size)),
        **window, groups=(op.groups, 1), bias=(op.bias, True),
    ))  # fmt: skip
    return Spelling((*before, own))


def normalised(op: Reweighted, call: str) -> str:
    """The call that makes a module, in that of what normalises its weight; both end after the arguments."""
    name = "weight_norm" if op.weight_norm else "spectral_norm" if op.spectral_norm else ""
    return f"nn.utils.parametrizations.{name}({call}" if name else call


@TABLE.of("conv_transposeNd")
def _conv_transpose(case: Case) -> Spelling:
    op: Any = case.op
    sides = op.cut_off()
    paddings, extra, begins, ends = [], [], [], []
    for begin, end, more, *steps in zip(
        sides.begins, sides.ends, op.output_padding, op.stride, op.dilation, strict=True
    ):
        # PyTorch cuts off as much at the begin as at the end, and adds less than a stride or a dilation at the end.
        kept = end - more
        padding = min(begin, kept + max(steps) - 1)
        paddings.append(padding)
        extra.append(max(padding - kept, 0))
        begins.append(padding - begin)
        ends.append(min(padding - kept, 0))
    own = Made(normalised(op, f"nn.ConvTranspose{case.rank}d"), args(
        ("in_channels", case.inputs[0][0]), ("out_channels", op.out_channels), ("kernel_size", plain(op.kernel_size)),
        stride=(plain(op.stride), 1), padding=(plain(paddings), 0), output_padding=(plain(extra), 0),
        groups=(op.groups, 1), bias=(op.bias, True), dilation=(plain(op.dilation), 1),
    ))  # fmt: skip
    cut = Made(f"nn.ZeroPad{case.rank}d", args(("padding", pad_order(begins, ends))), "crop")
    return Spelling((own, cut) if any(begins) or any(ends) else (own,))


@TABLE.of("locally_connectedNd")
def _local(case: Case) -> Spelling:
    op: Any = case.op
    own = Made("LocallyConnected", args(
        ("in_channels", case.inputs[0][0]), ("out_channels", op.out_channels), ("output_size", case.output[1:]),
        ("kernel_size", op.kernel_size), ("stride", op.stride), ("dilation", op.dilation), bias=(op.bias, True),
    ))  # fmt: skip
    return Spelling((*_zeros(op.sides(case.inputs[0]), case.rank), own))


def _fits(op: Any, sides: Sides) -> bool:
    """Whether PyTorch's own padding and rounding of a pool are those of the op."""
    small = all(2 * side <= window for side, window in zip(sides.begins, op.kernel_size, strict=True))
    return sides.begins == sides.ends and small and (op.clip_last_window or not op.ceil_mode)


def _stride(op: Any) -> dict[str, tuple[Any, Any]]:
    """PyTorch's default is the window."""
    return {"stride": (plain(op.stride), plain(op.kernel_size))}


@TABLE.of("max_poolNd")
def _max_pool(case: Case) -> Spelling:
    op: Any = case.op
    sides = op.sides(case.inputs[0])
    more: dict[str, tuple[Any, Any]] = {"padding": (plain(sides.begins), 0), "dilation": (plain(op.dilation), 1)}
    more["ceil_mode"] = (op.ceil_mode, False)
    before: tuple[Made, ...] = ()
    if not _fits(op, sides):
        if case.switches:
            raise case.cannot("a pool whose maxima are put back, with padding on one side only,", PYTORCH)
        wanted = pools_padding(case)
        padding = pad_order(wanted.begins, wanted.ends)
        before = (Made(f"nn.ConstantPad{case.rank}d", args(("padding", padding), ("value", float("-inf"))), "pad"),)
        more |= {"padding": (0, 0), "ceil_mode": (False, False)}
    if case.switches:
        more["return_indices"] = (True, False)
    own = Made(f"nn.MaxPool{case.rank}d", args(("kernel_size", plain(op.kernel_size)), **_stride(op), **more))
    return Spelling((*before, own))


def _want_plain_window(case: Case) -> None:
    op: Any = case.op
    if any(step > 1 < size for step, size in zip(op.dilation, op.kernel_size, strict=True)):
        raise case.cannot("a mean or a sum over a dilated window", PYTORCH)


@TABLE.of("avg_poolNd")
def _avg_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    sides, rank = op.sides(case.inputs[0]), case.rank
    window = ("kernel_size", plain(op.kernel_size))
    if _fits(op, sides):
        own = Made(f"nn.AvgPool{rank}d", args(
            window, **_stride(op), padding=(plain(sides.begins), 0), ceil_mode=(op.ceil_mode, False),
            count_include_pad=(op.count_include_pad if any(sides) else True, True),
        ))  # fmt: skip
        return Spelling((own,))
    wanted = pools_padding(case)
    overhang = [max(last - end, 0) for last, end in zip(wanted.ends, sides.ends, strict=True)]
    if op.count_include_pad and not any(overhang):
        return Spelling((*_zeros(sides, rank), Made(f"nn.AvgPool{rank}d", args(window, **_stride(op)))))
    ends = [last - more for last, more in zip(wanted.ends, overhang, strict=True)]
    own = Made(f"PaddedAvgPool{rank}d", args(
        window, ("stride", plain(op.stride)), padding=(pad_order(sides.begins, ends), 0),
        overhang=(pad_order([0] * rank, overhang), 0), count_include_pad=(op.count_include_pad, True),
    ))  # fmt: skip
    return Spelling((own,))


@TABLE.of("lp_poolNd")
def _lp_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    # PyTorch takes powers of negative values as they are.
    absolute = (Made("Abs", suffix="abs"),) if op.norm_type % 2 else ()
    norm = ("norm_type", float(op.norm_type))
    own = Made(f"nn.LPPool{case.rank}d", args(norm, ("kernel_size", plain(op.kernel_size)), **_stride(op)))
    return Spelling((*absolute, *_zeros(pools_padding(case), case.rank), own))


@TABLE.of("subsamplingNd")
def _subsampling(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    own = Made(f"Subsampling{case.rank}d", args(
        ("channels", case.inputs[0][0]), ("kernel_size", plain(op.kernel_size)), **_stride(op),
    ))  # fmt: skip
    return Spelling((*_zeros(pools_padding(case), case.rank), own))


@TABLE.of("max_unpoolNd")
def _max_unpool(case: Case) -> Spelling:
    op: Any = case.op
    own = Made(f"Unpool{case.rank}d", args(
        ("kernel_size", plain(op.kernel_size)), stride=(plain(op.stride or op.kernel_size), plain(op.kernel_size)),
        padding=(plain(op.padding), 0),
        found_in=(None if case.pooled is None or case.pooled[1:] == case.output[1:] else case.pooled[1:], None),
    ))  # fmt: skip
    return Spelling((own,))


@TABLE.of("mean", "amax")
def _reduced(case: Case) -> Spelling:
    op: Any = case.op
    return only(op.kind.capitalize(), *((f"dim{n}", 1 + axis) for n, axis in enumerate(op.places(case.inputs[0]))))


@TABLE.of("global_avg_poolNd", "global_max_poolNd", "adaptive_avg_poolNd", "adaptive_max_poolNd")
def _adaptive(case: Case) -> Spelling:
    what = "Avg" if "avg" in case.op.kind else "Max"
    return only(f"nn.Adaptive{what}Pool{case.rank}d", ("output_size", plain(case.output[1:])))
