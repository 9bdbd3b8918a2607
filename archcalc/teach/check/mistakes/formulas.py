"""The right formula of each count, from the op's rules, and the formulas of the op with other arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.core.conventions import BYTES
from archcalc.core.language import mark, say
from archcalc.core.numbers import product
from archcalc.core.shapes import Shape
from archcalc.explain.derive.lift import AXIS_NAMES
from archcalc.explain.derive.trace import Node, number_node, symbol, traced
from archcalc.ops.base import Op, elements
from archcalc.ops.conv import CONV_OF_RANK, ConvTranspose
from archcalc.ops.trained import Scale
from archcalc.passes.params import count_values
from archcalc.teach.check.mistakes import sequences
from archcalc.teach.check.mistakes.base import HABIT, Base, Mistake
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.sizes import PLAIN_FIELDS, written
from archcalc.teach.check.mistakes.trees import combine, plus, times

_BOTH = mark("γ and β are trained, one of each for every channel.")
_BOTH_OF_VALUES = mark("γ and β are trained, one of each for every value.")
#: Counts of the arrays that a layer owns.
OF_WEIGHTS = ("params", "weights", "biases")
#: What a bias belongs to, by the family of the op.
HOLDERS = {"convolution": mark("filters"), "dense": mark("neurons")}
_NO_BIAS = {
    "convolution": mark("the bias is missing. Each of the {made:,} filters has one."),
    "dense": mark("the bias is missing. Each of the {made:,} neurons has one."),
}


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


def elements_of(shape: Shape) -> Node:
    """The values of a map of this shape, from its sides: H·W·D."""
    letters = [name.letter for name in AXIS_NAMES[len(shape) - 1]]
    sides: Any = tuple([symbol(letter, side) for letter, side in zip(letters, shape, strict=True)])
    return traced(elements(sides)).node


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
    kept = [array for array in arrays if array.is_bias == biases]
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
    elif context.op.family in ("recurrent", "attention"):
        if quantity in ("params", "multiplications"):
            yield from sequences.params(context) if quantity == "params" else sequences.work(context)
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
    if bias is True:
        tree = params(context, lifted.model_copy(update={"bias": False}))
        yield (Mistake("forgot_bias", missing_bias(context)),), 10, tree
        if op.family in HOLDERS:
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
    groups = getattr(op, "groups", 1)
    if groups > 1:
        reason = say("multiplied by the {groups} groups. All {groups} together have these weights.", groups=groups)
        tree = times(symbol("G", groups).node, params(context))
        yield (Mistake("forgot_groups", reason),), 14, tree
    if getattr(op, "connections", None) is not None:
        tree = params(context, lifted.model_copy(update={"connections": None}))
        reason = say(
            "every filter reads all {depth} maps. By its connection table each reads only some.", depth=context.depth
        )
        yield (Mistake("wrong_input_channels", reason),), 14, tree
    yield from _normalisation(context)


def missing_bias(context: LayerContext) -> str:
    """Why there is a bias, by what it belongs to."""
    made, values = context.row.biases, elements(context.row.output_shape)
    family = context.op.family
    if family == "normalisation":
        both = _BOTH if made == context.row.output_shape[0] else _BOTH_OF_VALUES
        return say("the shift β is missing. {both}", both=say(both))
    if made == values != context.row.output_shape[0]:
        return say("the bias is missing. Each of the {made:,} values of the output has one.", made=made)
    return say(_NO_BIAS.get(family, mark("the bias is missing. Each of the {made:,} channels has one.")), made=made)


def _is_normalised(context: LayerContext) -> bool:
    rows = context.network.rows
    after = context.network.position[context.name] + 1
    return after < len(rows) and rows[after].buffers > 0


def is_per_position(context: LayerContext) -> bool:
    """Whether a dense layer reads the channels of each position alone."""
    return bool(getattr(context.op, "per_position", False))


def _many_biases(context: LayerContext, weights: Node) -> Iterator[Base]:
    """A bias for each weight, for each slice of a filter, for each output value."""
    made = context.row.biases
    is_shared = made == context.row.output_shape[0]  # by all positions
    one = (
        say("Each of the {made:,} values of the output has one.", made=made)
        if not is_shared
        else say("A bias belongs to a whole filter: {made:,} in all.", made=made)
        if context.op.family == "convolution"
        else say("Each of the {made:,} neurons has one.", made=made)
    )
    yield (
        (Mistake("bias_per_weight", say("one bias for the whole layer. {one}", one=one)),),
        14,
        plus(weights, number_node(1)),
    )
    groups = getattr(context.op, "groups", 1)
    if 1 < groups < made:
        reason = say("one bias for each of the {groups} groups. {one}", groups=groups, one=one)
        yield (Mistake("bias_per_weight", reason),), 18, plus(weights, symbol("G", groups).node)
    twice = plus(weights, weights)
    yield (Mistake("bias_per_weight", say("a bias for every weight. {one}", one=one)),), 25, twice
    shape = context.inputs[0]
    if context.op.family == "dense" and (given := shape[0] if is_per_position(context) else elements(shape)) != made:
        reason = say("a bias for each of the {values:,} inputs. {one}", values=given, one=one)
        yield (Mistake("bias_per_weight", reason),), 18, plus(weights, symbol("N₁", given).node)
    if len(context.row.output_shape) > 1 and is_shared:
        found = {part.symbol.text: part for part in weights.walk() if part.symbol is not None}
        depth, filters = found.get(context.depth_letter), found.get("K")
        if depth is not None and filters is not None and shape[0] > 1:
            slices = times(depth, filters)
            reason = say("a bias for each of the {shape} slices of a filter. {one}", shape=shape[0], one=one)
            yield (Mistake("bias_per_weight", reason),), 22, plus(weights, slices)
            if shape[0] != made:
                reason = say("a bias for each of the {depth:,} input channels. {one}", depth=shape[0], one=one)
                yield (Mistake("bias_per_weight", reason),), 20, plus(weights, depth)
        window = context.kernel
        if filters is not None and window is not None and set(window) != {1}:
            values = traced(product([symbol("F", side) for side in window])).node
            reason = say("a bias for each of the {values} values of a window. {one}", values=values.value, one=one)
            yield (Mistake("bias_per_weight", reason),), 21, plus(weights, times(values, filters))
        reason = say(
            "a bias for every output value. All positions share that of their filter: {made:,} in all.", made=made
        )
        yield (Mistake("bias_per_weight", reason),), 24, plus(weights, outputs(context))


def _trained(context: LayerContext) -> str:
    """What a normalisation trains: γ and β, or one of them."""
    arrays = {array.name: array for array in context.op.param_shapes(context.inputs) if not array.buffer}
    is_of_channels = all(elements(array.shape) == context.row.output_shape[0] for array in arrays.values())
    if len(arrays) > 1:
        return say(_BOTH if is_of_channels else _BOTH_OF_VALUES)
    if "bias" in arrays:
        return say("β is trained, one for every channel.")
    return say("γ is trained, one for every channel.") if is_of_channels else say("γ is trained, one for every value.")


def _as_without_weights(context: LayerContext) -> Iterator[Base]:
    """Nothing for a layer that has values to train, though it multiplies no windows: a norm, a class token."""
    row = context.row
    if not row.params or row.multiplications:
        return
    if context.op.family == "normalisation":
        if isinstance(context.op, Scale) and not context.op.bias:
            reason = say("this scale has parameters too: a trained factor for every channel.")
        else:
            reason = say("this normalisation has parameters too. {both}", both=_trained(context))
        yield (Mistake("forgot_batch_norm", reason),), 8, number_node(0)
    else:
        reason = say("it has values to train: {count:,}.", count=row.params)
        yield (Mistake("repeat_count", reason),), 10, number_node(0)


def _normalisation(context: LayerContext) -> Iterator[Base]:
    if not context.row.buffers and not any(array.buffer for array in context.op.param_shapes(context.inputs)):
        yield from _as_without_weights(context)
        return
    counted = context.network.analysis.conventions.running_statistics
    if not counted:
        tree = params(context, buffers=True)
        if context.row.params == 2 * context.depth:
            reason = say(
                "running mean and variance are counted. They are not trained; γ and β are, one of each for every "
                "channel."
            )
        else:
            reason = say("running mean and variance are counted. They are not trained.")
        yield (Mistake("counted_running_statistics", reason),), 8, tree
        if not context.row.params:  # as many as the running statistics
            reason = say("γ and β are counted. {layer} has neither.", layer=context.name)
            yield (Mistake("params_in_pool", reason),), 6, tree
    if context.row.params:
        yield (
            (
                Mistake(
                    "forgot_batch_norm", say("batch normalisation has parameters too. {both}", both=_trained(context))
                ),
            ),
            8,
            number_node(0),
        )
        yield from _of_the_norm(context)
    if context.row.trainable_params == 2 * context.depth:
        tree = params(context, context.lifted.op.model_copy(update={"shift": False}))
        reason = say("the shift β is missing. {both}", both=say(_BOTH))
        yield (Mistake("forgot_bias", reason),), 10, tree


def _of_the_norm(context: LayerContext) -> Iterator[Base]:
    """One γ and one β for all channels."""
    each = context.row.params // context.row.output_shape[0]
    if each * context.row.output_shape[0] == context.row.params and context.row.output_shape[0] > 1:
        reason = say("one of each for the whole layer. {both}", both=_trained(context))
        yield (Mistake("forgot_output_channels", reason),), 16, number_node(each)


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
    yield (Mistake("factor_two", reason, called=HABIT),), 16, sums
    reason = say("the additions alone: n − 1 for a sum of n products. The question asks for the multiplications.")
    yield (Mistake("factor_two", reason, called=HABIT),), 17, combine("-", (tree, outputs(context)))
    lifted = context.lifted
    if getattr(context.op, "connections", None) is not None:
        whole = lifted.op.model_copy(update={"connections": None})
        reason = say(
            "every filter reads all {depth} maps. By its connection table each reads only some.", depth=context.depth
        )
        made = traced(whole.macs(lifted.inputs, lifted.output)).node
        yield (Mistake("wrong_input_channels", reason),), 14, made
    if isinstance(context.op, ConvTranspose):
        fields: dict[str, Any] = {key: getattr(lifted.op, key) for key in PLAIN_FIELDS}
        plain = CONV_OF_RANK[context.op.rank].model_construct(**fields)
        made = traced(plain.macs(lifted.inputs, lifted.output)).node
        reason = say(
            "the positions of the output. A transposed convolution multiplies at each position of its input, {inputs}.",
            inputs=written(context.inputs[0][1:]),
        )
        yield (Mistake("positions_of_input", reason),), 12, made
