"""Mistakes with the depth of an output: how many maps, or how many values once flat."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.core.language import say
from archcalc.core.shapes import format_shape
from archcalc.explain.derive.trace import Node, symbol, traced
from archcalc.ops.attention import Heads
from archcalc.ops.base import elements
from archcalc.teach.check.mistakes.base import Alternative, Mistake
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.sizes import SHAPE
from archcalc.teach.check.mistakes.trees import ONE, put, quantity


def channels(context: LayerContext) -> list[Alternative]:
    """Depths of the output that one mistake leads to."""
    right = context.row.output_shape[0]
    if not context.inputs:
        return []
    if getattr(context.op, "bidirectional", False):
        found = [*_one_direction(context, right), *_kept(context)]
    elif isinstance(context.op, Heads) and len(context.row.output_shape) == 2:
        found = [*_of_attention(context, context.op.num_heads), *_kept(context)]
    elif context.op.family in ("merge", "parameter"):
        found = list(_merged(context))
    elif len(context.row.output_shape) == 1:
        found = list(_flat(context))
    elif hasattr(context.op, "out_channels"):
        found = list(_filters(context, right))
    else:
        found = list(_kept(context))
    return [one for one in found if one.value != right]


def _step(mistake: str, reason: str) -> tuple[Mistake, ...]:
    return (Mistake(mistake, reason, quantity=SHAPE),)


def _plain(value: int, steps: tuple[Mistake, ...], cost: int) -> Alternative:
    return Alternative(value, steps, cost, quantity("D", value))


def _filters(context: LayerContext, right: int) -> Iterator[Alternative]:
    name, depth = context.name, context.depth
    own = say("Each of {name}'s {right:,} filters gives one.", name=name, right=right)
    yield _plain(depth, _step("forgot_output_channels", say("that is the depth of the input. {own}", own=own)), 12)
    yield _plain(1, _step("forgot_output_channels", say("the depth is missing. {own}", own=own)), 24)
    groups = getattr(context.op, "groups", 1)
    if groups > 1:
        reason = say(
            "the filters of one of {groups} groups. All groups together give {right:,}.", groups=groups, right=right
        )
        yield _plain(right // groups, _step("forgot_groups", reason), 12)
    product = symbol("K", right) * symbol(context.depth_letter, depth)
    reason = say(
        "a map for every filter and input channel. A filter adds up over the {depth} channels. {own}",
        depth=depth,
        own=own,
    )
    yield Alternative(product.value, _step("forgot_output_channels", reason), 22, product.node)
    total = symbol("K", right) + symbol(context.depth_letter, depth)
    reason = say("the maps of the input are counted too. {own}", own=own)
    yield Alternative(total.value, _step("sum_of_parts", reason), 30, total.node)
    first = context.network.rows[0].output_shape
    if len(first) > 1 and first[0] not in (1, depth):
        reason = say("that is {whose}. {own}", whose=say("the depth of the network's input"), own=own)
        yield _plain(first[0], _step("forgot_output_channels", reason), 30)
    for far, row in context.network.nearest(name):
        if far < 2 and len(row.output_shape) > 1:
            reason = say("that is {layer}'s number of filters. {own}", layer=row.name, own=own)
            yield _plain(row.output_shape[0], _step("forgot_output_channels", reason), 32 + 2 * far)


def _one_direction(context: LayerContext, right: int) -> Iterator[Alternative]:
    reason = say(
        "one direction only. {name} goes forward and backward; both together give {right:,}.",
        name=context.name,
        right=right,
    )
    yield _plain(right // 2, _step("repeat_count", reason), 10)


def _of_attention(context: LayerContext, heads: int) -> Iterator[Alternative]:
    """What is inside an attention, taken for its output."""
    width, tokens = context.row.output_shape
    own = say("The output of {layer} is {right}.", layer=context.name, right=format_shape(context.row.output_shape))
    reason = say("queries, keys and values side by side. {own}", own=own)
    yield _plain(3 * width, _step("sum_of_parts", reason), 14)
    if heads > 1:
        reason = say("the width of one head instead of all. {each}", each=own)
        yield _plain(width // heads, _step("forgot_groups", reason), 14)
    reason = say("that is the map of attention, a value for each pair of tokens. {own}", own=own)
    yield _plain(tokens, _step("wrong_input_channels", reason), 14)


def _kept(context: LayerContext) -> Iterator[Alternative]:
    """Pools and the like, whose depth is that of the input, and layers with a depth of their own."""
    depth, right = context.depth, context.row.output_shape[0]
    if right == depth and not context.row.multiplications:
        own = say("{layer} works on each map by itself: {right:,} in, {right:,} out.", layer=context.name, right=right)
        before, after = context.inputs[0][1:], context.row.output_shape[1:]
        if before and after and before[0] != after[0]:
            made = depth * after[0] // before[0] if after[0] > before[0] else -(-depth * after[0] // before[0])
            reason = say("the depth is changed as the sides are. {own}", own=own)
            stride = getattr(context.op, "stride", None)
            if stride and stride[0] > 1:
                made = depth // stride[0]
            yield _plain(made, _step("forgot_output_channels", reason), 14)
    else:
        own = say("{layer}: {depth:,} channels in, {right:,} out.", layer=context.name, depth=depth, right=right)
    for one in context.network.depths(context.name):
        cost = 16 + min(one.far, 10)
        yield _plain(
            one.value, _step("wrong_input_channels", say("that is {whose}. {own}", whose=one.whose, own=own)), cost
        )
    yield _plain(1, _step("forgot_output_channels", say("the depth is missing. {own}", own=own)), 24)


def _merged(context: LayerContext) -> Iterator[Alternative]:
    depths = [shape[0] for shape in context.inputs]
    names = [context.network.maker(source).name for source in context.row.inputs]
    total = _sum(depths)
    if context.op.kind != "concat":
        own = say(
            "{layer} works value by value: the depth stays {output_shape:,}.",
            layer=context.name,
            output_shape=context.row.output_shape[0],
        )
        yield Alternative(total.value, _step("sum_of_parts", say("the depths are added up. {own}", own=own)), 12, total)
        return
    counted = {"count": len(depths), "output_shape": context.row.output_shape[0]}
    own = (
        say("The depths of all {count} inputs add up: {output_shape:,}.", **counted)
        if len(context.row.output_shape) > 1
        else say("The values of all {count} inputs add up: {output_shape:,}.", **counted)
    )
    for index, name in enumerate(names):
        rest = _sum(depths[:index] + depths[index + 1 :])
        yield Alternative(
            rest.value, _step("sum_of_parts", say("that lacks {name}. {own}", name=name, own=own)), 14, rest
        )
        yield _plain(
            depths[index], _step("sum_of_parts", say("that is {name}'s alone. {own}", name=name, own=own)), 18 + index
        )
        twice = _sum([*depths, depths[index]])
        yield Alternative(
            twice.value, _step("sum_of_parts", say("that has {name} twice. {own}", name=name, own=own)), 24, twice
        )
    first = context.network.analysis[context.row.inputs[0]]
    if first.op.kind == "concat":
        # What a dense block reads is passed on by each of its layers.
        while first.op.kind == "concat":
            first = context.network.analysis[first.inputs[0]]
        rest = symbol("D", total.value) - symbol("D", first.output_shape[0])
        reason = say("that lacks {name}. {own}", name=context.network.maker(first.name).name, own=own)
        yield Alternative(rest.value, _step("sum_of_parts", reason), 14, rest.node)
    for source in dict.fromkeys(context.row.inputs):
        for shape in context.network.analysis[source].input_shapes[:1]:
            if len(shape) > 1:
                yield _plain(
                    shape[0], _step("sum_of_parts", say("that is the depth before the branches. {own}", own=own)), 26
                )
    for one in context.network.depths(context.name)[:8]:
        yield _plain(
            one.value,
            _step("wrong_input_channels", say("that is {whose}. {own}", whose=one.whose, own=own)),
            34 + one.far,
        )


def _sum(depths: list[int]) -> Node:
    result = traced(0)
    for depth in depths:
        result = result + symbol("D", depth)
    return result.node


def _flat(context: LayerContext) -> Iterator[Alternative]:
    name, given = context.name, context.inputs[0]
    right = context.row.output_shape[0]
    if context.op.family == "dense":
        own = say("Each of {name}'s {right:,} neurons gives one value.", name=name, right=right)
        size = traced(elements(context.lifted.inputs[0])).node
        reason = say("that is the number of inputs. {own}", own=own)
        yield Alternative(size.value, _step("forgot_output_channels", reason), 14, size)
        for far, row in context.network.nearest(name):
            if far < 2 and len(row.output_shape) == 1:
                reason = say("that is {layer}'s number of neurons. {own}", layer=row.name, own=own)
                yield _plain(row.output_shape[0], _step("forgot_output_channels", reason), 30 + 2 * far)
        return
    if len(given) > 1:
        own = say("{given} are {right:,} values.", given=format_shape(given), right=right)
        tree = traced(context.lifted.op.output_shape(context.lifted.inputs)[0]).node
        depth, sides = context.depth_letter, [f"{axis}₁" for axis in context.axes]
        for letters, why, cost in (
            (sides, say("only the channels"), 16),
            ([depth], say("only the positions"), 18),
            (["W₁"] if len(sides) == 2 else [], say("the rows count, the columns do not"), 20),
        ):
            if not letters:
                continue
            made = put(tree, dict.fromkeys(letters, ONE))
            mistake = "forgot_input_channels" if depth in letters else "multiplications_without_positions"
            yield Alternative(made.value, _step(mistake, f"{why}. {own}"), cost, made)
        return
    for far, row in context.network.nearest(name):
        if far < 2 and len(row.output_shape) == 1:
            reason = say("that is {layer}'s number of neurons. {name} changes none.", layer=row.name, name=name)
            yield _plain(row.output_shape[0], _step("wrong_input_channels", reason), 20 + far)
