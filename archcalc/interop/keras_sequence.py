"""Keras's layers over rows of tokens and steps: attention, embeddings, recurrent layers, layers at every step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archcalc.interop.keras_activations import Maker, activation_name
from archcalc.interop.keras_layer import Arrays, KerasLayer, Tensor, Transform, only

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
        raise layer.wrong("archcalc reads output_shape as a number, and attention over all positions")
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
        return layer.opaque(inputs, (layer.own(value)[0], layer.own(query)[1]), params)
    given = [layer.as_layout(one, last=True) for one in (query, key, value)]
    return layer.add("scaled_dot_product_attention", given, {"scale": 1.0})


# --- recurrent layers


def recurrent(op: str) -> Maker:
    """`LSTM`, `GRU`, `SimpleRNN`; their state alone unless `return_sequences`."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor | list[Tensor]:
        return _recurrent(layer, inputs, op, layer.config, False)

    return make


def bidirectional(layer: KerasLayer, inputs: list[Tensor]) -> Tensor | list[Tensor]:
    """A recurrent layer forward and backward, with both outputs next to one another."""
    inner = layer.value("layer", {})
    kind = inner.get("class_name") if isinstance(inner, Mapping) else None
    config = inner.get("config") if isinstance(inner, Mapping) else None
    op = RECURRENT.get(kind) if isinstance(kind, str) else None
    if op is None or not isinstance(config, Mapping) or layer.config.get("merge_mode", "concat") != "concat":
        raise layer.wrong("archcalc reads Bidirectional around LSTM, GRU or SimpleRNN, with merge_mode concat")
    return _recurrent(layer, inputs, op, config, True)


#: The recurrent layers by class.
RECURRENT = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn", "CuDNNLSTM": "lstm", "CuDNNGRU": "gru"}
_GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def _recurrent(
    layer: KerasLayer, inputs: list[Tensor], op: str, config: Mapping[str, Any], both: bool
) -> Tensor | list[Tensor]:
    settings = KerasLayer(layer.net, layer.kind, layer.name, config, layer.place, layer.last)
    source = layer.as_layout(only(layer, inputs[:1]), last=True)
    if len(layer.own(source)) != 2:
        raise layer.wrong(f"it needs a row of steps, its input is {layer.keras_shape(source)}")
    units, bias = settings.integer("units"), settings.flag("use_bias", True)
    fields: dict[str, Any] = {"hidden_size": units, "bias": bias}
    if both:
        fields["bidirectional"] = True
    if not settings.flag("return_sequences", False):
        fields["last"] = True
    activation = activation_name(config.get("activation", "tanh"))
    usual = activation == "tanh" and activation_name(config.get("recurrent_activation", "sigmoid")) == "sigmoid"
    if op == "rnn":
        usual = activation in ("tanh", "relu")
        if activation == "relu":
            fields["nonlinearity"] = "relu"
    two = op == "gru" and settings.flag("reset_after", True)
    depth, steps = layer.own(source)
    ways = 2 if both else 1
    if usual and not settings.flag("go_backwards", False) and (two or op != "gru") and (two or not bias or _ONE_BIAS):
        if bias and not two:
            fields["single_bias"] = True
        return _states(settings, layer.add(op, [source], fields, arrays=_arrays(op, both, bias, two)))
    rows = _GATES[op] * units
    params = ways * (rows * (depth + units) + rows * bias * (1 + two))
    shape = (ways * units,) if fields.get("last") else (ways * units, steps)
    return _states(settings, layer.opaque([source], shape, params))


def _states(settings: KerasLayer, found: Tensor) -> Tensor:
    if settings.flag("return_state", False):
        settings.net.note(f"{settings.name}: its states are not read")
    return found


def _arrays(op: str, both: bool, bias: bool, two: bool) -> dict[str, tuple[str, Transform | None]]:
    """The arrays of a recurrent layer; a GRU has its gates in another order here."""
    turn = _gru_order if op == "gru" else _as_it_is
    found: dict[str, tuple[str, Transform | None]] = {}
    for way, scope in (("", "forward_"), ("_reverse", "backward_")) if both else (("", ""),):
        found[f"weight_ih_l0{way}"] = (f"{scope}kernel", lambda array: turn(array.T))
        found[f"weight_hh_l0{way}"] = (f"{scope}recurrent_kernel", lambda array: turn(array.T))
        if bias and two:
            found[f"bias_ih_l0{way}"] = (f"{scope}bias", lambda array: turn(array[0]))
            found[f"bias_hh_l0{way}"] = (f"{scope}bias", lambda array: turn(array[1]))
        elif bias:
            found[f"bias_ih_l0{way}"] = (f"{scope}bias", None)
    return found


def _gru_order(array: Any) -> Any:
    """Gates z, r, n as r, z, n."""
    import numpy as np

    update, reset, new = np.split(array, 3)
    return np.concatenate([reset, update, new])


def _as_it_is(array: Any) -> Any:
    return array


#: Whether the recurrent ops here can have one bias, as Keras's LSTM and SimpleRNN do.
_ONE_BIAS = False


def conv_lstm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`ConvLSTM2D`, which archcalc does not have: its parameters and its output."""
    source = only(layer, inputs)
    depth, steps, *sizes = layer.own(layer.as_layout(source, last=True))
    if len(sizes) != 2:
        raise layer.wrong("it needs a row of images")
    filters, kernel = layer.integer("filters"), layer.sizes("kernel_size", 2)
    area = math.prod(kernel if isinstance(kernel, list) else [kernel] * 2)
    params = 4 * filters * (area * (depth + filters) + layer.flag("use_bias", True))
    if layer.word("padding", "valid", "same") != "same" or layer.sizes("strides", 2, 1) != 1:
        raise layer.wrong("archcalc reads ConvLSTM2D with padding same and stride 1")
    shape = (filters, steps, *sizes) if layer.flag("return_sequences", False) else (filters, *sizes)
    return layer.opaque([source], shape, params)


# --- the same layer at every step


def time_distributed(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """A layer at every step. Dense layers and activations do that anyway; a window becomes one of length 1."""
    inner = layer.value("layer", {})
    kind = inner.get("class_name") if isinstance(inner, Mapping) else None
    config = inner.get("config") if isinstance(inner, Mapping) else None
    if not isinstance(kind, str) or not isinstance(config, Mapping):
        raise layer.wrong("its layer is not readable")
    source = only(layer, inputs)
    own = KerasLayer(layer.net, kind, layer.name, config, layer.place, layer.last, layer.weights, layer.owners)
    own.made = layer.made
    if kind in ("Dense", "Activation", "ReLU", "LeakyReLU", "Dropout", "LayerNormalization", "BatchNormalization"):
        found = layer.classes[kind](own, [source])
        assert isinstance(found, Tensor)
        return found
    if kind in ("Conv2D", "MaxPooling2D", "AveragePooling2D", "DepthwiseConv2D") and len(layer.own(source)) == 4:
        own.config = {**config, **{name: _with_time(config[name]) for name in _TIMED if config.get(name) is not None}}
        found = layer.classes[kind.replace("2D", "3D")](own, [source])
        assert isinstance(found, Tensor)
        return found
    raise layer.wrong(f"archcalc does not read TimeDistributed around {kind[:40]!r}")


_TIMED = ("kernel_size", "strides", "dilation_rate", "pool_size")


def _with_time(value: Any) -> Any:
    return [1, *(value if isinstance(value, list) else [value] * 2)]


def unread(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """What archcalc does not know, of a shape that the file says, and without parameters of its own."""
    if layer.shape is None:
        raise layer.wrong(f"archcalc cannot read {layer.kind}: the shape of its output is not in the file")
    return layer.opaque(inputs, layer.shape)
