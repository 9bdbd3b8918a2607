"""Layers that treat every position or every value by itself: dense layers, norms, activations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from archcalc.interop.recognise_handler import Handler, Tensor, each_position, handles, pointwise
from archcalc.interop.recognise_layers import Fixed, UnknownFormError
from archcalc.interop.recognise_merge import with_fixed
from archcalc.interop.recognise_views import BATCH, Axes, View, axis_size, reshaped, whole, whole_axes, without


@handles("linear")
def _linear(call: Handler) -> list[Tensor]:
    tensor, bias = call.inputs[1], call.inputs[2] if len(call.inputs) > 2 else None
    if not isinstance(tensor, Fixed) or len(tensor.shape) != 2 or isinstance(bias, View):
        raise UnknownFormError("a product with a tensor that is no weight")
    fields, arrays = call.weights()
    goal = None if tensor.axes == whole_axes(tensor.shape) else tensor.axes
    if "weight" in arrays and not call.layers.fits(arrays["weight"], goal):
        raise UnknownFormError("weights in another arrangement")
    view = _features(call, call.view())
    fields["out_features"] = tensor.shape[0]
    if bias is None:
        fields["bias"] = False
    if len(call.layers.shapes[view.layer]) > 1:
        fields["per_position"] = True
    added = None
    if isinstance(bias, Fixed) and bias.axes is not None:
        arrays["bias"] = bias.sources[0]
    elif isinstance(bias, Fixed) and (masked := _with_zeros(call, bias)):
        # Cosine attention adds nothing to its keys: that part of the bias is set to zero.
        arrays["bias"] = masked
    elif bias is not None:
        # A bias that is put together of several: the product, and then the bias.
        fields["bias"], added = False, bias
    made = each_position(call, view, len(view.axes) - 1, "linear", fields, arrays, goal=goal)
    return [made if added is None else with_fixed(call, "add", made, added)]


def _with_zeros(call: Handler, tensor: Fixed) -> str | None:
    """A trained tensor with zeros in the place of a part, as a stored one; None where it is none."""
    node, constants = call.layers.stored.get(tensor.name), call.layers.program.constants
    if node is None or node.op != "slice_scatter" or node.attributes["step"] != 1 or len(tensor.shape) != 1:
        return None
    whole_name, zeros = node.inputs[0] or "", constants.get(node.inputs[1] or "")
    stored = constants.get(whole_name)
    if stored is None or stored.role != "parameter" or zeros is None or zeros.load is None or zeros.load().any():
        return None
    start, end = node.attributes["start"], node.attributes["end"]
    call.layers.notes.append("values of biases that are set to zero at inference count as those that are stored")
    load = None if stored.load is None else partial(_zeroed, stored.load, start, end)
    return call.layers.stored_as(replace(stored, name=f"{whole_name} with zeros", load=load, values=None))


def _zeroed(load: Callable[[], Any], start: int, end: int) -> Any:
    """A stored array with zeros in a part."""
    array = load().copy()
    array[start:end] = 0
    return array


def dense(call: Handler, view: View, dim: int, arrays: Mapping[str, str], goal: Axes) -> View:
    """A dense layer without a bias along an axis; `goal` are the axes (out, in) of those of the stored matrix."""
    view = _features(call, view, dim)
    fields: dict[str, Any] = {"out_features": axis_size(goal[0]), "bias": False}
    if len(call.layers.shapes[view.layer]) > 1:
        fields["per_position"] = True
    return each_position(call, view, dim, "linear", fields, arrays, goal=goal)


def _features(call: Handler, view: View, dim: int | None = None) -> View:
    """The tensor on a map whose channels are an axis, the last one by default; flat where there is no other."""
    last = len(view.axes) - 1
    if dim is not None and dim != last:
        return call.layers.map_of(view, dim, call.node)
    if last == 1 and not without(view.axes, BATCH)[0]:
        flat = call.layers.positions_of(view, last, call.node)
        return View(flat, (view.axes[0], whole(0, call.layers.shapes[flat][0])))
    return call.layers.map_of(view, last, call.node)


@handles("addmm")
def _addmm(call: Handler) -> list[Tensor]:
    """Bias + x·Wᵀ: the weight is a transposed tensor."""
    view, weight = call.view(1), call.inputs[2]
    if not isinstance(weight, Fixed) or weight.axes != (whole(1, weight.shape[0]), whole(0, weight.shape[1])):
        raise UnknownFormError("a product with a tensor that is no weight")
    view = _features(call, view)
    per_position = {"per_position": True} if len(call.layers.shapes[view.layer]) > 1 else {}
    arrays = {"weight": weight.sources[0], "bias": call.stored(0) or ""}
    fields = {"out_features": weight.shape[1], **per_position}
    return [each_position(call, view, len(view.axes) - 1, "linear", fields, arrays)]


@handles("batch_norm")
def _batch_norm(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    fields: dict[str, Any] = {} if given["eps"] == 1e-5 else {"epsilon": given["eps"]}
    _without_fills(call)
    if call.inputs[1] is None:
        fields["scale"] = False
    if call.inputs[2] is None:
        fields["shift"] = False
    if call.inputs[3] is None:
        raise UnknownFormError("batch norm without running statistics")
    view = call.layers.map_of(view, 1, call.node)
    rank = max(len(call.layers.shapes[view.layer]) - 1, 1)
    arrays = call.arrays(("weight", "bias", "running_mean", "running_var"))
    return [each_position(call, view, 1, f"batch_norm{rank}d", fields, arrays)]


def _without_fills(call: Handler) -> None:
    """Leave out a scale of ones and a shift of zeros that the program writes as numbers, and no array stores."""
    inputs = list(call.inputs)
    for index, neutral in ((1, 1), (2, 0)):
        tensor = inputs[index] if index < len(inputs) else None
        if isinstance(tensor, Fixed) and tensor.axes is not None and len(tensor.sources) == 1:
            constant = call.layers.program.constants[tensor.sources[0]]
            if constant.role == "constant" and not constant.sources and constant.load is not None:
                inputs[index] = None if (constant.load() == neutral).all() else tensor
    call.inputs = inputs


@handles("layer_norm", "rms_norm")
def _layer_norm(call: Handler) -> list[Tensor]:
    _without_fills(call)
    view, given = call.view(), call.attributes
    fields: dict[str, Any] = {} if given["eps"] == 1e-5 else {"epsilon": given["eps"]}
    weight, bias = (call.inputs[index] if index < len(call.inputs) else None for index in (1, 2))
    if weight is None:
        fields["elementwise_affine"] = False
    elif bias is None and call.node.op == "layer_norm":
        fields["bias"] = False
    arrays = call.arrays(("weight", "bias"))
    if len(given["normalized_shape"]) == 1:
        return [each_position(call, view, len(view.axes) - 1, call.node.op, fields, arrays)]
    if len(given["normalized_shape"]) != len(view.axes) - 1:
        raise UnknownFormError("a norm over some of the axes")
    source = call.layers.positions_of(view, 1, call.node)
    layer = call.add(call.node.op, {**fields, "axes": "all"}, [source], arrays=arrays)
    return [call.on_map(layer, view.axes)]


@handles("global_response_norm")
def _global_response_norm(call: Handler) -> list[Tensor]:
    fields = {} if call.attributes["eps"] == 1e-6 else {"epsilon": call.attributes["eps"]}
    arrays = call.arrays(("weight", "bias"))
    return [each_position(call, call.view(), call.attributes["dim"], "global_response_norm", fields, arrays)]


@handles("rbf")
def _rbf(call: Handler) -> list[Tensor]:
    centers = call.constant(1)
    assert centers is not None
    view = _features(call, call.view())
    return [each_position(call, view, 1, "rbf", {"out_features": centers.shape[0]}, call.arrays(("centers",)))]


@handles("l2_norm")
def _l2_norm(call: Handler) -> list[Tensor]:
    eps = call.attributes["eps"]
    fields = {} if eps == 1e-12 else {"epsilon": eps}
    return [each_position(call, call.view(), call.attributes["dim"], "l2_norm", fields, {})]


@handles("group_norm")
def _group_norm(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    fields: dict[str, Any] = {"num_groups": given["num_groups"]}
    if given["eps"] != 1e-5:
        fields["epsilon"] = given["eps"]
    if given["num_groups"] == 1 and len(view.axes) == 2:
        raise UnknownFormError("group norm of a vector")
    if call.inputs[1] is None or call.inputs[2] is None:
        fields["affine"] = False
    if call.inputs[1] is not None and call.inputs[2] is None:
        made = each_position(call, view, 1, "group_norm", fields, {})
        return [each_position(call, made, 1, "scale", {}, call.arrays(("weight",)))]
    return [each_position(call, view, 1, "group_norm", fields, call.arrays(("weight", "bias")))]


@handles("instance_norm")
def _instance_norm(call: Handler) -> list[Tensor]:
    _without_fills(call)
    fields: dict[str, Any] = {} if call.attributes["eps"] == 1e-5 else {"epsilon": call.attributes["eps"]}
    if call.inputs[1] is not None:
        fields["affine"] = True
    return [each_position(call, call.view(), 1, "instance_norm", fields, call.arrays(("weight", "bias")))]


@handles("local_response_norm")
def _local_response_norm(call: Handler) -> list[Tensor]:
    fields = {name: call.attributes[name] for name in ("size", "alpha", "beta", "k")}
    return [each_position(call, call.view(), 1, "local_response_norm", fields, {})]


@handles("prelu")
def _prelu(call: Handler) -> list[Tensor]:
    weight = call.constant(1)
    assert weight is not None
    fields = {} if weight.size == 1 else {"num_parameters": "channels"}
    return [each_position(call, call.view(), min(1, len(call.shape()) - 1), "prelu", fields, call.arrays(("weight",)))]


@handles("softmax", "log_softmax")
def _softmax(call: Handler) -> list[Tensor]:
    return [each_position(call, call.view(), call.attributes["dim"], call.node.op, {}, {})]


@handles("glu")
def _glu(call: Handler) -> list[Tensor]:
    return [each_position(call, call.view(), call.attributes["dim"], "glu", {}, {})]


@handles("embedding")
def _embedding(call: Handler) -> list[Tensor]:
    weight, view = call.constant(1), call.view()
    assert weight is not None
    plain = without(view.axes, BATCH)
    shape = call.layers.shapes[view.layer]
    if len(shape) > 1 and shape[0] != 1:
        # Numbers along several axes, as those of relative positions, are one row of numbers.
        flat = call.layers.arranged(view.layer, (tuple([factor for axis in plain for factor in axis]),), call.node)
        shape = call.layers.shapes[flat]
        view = View(flat, reshaped(whole_axes(shape), tuple(map(axis_size, plain))) or ())
    fields = {"num_embeddings": weight.shape[0], "embedding_dim": weight.shape[1]}
    arrays, table = call.arrays(("weight",)), call.inputs[1]
    if call.layers.fits(arrays["weight"]) or not isinstance(table, Fixed):
        layer = call.add("embedding", fields, [view.layer], arrays=arrays)
    else:
        rows = call.layers.view_of(table, call.node)
        layer = call.add("index_select", {}, [call.layers.arranged(rows.layer, rows.axes[::-1], call.node), view.layer])
    # A flat row of numbers is now a row of positions.
    shift = 1 if len(shape) == 1 else 0
    axes = [tuple([f._replace(axis=f.axis + shift) if f.axis >= 0 else f for f in axis]) for axis in view.axes]
    return [View(layer, (*axes, whole(0, weight.shape[1])))]


def _activation(call: Handler) -> list[Tensor]:
    defaults = {"negative_slope": 0.01, "alpha": 1.0, "approximate": "none", "beta": 1.0, "threshold": 20.0}
    fields = {name: value for name, value in call.attributes.items() if name in defaults and value != defaults[name]}
    fields = {name: float(value) if isinstance(value, int) else value for name, value in fields.items()}
    return pointwise(call, call.node.op, fields)


for _name in (
    "relu", "relu6", "sigmoid", "tanh", "silu", "mish", "hardsigmoid", "hardswish", "gelu", "leaky_relu", "elu", "selu",
    "softplus", "scaled_tanh",
):  # fmt: skip
    handles(_name)(_activation)


@handles("clamp")
def _clamp(call: Handler) -> list[Tensor]:
    low, high = call.attributes.get("min"), call.attributes.get("max")
    # A bound that is infinite is none.
    low, high = (None if low == -math.inf else low), (None if high == math.inf else high)
    if low is None and high is None:
        return [call.view()]
    if low == 0 and high is None:
        return pointwise(call, "relu", {})
    if low == 0 and high == 6:
        return pointwise(call, "relu6", {})
    if low is None or high is None:
        # max(x, a) = max(x − a, 0) + a, and min(x, b) = b − max(b − x, 0).
        bound = float(next(each for each in (low, high) if each is not None))
        sign = -1.0 if low is None else 1.0
        view = call.view()
        shifted = {"factor": sign, "offset": -sign * bound}
        layer = call.add("rescale", {name: value for name, value in shifted.items() if value != (name == "factor")},
                         [view.layer])  # fmt: skip
        layer = call.add("relu", {}, [layer])
        return [View(call.add("rescale", {"factor": sign, "offset": bound}, [layer]), view.axes)]
    return pointwise(call, "hardtanh", {"min_val": float(low), "max_val": float(high)})


@handles("log_sigmoid")
def _log_sigmoid(call: Handler) -> list[Tensor]:
    """The logarithm of σ(x) is −log(1 + e^(−x))."""
    view = call.view()
    layer = call.add("softplus", {}, [call.add("multiply", {"factor": -1.0}, [view.layer])])
    return [View(call.add("multiply", {"factor": -1.0}, [layer]), view.axes)]


@handles("softshrink")
def _softshrink(call: Handler) -> list[Tensor]:
    """What of x is outside of ±λ, and 0 inside: x less what the bounds leave of it."""
    view, bound = call.view(), float(call.attributes["lambd"])
    cut = call.add("hardtanh", {"min_val": -bound, "max_val": bound}, [view.layer])
    return [View(call.add("subtract", {}, [view.layer, cut]), view.axes)]


@handles("abs")
def _absolute(call: Handler) -> list[Tensor]:
    """|x| = max(x, 0) + max(−x, 0)."""
    view = call.view()
    layers = [call.add("relu", {}, [view.layer]), call.add("multiply", {"factor": -1.0}, [view.layer])]
    layers[1] = call.add("relu", {}, [layers[1]])
    return [View(call.add("add", {}, layers), view.axes)]


@handles("dropout")
def _dropout(call: Handler) -> list[Tensor]:
    if call.attributes["p"] == 0:
        return [call.view()]
    return pointwise(call, "dropout", {} if call.attributes["p"] == 0.5 else {"p": float(call.attributes["p"])})


@handles("identity")
def _identity(call: Handler) -> list[Tensor]:
    return [call.view()]
