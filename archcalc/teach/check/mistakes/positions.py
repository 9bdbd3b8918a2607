"""Mistakes with the positions at which a filter is applied, as edits of a count's formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from archcalc.core.language import say
from archcalc.core.numbers import product
from archcalc.core.shapes import Shape
from archcalc.explain.derive.trace import Node, symbol
from archcalc.ops.conv import ConvTranspose
from archcalc.teach.check.mistakes.base import Edit, Mistake
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.sizes import sized, written
from archcalc.teach.check.mistakes.trees import ONE, named, put


def replaced(values: dict[str, Node]) -> Callable[[Node], Node]:
    return partial(put, values=values)


def positions(context: LayerContext, quantity: str, has: dict[str, Node]) -> Iterator[Edit]:
    """Where a filter is applied: at every position of the output."""
    output, given = context.row.output_shape, context.inputs[0]
    if len(output) != len(given) or len(given) == 1:
        return
    before, after = (tuple([f"{axis}{index}" for axis in context.axes]) for index in "₁₂")
    own = before if isinstance(context.op, ConvTranspose) or after[0] not in has else after
    if not has.keys() >= set(own):
        return
    where = say("{layer} calculates at {output} positions", layer=context.name, output=written(output[1:]))
    if quantity == "multiplications" and product(has[letter].value for letter in own) > 1:
        reason = say("the positions are missing; that is the number of weights. {where}.", where=where)
        yield Edit(Mistake("multiplications_without_positions", reason), 10, replaced(dict.fromkeys(own, ONE)))
        if len(own) == 3:
            reason = say("the positions along two axes only. {where}.", where=where)
            for axis, cost in ((own[0], 16), (own[2], 22)):
                yield Edit(Mistake("multiplications_without_positions", reason), cost, replaced({axis: ONE}))
        if len(own) > 1:
            reason = say("the positions along one axis only. {where}.", where=where)
            ones = replaced(dict.fromkeys(own[1:], ONE))
            yield Edit(Mistake("multiplications_without_positions", reason), 22, ones)
    if own != after:
        return
    yield from _padded(context, {letter: has[letter] for letter in own})
    if given[1:] != output[1:]:
        reason = say(
            "the positions of the input, {given}. The output has {output}.",
            given=written(given[1:]),
            output=written(output[1:]),
        )
        sides = zip(after, before, given[1:], strict=True)
        values = {letter: symbol(instead, size).node for letter, instead, size in sides}
        yield Edit(Mistake("positions_of_input", reason), 12, replaced(values))
    for reader in context.network.readers(context.name):
        after_it = reader.output_shape[1:]
        if (
            reader.op.family == "pooling"
            and len(after_it) == len(own)
            and after_it != output[1:]
            and product(after_it) > 1
        ):
            reason = say(
                "the positions of {reader}'s output, {sides}. {where}.",
                reader=reader.name,
                sides=written(after_it),
                where=where,
            )
            shorter = {letter: named(has[letter], size) for letter, size in zip(own, after_it, strict=True)}
            yield Edit(Mistake("positions_of_input", reason), 20, replaced(shorter))
    for one in sized(context):
        if len(one.steps) == 1 and one.steps[0].mistake != "positions_of_input" and _is_alike(one.sizes, output):
            values = {letter: named(has[letter], size) for letter, size in zip(own, one.sizes, strict=True)}
            calculation = _shown(one.trees[0])
            step = one.steps[0]
            step = step._replace(
                reason=say("{calculation} positions: {reason}", calculation=calculation, reason=step.reason)
            )
            yield Edit(step, one.cost + 4, replaced(values))


def _padded(context: LayerContext, own: dict[str, Node]) -> Iterator[Edit]:
    """The positions of the input together with its padding."""
    output, given = context.row.output_shape[1:], context.inputs[0][1:]
    sides = tuple(getattr(context.plain, "padding", ()))
    if len(sides) != 2 * len(given):
        return
    pads = zip(sides[: len(given)], sides[len(given) :], strict=True)  # at the beginning and at the end of each axis
    padded = tuple([size + sum(both) for size, both in zip(given, pads, strict=True)])
    if padded in (given, output):
        return
    reason = say(
        "the positions of the padded input, {padded}. The output has {output}.",
        padded=written(padded),
        output=written(output),
    )
    values = {letter: named(node, size) for (letter, node), size in zip(own.items(), padded, strict=True)}
    yield Edit(Mistake("positions_of_input", reason), 12, replaced(values))


def _is_alike(sizes: Sequence[int], output: Shape) -> bool:
    """Whether the mistake was made along all axes alike."""
    return all(wrong != right for wrong, right in zip(sizes, output[1:], strict=True))


def _shown(tree: Node) -> str:
    from archcalc.explain.derive.notation import TEXT
    from archcalc.explain.derive.steps import substituted

    return f"{TEXT.write(substituted(tree))} = {tree.value:,}"
