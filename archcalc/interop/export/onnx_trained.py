"""How dense layers, trained values and normalisation are written in ONNX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from archcalc.interop.export.onnx_graph import Builder, Writer
from archcalc.interop.export.onnx_windows import weight_of
from archcalc.interop.export.spelling import Case, Table

TABLE: Table[Writer] = Table()


@TABLE.of("linear")
def _linear(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    bias = [g.weight("bias")] if op.bias else []
    if not op.per_position or not case.rank:
        x = g("Flatten", inputs[0], axis=1) if case.rank else inputs[0]
        return str(g("Gemm", x, weight_of(g, op), *bias, transB=1))
    channels, *positions = case.inputs[0]
    rows = inputs[0] if case.rank == 1 else g.reshape(inputs[0], channels, -1)
    out = g("MatMul", weight_of(g, op), rows)
    out = g("Add", out, g.spread(bias[0], 1)) if bias else out
    return str(out if case.rank == 1 else g.reshape(out, op.out_features, *positions))


@TABLE.of("rbf")
def _rbf(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    away = g("Sub", g("Unsqueeze", inputs[0], g.ints([1])), g.weight("centers"))
    return str(g("ReduceSum", g("Mul", away, away), g.ints([2]), keepdims=0))


@TABLE.of("scale")
def _scale(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    out = g("Mul", inputs[0], g.spread(g.weight("weight"), case.rank))
    return str(g("Add", out, g.spread(g.weight("bias"), case.rank)) if op.bias else out)


@TABLE.of("position_embedding")
def _positions(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    return str(g("Add", inputs[0], g.weight("weight")))


@TABLE.of("class_token")
def _class_token(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    count = g("Slice", g("Shape", inputs[0]), g.ints([0]), g.ints([1]))
    tokens = g("Expand", g("Unsqueeze", g.weight("weight"), g.ints([0])), g("Concat", count, g.ints([1, 1]), axis=0))
    return str(g("Concat", tokens, inputs[0], axis=2))


@TABLE.of("embedding")
def _embedding(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    numbers = g("Cast", g("Round", inputs[0]), to=7)
    numbers = g("Mod", numbers, g.ints([op.num_embeddings], ()))
    numbers = g.reshape(numbers, *case.output[1:]) if case.rank else numbers
    rank = len(case.output) - 1
    return g.transpose(g("Gather", g.weight("weight"), numbers, axis=0), 0, 1 + rank, *range(1, 1 + rank))


@TABLE.of("index_select")
def _index_select(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """Gather by numbers that are stored; by those of each image GatherElements, with them once for each channel."""
    (channels, count), positions = case.inputs[0], case.output[1:]
    if inputs[1] in g.stored:
        return str(g("Gather", inputs[0], g.places(inputs[1], count, positions), axis=2))
    numbers = g("Mod", g("Cast", g("Round", inputs[1]), to=7), g.ints([count], ()))
    wide = g("Expand", g.reshape(numbers, 1, math.prod(positions)), g.ints([1, channels, 1]))
    return g.reshape(g("GatherElements", inputs[0], wide, axis=2), *case.output)


def _filled(g: Builder, value: float, shape: Sequence[int]) -> str:
    """The same number in every place, for scales and shifts that a layer does not have."""
    return str(g("Expand", g.number(value), g.ints(shape)))


def _or(g: Builder, name: str, value: float, shape: Sequence[int]) -> str:
    return g.weight(name) if g.has(name) else _filled(g, value, shape)


@TABLE.of("batch_normNd")
def _batch_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    size = case.inputs[0][:1]
    return str(g(
        "BatchNormalization", inputs[0], _or(g, "weight", 1.0, size), _or(g, "bias", 0.0, size),
        g.weight("running_mean"), g.weight("running_var"), epsilon=op.epsilon,
    ))  # fmt: skip


@TABLE.of("local_response_norm")
def _lrn(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    channels, *positions = case.inputs[0]
    plane = case.rank == 2
    if op.size % 2:
        x = inputs[0] if plane else g.reshape(inputs[0], channels, -1, 1)
        out = g("LRN", x, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
        return str(out if plane else g.reshape(out, channels, *positions))
    # Runtimes take windows of an odd size alone: the mean of the squares is a pool over the channels.
    squares = g.reshape(g("Mul", inputs[0], inputs[0]), 1, channels, -1)
    padded = g.pad(squares, {2: (op.size // 2, (op.size - 1) // 2)})
    mean = g("AveragePool", padded, kernel_shape=[op.size, 1])
    scale = g("Add", g("Mul", mean, g.number(op.alpha)), g.number(op.k))
    powers = g.reshape(g("Pow", scale, g.number(op.beta)), channels, *positions)
    return str(g("Div", inputs[0], powers))


@TABLE.of("layer_norm")
def _layer_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    size = case.inputs[0] if op.axes == "all" else case.inputs[0][:1]
    scale = _or(g, "weight", 1.0, size)
    bias = [g.weight("bias")] if g.has("bias") else []
    if op.axes == "all" or not case.rank:
        return str(g("LayerNormalization", inputs[0], scale, *bias, axis=1, epsilon=op.epsilon))
    last = g.transpose(inputs[0], 0, *range(2, 2 + case.rank), 1)
    out = g("LayerNormalization", last, scale, *bias, axis=-1, epsilon=op.epsilon)
    return g.transpose(out, 0, 1 + case.rank, *range(1, 1 + case.rank))


@TABLE.of("rms_norm")
def _rms_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    axes = [1] if op.axes == "channels" else range(1, 2 + case.rank)
    mean = g("ReduceMean", g("Mul", inputs[0], inputs[0]), g.ints(axes), keepdims=1)
    out = g("Div", inputs[0], g("Sqrt", g("Add", mean, g.number(op.epsilon))))
    rank = case.rank if op.axes == "channels" else 0
    out = g("Mul", out, g.spread(g.weight("weight"), rank)) if g.has("weight") else out
    return str(g("Add", out, g.spread(g.weight("bias"), rank)) if g.has("bias") else out)


@TABLE.of("l2_norm")
def _l2_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    length = g("Sqrt", g("ReduceSum", g("Mul", inputs[0], inputs[0]), g.ints([1]), keepdims=1))
    return str(g("Div", inputs[0], g("Max", length, g.number(op.epsilon))))


@TABLE.of("global_response_norm")
def _global_response_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    squares = g("Mul", inputs[0], inputs[0])
    axes = range(2, 2 + case.rank)
    norms = g("Sqrt", g("ReduceSum", squares, g.ints(axes), keepdims=1) if case.rank else squares)
    mean = g("ReduceMean", norms, g.ints([1]), keepdims=1)
    share = g("Mul", g("Div", norms, g("Add", mean, g.number(op.epsilon))), g.spread(g.weight("weight"), case.rank))
    out = g("Add", g("Mul", inputs[0], share), g.spread(g.weight("bias"), case.rank))
    return str(g("Add", inputs[0], out))


@TABLE.of("group_norm", "instance_norm")
def _group_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """Instance normalisation of rows in which a group is a channel; then each channel's scale and shift."""
    op: Any = case.op
    channels, *positions = case.inputs[0]
    groups = op.num_groups if op.kind == "group_norm" else channels
    rows = g.reshape(inputs[0], groups, -1)
    size = (groups,)
    out = g("InstanceNormalization", rows, _filled(g, 1.0, size), _filled(g, 0.0, size), epsilon=op.epsilon)
    out = g.reshape(out, channels, *positions)
    out = g("Mul", out, g.spread(g.weight("weight"), case.rank)) if g.has("weight") else out
    return str(g("Add", out, g.spread(g.weight("bias"), case.rank)) if g.has("bias") else out)
