"""Several layers that are one op of archcalc: projections and attention become multi-head attention."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from archcalc.core.shapes import Shape, spec_shape
from archcalc.interop.foreign import ForeignNode
from archcalc.interop.recognise_layers import INCOMPLETE
from archcalc.interop.recognise_names import Wanted

#: Those with a bias for each position.
_LOCAL = ("locally_connected1d", "locally_connected2d", "locally_connected3d")
_WITH_BIAS = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", *_LOCAL
)  # fmt: skip
_ATTENTION = ("scaled_dot_product_attention", INCOMPLETE)
_One = TypeVar("_One")


def fused(
    nodes: tuple[ForeignNode, ...], outputs: Iterable[str], shapes: Mapping[str, Shape], tables: Mapping[str, int],
    wanted: Mapping[str, Wanted],
) -> tuple[ForeignNode, ...]:  # fmt: skip
    """The layers with attention as one op where it is one; each must be read by another or be an output.

    `tables` has the number of values of each table of relative positions, by its layer; `wanted` the paths of modules.
    """
    finder = _Finder(nodes, set(outputs), shapes, wanted)
    found = {node.name: parts for node in nodes if node.op in _ATTENTION and (parts := finder.parts(node)) is not None}
    made: dict[str, ForeignNode] = {}
    for name, parts in found.items():
        parameters = (*parts.projections, parts.output, *([parts.node] if name in tables else []))
        if len({part.frozen for part in parameters}) == 1 and (whole := finder.whole(parts)) is not None:
            made[name] = whole
    made = _with_owners(made, found)
    replaced = {found[name].output.name: whole for name, whole in made.items()}
    gone = {part.name for name in made for part in found[name].inner}
    rows = {row.name: row for name in made for row in found[name].rows.values()}
    replaced |= rows
    for node in nodes:
        if node.op == INCOMPLETE and node.name not in made:
            replaced[node.name] = _opaque(node, shapes[node.name], tables.get(node.name, 0))
    return tuple([replaced.get(node.name, node) for node in nodes if node.name not in gone or node.name in rows])


def _with_owners(made: dict[str, ForeignNode], found: Mapping[str, _Parts]) -> dict[str, ForeignNode]:
    """Attention whose projections all have the weights of those of another one has its weights."""
    while True:
        owners = {parts.key: made[name].name for name, parts in found.items() if name in made and not parts.shared}
        kept = {
            name: replace(whole, weights=owners[found[name].shared], arrays={}) if found[name].shared else whole
            for name, whole in made.items()
            if not found[name].shared or found[name].shared in owners
        }
        # Whose weights something else has too stays in its parts.
        users = [parts.shared for name, parts in found.items() if name in kept]
        kept = {
            name: whole for name, whole in kept.items()
            if all(users.count(found[name].key) == count for count in found[name].sharers)
        }  # fmt: skip
        if kept.keys() == made.keys():
            return kept
        made = {name: made[name] for name in kept}


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
            size = math.prod(shapes[product.name]) if product.op in _LOCAL else channels
            is_bias = bias is node or (bias.op == "parameter" and not bias.fields.get("buffer"))
            if not is_bias or shapes[bias.name][0] != channels or math.prod(shapes[bias.name]) != size:
                continue
            if users[product.name] != [node.name] or (bias is not node and users[bias.name] != [node.name]):
                continue
            if product.weights or bias.weights or product.frozen != bias.frozen or product.name in replaced:
                continue
            fields = {name: value for name, value in product.fields.items() if name != "bias"}
            loads = list(bias.arrays.values())
            arrays = dict(product.arrays)
            if loads:
                arrays["bias"] = loads[0] if product.op in _LOCAL else partial(_flat, loads[0])
            name = node.name if product.name.startswith(f"{node.name}/") else product.name
            made = replace(product, name=name, fields=fields, arrays=arrays)
            replaced[node.name] = made
            gone.update({product.name, bias.name} - {node.name})
            break
    renamed = {name: made.name for name, made in replaced.items()}
    found = [replaced.get(node.name, node) for node in nodes if node.name not in gone]
    kept = [replace(node, inputs=tuple([renamed.get(name, name) for name in node.inputs])) for node in found]
    return tuple(kept), {name: renamed.get(layer, layer) for name, layer in outputs.items()}


def _flat(load: Callable[[], Any]) -> Any:
    """An array of one axis: as a map of its own a bias has the axes of the positions too."""
    return load().reshape(-1)


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


class _Parts(NamedTuple):
    """Attention with its projections to q, k and v, one to three, what cuts them, and the projection after it.

    What cuts them may also make rows of tokens of maps; attention then reads `rows`, what each projection reads as such
    a row, by the name of the projection.
    """

    node: ForeignNode
    projections: tuple[ForeignNode, ...]
    cuts: tuple[ForeignNode, ...]
    rows: dict[str, ForeignNode]
    output: ForeignNode
    #: How many layers use the weights of each projection.
    sharers: tuple[int, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The layers whose weights others may have."""
        return tuple([part.name for part in (*self.projections, self.output)])

    @property
    def shared(self) -> tuple[str, ...]:
        """The layers whose weights these have; none where they have their own."""
        return tuple([part.weights for part in (*self.projections, self.output) if part.weights])

    @property
    def inner(self) -> tuple[ForeignNode, ...]:
        """All that becomes part of the last projection."""
        return (*self.projections, *self.cuts, self.node)


class _Finder:
    """Finds the parts of attention."""

    def __init__(
        self, nodes: Iterable[ForeignNode], outputs: Collection[str], shapes: Mapping[str, Shape],
        wanted: Mapping[str, Wanted],
    ) -> None:  # fmt: skip
        self.shapes, self.wanted, self.outputs = shapes, wanted, outputs
        self.by_name, self.users = _readers(nodes, outputs)
        self.sharers = Counter(node.weights for node in nodes if node.weights)

    def parts(self, node: ForeignNode) -> _Parts | None:
        """The parts of attention; None where it is none that an op has."""
        after = [self.by_name[name] for name in self.users.get(node.name, []) if name]
        if "scale" in node.fields or len(after) != 1 or len(self.users[node.name]) != 1 or not _is_projection(after[0]):
            return None
        output, embed = after[0], self.shapes[node.name][0]
        cuts: list[ForeignNode] = []
        projections: list[ForeignNode] = []
        rows: dict[str, ForeignNode] = {}
        for index, source in enumerate(node.inputs):
            part, user, row = self.by_name.get(source), node.name, None
            if part is not None and part.op == "tokens":
                if self.users[source] != [user]:
                    return None
                cuts.append(part)
                row, user = part, part.name
                part = self.by_name.get(part.inputs[0])
            if part is not None and part.op == "chunk":
                cuts.append(part)
                count = part.fields["chunks"]
                # Two chunks are keys and values, three are all.
                if part.fields != {"chunks": count, **({"index": i} if (i := index - 3 + count) else {})}:
                    return None
                if self.users[part.name] != [user]:
                    return None
                part = self.by_name.get(part.inputs[0])
                if part is not None and self.shapes[part.name][0] != count * embed:
                    return None
            if part is None or not _is_projection(part):
                return None
            if part not in projections:
                projections.append(part)
                if row is not None:
                    same = [each for each in rows.values() if each.inputs == part.inputs]
                    rows[part.name] = same[0] if same else replace(row, inputs=part.inputs, value="")
            elif (row is None) != (part.name not in rows):
                return None
        reads = [{name for name in self.users[part.name] if name not in self.sharing(part)} for part in projections]
        inner = {node.name, *(cut.name for cut in cuts)}
        if not all(read <= inner for read in reads) or any(name in self.outputs for name in inner):
            return None
        if any(part.name in self.outputs for part in projections) or output.fields["out_features"] != embed:
            return None
        parts = (*projections, output)
        if len({part.fields.get("bias", True) for part in parts}) > 1 or not self.is_one_module(parts):
            return None
        if any(set(part.fields) - {"out_features", "per_position", "bias"} for part in parts):
            return None
        if any(part.weights for part in parts) and not all(part.weights for part in parts):
            return None
        sharers = tuple([self.sharers[part.name] for part in parts])
        return _Parts(node, tuple(projections), tuple(cuts), rows, output, sharers)

    def sharing(self, part: ForeignNode) -> set[str]:
        """The layers that have the weights of another one and do not read it."""
        return {name for name in self.users[part.name] if name and part.name not in self.by_name[name].inputs}

    def is_one_module(self, parts: Sequence[ForeignNode]) -> bool:
        """Whether projections are one for all of q, k and v, or those of one module: others have names of their own."""
        return len(parts) == 2 or len({self.wanted[part.name] for part in parts}) == 1

    def whole(self, parts: _Parts) -> ForeignNode | None:
        """Multi-head attention of its parts; None where a mask is no shift of windows, or where the op has no form."""
        node, projections, output = parts.node, parts.projections, parts.output
        embed = self.shapes[node.name][0]
        fields: dict[str, Any] = {"num_heads": 1, **node.fields}
        if output.fields.get("bias") is False:
            fields["bias"] = False
        sources = [parts.rows[part.name].name if part.name in parts.rows else part.inputs[0] for part in projections]
        channels = [self.shapes[part.inputs[0]][0] for part in projections]
        sources, channels = _of_each(sources), _of_each(channels)
        inputs = sources[:1] if len(set(sources)) == 1 else sources[: 2 + (sources[1] != sources[2])]
        if len(inputs) == 1 and channels[0] != embed:
            fields["embed_dim"] = embed
        if len(inputs) > 1 and (channels[0] != embed or node.op == INCOMPLETE):
            return None
        if fields.pop("masked", False):
            before = self.by_name.get(sources[0])
            if before is None or before.op != "roll" or "window_size" not in fields:
                return None
            shifts = [-shift for shift in before.fields["shifts"]]
            if min(shifts) < 0:
                return None
            fields["shift_size"] = shifts
        times = fields.pop("queries_times", 1.0)
        arrays = dict(node.arrays)
        arrays |= {f"out_proj_{name}": load for name, load in output.arrays.items()}
        for name in {name for part in projections for name in part.arrays}:
            loads = [part.arrays[name] for part in projections if name in part.arrays]
            if len(loads) < len(projections):
                continue
            load = loads[0] if len(loads) == 1 else partial(_one_after_another, loads)
            load = partial(_scaled_queries, load, times) if times != 1 else load
            if name == "bias" or len(set(channels)) == 1:
                arrays[f"in_proj_{name}"] = load
            elif len(loads) == 3:
                arrays |= {f"{letter}_proj_{name}": each for letter, each in zip("qkv", loads, strict=True)}
            else:
                arrays |= {f"{letter}_proj_{name}": partial(_part_of, loads, index, embed)
                           for index, letter in enumerate("qkv")}  # fmt: skip
        calls = tuple([part.call for part in (*projections, output) if part.call is not None])
        called = node.call._replace(steps=(*node.call.steps, *calls)) if node.call is not None else None
        return ForeignNode(
            output.name, "multi_head_attention", fields, tuple(inputs), None, node.place, arrays, output.frozen, called,
            output.value,
        )  # fmt: skip


def _of_each(those: list[_One]) -> list[_One]:
    """For q, k and v: one projection is of them all; the last of two is of k and v."""
    return those * 3 if len(those) == 1 else [*those, those[-1]][:3]


def _one_after_another(loads: Sequence[Callable[[], Any]]) -> Any:
    """Several arrays as one."""
    from archcalc.interop.arrays import np

    return np.concatenate([load() for load in loads])


def _part_of(loads: Sequence[Callable[[], Any]], index: int, size: int) -> Any:
    """The weights of q, of k or of v, where k and v are one array."""
    return loads[0]() if index == 0 else loads[1]()[(index - 1) * size : index * size]


def _is_projection(node: ForeignNode) -> bool:
    return node.op == "linear" and bool(node.fields.get("per_position"))


def _scaled_queries(load: Callable[[], Any], times: float) -> Any:
    """The weights of q, k and v, with those of q multiplied by a number."""
    array = load().copy()
    array[: len(array) // 3] *= times
    return array


def _opaque(node: ForeignNode, shape: Shape, params: int) -> ForeignNode:
    """Attention that stays without its projections."""
    fields: dict[str, Any] = {"of": node.op, "shape": spec_shape(shape), **({"params": params} if params else {})}
    return ForeignNode(node.name, "opaque", fields, node.inputs, None, node.place, frozen=node.frozen, value=node.value)


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
