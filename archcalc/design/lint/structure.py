"""Rules about what follows what, what a network sees, and what its layers cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from archcalc.core.words import share
from archcalc.design.lint.rule import Finding, Rule, View, saved
from archcalc.ops import rules
from archcalc.ops.activation import LogSoftmax, Softmax
from archcalc.ops.base import by
from archcalc.ops.conv import Conv, DepthwiseConv
from archcalc.ops.dense import Linear
from archcalc.ops.merge import Multiply
from archcalc.ops.norm import BatchNorm
from archcalc.ops.whole_pool import GlobalPool
from archcalc.passes.analysis import Row
from archcalc.passes.params import count_values
from archcalc.passes.traffic import bytes_moved, operations_done

#: Fewer operations for each byte than this leave any processor waiting for its memory (Williams et al. 2009: a
#: processor of 2024 does 50 to 300 in the time of a byte).
_INTENSITY = 10
#: Only layers that move at least this part of all bytes are named.
_PART = 50
_LARGE_MAP = 112


def _unused(view: View) -> Iterator[Finding]:
    for index, row in view:
        if not view.readers[index] and index not in view.ends:
            costs = {"params": row.params, "multiplications": row.multiplications or 0}
            costs["values"] = prod(row.output_shape)
            yield Finding(index, "nobody reads it, and it is no output", saved(costs), "leave it out")


def _two_linear(view: View) -> Iterator[Finding]:
    for index, row in view.of(Conv, Linear):
        chain, after = [row], view.only_reader(index)
        while after is not None and _is_linear_and_free(view.rows[after]):
            chain.append(view.rows[after])
            after = view.only_reader(after)
        if after is None or view.source(after) is None:
            continue
        second = view.rows[after]
        chain.append(second)
        merged = _merged(chain)
        if merged is None:
            continue
        arrays = [array for array in merged.param_shapes(row.input_shapes) if not array.buffer]
        weights = count_values([array for array in arrays if not array.is_bias])
        if weights <= row.weights + second.weights:
            macs = merged.macs(row.input_shapes, second.output_shape)
            yield Finding(
                after, f"nothing non-linear lies between {row.name} and it: both are one layer "
                f"with {weights:,} weights",
                saved({"params": sum(one.params for one in chain) - count_values(arrays),
                       "multiplications": sum(one.multiplications or 0 for one in chain) - macs}),
                f"an activation after {row.name}, or one layer in place of two",
            )  # fmt: skip


def _is_linear_and_free(row: Row) -> bool:
    """Whether a layer between two others changes nothing that one of them could not do."""
    return row.op.is_view or isinstance(row.op, BatchNorm)


def _merged(chain: Sequence[Row]) -> Linear | Conv | None:
    """The one layer that does what all do, but for its padding; None where it is no layer of the same kind.

    It has a bias where one of them adds something.
    """
    first, second = chain[0], chain[-1]
    bias = {"bias": any(one.biases for one in chain)}
    if isinstance(first.op, Linear) and isinstance(second.op, Linear):
        same = first.op.per_position == second.op.per_position
        return first.op.model_copy(update={"out_features": second.op.out_features, **bias}) if same else None
    if not (isinstance(first.op, Conv) and isinstance(second.op, Conv)):
        return None
    if first.op.groups != 1 or second.op.groups != 1 or first.op.connections or second.op.connections:
        return None
    if set(first.op.dilation) | set(second.op.dilation) != {1}:
        return None
    sizes = zip(first.op.kernel_size, second.op.kernel_size, first.op.stride, strict=True)
    window = tuple([rules.receptive_field_size(size, other, stride) for size, other, stride in sizes])
    return first.op.model_copy(update={"out_channels": second.op.out_channels, "kernel_size": window, **bias})


def _bias_before_norm(view: View) -> Iterator[Finding]:
    for index, row in view:
        after = view.only_reader(index)
        if row.biases and row.multiplications and after is not None and isinstance(view.rows[after].op, BatchNorm):
            yield Finding(
                index, f"{view.rows[after].name} takes the mean away, and its bias with it", {"params": row.biases},
                "bias: false",
            )  # fmt: skip


def _small_field(view: View) -> Iterator[Finding]:
    """The maps that global pools average; with the size of an object also the output that sees most."""
    wanted = view.seen or view.graph.input_shape[1:]
    maps: Sequence[tuple[int, int | None]]
    maps = [(index, view.source(index)) for index, _ in view.of(GlobalPool) if not _gates(view, index)]
    if view.seen and not maps:
        outputs = {output.layer for output in view.graph.outputs if not output.training_only}
        seen = {index: prod(_sides_seen(view, index)) for index in sorted(outputs)}
        # Where sizes are not known, or where one is no map, nothing is known of the largest.
        maps = [(index, index) for index in seen if all(seen.values()) and seen[index] == max(seen.values())][:1]
    for index, source in maps:
        field = () if source is None else _sides_seen(view, source)
        if len(field) != len(wanted) or not any(map(int.__lt__, field, wanted)):
            continue
        what = f"of {by(wanted)} input positions"
        what = f"input positions, and an object has {by(wanted)}" if view.seen else what
        of = "value that it averages" if index != source else "value of this output"
        yield Finding(
            index, f"each {of} has seen {by(field)} {what}",
            {"positions_unseen": prod(wanted) - prod(map(min, field, wanted))},
            "more layers, strides or dilation before it" + ("" if view.seen else ", if an object can be larger than "
            "that"),
        )  # fmt: skip


def _sides_seen(view: View, index: int) -> tuple[int, ...]:
    """The receptive field of a map, where it is known."""
    field = view.rows[index].receptive_field
    return () if field is None else field.size


def _gates(view: View, index: int) -> bool:
    """Whether what a layer gives is multiplied with a map, as in squeeze and excitation, and not the end of one."""
    reader = view.only_reader(index)
    while reader is not None and not isinstance(view.rows[reader].op, Multiply):
        reader = view.only_reader(reader)
    return reader is not None


def _softmax_of_one(view: View) -> Iterator[Finding]:
    for index, row in view.of(Softmax, LogSoftmax):
        if row.output_shape[0] == 1:
            value = 1 if isinstance(row.op, Softmax) else 0
            yield Finding(index, f"over one channel it is {value} whatever it reads",
                          {"values": prod(row.output_shape)}, "sigmoid, or two channels")  # fmt: skip


def _depthwise_on_large_maps(view: View) -> Iterator[Finding]:
    for index, row in view:
        op, sides = row.op, row.output_shape[1:]
        depthwise = isinstance(op, DepthwiseConv) or (isinstance(op, Conv) and op.groups == row.input_shapes[0][0] > 1)
        if depthwise and len(sides) > 1 and min(sides) >= _LARGE_MAP:
            yield Finding(
                index, f"depthwise on {by(sides)}: {_intensity(view, index):.1f} operations for each byte",
                {"bytes": _bytes(view, index)}, "an ordinary convolution here, and depthwise ones on smaller maps",
            )  # fmt: skip


def _memory_bound(view: View) -> Iterator[Finding]:
    moved = sum(_bytes(view, index) for index, _ in view)
    for index, row in view:
        own = _bytes(view, index)
        if row.multiplications and own * _PART >= moved and _intensity(view, index) < _INTENSITY:
            images = "image" if view.analysis.batch == 1 else "batch"
            yield Finding(
                index, f"{_intensity(view, index):.2g} operations for each byte that it moves; it moves "
                f"{share(own, moved)} of all bytes of an {images}", {"bytes": own},
                "a larger batch, where weights are most of the bytes; else fewer, denser layers",
            )  # fmt: skip


def _bytes(view: View, index: int) -> int:
    return bytes_moved(view.analysis, index) or 0


def _intensity(view: View, index: int) -> float:
    """Operations for each byte."""
    return (operations_done(view.analysis, index) or 0) / max(1, _bytes(view, index))


RULES = (
    Rule("unused-layer", "every layer is read or an output",
         "What nobody reads costs and changes nothing.", "the definition of a network's output", _unused),
    Rule("two-linear", "something non-linear between two linear layers",
         "Two linear maps in a row are one. It pays only where the two have fewer weights than the one, as in a "
         "bottleneck or a separable window; then nothing is reported.",
         "CS231n, neural networks part 1: why non-linearities", _two_linear),
    Rule("bias-before-norm", "no bias before batch normalisation",
         "Batch normalisation subtracts the mean of each channel, so a bias before it has no effect.",
         "Ioffe & Szegedy 2015, section 3.2", _bias_before_norm),
    Rule("small-field", "the last map has seen the whole input, or an object",
         "A value cannot depend on what lies outside of its receptive field. What a global pool averages is compared "
         "with the input, or with the object of --object; where there is no such pool and the output is a map, each of "
         "its values decides about what is around it, so it is compared with an object alone. A dense layer sees all.",
         "Luo et al. 2016 (Understanding the effective receptive field)", _small_field),
    Rule("softmax-of-one", "softmax over two channels or more",
         "Softmax of one value is 1.", "the definition of softmax", _softmax_of_one),
    Rule("depthwise-large-map", "depthwise convolutions on small maps",
         "They move nearly as many values as they multiply, so on large maps they wait for memory.",
         "Ma et al. 2018 (ShuffleNet V2), guideline 4", _depthwise_on_large_maps),
    Rule("memory-bound", "layers that compute more than they move",
         "Below the ridge of the roofline the memory, not the arithmetic, takes the time.",
         "Williams et al. 2009 (Roofline)", _memory_bound),
)  # fmt: skip
