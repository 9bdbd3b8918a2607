"""ONNX operations that are layers with weights or windows, as operations of a program."""

from __future__ import annotations

import math
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.interop.arrays import np
from archcalc.interop.onnx_call import Call, translates
from archcalc.interop.onnx_constants import Stored
from archcalc.interop.recognise_filters import connections
from archcalc.ops import rules

#: More weights are not looked at.
_MOST_ZEROS = 1 << 22

# --- windows


def _window(call: Call, kernel: tuple[int, ...]) -> dict[str, Any]:
    """Stride, padding and dilation of a window; the padding is the begin of each axis, then the end of each."""
    rank = len(kernel)
    stride = tuple(call.attributes.get("strides") or (1,) * rank)
    dilation = tuple(call.attributes.get("dilations") or (1,) * rank)
    auto = call.attributes.get("auto_pad", "NOTSET")
    padding: Any = tuple(call.attributes.get("pads") or (0,) * 2 * rank)
    if auto == "VALID":
        padding = (0,) * 2 * rank
    elif auto == "SAME_UPPER":
        padding = "same"
    elif auto == "SAME_LOWER":
        totals = [
            rules.same_padding(size, rules.dilated_window(window, apart), step)
            for size, window, apart, step in zip(call.shape()[2:], kernel, dilation, stride, strict=True)
        ]
        padding = (*(total - total // 2 for total in totals), *(total // 2 for total in totals))
    return {"stride": stride, "padding": padding, "dilation": dilation}


def _rank(call: Call) -> int:
    """How many position axes the input has, where windows can slide over them; else 0."""
    rank = len(call.shape()) - 2
    return rank if 1 <= rank <= 3 else 0


def _want_fitting_weights(call: Call) -> None:
    """Raise `UsageError` where the weights of a convolution do not fit its input, its groups or its bias.

    Weights are (filters, channels of a group, kernel), those of ConvTranspose (channels, filters of a group, kernel).
    """
    groups = call.attributes.get("group", 1)
    shape, weights = call.shape(), call.shape(1)
    if len(shape) != len(weights) or len(shape) < 3:
        raise UsageError(
            f"its weights have {len(weights)} axes and its input {len(shape)}; both need the same, 3 or more"
        )
    if tuple(call.attributes.get("kernel_shape") or weights[2:]) != weights[2:]:
        raise UsageError(f"kernel_shape is {call.attributes['kernel_shape']}, its weights are {_times(weights)}")
    turned = call.op == "ConvTranspose"
    filters = weights[1] * groups if turned else weights[0]
    if shape[1] % groups or filters % groups:
        raise UsageError(f"{groups} groups do not divide its {shape[1]} channels and {filters} filters")
    wanted = shape[1] if turned else shape[1] // groups
    found = weights[0] if turned else weights[1]
    if found != wanted:
        place = "first" if turned else "second"
        raise UsageError(
            f"its weights {_times(weights)} do not fit: with {shape[1]} channels in {groups} groups "
            f"their {place} size is {wanted}, not {found}"
        )
    if call.has(2) and call.shape(2) != (filters,):
        raise UsageError(f"its bias is {_times(call.shape(2)) or 'one number'}, and it has {filters} filters")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


@translates("Conv")
def conv(call: Call) -> bool:
    rank = _rank(call)
    _want_fitting_weights(call)
    if not rank or call.constant(1) is None:
        return False
    window = _window(call, call.shape(1)[2:])
    attributes = {**window, "groups": call.attributes.get("group", 1)}
    weight = call.constant(1)
    if (found := _connections(weight)) is not None and attributes["groups"] == 1:
        attributes["connections"], weight = found
    call.emit(f"conv{rank}d", [call.inputs[0], weight, *call.inputs[2:], None][:3], attributes)
    return True


def _connections(weight: Stored | None) -> tuple[list[list[int]], Stored] | None:
    """The channels that each filter reads and the filters of these, where all other weights are zeros."""
    if weight is None or weight.op != "ScatterND":
        return None
    zeros, places, filters = weight.inputs
    if zeros is None or places is None or filters is None or not places.is_known or places.values.ndim != 2:
        return None
    if places.shape[1] != 2 or not zeros.is_there or zeros.work > _MOST_ZEROS or zeros.load().any():
        return None
    table = connections(weight.shape[0], places.values.tolist())
    return None if table is None else (table, filters)


@translates("ConvTranspose")
def conv_transpose(call: Call) -> bool:
    rank, weight = _rank(call), call.constant(1)
    _want_fitting_weights(call)
    if not rank or weight is None:
        return False
    window = _window(call, weight.shape[2:])
    extra = tuple(call.attributes.get("output_padding") or (0,) * rank)
    if call.attributes.get("auto_pad", "NOTSET").startswith("SAME") or "output_shape" in call.attributes:
        sizes = zip(call.shape()[2:], weight.shape[2:], window["dilation"], window["stride"], extra,
                    call.output_shape[2:], strict=True)  # fmt: skip
        whole = [rules.transposed_output_size(size, rules.dilated_window(kernel, apart), step, 0, more) - wanted
                 for size, kernel, apart, step, more, wanted in sizes]  # fmt: skip
        # A map larger than what the windows give is filled up at the end.
        extra = tuple(more + max(-total, 0) for more, total in zip(extra, whole, strict=True))
        whole = [max(total, 0) for total in whole]
        upper = call.attributes.get("auto_pad") == "SAME_UPPER"
        halves = [(total // 2, total - total // 2) if upper else (total - total // 2, total // 2) for total in whole]
        window["padding"] = (*(begin for begin, _ in halves), *(end for _, end in halves))
    attributes = {**window, "output_padding": extra, "groups": call.attributes.get("group", 1)}
    call.emit(f"conv_transpose{rank}d", [*call.inputs, None][:3], attributes)
    return True


@translates("MaxPool", "AveragePool", "LpPool")
def pool(call: Call) -> bool:
    rank = _rank(call)
    kernel = tuple(call.attributes.get("kernel_shape") or ())
    if len(kernel) != rank or not rank:
        return False
    attributes = {
        "kernel_size": kernel,
        **_window(call, kernel),
        "ceil_mode": bool(call.attributes.get("ceil_mode", 0)),
    }
    if call.op == "MaxPool":
        outputs = call.outputs if call.uses(1) else call.outputs[:1]
        call.emit(f"max_pool{rank}d", call.inputs, attributes, outputs=outputs)
        return True
    if set(attributes.pop("dilation")) != {1}:
        return False
    if call.op == "AveragePool":
        attributes["count_include_pad"] = bool(call.attributes.get("count_include_pad", 0))
        call.emit(f"avg_pool{rank}d", call.inputs, attributes)
        return True
    attributes["norm_type"] = float(call.attributes.get("p", 2))
    call.emit(f"lp_pool{rank}d", call.inputs, attributes)
    return True


@translates("MaxUnpool")
def unpool(call: Call) -> bool:
    rank = _rank(call)
    if not rank or call.has(2):
        return False
    call.attributes.read.update(("kernel_shape", "strides", "pads"))  # the pool has them
    call.emit(f"max_unpool{rank}d", call.inputs[:2])
    return True


@translates("GlobalAveragePool", "GlobalMaxPool")
def whole_pool(call: Call) -> bool:
    rank = _rank(call)
    if not rank:
        return False
    kind = "avg" if call.op == "GlobalAveragePool" else "max"
    call.emit(f"adaptive_{kind}_pool{rank}d", call.inputs, {"output_size": (1,) * rank})
    return True


# --- normalisation


@translates("BatchNormalization")
def batch_norm(call: Call) -> bool:
    arrays = [call.constant(index) for index in range(1, 5)]
    if any(each is None or len(each.shape) != 1 for each in arrays) or any(call.uses(index) for index in range(1, 5)):
        return False
    call.emit("batch_norm", call.inputs, {"eps": float(call.attributes.get("epsilon", 1e-5))})
    return True


@translates("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def layer_norm(call: Call) -> bool:
    axis = call.attributes.get("axis", -1)
    normalized = call.shape()[axis % len(call.shape()) :]
    if call.uses(1) or call.uses(2):
        return False
    arrays = [None if (each := call.constant(index)) is None else reshaped(each, normalized) for index in (1, 2)]
    if any(each is None and call.has(index) for index, each in enumerate(arrays, 1)):
        return False
    kind = "layer_norm" if call.op == "LayerNormalization" else "rms_norm"
    attributes = {"normalized_shape": normalized, "eps": float(call.attributes.get("epsilon", 1e-5))}
    call.emit(kind, [call.inputs[0], *arrays], attributes)
    return True


@translates("GroupNormalization")
def group_norm(call: Call) -> bool:
    weight, bias = call.constant(1), call.constant(2)
    groups = call.attributes.get("num_groups", 1)
    if weight is None or bias is None or weight.shape != call.shape()[1:2]:
        return False
    call.emit("group_norm", call.inputs, {"num_groups": groups, "eps": float(call.attributes.get("epsilon", 1e-5))})
    return True


@translates("InstanceNormalization")
def instance_norm(call: Call) -> bool:
    if call.constant(1) is None or call.constant(2) is None:
        return False
    call.emit("instance_norm", call.inputs, {"eps": float(call.attributes.get("epsilon", 1e-5))})
    return True


@translates("LRN")
def local_response_norm(call: Call) -> bool:
    given = call.attributes
    if given["size"] % 2 == 0:
        return False  # the window reaches one channel further forward than that of the op
    attributes = {
        "size": given["size"], "alpha": float(given.get("alpha", 1e-4)), "beta": float(given.get("beta", 0.75)),
        "k": float(given.get("bias", 1.0)),
    }  # fmt: skip
    call.emit("local_response_norm", call.inputs, attributes)
    return True


# --- products


@translates("Gemm")
def gemm(call: Call) -> bool:
    alpha, beta = float(call.attributes.get("alpha", 1)), float(call.attributes.get("beta", 1))
    across, down = bool(call.attributes.get("transA", 0)), bool(call.attributes.get("transB", 0))
    weight = call.constant(1)
    first = call.inputs[0]
    rows, columns = call.output_shape
    if across:
        first = call.emit("transpose", [first], {"dim0": 0, "dim1": 1}, shape=call.shape()[::-1])
    bias = call.constant(2)
    row = None if bias is None or bias.shape not in ((columns,), (1, columns)) else reshaped(bias, (columns,))
    if weight is not None and (row is not None or not call.has(2)):
        held = weight if down else transposed(weight)
        added = None if row is None or beta == 0 else _scaled(row, beta)
        call.emit("linear", [first, _scaled(held, alpha), added])
        return True
    second: str | Stored | None = call.inputs[1]
    if down:
        second = (transposed(weight) if weight is not None
                  else call.emit("transpose", [second], {"dim0": 0, "dim1": 1}, shape=call.shape(1)[::-1]))  # fmt: skip
    shape = (rows, columns)
    adds = call.has(2) and beta != 0
    steps: list[tuple[str, list[str | Stored | None], dict[str, Any]]] = [("matmul", [first, second], {})]
    if alpha != 1:
        steps.append(("mul", [], {"other": alpha}))
    if adds:
        third = call.inputs[2]
        if beta != 1:
            third = call.emit("mul", [third], {"other": beta}, shape=call.shape(2))
        steps.append(("add", [third], {}))
    made: list[str | Stored | None] = []
    for index, (op, inputs, attributes) in enumerate(steps):
        made = [call.emit(op, [*made, *inputs], attributes, shape=None if index == len(steps) - 1 else shape)]
    return True


@translates("MatMul")
def matmul(call: Call) -> bool:
    weight = call.constant(1)
    if weight is not None and len(weight.shape) == 2 and call.constant(0) is None and len(call.shape()) > 1:
        call.emit("linear", [call.inputs[0], transposed(weight), None])
        return True
    if min(len(call.shape(0)), len(call.shape(1))) < 2:
        return False
    call.emit("matmul", call.inputs)
    return True


def transposed(stored: Stored) -> Stored:
    """A matrix with its axes exchanged; of one that a node turned, the matrix before it: others may have that too."""
    before = stored.inputs[0] if stored.op == "Transpose" else None
    if before is not None and before.shape == stored.shape[::-1] != stored.shape:
        return before
    return stored.changed(f"{stored.name}#t", stored.shape[::-1], np.transpose)


def _scaled(stored: Stored, factor: float) -> Stored:
    if factor == 1:
        return stored
    return stored.changed(f"{stored.name}#x{factor!r}", stored.shape, lambda array: array * array.dtype.type(factor))


def reshaped(stored: Stored, shape: tuple[int, ...]) -> Stored | None:
    """The constant in another shape; None where the number of values differs."""
    if stored.shape == shape:
        return stored
    if stored.size != math.prod(shape):
        return None
    return stored.changed(f"{stored.name}#{'x'.join(map(str, shape))}", shape, lambda array: array.reshape(shape))
