"""What exporters to ONNX take apart or put together that was not so in the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from archcalc.interop.arrays import np
from archcalc.interop.program import Constant, Node, Program
from archcalc.interop.recognise_masks import HIDDEN, MOST_VALUES
from archcalc.interop.tied import TIED

#: Operations with a weight and a bias as the second and third input.
_WITH_BIAS = ("linear", "conv1d", "conv2d", "conv3d")
#: As many values of shared arrays are compared with each other.
_MOST_COMPARED = 1 << 24


def tidy(program: Program, is_quick: Callable[..., bool]) -> Program:
    """The program with a bias that is added to a product as its bias, and with arrays of their own where they are.

    `is_quick` says of the name of a constant whether it is loaded with little work, of so many values at most.
    """
    return _with_biases(_unshared(_without_masks(program, is_quick), is_quick))


def _without_masks(program: Program, is_quick: Callable[..., bool]) -> Program:
    """Exporters write masks as decimal arrays, which are no parameters: what is added is 0, or hides a place."""
    constants = dict(program.constants)
    added = {name for node in program.nodes if node.op == "add" for name in node.inputs if name in constants}
    for name in sorted(added, key=str):
        stored = constants[name or ""]
        if stored.role != "parameter" or len(stored.shape) < 2 or not is_quick(name, MOST_VALUES):
            continue
        assert stored.load is not None
        values = stored.load()
        if float(np.min(values)) <= HIDDEN and np.logical_or(values == 0, values <= HIDDEN).all():
            constants[stored.name] = replace(stored, role="constant")
    return replace(program, constants=constants)


def _with_biases(program: Program) -> Program:
    """Exporters write a dense layer on more than a matrix as a product and a sum."""
    uses = Counter(name for node in program.nodes for name in node.inputs)
    uses.update(program.wanted)
    nodes: dict[str, Node] = {}
    constants = dict(program.constants)
    for node in program.nodes:
        joined = _joined(node, nodes, uses, constants)
        if joined is not None:
            product = next(name for name in node.inputs if name in nodes)
            del nodes[product or ""]
        nodes[node.outputs[0]] = joined or node
    return replace(program, nodes=tuple(nodes.values()), constants=constants)


def _joined(
    node: Node, nodes: Mapping[str, Node], uses: Counter[str | None], constants: dict[str, Constant]
) -> Node | None:
    """A product and the sum that reads it alone as one operation; None where the node is no such sum."""
    if node.op != "add" or len(node.inputs) != 2:
        return None
    for product, bias in (node.inputs, node.inputs[::-1]):
        made, added = nodes.get(product or ""), constants.get(bias or "")
        if made is None or added is None or uses[product] != 1 or made.op not in _WITH_BIAS or made.inputs[2]:
            continue
        weight = constants[made.inputs[1] or ""]
        channels = weight.shape[0]
        after = 0 if made.op == "linear" else int(made.op[4])  # position axes after the channels
        shape = added.shape[len(added.shape) - 1 - after :]
        if added.size != channels or shape != (channels, *[1] * after):
            continue
        row = _row(added)
        constants[row.name] = row
        return replace(made, inputs=(*made.inputs[:2], row.name), outputs=node.outputs)
    return None


def _row(stored: Constant) -> Constant:
    """A constant of one axis with the same values."""
    load = stored.load
    if len(stored.shape) == 1:
        return stored
    flat = None if load is None else lambda: load().reshape(-1)
    return replace(stored, name=f"{stored.name}#row", shape=(stored.size,), load=flat)


def _unshared(program: Program, is_quick: Callable[..., bool]) -> Program:
    """Exporters store equal arrays once: the zeros of all biases. Layers share only if all their weights are shared.

    Arrays whose values are all the same say nothing of sharing, for they may be as they were initialised.
    """
    readers: dict[str, list[tuple[int, int]]] = {}
    for index, node in enumerate(program.nodes):
        for place, name in enumerate(node.inputs):
            if name is not None and name in program.constants and program.constants[name].role == "parameter":
                readers.setdefault(name, []).append((index, place))
    nodes = list(program.nodes)
    constants = dict(program.constants)
    uniform: dict[str, bool] = {}
    left = _MOST_COMPARED

    def is_uniform(name: str) -> bool:
        nonlocal left
        if name not in uniform:
            uniform[name] = left > 0 and is_quick(name) and _is_uniform(program.constants[name])
            left -= program.constants[name].size
        return uniform[name]

    for name, places in readers.items():
        is_weight = all(place == 1 and program.nodes[index].op in TIED for index, place in places)
        if len(places) < 2 or (is_weight and not is_uniform(name)):
            continue
        groups: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for index, place in places:
            groups.setdefault(_weights_with(name, place, program.nodes[index], program.constants), []).append(
                (index, place)
            )
        apart: list[list[tuple[int, int]]] = []
        for weights, its_places in groups.items():
            one_by_one = len(its_places) > 1 and all(map(is_uniform, weights))
            apart += [[place] for place in its_places] if one_by_one else [its_places]
        for number, its_places in enumerate(sorted(apart)):
            own = f"{name}#{number}" if number else name
            constants[own] = replace(constants[name], name=own)
            for index, place in its_places:
                inputs = list(nodes[index].inputs)
                inputs[place] = own
                nodes[index] = replace(nodes[index], inputs=tuple(inputs))
    return replace(program, nodes=tuple(nodes), constants=constants)


def _weights_with(name: str, place: int, node: Node, constants: Mapping[str, Constant]) -> tuple[str, ...]:
    """The weights of the layer that reads an array: the array alone where it is what the layer computes with."""
    weights = tuple([each for each in node.inputs[1:] if each is not None and each in constants])
    return weights if place else (name,)


def _is_uniform(stored: Constant) -> bool:
    """Whether all values are the same."""
    assert stored.load is not None
    values = stored.load().reshape(-1)
    return bool((values == values[:1]).all())
