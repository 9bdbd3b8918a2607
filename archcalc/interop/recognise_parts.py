"""Stored tensors of which a program only takes parts, as packed projections: each part becomes a stored tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from archcalc.interop.program import Constant, Node, Program

_CUTS = ("split", "chunk", "unbind", "slice", "select")


class _Part(NamedTuple):
    """Some places of an axis."""

    dim: int
    start: int
    end: int


def with_parts(program: Program) -> Program:
    """The program with parameters that are read in parts alone, which do not overlap, as several parameters."""
    readers: dict[str, list[Node]] = {}
    for node in program.nodes:
        for name in node.inputs:
            if name is not None:
                readers.setdefault(name, []).append(node)
    read = {*readers, *program.wanted}
    constants = dict(program.constants)
    notes, unused = list(program.notes), dict(program.unused)
    #: The part that an output of a cut is.
    found: dict[str, str] = {}
    for name, constant in program.constants.items():
        parts = _parts(constant, readers.get(name, []), program, read)
        if not parts:
            continue
        names = {part: f"{name}_{index}" for index, part in enumerate(sorted(set(parts.values())))}
        if names.keys() & constants.keys():
            continue
        for part, own in names.items():
            constants[own] = _cut(constant, part, own)
        found |= {output: names[part] for output, part in parts.items()}
        rest = constant.size - sum(constants[own].size for own in names.values())
        if rest and not program.stored:
            notes.append(f"{rest:,} parameters are not used at inference and left out: {name}")
            unused[name] = rest
    nodes = []
    for node in program.nodes:
        if found.keys().isdisjoint(node.outputs):
            nodes.append(node)
            continue
        for output in node.outputs:
            if output in found:
                shape = {"shape": program.shape(output)}
                nodes.append(replace(node, op="reshape", inputs=(found[output],), outputs=(output,), attributes=shape))
    return replace(program, nodes=tuple(nodes), constants=constants, notes=tuple(notes), unused=unused)


def _parts(constant: Constant, readers: list[Node], program: Program, read: set[str]) -> dict[str, _Part]:
    """The part that each output is of all that read a parameter; none where they are no cuts, or where they overlap."""
    if constant.role != "parameter" or constant.name in program.outputs.values():
        return {}
    found: dict[str, _Part] = {}
    for node in readers:
        if node.op not in _CUTS or node.inputs[0] != constant.name:
            return {}
        for output, part in _outputs(node, program):
            if part is None:
                return {}
            if output in read:
                found[output] = part
    parts = sorted(set(found.values()))
    if len({part.dim for part in parts}) > 1 or any(one.end > other.start for one, other in pairwise(parts)):
        return {}
    return {} if len(parts) == 1 and parts[0].end - parts[0].start == constant.shape[parts[0].dim] else found


def _outputs(node: Node, program: Program) -> Iterator[tuple[str, _Part | None]]:
    """The outputs of a cut, each with its part; None for one with gaps."""
    given, start = node.attributes, 0
    dim = given["dim"]
    for index, output in enumerate(node.outputs):
        if node.op == "slice":
            yield output, _Part(dim, given["start"], given["end"]) if given["step"] == 1 else None
        elif node.op in ("select", "unbind"):
            place = given["index"] if node.op == "select" else index
            yield output, _Part(dim, place, place + 1)
        else:
            size = program.shape(output)[dim]
            yield output, _Part(dim, start, start + size)
            start += size


def _cut(constant: Constant, part: _Part, name: str) -> Constant:
    shape = (*constant.shape[: part.dim], part.end - part.start, *constant.shape[part.dim + 1 :])
    load = None if constant.load is None else partial(_loaded, constant.load, part)
    return replace(constant, name=name, shape=shape, load=load, values=None)


def _loaded(load: Callable[[], Any], part: _Part) -> Any:
    """The values of a part of a stored array."""
    return load()[(*(slice(None),) * part.dim, slice(part.start, part.end))]
