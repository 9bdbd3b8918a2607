"""Receptive fields of all layers from the input on, through branches, where a mistake is made in every layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from archcalc.ops import rules
from archcalc.ops.base import EVERYTHING, POINTS, Op, Window
from archcalc.passes.analysis import Row
from archcalc.teach.check.mistakes.context import NetworkContext

Sizes = tuple[int, ...]


class _Seen(NamedTuple):
    """What a layer sees along each axis, and the pixels between its positions."""

    sizes: Sizes
    jumps: Sizes


def walked(
    network: NetworkContext, *, dilated: bool = True, strided: bool = True, but: str = ""
) -> Mapping[str, Sizes]:
    """The receptive field of each layer; of branches that meet the larger one.

    Layers that see everything, or grow, have none, and those after them. The stride of the layer `but` does not count.
    """
    key = (dilated, strided, but)
    if key not in network.walks:
        network.walks[key] = _walked(network, dilated, strided, but)
    return network.walks[key]


def _walked(network: NetworkContext, dilated: bool, strided: bool, but: str) -> Mapping[str, Sizes]:
    rank = len(network.rows[0].output_shape) - 1
    found: dict[str, _Seen] = {}
    for row in network.rows:
        if not row.inputs:
            if len(row.output_shape) == rank + 1:
                found[row.name] = _Seen((1,) * rank, (1,) * rank)
        elif (seen := _after(row, found, rank, dilated, strided and row.name != but)) is not None:
            found[row.name] = seen
    return {name: seen.sizes for name, seen in found.items()}


def _after(row: Row, found: Mapping[str, _Seen], rank: int, dilated: bool, strided: bool) -> _Seen | None:
    """What a layer sees by what those before it see; None where that is not known."""
    ways = []
    for source, windows in zip(row.inputs, _plain(row.op, dilated).windows(row.input_shapes), strict=False):
        if source not in found or windows == EVERYTHING:
            return None
        if windows == POINTS:
            ways.append(found[source])
            continue
        along = [one for one in windows if isinstance(one, Window) and not one.transposed]  # type: ignore[union-attr]
        if len(along) != rank:
            return None
        sizes, jumps = found[source]
        seen = [
            rules.receptive_field_size(size, one.size, jump)
            for size, one, jump in zip(sizes, along, jumps, strict=True)
        ]
        steps = [rules.receptive_field_jump(jump, one.stride) for one, jump in zip(along, jumps, strict=True)]
        ways.append(_Seen(tuple(seen), tuple(steps) if strided else jumps))
    if not ways or len(ways) < len(row.inputs):
        return None
    return _Seen(
        tuple(map(max, zip(*(way.sizes for way in ways), strict=True))),
        tuple(map(max, zip(*(way.jumps for way in ways), strict=True))),
    )


def _plain(op: Op, dilated: bool) -> Op:
    """The op, where dilations do not count with those of 1."""
    dilation = getattr(op, "dilation", None)
    if dilated or not dilation:
        return op
    return op.model_copy(update={"dilation": (1,) * len(dilation)})
