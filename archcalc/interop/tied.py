"""Layers whose bias stands apart: their weight is that of another layer and counts once, or the bias is not trained.

A layer shares all its arrays or none, and trains all or none. So `b.weight = a.weight` makes products without a bias of
both, and the biases are parameters that are added; a bias that is a buffer is a map that is not trained, or nothing
where it is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archcalc.interop.program import STEP, Constant, Node, Program, Value

#: Operations that multiply by their second input; the third one, where there is one, is a bias of each channel.
_PRODUCTS = {"linear": -1, **{f"conv{more}{rank}d": -rank - 1 for more in ("", "_transpose") for rank in (1, 2, 3)}}
#: Those whose weight may be that of a product.
TIED = frozenset({*_PRODUCTS, "embedding"})


def with_biases_apart(program: Program) -> Program:
    """The program with biases as sums where others have the weight without them, or where a buffer is the bias."""
    biases: dict[str, set[str | None]] = {}
    for node in program.nodes:
        if node.op in TIED and (weight := _trained(node, 1, program.constants)) is not None:
            biases.setdefault(weight, set()).add(node.inputs[2] if len(node.inputs) > 2 else None)
    tied = {weight for weight, known in biases.items() if len(known) > 1}
    values = dict(program.values)
    nodes: list[Node] = []
    for node in program.nodes:
        bias = _trained(node, 2, program.constants) if node.op in _PRODUCTS and node.inputs[1] in tied else None
        bias = bias or _buffer(node, program.constants)
        if bias is not None and _is_zero(program.constants[bias]):
            nodes.append(replace(node, inputs=(*node.inputs[:2], None)))
        else:
            nodes += [node] if bias is None else _apart(node, bias, values)
    return replace(program, nodes=tuple(nodes), values=values)


def _trained(node: Node, place: int, constants: Mapping[str, Constant]) -> str | None:
    """The parameter that an operation reads at a place; None where it reads none there."""
    name = node.inputs[place] if len(node.inputs) > place else None
    return name if name is not None and name in constants and constants[name].role == "parameter" else None


def _buffer(node: Node, constants: Mapping[str, Constant]) -> str | None:
    """The bias of a product with a trained weight that is no parameter itself; None where there is none."""
    if node.op not in _PRODUCTS or len(node.inputs) < 3:
        return None
    weight, bias = (constants.get(name or "") for name in node.inputs[1:3])
    if weight is not None and weight.role != "parameter":
        return None
    return bias.name if bias is not None and bias.role != "parameter" and not bias.sources else None


def _is_zero(constant: Constant) -> bool:
    """Whether an array of the program, no parameter, is nothing but zeros."""
    return constant.role != "parameter" and constant.load is not None and not constant.load().any()


def _apart(node: Node, bias: str, values: dict[str, Value]) -> list[Node]:
    """A product, its bias in the axes of its map, and their sum."""
    (output,) = node.outputs
    product, row = f"{output}{STEP}product", f"{output}{STEP}bias"
    made = values[output]
    channels = made.shape[_PRODUCTS[node.op]]
    shape = (channels, *[1] * (-1 - _PRODUCTS[node.op]))
    values |= {product: replace(made, name=product), row: replace(made, name=row, shape=shape)}
    inner = {part: f"{node.path}/{part}" if node.path else "" for part in ("product", "bias", "add")}
    return [
        replace(node, inputs=(*node.inputs[:2], None), outputs=(product,), path=inner["product"]),
        Node("reshape", (bias,), (row,), {"shape": shape}, inner["bias"], node.place),
        Node("add", (product, row), (output,), {}, inner["add"], node.place),
    ]
