"""Operations that move values: views make no layers; parts, borders and shifts do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from operator import mul
from typing import Any

from archcalc.interop.recognise_handler import (
    Handler,
    Tensor,
    as_tensor,
    handles,
    images,
    part,
    pointwise,
    short,
    with_axis,
    with_images,
)
from archcalc.interop.recognise_layers import MOST_AXES, Fixed, UnknownFormError
from archcalc.interop.recognise_merge import join
from archcalc.interop.recognise_views import (
    BATCH,
    COPIES,
    Factor,
    View,
    axis_size,
    permuted,
    reshaped,
    whole,
    whole_axes,
    without,
)


@handles("reshape")
def _reshape(call: Handler) -> list[Tensor]:
    view, shape = call.view(), call.attributes["shape"]
    axes = reshaped(view.axes, shape)
    if axes is None:
        view = call.layers.without_copies(view, call.node)
        plain = without(view.axes, BATCH)
        goal = reshaped(plain, _common_blocks(tuple(map(axis_size, plain)), shape)) or ()
        layer = call.layers.arranged(view.layer, goal[1:], call.node)
        axes = reshaped(((), *whole_axes(call.layers.shapes[layer])), shape)
        view = View(layer, axes or ())
    if axes is None:
        raise UnknownFormError("a reshape across axes")
    return [View(view.layer, axes)]


def _common_blocks(old: Sequence[int], new: Sequence[int]) -> list[int]:
    """1 for the batch, and the sizes of the runs of axes that two shapes have in common: 1, 56, 56 of 7×8×56, 8×7×56.

    There are no more than a map has axes.
    """
    inside = sorted(set(accumulate(reversed(old), mul)) & set(accumulate(reversed(new), mul)) | {1})
    blocks = [outer // inner for inner, outer in pairwise(inside)][::-1]
    while len(blocks) > MOST_AXES:
        blocks[-2:] = [blocks[-2] * blocks[-1]]
    return [1, *blocks]


@handles("unsqueeze")
def _unsqueeze(call: Handler) -> list[Tensor]:
    view, dim = call.view(), call.attributes["dim"]
    return [View(view.layer, (*view.axes[:dim], (), *view.axes[dim:]))]


@handles("squeeze")
def _squeeze(call: Handler) -> list[Tensor]:
    view, dims = call.view(), call.attributes["dim"]
    return [View(view.layer, tuple([axis for dim, axis in enumerate(view.axes) if dim not in dims]))]


@handles("permute")
def _permute(call: Handler) -> list[Tensor]:
    view = call.view()
    return [View(view.layer, permuted(view.axes, call.attributes["dims"]))]


@handles("transpose")
def _transpose(call: Handler) -> list[Tensor]:
    view = call.view()
    return [_swapped(view, call.attributes["dim0"], call.attributes["dim1"])]


def _swapped(view: View, first: int, second: int) -> View:
    dims = list(range(len(view.axes)))
    first, second = first % len(dims), second % len(dims)
    dims[first], dims[second] = dims[second], dims[first]
    return View(view.layer, permuted(view.axes, dims))


@handles("expand")
def _expand(call: Handler) -> list[Tensor]:
    view, shape = call.view(), call.attributes["shape"]
    axes = ((),) * (len(shape) - len(view.axes)) + view.axes
    found = []
    for axis, size in zip(axes, shape, strict=True):
        found.append((Factor(COPIES, size),) if axis_size(axis) != size else axis)
    return [View(view.layer, tuple(found))]


@handles("slice")
def _slice(call: Handler) -> list[Tensor]:
    given = call.attributes
    count = -(-(given["end"] - given["start"]) // given["step"])
    if count < 1:
        raise UnknownFormError("an empty slice")
    view = call.view()
    axis = view.axes[given["dim"]]
    if axis and all(factor.axis == COPIES for factor in axis):
        return [with_axis(view, given["dim"], (Factor(COPIES, count),) if count > 1 else ())]
    return [part(call, view, given["dim"], given["start"], count, given["step"])]


def _without_axis(view: View, dim: int) -> View:
    return View(view.layer, (*view.axes[:dim], *view.axes[dim + 1 :]))


@handles("select")
def _select(call: Handler) -> list[Tensor]:
    dim = call.attributes["dim"]
    return [_one(call, call.view(), dim, call.attributes["index"])]


def _one(call: Handler, view: View, dim: int, index: int) -> View:
    """One place of an axis, which goes."""
    axis = view.axes[dim]
    if axis and all(factor.axis == COPIES for factor in axis):
        return _without_axis(view, dim)
    return _without_axis(part(call, view, dim, index, 1), dim)


@handles("unbind")
def _unbind(call: Handler) -> list[Tensor]:
    return [_one(call, call.view(), call.attributes["dim"], index) for index in range(len(call.node.outputs))]


@handles("split", "chunk")
def _split(call: Handler) -> list[Tensor]:
    view, dim = call.view(), call.attributes["dim"]
    sizes = [call.layers.program.shape(name)[dim] for name in call.node.outputs]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return [part(call, view, dim, start, size) for start, size in zip(starts, sizes, strict=True)]


@handles("pad")
def _pad(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    pads = list(given["pad"])
    if not any(pads):
        return [view]
    sides = {len(view.axes) - 1 - index: pads[2 * index : 2 * index + 2] for index in range(len(pads) // 2)}
    sides = {dim: both for dim, both in sides.items() if any(both)}
    if min(map(min, sides.values())) < 0:
        for dim, both in sides.items():
            before, after = (max(-side, 0) for side in both)
            view = part(call, view, dim, before, axis_size(view.axes[dim]) - before - after)
        rest = [max(side, 0) for side in pads]
        return _pad(_with(call, [view], {**given, "pad": rest})) if any(rest) else [view]
    if given["mode"] == "constant" and (value := float(given["value"] or 0)):
        # Zeros around x − value, and then the value again.
        lowered = pointwise(call, "rescale", {"offset": -value})
        padded = _pad(_with(call, lowered, {**given, "value": 0.0}))
        return pointwise(_with(call, padded, given), "rescale", {"offset": value})
    whole_of = {}
    for dim in sides:
        axis = view.axes[dim]
        shape = call.layers.shapes[view.layer]
        is_whole = len(axis) == 1 and axis == whole(axis[0].axis, shape[axis[0].axis])
        if not is_whole or (axis[0].axis == 0 and len(sides) > 1):
            view = as_tensor(call, View(view.layer, without(view.axes, BATCH)))
            break
    shape = call.layers.shapes[view.layer]
    for dim, both in sides.items():
        axis = view.axes[dim]
        if len(axis) != 1 or axis != whole(axis[0].axis, shape[axis[0].axis]):
            raise UnknownFormError("a padding of a part of an axis")
        whole_of[axis[0].axis] = both
    rank = len(shape) - 1
    if 0 in whole_of:
        if len(whole_of) > 1 or given["mode"] != "constant":
            raise UnknownFormError("a padding of channels and positions")
        before, after = whole_of[0]
        fields: dict[str, Any] = {"before": before, "after": after}
        layer = call.add("pad_channels", fields, [view.layer])
    else:
        begins = [whole_of.get(axis, (0, 0))[0] for axis in range(1, rank + 1)]
        ends = [whole_of.get(axis, (0, 0))[1] for axis in range(1, rank + 1)]
        kind = {
            "constant": f"zero_pad{rank}d", "reflect": "reflection_pad", "replicate": "replication_pad",
            "circular": "circular_pad",
        }[given["mode"]]  # fmt: skip
        padding = begins if begins == ends else [*begins, *ends]
        layer = call.add(kind, {"padding": short(padding)}, [view.layer])
    made = call.layers.shapes[layer]
    axes = [whole(axis[0].axis, made[axis[0].axis]) if index in sides else axis for index, axis in enumerate(view.axes)]
    return [View(layer, tuple(axes))]


def _with(call: Handler, inputs: list[Tensor], attributes: Mapping[str, Any]) -> Handler:
    """The operation with other inputs and attributes."""
    return Handler(call.layers, call.env, replace(call.node, attributes=attributes), inputs)


@handles("roll")
def _roll(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    dims = [dim % len(view.axes) for dim in given["dims"]]
    shape = call.layers.shapes[view.layer]
    others = [dim for dim in range(len(view.axes)) if dim not in dims]
    if not dims or not others:
        raise UnknownFormError("a shift of all values")
    if any(len(view.axes[dim]) != 1 or view.axes[dim][0].axis < 1 for dim in dims):
        channels = others[-1]
        layer = call.layers.positions_of(view, channels, call.node)
        shape = call.layers.shapes[layer]
        positions = [dim for dim in range(1, len(view.axes)) if dim != channels]
        axes = [images(view.axes)] * len(view.axes)
        for index, dim in enumerate([channels, *positions]):
            axes[dim] = whole(index, shape[index])
        view = View(layer, tuple(axes))
    shifts = [0] * (len(shape) - 1)
    for shift, dim in zip(given["shifts"], dims, strict=True):
        axis = view.axes[dim]
        if len(axis) != 1 or axis[0].axis < 1 or axis != whole(axis[0].axis, shape[axis[0].axis]):
            raise UnknownFormError("a shift of a part of an axis")
        shifts[axis[0].axis - 1] = shift
    return [View(call.add("roll", {"shifts": shifts}, [view.layer]), view.axes)]


@handles("index")
def _index(call: Handler) -> list[Tensor]:
    """Places of one axis by stored numbers."""
    dims, numbers = call.attributes["dims"], call.inputs[1]
    if len(dims) != 1 or not isinstance(numbers, Fixed) or numbers.axes is None or len(numbers.sources) != 1:
        raise UnknownFormError("numbers that are computed, or for several axes")
    if "int" not in call.layers.program.constants[numbers.sources[0]].dtype:
        raise UnknownFormError("a mask of places")
    view, dim = call.view(), dims[0]
    others = [axis for index, axis in enumerate(without(view.axes, BATCH)) if index != dim]
    goal = (tuple([factor for axis in others for factor in axis]), view.axes[dim])
    row = call.layers.arranged(view.layer, goal, call.node)
    flat = tuple([factor for axis in numbers.axes for factor in axis])
    places = call.layers.parameter(numbers, (flat,), call.node)
    layer = call.add("index_select", {}, [row, places])
    made = call.layers.shapes[layer]
    before = reshaped((whole(0, made[0]),), [axis_size(axis) for axis in others])
    inside = reshaped((whole(1, made[1]),), numbers.shape)
    if before is None or inside is None:
        raise UnknownFormError("places in an arrangement that does not fit")
    axes = (*before[:dim], *inside, *before[dim:])
    return [View(layer, with_images(axes, view.axes))]


@handles("repeat")
def _repeat(call: Handler) -> list[Tensor]:
    """The tensor several times along some axes, as it is each time."""
    view, repeats = call.view(), call.attributes["repeats"]
    repeats = ((1,) * (len(view.axes) - len(repeats))) + tuple(repeats)
    view = View(view.layer, ((),) * (len(repeats) - len(view.axes)) + view.axes)
    spread = [dim for dim, count in enumerate(repeats) if count > 1 and not view.axes[dim]]
    for dim, count in enumerate(repeats):
        if count > 1 and dim not in spread:
            view = join(call, [view] * count, dim)
    for dim in spread:
        view = with_axis(view, dim, (Factor(COPIES, repeats[dim]),))
    return [view]


@handles("repeat_each")
def _repeat_each(call: Handler) -> list[Tensor]:
    """Each place of an axis several times, one next to another."""
    view, dim, count = call.view(), call.attributes["dim"], call.attributes["repeats"]
    return [with_axis(view, dim, (*view.axes[dim], *((Factor(COPIES, count),) if count > 1 else ())))]


@handles("slice_scatter")
def _slice_scatter(call: Handler) -> list[Tensor]:
    """A tensor with another in the place of a part."""
    view, given = call.view(), call.attributes
    dim, start, end = given["dim"], given["start"], given["end"]
    size = axis_size(view.axes[dim])
    if given["step"] != 1:
        raise UnknownFormError("every other place is another")
    before = [part(call, view, dim, 0, start)] if start else []
    after = [part(call, view, dim, end, size - end)] if end < size else []
    source = call.inputs[1]
    found = [*before, call.layers.view_of(source, call.node) if isinstance(source, Fixed) else call.view(1), *after]
    return [join(call, found, dim) if len(found) > 1 else found[0]]
