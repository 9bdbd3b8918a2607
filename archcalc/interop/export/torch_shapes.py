"""How layers that give maps another shape, or take parts of them, are spelt in PyTorch."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.spelling import Case, Made, Speller, Spelling, Table, args, only, plain
from archcalc.interop.export.torch_trained import flattened, plain_shape
from archcalc.interop.export.torch_windows import pad_order
from archcalc.ops.axes import axis_of
from archcalc.ops.windowed import Sides

TABLE: Table[Speller] = Table()


@TABLE.of("reshape")
def _reshape(case: Case) -> Spelling:
    flat = flattened(case)
    if len(case.output) == 1:
        return Spelling((Made("nn.Flatten"),))
    own = Made("nn.Unflatten", args(("dim", 1), ("unflattened_size", case.output)))
    return Spelling((*flat, own))


@TABLE.of("tokens")
def _tokens(case: Case) -> Spelling:
    if case.rank:
        return only("nn.Flatten", ("start_dim", 2))
    return only("nn.Unflatten", ("dim", 1), ("unflattened_size", (case.output[0], 1)))


@TABLE.of("grid")
def _grid(case: Case) -> Spelling:
    return only("nn.Unflatten", ("dim", 2), ("unflattened_size", case.output[1:]))


@TABLE.of("cropNd")
def _crop(case: Case) -> Spelling:
    op: Any = case.op
    if len(case.inputs) == 2 and op.margins == Sides.halves(
        [size - kept for size, kept in zip(case.inputs[0][1:], case.inputs[1][1:], strict=True)]
    ):
        return only("CenterCrop")
    cut = pad_order([-side for side in op.margins.begins], [-side for side in op.margins.ends])
    return Spelling((Made(f"nn.ZeroPad{case.rank}d", args(("padding", cut))),))


@TABLE.of("sliceNd")
def _slice(case: Case) -> Spelling:
    op: Any = case.op
    return only("Slice", ("start", op.start), ("step", op.step))


@TABLE.of("zero_padNd")
def _zero_pad(case: Case) -> Spelling:
    op: Any = case.op
    sides = op.sides()
    return only(f"nn.ZeroPad{case.rank}d", ("padding", pad_order(sides.begins, sides.ends)))


@TABLE.of("reflection_pad", "replication_pad", "circular_pad")
def _border_pad(case: Case) -> Spelling:
    op: Any = case.op
    begins, ends = zip(*op.margins(case.inputs[0]), strict=True)
    name = {"reflection_pad": "Reflection", "replication_pad": "Replication", "circular_pad": "Circular"}[op.kind]
    return only(f"nn.{name}Pad{case.rank}d", ("padding", pad_order(begins, ends)))


@TABLE.of("pad_channels")
def _pad_channels(case: Case) -> Spelling:
    op: Any = case.op
    return only("PadChannels", ("before", op.before), ("after", op.after or 0))


@TABLE.of("upsampleNd")
def _upsample(case: Case) -> Spelling:
    op: Any = case.op
    return only("nn.Upsample", scale_factor=(plain(op.scale), None), mode=(op.mode, "nearest"))


@TABLE.of("interpolate")
def _interpolate(case: Case) -> Spelling:
    op: Any = case.op
    mode = {"mode": (op.mode, "nearest"), "align_corners": (op.align_corners or None, None)}
    if op.antialias:
        size = plain_shape(case.output[1:]) if op.size is not None else None
        scale = {"scale_factor": (op.scale_factor, None)}
        return only("Antialiased", size=(size, None), mode=(op.mode, "bilinear"), **scale)
    if len(case.inputs) == 2:
        return only("ResizeLike", **mode)
    if op.scale_factor is not None:
        return only("nn.Upsample", scale_factor=(op.scale_factor, None), **mode)
    return only("nn.Upsample", size=(plain_shape(case.output[1:]), None), **mode)


def _dim(case: Case) -> int:
    op: Any = case.op
    return 1 + axis_of(op.axis, case.inputs[0])


@TABLE.of("chunk")
def _chunk(case: Case) -> Spelling:
    op: Any = case.op
    return only("Chunk", ("chunks", op.chunks), ("index", op.index), dim=(_dim(case), 1))


@TABLE.of("split", "narrow")
def _part(case: Case) -> Spelling:
    op: Any = case.op
    axis = _dim(case) - 1
    start, length, step = op.run(case.inputs[0][axis])
    return only("Part", ("start", start), ("length", length), step=(step, 1), dim=(axis + 1, 1))


@TABLE.of("channel_shuffle")
def _channel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    return only("nn.ChannelShuffle" if case.rank > 1 else "ChannelShuffle", ("groups", op.groups))


@TABLE.of("permute", "transpose")
def _permute(case: Case) -> Spelling:
    op: Any = case.op
    return only("Permute", *((f"dim{n}", 1 + axis) for n, axis in enumerate(op.order(case.inputs[0]))))


@TABLE.of("pixel_shuffle")
def _pixel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    return only("nn.PixelShuffle" if case.rank == 2 else "PixelShuffle", ("upscale_factor", op.upscale_factor))


@TABLE.of("pixel_unshuffle")
def _pixel_unshuffle(case: Case) -> Spelling:
    op: Any = case.op
    name = "nn.PixelUnshuffle" if case.rank == 2 else "PixelUnshuffle"
    return only(name, ("downscale_factor", op.downscale_factor))


@TABLE.of("roll")
def _roll(case: Case) -> Spelling:
    op: Any = case.op
    shifts = op.shifts if len(op.shifts) == case.rank else op.shifts * case.rank
    return only("Roll", *((f"shift{n}", shift) for n, shift in enumerate(shifts)))
