"""Names of layers: the paths of their modules, and within a module of several layers what each does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from archcalc.interop.foreign import ForeignNode
from archcalc.ops import OPS


class Wanted(NamedTuple):
    """What a layer would be called if it were alone: the path of its module, or a name of its own."""

    name: str
    is_path: bool = False


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


def last_names(nodes: Iterable[ForeignNode], known: Names, inputs: Iterable[str]) -> dict[str, str]:
    """What each layer is called in the end, when those that became parts of others are gone.

    A module that holds others, or several kinds of layers, is a block: its own are `block/add`, `block/relu`.
    """
    nodes = tuple(nodes)
    kinds: dict[str, set[str]] = {}
    for node in nodes:
        name, is_path = known.wanted[node.name]
        if is_path:
            kinds.setdefault(name, set()).add(node.op)
    blocks = {name for name, ops in kinds.items() if len(ops) > 1}
    for node in nodes:
        name = known.wanted[node.name].name
        blocks |= {name[:end] for end, letter in enumerate(name) if letter == "/"}
    names, found = Names(inputs), {}
    for node in nodes:
        name, is_path = known.wanted[node.name]
        if is_path and name in blocks:
            stem = OPS[node.op].stem if node.op in OPS else node.op
            name = f"{name}/{stem}"
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
