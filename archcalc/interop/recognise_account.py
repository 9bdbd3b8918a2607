"""What became of the arrays of a file: every value is in a layer, or a note says where it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from archcalc.core.words import several
from archcalc.interop.foreign import ForeignNode
from archcalc.interop.program import Program

#: So many arrays are named.
_NAMED = 3


#: Operations that put the axes of a map into another order.
_REORDERS = ("permute", "transpose")


def order_notes(
    program: Program, nodes: Iterable[ForeignNode], outputs: Mapping[str, str], names: Mapping[str, str]
) -> list[str]:
    """A note on layers that put inputs and outputs into the order of axes here, where the program has no operation."""
    moves = [node for node in program.nodes if node.op in _REORDERS]
    sources = set(program.inputs).difference(*(node.inputs for node in moves))
    turned = {name for node in moves for name in node.outputs}
    results = {outputs[key] for key, value in program.outputs.items() if value not in turned}
    added = [names.get(node.name, node.name) for node in nodes
             if node.op in _REORDERS and (node.name in results or node.inputs[0] in sources)]  # fmt: skip
    if not added:
        return []
    counted = "this map counts" if len(added) == 1 else "these maps count"
    return [f"{_named(added)}: here channels are the first axis; {counted} as stored, and the model makes no copy"]


def values_in(program: Program, held: Mapping[str, int]) -> int:
    """The number of values that layers have of stored tensors; `held` says how many layers have each."""
    return sum(program.constants[name].size * count for name, count in held.items())


def account(program: Program, held: Mapping[str, int], buffers: Mapping[str, int]) -> tuple[list[str], int]:
    """Notes, and how many values more than the file layers have because several have an array that it holds once.

    Notes are on the arrays of the file that the layers have not, have several times, or have in another size.

    `held` are the stored tensors of the layers, and how many layers have each; `buffers` those that are layers.
    """
    copies: Counter[str] = Counter()
    computed = []
    sizes = program.stored
    sources = {name: [source for source in program.constants[name].sources if source in sizes] for name in held}
    spread = [name for name in held if program.constants[name].role == "constant" and sources[name]]
    for name, count in held.items():
        if name in spread:
            continue
        if len(sources[name]) == 1:
            copies[sources[name][0]] += program.constants[name].size * count
        elif sources[name]:
            computed.append(name)
    mixed = {source for name in computed for source in sources[name]}
    known = {source for name in spread for source in sources[name]} | mixed | copies.keys()
    left_out = [name for name in sizes if name not in known]
    several_times = [name for name in sizes if copies[name] > sizes[name] and not copies[name] % sizes[name]]
    others = [name for name in copies if copies[name] % sizes[name]]
    repeated = sum(copies[name] - sizes[name] for name in several_times)
    notes = [*_fixed(program, buffers), *_parameters(program, held)] if not sizes else []
    larger = [name for name in spread if program.constants[name].size > sum(sizes[each] for each in sources[name])]
    if larger:
        notes.append(
            f"{_first(larger)}: computed from smaller arrays of the file; a layer that adds or multiplies "
            "such an array has all its values, which are more than the file holds"
        )
    if masks := [name for name in spread if name not in larger]:
        notes.append(f"masks count as buffers, not as parameters: {_first(masks)}")
    if left_out:
        notes.append(
            f"{_values(sizes[name] for name in left_out)} of the file are in no layer, but in its settings or in "
            f"nothing that an output needs: {_named(left_out)}"
        )
    if several_times:
        notes.append(
            f"{_values([repeated])} more than the file holds: {_named(several_times)} "
            f"{'counts' if len(several_times) == 1 else 'count'} for each layer that has the array"
        )
    if others:
        notes.append(
            f"{_values(copies[name] for name in others)} instead of the {sum(sizes[name] for name in others):,} that "
            f"the file holds, from which they are taken: {_named(others)}"
        )
    if computed:
        notes.append(
            f"{_values(program.constants[name].size * held[name] for name in computed)} are computed from "
            f"{sum(sizes[name] for name in mixed):,} values of the file: {_named(computed)}"
        )
    return notes, repeated


def _fixed(program: Program, buffers: Mapping[str, int]) -> list[str]:
    """A note on what a network computes for itself, as masks of attention; its module stores no such tensors."""
    names = [name for name in buffers if program.constants[name].role == "constant"]
    if not names:
        return []
    count = sum(program.constants[name].size * buffers[name] for name in names)
    return [f"{_values([count])} that the network computes and does not store count as buffers: {_named(names)}"]


def _parameters(program: Program, held: Mapping[str, int]) -> list[str]:
    """A note on the parameters that operations of a program read and that no layer has."""
    constants = program.constants
    known = {*held, *(source for name in held for source in constants[name].sources)}
    read = {name for node in program.nodes for name in node.inputs}
    left_out = [name for name in constants if constants[name].role == "parameter" and name in read - known]
    if not left_out:
        return []
    count = several(sum(constants[name].size for name in left_out), "parameter")
    return [f"{count} that operations read are in no layer and not counted: {_named(left_out)}"]


def _values(sizes: Iterable[int]) -> str:
    return several(sum(sizes), "value")


def _first(names: list[str]) -> str:
    return names[0][:100] + (f" and {len(names) - 1:,} more" if len(names) > 1 else "")


def _named(names: list[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED:,} more" if len(names) > _NAMED else shown
