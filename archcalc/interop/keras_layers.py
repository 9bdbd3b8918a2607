"""Keras's layers with windows and weights, and its normalisations, in ops of archcalc.

Source: keras-team/keras 3, keras/src/layers; the names of Keras 2 stand next to those of Keras 3 where they differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.core.shapes import Shape
from archcalc.interop.keras_activations import Maker, activate, activation_name, same_order
from archcalc.interop.keras_layer import KerasLayer, Tensor, Transform, only
from archcalc.ops import rules
from archcalc.ops.windowed import Sides

# --- windows


def _window(layer: KerasLayer, rank: int, size: str, strides: int | None = 1) -> dict[str, Any]:
    """Kernel, stride and padding; a pool's stride is its window unless given."""
    kernel = layer.sizes(size, rank)
    stride = kernel if strides is None and layer.config.get("strides") is None else layer.sizes("strides", rank, 1)
    padding = layer.word("padding", "valid", "same", "causal")
    return {"kernel_size": kernel, "stride": stride, "padding": "same" if padding == "same" else 0}


def _causal(layer: KerasLayer, source: Tensor, fields: dict[str, Any]) -> Tensor:
    """For `causal` all padding comes before the first step."""
    if layer.value("padding") != "causal":
        return source
    if fields["kernel_size"] == 1:
        return source
    before = fields.get("dilation", 1) * (fields["kernel_size"] - 1)
    return layer.add("zero_pad1d", [source], {"padding": [before, 0]}, part="/pad")


def _conv_kernel(array: Any) -> Any:
    """(*kernel, in, out) as (out, in, *kernel)."""
    return array.transpose(array.ndim - 1, array.ndim - 2, *range(array.ndim - 2))


def _depthwise_kernel(array: Any) -> Any:
    """(*kernel, channels, multiplier) as (channels·multiplier, 1, *kernel)."""
    turned = array.transpose(array.ndim - 2, array.ndim - 1, *range(array.ndim - 2))
    return turned.reshape(-1, 1, *turned.shape[2:])


BIAS: Mapping[str, tuple[str, Transform | None]] = {"bias": ("bias", None)}


def conv(rank: int) -> Maker:
    """`Conv1D`, `Conv2D`, `Conv3D`."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        fields = {
            "out_channels": layer.integer("filters"),
            **_window(layer, rank, "kernel_size"),
            "dilation": layer.sizes("dilation_rate", rank, 1),
            "groups": layer.integer("groups", 1),
            "bias": layer.flag("use_bias", True),
        }
        if fields["kernel_size"] == 1:
            fields["padding"] = 0  # one position needs none to be the same
        arrays = {"weight": ("kernel", _conv_kernel), **BIAS}
        found = layer.add(f"conv{rank}d", [_causal(layer, source, fields)], fields, arrays=arrays)
        return activate(layer, found, layer.value("activation"))

    return make


def _deep_window(layer: KerasLayer, rank: int) -> dict[str, Any]:
    """The settings of a depthwise convolution but for its bias."""
    return {
        **_window(layer, rank, "kernel_size"),
        "dilation": layer.sizes("dilation_rate", rank, 1),
        "depth_multiplier": layer.integer("depth_multiplier", 1),
    }


def depthwise(rank: int) -> Maker:
    """`DepthwiseConv1D` and `2D`."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        fields = {**_deep_window(layer, rank), "bias": layer.flag("use_bias", True)}
        kernel = "kernel" if "kernel" in layer.weights else "depthwise_kernel"
        arrays = {"weight": (kernel, _depthwise_kernel), **BIAS}
        found = layer.add(f"depthwise_conv{rank}d", [_causal(layer, source, fields)], fields, arrays=arrays)
        return activate(layer, found, layer.value("activation"))

    return make


def separable(rank: int) -> Maker:
    """`SeparableConv1D` and `2D`: a depthwise convolution and one of 1×1 with the bias."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        fields = {**_deep_window(layer, rank), "bias": False}
        deep = {"weight": ("depthwise_kernel", _depthwise_kernel)}
        source = _causal(layer, source, fields)
        between = layer.add(f"depthwise_conv{rank}d", [source], fields, part="/depthwise", arrays=deep)
        fields = {"out_channels": layer.integer("filters"), "kernel_size": 1, "bias": layer.flag("use_bias", True)}
        arrays = {"weight": ("pointwise_kernel", _conv_kernel), **BIAS}
        found = layer.add(f"conv{rank}d", [between], fields, part="/pointwise", arrays=arrays)
        name = activation_name(layer.value("activation"))
        return activate(layer, found, layer.value("activation"), f"/{name}")

    return make


def transposed(rank: int) -> Maker:
    """`Conv1DTranspose`, `2D`, `3D`. Source: keras/src/backend/common/backend_utils.py, the sizes of the output."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        fields = {"out_channels": layer.integer("filters"), **_window(layer, rank, "kernel_size")}
        fields["dilation"] = layer.sizes("dilation_rate", rank, 1)
        fields["bias"] = layer.flag("use_bias", True)
        window = (fields[name] for name in ("kernel_size", "stride", "dilation"))
        kernels, strides, dilations = ([one] * rank if isinstance(one, int) else one for one in window)
        spans = list(map(rules.dilated_window, kernels, dilations))
        if layer.config.get("output_padding") is not None:
            fields["output_padding"] = added = layer.sizes("output_padding", rank, least=0)
            if fields["padding"] == "same":
                # What is added leaves less to be cut off, and an odd position of that comes from the end.
                more = [added] * rank if isinstance(added, int) else added
                cut = [span // 2 * 2 - extra for span, extra in zip(spans, more, strict=True)]
                fields["padding"] = list(Sides.halves([max(total, 0) for total in cut]))
                fields["output_padding"] = [max(-total, 0) for total in cut]
        elif fields["padding"] == 0 and any(map(int.__lt__, spans, strides)):
            fields["output_padding"] = [max(stride - span, 0) for span, stride in zip(spans, strides, strict=True)]
        arrays = {"weight": ("kernel", _conv_kernel), **BIAS}
        found = layer.add(f"conv_transpose{rank}d", [source], fields, arrays=arrays)
        return activate(layer, found, layer.value("activation"))

    return make


def locally_connected(rank: int) -> Maker:
    """`LocallyConnected1D` and `2D` of Keras 2; their arrays are not brought over."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        fields = {
            "out_channels": layer.integer("filters"),
            **_window(layer, rank, "kernel_size"),
            "bias": layer.flag("use_bias", True),
        }
        found = layer.add(f"locally_connected{rank}d", [source], fields)
        return activate(layer, found, layer.value("activation"))

    return make


def pool(op: str, rank: int) -> Maker:
    """`MaxPooling…` and `AveragePooling…`; zeros around do not count in a mean."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        fields = _window(layer, rank, "pool_size" if "pool_size" in layer.config else "pool_length", None)
        if op == "avg_pool" and fields["padding"] == "same":
            fields["count_include_pad"] = False
        if op == "max_pool" and source.node in layer.net.borders and not fields["padding"]:
            inner, padding = layer.net.borders[source.node]
            kernel = fields["kernel_size"]
            if max(padding) < (kernel if isinstance(kernel, int) else min(kernel)):
                source, fields["padding"] = source._replace(node=inner), padding
        return layer.add(f"{op}{rank}d", [source], fields)

    return make


def global_pool(op: str, rank: int) -> Maker:
    """`GlobalAveragePooling…` and `GlobalMaxPooling…`, which give a vector unless `keepdims`."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        found = layer.add(f"{op}{rank}d", [source])
        return found if layer.flag("keepdims", False) else layer.add("flatten", [found], part="_flatten")

    return make


def adaptive_pool(op: str, rank: int) -> Maker:
    """`AdaptiveAveragePooling…` and `AdaptiveMaxPooling…`."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        return layer.add(f"{op}{rank}d", [source], {"output_size": layer.sizes("output_size", rank)})

    return make


# --- dense


def dense(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Dense`: over the last axis of Keras, position by position."""
    source = layer.as_layout(only(layer, inputs), last=True)
    fields: dict[str, Any] = {"out_features": layer.integer("units"), "bias": layer.flag("use_bias", True)}
    if len(layer.own(source)) > 1:
        fields["per_position"] = True
    kernel = permuted(source.order, lambda array, index: array[index].T) if source.order else _turned
    found = layer.add("linear", [source], fields, arrays={"weight": ("kernel", kernel), **BIAS})
    return activate(layer, found, layer.value("activation"))


def _turned(array: Any) -> Any:
    return array.T


def permuted(order: Sequence[Shape], use: Callable[[Any, Any], Any]) -> Transform:
    """An array over the values of a flat map of Keras, taken in the order that they have here."""

    def transform(array: Any) -> Any:
        import numpy as np

        parts, start = [], 0
        for channels, *sizes in order:
            count = channels * math.prod(sizes)
            parts.append(start + np.arange(count).reshape(-1, channels).T.reshape(-1))
            start += count
        return use(array, np.concatenate(parts))

    return transform


# --- normalisation


def batch_norm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    axis = layer.value("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    scale, shift = layer.flag("scale", True), layer.flag("center", True)
    if not isinstance(axis, int) or layer.axis(source, axis):
        count = layer.own(source)[layer.axis(source, axis)] if isinstance(axis, int) else 0
        if not count:
            raise layer.wrong(f"archcalc has no batch norm along axis {axis!r:.40}")
        order = list(range(len(layer.own(source))))
        place = layer.axis(source, axis)
        order[0], order[place] = place, 0
        turned = layer.net.permute(f"{layer.name}/transpose", source.node, order, place=layer.place)
        found = _batch_norm(layer, Tensor(turned), scale, shift, "/batch_norm")
        return Tensor(layer.net.permute(f"{layer.name}/back", found.node, order, place=layer.place), source.last)
    return _batch_norm(layer, source, scale, shift, "")


def _batch_norm(layer: KerasLayer, source: Tensor, scale: bool, shift: bool, part: str) -> Tensor:
    fields = {"epsilon": layer.number("epsilon", 1e-3), "scale": scale, "shift": shift}
    turn = permuted(source.order, lambda array, index: array[index]) if source.order else None
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    arrays = {name: (theirs, turn) for name, theirs in names.items()}
    rank = max(len(layer.own(source)) - 1, 1)
    return same_order(source, layer.add(f"batch_norm{rank}d", [source], fields, part=part, arrays=arrays))


def unit_norm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`UnitNormalization` and `ops.normalize`: the channels of each position divided by their norm."""
    source = only(layer, inputs)
    axis, order = layer.value("axis", -1), layer.value("order", 2)
    if not isinstance(axis, int) or layer.axis(source, axis) != 0 or order != 2 or source.order:
        return layer.opaque([source], layer.own(source))
    default = 1e-12 if layer.kind == "UnitNormalization" else 1e-7
    epsilon = default if layer.value("epsilon") is None else layer.number("epsilon")
    return layer.add("l2_norm", [source], {"epsilon": epsilon})


def layer_norm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Over the channels, or over all axes; γ and β over the same."""
    source = only(layer, inputs)
    axis = layer.value("axis", -1)
    axes = axis if isinstance(axis, list) else [axis]
    places = sorted(layer.axis(source, one) for one in axes if isinstance(one, int))
    rank = len(layer.own(source))
    scale, shift = layer.flag("scale", True), layer.flag("center", True)
    op = "rms_norm" if layer.kind == "RMSNormalization" else "layer_norm"
    is_scaled = op == "layer_norm" and layer.flag("rms_scaling", False)
    if op == "rms_norm" or is_scaled:
        scale, shift = True, False
    over = "channels" if places == [0] else "all" if places == list(range(rank)) else ""
    # With rms_scaling Keras divides by the standard deviation and takes off no mean, which is no RMS norm.
    if not over or (shift and not scale) or source.order or is_scaled:
        params = math.prod(layer.own(source)[place] for place in places) * (scale + shift)
        return layer.opaque([source], layer.own(source), params)
    fields: dict[str, Any] = {"epsilon": layer.number("epsilon", 1e-6 if op == "rms_norm" else 1e-3)}
    if over == "all":
        fields["axes"] = "all"
    if not scale:
        fields["elementwise_affine"] = False
    elif op == "layer_norm" and not shift:
        fields["bias"] = False

    def turn(array: Any) -> Any:
        return array.transpose(array.ndim - 1, *range(array.ndim - 1)) if source.last and array.ndim > 1 else array

    theirs = {"weight": "scale" if op == "rms_norm" and "scale" in layer.weights else "gamma", "bias": "beta"}
    return layer.add(op, [source], fields, arrays={name: (given, turn) for name, given in theirs.items()})


def group_norm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    channels = layer.own(source)[0]
    groups = layer.integer("groups", 32, -1)
    groups = channels if groups == -1 else groups
    scale, shift = layer.flag("scale", True), layer.flag("center", True)
    axis = layer.value("axis", -1)
    if scale != shift or not isinstance(axis, int) or layer.axis(source, axis) or groups < 1 or source.order:
        return layer.opaque([source], layer.own(source), channels * (scale + shift))
    fields = {"num_groups": groups, "epsilon": layer.number("epsilon", 1e-3), "affine": scale}
    return layer.add("group_norm", [source], fields, arrays={"weight": ("gamma", None), "bias": ("beta", None)})


def layer_scale(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """ConvNeXt's layer scale: a trained factor for each channel."""
    source = only(layer, inputs)
    if layer.integer("projection_dim") != layer.keras_shape(source)[-1]:
        raise layer.wrong("projection_dim is not the last axis of its input")
    return layer.add("scale", [layer.as_layout(source, last=True)], arrays={"weight": ("gamma", None)})
