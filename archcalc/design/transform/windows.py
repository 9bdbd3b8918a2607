"""Rewrites of a convolution into several: factorized, a stack, separable, after a bottleneck.

Batch norm and activation function after the layer stand after each part, as in the papers. The function changes: the
new layers have other weights, which must be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from archcalc.core.errors import UsageError
from archcalc.core.words import several
from archcalc.design.transform.rewrite import (
    Change,
    Editor,
    Rewritten,
    add_with_followers,
    convolution,
    edit,
    find,
    followers,
    readers_of,
    refusal,
)
from archcalc.design.transform.simple import whole
from archcalc.graph.layer_graph import Layer
from archcalc.ops.base import Op, by
from archcalc.ops.conv import CONV_OF_RANK, Conv
from archcalc.ops.windowed import Sides
from archcalc.passes.analysis import Analysis, Row

#: The convolutions in place of one, each with what its name ends in; the last keeps the name.
Parts = Sequence[tuple[str, Op]]


def factorize(analysis: Analysis, name: str) -> Rewritten:
    """An n×n convolution as n×1, then 1×n, each with as many filters. Source: Szegedy et al. 2015b, section 3.2."""
    return _rewrite(analysis, "factorize", name, _factors, "a convolution for each axis")


def _factors(row: Row, op: Conv) -> Parts:
    axes = [axis for axis in range(op.rank) if op.kernel_size[axis] > 1]
    if len(axes) < 2:
        raise refusal("factorize", row, "has a window along one axis only" if axes else "has a window of one position")
    # Strides along an axis whose window is one position belong to the last convolution.
    parts = []
    for axis in axes:
        mine = [one == axis or (axis == axes[-1] and one not in axes) for one in range(op.rank)]
        parts.append((by(_only(op.kernel_size, mine, 1)), _along(op, mine)))
    return parts


def _along(op: Conv, mine: Sequence[bool]) -> Op:
    """The convolution along some of its axes; along the others its window is one position."""
    fields = {
        "kernel_size": _only(op.kernel_size, mine, 1),
        "stride": _only(op.stride, mine, 1),
        "dilation": _only(op.dilation, mine, 1),
        "padding": op.padding
        if isinstance(op.padding, str)
        else Sides((*_only(op.padding.begins, mine, 0), *_only(op.padding.ends, mine, 0))),
    }
    return op.model_copy(update=fields)


def _only(values: Sequence[int], mine: Sequence[bool], other: int) -> tuple[int, ...]:
    return tuple([value if own else other for value, own in zip(values, mine, strict=True)])


def stack(analysis: Analysis, name: str) -> Rewritten:
    """An n×n convolution as (n − 1)/2 of 3×3 with the same receptive field; the last has the stride.

    Source: Simonyan & Zisserman 2014, section 2.3.
    """
    return _rewrite(analysis, "stack", name, _stacked, "a stack of windows of 3")


def _stacked(row: Row, op: Conv) -> Parts:
    parts = stack_of(op)
    if not parts:
        raise refusal("stack", row, f"has a window of {by(op.kernel_size)}; a stack of 3 gives 5, 7, 9, …")
    return [(str(place + 1), part) for place, part in enumerate(parts)]


def stack_of(op: Conv) -> list[Conv]:
    """The convolutions of 3 that have the receptive field of a larger odd one; none for another window."""
    sizes = {size for size in op.kernel_size if size > 1}
    size = max(op.kernel_size)
    if len(sizes) != 1 or size % 2 == 0 or size < 5:
        return []
    count = (size - 1) // 2
    parts = []
    for place in range(count):
        fields = {
            "kernel_size": tuple([min(size, 3) for size in op.kernel_size]),
            "stride": op.stride if place == count - 1 else (1,) * op.rank,
            "exact": op.exact and place == count - 1,
            "padding": op.padding
            if isinstance(op.padding, str)
            else Sides([side // count + (place < side % count) for side in op.padding]),
        }
        parts.append(op.model_copy(update=fields))
    return parts


def separable(analysis: Analysis, name: str) -> Rewritten:
    """A convolution as a depthwise one and a 1×1. Source: Howard et al. 2017 (MobileNet), section 3.1."""
    return _rewrite(analysis, "separable", name, _separated, "depthwise and 1×1")


def _separated(row: Row, op: Conv) -> Parts:
    channels = row.input_shapes[0][0]
    if op.groups != 1:
        raise refusal("separable", row, "has groups already")
    if max(op.kernel_size) == 1:
        raise refusal("separable", row, "has a window of one position")
    depthwise = op.model_copy(update={"out_channels": channels, "groups": channels})
    return [("depthwise", depthwise), ("", _one_by_one(op, op.out_channels))]


def bottleneck(analysis: Analysis, name: str, reduce: str) -> Rewritten:
    """A 1×1 convolution to fewer channels before a convolution. Source: Szegedy et al. 2015 (GoogLeNet), section 4."""
    channels = whole("reduce", reduce)
    return _rewrite(
        analysis, "bottleneck", name, partial(_narrowed, channels=channels), f"a 1×1 to {channels} channels before it"
    )


def _narrowed(row: Row, op: Conv, channels: int) -> Parts:
    reads = row.input_shapes[0][0]
    if max(op.kernel_size) == 1:
        raise refusal("bottleneck", row, "has a window of one position")
    if channels >= reads:
        raise refusal("bottleneck", row, f"reads {reads} channels; {channels} are no fewer")
    if channels % op.groups:
        raise refusal("bottleneck", row, f"has {op.groups} groups, which {channels} channels do not share evenly")
    return [("reduce", _one_by_one(op, channels)), ("", op)]


def _one_by_one(op: Conv, channels: int) -> Op:
    return CONV_OF_RANK[op.rank].model_validate({"kernel_size": 1, "out_channels": channels, "bias": op.bias})


def _rewrite(
    analysis: Analysis, what: str, name: str, parts_of: Callable[[Row, Conv], Parts], became: str
) -> Rewritten:
    """One layer as several, or every convolution of a block that can be. Raises `UsageError` where none can."""
    places, is_block = find(analysis, what, name)
    readers = readers_of(analysis.graph)
    changes: dict[int, Change] = {}
    refused: list[str] = []
    for index in places:
        if is_block and not isinstance(analysis.rows[index].op, Conv):
            continue
        try:
            parts = parts_of(analysis.rows[index], convolution(analysis, what, index))
        except UsageError as error:
            if not is_block:
                raise
            refused.append(str(error))
            continue
        changes[index] = partial(_in_parts, parts=parts, after=followers(analysis, index, readers))
    if not changes:
        raise UsageError(refused[-1] if refused else f'--{what}: "{name[:80]}" has no convolution')
    left = f"; not rewritten: {refused[0].partition(': ')[2]}" if refused else ""
    left += f" and {len(refused) - 1} more" if refused[1:] else ""
    note = f"{several(len(changes), 'convolution')}: {became}{left}"
    return Rewritten(edit(analysis.graph, changes), (note,))


def _in_parts(editor: Editor, index: int, parts: Parts, after: Sequence[Layer]) -> int:
    layer = editor.graph.layers[index]
    source = editor.place[layer.inputs[0]]
    for (ending, op), _ in pairwise(parts):
        source = add_with_followers(editor, f"{layer.name}_{ending}", op, source, after)
    return editor.keep(index, parts[-1][1], [source])
