"""ONNX operations that move values: reshapes, parts, joints, padding and resizing, as operations of a program."""

from __future__ import annotations

import math
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.interop.arrays import np
from archcalc.interop.onnx_call import Call, translates
from archcalc.interop.onnx_fold import axes_of, integers, slices, split_sizes

#: An operation, its attributes and the shape that it makes.
Step = tuple[str, dict[str, Any], tuple[int, ...]]
#: As many pieces one operation may become.
_MOST_PIECES = 64


@translates("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def _reshape(call: Call) -> bool:
    call.attributes.read.update(("axis", "axes"))  # the shape inference has looked at it
    count, wanted = math.prod(call.shape()), math.prod(call.output_shape)
    if count != wanted:
        made = "×".join(map(str, call.output_shape))
        raise UsageError(f"{count:,} values cannot become {made}, which are {wanted:,}: it is written for another size")
    call.emit("reshape", call.inputs[:1], {"shape": call.output_shape})
    return True


@translates("Transpose")
def _transpose(call: Call) -> bool:
    dims = call.attributes.get("perm") or range(len(call.shape()))[::-1]
    call.emit("permute", call.inputs, {"dims": tuple(dims)})
    return True


@translates("Expand")
def _expand(call: Call) -> bool:
    call.emit("expand", call.inputs[:1], {"shape": call.output_shape})
    return True


@translates("Tile")
def _tile(call: Call) -> bool:
    if call.known(1) is None:
        return False
    times = {axis: count for axis, count in enumerate(integers(call.known(1))) if count != 1}
    if all(call.shape()[axis] == 1 for axis in times):
        call.emit("expand", call.inputs[:1], {"shape": call.output_shape})
        return True
    if max(times.values()) > _MOST_PIECES or min(times.values()) < 1:
        return False
    name, shape = call.inputs[0], list(call.shape())
    for axis, count in times.items():
        shape[axis] *= count
        is_last = axis == max(times)
        name = call.emit("cat", [name] * count, {"dim": axis}, shape=None if is_last else tuple(shape))
    return True


@translates("Concat")
def _concat(call: Call) -> bool:
    call.emit("cat", call.inputs, {"dim": call.attributes["axis"] % len(call.output_shape)})
    return True


@translates("Split")
def _split(call: Call) -> bool:
    axis = call.attributes.get("axis", 0) % len(call.shape())
    if call.has(1) and call.known(1) is None:
        return False
    parts = call.attributes.get("num_outputs") or len(call.node.output)
    sizes = split_sizes(call.attributes, [None, call.known(1)], call.shape()[axis], parts)
    if len(call.outputs) != len(sizes):
        return False
    call.emit("split", call.inputs[:1], {"sizes": sizes, "dim": axis}, outputs=call.outputs)
    return True


@translates("Slice")
def _slice(call: Call) -> bool:
    inputs = [call.known(index) for index in range(1, len(call.inputs))]
    if any(each is None and call.has(index) for index, each in enumerate(inputs, 1)):
        return False
    shape = call.shape()
    steps: list[Step] = []
    for axis, start, end, step in slices(call.attributes, call.opset, [None, *inputs], shape):
        size = len(range(start, end, step))
        if (size, step) == (shape[axis], 1):
            continue
        after = (*shape[:axis], size, *shape[axis + 1 :])
        if not size:
            return False
        low, high = sorted((start, start + (size - 1) * step))
        if (size, abs(step)) != (shape[axis], 1):
            steps.append(("slice", {"dim": axis, "start": low, "end": high + 1, "step": abs(step)}, after))
        if step < 0:
            steps.append(("flip", {"dims": (axis,)}, after))
        shape = after
    _in_steps(call, steps)
    return True


def _in_steps(call: Call, steps: list[Step]) -> None:
    """Emit one operation after another on the first input; the last makes the output."""
    name = call.inputs[0]
    if not steps:
        call.emit("identity", [name])
    for index, (op, attributes, shape) in enumerate(steps):
        name = call.emit(op, [name], attributes, shape=None if index == len(steps) - 1 else shape)


@translates("Gather")
def _gather(call: Call) -> bool:
    axis = call.attributes.get("axis", 0) % len(call.shape())
    numbers, shape = call.constant(1), call.shape()
    if numbers is None:
        table = call.constant(0)
        if table is None or len(table.shape) != 2 or axis != 0:
            return False
        call.emit("embedding", [call.inputs[1], call.inputs[0]])
        return True
    found = [each % shape[axis] for each in integers(numbers.values)] if numbers.is_known else []
    if found and not numbers.shape:
        call.emit("select", call.inputs[:1], {"dim": axis, "index": found[0]})
        return True
    step = found[1] - found[0] if len(found) > 1 else 1
    if call.constant(0) is not None or not found or step < 1 or found != [*range(found[0], found[-1] + 1, step)]:
        call.emit("index", call.inputs, {"dims": (axis,)})
        return True
    bounds = {"dim": axis, "start": found[0], "end": found[-1] + 1, "step": step}
    steps: list[Step] = []
    if len(found) < shape[axis]:
        steps.append(("slice", bounds, (*shape[:axis], len(found), *shape[axis + 1 :])))
    if len(numbers.shape) != 1:
        steps.append(("reshape", {"shape": call.output_shape}, call.output_shape))
    _in_steps(call, steps)
    return True


@translates("GatherND")
def _gather_nd(call: Call) -> bool:
    """Places of the first axis, whose numbers stand in rows of one."""
    numbers = call.constant(1)
    if call.attributes.get("batch_dims", 0) or numbers is None or numbers.shape[-1] != 1:
        return False
    flat = numbers.shape[:-1]
    places = numbers.changed(f"{numbers.name}#flat", flat, lambda values: values.reshape(flat))
    call.emit("index", [call.inputs[0], places], {"dims": (0,)})
    return True


_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@translates("Pad")
def _pad(call: Call) -> bool:
    given = call.attributes
    pads = given.get("pads") or given.get("paddings") or call.known(1)
    value: Any = given.get("value", 0.0)
    if call.has(2):
        value = call.known(2)
    if pads is None or value is None:
        return False
    mode = _MODES[given.get("mode", "constant")]
    rank = len(call.shape())
    axes = [axis % rank for axis in integers(call.known(3))] if call.has(3) else list(range(rank))
    sides = integers(pads)
    begins, ends = [0] * rank, [0] * rank
    for index, axis in enumerate(axes):
        begins[axis], ends[axis] = sides[index], sides[index + len(axes)]
    pairs = [number for axis in reversed(range(rank)) for number in (begins[axis], ends[axis])]
    while pairs and pairs[-2:] == [0, 0]:
        del pairs[-2:]
    if not pairs:
        call.emit("identity", call.inputs[:1])
        return True
    number = float(np.asarray(value).reshape(-1)[0])
    call.emit("pad", call.inputs[:1], {"pad": tuple(pairs), "mode": mode, "value": number})
    return True


_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@translates("Resize", "Upsample")
def _resize(call: Call) -> bool:
    """Only where torch's interpolate gives the same values."""
    shape, output, given = call.shape(), call.output_shape, call.attributes
    rank = len(shape) - 2
    if shape[:2] != output[:2] or not 1 <= rank <= 3:
        return False
    antialias = bool(given.get("antialias", 0))
    if antialias != bool(given.get("exclude_outside", 0)) or (antialias and rank != 2):
        return False  # torch leaves out what is outside with a wide filter, and repeats the edge without
    upsample = call.op == "Upsample" or call.opset < 11
    how = "asymmetric" if upsample else given.get("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if upsample else given.get("nearest_mode", "round_prefer_floor")
    scales = given.get("scales")
    if scales is None:
        scales = call.known(1 if upsample else 2)
    uneven: dict[str, Any] = {}
    if scales is not None and len(scales):
        axes = given.get("axes") or range(len(shape))
        misses = [abs(shape[axis] * float(scale) - output[axis]) for axis, scale in zip(axes, scales, strict=True)]
        if max(misses) >= 1e-3:  # sizes are rounded down, and the scale says where positions lie
            if len(scales) != len(shape) or how not in ("asymmetric", "half_pixel"):
                return False
            uneven = {"scales": [float(str(np.float32(scale))) for scale in scales[2:]]}
    pairs = list(zip(shape[2:], output[2:], strict=True))
    mode = given.get("mode", "nearest")
    coefficient = given.get("cubic_coeff_a", -0.75)
    # The size comes from the shape inference; values outside are only taken by other ways to place the points.
    given.read.update(("axes", "keep_aspect_ratio_policy", "extrapolation_value", "scales"))
    attributes = {"size": output[2:], "align_corners": how == "align_corners", **uneven}
    if mode == "nearest":
        if antialias or (uneven and (how, rounding) != ("asymmetric", "floor")):
            return False
        if not uneven and not _is_plain_nearest(pairs, how, rounding):
            return False
        call.emit("interpolate", call.inputs[:1], {**attributes, "mode": "nearest", "align_corners": False})
        return True
    if antialias and uneven:
        return False
    is_torch = how in ("half_pixel", "align_corners") or (
        how == "pytorch_half_pixel" and all(wanted > 1 for _, wanted in pairs)
    )
    is_cubic = mode == "cubic" and rank == 2 and abs(coefficient + (0.5 if antialias else 0.75)) < 1e-6
    if not is_torch or not (mode == "linear" or is_cubic) or (antialias and how == "align_corners"):
        return False
    name = ("bicubic" if is_cubic else _LINEAR[rank]) + " antialias" * antialias
    call.emit("interpolate", call.inputs[:1], {**attributes, "mode": name})
    return True


def _is_plain_nearest(pairs: list[tuple[int, int]], how: str, rounding: str) -> bool:
    """Whether output o takes the input ⌊o · in / out⌋ on every axis, checked for each."""
    for size, wanted in pairs:
        outputs = np.arange(wanted, dtype=np.float64)
        ratio = size / wanted
        if how == "asymmetric":
            places = outputs * ratio
        elif how in ("half_pixel", "pytorch_half_pixel"):
            places = (outputs + 0.5) * ratio - 0.5
        else:
            return False
        rounded = {
            "floor": np.floor(places), "ceil": np.ceil(places), "round_prefer_floor": np.ceil(places - 0.5),
            "round_prefer_ceil": np.floor(places + 0.5),
        }[rounding]  # fmt: skip
        if not np.array_equal(np.clip(rounded, 0, size - 1), np.arange(wanted) * size // wanted):
            return False
    return True


@translates("DepthToSpace", "SpaceToDepth")
def _blocks(call: Call) -> bool:
    (batch, channels, height, width), block = call.shape(), call.attributes["blocksize"]
    if call.attributes.get("mode", "DCR") == "CRD":
        call.emit("pixel_shuffle" if call.op == "DepthToSpace" else "pixel_unshuffle", call.inputs, {"factor": block})
        return True
    if call.op == "DepthToSpace":
        split = (batch, block, block, channels // block**2, height, width)
        dims = (0, 3, 4, 1, 5, 2)
    else:
        split = (batch, channels, height // block, block, width // block, block)
        dims = (0, 3, 5, 1, 2, 4)
    name = call.emit("reshape", call.inputs, {"shape": split}, shape=split)
    turned = tuple(split[dim] for dim in dims)
    name = call.emit("permute", [name], {"dims": dims}, shape=turned)
    call.emit("reshape", [name], {"shape": call.output_shape})
    return True


#: What is done to each value before, how the values are put together, and what is done after.
_REDUCTIONS = {
    "ReduceMean": ("", "mean", ""), "ReduceSum": ("", "sum", ""), "ReduceMax": ("", "amax", ""),
    "ReduceMin": ("", "amin", ""), "ReduceProd": ("", "prod", ""), "ReduceL1": ("abs", "sum", ""),
    "ReduceL2": ("square", "sum", "sqrt"), "ReduceSumSquare": ("square", "sum", ""),
    "ReduceLogSumExp": ("exp", "sum", "log"),
}  # fmt: skip


@translates(*_REDUCTIONS)
def _reduce(call: Call) -> bool:
    if call.has(1) and call.known(1) is None:
        return False
    rank = len(call.shape())
    axes = axes_of(call.attributes, [None, call.known(1)], 1)
    is_noop = bool(call.attributes.get("noop_with_empty_axes"))
    if not axes and is_noop:
        call.emit("identity", call.inputs[:1])
        return call.op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd")
    dims = tuple(sorted(axis % rank for axis in axes)) if axes else tuple(range(rank))
    attributes = {"dim": dims, "keepdim": bool(call.attributes.get("keepdims", 1))}
    before, reduction, after = _REDUCTIONS[call.op]
    name = call.inputs[0]
    if before:
        name = call.emit(before, [name], shape=call.shape())
    if after:
        name = call.emit(reduction, [name], attributes, shape=call.output_shape)
        call.emit(after, [name])
    else:
        call.emit(reduction, [name], attributes)
    return True


@translates("ArgMax", "ArgMin")
def _arg(call: Call) -> bool:
    if call.attributes.get("select_last_index"):
        return False
    dim = call.attributes.get("axis", 0) % len(call.shape())
    call.emit(call.op.lower(), call.inputs, {"dim": dim, "keepdim": bool(call.attributes.get("keepdims", 1))})
    return True


@translates("Col2Im")
def _col2im(call: Call) -> bool:
    """Windows as columns, each added where it was taken: as in PyTorch for images."""
    sizes, kernel = (call.known(index) for index in (1, 2))
    if sizes is None or kernel is None or sizes.size != 2:
        return False
    given = call.attributes
    pads = tuple(given.get("pads") or (0,) * 4)
    if pads[:2] != pads[2:]:
        return False
    attributes = {
        "output_size": integers(sizes), "kernel_size": integers(kernel), "padding": pads[:2],
        "dilation": tuple(given.get("dilations") or (1, 1)), "stride": tuple(given.get("strides") or (1, 1)),
    }  # fmt: skip
    call.emit("col2im", call.inputs[:1], attributes)
    return True


@translates("Einsum")
def _einsum(call: Call) -> bool:
    call.emit("einsum", call.inputs, {"equation": call.attributes["equation"]})
    return True
