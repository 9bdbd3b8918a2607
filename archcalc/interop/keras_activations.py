"""Keras's activations, as layers and as settings of other layers, in ops of archcalc."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from archcalc.interop.keras_layer import KerasLayer, Output, Tensor, only

#: Reads a layer: its settings and what reaches it; gives its output, or several.
Maker = Callable[[KerasLayer, list[Tensor]], Tensor | list[Tensor] | list[Output]]

#: Keras's activations and what they are here.
ACTIVATIONS: Mapping[str, tuple[str, Mapping[str, Any]] | None] = {
    "linear": None,
    "relu": ("relu", {}),
    "relu6": ("relu6", {}),
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.2}),
    "sigmoid": ("sigmoid", {}),
    "tanh": ("tanh", {}),
    "softmax": ("softmax", {}),
    "log_softmax": ("log_softmax", {}),
    "elu": ("elu", {}),
    "selu": ("selu", {}),
    "gelu": ("gelu", {}),
    "silu": ("silu", {}),
    "swish": ("silu", {}),
    "mish": ("mish", {}),
    "softplus": ("softplus", {}),
    "hard_sigmoid": ("hardsigmoid", {}),
    "hard_silu": ("hardswish", {}),
    "hard_swish": ("hardswish", {}),
    "hard_tanh": ("hardtanh", {}),
}


def activation_name(value: Any) -> str:
    """The name of an activation, which may be written as a function or a layer."""
    if isinstance(value, Mapping):
        inner = value.get("config")
        value = inner if isinstance(inner, str) else value.get("class_name")
    name = value if isinstance(value, str) else "linear" if value is None else "?"
    return name.rpartition(">")[2] if name.islower() or ">" in name else _snake(name)


def _snake(name: str) -> str:
    return "".join(("_" if index and letter.isupper() else "") + letter.lower() for index, letter in enumerate(name))


def activate(layer: KerasLayer, source: Tensor, value: Any, part: str | None = None) -> Tensor:
    """The activation that a layer has besides what else it does; `part` of its name, by default that of it."""
    name = activation_name(value)
    if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping) and name in _SETTINGS:
        inner = KerasLayer(
            layer.net, str(value.get("class_name")), layer.name, value["config"], layer.place, layer.last
        )
        inner.owners, inner.made = layer.owners, layer.made
        return _SETTINGS[name](inner, [source], f"_{name}" if part is None else part)
    part = f"_{name}" if part is None else part
    if name not in ACTIVATIONS:
        return layer.add("opaque", [source], {"of": name, "shape": layer.own(source), "multiplications": 0}, part=part)
    found = ACTIVATIONS[name]
    if found is None:
        return source
    if name in ("softmax", "log_softmax"):
        return softmax_along(layer, source, -1, found[0], part)
    return same_order(source, layer.add(found[0], [source], found[1], part=part))


def same_order(source: Tensor, result: Tensor) -> Tensor:
    """The result of a layer that treats every value by itself: its values lie as they did."""
    return result._replace(order=source.order, source="")


def softmax_along(layer: KerasLayer, source: Tensor, axis: int, op: str, part: str) -> Tensor:
    """A softmax along an axis of Keras, which changes places with the channels where it is another."""
    place = layer.axis(source, axis)
    if place == 0:
        return same_order(source, layer.add(op, [source], part=part))
    order = list(range(len(layer.own(source))))
    order[0], order[place] = place, 0
    turned = layer.net.permute(f"{layer.name}{part}/transpose", source.node, order, place=layer.place)
    found = layer.add(op, [Tensor(turned)], part=f"{part}/{op}")
    return Tensor(layer.net.permute(f"{layer.name}{part}/back", found.node, order, place=layer.place), source.last)


def activation(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    return activate(layer, only(layer, inputs), layer.value("activation", "linear"), "")


def relu(layer: KerasLayer, inputs: list[Tensor], part: str = "") -> Tensor:
    """A ReLU with a slope below 0 and a largest value. Source: keras/src/layers/activations/relu.py."""
    source = only(layer, inputs)
    slope, most, threshold = (layer.value(name, 0) for name in ("negative_slope", "max_value", "threshold"))
    most = layer.config.get("max_value")
    if threshold or (slope and most is not None):
        return layer.opaque([source], layer.own(source), part=part)
    if slope:
        found = layer.add("leaky_relu", [source], {"negative_slope": layer.number("negative_slope")}, part=part)
    elif most is None:
        found = layer.add("relu", [source], part=part)
    elif layer.number("max_value") == 6:
        found = layer.add("relu6", [source], part=part)
    else:
        found = layer.add("hardtanh", [source], {"min_val": 0.0, "max_val": layer.number("max_value")}, part=part)
    return same_order(source, found)


def leaky_relu(layer: KerasLayer, inputs: list[Tensor], part: str = "") -> Tensor:
    slope = layer.number("negative_slope" if "negative_slope" in layer.config else "alpha", 0.3)
    source = only(layer, inputs)
    return same_order(source, layer.add("leaky_relu", [source], {"negative_slope": slope}, part=part))


def elu(layer: KerasLayer, inputs: list[Tensor], part: str = "") -> Tensor:
    source = only(layer, inputs)
    return same_order(source, layer.add("elu", [source], {"alpha": layer.number("alpha", 1)}, part=part))


def softmax(layer: KerasLayer, inputs: list[Tensor], part: str = "") -> Tensor:
    axis = layer.value("axis", -1)
    if not isinstance(axis, int):
        source = only(layer, inputs)
        return layer.opaque([source], layer.own(source), part=part)
    return softmax_along(layer, only(layer, inputs), axis, "softmax", part)


def prelu(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Slopes for each value, shared along `shared_axes`."""
    source = only(layer, inputs)
    shape = layer.keras_shape(source)
    given = layer.value("shared_axes", [])
    axes = given if isinstance(given, list) else [given]
    if not all(isinstance(axis, int) for axis in axes):
        raise layer.wrong(f"shared_axes should be whole numbers, not {given!r:.60}")
    shared = {layer.axis(source, axis) for axis in axes}
    free = [axis for axis in range(len(shape)) if axis not in shared and layer.own(source)[axis] > 1]
    if free in ([0], []):
        arrays = {"weight": ("alpha", _flat)}
        if not source.order:
            return layer.add("prelu", [source], {"num_parameters": "channels" if free else 1}, arrays=arrays)
    params = math.prod(layer.own(source)[axis] for axis in free)
    return layer.opaque([source], layer.own(source), params)


def _flat(array: Any) -> Any:
    return array.reshape(-1)


_SETTINGS = {"re_lu": relu, "leaky_re_lu": leaky_relu, "elu": elu, "softmax": softmax}


# --- operations of `keras.ops`


def _plain(op: str, **fields: Any) -> Maker:
    """One that treats every value by itself."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = only(layer, inputs)
        return same_order(source, layer.add(op, [source], fields))

    return make


def _gelu(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`ops.gelu`, which is approximate unless its argument says otherwise."""
    source = only(layer, inputs)
    approximate = {"approximate": "tanh"} if layer.flag("approximate", True) else {}
    return same_order(source, layer.add("gelu", [source], approximate))


def _leaky(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    slope = layer.number("negative_slope", 0.2)
    return same_order(source, layer.add("leaky_relu", [source], {"negative_slope": slope}))


def _clip(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    bounds = {"min_val": layer.number("x_min"), "max_val": layer.number("x_max")}
    return same_order(source, layer.add("hardtanh", [source], bounds))


def _log_softmax(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    axis = layer.value("axis", -1)
    if not isinstance(axis, int):
        raise layer.wrong(f"axis should be a whole number, not {axis!r:.40}")
    return softmax_along(layer, only(layer, inputs), axis, "log_softmax", "")


#: Operations of a map, by their classes.
OPERATIONS: Mapping[str, Maker] = {
    "Silu": _plain("silu"), "Sigmoid": _plain("sigmoid"), "Tanh": _plain("tanh"), "Relu6": _plain("relu6"),
    "Selu": _plain("selu"), "Softplus": _plain("softplus"), "HardSigmoid": _plain("hardsigmoid"),
    "HardSilu": _plain("hardswish"), "HardTanh": _plain("hardtanh"), "Square": _plain("power", exponent=2.0),
    "Sqrt": _plain("power", exponent=0.5), "Gelu": _gelu, "Elu": elu, "LeakyRelu": _leaky, "Clip": _clip,
    "LogSoftmax": _log_softmax,
}  # fmt: skip
