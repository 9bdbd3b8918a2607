"""Parameters and multiplications of layers that have none: pools, activations, dropout, what moves maps along."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.core.language import say
from archcalc.core.numbers import product
from archcalc.explain.derive.trace import number_node, symbol, traced
from archcalc.ops.conv import CONV_OF_RANK
from archcalc.ops.trained import Embedding
from archcalc.teach.check.mistakes.base import Base, Mistake
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.formulas import elements_of, outputs, params
from archcalc.teach.check.mistakes.trees import plus, times, without_cancelled

_ID = "params_in_pool"


def of_weightless(context: LayerContext, quantity: str) -> Iterator[Base]:
    """Numbers that people write for a layer without weights, or without multiplications."""
    if isinstance(context.op, Embedding) and quantity == "multiplications":
        reason = say(
            "counted as a product with one-hot vectors. {layer} looks rows of its table up: nothing is multiplied.",
            layer=context.name,
        )
        rows = symbol("R", context.op.num_embeddings).node
        yield (Mistake(_ID, reason),), 12, times(outputs(context), rows)
    if context.row.weights_of is not None or context.op.param_shapes(context.inputs) or len(context.inputs) != 1:
        return
    is_window = context.op.family == "pooling" and getattr(context.plain, "kernel_size", None) is not None
    if quantity == "params":
        if is_window:
            yield from _weights_of_window(context)
        yield from _weights_of_values(context)
    elif quantity == "multiplications" and is_window and not context.row.multiplications:
        yield from _work_of_window(context)


def _weights_of_window(context: LayerContext) -> Iterator[Base]:
    """A pool's window counted as if it had weights: the formulas of a convolution with this window."""
    lifted = context.lifted
    depth = lifted.inputs[0][0]
    reason = say(
        "weights for a window that has none. {layer} takes {value} of each window: nothing is trained.",
        layer=context.name,
        value=_taken(context),
    )
    step = (Mistake(_ID, reason),)
    window = lifted.op.kernel_size  # type: ignore[attr-defined]  # checked above
    for groups, cost in ((1, 10), (depth, 12)):
        for bias in (True, False):
            conv = CONV_OF_RANK[len(window)].model_construct(
                kernel_size=window, out_channels=depth, groups=groups, bias=bias
            )
            tree = without_cancelled(params(context, conv))
            yield step, cost + 2 * (not bias), tree
    one = traced(product(window)).node
    yield step, 20, one
    yield step, 24, plus(one, number_node(1))


def _work_of_window(context: LayerContext) -> Iterator[Base]:
    """A multiplication for each value of each window."""
    window = traced(product(context.lifted.op.kernel_size)).node  # type: ignore[attr-defined]  # checked above
    reason = say(
        "a multiplication for each value of a window. {layer} takes {value}: nothing is multiplied.",
        layer=context.name,
        value=_taken(context),
    )
    yield (Mistake(_ID, reason),), 10, times(outputs(context), window)
    depth = symbol(context.depth_letter, context.depth).node
    reason = say(
        "counted as a convolution over all channels. {layer} takes {value} of each window of each map by itself.",
        layer=context.name,
        value=_taken(context),
    )
    yield (Mistake(_ID, reason),), 14, times(outputs(context), window, depth)


def _weights_of_values(context: LayerContext) -> Iterator[Base]:
    """A weight for each channel or value, or those of a dense layer of this size."""
    own = say("{layer} has nothing to train.", layer=context.name)
    values = elements_of(context.row.output_shape)
    if len(context.row.output_shape) > 1:
        channels = symbol("D", context.row.output_shape[0]).node
        yield (Mistake(_ID, say("a weight for each channel. {own}", own=own)),), 12, channels
        two = times(symbol("2", 2).node, channels)
        yield (Mistake(_ID, say("two weights for each channel. {own}", own=own)),), 14, two
    yield (Mistake(_ID, say("a weight for each value of the output. {own}", own=own)),), 14, values
    given = elements_of(context.inputs[0])
    dense = say("counted as a dense layer. {own}", own=own)
    yield (Mistake(_ID, dense),), 12, times(plus(given, number_node(1)), values)
    yield (Mistake(_ID, dense),), 14, times(given, values)
    source = context.network.maker(context.row.inputs[0])
    if source.params:
        reason = say("that is the number of {layer}, counted here again.", layer=source.name)
        yield (Mistake("repeat_count", f"{reason} {own}"),), 16, symbol("P", source.params).node


def _taken(context: LayerContext) -> str:
    return say("the largest value") if context.op.kind.startswith("max_pool") else say("a mean")
