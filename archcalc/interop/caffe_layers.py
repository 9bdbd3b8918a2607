"""The layers of Caffe in ops of archcalc. Source: BVLC/caffe, src/caffe/proto/caffe.proto and src/caffe/layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from archcalc.core.shapes import Shape
from archcalc.interop import caffe_shapes
from archcalc.interop.assemble import Assembler, fault
from archcalc.interop.caffe_blobs import (
    Blob,
    Caffe,
    Maker,
    axis_of,
    one,
    opaque,
    plain,
    rank_of,
    same_shape,
    sizes_of,
    trained,
    with_arrays,
)
from archcalc.interop.prototxt import Message
from archcalc.ops.base import names


def _window(part: Message, rank: int) -> dict[str, Any]:
    kernel = sizes_of(part, "kernel_size", "kernel", rank, 0)
    if not all(kernel):
        raise fault("it needs kernel_size, from 1 on", part.place)
    return {
        "kernel_size": plain(kernel),
        "stride": plain(sizes_of(part, "stride", "stride", rank, 1, 1)),
        "padding": plain(sizes_of(part, "pad", "pad", rank, 0)),
    }


def _filters(part: Message, rank: int) -> dict[str, Any]:
    """The settings of a convolution, transposed or not."""
    return {
        "out_channels": part.integer("num_output", 0),
        **_window(part, rank),
        "dilation": plain(sizes_of(part, "dilation", "dilation", rank, 1, 1)),
        "groups": part.integer("group", 1, 1),
        "bias": part.flag("bias_term", True),
    }


def _convolution(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part, rank = message.message("convolution_param"), rank_of(caffe, message, name, bottoms)
    fields = _filters(part, rank)
    if "depthwise" in message.text("type").lower():
        fields["groups"] = caffe.net.shape(bottoms[0].node)[0]
    made = [with_arrays(caffe, message, name, bottoms[:1], f"conv{rank}d", fields, 1 + fields["bias"])]
    for index, other in enumerate(bottoms[1:]):  # several bottoms: the same filters over each
        owner = {"weights": made[0][0].node}
        made.append(one(caffe, message, f"{name}/{index + 1}", [other], f"conv{rank}d", fields, **owner))
    return [blob for (blob,) in made]


def _deconvolution(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part, rank = message.message("convolution_param"), rank_of(caffe, message, name, bottoms)
    fields = _filters(part, rank)
    return with_arrays(caffe, message, name, bottoms, f"conv_transpose{rank}d", fields, 1 + fields["bias"])


def _pooling(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """Rounds up, and drops a last window that begins in the padding. Source: PoolingLayer::Reshape."""
    part, rank = message.message("pooling_param"), rank_of(caffe, message, name, bottoms)
    how = part.choice("pool", ("MAX", "AVE", "STOCHASTIC"))
    if part.flag("global_pooling", False):
        if how == "STOCHASTIC":
            return opaque(caffe, message, name, bottoms, (caffe.net.shape(bottoms[0].node)[0], *(1,) * rank))
        op = "global_max_pool" if how == "MAX" else "global_avg_pool"
        return one(caffe, message, name, bottoms, f"{op}{rank}d", {})
    fields = _window(part, rank)
    up = part.choice("round_mode", ("CEIL", "FLOOR")) == "CEIL" and part.flag("ceil_mode", True)
    strides = fields["stride"] if isinstance(fields["stride"], list) else [fields["stride"]]
    padded = fields["padding"] if isinstance(fields["padding"], list) else [fields["padding"]]
    if up and max(strides) > 1:
        fields["ceil_mode"] = True
        if not any(padded) and _overhangs(caffe.net.shape(bottoms[0].node), fields):
            fields["clip_last_window"] = False
    if how == "STOCHASTIC":
        scratch = Assembler("scratch")
        source = scratch.input("map", caffe.net.shape(bottoms[0].node))
        shape = scratch.shape(scratch.add("pool", f"avg_pool{rank}d", [source], fields, place=message.place))
        return opaque(caffe, message, name, bottoms, shape)
    return one(caffe, message, name, bottoms[:1], f"{'max' if how == 'MAX' else 'avg'}_pool{rank}d", fields)


def _overhangs(shape: Shape, fields: Mapping[str, Any]) -> bool:
    """Whether a last window begins after the end of the map, which Caffe keeps where nothing is padded."""
    kernels, strides = (
        value if isinstance(value, list) else [value] * (len(shape) - 1)
        for value in (fields["kernel_size"], fields["stride"])
    )
    triples = zip(shape[1:], kernels, strides, strict=True)
    return any(-(-(size - kernel) // stride) * stride >= size for size, kernel, stride in triples)


def _inner_product(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part = message.message("inner_product_param")
    count, bias = part.integer("num_output", 0), part.flag("bias_term", True)
    full = caffe.full(bottoms[0]) if bottoms else ()
    axis = axis_of(part, "axis", 1, full, message, name)
    if axis != 1:
        weights = math.prod(full[axis:]) * count
        shape, products = (*full[1:axis], count), math.prod(full[1:axis]) * weights
        return opaque(caffe, message, name, bottoms, shape, weights + count * bias, products)
    return with_arrays(caffe, message, name, bottoms, "linear", {"out_features": count, "bias": bias}, 1 + bias)


def _batch_norm(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """The statistics alone; with the scale that follows they are a whole batch norm."""
    rank = max(len(caffe.net.shape(bottoms[0].node)) - 1, 1) if bottoms else 2
    eps = message.message("batch_norm_param").number("eps", 1e-5)
    fields: dict[str, Any] = {"epsilon": eps, "scale": False, "shift": False}
    more: dict[str, Any] = {}
    if caffe.scale_after is not None:
        bias = caffe.scale_after.message("scale_param").flag("bias_term", False)
        fields |= {"scale": True, "shift": bias}
        more["frozen"] = trained(caffe, caffe.scale_after, 1 + bias, name)["frozen"]
        caffe.taken.add(id(caffe.scale_after))
    return one(caffe, message, name, bottoms, f"batch_norm{rank}d", fields, **more)


def is_plain_scale(message: Message) -> bool:
    """Whether a layer scales each channel by a number of its own, with arrays that no other layer names."""
    part = message.message("scale_param")
    named = any(isinstance(one, Message) and one.text("name") for one in message.fields.get("param", []))
    return part.integer("axis", 1, -8) == 1 and part.integer("num_axes", 1, -1) == 1 and not named


def _scale(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part = message.message("scale_param")
    bias = part.flag("bias_term", False)
    if id(message) in caffe.taken:
        return [bottoms[0]]
    if len(bottoms) == 2 and not bias and part.integer("axis", 1, -8) in (0, 1):
        return one(caffe, message, name, bottoms, "multiply", {})
    if len(bottoms) == 1 and is_plain_scale(message):
        return with_arrays(caffe, message, name, bottoms, "scale", {"bias": bias}, 1 + bias)
    return _affine(caffe, message, name, bottoms, part, 1 + bias)


def _bias(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    return _affine(caffe, message, name, bottoms, message.message("bias_param"), 1)


def _affine(caffe: Caffe, message: Message, name: str, bottoms: list[Blob], part: Message, arrays: int) -> list[Blob]:
    """Trained numbers over some axes, which archcalc does not have as a layer of its own."""
    if not bottoms:
        raise fault("it needs a bottom", message.place, name)
    full = caffe.full(bottoms[0])
    axis, count = axis_of(part, "axis", 1, full, message, name), part.integer("num_axes", 1, -1)
    covered = full[axis:] if count < 0 else full[axis : axis + count]
    params = math.prod(covered) * arrays if len(bottoms) == 1 else 0
    return opaque(caffe, message, name, bottoms, full[1:], params)


def _eltwise(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part = message.message("eltwise_param")
    how, weights = (
        part.choice("operation", ("PROD", "SUM", "MAX")) if "operation" in part.fields else "SUM",
        part.numbers("coeff"),
    )
    if how == "MAX":
        # The larger one of a and b is a + max(b − a, 0).
        found = bottoms[0]
        for index, blob in enumerate(bottoms[1:], 1):
            path = f"{name}/{index}" if len(bottoms) > 2 else name
            (more,) = one(caffe, message, f"{path}/subtract", [blob, found], "subtract", {})
            (more,) = one(caffe, message, f"{path}/relu", [more], "relu", {})
            (found,) = one(caffe, message, f"{path}/add", [found, more], "add", {})
        return [found]
    if how == "PROD":
        return one(caffe, message, name, bottoms, "multiply", {})
    if weights and len(weights) != len(bottoms):
        raise fault(f"it has {len(weights)} coeff for {len(bottoms)} bottoms", part.place, name)
    terms = []
    for blob, weight in zip(bottoms, weights or [1.0] * len(bottoms), strict=True):
        scaled = blob.node
        if weight != 1:
            scaled = caffe.net.add(f"{name}/multiply", "multiply", [scaled], {"factor": weight}, place=message.place)
        terms.append(blob._replace(node=scaled))
    return one(caffe, message, f"{name}/add" if set(weights) - {1.0} else name, terms, "add", {})


def _axpy(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """Squeeze and excitation with its residual: the first bottom times the second, plus the third."""
    if len(bottoms) != 3:
        raise fault(f"Axpy has 3 bottoms, here are {len(bottoms)}", message.place, name)
    (product,) = one(caffe, message, f"{name}/multiply", bottoms[:2][::-1], "multiply", {})
    return one(caffe, message, f"{name}/add", [product, bottoms[2]], "add", {})


def _power(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """(shift + scale·x)^power."""
    part = message.message("power_param")
    power, scale, shift = part.number("power", 1), part.number("scale", 1), part.number("shift", 0)
    if shift == 0 and power == 1:
        return [bottoms[0]] if scale == 1 else one(caffe, message, name, bottoms, "multiply", {"factor": scale})
    if power == 1:
        return one(caffe, message, name, bottoms, "rescale", {"factor": scale, "offset": shift})
    if shift == 0 and power == 2:
        return one(caffe, message, name, bottoms * 2, "multiply", {"factor": scale * scale})
    if shift == 0 and scale == 1 and power != 0:
        return one(caffe, message, name, bottoms, "power", {"exponent": power})
    return same_shape(caffe, message, name, bottoms)


def _lrn(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part = message.message("lrn_param")
    if part.choice("norm_region", ("ACROSS_CHANNELS", "WITHIN_CHANNEL")) != "ACROSS_CHANNELS":
        return same_shape(caffe, message, name, bottoms)
    given = {"alpha": part.number("alpha", 1), "beta": part.number("beta", 0.75), "k": part.number("k", 1)}
    given["size"] = part.integer("local_size", 5, 1)
    return one(caffe, message, name, bottoms, "local_response_norm", given)


def _dropout(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    ratio = message.message("dropout_param").number("dropout_ratio", 0.5)
    return one(caffe, message, name, bottoms, "dropout", {"p": ratio})


def _relu(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    slope = message.message("relu_param").number("negative_slope", 0)
    if slope:
        return one(caffe, message, name, bottoms, "leaky_relu", {"negative_slope": slope})
    return one(caffe, message, name, bottoms, "relu", {})


def _prelu(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    shared = message.message("prelu_param").flag("channel_shared", False)
    return with_arrays(caffe, message, name, bottoms, "prelu", {"num_parameters": 1 if shared else "channels"}, 1)


def _elu(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    return one(caffe, message, name, bottoms, "elu", {"alpha": message.message("elu_param").number("alpha", 1)})


def _clip(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part = message.message("clip_param")
    fields = {"min_val": part.number("min", 0), "max_val": part.number("max", 0)}
    return one(caffe, message, name, bottoms, "hardtanh", fields)


def _swish(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    if message.message("swish_param").number("beta", 1) != 1:
        return same_shape(caffe, message, name, bottoms)
    return one(caffe, message, name, bottoms, "silu", {})


def _plainly(op: str) -> Maker:
    """A layer without settings."""

    def make(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
        return one(caffe, message, name, bottoms, op, {})

    return make


def _input(caffe: Caffe, message: Message, name: str, _: list[Blob]) -> list[Blob]:
    """`Input`, `MemoryData` and `DummyData`: a shape for each top, or the last for all."""
    tops = message.texts("top") or [name]
    parts = [message.message(part) for part in ("input_param", "dummy_data_param")]
    shapes = [shape.integers("dim", 1) for part in parts for shape in part.messages("shape")]
    part = message.message("memory_data_param")
    sides = [part.integer(side, 0) for side in ("batch_size", "channels", "height", "width")]
    if all(sides):
        shapes = [sides]
    dummy = message.message("dummy_data_param")
    old = [dummy.integers(side, 1) for side in ("num", "channels", "height", "width")]
    if all(old):
        shapes = [[side[min(index, len(side) - 1)] for side in old] for index in range(len(tops))]
    for index, top in enumerate(tops):
        if message.text("type").lower().startswith("memory") and index:
            caffe.blobs[top] = Blob(top, "", 1)
            continue
        caffe.input(top, shapes[min(index, len(shapes) - 1)] if shapes else None, message.place)
    return [caffe.blobs[top] for top in tops]


#: What a layer type is, in small letters without underscores.
LAYERS: dict[str, Maker] = {
    "input": _input,
    "memorydata": _input,
    "dummydata": _input,
    "convolution": _convolution,
    "convolutiondepthwise": _convolution,
    "deconvolution": _deconvolution,
    "innerproduct": _inner_product,
    "pooling": _pooling,
    "batchnorm": _batch_norm,
    "scale": _scale,
    "bias": _bias,
    "lrn": _lrn,
    "relu": _relu,
    "relu6": _plainly("relu6"),
    "prelu": _prelu,
    "elu": _elu,
    "clip": _clip,
    "swish": _swish,
    "sigmoid": _plainly("sigmoid"),
    "tanh": _plainly("tanh"),
    "bnll": _plainly("softplus"),
    "mish": _plainly("mish"),
    "dropout": _dropout,
    "power": _power,
    "eltwise": _eltwise,
    "axpy": _axpy,
    "concat": caffe_shapes.concat,
    "slice": caffe_shapes.cut,
    "split": caffe_shapes.split,
    "crop": caffe_shapes.crop,
    "softmax": caffe_shapes.softmax,
    "flatten": caffe_shapes.flatten,
    "reshape": caffe_shapes.reshape,
    "permute": caffe_shapes.permute,
    "shufflechannel": caffe_shapes.shuffle,
    "interp": caffe_shapes.interp,
    "upsample": caffe_shapes.upsample,
    "roipooling": caffe_shapes.roi_pooling,
    "normalize": caffe_shapes.normalize,
    "priorbox": caffe_shapes.prior_box,
    "detectionoutput": caffe_shapes.detection_output,
    **dict.fromkeys(("absval", "exp", "log", "threshold", "mvn"), same_shape),
}
#: What only training and testing need, and what does nothing.
LEFT_OUT = frozenset(
    names(
        "accuracy|contrastiveloss|euclideanloss|hingeloss|infogainloss|multinomiallogisticloss|"
        "sigmoidcrossentropyloss|softmaxwithloss|smoothl1loss|multiboxloss|detectionevaluate|hdf5output|silence"
    )
)
