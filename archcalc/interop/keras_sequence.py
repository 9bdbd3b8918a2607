"""Keras's layers over rows of tokens and steps: attention, embeddings, layers at every step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archcalc.interop.keras_layer import Arrays, KerasLayer, Tensor, Transform, UnreadError, only
from archcalc.interop.keras_shapes import reshaped

if TYPE_CHECKING:
    from archcalc.interop.foreign import LazyArray


def embedding(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    fields = {"num_embeddings": layer.integer("input_dim"), "embedding_dim": layer.integer("output_dim")}
    return layer.add("embedding", [source], fields, arrays={"weight": ("embeddings", None)})


# --- attention


def multi_head_attention(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Queries, values and keys, in this order; several position axes attend as one row."""
    given = [*inputs, *(layer.extra[name] for name in ("query", "value", "key") if name in layer.extra)]
    if not 1 <= len(given) <= 3:
        raise layer.wrong(f"it takes a query, a value and a key, {len(given)} maps reach it")
    query, value = given[0], given[1] if len(given) > 1 else given[0]
    key = given[2] if len(given) == 3 else value
    rows = [_row(layer, layer.as_layout(one, last=True)) for one in (query, key, value)]
    heads, depth = layer.integer("num_heads"), layer.integer("key_dim")
    values = layer.integer("value_dim", depth)
    shape = layer.value("output_shape")
    size = shape[0] if isinstance(shape, list) and len(shape) == 1 else shape
    channels = layer.own(query)[0]
    out = channels if size is None else size
    if isinstance(out, bool) or not isinstance(out, int) or layer.value("attention_axes", [1]) not in ([1], 1):
        raise UnreadError("archcalc reads output_shape as a number, and attention over all positions")
    fields: dict[str, Any] = {"num_heads": heads, "bias": layer.flag("use_bias", True)}
    if layer.call.get("use_causal_mask") is True:
        fields["is_causal"] = True
    if "attention_mask" in layer.extra:
        layer.net.note(f"{layer.name}: its mask is not read")
    if heads * depth == heads * values == out == channels:
        return _back(layer, _as_one(layer, rows, fields), query)
    bias = fields.pop("bias")
    parts = [
        layer.add("linear", [one], {"out_features": heads * width, "bias": bias, "per_position": True}, part=f"/{name}",
                  arrays={"weight": (f"{name}/kernel", _projection), "bias": (f"{name}/bias", _flat)})
        for name, one, width in zip(("query", "key", "value"), rows, (depth, depth, values), strict=True)
    ]  # fmt: skip
    attended = layer.add("scaled_dot_product_attention", parts, fields, part="/attention")
    given_back = {"out_features": out, "bias": bias, "per_position": True}
    arrays = {"weight": ("attention_output/kernel", _output), "bias": ("attention_output/bias", None)}
    return _back(layer, layer.add("linear", [attended], given_back, part="/output", arrays=arrays), query)


def _as_one(layer: KerasLayer, rows: list[Tensor], fields: Mapping[str, Any]) -> Tensor:
    """The whole as one op, whose arrays are those of PyTorch: the three projections one under the other."""
    depths = [layer.own(row)[0] for row in rows]
    given = dict(fields)
    if depths[1] != depths[0] or depths[2] != depths[0]:
        given |= {"kdim": depths[1], "vdim": depths[2]}
    same = rows[0] == rows[1] == rows[2]
    reads = rows[:1] if same else rows[:2] if rows[1] == rows[2] else rows
    made = layer.add("multi_head_attention", reads, given, loaded=_stacked(layer, depths))
    return made


def _stacked(layer: KerasLayer, depths: Sequence[int]) -> Arrays:
    """The arrays of the projections as PyTorch has them."""
    held = layer.weights
    if "query/kernel" not in held:
        return {}

    def joined(part: str, turn: Transform) -> LazyArray:
        def load() -> Any:
            import numpy as np

            return np.concatenate([turn(held[f"{name}/{part}"]()) for name in ("query", "key", "value")])

        return load

    def alone(name: str, turn: Transform) -> LazyArray:
        return lambda: turn(held[name]())

    found = {"out_proj_weight": alone("attention_output/kernel", _output)}
    if len(set(depths)) == 1:
        found["in_proj_weight"] = joined("kernel", _projection)
    else:
        names = zip("qkv", ("query", "key", "value"), strict=True)
        found |= {f"{letter}_proj_weight": alone(f"{name}/kernel", _projection) for letter, name in names}
    if layer.flag("use_bias", True):
        found["in_proj_bias"] = joined("bias", _flat)
        found["out_proj_bias"] = alone("attention_output/bias", _flat)
    return found


def _row(layer: KerasLayer, tensor: Tensor) -> Tensor:
    rank = len(layer.own(tensor))
    if rank == 1:
        raise layer.wrong("it needs positions, its input is flat")
    return tensor if rank == 2 else layer.add("tokens", [tensor], part="/tokens")


def _back(layer: KerasLayer, tensor: Tensor, like: Tensor) -> Tensor:
    """A row of tokens with the positions of the queries."""
    sizes = layer.own(layer.as_layout(like, last=True))[1:]
    return tensor if len(sizes) == 1 else layer.add("grid", [tensor], {"size": list(sizes)}, part="/grid")


def _projection(array: Any) -> Any:
    """(features, heads, depth) as (heads·depth, features)."""
    return array.reshape(array.shape[0], -1).T


def _output(array: Any) -> Any:
    """(heads, depth, features) as (features, heads·depth)."""
    return array.reshape(-1, array.shape[-1]).T


def _flat(array: Any) -> Any:
    return array.reshape(-1)


def attention(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Attention`: query, value and key without projections; the scores are not divided by a root."""
    if len(inputs) not in (2, 3):
        raise layer.wrong(f"it takes a query, a value and a key, {len(inputs)} maps reach it")
    query, value, key = inputs[0], inputs[1], inputs[-1]
    if layer.flag("use_scale", False) or layer.word("score_mode", "dot", "concat") != "dot":
        params = 1 + (layer.value("score_mode") == "concat") * layer.flag("use_scale", False)
        # Sums of tanh(q + k), or products, and the values by their shares.
        (depth, count), (size, rows) = layer.own(value), layer.own(query)
        products = count * rows * (depth + size * (layer.value("score_mode", "dot") == "dot"))
        return layer.opaque(inputs, (depth, rows), params, multiplications=products)
    given = [layer.as_layout(one, last=True) for one in (query, key, value)]
    return layer.add("scaled_dot_product_attention", given, {"scale": 1.0})


# --- the same layer at every step


def time_distributed(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """A layer at every step. Dense layers and activations do that anyway; a window becomes one of length 1."""
    inner = layer.value("layer", {})
    kind = inner.get("class_name") if isinstance(inner, Mapping) else None
    config = inner.get("config") if isinstance(inner, Mapping) else None
    if not isinstance(kind, str) or not isinstance(config, Mapping):
        raise layer.wrong("its layer is not readable")
    source = only(layer, inputs)
    # Keras puts the name of the layer inside before those of its arrays.
    weights = {name.rpartition("/")[2]: load for name, load in layer.weights.items()}
    own = KerasLayer(layer.net, kind, layer.name, config, layer.place, layer.last, weights, layer.owners)
    own.made = layer.made
    if kind in ("Dense", "Activation", "ReLU", "LeakyReLU", "Dropout", "LayerNormalization", "BatchNormalization"):
        found = layer.classes[kind](own, [source])
        assert isinstance(found, Tensor)
        return found
    if kind in ("Conv2D", "MaxPooling2D", "AveragePooling2D", "DepthwiseConv2D") and len(layer.own(source)) == 4:
        own.weights = {name: _with_a_step(load) if "kernel" in name else load for name, load in weights.items()}
        own.config = {**config, **{name: _with_time(config[name]) for name in _TIMED if config.get(name) is not None}}
        found = layer.classes[kind.replace("2D", "3D")](own, [source])
        assert isinstance(found, Tensor)
        return found
    if kind == "Flatten":
        steps, *sizes = layer.keras_shape(source)
        return reshaped(own, source, (steps, math.prod(sizes)))
    raise UnreadError(f"archcalc does not read TimeDistributed around {kind[:40]!r}")


def spectral_norm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`SpectralNormalization`: at inference the layer in it, whose kernel was divided in training."""
    inner = layer.value("layer", {})
    kind, config = (inner.get(part) for part in ("class_name", "config")) if isinstance(inner, Mapping) else ("", None)
    make = layer.classes.get(str(kind))
    if make is None or not isinstance(config, Mapping):
        raise UnreadError(f"archcalc does not read {layer.kind} around {str(kind)[:40]!r}")
    own = KerasLayer(layer.net, str(kind), layer.name, config, layer.place, layer.last, {}, layer.owners)
    own.made = layer.made
    found = make(own, inputs)
    if not isinstance(found, Tensor):
        raise UnreadError(f"archcalc does not read {layer.kind} around {str(kind)[:40]!r}")
    layer.net.note(f"{layer.name}: the vector of its spectral norm is not counted")
    return found


_TIMED = ("kernel_size", "strides", "dilation_rate", "pool_size")


def _with_a_step(load: LazyArray) -> LazyArray:
    """The kernel of a window with a first axis of one step."""
    return lambda: load()[None]


def _with_time(value: Any) -> Any:
    return [1, *(value if isinstance(value, list) else [value] * 2)]
