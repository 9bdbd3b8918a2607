"""Layers of the Keras code that archcalc writes: those that Keras lacks, with their arrays as archcalc has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.interop.keras_activations import Maker, same_order
from archcalc.interop.keras_layer import KerasLayer, Tensor, Transform, UnreadError, only
from archcalc.interop.keras_shapes import in_order

#: The settings that every layer of Keras has.
_OF_EVERY_LAYER = {"name", "trainable", "dtype", "autocast", "activity_regularizer"}


def _want_own(layer: KerasLayer, needed: Sequence[str], others: Sequence[str] = ()) -> None:
    """Raise `UnreadError` for a class of the same name from elsewhere: it has other settings than that of archcalc."""
    if missing := [name for name in needed if name not in layer.config]:
        raise UnreadError(f"it has no {missing[0]}, so it is another class than the {layer.kind} that archcalc writes")
    if unknown := sorted(set(layer.config) - _OF_EVERY_LAYER - {*needed, *others}):
        raise UnreadError(
            f"it has {unknown[0]!r:.60}, so it is another class than the {layer.kind} that archcalc writes"
        )


def _last(layer: KerasLayer, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [layer.as_layout(one, last=True) for one in inputs]


def _same(*names: str) -> Mapping[str, tuple[str, Transform | None]]:
    """Arrays that Keras holds as archcalc does."""
    return {name: (name, None) for name in names}


def _turned(array: Any) -> Any:
    """(positions, C) as (C, positions)."""
    return array.transpose(array.ndim - 1, *range(array.ndim - 1))


def _list(layer: KerasLayer, name: str, least: int = 1) -> list[int]:
    """A list of whole numbers."""
    given = layer.value(name)
    if not isinstance(given, list) or not given:
        raise layer.wrong(f"{name} should be a list of whole numbers, not {given!r:.60}")
    return layer.integers(name, given, least)


def scale(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """A trained factor for each channel, and a trained number."""
    _want_own(layer, ["use_bias"])
    bias = {"bias": True} if layer.flag("use_bias", False) else {}
    arrays = _same("weight", *bias)
    return layer.add("scale", _last(layer, [only(layer, inputs)]), bias, arrays=arrays)


def local_response_norm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Each value divided by those of the channels next to it."""
    _want_own(layer, ["size", "alpha", "beta", "k"])
    numbers = {name: layer.number(name, default) for name, default in (("alpha", 1e-4), ("beta", 0.75), ("k", 1.0))}
    return layer.add(
        "local_response_norm", _last(layer, [only(layer, inputs)]), {"size": layer.integer("size"), **numbers}
    )


def position_embedding(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """A trained value for each place, added to the map."""
    _want_own(layer, [])
    return layer.add("position_embedding", _last(layer, [only(layer, inputs)]), arrays={"weight": ("weight", _turned)})


def class_token(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Trained tokens before a row."""
    _want_own(layer, [], ["num_tokens"])
    fields = {"num_tokens": layer.integer("num_tokens", 1)}
    arrays = {"weight": ("weight", _turned)}
    return layer.add("class_token", _last(layer, [only(layer, inputs)]), fields, arrays=arrays)


def token_embedding(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Rows of a table, by numbers that have channels or not."""
    fields = {"num_embeddings": layer.integer("input_dim"), "embedding_dim": layer.integer("output_dim")}
    return layer.add("embedding", _last(layer, [only(layer, inputs)]), fields, arrays={"weight": ("embeddings", None)})


def index_select(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Rows of a map, by numbers that another layer gives."""
    _want_own(layer, [])
    return layer.add("index_select", _last(layer, inputs))


def global_response_norm(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Each channel by its norm against the mean norm."""
    fields = {"epsilon": layer.number("epsilon", 1e-6)}
    source = _last(layer, [only(layer, inputs)])
    return layer.add("global_response_norm", source, fields, arrays=_same("weight", "bias"))


def attention(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """softmax(QKᵀ·scale)·V, head by head."""
    _want_own(layer, ["num_heads"], ["is_causal", "scale"])
    fields: dict[str, Any] = {"num_heads": layer.integer("num_heads"), "is_causal": layer.flag("is_causal", False)}
    if layer.config.get("scale") is not None:
        fields["scale"] = layer.number("scale")
    return layer.add("scaled_dot_product_attention", _last(layer, inputs), fields)


def window_attention(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Attention of a map to itself, whole or in windows, with the arrays of PyTorch."""
    _want_own(layer, ["embed_dim", "num_heads"], ["window_size", "relative_position_bias", "use_bias", "is_causal",
                                                  "partition", "shift_size"])  # fmt: skip
    fields: dict[str, Any] = {
        "num_heads": layer.integer("num_heads"),
        "embed_dim": layer.integer("embed_dim"),
        "bias": layer.flag("use_bias", True),
        "relative_position_bias": layer.flag("relative_position_bias", False),
        "is_causal": layer.flag("is_causal", False),
        "partition": layer.word("partition", "window", "grid"),
    }
    if layer.config.get("window_size") is not None:
        fields["window_size"] = _list(layer, "window_size")
    if layer.config.get("shift_size") is not None:
        fields["shift_size"] = _list(layer, "shift_size", least=0)
    biases = ("in_proj_bias", "out_proj_bias") if fields["bias"] else ()
    table = ("relative_position_bias_table",) if fields["relative_position_bias"] else ()
    arrays = _same("in_proj_weight", "out_proj_weight", *biases, *table)
    return layer.add("multi_head_attention", _last(layer, [only(layer, inputs)]), fields, arrays=arrays)


def _windowed(
    layer: KerasLayer, inputs: list[Tensor], size: str = "kernel_size"
) -> tuple[list[Tensor], int, dict[str, Any]]:
    """The maps, the number of position axes and the window of a layer."""
    maps = _last(layer, inputs)
    rank = len(layer.own(maps[0])) - 1 if maps else 0
    fields = {"kernel_size": layer.sizes(size, rank), "stride": layer.sizes("strides", rank, 1)}
    if layer.config.get("dilation_rate") is not None:
        fields["dilation"] = layer.sizes("dilation_rate", rank)
    return maps, rank, fields


def locally_connected(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """A convolution with filters of its own at every position."""
    _want_own(layer, ["filters", "kernel_size", "strides"], ["dilation_rate", "use_bias"])
    maps, rank, fields = _windowed(layer, [only(layer, inputs)])
    fields |= {"out_channels": layer.integer("filters"), "bias": layer.flag("use_bias", True)}
    return layer.add(f"locally_connected{rank}d", maps, fields, arrays=_same("weight", *["bias"] * fields["bias"]))


def table_conv(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """A convolution whose filters read the channels of a table."""
    _want_own(layer, ["connections", "kernel_size"], ["strides", "dilation_rate", "use_bias"])
    maps, rank, fields = _windowed(layer, [only(layer, inputs)])
    table = layer.value("connections")
    if not isinstance(table, list) or not table or not all(isinstance(row, list) and row for row in table):
        raise layer.wrong(f"connections should be a list of the channels of each filter, not {table!r:.60}")
    rows = [layer.integers("connections", row, 0) for row in table]
    fields |= {"out_channels": len(rows), "connections": rows, "bias": layer.flag("use_bias", True)}
    return layer.add(f"conv{rank}d", maps, fields, arrays=_same("weight", *["bias"] * fields["bias"]))


def scaled_tanh(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """1.7159·tanh(2x/3)."""
    _want_own(layer, [])
    source = only(layer, inputs)
    return same_order(source, layer.add("scaled_tanh", [source]))


def softplus(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """log(1 + exp(βx))/β, and x itself beyond a threshold."""
    _want_own(layer, ["beta", "threshold"])
    source = only(layer, inputs)
    fields = {name: layer.number(name) for name in ("beta", "threshold")}
    return same_order(source, layer.add("softplus", [source], fields))


def rbf(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Squared distances to code vectors."""
    _want_own(layer, ["units"])
    source = in_order(layer, only(layer, inputs))
    return layer.add("rbf", [source], {"out_features": layer.integer("units")}, arrays=_same("centers"))


def trained_map(layer: KerasLayer, _: list[Tensor]) -> Tensor:
    """A map of its own, trained or not, which only takes the number of images from its input."""
    _want_own(layer, ["size"], ["trained"])
    *positions, channels = _list(layer, "size")
    fields = {"shape": (channels, *positions), "buffer": not layer.flag("trained", True)}
    return layer.add("parameter", [], fields, arrays={"weight": ("weight", _turned)})


def subsampling(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """The sum of each window times a trained coefficient plus a trained bias."""
    _want_own(layer, ["pool_size", "strides"])
    maps, rank, fields = _windowed(layer, [only(layer, inputs)], "pool_size")
    return layer.add(f"subsampling{rank}d", maps, fields, arrays=_same("weight", "bias"))


def avg_pool(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """The mean of each window; of the padding around the map only `counted` counts."""
    _want_own(layer, ["pool_size", "strides", "padding", "counted"])
    maps, rank, fields = _windowed(layer, [only(layer, inputs)], "pool_size")
    around, counted = (_list(layer, name, least=0) for name in ("padding", "counted"))
    if any(counted):
        # What does not count is where the last window hangs over.
        fields |= {"padding": counted, "ceil_mode": counted != around}
    else:
        fields |= {"padding": around, "count_include_pad": False}
    return layer.add(f"avg_pool{rank}d", maps, fields)


def lp_pool(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """The p-norm of each window."""
    _want_own(layer, ["pool_size", "strides", "norm_type"])
    maps, rank, fields = _windowed(layer, [only(layer, inputs)], "pool_size")
    return layer.add(f"lp_pool{rank}d", maps, {**fields, "norm_type": layer.integer("norm_type")})


def max_pool(layer: KerasLayer, inputs: list[Tensor]) -> list[Tensor]:
    """The maximum of each window, and where it stands: both are the pool, whose places an unpooling layer reads."""
    _want_own(layer, ["kernel_size", "strides", "padding"], ["dilation_rate"])
    maps, rank, fields = _windowed(layer, [only(layer, inputs)])
    padding, windows = _list(layer, "padding", least=0), layer.sizes("kernel_size", rank)
    begins, sides = padding[:rank], [windows] * rank if isinstance(windows, int) else windows
    if any(end >= side for end, side in zip(padding[rank:], sides, strict=True)):
        # The last window hangs over by all but what lies before the map too.
        fields |= {"ceil_mode": True, "clip_last_window": False, "padding": begins * 2}
    else:
        fields["padding"] = padding
    found = layer.add(f"max_pool{rank}d", maps, fields)
    return [found, found]


def max_unpool(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Each value at the place where a pool found it."""
    _want_own(layer, ["kernel_size", "strides", "padding"], ["size", "found_in"])
    maps, rank, fields = _windowed(layer, inputs)
    return layer.add(f"max_unpool{rank}d", maps, {**fields, "padding": _list(layer, "padding", least=0)})


def interpolate(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Another size, as PyTorch's `interpolate`."""
    _want_own(layer, ["size", "mode"], ["align_corners", "antialias", "scale_factor"])
    (source,) = _last(layer, [only(layer, inputs)])
    fields: dict[str, Any] = {
        "mode": layer.word("mode", "nearest", "linear", "bilinear", "trilinear", "bicubic"),
        "align_corners": layer.flag("align_corners", False),
        "antialias": layer.flag("antialias", False),
    }
    if layer.config.get("scale_factor") is None:
        fields["size"] = _list(layer, "size")
    else:
        fields["scale_factor"] = layer.number("scale_factor")
    return layer.add("interpolate", [source], fields)


#: The classes, by their names in the code.
OWN: Mapping[str, Maker] = {
    "Scale": scale,
    "LocalResponseNormalization": local_response_norm,
    "PositionEmbedding": position_embedding,
    "ClassToken": class_token,
    "TokenEmbedding": token_embedding,
    "IndexSelect": index_select,
    "GlobalResponseNorm": global_response_norm,
    "ScaledDotProductAttention": attention,
    "WindowAttention": window_attention,
    "LocallyConnected": locally_connected,
    "TableConv": table_conv,
    "ScaledTanh": scaled_tanh,
    "ThresholdSoftplus": softplus,
    "Rbf": rbf,
    "TrainedMap": trained_map,
    "Subsampling": subsampling,
    "PaddedAveragePooling": avg_pool,
    "LpPooling": lp_pool,
    "MaxPoolingWithPlaces": max_pool,
    "MaxUnpooling": max_unpool,
    "Interpolate": interpolate,
}
