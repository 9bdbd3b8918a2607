"""The numbers that mistakes lead to for the sum of a column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial

from archcalc.core.conventions import BYTES
from archcalc.core.language import all_of, mark, one_of, say
from archcalc.core.quantities import QUANTITIES
from archcalc.ops.base import elements
from archcalc.passes.analysis import Row
from archcalc.teach.check.mistakes.base import Alternative, Mistake
from archcalc.teach.check.mistakes.context import NetworkContext
from archcalc.teach.check.mistakes.counts import doubled, in_other_units, singles
from archcalc.teach.check.mistakes.elsewhere import tools, variants
from archcalc.teach.check.mistakes.formulas import HOLDERS, OF_WEIGHTS, of_weights
from archcalc.teach.check.mistakes.trees import quantity as named
from archcalc.teach.reading.typos import rounded, rounded_to

#: Mistakes that someone who makes them makes in every layer.
_EVERYWHERE = (
    "forgot_bias", "added_bias", "bias_per_weight", "forgot_input_channels", "forgot_output_channels",
    "forgot_groups", "kernel_not_squared", "forgot_batch_norm", "counted_running_statistics", "params_in_pool",
    "multiplications_without_positions", "positions_of_input", "forgot_padding", "padding_once", "forgot_plus_one",
    "floor_ceil", "forgot_stride", "map_size_as_kernel",
)  # fmt: skip
#: Of a layer known only through a total, mistakes of a higher cost are far-fetched.
_LIKELY = 32
#: Mistakes of a higher cost are not combined with another one of the same sum.
MOST_COST = 36
_FAMILIES = {
    "convolution": mark("convolutions"),
    "dense": mark("dense layers"),
    "normalisation": mark("normalisation layers"),
    "pooling": mark("pooling layers"),
    "merge": mark("layers that join maps"),
    "parameter": mark("trained arrays"),
    "input": mark("input"),
}
#: Mistakes by op, id and change of the sum: one of each, and the layers in which it may have been made.
_Several = dict[tuple[str, str, int | Fraction], tuple[Alternative, list[str]]]


def values_of(network: NetworkContext, quantity: str) -> dict[str, int]:
    """The column: what each layer adds to the sum."""
    return {row.name: value for row in network.rows if (value := QUANTITIES[quantity].of(row)) is not None}


def total_singles(network: NetworkContext, quantity: str) -> list[Alternative]:
    """What one mistake anywhere leads to for the total."""
    column = values_of(network, quantity)
    total = sum(column.values())
    found = [
        *_left_out(network, column, total),
        *doubled(quantity, named("T", total)),
        *in_other_units(network.analysis.dtype, quantity, named("T", total)),
        *_rounded(column),
        *_by_layer(network, quantity, total),
        *_otherwise(network, quantity, total),
        *elsewhere(network, quantity),
    ]
    return [one for one in found if one.value != total and one.value >= 0]


def elsewhere(network: NetworkContext, quantity: str) -> Iterator[Alternative]:
    """Totals of other variants and of other tools."""
    yield from variants(network, quantity)
    if quantity == "multiplications":
        yield from tools(network.analysis)


def _left_out(network: NetworkContext, column: dict[str, int], total: int) -> Iterator[Alternative]:
    """Layers, blocks and families left out, or counted twice."""
    alike: dict[int, list[str]] = defaultdict(list)
    for name, value in column.items():
        if value:
            alike[value].append(name)
    for value, names in alike.items():
        which = names[0] if len(names) == 1 else say("one of {names}", names=one_of(_few(names)))
        where = names[0] if len(names) == 1 else ""
        step = Mistake("repeat_count", say("the sum lacks {which}: {value:,}.", which=which, value=value), where)
        yield Alternative(total - value, (step,), 18)
        step = Mistake(
            "repeat_count", say("the sum has {which} twice: {value:,} too many.", which=which, value=value), where
        )
        yield Alternative(total + value, (step,), 22)
        for several in range(2, len(names) + 1):
            step = Mistake(
                "repeat_count",
                say(
                    "the sum lacks {several} of {names}: {several}·{value:,}.",
                    several=several,
                    names=all_of(_few(names)),
                    value=value,
                ),
            )
            yield Alternative(total - several * value, (step,), 24 + several)
    blocks: dict[str, int] = defaultdict(int)
    for name, value in column.items():
        for cut, letter in enumerate(name):
            if letter == "/":
                blocks[name[:cut]] += value
    for block, value in blocks.items():
        step = Mistake(
            "repeat_count",
            say("the layers of {block} are missing from the sum: {value:,}.", block=block, value=value),
            block,
        )
        yield Alternative(total - value, (step,), 20)
        step = Mistake(
            "repeat_count",
            say("the layers of {block} count twice: {value:,} too many.", block=block, value=value),
            block,
        )
        yield Alternative(total + value, (step,), 22)
    for family, words in _FAMILIES.items():
        value = sum(column[row.name] for row in network.rows if row.op.family == family)
        if value and family != "normalisation":
            step = Mistake(
                "repeat_count", say("the {words} are missing from the sum: {value:,}.", words=say(words), value=value)
            )
            yield Alternative(total - value, (step,), 16)
            step = Mistake("repeat_count", say("the {words} alone.", words=say(words)))
            yield Alternative(value, (step,), 18)


def _few(names: list[str]) -> list[str]:
    return [names[0], names[1], "…", names[-1]] if len(names) > 4 else names


def _by_layer(network: NetworkContext, quantity: str, total: int) -> Iterator[Alternative]:
    """A mistake in one layer, and the same in all layers."""
    everywhere: dict[tuple[str, str], list[Alternative]] = defaultdict(list)
    whole: dict[tuple[str, str], int] = defaultdict(int)
    several: _Several = {}
    for row, alike in _kinds(network):
        if QUANTITIES[quantity].of(row) is None:
            continue
        seen: set[str] = set()
        for one in singles(network.context(row), quantity):
            step = one.steps[0]
            # Rather the whole column is taken in another unit; a layer that comes to nothing is left out.
            is_whole = step.mistake in ("factor_two", "unit") or one.value == 0
            if is_whole and step.mistake != "forgot_batch_norm":
                continue
            change = one.value - QUANTITIES[quantity].of(row)
            if step.mistake not in seen and step.mistake in _EVERYWHERE:
                seen.add(step.mistake)
                for where in _scopes(row, step.mistake):
                    whole[step.mistake, where] += int(change) * len(alike)
                    everywhere[step.mistake, where] += [one] * len(alike)
            others = " " + say("It may also be {alike}.", alike=one_of(_few(alike[1:]))) if len(alike) > 1 else ""
            placed = step._replace(reason=step.reason + others, layer=row.name, quantity=step.quantity or quantity)
            cost = one.cost + (14 if one.cost <= _LIKELY else 46)
            if step.mistake == "counted_running_statistics":
                cost = one.cost + 4  # what Keras and many tables count
            yield Alternative(total + change, (placed,), cost, one.tree)
            if step.mistake in _EVERYWHERE:
                single = Alternative(one.value, (step._replace(quantity=placed.quantity),), one.cost)
                several.setdefault((row.op.kind, step.mistake, change), (single, []))[1].extend(alike)
    yield from _in_several(several, total)
    for (mistake, where), ones in everywhere.items():
        if len(ones) > 1:
            reason = ones[0].steps[0].reason
            step = Mistake(
                mistake,
                say("in all {count} layers that this concerns. For example: {reason}", count=len(ones), reason=reason),
            )
            yield Alternative(total + whole[mistake, where], (step,), min(one.cost for one in ones) + 4)


def _scopes(row: Row, mistake: str) -> tuple[str, ...]:
    """Where a habit holds: everywhere; a bias forgotten, also in a family, in filters and neurons, in all weights."""
    if mistake != "forgot_bias":
        return ("",)
    family = row.op.family
    filters = ("filters",) if family in HOLDERS else ()
    return ("", family, *filters, "weights") if row.multiplications else ("", family)


def _kinds(network: NetworkContext) -> Iterator[tuple[Row, list[str]]]:
    """Layers that are not of one size with an earlier one, each with the names of all that are."""
    for row in network.rows:
        alike = network.alike(row.name)
        if row.inputs and alike[0] == row.name:
            yield row, alike


def _in_several(several: _Several, total: int) -> Iterator[Alternative]:
    """The same mistake in some of the layers in which it changes as much."""
    for (_, _, change), (one, names) in several.items():
        for number in range(2, min(len(names), 6) + 1):
            which = (
                all_of(_few(names))
                if number == len(names)
                else say("{number} of {names}", number=number, names=all_of(_few(names)))
            )
            step = one.steps[0]._replace(reason=say("in {which}: {reason}", which=which, reason=one.steps[0].reason))
            yield Alternative(total + number * change, (step,), one.cost + 18 + number)


def _rounded(column: dict[str, int]) -> Iterator[Alternative]:
    """The sum of rounded numbers."""
    values = [value for value in column.values() if value]

    def of(near: Callable[[int], int], how: str, cost: int) -> Alternative:
        reason = say("the sum of numbers that were rounded to {how}. Round the sum alone.", how=how)
        return Alternative(sum(near(value) for value in values), (Mistake("rounded_inputs", reason),), cost)

    for digits in (3, 2, 1):
        yield of(partial(rounded, digits=digits), say("{digits} digits", digits=digits), 26 - digits)
    for unit, how in ((1000, say("thousands")), (100_000, say("0.1 million")), (1_000_000, say("millions"))):
        yield of(partial(rounded_to, unit=unit), how, 24)


def _otherwise(network: NetworkContext, quantity: str, total: int) -> Iterator[Alternative]:
    """Other sums of the same network."""
    totals, size = network.analysis.totals, BYTES[network.analysis.dtype]
    yield from shared_again(network, network.rows, quantity)
    if quantity in ("activations", "activation_bytes"):
        scale = 1 if quantity == "activations" else size * network.analysis.batch
        every = sum(elements(row.output_shape) for row in network.rows) * scale
        reason = say("layers that work in place are counted too. They store nothing of their own.")
        yield Alternative(every, (Mistake("repeat_count", reason),), 20)
        peak = totals.peak_activation_bytes // (1 if quantity == "activation_bytes" else size * network.analysis.batch)
        reason = say(
            "that is the most that is alive at one time, at {peak_layer}. The question asks for the sum.",
            peak_layer=totals.peak_layer,
        )
        yield Alternative(peak, (Mistake("sum_of_parts", reason),), 22)
    if quantity == "activation_bytes":
        both = total + totals.param_bytes
        yield Alternative(both, (Mistake("sum_of_parts", say("the parameters are counted too.")),), 22)
        reason = say("that is the memory of the parameters. The question asks for that of the activations.")
        yield Alternative(totals.param_bytes, (Mistake("unit", reason),), 20)


def shared_again(network: NetworkContext, rows: Iterable[Row], quantity: str) -> Iterator[Alternative]:
    """The sum over some rows with weights that layers share counted for each of them."""
    rows = list(rows)
    shared = [network.context(row) for row in rows if row.weights_of is not None]
    again = sum(of_weights(context, quantity).value for context in shared) if quantity in OF_WEIGHTS else 0
    if again:
        owners = all_of(_few(list(dict.fromkeys(str(one.row.weights_of) for one in shared))))
        names = all_of(_few([one.name for one in shared]))
        reason = say(
            "weights that layers share count once, at {owners}. Those of {names} are not new: {again:,}.",
            owners=owners,
            names=names,
            again=again,
        )
        total = sum(QUANTITIES[quantity].of(row) for row in rows)
        yield Alternative(total + again, (Mistake("repeat_count", reason),), 12)


def total_pairs(singles_found: list[Alternative], total: int, limit: int = 700) -> list[Alternative]:
    """The more likely mistakes of a total, two of which may have been made together; as changes of the total."""
    usual = sorted((one for one in singles_found if one.cost <= MOST_COST and one.value != 0), key=lambda one: one.cost)
    unique: dict[int | Fraction, Alternative] = {}
    for one in usual:
        unique.setdefault(one.value - total, one)
    return list(unique.values())[:limit]
