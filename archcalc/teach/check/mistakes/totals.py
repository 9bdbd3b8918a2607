"""The numbers that mistakes lead to for the sum of a column."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise

from archcalc.core.conventions import BYTES
from archcalc.core.language import all_of, mark, one_of, say
from archcalc.core.quantities import QUANTITIES
from archcalc.ops.base import elements
from archcalc.passes.analysis import Row
from archcalc.teach.check.blocks import stages_of
from archcalc.teach.check.mistakes import HABITS
from archcalc.teach.check.mistakes.base import HABIT, TOGETHER, Alternative, Mistake
from archcalc.teach.check.mistakes.context import NetworkContext
from archcalc.teach.check.mistakes.counts import doubled, in_batches, in_other_units, singles
from archcalc.teach.check.mistakes.elsewhere import other_networks, tools, variants, without_class_token
from archcalc.teach.check.mistakes.formulas import HOLDERS, OF_WEIGHTS, of_weights
from archcalc.teach.check.mistakes.trees import quantity as named
from archcalc.teach.check.numbering import is_depthwise
from archcalc.teach.reading.typos import rounded, rounded_to

#: Of a layer known only through a total, mistakes of a higher cost are far-fetched: of many layers one always fits.
_LIKELY = 24
#: Mistakes of a higher cost are not combined with another one of the same sum.
MOST_COST = 26
#: What a branch past the others is called, whose layers are easily forgotten.
_SKIPS = ("shortcut", "projection", "downsample", "skip", "residual")
_ROLES = {
    "1×1": mark("1×1 convolutions"),
    "depthwise": mark("depthwise convolutions"),
    "shortcut": mark("shortcuts"),
}
_SEQUENCES = ("attention", "recurrent")
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


def rows_inside(network: NetworkContext, block: str) -> tuple[Row, ...]:
    """The layers of a block; of the whole network without one. Raises `KeyError`."""
    if not block:
        return network.rows
    stage = stages_of(network.rows).get(block)
    if stage is not None:
        return tuple([network.rows[index] for index in stage])
    if "…" in block:  # all from one layer to another
        first, last = (network.position[name] for name in block.split("…"))
        return network.rows[first : last + 1]
    if ", " in block:  # layers and blocks that a row lists
        return tuple([row for part in block.split(", ") for row in rows_inside(network, part)])
    rows = tuple([row for row in network.rows if row.name == block or row.name.startswith(f"{block}/")])
    if not rows:
        raise KeyError(block)
    return rows


def values_of(rows: Iterable[Row], quantity: str) -> dict[str, int]:
    """The column: what each layer adds to the sum."""
    return {row.name: value for row in rows if (value := QUANTITIES[quantity].of(row)) is not None}


def total_singles(network: NetworkContext, quantity: str, block: str = "") -> list[Alternative]:
    """What one mistake anywhere leads to for the total, or for the sum over a block."""
    rows = rows_inside(network, block)
    column = values_of(rows, quantity)
    total = sum(column.values())
    whole = named("T", total)
    found = [
        *_left_out(rows, column, total, block),
        *doubled(quantity, whole),
        *in_other_units(network.analysis.dtype, quantity, whole),
        *in_batches(network.analysis.batch, quantity, whole),
        *_rounded(column),
        *_by_layer(network, rows, quantity, total),
        *shared_again(network, rows, quantity),
        *_ran_once(rows, quantity, total),
    ]
    if not block:
        found += [*_otherwise(network, quantity, total), *elsewhere(network, quantity)]
    return [one for one in found if one.value != total and one.value >= 0]


def elsewhere(network: NetworkContext, quantity: str) -> Iterator[Alternative]:
    """Totals of other variants, of other networks and of other tools."""
    yield from variants(network, quantity)
    yield from other_networks(network, quantity)
    if quantity == "multiplications":
        yield from tools(network)


def _left_out(rows: Sequence[Row], column: dict[str, int], total: int, inside: str) -> Iterator[Alternative]:
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
    layers: Counter[str] = Counter()
    for name, value in column.items():
        for cut, letter in enumerate(name):
            if letter == "/" and cut > len(inside):
                blocks[name[:cut]] += value
                layers[name[:cut]] += value > 0
    counted = set()
    for units, alternative in _equal_blocks(blocks, total):
        counted.update(units)
        yield alternative
    for block, value in blocks.items():
        # What is inside a part of the same value is said of the outermost.
        if value == total or block in counted or blocks.get(block.rpartition("/")[0]) == value:
            continue
        is_skip = any(word in block.rpartition("/")[2] for word in _SKIPS)
        if layers[block] < 2 and not is_skip:
            continue
        step = Mistake(
            "repeat_count",
            say("the layers of {block} are missing from the sum: {value:,}.", block=block, value=value),
            block,
        )
        yield Alternative(total - value, (step,), 14 if is_skip else 20)
        step = Mistake(
            "repeat_count",
            say("the layers of {block} count twice: {value:,} too many.", block=block, value=value),
            block,
        )
        yield Alternative(total + value, (step,), 22)
    yield from _of_roles(rows, column, total)
    for family, words in _FAMILIES.items():
        own = [column[row.name] for row in rows if row.op.family == family and column.get(row.name)]
        value = sum(own)
        if len(own) < 2 and len(column) > 3:
            continue  # rather the layer by its name
        if value not in (0, total) and (family != "normalisation" or inside):
            step = Mistake(
                "repeat_count", say("the {words} are missing from the sum: {value:,}.", words=say(words), value=value)
            )
            yield Alternative(total - value, (step,), 16)
            step = Mistake("repeat_count", say("the {words} alone.", words=say(words)))
            yield Alternative(value, (step,), 18)


def _of_roles(rows: Sequence[Row], column: Mapping[str, int], total: int) -> Iterator[Alternative]:
    """Layers of one role in all blocks left out: projections of shortcuts, 1×1 convolutions, depthwise ones."""
    parts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        value = column.get(row.name, 0)
        names = [name.rstrip("0123456789_") for name in row.name.split("/")[1:]]
        for role in [*dict.fromkeys(names), *_roles_of(row)] if value else ():
            parts[role][row.name] = value
    known: set[int] = {0, total}
    # Of roles with the same layers the last name is that of the layer, the others of what is around it.
    for role in sorted(parts, key=lambda role: (role not in _ROLES, len(parts[role]))):
        value, names = sum(parts[role].values()), list(parts[role])
        if value in known or len(names) < 2:
            continue
        known.add(value)
        which = say(_ROLES[role]) if role in _ROLES else say("layers called {name}", name=role)
        is_skip = any(word in role for word in _SKIPS)
        reason = say(
            "the {words} are missing from the sum, {names}: {value:,}.",
            words=which,
            names=all_of(_few(names)),
            value=value,
        )
        yield Alternative(total - value, (Mistake("repeat_count", reason),), 14 if is_skip or role in _ROLES else 17)


def _roles_of(row: Row) -> Iterator[str]:
    """What a convolution is by its window and its groups."""
    kernel = getattr(row.op, "kernel_size", ())
    if row.op.family == "convolution" and kernel == (1, 1):
        yield "1×1"
    if is_depthwise(row):
        yield "depthwise"


def _equal_blocks(blocks: Mapping[str, int], total: int) -> Iterator[tuple[list[str], Alternative]]:
    """One or more of several units of a stage left out, or one too many."""
    alike: dict[tuple[str, int], list[str]] = defaultdict(list)
    for block, value in blocks.items():
        if value and block.rpartition("/")[2].rstrip("0123456789") != block.rpartition("/")[2]:
            alike[block.rpartition("/")[0], value].append(block)
    for (_, value), names in alike.items():
        if len(names) < 2 or len(names) * value == total:
            continue
        which = one_of(_few(names))
        step = Mistake(
            "repeat_count", say("one unit too few: {which} is missing, {value:,}.", which=which, value=value)
        )
        yield names, Alternative(total - value, (step,), 12)
        step = Mistake(
            "repeat_count", say("one unit too many: {which} counts twice, {value:,}.", which=which, value=value)
        )
        yield names, Alternative(total + value, (step,), 14)
        for several in range(2, len(names) + 1):
            reason = say(
                "{count} units too few, of {names}: {value:,} each.",
                count=several,
                names=all_of(_few(names)),
                value=value,
            )
            yield names, Alternative(total - several * value, (Mistake("repeat_count", reason),), 16 + several)


def _few(names: list[str]) -> list[str]:
    return [names[0], names[1], "…", names[-1]] if len(names) > 4 else names


def _by_layer(network: NetworkContext, rows: Sequence[Row], quantity: str, total: int) -> Iterator[Alternative]:
    """A mistake in one layer, and the same in all layers."""
    everywhere: dict[tuple[str, str], list[tuple[Alternative, str]]] = defaultdict(list)
    whole: dict[tuple[str, str], int] = defaultdict(int)
    first: dict[tuple[str, str], str] = {}
    several: _Several = {}
    normalised = sum(row.buffers > 0 for row in rows)
    for row, alike in _kinds(network, rows):
        if QUANTITIES[quantity].of(row) is None:
            continue
        seen: set[str] = set()
        seen_costs: set[tuple[str, int]] = set()
        for one in singles(network.context(row), quantity):
            step = one.steps[0]
            # What counts in another row is in the sum; nobody rounds in one layer of many alone.
            if step.called == TOGETHER or step.mistake == "rounded_inputs":
                continue
            # A weight for each channel of an activation function is what many numbers are by chance.
            if step.mistake == "params_in_pool" and row.op.family != "pooling":
                continue
            # Rather the whole column is taken in another unit; a layer that comes to nothing is left out.
            is_whole = (step.mistake in ("factor_two", "unit") and step.called != HABIT) or one.value == 0
            if is_whole and step.mistake != "forgot_batch_norm":
                continue
            change = one.value - QUANTITIES[quantity].of(row)
            if step.mistake not in seen and step.mistake in HABITS:
                seen.add(step.mistake)
                seen_costs.add((step.mistake, one.cost))
                for where in _scopes(row, step.mistake):
                    whole[step.mistake, where] += int(change) * len(alike)
                    everywhere[step.mistake, where] += [(one, name) for name in alike]
                    first.setdefault((step.mistake, where), row.name)
            elif step.called == HABIT or (step.mistake in HABITS and (step.mistake, one.cost) not in seen_costs):
                # Another mistake of the same kind, or a way to count.
                seen_costs.add((step.mistake, one.cost))
                where = f"{one.cost}"
                whole[step.mistake, where] += int(change) * len(alike)
                everywhere[step.mistake, where] += [(one, name) for name in alike]
            if row.op.family in _SEQUENCES and one.cost <= _LIKELY:
                # Of their many parts each may be counted otherwise in all layers.
                where = f"{row.op.kind} {one.cost} {step.reason.partition('.')[0]}"
                whole[step.mistake, where] += int(change) * len(alike)
                everywhere[step.mistake, where] += [(one, name) for name in alike]
            is_habit = step.mistake == "counted_running_statistics" and normalised > 1
            if is_habit or one.cost > _LIKELY:
                continue
            others = " " + say("It may also be {alike}.", alike=one_of(_few(alike[1:]))) if len(alike) > 1 else ""
            placed = step._replace(reason=step.reason + others, layer=row.name, quantity=step.quantity or quantity)
            cost = one.cost + 14
            if step.mistake == "counted_running_statistics":
                cost = one.cost + 4  # what Keras and many tables count
            yield Alternative(total + change, (placed,), cost, one.tree)
            if step.mistake in HABITS:
                single = Alternative(one.value, (step._replace(quantity=placed.quantity),), one.cost)
                several.setdefault((row.op.kind, step.mistake, change), (single, []))[1].extend(alike)
    yield from _in_several(several, total)
    if quantity == "params":
        yield from _bias_for_norm(network, rows, total)
    yield from _in_all(everywhere, {key: total + change for key, change in whole.items()}, first, quantity)


def _in_all(
    everywhere: Mapping[tuple[str, str], list[tuple[Alternative, str]]],
    totals: Mapping[tuple[str, str], int],
    first: Mapping[tuple[str, str], str],
    quantity: str,
) -> Iterator[Alternative]:
    """The same mistake in all layers, with the sums that it leads to; `first` names the first layer of each."""
    told: set[tuple[str, tuple[str, ...]]] = set()
    for (mistake, where), placed in everywhere.items():
        ones, names = [one for one, _ in placed], list(dict.fromkeys(name for _, name in placed))
        if mistake == "forgot_batch_norm" and (mistake, tuple(names)) in told:
            continue
        told.add((mistake, tuple(names)))
        if len(ones) == 1 and where == "weights":
            # The only bias of the network: whoever forgets biases forgets it.
            step = ones[0].steps[0]._replace(layer=first[mistake, where], quantity=quantity)
            yield Alternative(totals[mistake, where], (step,), ones[0].cost + 4, ones[0].tree)
        if len(ones) > 1:
            reason = ones[0].steps[0].reason
            step = Mistake(
                mistake,
                say(
                    "in all {count} layers that this concerns, {names}. For example: {reason}",
                    count=len(names),
                    names=all_of(_few(names)),
                    reason=reason,
                ),
            )
            # A normalisation without its shift is rather left out as a whole.
            cost = min(one.cost for one in ones) + (12 if where == "normalisation" else 4)
            yield Alternative(totals[mistake, where], (step,), cost)


def _scopes(row: Row, mistake: str) -> tuple[str, ...]:
    """Where a habit holds: everywhere; a bias forgotten, also in a family, in filters and neurons, in all weights.

    Normalisations are forgotten all, or those of one kind.
    """
    if mistake == "forgot_batch_norm":
        return "", row.op.kind
    if mistake != "forgot_bias":
        return ("",)
    family = row.op.family
    filters = ("filters",) if family in HOLDERS else ()
    return ("", family, *filters, "weights") if row.multiplications else ("", family)


def _kinds(network: NetworkContext, rows: Sequence[Row]) -> Iterator[tuple[Row, list[str]]]:
    """Layers that are not of one size with an earlier one, each with the names of all that are."""
    own = {row.name for row in rows}
    for row in rows:
        alike = [name for name in network.alike(row.name) if name in own]
        if row.inputs and alike[0] == row.name:
            yield row, alike


def _bias_for_norm(network: NetworkContext, rows: Sequence[Row], total: int) -> Iterator[Alternative]:
    """Each convolution before a batch normalisation with a bias of its own, and the normalisation not counted."""
    plain = [row for row in rows if getattr(row.op, "bias", None) is False and row.op.family == "convolution"]
    norms = [row for row in rows if row.buffers]
    after = {row.name: other for row, other in pairwise(network.rows)}
    pairs = [row for row in plain if after.get(row.name) in norms]
    for few, left in ((pairs, [after[row.name] for row in pairs]), (plain, norms)):
        change = sum(row.output_shape[0] for row in few) - sum(row.params for row in left)
        names = [row.name for row in few]
        if not names or not left or (few is plain and len(pairs) == len(plain)):
            continue
        reason = say(
            "a bias for each filter of {names} instead of batch normalisation, which has γ and β for each.",
            names=all_of(_few(names)),
        )
        yield Alternative(total + change, (Mistake("forgot_batch_norm", reason),), 14 + 4 * (few is plain))


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
    if len(values) < 2:
        return

    def of(near: Callable[[int], int], how: str, cost: int) -> Alternative:
        reason = say("the sum of numbers that were rounded to {how}. Round the sum alone.", how=how)
        return Alternative(sum(near(value) for value in values), (Mistake("rounded_inputs", reason),), cost)

    for digits in (3, 2, 1):
        yield of(partial(rounded, digits=digits), say("{digits} digits", digits=digits), 26 - digits)
    for unit, how in ((1000, say("thousands")), (100_000, say("0.1 million")), (1_000_000, say("millions"))):
        yield of(partial(rounded_to, unit=unit), how, 24)


def _otherwise(network: NetworkContext, quantity: str, total: int) -> Iterator[Alternative]:
    """Other sums of the same network."""
    tokens = [row for row in network.rows if row.op.kind == "class_token"]
    if tokens:
        moved = [(row, next(without_class_token(network.context(row)), None)) for row in network.rows]
        step = next(found[1] for _, found in moved if found is not None)
        values = [
            0 if row in tokens and quantity in OF_WEIGHTS else QUANTITIES[quantity].of(found[0] if found else row)
            for row, found in moved
        ]
        if None not in values:
            yield Alternative(sum(values), (step,), 14)
    totals, size = network.analysis.totals, BYTES[network.analysis.dtype]
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


def _ran_once(rows: Iterable[Row], quantity: str, total: int) -> Iterator[Alternative]:
    """The multiplications of layers with the weights of others left out, as if these had run once."""
    again = [row for row in rows if row.weights_of is not None]
    less = sum(QUANTITIES[quantity].of(row) for row in again) if quantity == "multiplications" else 0
    if less:
        reason = say(
            "shared weights are counted once. They multiply each time that they are used: {names} add {less:,}.",
            names=all_of(_few([row.name for row in again])),
            less=less,
        )
        yield Alternative(total - less, (Mistake("repeat_count", reason),), 10)


def total_pairs(singles_found: list[Alternative], total: int, limit: int = 700) -> list[Alternative]:
    """The more likely mistakes of a total, two of which may have been made together; as changes of the total."""
    usual = sorted((one for one in singles_found if one.cost <= MOST_COST and one.value != 0), key=lambda one: one.cost)
    unique: dict[int | Fraction, Alternative] = {}
    for one in usual:
        unique.setdefault(one.value - total, one)
    return list(unique.values())[:limit]
