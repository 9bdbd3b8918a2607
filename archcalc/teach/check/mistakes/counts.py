"""The numbers that mistakes lead to for a layer's parameters, multiplications, stored values and memory."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from archcalc.core.conventions import BYTES
from archcalc.core.language import say
from archcalc.core.numbers import product
from archcalc.core.quantities import QUANTITIES
from archcalc.explain.derive.lift import AXIS_NAMES
from archcalc.explain.derive.trace import Node, symbol
from archcalc.teach.check.mistakes import formulas
from archcalc.teach.check.mistakes.base import PAIR, TOGETHER, Alternative, Edit, Mistake
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.edits import edits
from archcalc.teach.check.mistakes.formulas import OF_WEIGHTS
from archcalc.teach.check.mistakes.rounding import rounded_factors
from archcalc.teach.check.mistakes.sizes import written
from archcalc.teach.check.mistakes.trees import letters, plus, times
from archcalc.teach.check.mistakes.weightless import of_weightless

#: Mistakes of a higher cost are not combined with another.
PAIRED_COST = 26
#: What the mistake of every day costs: the bias of a layer left out.
_EVERYDAY = 10
#: Images of a batch, as people choose them. From 8 on: a factor of 2 or 4 has other reasons.
BATCHES = (8, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1024)
#: Those that are met most often.
_USUAL_BATCHES = (32, 64, 128, 256)


def singles(context: LayerContext, quantity: str) -> list[Alternative]:
    """What one mistake leads to; the right number is not among it."""
    tree = formulas.right(context, quantity)
    bases = list(formulas.bases(context, quantity))
    found = [Alternative(made.value, steps, cost, made) for steps, cost, made in bases]
    found += [Alternative(made.value, steps, cost, made) for steps, cost, made in of_weightless(context, quantity)]
    if tree.value:
        made_by = [(edit, edit.apply(tree)) for edit in edits(context, quantity, tree)]
        found += [_after(edit, made) for edit, made in made_by if made is not None]
        found += _as_a_whole(context, quantity, tree)
        found += _biases_twice(context, quantity, tree)
        # 180·36 for 181·36 is a bias left out, not a factor that was rounded.
        unbiased = {one.value for one in found if one.steps[0].mistake == "forgot_bias" and one.cost <= _EVERYDAY}
        found += [one for one in rounded_factors(tree) if one.value not in unbiased]
    return [one for one in found if one.value != tree.value and one.value >= 0]


def pairs(context: LayerContext, quantity: str) -> list[Alternative]:
    """What two mistakes together lead to."""
    tree = formulas.right(context, quantity)
    if not tree.value:
        return []
    starts: list[Alternative] = [
        Alternative(made.value, steps, cost, made) for steps, cost, made in formulas.bases(context, quantity)
    ]
    changes = [edit for edit in edits(context, quantity, tree) if edit.cost <= PAIRED_COST]
    found: list[Alternative] = []
    for start in starts:
        found += _combined(start, changes)
    for index, edit in enumerate(changes):
        made = edit.apply(tree)
        if made is not None:
            found += _combined(_after(edit, made), changes[index + 1 :])
    return [one for one in found if one.value not in (0, tree.value)]


def _biases_twice(context: LayerContext, quantity: str, tree: Node) -> Iterator[Alternative]:
    """The biases counted with each filter, and once more at the end."""
    biases = context.row.biases
    if quantity == "params" and biases and context.row.weights and context.row.op.family in ("convolution", "dense"):
        reason = say("the biases of {layer} count twice: {biases:,} too many.", layer=context.name, biases=biases)
        made = plus(tree, symbol("K", biases).node)
        yield Alternative(made.value, (Mistake("added_bias", reason),), 20, made)


def in_place(context: LayerContext, quantity: str) -> Iterator[Alternative]:
    """The output of a layer that works in place, counted as if it were stored again."""
    if quantity not in ("activations", "activation_bytes") or context.row.activations or not context.inputs:
        return
    made = formulas.outputs(context) if quantity == "activations" else formulas.memory(context)
    reason = say("the values of {source} are counted again.", source=context.source)
    reason += " " + say("{layer} works in place and stores nothing of its own.", layer=context.name)
    yield Alternative(made.value, (Mistake("repeat_count", reason),), 10, made)


def _after(edit: Edit, tree: Node) -> Alternative:
    return Alternative(tree.value, (edit.step,), edit.cost, tree)


def _combined(start: Alternative, changes: list[Edit]) -> Iterator[Alternative]:
    for edit in changes:
        assert start.tree is not None
        if edit.step.mistake == start.steps[0].mistake:
            continue
        made = edit.apply(start.tree)
        if made is not None:
            yield Alternative(made.value, (*start.steps, edit.step), start.cost + edit.cost + PAIR, made)


def _as_a_whole(context: LayerContext, quantity: str, tree: Node) -> Iterator[Alternative]:
    """The right number, or that of the neighbours, taken in another way."""
    yield from doubled(quantity, tree)
    yield from in_batches(context.network.analysis.batch, quantity, tree)
    yield from in_other_units(context.network.analysis.dtype, quantity, tree)
    if quantity == "activation_bytes" and context.row.params:
        size = symbol("b", BYTES[context.network.analysis.dtype]).node
        held = formulas.params(context)
        reason = say(
            "that is the memory of {layer}'s parameters. Here it is that of the values it gives.", layer=context.name
        )
        made = times(held, size)
        yield Alternative(made.value, (Mistake("unit", reason),), 22, made)
        reason = say("the parameters of {layer} are counted too. The question asks for the values.", layer=context.name)
        made = plus(tree, times(held, size))
        yield Alternative(made.value, (Mistake("sum_of_parts", reason),), 20, made)
    if quantity == "activations" and context.row.params:
        reason = say(
            "that is the number of {layer}'s parameters. Stored are the values that it gives.", layer=context.name
        )
        made = formulas.params(context)
        yield Alternative(made.value, (Mistake("unit", reason),), 26, made)
    yield from _at_each_position(context, quantity, tree)
    yield from _repeated(context, quantity, tree)
    yield from _with_partner(context, quantity, tree)
    yield from _of_others(context, quantity)


def in_batches(batch: int, quantity: str, tree: Node) -> Iterator[Alternative]:
    """The number for a batch of images; memory for one image of a batch."""
    if quantity == "activation_bytes" and batch > 1:
        reason = say("for one image. Here it is for a batch of {batch}.", batch=batch)
        yield Alternative(Fraction(tree.value, batch), (Mistake("unit", reason),), 12)
    own = say("Parameters are the same for all images.") if quantity in OF_WEIGHTS else say("Counts are per image.")
    for images in dict.fromkeys((batch, *BATCHES)):
        if images == 1 or (images == batch and quantity == "activation_bytes"):
            continue
        if images == batch:
            reason = say("times the batch of {batch}. {own}", batch=images, own=own)
        else:
            reason = say("{batch} times the number, as for a batch of {batch} images. {own}", batch=images, own=own)
        cost = 12 if images == batch else 24 if images in _USUAL_BATCHES else 30
        made = times(symbol("B", images).node, tree)
        yield Alternative(made.value, (Mistake("unit", reason),), cost, made)


def doubled(quantity: str, tree: Node) -> Iterator[Alternative]:
    """Twice and half the number."""
    two = symbol("2", 2).node
    once = say("One multiply-add counts as one.") if quantity == "multiplications" else say("It counts once.")
    cost = 13 if quantity == "multiplications" else 20
    yield Alternative(
        2 * tree.value, (Mistake("factor_two", say("twice the number. {once}", once=once)),), cost, times(two, tree)
    )
    if quantity == "multiplications":
        reason = say("three times the number, as for training: forward once, backward twice. {once}", once=once)
        yield Alternative(3 * tree.value, (Mistake("factor_two", reason),), 22, times(symbol("3", 3).node, tree))
    if tree.value % 2 == 0:
        yield Alternative(tree.value // 2, (Mistake("factor_two", say("half the number.")),), 24)


def in_other_units(dtype: str, quantity: str, tree: Node) -> Iterator[Alternative]:
    """Values for bytes, bytes for values, bytes of another type, MB for MiB."""
    size, value = BYTES[dtype], tree.value
    if quantity in ("params", "activations"):
        what = say("parameters") if quantity == "params" else say("values")
        if size > 1:
            reason = say(
                "bytes of {dtype}, {size} for each. The question asks for {what}.", dtype=dtype, size=size, what=what
            )
            yield Alternative(value * size, (Mistake("unit", reason),), 16, times(tree, symbol("b", size).node))
    if quantity != "activation_bytes":
        return
    reason = say("values, not bytes. A value of {dtype} takes {size}.", dtype=dtype, size=size)
    if size > 1:
        yield Alternative(Fraction(value, size), (Mistake("unit", reason),), 12)
    for other, kind in ((8, "float64"), (4, "float32"), (2, "float16"), (1, "int8")):
        if other != size:
            reason = say(
                "{other} bytes for a value, as of {kind}. A value of {dtype} takes {size}.",
                other=other,
                kind=kind,
                dtype=dtype,
                size=size,
            )
            # Half of float32 and twice are rather its usual neighbours than a factor from nowhere.
            cost = 18 if other in (size // 2, 2 * size) else 26
            yield Alternative(Fraction(value * other, size), (Mistake("unit", reason),), cost)
    yield Alternative(value * 8, (Mistake("unit", say("bits, not bytes. A byte has 8.")),), 28)
    for power, decimal, binary in ((1, "KB", "KiB"), (2, "MB", "MiB"), (3, "GB", "GiB")):
        ratio = Fraction(1000**power, 1024**power)
        meant = say(
            "1 {binary} is {value:,} bytes, 1 {decimal} is {value2:,}.",
            binary=binary,
            value=1024**power,
            decimal=decimal,
            value2=1000**power,
        )
        cost = 13 + abs(power - 2)
        step = Mistake(
            "unit",
            say("a number of {binary} that is called {decimal}. {meant}", binary=binary, decimal=decimal, meant=meant),
            called=decimal,
        )
        yield Alternative(value * ratio, (step,), cost)
        step = Mistake(
            "unit",
            say("a number of {decimal} that is called {binary}. {meant}", decimal=decimal, binary=binary, meant=meant),
            called=binary,
        )
        yield Alternative(value / ratio, (step,), cost)


def _at_each_position(context: LayerContext, quantity: str, tree: Node) -> Iterator[Alternative]:
    """The weights of a layer that all positions share, counted at each of them."""
    positions = context.row.output_shape[1:]
    if quantity not in OF_WEIGHTS or product(positions) == 1 or context.op.family in ("recurrent", "parameter"):
        return
    names = [name.letter for name in AXIS_NAMES[len(positions)][1:]]
    if letters(tree).keys() & {f"{name}{index}" for name in names for index in ("", "₁", "₂")}:
        return  # weights of its own for each position
    reason = say(
        "the parameters are counted at each of the {positions} positions. All positions share them.",
        positions=written(positions),
    )
    sides = [symbol(f"{name}₂", side).node for name, side in zip(names, positions, strict=True)]
    made = times(*sides, tree)
    yield Alternative(made.value, (Mistake("repeat_count", reason),), 16, made)
    if quantity != "params" or not context.row.multiplications:
        return
    weights = times(*sides, formulas.arrays_of(context, biases=False))
    values = say(
        "the values of the output, {positions} positions, in the place of the weights, which all positions share.",
        positions=written(positions),
    )
    if context.row.biases:
        biases = formulas.arrays_of(context, biases=True)
        once = say(
            "the weights are counted at each of the {positions} positions, the biases once. All positions share both.",
            positions=written(positions),
        )
        with_biases = plus(weights, biases)
        yield Alternative(with_biases.value, (Mistake("repeat_count", once),), 16, with_biases)
        own = plus(formulas.outputs(context), biases)
        yield Alternative(own.value, (Mistake("repeat_count", values),), 26, own)
        lacking = Mistake("forgot_bias", formulas.missing_bias(context))
        yield Alternative(weights.value, (Mistake("repeat_count", reason), lacking), 26, weights)
    yield Alternative(formulas.outputs(context).value, (Mistake("unit", values),), 30, formulas.outputs(context))


def _repeated(context: LayerContext, quantity: str, tree: Node) -> Iterator[Alternative]:
    """Several equal layers counted as one, and batch normalisation counted with the convolution before it."""
    network, name = context.network, context.name
    rows = network.weighted if context.row.multiplications else ()
    alike = [row.name for row in rows if QUANTITIES[quantity].of(row) == tree.value]
    for times_counted in range(2, min(len(alike), 6) + 1):
        others = " and ".join([other for other in alike if other != name][: times_counted - 1])
        reason = say(
            "{times_counted} layers in one: {others} is as large. {name} alone counts once.",
            times_counted=times_counted,
            others=others,
            name=name,
        )
        if times_counted > 2:
            reason = say(
                "{times_counted} layers of this size in one. {name} alone counts once.",
                times_counted=times_counted,
                name=name,
            )
        step = Mistake("repeat_count", reason)
        tree_of_all = times(symbol("n", times_counted).node, tree)
        yield Alternative(tree_of_all.value, (step,), 26 + times_counted, tree_of_all)
    after = network.position[name] + 1
    if quantity == "params" and after < len(network.rows) and network.rows[after].buffers:
        bn = network.rows[after]
        other = symbol("B", bn.params).node
        step = Mistake(
            "sum_of_parts",
            say("{name} and {layer} together. Each has a row of its own.", name=name, layer=bn.name),
            called=TOGETHER,
        )
        yield Alternative(tree.value + bn.params, (step,), 22, plus(tree, other))


def _with_partner(context: LayerContext, quantity: str, tree: Node) -> Iterator[Alternative]:
    """A depthwise convolution counted with the 1×1 convolution that follows it, under the name of either."""
    for row in context.network.partners(context.name) if quantity in ("params", "multiplications") else ():
        value = QUANTITIES[quantity].of(row)
        step = Mistake(
            "sum_of_parts",
            say("{name} and {layer} together. Each has a row of its own.", name=context.name, layer=row.name),
            called=TOGETHER,
        )
        other = symbol("B", value).node
        yield Alternative(tree.value + value, (step,), 18, plus(tree, other))


def _of_others(context: LayerContext, quantity: str) -> Iterator[Alternative]:
    """The number of a neighbour: the wrong row of the table."""
    for far, row in context.network.nearest(context.name):
        if far > 1:
            return
        value = QUANTITIES[quantity].of(row)
        if value is not None and value > 999:
            step = Mistake("repeat_count", say("that is the number of {layer}, counted here again.", layer=row.name))
            yield Alternative(value, (step,), 60 + far)
