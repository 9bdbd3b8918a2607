"""Networks made wider or narrower, deeper or shallower by a factor. Source: Tan & Le 2019 (EfficientNet), section 3."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import count, groupby, islice
from math import ceil, floor
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.words import several
from archcalc.design.transform.rewrite import Editor, Rewritten, refusal, with_ops
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.base import Op
from archcalc.ops.conv import Conv
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.blocks import Connections

#: The settings that say how many channels a layer makes.
_CHANNELS = ("out_channels", "out_features", "hidden_size", "embedding_dim")
#: The settings of ops that take or add channels, by kind.
_MOVES = {"split": ("sizes",), "narrow": ("start", "length"), "pad_channels": ("before", "after", "out_channels")}
#: The largest factor.
_LARGEST = 64
#: A network gets at most so many layers.
_MOST_LAYERS = 20_000


def _factor(what: str, text: str) -> Fraction:
    """A number above 0 and up to 64. Raises `UsageError` for other texts."""
    if re.fullmatch(r"\d{1,4}(\.\d{1,9})?", text, re.ASCII) is None or not 0 < Fraction(text) <= _LARGEST:
        raise UsageError(f"--{what} takes a number above 0 and up to {_LARGEST}, as in 0.5, not {text[:60]!r}")
    return Fraction(text)


def width(analysis: Analysis, text: str) -> Rewritten:
    """Every layer's channels times a factor, rounded to whole numbers, but for those of the inputs and outputs.

    Depthwise convolutions follow what they read; other groups stay as many. Raises `UsageError` for a layer with a
    connection table, and where no layer has channels that could change.
    """
    factor = _factor("width", text)
    kept = _made_for_outputs(analysis)
    ops: dict[int, Op] = {}
    for index, (layer, row) in enumerate(zip(analysis.graph.layers, analysis.rows, strict=True)):
        if index not in kept:
            fields = _scaled(layer.op, row, factor)
            if fields:
                ops[index] = layer.op.model_copy(update=fields)
    if not ops:
        raise UsageError(f"--width: {analysis.graph.name} has no channels that there could be more or fewer of")
    names = [analysis.rows[index].name for index in sorted(kept) if _channels(analysis.graph.layers[index].op)]
    verb = "keep" if names[1:] else "keeps"
    ends = f"; {', '.join(names[:3])}{' and others' if names[3:] else ''} {verb} the old number" if names else ""
    return Rewritten(with_ops(analysis.graph, ops), (f"channels of {several(len(ops), 'layer')} × {text}{ends}",))


def _channels(op: Op) -> dict[str, int]:
    """The settings of an op that say how many channels it makes."""
    found = {name: getattr(op, name, None) for name in _CHANNELS}
    return {name: value for name, value in found.items() if isinstance(value, int)}


def _scaled(op: Op, row: Row, factor: Fraction) -> dict[str, object]:
    """The settings of an op for other channels; none where it has no number of them."""
    if getattr(op, "connections", None) is not None:
        raise refusal("width", row, "has a connection table")
    fields: dict[str, object] = {name: _times(value, factor) for name, value in _channels(op).items()}
    if isinstance(op, Conv) and op.groups == row.input_shapes[0][0] > 1:
        each = op.out_channels // op.groups
        fields |= {"groups": _times(op.groups, factor), "out_channels": _times(op.groups, factor) * each}
    if getattr(op, "axis", "channels") == "channels":
        for name in _MOVES.get(op.kind, ()):
            value = getattr(op, name)
            if isinstance(value, tuple):
                fields[name] = type(value)([_times(one, factor) for one in value])
            elif isinstance(value, int):
                fields[name] = _times(value, factor) if value else 0
    return fields


def _times(number: int, factor: Fraction) -> int:
    """The nearest whole number, halves up, at least 1."""
    return max(1, floor(number * factor + Fraction(1, 2)))


def _made_for_outputs(analysis: Analysis) -> set[int]:
    """The layers that make the channels of the outputs, and those between them and the outputs."""
    graph = analysis.graph
    waiting, found = [output.layer for output in graph.outputs], set[int]()
    while waiting:
        index = waiting.pop()
        if index in found:
            continue
        found.add(index)
        op, row = graph.layers[index].op, analysis.rows[index]
        depthwise = isinstance(row.op, Conv) and row.op.groups == row.input_shapes[0][0] > 1
        if depthwise or not _channels(op) or op.kind in _MOVES:
            waiting += graph.layers[index].inputs
    return found


class Run(NamedTuple):
    """Equal blocks in a row, each a list of layers; whether a block before them belongs to them; the level above."""

    blocks: Sequence[Sequence[int]]
    has_lead: bool
    parent: str

    def wanted(self, factor: Fraction) -> int:
        """How many of the equal blocks there are afterwards."""
        fewest = 0 if self.has_lead else 1
        return max(fewest, ceil((len(self.blocks) + self.has_lead) * factor) - self.has_lead)


def depth(analysis: Analysis, text: str) -> Rewritten:
    """Equal blocks in a row times a factor, rounded up: those at the end of a run are left out, or the last repeated.

    The block before a run that has the same layers with weights and gives the same map counts as the first of it, as
    the one that changes the size does in a stage of ResNet. Raises `UsageError` where no blocks are equal.
    """
    factor, graph, connections = _factor("depth", text), analysis.graph, Connections(analysis)
    runs = {run: run.wanted(factor) for run in _runs(analysis, connections)}
    if not runs:
        raise UsageError(f"--depth: {graph.name} has no equal blocks in a row, each of several layers")
    if len(graph) + sum((number - len(run.blocks)) * len(run.blocks[0]) for run, number in runs.items()) > _MOST_LAYERS:
        raise UsageError(f"--depth: {graph.name} would have more than {_MOST_LAYERS:,} layers")
    left_out = {index: run.blocks[number][0] for run, number in runs.items() for block in run.blocks[number:]
                for index in block}  # fmt: skip
    repeated = {run.blocks[-1][-1]: (run, number) for run, number in runs.items() if number > len(run.blocks)}
    editor = Editor(graph)
    for index in range(len(graph)):
        if index not in left_out:
            editor.place[index] = editor.keep(index)
        elif index == left_out[index]:  # its readers read what the first block that is left out reads
            block = next(block for run in runs for block in run.blocks if block[0] == index)
            (entry,) = connections.entries(block)
            editor.place[index] = editor.place[entry]
        else:
            editor.place[index] = editor.place[left_out[index]]
        if index in repeated:
            run, number = repeated[index]
            _repeat(editor, run, number - len(run.blocks), connections)
    notes = [
        f"{_stage(graph, run)}: {several(len(run.blocks) + run.has_lead, 'block')} became {number + run.has_lead}"
        for run, number in runs.items()
    ]
    return Rewritten(editor.done(), tuple(notes))


def _stage(graph: LayerGraph, run: Run) -> str:
    """What holds a run: the block around it, or its first and last block."""
    # Before a run stands the last layer of the block that belongs to it.
    first, last = (_prefix(graph.layers[at].name, 1) for at in (run.blocks[0][0] - run.has_lead, run.blocks[-1][0]))
    return run.parent.rstrip("/") or f"{first} to {last}"


def _prefix(name: str, level: int) -> str:
    return "/".join(name.split("/")[:level])


def _runs(analysis: Analysis, connections: Connections) -> tuple[Run, ...]:
    """The longest runs of equal blocks that are not part of one another, at the highest level of names first."""
    names = [row.name for row in analysis.rows]
    found: list[Run] = []
    for level in range(1, 1 + max(name.count("/") for name in names)):
        prefixes = [_prefix(name, level) for name in names]
        groups = [list(group) for _, group in groupby(range(len(names)), prefixes.__getitem__)]
        blocks = [
            block
            for block in groups
            if len(block) > 1 and not any(names[block[0]].startswith(run.parent) for run in found)
        ]
        new: list[Run] = []
        together: set[Run] = set()  # those with the block before them in one stage, or called alike
        for run in connections.runs(blocks):
            if len(connections.entries(run[0])) == 1:
                parent = names[run[0][0]][: len(_prefix(names[run[0][0]], level - 1)) + (level > 1)]
                before = next((block for block in blocks if block[-1] + 1 == run[0][0]), None)
                lead = before is not None and names[before[0]].startswith(parent) and _leads(analysis, before, run[0])
                new.append(Run(tuple(map(tuple, run)), lead, parent))
                if before is not None and (parent or _stem(prefixes[before[0]]) == _stem(prefixes[run[0][0]])):
                    together.add(new[-1])
        several = [run for run in new if len(run.blocks) > 1]
        # A stage of two blocks, of which the first changes the size: next to longer ones it is a stage as they are.
        kinds = [_kinds(analysis, run.blocks[0]) for run in several]
        found += [run for run in new if run in several or (
            run in together and run.has_lead and _kinds(analysis, run.blocks[0]) in kinds and _keeps(connections, run)
        )]  # fmt: skip
    return tuple(found)


def _stem(name: str) -> str:
    return name.rstrip("0123456789")


def _kinds(analysis: Analysis, members: Sequence[int]) -> Counter[str]:
    """The layers of a block that have weights, by their kinds."""
    return Counter(analysis.rows[index].op.kind for index in members if analysis.rows[index].params)


def _keeps(connections: Connections, run: Run) -> bool:
    """Whether a block gives a map of the shape that it reads, so that it can be repeated."""
    rows, block = connections.analysis.rows, run.blocks[0]
    return rows[connections.entries(block)[0]].output_shape == rows[block[-1]].output_shape


def _leads(analysis: Analysis, before: Sequence[int], block: Sequence[int]) -> bool:
    """Whether a block gives the same map as the one after it, with at least the same layers that have weights."""
    rows = analysis.rows
    same = rows[before[-1]].output_shape == rows[block[-1]].output_shape
    return same and _kinds(analysis, block) <= _kinds(analysis, before)


def _repeat(editor: Editor, run: Run, times: int, connections: Connections) -> None:
    """Add copies of the last block of a run, each reading the one before it."""
    layers, block = editor.graph.layers, run.blocks[-1]
    (entry,) = connections.entries(block)
    level = run.parent.count("/") + 1
    last = _prefix(layers[block[0]].name, level)
    prefixes = _new_names(last, [layer.name for layer in layers])
    end = connections.exits(block)[0]
    for prefix in islice(prefixes, times):
        inside = {entry: editor.place[end]}
        for index in block:
            layer = layers[index]
            owner = layer.weights_of
            inside[index] = editor.add(
                prefix + layer.name[len(last) :], layer.op, [inside[source] for source in layer.inputs], layer.frozen,
                None if owner is None else inside.get(owner, editor.place[owner]),
            )  # fmt: skip
        editor.place[end] = inside[end]


def _new_names(name: str, taken: Sequence[str]) -> Iterator[str]:
    """The name with the next numbers at its end that no layer or block has."""
    stem = _stem(name)
    number = name[len(stem) :]
    known = {_prefix(one, name.count("/") + 1) for one in taken}
    numbers = count(int(number) + 1) if number and len(number) < 9 else count(2)
    return (made for one in numbers if (made := f"{stem if number else f'{name}_'}{one}") not in known)
