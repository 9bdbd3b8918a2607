"""Numbers that are right elsewhere: of another variant of the network, by another tool's rules, for another input."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from archcalc.core.errors import ArchcalcError
from archcalc.core.quantities import QUANTITIES
from archcalc.ops.conv import ConvTranspose
from archcalc.ops.norm import BatchNorm2d
from archcalc.ops.pool import AvgPool
from archcalc.ops.whole_pool import AdaptiveAvgPool, GlobalAvgPool
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.spec.catalogue import key_of, load, names
from archcalc.teach.check.mistakes.base import Alternative, Mistake
from archcalc.teach.check.mistakes.context import LayerContext, NetworkContext
from archcalc.teach.check.mistakes.sizes import written
from archcalc.teach.check.mistakes.upstream import follow

#: Sides of images that people take for one another.
_SIDES = (28, 32, 224, 227, 299, 331)
_VARIANT, _TOOL = 6, 10


def variants(network: NetworkContext, quantity: str) -> Iterator[Alternative]:
    """The totals of the other variants of a network of the catalogue."""
    own = network.analysis.graph.name
    base = key_of(own.partition("@")[0])
    for name in names():
        if key_of(name.partition("@")[0]) != base or key_of(name) == key_of(own):
            continue
        try:
            analysis = analyse(load(name), network.analysis.batch, network.analysis.dtype, network.analysis.conventions)
        except ArchcalcError:
            continue
        value = QUANTITIES[quantity].sum_of(analysis.rows)
        reason = f"that is {name}, {analysis.graph.title or name}. Here it is {own}."
        yield Alternative(value, (Mistake("other_variant", reason),), _VARIANT)


class _Sums(NamedTuple):
    """What tools count besides multiplications, over all layers."""

    #: Outputs of layers with a bias.
    biased: int = 0
    #: Values of batch norm, its parameters, values of ReLU, values that pools read.
    normalised: int = 0
    normalisation: int = 0
    rectified: int = 0
    pooled: int = 0
    #: Values that average pools give, and that adaptive ones read.
    averages: int = 0
    adaptive: int = 0
    #: What a transposed convolution multiplies more if it is counted by its output.
    transposed: int = 0


def _sums(analysis: Analysis) -> _Sums:
    sums = dict.fromkeys(_Sums._fields, 0)
    for row in analysis.rows:
        values, read = prod(row.output_shape), prod(row.input_shapes[0]) if row.input_shapes else 0
        if isinstance(row.op, BatchNorm2d):
            sums["normalised"] += values
            sums["normalisation"] += row.params
        elif row.multiplications and row.biases:
            sums["biased"] += values
        if isinstance(row.op, ConvTranspose) and row.multiplications is not None:
            positions = prod(row.output_shape[1:]), prod(row.input_shapes[0][1:])
            sums["transposed"] += row.multiplications * positions[0] // positions[1] - row.multiplications
        sums["rectified"] += values * (row.op.kind == "relu")
        if row.op.family == "pooling":
            sums["pooled"] += read
            is_adaptive = isinstance(row.op, (GlobalAvgPool, AdaptiveAvgPool))
            sums["averages"] += values * (is_adaptive or isinstance(row.op, AvgPool))
            sums["adaptive"] += read * is_adaptive
    return _Sums(**sums)


def tools(analysis: Analysis) -> Iterator[Alternative]:
    """The totals of multiplications that other tools print. The rules are those of docs/explanation/conventions.md."""
    ours, sums = analysis.totals.multiplications, _sums(analysis)
    found = {
        "fvcore": (
            ours + 2 * sums.normalised + sums.adaptive,
            "2 for each value of batch norm and 1 for each value that an adaptive average pool reads",
        ),
        "torchinfo": (
            ours + sums.biased + sums.normalisation + sums.transposed,
            "1 for each bias that is added, and the parameters of batch norm once",
        ),
        "ptflops": (
            ours + sums.biased + 2 * (sums.normalised + sums.rectified + sums.pooled),
            "1 for each bias that is added, and 2 for each value of batch norm, of ReLU, and that a pool reads",
        ),
        "thop": (
            ours + 4 * sums.normalised + sums.averages + sums.adaptive + sums.transposed,
            "4 for each value of batch norm, and 1 for each value of an average pool",
        ),
    }
    for tool, (value, added) in found.items():
        if value != ours:
            step = Mistake(
                "other_tool", f"that is the total of {tool}, which adds {added}. {ours:,} are multiplications."
            )
            yield Alternative(value, (step,), _TOOL)


class OtherInput(NamedTuple):
    """The row of a layer, had the network's input another size."""

    row: Row
    size: tuple[int, ...]


def other_inputs(context: LayerContext) -> Iterator[OtherInput]:
    """The row for images of the sizes that are taken for that of this network: 224 for 227."""
    network = context.network
    first = network.rows[0]
    if context.row is not network.analysis.by_name.get(context.name) or len(first.output_shape) != 3 or first.inputs:
        return
    depth, height, width = first.output_shape
    for side in _SIDES:
        near = height == width != side and 3 * side < 4 * height and 3 * height < 4 * side
        if near and (row := follow(network, first, (depth, side, side), context.row)) is not None:
            yield OtherInput(row, (side, side))


def size_reason(network: NetworkContext, size: tuple[int, ...]) -> str:
    """Right for an input of 224×224; this network reads 227×227."""
    own = written(network.rows[0].output_shape[1:])
    return f"right for an input of {written(size)}. {network.analysis.graph.name} reads {own}."
