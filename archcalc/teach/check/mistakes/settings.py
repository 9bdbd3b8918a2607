"""Depths of what a network gives, where a parameter of the network has another value: the anchors of a detector.

What a depth depends on is found by its values for other parameters: anchors·(5 + classes) grows evenly with each.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from archcalc.core.language import say
from archcalc.explain.derive.trace import Traced, symbol, traced
from archcalc.teach.check.mistakes.base import Alternative, Mistake
from archcalc.teach.check.mistakes.context import CLASSES, LayerContext
from archcalc.teach.check.mistakes.elsewhere import with_settings
from archcalc.teach.check.mistakes.sizes import SHAPE

#: Up to this a parameter is tried with every value; a larger one is a number of classes.
_FEW = 12
#: Classes of data sets of detection, with a background and without.
_OF_DETECTION = (20, 21, 80, 81, 90, 91)


def other_settings(context: LayerContext) -> Iterator[Alternative]:
    """Depths of an output of the network that other parameters, or a slip in how they are put together, lead to."""
    if not _is_end(context):
        return
    right = context.row.output_shape[0]
    values = {
        name: value
        for name, value in context.network.analysis.graph.settings.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    slopes = {name: slope for name, value in values.items() if (slope := _slope(context, {name: value}, right))}
    for name, slope in slopes.items():
        value = values[name]
        others = range(1, _FEW + 1) if value <= _FEW else {*CLASSES, *_OF_DETECTION, value + 1}
        for other in sorted({*others} - {value}):
            made = right + slope * (other - value)
            if made > 0:
                reason = say("that is for {name}={other}. Here it is {value}.", name=name, other=other, value=value)
                yield Alternative(made, (_step(reason),), 14)
    for each, kinds in permutations(slopes, 2):
        yield from _of_product(context, (each, values[each]), (kinds, values[kinds]), slopes[each])


def _of_product(
    context: LayerContext, each: tuple[str, int], kinds: tuple[str, int], per_one: int
) -> Iterator[Alternative]:
    """Slips in anchors·(5 + classes), if the depth is such a product."""
    right = context.row.output_shape[0]
    (name, count), (other, value) = each, kinds
    more = per_one - value
    if (
        count * per_one != right
        or more < 1
        or _depth(context, {name: count + 1, other: value + 1}) != (count + 1) * (per_one + 1)
    ):
        return
    anchors, classes, values = symbol(name, count), symbol(other, value), traced(more)
    own = say(
        "{layer} gives {name}·({more} + {other}) = {count}·({more} + {value}) = {right}.",
        layer=context.name, name=name, more=more, other=other, count=count, value=value, right=right,
    )  # fmt: skip
    slips: list[tuple[str, int, Traced]] = [
        (say("the {more} values besides {other} are missing. {own}", more=more, other=other, own=own), 12,
         anchors * classes),
        (say("without {other}. {own}", other=other, own=own), 16, anchors * values),
        (say("{more} counts once, not for each. {own}", more=more, own=own), 18, values + anchors * classes),
        (say("{other} counts once, not for each. {own}", other=other, own=own), 18, anchors * values + classes),
    ]  # fmt: skip
    if more > 1:
        reason = say("one of the {more} values besides {other} is missing. {own}", more=more, other=other, own=own)
        slips.append((reason, 10, anchors * (traced(more - 1) + classes)))
    for reason, cost, made in slips:
        yield Alternative(made.value, (_step(reason),), cost, made.node)


def _step(reason: str) -> Mistake:
    return Mistake("forgot_output_channels", reason, quantity=SHAPE)


def _is_end(context: LayerContext) -> bool:
    """Whether no layer with weights reads the output."""
    return bool(context.row.multiplications) and not any(
        row.multiplications for row in context.network.readers(context.name)
    )


def _slope(context: LayerContext, setting: dict[str, int], right: int) -> int:
    """How much the depth grows with a parameter; 0 where it does not, or not evenly."""
    ((name, value),) = setting.items()
    once, twice = (_depth(context, {name: value + more}) for more in (1, 2))
    return once - right if once and twice and twice - once == once - right else 0


def _depth(context: LayerContext, settings: dict[str, int]) -> int:
    """The depth of the output with other parameters; 0 where the network has no such layer then."""
    other = with_settings(context.network, settings)
    row = other.get(context.name)
    return row.output_shape[0] if row is not None else 0
