"""Several layers that are one op of archcalc: projections and attention become multi-head attention."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from archcalc.core.shapes import Shape, spec_shape
from archcalc.interop.foreign import ForeignNode
from archcalc.interop.recognise_layers import INCOMPLETE

_WITH_BIAS = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
_ATTENTION = ("scaled_dot_product_attention", INCOMPLETE)


def fused(
    nodes: tuple[ForeignNode, ...], outputs: Iterable[str], shapes: Mapping[str, Shape], tables: Mapping[str, int]
) -> tuple[ForeignNode, ...]:
    """The layers with attention as one op where it is one; each must be read by another or be an output.

    `tables` has the number of values of each table of relative positions, by its layer.
    """
    outputs = set(outputs)
    by_name = {node.name: node for node in nodes}
    users: dict[str, list[ForeignNode]] = {}
    for node in nodes:
        for name in {*node.inputs, *([node.weights] if node.weights else [])}:
            users.setdefault(name, []).append(node)
    replaced: dict[str, ForeignNode] = {}
    gone: set[str] = set()
    for node in nodes:
        if node.op not in _ATTENTION:
            continue
        parts = _parts(node, by_name, users, shapes)
        if parts is not None and not outputs.intersection(part.name for part in parts[:-1]):
            projection, *chunks, output = parts
            parameters = (projection, output, *([node] if node.name in tables else []))
            is_alike = len({part.frozen for part in parameters}) == 1
            embed = shapes[node.name][0]
            sizes = {} if shapes[projection.inputs[0]][0] == embed else {"embed_dim": embed}
            made = _whole(node, projection, output, by_name, sizes) if is_alike else None
            if made is not None:
                replaced[output.name] = made
                gone.update(part.name for part in (projection, *chunks, node))
                continue
        if node.op == INCOMPLETE:
            replaced[node.name] = _opaque(node, shapes[node.name], tables.get(node.name, 0))
    return tuple([replaced.get(node.name, node) for node in nodes if node.name not in gone])


def with_biases(
    nodes: tuple[ForeignNode, ...], outputs: Mapping[str, str], shapes: Mapping[str, Shape]
) -> tuple[tuple[ForeignNode, ...], dict[str, str]]:
    """The layers with a trained number for each channel, added to a layer without a bias, as the bias of that layer."""
    by_name, users = _readers(nodes, outputs.values())
    replaced: dict[str, ForeignNode] = {}
    gone: set[str] = set()
    for node in nodes:
        if node.op not in ("add", "position_embedding"):
            continue
        for before, after in zip(node.inputs, node.inputs[::-1], strict=True):
            product, bias = by_name.get(before), by_name.get(after) if node.op == "add" else node
            if product is None or bias is None or product.op not in _WITH_BIAS or product.fields.get("bias", True):
                continue
            channels = shapes[product.name][0]
            is_bias = bias is node or (bias.op == "parameter" and not bias.fields.get("buffer"))
            if not is_bias or shapes[bias.name][0] != channels or math.prod(shapes[bias.name]) != channels:
                continue
            if users[product.name] != [node.name] or (bias is not node and users[bias.name] != [node.name]):
                continue
            if product.weights or bias.weights or product.frozen != bias.frozen or product.name in replaced:
                continue
            fields = {name: value for name, value in product.fields.items() if name != "bias"}
            loads = list(bias.arrays.values())
            arrays = {**product.arrays, "bias": loads[0]} if loads else product.arrays
            name = node.name if product.name.startswith(f"{node.name}/") else product.name
            made = replace(product, name=name, fields=fields, arrays=arrays)
            replaced[node.name] = made
            gone.update({product.name, bias.name} - {node.name})
            break
    renamed = {name: made.name for name, made in replaced.items()}
    found = [replaced.get(node.name, node) for node in nodes if node.name not in gone]
    kept = [replace(node, inputs=tuple([renamed.get(name, name) for name in node.inputs])) for node in found]
    return tuple(kept), {name: renamed.get(layer, layer) for name, layer in outputs.items()}


def _readers(
    nodes: Iterable[ForeignNode], outputs: Iterable[str]
) -> tuple[dict[str, ForeignNode], dict[str, list[str]]]:
    """The layers by name, and which layers read each or share its arrays; an output is read by no layer: ""."""
    users: dict[str, list[str]] = {}
    for node in nodes:
        for name in {*node.inputs, *([node.weights] if node.weights else [])}:
            users.setdefault(name, []).append(node.name)
    for name in outputs:
        users.setdefault(name, []).append("")
    return {node.name: node for node in nodes}, users


def _parts(
    node: ForeignNode,
    by_name: Mapping[str, ForeignNode],
    users: Mapping[str, list[ForeignNode]],
    shapes: Mapping[str, Shape],
) -> list[ForeignNode] | None:
    """The projection to q, k and v, its three parts, and the projection after attention."""
    if "scale" in node.fields:
        return None
    chunks = [by_name.get(name) for name in node.inputs]
    if any(chunk is None or chunk.op != "chunk" for chunk in chunks):
        return None
    three = [chunk for chunk in chunks if chunk is not None]
    if any(chunk.fields != {"chunks": 3, **({"index": i} if i else {})} for i, chunk in enumerate(three)):
        return None
    if len({chunk.inputs for chunk in three}) != 1 or any(users[chunk.name] != [node] for chunk in three):
        return None
    projection = by_name.get(three[0].inputs[0])
    if projection is None or not _is_projection(projection) or len(users[projection.name]) != 3:
        return None
    after = users.get(node.name, [])
    if len(after) != 1 or not _is_projection(after[0]) or projection.weights or after[0].weights:
        return None
    embed = shapes[node.name][0]
    if after[0].fields["out_features"] != embed:
        return None
    if projection.fields.get("bias", True) != after[0].fields.get("bias", True):
        return None
    if any(user.weights in (projection.name, after[0].name) for many in users.values() for user in many):
        return None
    return [projection, *three, after[0]]


def _is_projection(node: ForeignNode) -> bool:
    return node.op == "linear" and bool(node.fields.get("per_position"))


def _whole(
    node: ForeignNode, projection: ForeignNode, output: ForeignNode, by_name: Mapping[str, ForeignNode],
    sizes: Mapping[str, int],
) -> ForeignNode | None:  # fmt: skip
    """Multi-head attention of its parts; None where a mask is no shift of windows."""
    fields: dict[str, Any] = {**sizes, "num_heads": 1, **node.fields}
    if projection.fields.get("bias") is False:
        fields["bias"] = False
    if fields.pop("masked", False):
        before = by_name.get(projection.inputs[0])
        if before is None or before.op != "roll" or "window_size" not in fields:
            return None
        shifts = [-shift for shift in before.fields["shifts"]]
        if min(shifts) < 0:
            return None
        fields["shift_size"] = shifts
    arrays = dict(node.arrays)
    times = fields.pop("queries_times", 1.0)
    for kind, part in (("in_proj", projection), ("out_proj", output)):
        arrays |= {
            f"{kind}_{name}": partial(_scaled_queries, load, times) if kind == "in_proj" and times != 1 else load
            for name, load in part.arrays.items()
        }
    return ForeignNode(
        output.name, "multi_head_attention", fields, projection.inputs, None, node.place, arrays, output.frozen
    )


def _scaled_queries(load: Callable[[], Any], times: float) -> Any:
    """The weights of q, k and v, with those of q multiplied by a number."""
    array = load().copy()
    array[: len(array) // 3] *= times
    return array


def _opaque(node: ForeignNode, shape: Shape, params: int) -> ForeignNode:
    """Attention that stays without its projections."""
    fields: dict[str, Any] = {"of": node.op, "shape": spec_shape(shape), **({"params": params} if params else {})}
    return ForeignNode(node.name, "opaque", fields, node.inputs, None, node.place, frozen=node.frozen)


def those_read(nodes: tuple[ForeignNode, ...], wanted: Collection[str]) -> tuple[ForeignNode, ...]:
    """The layers that an output depends on."""
    needed = set(wanted)
    kept = []
    for node in reversed(nodes):
        if node.name in needed:
            kept.append(node)
            needed.update(node.inputs)
            if node.weights is not None:
                needed.add(node.weights)
    return tuple(kept[::-1])
