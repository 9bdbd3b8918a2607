"""What onnx-tool counts of each node of a file, whatever the layers that archcalc reads it as.

Instructions of an x86 processor: 4 for a division, 24 for a root, 32 for an exponential, 43 for a logarithm. A kind of
node that is in no table here is not known to it: its count stays open. Source: onnx_tool/node.py of version 1.0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType

from archcalc.core.shapes import Shape
from archcalc.design.counting import MULTIPLY_ADDS, NOTHING, OF_FILE, Term, Terms
from archcalc.graph.layer_graph import FileNode, Written
from archcalc.passes.analysis import Row

#: So many for each value of the first output.
OF_EACH_VALUE: Mapping[str, int] = MappingProxyType({
    kind: times
    for kinds, times in {
        "Add Sub Mul Min Max Neg Abs Ceil Floor Mod Sign Relu Less LessOrEqual Round Not And Or Xor Equal Greater "
        "GreaterOrEqual CumSum Hardmax NonZero": 1,
        "Clip PRelu LeakyRelu QuantizeLinear DequantizeLinear": 2,
        "Div Reciprocal HardSigmoid": 4,
        "HardSwish": 5,
        "InstanceNormalization": 7,
        "Sqrt": 24,
        "BatchNormalization": 31,
        "Exp Pow Sigmoid": 32,
        "LpNormalization": 33,
        "Gelu": 34,
        "Elu": 35,
        "Softmax": 36,
        "Sin Cos": 39,
        "Log": 43,
        "Atan": 64,
        "Softplus Tanh": 76,
        "LogSoftmax": 80,
    }.items()
    for kind in kinds.split()
})  # fmt: skip
#: So many for each value of the first input.
_OF_EACH_READ: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceProd", "ReduceMin", "ReduceMax"), 1)
)
_FREE = frozenset({
    "ArgMax", "Cast", "Compress", "Concat", "Constant", "ConstantOfShape", "DepthToSpace", "Dropout", "Erf", "Expand",
    "Flatten", "Gather", "GatherElements", "GatherND", "GridSample", "Identity", "OneHot", "Pad", "RandomNormalLike",
    "RandomUniformLike", "Range", "Reshape", "RoiAlign", "ScatterElements", "ScatterND", "Shape", "Slice", "Split",
    "Squeeze", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Where",
})  # fmt: skip


def _volume(shape: Shape | None) -> int:
    """The values of a tensor. A single number has no axes, and counts nothing."""
    return prod(shape) if shape else 0


def _filters(node: FileNode) -> int | None:
    """Output values · all of a filter but its first axis, and biases."""
    weight, made = node.inputs[1], _volume(node.outputs[0])
    return None if weight is None else made * _volume(weight[1:]) + made * (len(node.inputs) > 2)


def _matmul(node: FileNode) -> int | None:
    second = node.inputs[1]
    return None if second is None or len(second) < 2 else _volume(node.outputs[0]) * second[-2]


def _gemm(node: FileNode) -> int | None:
    second, made = node.inputs[1], _volume(node.outputs[0])
    if second is None:
        return None
    return made * second[-1 if node.settings.get("transB") else -2] + made * (len(node.inputs) == 3)


def _einsum(node: FileNode) -> int | None:
    terms, _, _ = str(node.settings["equation"]).replace(" ", "").partition("->")
    sizes: dict[str, int] = {}
    for letters, shape in zip(terms.split(","), node.inputs, strict=True):
        if shape is None or "." in letters:
            return None
        sizes |= dict(zip(letters, shape, strict=True))
    return prod(sizes.values()) if len(node.inputs) == 2 else None


def _pool(node: FileNode) -> int:
    """The whole window of images, of others its first side."""
    kernel = node.settings["kernel_shape"]
    return _volume(node.outputs[0]) * int(prod(kernel if len(kernel) == 2 else kernel[:1]))


def _global_pool(node: FileNode) -> int:
    return _volume(node.inputs[0]) + 4 * _volume(node.outputs[0])


def _layer_norm(node: FileNode) -> int:
    shape = list(node.inputs[0] or ())
    axis = int(node.settings.get("axis", -1))
    return 7 * _volume(tuple(shape)) + 29 * _volume((*shape[:axis], 1, *shape[axis % len(shape) + 1 :]))


def _norm(node: FileNode) -> int | None:
    """Of axes that are an input it knows nothing, and takes the norm of all values."""
    return 25 * _volume(node.inputs[0]) if len(node.inputs) == 1 else None


def _local_response_norm(node: FileNode) -> int:
    return _volume(node.outputs[0]) * (37 + int(node.settings["size"]))


def _resize(node: FileNode) -> int:
    times = {"linear": 4, "cubic": 8}.get(str(node.settings.get("mode", "nearest")), 0)
    return times * _volume(node.outputs[0])


def _gates(gates: int, each: int) -> Callable[[FileNode], int | None]:
    """Every weight and bias at each step, and so many for each hidden value of one direction."""

    def rule(node: FileNode) -> int | None:
        if len(node.inputs) < 4 or None in node.inputs[:4] or (gates == 3 and len(node.outputs) < 2):
            return None  # there it stops
        x, weights, states, biases = (shape or () for shape in node.inputs[:4])
        steps = x[0] * x[1]
        return steps * (_volume(weights) + _volume(states) + _volume(biases) + each * (weights[1] // gates))

    return rule


_RULES: Mapping[str, Callable[[FileNode], int | None]] = MappingProxyType({
    "Conv": _filters, "ConvTranspose": _filters, "MatMul": _matmul, "MatMulInteger": _matmul, "Gemm": _gemm,
    "Einsum": _einsum, "AveragePool": _pool, "MaxPool": _pool, "GlobalAveragePool": _global_pool,
    "LayerNormalization": _layer_norm, "LRN": _local_response_norm, "Resize": _resize, "Upsample": _resize,
    "ReduceL2": _norm, "LSTM": _gates(4, 180), "GRU": _gates(3, 110),
})  # fmt: skip


def count_of(node: FileNode) -> int | None:
    """Its count of a node; None for one that it does not know."""
    if node.op in _FREE:
        return 0
    if not node.outputs or node.outputs[0] is None:
        return None
    if node.op == "Sum":
        return _volume(node.outputs[0]) * (len(node.inputs) - 1)
    if node.op in OF_EACH_VALUE:
        return OF_EACH_VALUE[node.op] * _volume(node.outputs[0])
    if node.op in _OF_EACH_READ:
        return _OF_EACH_READ[node.op] * _volume(node.inputs[0])
    rule = _RULES.get(node.op)
    return None if rule is None else rule(node)


def terms_of(row: Row, written: Written, by_kind: Terms | None) -> Terms | None:
    """Its count of a layer by the nodes that it is in the file, for one image; None where one is not known.

    `by_kind`: what it counts of a layer of this kind that is one node, which says more where it is the same.
    """
    counts = [count_of(node) for node in written.nodes.get(row.name, ())]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts) or sum(known) % written.images:
        return None
    total = sum(known) // written.images
    if by_kind is not None and total == sum(term.times * (term.measure.of(row) or 0) for term in by_kind):
        return by_kind
    macs = row.multiplications or 0
    found = (Term(1, MULTIPLY_ADDS),) if 0 < macs <= total else NOTHING
    rest = total - (macs if found else 0)
    return (*found, Term(rest, OF_FILE)) if rest else found
