"""How layers that give maps another shape, or take parts of them, are spelt in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.interop.export.keras_trained import flattened
from archcalc.interop.export.keras_windows import cropped, zeros
from archcalc.interop.export.spelling import Arg, Case, Made, Speller, Spelling, Table, args, only, plain
from archcalc.ops.axes import axis_of

TABLE: Table[Speller] = Table()


def _turned(order: Sequence[int], suffix: str = "") -> tuple[Made, ...]:
    """Axes in another order, counted from 1 as Keras does; nothing where they stay."""
    if list(order) == list(range(1, 1 + len(order))):
        return ()
    return (Made("layers.Permute", (Arg("dims", list(order), keyword=False),), suffix),)


def _shape(sizes: Sequence[int], suffix: str = "") -> Made:
    return Made("layers.Reshape", (Arg("target_shape", list(sizes), keyword=False),), suffix)


@TABLE.of("flatten")
def _flatten(case: Case) -> Spelling:
    *before, own = flattened(case) or (Made("layers.Flatten"),)
    return Spelling((*before, Made(own.call)))


@TABLE.of("reshape")
def _reshape(case: Case) -> Spelling:
    if len(case.output) == 1:
        return _flatten(case)
    rank = len(case.output) - 1
    first = (1 + case.rank, *range(1, 1 + case.rank)) if case.rank else (1,)
    turned = _turned((*range(2, 2 + rank), 1), "last")
    return Spelling((*_turned(first, "first"), _shape(case.output), *turned))


@TABLE.of("tokens", "grid")
def _tokens(case: Case) -> Spelling:
    return Spelling((_shape((*case.output[1:], case.output[0])),))


@TABLE.of("cropNd")
def _crop(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(cropped(op.margins, "") or (Made("layers.Identity"),), first_only=True)


@TABLE.of("sliceNd")
def _slice(case: Case) -> Spelling:
    op: Any = case.op
    taken = [f"{start or ''}::{step}" for start, step in zip(op.start, op.step, strict=True)]
    return Spelling(expression=f"{{0}}[:, {', '.join(taken)}]")


@TABLE.of("zero_padNd")
def _zero_pad(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(zeros(op.sides(), "") or (Made("layers.Identity"),))


@TABLE.of("reflection_pad")
def _reflection_pad(case: Case) -> Spelling:
    op: Any = case.op
    margins = ((0, 0), *op.margins(case.inputs[0]), (0, 0))
    return Spelling((Made("ops.pad", (Arg("pad_width", margins, keyword=False), Arg("mode", "reflect", "constant"))),))


@TABLE.of("pad_channels")
def _pad_channels(case: Case) -> Spelling:
    op: Any = case.op
    margins = (*[(0, 0)] * (1 + case.rank), (op.before, op.after or 0))
    return Spelling((Made("ops.pad", (Arg("pad_width", margins, keyword=False),)),))


@TABLE.of("upsampleNd", "interpolate")
def _resize(case: Case) -> Spelling:
    op: Any = case.op
    old, new = case.inputs[0][1:], case.output[1:]
    times = [wanted // size if wanted % size == 0 else 0 for size, wanted in zip(old, new, strict=True)]
    steps = [op.step(*pair) == pair if hasattr(op, "step") else True for pair in zip(old, new, strict=True)]
    if op.mode == "nearest" and all(times) and all(steps):
        return Spelling((Made(f"layers.UpSampling{case.rank}D", args(("size", plain(times)))),), first_only=True)
    aligned, antialias = getattr(op, "align_corners", False), getattr(op, "antialias", False)
    if op.mode == "bilinear" and all(steps) and not aligned and not antialias:
        made = Made("layers.Resizing", args(("height", new[0]), ("width", new[1]), interpolation=("bilinear", None)))
        return Spelling((made,), first_only=True)
    made = Made("Interpolate", args(
        ("size", new), ("mode", op.mode), align_corners=(aligned, False), antialias=(antialias, False),
        scale_factor=(None if all(steps) else op.scale_factor, None),
    ))  # fmt: skip
    return Spelling((made,), first_only=True)


@TABLE.of("chunk", "split", "narrow")
def _part(case: Case) -> Spelling:
    op: Any = case.op
    axis = axis_of(op.axis, case.inputs[0])
    start, length, step = op.run(case.inputs[0][axis])
    taken = f"{start}:{start + (length - 1) * step + 1}" + (f":{step}" if step != 1 else "")
    return Spelling(expression=f"{{0}}[..., {taken}]" if axis == 0 else f"{{0}}[{':, ' * axis}{taken}]")


@TABLE.of("channel_shuffle")
def _channel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    channels, *positions = case.inputs[0]
    rank = case.rank
    turn = _turned((*range(1, 1 + rank), 2 + rank, 1 + rank), "turn")
    return Spelling(
        (_shape((*positions, op.groups, channels // op.groups), "rows"), *turn, _shape((*positions, channels)))
    )


@TABLE.of("permute", "transpose")
def _permute(case: Case) -> Spelling:
    op: Any = case.op
    # Channel axis 0 is the last here, position axis n the n-th.
    place = {axis: axis or 1 + case.rank for axis in range(1 + case.rank)}
    first, *others = op.order(case.inputs[0])
    return Spelling(_turned([place[axis] for axis in (*others, first)]) or (Made("layers.Identity"),))


@TABLE.of("pixel_shuffle", "pixel_unshuffle")
def _pixel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    rank = case.rank
    if op.kind == "pixel_shuffle":
        factor, positions = op.upscale_factor, case.inputs[0][1:]
        blocks = (*positions, case.output[0], *[factor] * rank)
        order = [axis for place in range(rank) for axis in (1 + place, 2 + rank + place)] + [1 + rank]
    else:
        factor, positions = op.downscale_factor, case.output[1:]
        blocks = (*(part for size in positions for part in (size, factor)), case.inputs[0][0])
        order = [*range(1, 1 + 2 * rank, 2), 1 + 2 * rank, *range(2, 2 + 2 * rank, 2)]
    return Spelling((_shape(blocks, "blocks"), *_turned(order, "turn"), _shape((*case.output[1:], case.output[0]))))


@TABLE.of("roll")
def _roll(case: Case) -> Spelling:
    op: Any = case.op
    shifts = op.shifts if len(op.shifts) == case.rank else op.shifts * case.rank
    return only("ops.roll", ("shift", list(shifts)), ("axis", list(range(1, 1 + case.rank))))
