"""Names of layers: the paths of their modules, and within a module of several layers what each does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from archcalc.interop.foreign import ForeignNode
from archcalc.interop.recognise_scopes import Scopes
from archcalc.ops import OPS


class Wanted(NamedTuple):
    """What a layer would be called if it were alone: the path of its module, or a name of its own.

    One that only arranges a map is made where it is first needed: its module is found when all that read it are known.
    """

    name: str
    is_path: bool = False
    is_arrangement: bool = False


class Names:
    """Gives every layer a name that no other has; `taken` are the inputs of the network."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._counts = dict.fromkeys(taken, 1)
        self.wanted: dict[str, Wanted] = {}

    def free(self, wanted: Wanted) -> str:
        """The name, or with a number after it where it is taken."""
        found = wanted.name
        while found in self._counts:
            self._counts[wanted.name] = self._counts.get(wanted.name, 1) + 1
            found = f"{wanted.name}_{self._counts[wanted.name]}"
        self._counts[found] = 1
        self.wanted[found] = wanted
        return found


def last_names(
    nodes: Iterable[ForeignNode], known: Names, inputs: Iterable[str], outputs: Collection[str], held: Collection[str]
) -> dict[str, str]:
    """What each layer is called in the end, when those that became parts of others are gone.

    A module that holds others, or several kinds of layers, is a block: its own are `block/add`, `block/relu`. `held`
    are the layers that have stored tensors, which keep the name of their module.
    """
    nodes = tuple(nodes)
    kinds: dict[str, set[str]] = {}
    for node in nodes:
        name, is_path, _ = known.wanted[node.name]
        if is_path:
            kinds.setdefault(name, set()).add(node.op)
    blocks = {name for name, ops in kinds.items() if len(ops) > 1}
    for node in nodes:
        name = known.wanted[node.name].name
        blocks |= {name[:end] for end, letter in enumerate(name) if letter == "/"}
    scopes: dict[str, str] = {}
    #: The layers that are no modules.
    computed: set[str] = set()
    for node in nodes:
        name, is_path, is_arrangement = known.wanted[node.name]
        is_block = is_path and name in blocks
        if not is_arrangement:
            scopes[node.name] = name if is_block else name.rpartition("/")[0]
            if is_block or not (is_path or node.op == "parameter"):
                computed.add(node.name)
    scopes = Scopes(nodes, scopes, computed - set(held), outputs).scopes
    names, found = Names(inputs), {}
    for node in nodes:
        name, _, is_arrangement = known.wanted[node.name]
        scope = scopes[node.name]
        if scope and is_arrangement:
            name = f"{scope}/{name}"
        elif scope and node.name in computed:
            name = f"{scope}/{OPS[node.op].stem if node.op in OPS else node.op}"
        found[node.name] = names.free(Wanted(name))
    return found


def with_names(nodes: Iterable[ForeignNode], names: Mapping[str, str]) -> tuple[ForeignNode, ...]:
    """The layers with other names."""
    return tuple(
        [
            replace(
                node,
                name=names[node.name],
                inputs=tuple([names.get(name, name) for name in node.inputs]),
                weights=None if node.weights is None else names[node.weights],
            )
            for node in nodes
        ]
    )
