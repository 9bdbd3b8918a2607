"""Layers that read many positions: convolutions, pools, means, recurrent layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archcalc.interop.recognise_handler import (
    Function,
    Handler,
    Tensor,
    handles,
    images,
    part,
    pointwise,
    short,
    with_images,
)
from archcalc.interop.recognise_layers import MOST_AXES, Fixed, UnknownFormError
from archcalc.interop.recognise_merge import join, of_two
from archcalc.interop.recognise_views import BATCH, Factor, View, axis_size, whole, whole_axes, without
from archcalc.ops.axes import axes_named
from archcalc.ops.windowed import Windowed
from archcalc.spec.single import make_op

#: A convolution is made for each position of the batch where there are no more: they are heads.
_MOST_HEADS = 32


@handles("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _convolution(call: Handler) -> list[Tensor]:
    view, weight = call.view(), call.inputs[1]
    if not isinstance(weight, Fixed):
        raise UnknownFormError("weights that depend on the input")
    if found := _one_by_one(call, view, _convolution):
        return found
    transposed = call.node.op.startswith("conv_t")
    groups = call.attributes["groups"]
    fields: dict[str, Any] = {
        "out_channels": weight.shape[1] * groups if transposed else weight.shape[0],
        "kernel_size": short(weight.shape[1 if "connections" in call.attributes else 2 :]),
    }
    fields |= _set(call, stride=1, padding=0, dilation=1, output_padding=0)
    if groups != 1:
        fields["groups"] = groups
    if "connections" in call.attributes:
        fields["out_channels"], fields["connections"] = (
            len(call.attributes["connections"]),
            call.attributes["connections"],
        )
    if len(call.inputs) < 3 or call.inputs[2] is None:
        fields["bias"] = False
    source, ahead = positions(call, view)
    gain, weights = _gain(call), call.inputs[1]
    if gain is not None and isinstance(weights, Fixed):
        arrays = {"weight": call.layers.derived(weights, {gain})} | call.arrays(("bias",), 2)
    else:
        made_of, arrays = call.weights()
        fields |= made_of
        arrays |= call.arrays(("bias",), 2)
    if gain is not None:
        arrays.pop("bias", None)
        bias, fields["bias"] = fields.get("bias", True), False
    layer = call.add(_wider(call.node.op, ahead, fields), fields, [source], arrays=arrays)
    if gain is not None:
        parts = {"weight": gain} | ({"bias": call.stored(2) or ""} if bias else {})
        layer = call.add("scale", {"bias": True} if bias else {}, [layer], arrays=parts)
    return [on_positions(call, layer, view, ahead)]


@handles("locally_connected1d", "locally_connected2d", "locally_connected3d")
def _local(call: Handler) -> list[Tensor]:
    given, view = call.attributes, call.view()
    fields: dict[str, Any] = {"out_channels": call.made_shape[1], "bias": False} | {
        name: short(given[name]) for name in ("kernel_size", "stride", "dilation", "padding")
    }
    source, _ = positions(call, view)
    layer = call.add(call.node.op, fields, [source], arrays=call.arrays(("weight",)))
    return [call.on_map(layer, view.axes)]


def _gain(call: Handler) -> str | None:
    """The trained factor of each channel that the weights were made with: it multiplies the result as well."""
    tensor = call.inputs[1]
    constants = call.layers.program.constants
    while isinstance(tensor, Fixed) and tensor.axes is None:
        node = call.layers.stored.get(tensor.name)
        if node is not None and node.op == "batch_norm" and node.inputs[1] is not None:
            gain = call.layers.fixed[node.inputs[1]]
            trained = [name for name in gain.sources if constants[name].role == "parameter"]
            return trained[0] if len(trained) == 1 else None
        if node is None or node.op not in ("reshape", "identity") or node.inputs[0] is None:
            return None
        tensor = call.layers.fixed.get(node.inputs[0])
    return None


def _one_by_one(call: Handler, view: View, handle: Function) -> list[Tensor]:
    """A layer with the same weights for each position of the batch, as of each head, where it has no axis for them.

    None where the batch has none, or where they are one axis more of the map.
    """
    axes = without(view.axes, BATCH)
    if not axes[0] or len(axes) <= MOST_AXES:
        return []
    count = axis_size(axes[0])
    if count > _MOST_HEADS:
        raise UnknownFormError("positions in the batch")
    made = []
    for index in range(count):
        one = part(call, View(view.layer, axes), 0, index, 1)
        (found,) = handle(Handler(call.layers, call.env, call.node, [one, *call.inputs[1:]]))
        if not isinstance(found, View):
            raise UnknownFormError("positions in the batch")
        made.append(found)
    return [join(call, made, 0)]


def positions(call: Handler, view: View) -> tuple[str, int]:
    """The map (channels, *positions) of a tensor, and how many position axes lie before them: those of the batch."""
    axes = without(view.axes, BATCH)
    if not axes[0]:
        return call.layers.positions_of(view, 1, call.node), 0
    if len(axes) >= MOST_AXES + 1:
        raise UnknownFormError("positions in the batch")
    return call.layers.arranged(view.layer, (axes[1], axes[0], *axes[2:]), call.node), 1


def on_positions(call: Handler, layer: str, view: View, ahead: int) -> View:
    """The tensor of a map whose first position axes are the batch."""
    made = whole_axes(call.layers.shapes[layer])
    batch = images(view.axes)
    return View(layer, ((*batch, *made[1]), made[0], *made[2:]) if ahead else (batch, *made))


def _set(call: Handler, **plain: int) -> dict[str, Any]:
    """The settings of a window that are not plain, `same` among them."""
    given = {name: call.attributes[name] for name in plain if name in call.attributes}
    return {
        name: value if isinstance(value, str) else short(value)
        for name, value in given.items()
        if isinstance(value, str) or any(each != plain[name] for each in value)
    }


_NEUTRAL = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}


def _wider(op: str, ahead: int, fields: dict[str, Any]) -> str:
    """The op with one position axis more, along which each position is by itself."""
    if not ahead:
        return op
    rank = int(op[-2])
    for name, neutral in _NEUTRAL.items():
        if name in fields and isinstance(fields[name], str):
            continue
        if name in fields:
            given = fields[name] if isinstance(fields[name], (list, tuple)) else [fields[name]] * rank
            sides = [given[start : start + rank] for start in range(0, len(given), rank)]
            fields[name] = short([each for side in sides for each in (neutral, *side)])
    if "stride" not in fields and "pool" in op:
        fields["stride"] = fields["kernel_size"]
    return f"{op[:-2]}{rank + 1}d"


def _pools(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    kernel, stride = given["kernel_size"], given["stride"]
    fields: dict[str, Any] = {"kernel_size": short(kernel)}
    if tuple(stride) != tuple(kernel):
        fields["stride"] = short(stride)
    fields |= _set(call, padding=0, dilation=1)
    if given.get("ceil_mode"):
        fields["ceil_mode"] = True
    if given.get("norm_type", 2) != 2:
        fields["norm_type"] = int(given["norm_type"])
    if given.get("count_include_pad") is False and "padding" in fields:
        fields["count_include_pad"] = False
    if given.get("divisor_override"):
        raise UnknownFormError("a pool with a divisor of its own")
    source, ahead = positions(call, view)
    arrays = call.arrays(("weight", "bias"))
    layer = call.add(_wider(call.node.op, ahead, fields), fields, [source], arrays=arrays)
    made = on_positions(call, layer, view, ahead)
    return [made, made] if _only_unpooled(call) else [made]


def _only_unpooled(call: Handler) -> bool:
    """Whether all that reads the places of the maxima puts values back there: then they are those of the layer."""
    program = call.layers.program
    if len(call.node.outputs) < 2 or call.node.outputs[1] in program.wanted:
        return False
    readers = [node for node in program.nodes if call.node.outputs[1] in node.inputs]
    return all(node.op.startswith("max_unpool") for node in readers)


@handles("max_unpool1d", "max_unpool2d", "max_unpool3d")
def _unpool(call: Handler) -> list[Tensor]:
    """Values in the places of maxima that a pool found, on a map of the size that the pool had."""
    view, places = call.view(), call.view(1)
    pool = next(node for node in call.layers.nodes if node.name == places.layer)
    if not pool.op.startswith("max_pool") or pool.op[-2:] != call.node.op[-2:]:
        raise UnknownFormError("places that no pool found")
    pooled = call.layers.shapes[pool.inputs[0]]
    if pooled[1:] != call.made_shape[2:]:
        raise UnknownFormError("another size than that of the map that was pooled")
    fields = {name: pool.fields[name] for name in ("kernel_size", "stride") if name in pool.fields}
    window = make_op(pool.op, pool.fields)
    assert isinstance(window, Windowed)
    if any(begins := window.sides(pooled).begins):
        fields["padding"] = short(begins)
    source = call.layers.positions_of(view, 1, call.node)
    shapes = [call.layers.shapes[name] for name in (source, pool.name)]
    is_given = tuple(make_op(call.node.op, fields).output_shape(shapes))[1:] != call.made_shape[2:]
    sizes = [pool.inputs[0]] if is_given else []
    return [call.on_map(call.add(call.node.op, fields, [source, pool.name, *sizes]), view.axes)]


def _adaptive(call: Handler) -> list[Tensor]:
    view, size = call.view(), tuple(call.attributes["output_size"])
    kind, rank = call.node.op[9:12], len(size)
    source, ahead = positions(call, view)
    if ahead:
        size, rank = (call.layers.shapes[source][1], *size), rank + 1
    if set(size) == {1}:
        layer = call.add(f"global_{kind}_pool{rank}d", {}, [source])
    else:
        layer = call.add(f"adaptive_{kind}_pool{rank}d", {"output_size": short(size)}, [source])
    return [on_positions(call, layer, view, ahead)]


for _rank in (1, 2, 3):
    handles(*(f"{_kind}{_rank}d" for _kind in ("max_pool", "avg_pool", "lp_pool", "subsampling")))(_pools)
    handles(f"adaptive_avg_pool{_rank}d", f"adaptive_max_pool{_rank}d")(_adaptive)


@handles("interpolate")
def _interpolate(call: Handler) -> list[Tensor]:
    view, size, mode = call.view(), tuple(call.attributes["size"]), call.attributes["mode"]
    source = call.layers.positions_of(view, 1, call.node)
    old = call.layers.shapes[source][1:]
    if old == size:
        return [View(source, (images(view.axes), *whole_axes(call.layers.shapes[source])))]
    factors = {new // each for new, each in zip(size, old, strict=True) if new % each == 0}
    is_whole = len(factors) == 1 and all(new % each == 0 for new, each in zip(size, old, strict=True))
    fields: dict[str, Any] = {"scale_factor": factors.pop()} if is_whole else {"size": list(size)}
    scales = [scale for scale in call.attributes.get("scales") or () if scale is not None]
    if any(each * scale != new for each, scale, new in zip(old, scales, size, strict=False)):
        if len(set(scales)) > 1:
            raise UnknownFormError("scales of several axes that give no whole sizes")
        fields = {"scale_factor": float(scales[0])}
    if mode == "nearest-exact" and is_whole:
        mode = "nearest"
    if mode.endswith(" antialias"):
        if isinstance(fields.get("scale_factor"), float):
            raise UnknownFormError("antialiasing by a scale that gives no whole sizes")
        mode, fields["antialias"] = mode.removesuffix(" antialias"), True
    if mode != "nearest":
        fields["mode"] = mode
    if call.attributes.get("align_corners"):
        fields["align_corners"] = True
    return [call.on_map(call.add("interpolate", fields, [source]), view.axes)]


@handles("pixel_shuffle", "pixel_unshuffle", "channel_shuffle")
def _shuffles(call: Handler) -> list[Tensor]:
    view = call.view()
    setting = {"pixel_shuffle": "upscale_factor", "pixel_unshuffle": "downscale_factor", "channel_shuffle": "groups"}
    value = call.attributes.get("factor", call.attributes.get("groups"))
    source = call.layers.positions_of(view, 1, call.node)
    return [call.on_map(call.add(call.node.op, {setting[call.node.op]: value}, [source]), view.axes)]


@handles("mean", "amax", "sum")
def _reduce(call: Handler) -> list[Tensor]:
    view, dims = call.view(), call.attributes["dim"]
    kind = {"mean": "avg", "sum": "avg", "amax": "max"}[call.node.op]
    plain = View(view.layer, without(view.axes, BATCH))
    reduced = [factor for dim in dims for factor in plain.axes[dim]]
    if not reduced:
        axes = [() if dim in dims else axis for dim, axis in enumerate(view.axes)]
        return [_reduced(call, View(view.layer, tuple(axes)), dims)]
    shape = call.layers.shapes[plain.layer]
    whole_axes_of = {factor.axis for factor in reduced if (factor,) == whole(factor.axis, shape[factor.axis])}
    if len(whole_axes_of) == len(reduced) and 0 in whole_axes_of:
        names = [name for axis, name in enumerate(axes_named(shape)) if axis in whole_axes_of]
        kind = "amax" if kind == "max" else "mean"
        layer = call.add(kind, {"axes": names}, [plain.layer])
        return [_of_reduced(call, View(layer, plain.axes), view, reduced)]
    if len(whole_axes_of) != len(reduced):
        # Bring the kept axes to the front: channels, then what is reduced as positions.
        kept = [axis for dim, axis in enumerate(plain.axes) if dim not in dims and axis]
        gone = [plain.axes[dim] for dim in dims if plain.axes[dim]]
        while len(kept) + len(gone) > MOST_AXES:
            if len(gone) > 1:
                gone[-2:] = [(*gone[-2], *gone[-1])]
            else:
                kept[-2:] = [(*kept[-2], *kept[-1])]
        goal = (*(kept or [()]), *gone)
        layer = call.layers.arranged(plain.layer, goal, call.node)
        plain = View(layer, call.layers.on_arranged(plain.axes, goal))
        shape = call.layers.shapes[layer]
        reduced = [factor for dim in dims for factor in plain.axes[dim]]
        whole_axes_of = {factor.axis for factor in reduced}
    rank = len(shape) - 1
    sizes = [1 if axis in whole_axes_of else shape[axis] for axis in range(1, rank + 1)]
    if set(sizes) == {1}:
        layer = call.add(f"global_{kind}_pool{rank}d", {}, [plain.layer])
    else:
        layer = call.add(f"adaptive_{kind}_pool{rank}d", {"output_size": sizes}, [plain.layer])
    return [_of_reduced(call, View(layer, plain.axes), view, reduced)]


def _of_reduced(call: Handler, plain: View, view: View, reduced: Sequence[Factor]) -> View:
    """What a layer left of a tensor whose `reduced` parts have become one value: a mean, or a sum."""
    layer, dims = plain.layer, call.attributes["dim"]
    if call.node.op == "sum":
        layer = call.add("multiply", {"factor": float(math.prod(factor.size for factor in reduced))}, [layer])
    left = with_images(tuple([() if dim in dims else axis for dim, axis in enumerate(plain.axes)]), view.axes)
    return _reduced(call, View(layer, left), dims)


def _reduced(call: Handler, view: View, dims: Sequence[int]) -> View:
    if call.attributes["keepdim"]:
        return view
    return View(view.layer, tuple([axis for dim, axis in enumerate(view.axes) if dim not in dims]))


@handles("vector_norm")
def _vector_norm(call: Handler) -> list[Tensor]:
    """The root of the sum of squares."""
    if call.attributes["ord"] != 2:
        raise UnknownFormError("a norm that is not the Euclidean one")
    squares = pointwise(call, "power", {"exponent": 2.0})
    summed = _reduce(Handler(call.layers, call.env, replace(call.node, op="sum"), squares))
    return pointwise(Handler(call.layers, call.env, call.node, summed), "power", {"exponent": 0.5})


@handles("amin")
def _smallest(call: Handler) -> list[Tensor]:
    """The largest of the values with the other sign, with the other sign."""
    found = pointwise(call, "multiply", {"factor": -1.0})
    largest = _reduce(Handler(call.layers, call.env, replace(call.node, op="amax"), found))
    return pointwise(Handler(call.layers, call.env, call.node, largest), "multiply", {"factor": -1.0})


@handles("std")
def _deviation(call: Handler) -> list[Tensor]:
    """The root of the variance."""
    return pointwise(Handler(call.layers, call.env, call.node, _variance(call)), "power", {"exponent": 0.5})


@handles("var")
def _variance(call: Handler) -> list[Tensor]:
    """The mean of the squared differences from the mean, or their sum divided by fewer than there are."""
    view, given = call.view(), call.attributes
    count = math.prod(axis_size(view.axes[dim]) for dim in given["dim"])
    if given["correction"] >= count:
        raise UnknownFormError("the variance of too few values")
    mean = replace(call.node, op="mean")
    around = replace(mean, attributes={**given, "keepdim": True})
    (middle,) = _reduce(Handler(call.layers, call.env, around, [view]))
    assert isinstance(middle, View)
    difference = of_two(call, "subtract", view, middle, rank=len(view.axes))
    squares = pointwise(Handler(call.layers, call.env, mean, [difference]), "power", {"exponent": 2.0})
    made = _reduce(Handler(call.layers, call.env, mean, squares))
    if not given["correction"]:
        return made
    factor = count / (count - given["correction"])
    return pointwise(Handler(call.layers, call.env, mean, made), "multiply", {"factor": factor})


@handles("rnn", "lstm", "gru")
def _recurrent(call: Handler) -> list[Tensor]:
    given, view = call.attributes, call.view()
    steps = 1 if given["batch_first"] else 0
    if len(view.axes) != 3:
        raise UnknownFormError("a recurrent layer without a batch")
    if given.get("proj_size"):
        raise UnknownFormError("states that are projected")
    plain = without(view.axes, BATCH)
    rows = [plain[1 - steps]] if plain[1 - steps] else []
    layer = call.layers.arranged(view.layer, (plain[2], *rows, plain[steps]), call.node)
    fields: dict[str, Any] = {"hidden_size": given["hidden_size"], **({"per_row": True} if rows else {})}
    fields |= {"num_layers": given["num_layers"]} if given["num_layers"] > 1 else {}
    fields |= {"bidirectional": True} if given["bidirectional"] else {}
    fields |= {} if given["bias"] else {"bias": False}
    fields |= {"single_bias": True} if given.get("single_bias") else {}
    fields |= {} if given.get("reset_after", True) else {"reset_after": False}
    if call.node.op == "rnn" and given.get("nonlinearity", "tanh") != "tanh":
        fields["nonlinearity"] = given["nonlinearity"]
    ways = ("", "_reverse") if given["bidirectional"] else ("",)
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[
        : 2 + given["bias"] * (1 if given.get("single_bias") else 2)
    ]
    names = [f"{kind}_l{index}{way}" for index in range(given["num_layers"]) for way in ways for kind in kinds]
    name = call.add(call.node.op, fields, [layer], arrays=call.arrays(names))
    made = call.layers.shapes[name]
    batch = (*images(view.axes), *(whole(1, made[1]) if rows else ()))
    axes = [batch, batch, whole(0, made[0])]
    axes[steps] = whole(len(made) - 1, made[-1])
    return [View(name, tuple(axes))]
