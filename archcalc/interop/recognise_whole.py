"""Several layers that are one op of archcalc: projections and attention become multi-head attention."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from archcalc.interop.foreign import ForeignNode


def fused(nodes: tuple[ForeignNode, ...], outputs: Iterable[str]) -> tuple[ForeignNode, ...]:
    """The layers, with those that nothing reads left out."""
    return _read(nodes, set(outputs))


def _read(nodes: tuple[ForeignNode, ...], wanted: Collection[str]) -> tuple[ForeignNode, ...]:
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
