"""How layers that give maps another shape, or take parts of them, are written in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.interop.export.onnx_graph import Builder, Writer
from archcalc.interop.export.spelling import Case, Table, taken
from archcalc.ops.axes import axis_of

TABLE: Table[Writer] = Table()


@TABLE.of("reshape", "tokens", "grid")
def _reshape(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    return g.reshape(inputs[0], *case.output)


@TABLE.of("cropNd")
def _crop(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0]
    for axis, (begin, kept) in enumerate(zip(op.margins.begins, case.output[1:], strict=True), 2):
        if kept != case.inputs[0][axis - 1]:
            x = g.slice(x, axis, begin, begin + kept)
    return x if x != inputs[0] else str(g("Identity", x))


@TABLE.of("sliceNd")
def _slice(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0]
    for axis, (start, step) in enumerate(zip(op.start, op.step, strict=True), 2):
        x = g.slice(x, axis, start, case.inputs[0][axis - 1], step)
    return x


@TABLE.of("zero_padNd")
def _zero_pad(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    pairs = zip(op.sides().begins, op.sides().ends, strict=True)
    out = g.pad(inputs[0], {2 + axis: pair for axis, pair in enumerate(pairs)})
    return out if out != inputs[0] else str(g("Identity", out))


@TABLE.of("reflection_pad", "replication_pad", "circular_pad")
def _border_pad(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    mode = {"reflection_pad": "reflect", "replication_pad": "edge", "circular_pad": "wrap"}[op.kind]
    margins = op.margins(case.inputs[0])
    out = g.pad(inputs[0], {2 + axis: pair for axis, pair in enumerate(margins)}, mode=mode)
    return out if out != inputs[0] else str(g("Identity", out))


@TABLE.of("pad_channels")
def _pad_channels(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    out = g.pad(inputs[0], {1: (op.before, op.after or 0)})
    return out if out != inputs[0] else str(g("Identity", out))


@TABLE.of("upsampleNd", "interpolate")
def _resize(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    old, new = case.inputs[0][1:], case.output[1:]
    if op.mode == "nearest":
        x = inputs[0]
        plain = [taken(op, *pair) == [index * pair[0] // pair[1] for index in range(pair[1])] and pair[1] % pair[0] == 0
                 for pair in zip(old, new, strict=True)]  # fmt: skip
        for axis, (size, wanted, is_plain) in enumerate(zip(old, new, plain, strict=True), 2):
            if not is_plain:
                # What runtimes calculate in floating point is exact as a table.
                x = g("Gather", x, g.ints(taken(op, size, wanted)), axis=axis)
        scales = [wanted / size if is_plain else 1.0 for size, wanted, is_plain in zip(old, new, plain, strict=True)]
        if any(scale != 1 for scale in scales):
            x = g(
                "Resize", x, "", g.floats([1, 1, *scales]), mode="nearest", nearest_mode="floor",
                coordinate_transformation_mode="asymmetric",
            )  # fmt: skip
        return x if x != inputs[0] else str(g("Identity", x))
    places = "align_corners" if getattr(op, "align_corners", False) else "half_pixel"
    mode = "cubic" if op.mode == "bicubic" else "linear"
    antialias = getattr(op, "antialias", False)
    cubic: dict[str, Any] = {"cubic_coeff_a": -0.5 if antialias else -0.75} if mode == "cubic" else {}
    if antialias:
        cubic |= {"antialias": 1, "exclude_outside": 1}
    scale = getattr(op, "scale_factor", None)
    if (
        isinstance(scale, float)
        and places == "half_pixel"
        and any(size * scale != new[axis] for axis, size in enumerate(old))
    ):
        return str(g("Resize", inputs[0], "", g.floats([1, 1, *[scale] * case.rank]), mode=mode,
                     coordinate_transformation_mode=places, **cubic))  # fmt: skip
    size = g("Concat", g("Slice", g("Shape", inputs[0]), g.ints([0]), g.ints([2])), g.ints(new), axis=0)
    return str(g("Resize", inputs[0], "", "", size, mode=mode, coordinate_transformation_mode=places, **cubic))


@TABLE.of("chunk", "split", "narrow")
def _part(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    axis = axis_of(op.axis, case.inputs[0])
    start, length, step = op.run(case.inputs[0][axis])
    return g.slice(inputs[0], 1 + axis, start, start + (length - 1) * step + 1, step)


@TABLE.of("channel_shuffle")
def _channel_shuffle(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    channels, *positions = case.inputs[0]
    rows = g.reshape(inputs[0], op.groups, channels // op.groups, -1)
    return g.reshape(g.transpose(rows, 0, 2, 1, 3), channels, *positions)


@TABLE.of("permute", "transpose")
def _permute(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return g.transpose(inputs[0], 0, *(1 + axis for axis in op.order(case.inputs[0])))


@TABLE.of("pixel_shuffle")
def _pixel_shuffle(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    factor, rank = op.upscale_factor, case.rank
    if rank == 2:
        return str(g("DepthToSpace", inputs[0], blocksize=factor, mode="CRD"))
    blocks = g.reshape(inputs[0], case.output[0], *[factor] * rank, *case.inputs[0][1:])
    order = [axis for place in range(rank) for axis in (2 + rank + place, 2 + place)]
    return g.reshape(g.transpose(blocks, 0, 1, *order), *case.output)


@TABLE.of("pixel_unshuffle")
def _pixel_unshuffle(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    factor, rank = op.downscale_factor, case.rank
    parts = [part for size in case.output[1:] for part in (size, factor)]
    blocks = g.reshape(inputs[0], case.inputs[0][0], *parts)
    order = (0, 1, *range(3, 3 + 2 * rank, 2), *range(2, 2 + 2 * rank, 2))
    return g.reshape(g.transpose(blocks, *order), *case.output)


@TABLE.of("roll")
def _roll(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0]
    shifts = op.shifts if len(op.shifts) == case.rank else op.shifts * case.rank
    for axis, (shift, size) in enumerate(zip(shifts, case.inputs[0][1:], strict=True), 2):
        moved = shift % size
        if moved:
            parts = [g.slice(x, axis, size - moved, size), g.slice(x, axis, 0, size - moved)]
            x = g("Concat", *parts, axis=axis)
    return x if x != inputs[0] else str(g("Identity", x))
