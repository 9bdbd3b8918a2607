"""The right formula of each count, from the op's rules, and the formulas of the op with other arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.core.conventions import BYTES
from archcalc.core.language import mark, say
from archcalc.core.numbers import product
from archcalc.core.shapes import format_shape
from archcalc.explain.derive.trace import Node, number_node, symbol, traced
from archcalc.ops.base import Op, elements
from archcalc.ops.conv import CONV_OF_RANK, ConvTranspose
from archcalc.passes.params import count_values
from archcalc.teach.check.mistakes.base import Mistake
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.trees import combine, plus, times

Base = tuple[tuple[Mistake, ...], int, Node]

_BOTH = mark("γ and β are trained, one of each for every channel.")
#: Counts of the arrays that a layer owns.
OF_WEIGHTS = ("params", "weights", "biases")
#: What a bias belongs to, by the family of the op.
HOLDERS = {"convolution": mark("filters"), "dense": mark("neurons")}


def params(context: LayerContext, op: Op | None = None, buffers: bool = False) -> Node:
    """The values of a layer's arrays, those of an altered op if one is given."""
    lifted = context.lifted
    arrays = (op or lifted.op).param_shapes(lifted.inputs)
    kept = [array for array in arrays if buffers or not array.buffer]
    return traced(count_values(kept)).node if kept else number_node(0)


def multiplications(context: LayerContext) -> Node:
    lifted = context.lifted
    return traced(lifted.op.macs(lifted.inputs, lifted.output)).node


def outputs(context: LayerContext) -> Node:
    """The values of the output."""
    return traced(elements(context.lifted.output)).node


def memory(context: LayerContext) -> Node:
    """Bytes of what a layer stores."""
    analysis, row = context.network.analysis, context.row
    value = symbol("b", BYTES[analysis.dtype], "b", "bytes of a value")
    tree = times(outputs(context), value.node)
    batch = row.activation_bytes // (row.activations * BYTES[analysis.dtype]) if row.activations else 1
    return times(symbol("B", batch, "B", "images of the batch").node, tree) if batch > 1 else tree


def arrays_of(context: LayerContext, biases: bool) -> Node:
    """The values of a layer's biases, or of its other arrays."""
    lifted = context.lifted
    arrays = [array for array in lifted.op.param_shapes(lifted.inputs) if not array.buffer]
    kept = [array for array in arrays if (array.name == "bias") == biases]
    return traced(count_values(kept)).node if kept else number_node(0)


def of_weights(context: LayerContext, quantity: str) -> Node:
    """The formula of a count of parameters, as if the layer had weights of its own."""
    if quantity in ("weights", "biases"):
        return arrays_of(context, quantity == "biases")
    return params(context, buffers=context.network.analysis.conventions.running_statistics)


def right(context: LayerContext, quantity: str) -> Node:
    """The formula of a count; the number 0 for a layer that stores nothing, or uses the weights of another."""
    if quantity in OF_WEIGHTS:
        return of_weights(context, quantity) if context.row.weights_of is None else number_node(0)
    if quantity == "multiplications":
        return multiplications(context)
    if not context.row.activations:
        return number_node(0)
    return outputs(context) if quantity == "activations" else memory(context)


def again(context: LayerContext) -> Mistake:
    """What it is to count the weights of a layer that uses those of another."""
    reason = say(
        "the weights of {owner} are counted again. {layer} uses them and has none of its own.",
        owner=context.row.weights_of,
        layer=context.name,
    )
    return Mistake("repeat_count", reason)


def bases(context: LayerContext, quantity: str) -> Iterator[Base]:
    """Formulas that come of counting other arrays: with and without biases, groups, running statistics."""
    owner = context.row.weights_of
    if quantity in OF_WEIGHTS and owner is not None:
        yield (again(context),), 10, of_weights(context, quantity)
    elif quantity == "params":
        yield from _other_arrays(context)
    elif quantity == "weights" and context.row.biases:
        reason = say("the biases are counted too. The question asks for the weights alone.")
        yield (Mistake("added_bias", reason),), 10, params(context)
    elif quantity == "multiplications" and context.row.multiplications:
        yield from _other_work(context)


def _other_arrays(context: LayerContext) -> Iterator[Base]:
    op, name = context.op, context.name
    lifted = context.lifted.op
    bias = getattr(op, "bias", None)
    each = HOLDERS.get(op.family, mark("channels"))
    made = context.row.output_shape[0]
    if bias is True:
        tree = params(context, lifted.model_copy(update={"bias": False}))
        reason = say("the bias is missing. Each of the {made:,} {each} has one.", made=made, each=say(each))
        yield (Mistake("forgot_bias", reason),), 10, tree
        yield from _many_biases(context, tree)
    elif bias is False:
        tree = params(context, lifted.model_copy(update={"bias": True}))
        why = (
            say("batch normalisation comes next and has its own shift β")
            if _is_normalised(context)
            else say("none is trained")
        )
        yield (
            (Mistake("added_bias", say("a bias is counted. {name} has no bias: {why}.", name=name, why=why)),),
            10,
            tree,
        )
    if getattr(op, "connections", None) is not None:
        tree = params(context, lifted.model_copy(update={"connections": None}))
        reason = say(
            "every filter reads all {depth} maps. By its connection table each reads only some.", depth=context.depth
        )
        yield (Mistake("wrong_input_channels", reason),), 14, tree
    yield from _normalisation(context)


def _is_normalised(context: LayerContext) -> bool:
    rows = context.network.rows
    after = context.network.position[context.name] + 1
    return after < len(rows) and rows[after].buffers > 0


def _many_biases(context: LayerContext, weights: Node) -> Iterator[Base]:
    """A bias for each weight, for each slice of a filter, for each output value."""
    made = context.row.output_shape[0]
    each = HOLDERS.get(context.op.family, mark("channels"))
    one = (
        say("A bias belongs to a whole filter: {made:,} in all.", made=made)
        if each == "filters"
        else say("Each of the {made:,} neurons has one.", made=made)
    )
    yield (
        (Mistake("bias_per_weight", say("one bias for the whole layer. {one}", one=one)),),
        14,
        plus(weights, number_node(1)),
    )
    twice = plus(weights, weights)
    yield (Mistake("bias_per_weight", say("a bias for every weight. {one}", one=one)),), 24, twice
    shape = context.inputs[0]
    if len(context.row.output_shape) > 1:
        found = {part.symbol.text: part for part in weights.walk() if part.symbol is not None}
        depth, filters = found.get(context.depth_letter), found.get("K")
        if depth is not None and filters is not None and shape[0] > 1:
            slices = times(depth, filters)
            reason = say("a bias for each of the {shape} slices of a filter. {one}", shape=shape[0], one=one)
            yield (Mistake("bias_per_weight", reason),), 22, plus(weights, slices)
        reason = say(
            "a bias for every output value. All positions share that of their filter: {made:,} in all.", made=made
        )
        yield (Mistake("bias_per_weight", reason),), 24, plus(weights, outputs(context))


def _normalisation(context: LayerContext) -> Iterator[Base]:
    if not context.row.buffers and not any(array.buffer for array in context.op.param_shapes(context.inputs)):
        return
    counted = context.network.analysis.conventions.running_statistics
    if not counted:
        reason = say(
            "running mean and variance are counted. They are not trained; γ and β are, one of each for every channel."
        )
        yield (Mistake("counted_running_statistics", reason),), 8, params(context, buffers=True)
    if context.row.params:
        yield (
            (Mistake("forgot_batch_norm", say("batch normalisation has parameters too. {both}", both=say(_BOTH))),),
            8,
            number_node(0),
        )
    if context.row.trainable_params == 2 * context.depth:
        tree = params(context, context.lifted.op.model_copy(update={"shift": False}))
        reason = say("the shift β is missing. {both}", both=say(_BOTH))
        yield (Mistake("forgot_bias", reason),), 10, tree


def _other_work(context: LayerContext) -> Iterator[Base]:
    tree = multiplications(context)
    if getattr(context.op, "bias", None) is not None:
        reason = say("the bias is counted too. Adding a bias is no multiplication.")
        yield (Mistake("added_bias", reason),), 12, plus(tree, outputs(context))
    twice = plus(tree, tree)
    sums = combine("-", (twice, outputs(context)))
    reason = say(
        "multiplications and additions together: 2n − 1 for a sum of n products. One multiply-add counts as one."
    )
    yield (Mistake("factor_two", reason),), 16, sums
    lifted = context.lifted
    if getattr(context.op, "connections", None) is not None:
        whole = lifted.op.model_copy(update={"connections": None})
        reason = say(
            "every filter reads all {depth} maps. By its connection table each reads only some.", depth=context.depth
        )
        made = traced(whole.macs(lifted.inputs, lifted.output)).node
        yield (Mistake("wrong_input_channels", reason),), 14, made
    if isinstance(context.op, ConvTranspose):
        fields: dict[str, Any] = {
            key: getattr(lifted.op, key)
            for key in ("kernel_size", "stride", "padding", "out_channels", "groups", "bias")
        }
        plain = CONV_OF_RANK[context.op.rank].model_construct(**fields)
        made = traced(plain.macs(lifted.inputs, lifted.output)).node
        reason = say(
            "the positions of the output. A transposed convolution multiplies at each position of its input, {inputs}.",
            inputs=format_shape(context.inputs[0][1:]),
        )
        yield (Mistake("positions_of_input", reason),), 12, made


def of_pool(context: LayerContext) -> Iterator[Base]:
    """A pool's window counted as if it had weights: the formulas of a convolution with this window."""
    kernel = getattr(context.plain, "kernel_size", None)
    if context.op.family != "pooling" or kernel is None or context.row.params or len(context.inputs) != 1:
        return
    lifted = context.lifted
    depth = lifted.inputs[0][0]
    reason = say(
        "weights for a window that has none. {layer} takes {value} of each window: nothing is trained.",
        layer=context.name,
        value=_taken(context),
    )
    step = (Mistake("params_in_pool", reason),)
    window = lifted.op.kernel_size  # type: ignore[attr-defined]  # checked above
    for groups, cost in ((1, 10), (depth, 12)):
        for bias in (True, False):
            conv = CONV_OF_RANK[len(window)].model_construct(
                kernel_size=window, out_channels=depth, groups=groups, bias=bias
            )
            tree = params(context, conv)
            yield step, cost + 2 * (not bias), tree
    one = traced(product(window)).node
    yield step, 20, one
    yield step, 24, plus(one, number_node(1))


def _taken(context: LayerContext) -> str:
    return say("the largest value") if context.op.kind.startswith("max_pool") else say("a mean")
