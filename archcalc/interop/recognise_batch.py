"""Which axis of a tensor holds the images of the batch, and which operations would mix them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archcalc.core.errors import UsageError
from archcalc.interop.program import Node, Program

#: Recurrent layers, under torch's names and as ONNX has them, with the inputs that have their batch on axis 1.
_RECURRENT = {**dict.fromkeys(("rnn", "lstm", "gru"), (0,)), **dict.fromkeys(("RNN", "LSTM", "GRU"), (0, 5, 6))}
#: Operations whose outputs have the axes of their first input, but for the last one.
_ROWS = ("linear", "layer_norm", "rms_norm", "softmax", "log_softmax", "embedding", "dropout", "identity", "flip")
#: Operations that only rename axes: they may have any axis as theirs.
_MOVES = frozenset({"permute", "transpose", "reshape", "squeeze", "unsqueeze", "expand", "stack"})
#: Operations that take their inputs place by place, along some or all axes.
JOINED = frozenset({"add", "sub", "mul", "div", "pow", "maximum", "minimum", "where", "cat", "stack", "matmul",
                    "scaled_dot_product_attention"})  # fmt: skip
_LAST = {"linear": 1, "addmm": 1, "matmul": 2, "scaled_dot_product_attention": 2}
_ON_MAPS = ("conv", "max_pool", "avg_pool", "adaptive_", "batch_norm", "group_norm", "instance_norm", "prelu",
            "interpolate", "pixel_", "channel_shuffle", "local_response")  # fmt: skip


def batch_axes(program: Program) -> dict[str, int]:
    """The inputs whose batch is not on their first axis, with that axis.

    Recurrent layers read (time, batch, channels) unless they say otherwise: the axis is followed back to the inputs.
    """
    makers = {name: node for node in program.nodes for name in node.outputs}
    found: dict[str, set[int]] = {}
    for node in program.nodes:
        if node.op in _RECURRENT and not (node.attributes.get("batch_first") or node.attributes.get("layout")):
            for index in _RECURRENT[node.op]:
                name = node.inputs[index] if index < len(node.inputs) else None
                for source, axis in _sources(program, makers, name, 1):
                    found.setdefault(source, set()).add(axis)
    return {name: axes.pop() for name, axes in found.items() if len(axes) == 1 and axes != {0}}


def _sources(program: Program, makers: Mapping[str, Node], name: str | None, axis: int) -> Iterator[tuple[str, int]]:
    """The inputs of the program that an axis of a value comes from, with the axis that it is there."""
    waiting, seen = [(name, axis)], set()
    while waiting:
        place = waiting.pop()
        name, axis = place
        if name is None or place in seen:
            continue
        seen.add(place)
        if name in program.inputs:
            yield name, axis
        elif name in makers:
            waiting += _before(program, makers[name], name, axis)


def _before(program: Program, node: Node, name: str, axis: int) -> list[tuple[str | None, int]]:
    """The inputs of an operation that have this axis of its output, and where; none where that is not certain."""
    first = node.inputs[0] if node.inputs else None
    if first is None:
        return []
    if node.op == "permute":
        return [(first, node.attributes["dims"][axis])]
    if node.op == "transpose":
        swap = {node.attributes["dim0"]: node.attributes["dim1"], node.attributes["dim1"]: node.attributes["dim0"]}
        return [(first, swap.get(axis, axis))]
    rank = len(program.shape(name))
    if node.op in _ROWS or node.op in ("rnn", "lstm", "gru"):
        return [(first, axis)] if axis < rank - 1 else []
    if node.op in _MOVES or node.op.startswith(_ON_MAPS) or node.op == "matmul":
        return []
    same = [each for each in node.inputs if each is not None and len(program.shape(each)) == rank]
    return [(each, axis) for each in same if program.shape(each)[axis] == program.shape(name)[axis]]


def mixed_axes(node: Node, index: int, rank: int) -> set[int]:
    """The axes of an input along which an operation computes: no image of the batch may lie there."""
    given = node.attributes
    if node.op in _MOVES:
        return set()
    if node.op.startswith(_ON_MAPS):
        return set(range(1, rank)) if index == 0 else set()
    if node.op in ("layer_norm", "rms_norm"):
        return set(range(rank - len(given["normalized_shape"]), rank))
    if node.op in _LAST:
        last = 1 if node.op == "matmul" and index == 0 else _LAST[node.op]
        return set(range(max(rank - last, 0), rank))
    if node.op == "pad":
        return {rank - 1 - place // 2 for place, count in enumerate(given["pad"]) if count}
    dims = given.get("dims", given.get("dim", ()))
    if dims is None:
        return set(range(rank))
    return {dim % rank for dim in (dims if isinstance(dims, Sequence) else (dims,))} if rank else set()


def refuse_mixed(node: Node, images: int) -> UsageError:
    """The error for an operation between the images of a batch."""
    return UsageError(
        f"{node.place or node.path or node.op}: {node.op} computes across the batch of {images}, and archcalc counts "
        "one image; write the model with a batch of 1"
    )
