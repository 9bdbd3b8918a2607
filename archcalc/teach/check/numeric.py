"""Diagnoses of numbers: parameters, multiplications, stored values, memory, and the sums of these columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations
from math import prod
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.explain.derive.notation import number
from archcalc.explain.derive.steps import substituted
from archcalc.explain.derive.trace import Node, number_node
from archcalc.passes.analysis import Row
from archcalc.teach.check import explain
from archcalc.teach.check.mistakes import formulas
from archcalc.teach.check.mistakes.base import (
    HABIT,
    LAST_RESORT,
    OTHER_NETWORK,
    PAIR,
    TOGETHER,
    UPSTREAM,
    Alternative,
    Explanation,
    Mistake,
)
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.counts import in_place, pairs, singles
from archcalc.teach.check.mistakes.elsewhere import (
    MOST_OF_VARIANT,
    in_variants,
    other_inputs,
    size_reason,
    variants,
    without_class_token,
)
from archcalc.teach.check.mistakes.sizes import written
from archcalc.teach.check.mistakes.totals import rows_inside, total_pairs, total_singles, values_of
from archcalc.teach.check.mistakes.trees import letters, named, put
from archcalc.teach.check.mistakes.upstream import carried
from archcalc.teach.check.precision import by_thousands, cut_off, in_powers_of_1024, is_precise, no_digit, slips
from archcalc.teach.check.search import LARGEST_CHANCE, Index, Tables
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.typos import describe_typo

#: Mistakes that are cheaper are made every day.
USUAL = 21
#: A part of a rounded sum is seen to be missing from so many units of its last digit on.
SEEN_CHANGE = 20
#: How likely an explanation of a rounded number may be an accident.
ROUNDED_CHANCE = Fraction(1, 4)
#: The same of a mistake in some layers of a sum.
CHANGE_CHANCE = Fraction(1, 8)
#: Mistakes with a sum as a whole.
_OF_THE_WHOLE = ("other_variant", "other_tool", "other_input", "unit", "factor_two", "rounded_inputs", "sum_of_parts")
_ELSEWHERE = ("other_variant", "other_tool")
#: More numbers than this are not multiplied with one another.
_MOST_FACTORS = 8
#: The same as `UPSTREAM` of a mistake with the very layer that is read.
_NEXT = 4
#: How many pairs of mistakes are shown: more of them say less.
MOST_PAIRS = 2


class _Column(NamedTuple):
    """The mistakes of a total and their changes, ready to be added to one another."""

    table: Index
    changes: list[tuple[Fraction, Alternative]]


def of_count(tables: Tables, row: Row, quantity: str, stated: Stated) -> list[Explanation]:
    """Diagnoses of one layer's number."""
    if stated.low is None or stated.high is None:
        return [_unknown_kind(quantity)]
    context = tables.network.context(row)
    right = formulas.right(context, quantity)
    if row.weights_of is not None and quantity in formulas.OF_WEIGHTS:
        return [] if stated.holds(0) else _counted_again(tables, context, quantity, stated)
    key = (row.name, quantity, row.input_shapes, row.output_shape)
    if stated.holds(right.value):
        return []
    if stated.value == 0 and (empty := list(no_digit(right.value, stated))):
        return empty
    index = tables.get((*key, 1), lambda: Index([*singles(context, quantity), *in_place(context, quantity)]))
    found = [_found(one, stated) for one in _likely(index, stated)]
    found += list(in_powers_of_1024(right.value, stated)) or cut_off(right.value, stated)
    found += by_thousands(right.value, stated)
    found += _written(context, right, stated, found)
    if stated.low == stated.high:
        inputs = tables.get((*key, "input"), lambda: Index(_on_other_input(context, quantity, right.value)))
        found += [_found(one, stated) for one in inputs.find(stated.low, stated.high)[:1]]
    found += slips(right.value, stated, found)
    early = tables.get((*key, "up"), lambda: Index(_upstream(context, quantity, right.value)))
    if stated.low == stated.high or early.chance(stated.low, stated.high) <= LARGEST_CHANCE:
        found += [_carried(one) for one in early.find(stated.low, stated.high)[:1]]
    is_written = stated.expression is not None and not any(_unlike(one.tree, stated) < 0 for one in found)
    if not found or is_written:
        both = tables.get((*key, 2), lambda: Index(pairs(context, quantity)))
        if both.chance(stated.low, stated.high) <= LARGEST_CHANCE:
            # Next to a single mistake, only a pair that has the very numbers that were written.
            two = [one for one in both.find(stated.low, stated.high) if not found or _unlike(one.tree, stated) < 0]
            found += [_found(one, stated) for one in two][:MOST_PAIRS]
    return _as_written(found, stated) or [_unknown(context, quantity, right, stated)]


def _counted_again(tables: Tables, context: LayerContext, quantity: str, stated: Stated) -> list[Explanation]:
    """Diagnoses of a count of weights that belong to another layer: right or wrong as a count of them."""
    again = formulas.again(context)
    own = context.as_owner()
    count = formulas.right(own, quantity)
    if stated.holds(count.value):
        return [_found(Alternative(count.value, (again,), 10, count), stated)]
    made = of_count(tables, own.row, quantity, stated)
    if made[0].steps[0].mistake == "unknown":
        return [_unknown(context, quantity, formulas.right(context, quantity), stated)]
    besides = say("Besides, {reason}", reason=again.reason)
    return [one._replace(steps=(again, *one.steps), explanation=f"{one.explanation} {besides}") for one in made]


def _as_written(found: list[Explanation], stated: Stated) -> list[Explanation]:
    """Explanations that may have led to the written calculation, if there is one.

    Where a mistake has exactly its numbers, no further typo is looked for.
    """
    found = [one for one in found if not _contradicts(one.tree, stated)]
    if stated.expression is None or not any(_unlike(one.tree, stated) < 0 for one in found):
        return found
    return [one for one in found if one.cost < LAST_RESORT or _unlike(one.tree, stated) < 0]


def of_sum(tables: Tables, quantity: str, stated: Stated, block: str = "") -> list[Explanation]:
    """Diagnoses of the sum of a column, or of a block."""
    if stated.low is None or stated.high is None:
        return [_unknown_kind(quantity)]
    total = sum(values_of(rows_inside(tables.network, block), quantity).values())
    if stated.holds(total):
        return []
    if stated.value == 0:
        return [*no_digit(total, stated), _unknown_sum(total)][:1]
    column = tables.get(("total", quantity, block), lambda: _column(tables, quantity, total, block))
    likely = [one for one in _likely(column.table, stated) if _is_seen(one, total, stated)]
    likely = [one for one in likely if _is_telling(column, one, total)]
    alone = [one for one in likely if len(one.steps) == 1]
    found = [_found(one, stated) for one in alone or likely]
    found += list(in_powers_of_1024(total, stated)) or cut_off(total, stated)
    found += by_thousands(total, stated)
    found += slips(total, stated, found)
    if not found and not block:
        found += _cut_off_elsewhere(tables, quantity, stated)
    if not found and stated.low == stated.high:
        found += [_found(one, stated) for one in _two_changes(column, stated.low - total, total)]
    return found or [_unknown_sum(total)]


def _is_seen(one: Alternative, total: int, stated: Stated) -> bool:
    """Whether a rounded sum shows that a part is missing or there twice: it has two digits of that part."""
    if stated.low is None or stated.high is None or one.steps[0].mistake not in ("repeat_count", "sum_of_parts"):
        return True
    return abs(Fraction(one.value) - total) >= SEEN_CHANGE * (stated.high - stated.low)


def _is_telling(column: _Column, one: Alternative, total: int) -> bool:
    """Whether a mistake in some layers of a sum says more than chance: of many small changes one always fits."""
    step = one.steps[0]
    is_of_layers = step.mistake not in _OF_THE_WHOLE or step.called == HABIT
    is_of_a_layer = one.tree is not None or step.mistake != "repeat_count"
    if not is_of_layers or not is_of_a_layer:
        return True
    return column.table.chance_of_change(total, Fraction(one.value) - total, one.cost) <= CHANGE_CHANCE


def _unknown_sum(total: int) -> Explanation:
    return Explanation(0, (Mistake("unknown", ""),), explain.unknown(say("The sum is {total}.", total=number(total))))


def _likely(index: Index, stated: Stated) -> list[Alternative]:
    """Single mistakes that give the number. A far-fetched one is only reported where nothing else is found.

    A rounded number fits many: where by accident some mistake would, only the usual ones count.
    """
    assert stated.low is not None
    assert stated.high is not None
    found = [one for one in index.find(stated.low, stated.high) if _has_that_unit(one, stated)]
    if stated.low < stated.high:
        # What is right elsewhere are few numbers, which are hardly met by accident.
        known = [
            one
            for one in found
            if one.steps[0].mistake in _ELSEWHERE
            and one.cost < OTHER_NETWORK
            and is_precise(stated, _OF_VARIANTS if one.cost <= MOST_OF_VARIANT else _OF_OTHERS)
        ]
        units = [one for one in found if stated.unit and one.steps[0].mistake == "unit"] + known
        for most in (LAST_RESORT, USUAL):
            found = [one for one in found if one.cost < most]
            if index.chance(stated.low, stated.high, most) <= ROUNDED_CHANCE:
                return [*found, *(one for one in known if one not in found)]
        return units
    return [one for one in found if one.cost < LAST_RESORT] or found


#: The digits that count of a rounded number for a total of other variants of the network, which are few, and others.
_OF_VARIANTS, _OF_OTHERS = 2, 3


def _has_that_unit(one: Alternative, stated: Stated) -> bool:
    """Whether a unit that a mistake mixes up with another is the one that was written."""
    unit, written = one.steps[0].called.lower(), stated.text.lower()
    return unit in ("", TOGETHER, HABIT) or "b" not in written or unit in written


def _column(tables: Tables, quantity: str, total: int, block: str) -> _Column:
    ones = total_singles(tables.network, quantity, block)
    return _Column(Index(ones), [(Fraction(one.value - total), one) for one in total_pairs(ones, total)])


def _two_changes(column: _Column, change: Fraction, total: int) -> list[Alternative]:
    """Two mistakes in a sum whose changes add up to the difference, where that can hardly be an accident."""
    by_change = dict(column.changes)
    made = []
    for own, one in column.changes:
        other = by_change.get(change - own)
        # Nobody looks for two large mistakes that nearly cancel each other.
        is_direct = max(abs(own), abs(change - own)) <= 2 * abs(change)
        if other is not None and is_direct and own < change - own and _apart(one, other):
            steps = (*one.steps, *other.steps)
            made.append(Alternative(total + change, steps, one.cost + other.cost + PAIR))
    near = sum(abs(change) / 2 <= abs(own) <= 2 * abs(change) for own, _ in column.changes)
    chance = Fraction(near * len(column.changes)) / (3 * abs(change)) if change else Fraction(1)
    if chance > LARGEST_CHANCE:
        return []
    return sorted(made, key=lambda one: one.cost)[:MOST_PAIRS]


def _apart(one: Alternative, other: Alternative) -> bool:
    """Whether two changes of a sum may be added: those of one layer would change each other."""
    return one.steps[0].layer != other.steps[0].layer or not one.steps[0].layer


def _found(one: Alternative, stated: Stated) -> Explanation:
    exact = stated.low == stated.high
    shown = ""
    if one.tree is not None and one.tree.kind != "number" and not one.steps[0].layer:
        value = "" if exact else say(" = {value}, rounded", value=number(one.tree.value))
        shown = explain.calculation(one.tree) + value
    words = explain.sentence(one.steps, shown, say("Your number"), exact)
    if one.steps[0].layer and len(one.steps) == 1:
        words = _elsewhere(one)
    return Explanation(one.cost + _unlike(one.tree, stated), one.steps, words, one.tree)


def _carried(one: Alternative) -> Explanation:
    reason = one.steps[0].reason
    return Explanation(one.cost, one.steps, explain.capital(reason), one.tree)


def _elsewhere(one: Alternative) -> str:
    """A mistake in a layer that the number only follows from."""
    step = one.steps[0]
    if step.mistake == "repeat_count" and one.tree is None:
        return explain.capital(step.reason)
    if one.tree is not None and step.mistake != "carried_forward":
        return say(
            "Your sum has {tree} for {layer}: {reason}",
            tree=explain.result(one.tree),
            layer=step.layer,
            reason=step.reason,
        )
    return explain.capital(step.reason)


def _numbers(tree: Node) -> Counter[int]:
    """The numbers of a calculation; a factor of 1 need not be written."""
    ones = sum(part.is_atom and part.value == 1 for node in tree.walk() if node.kind == "*" for part in node.parts)
    found = Counter(node.value for node in tree.walk() if node.is_atom)
    return found - Counter({1: ones})


def _unlike(tree: Node | None, stated: Stated) -> int:
    """What it costs that an explanation's calculation has other numbers than the one that was written."""
    if stated.expression is None or stated.expression.is_atom:
        return 0
    if tree is None:
        return 20
    own, written = _numbers(substituted(tree)), _numbers(stated.expression)
    left, others = own - written, written - own
    if not left and not others:
        return -20
    for value in list(others.elements()):
        # 363 stands for 11·11·3.
        parts = _factors(value, left)
        if parts:
            left -= parts
            others[value] -= 1
    differ = left.total() + others.total()
    return -10 if not differ else min(10 * differ, 40)


def _contradicts(tree: Node | None, stated: Stated) -> bool:
    """Whether a number was written that an explanation's calculation has not, nor as a product or part of its own."""
    if tree is None or tree.is_atom or stated.expression is None or stated.expression.is_atom:
        return False
    nodes = list(substituted(tree).walk())
    known = {node.value for node in nodes}
    sums = [node.value for node in nodes if node.kind == "+"]
    own, written = _numbers(nodes[0]), _numbers(stated.expression)
    products = [own, *[Counter(_factors_of(node)) for node in nodes if node.kind == "*"]]
    parts = [value for value in own - written if _factors(value, written)]

    def is_of(value: int) -> bool:
        return (
            value in known
            or any(_factors(value, one) for one in products)
            or any(part % value == 0 for part in parts)
            or any(one % value == 0 and one // value in known for one in sums)  # 23·23·614656 for a sum of products
        )

    return not all(is_of(value) for value in written if value > 1)


def _factors_of(node: Node) -> Iterator[int]:
    """The values that are multiplied."""
    for part in node.parts if node.kind == "*" else ():
        yield from _factors_of(part) if part.kind == "*" else (part.value,)


def _factors(value: int, numbers: Counter[int]) -> Counter[int]:
    """Some of these numbers whose product is the value; nothing where there are none, or too many to try."""
    given = [one for one in numbers.elements() if one > 1]
    if len(given) <= _MOST_FACTORS:
        for count in range(2, len(given) + 1):
            for some in combinations(given, count):
                if prod(some) == value:
                    return Counter(some)
    return Counter()


def _on_other_input(context: LayerContext, quantity: str, right: int) -> Iterator[Alternative]:
    """Numbers that are right for another size of the network's input, or without its class token."""
    for other in other_inputs(context):
        tree = formulas.right(LayerContext(context.network, other.row), quantity)
        if tree.value != right:
            step = Mistake("other_input", size_reason(context.network, other.size))
            yield Alternative(tree.value, (step,), 30, tree)
    for row, step in in_variants(context):
        value = QUANTITIES[quantity].of(row)
        if value not in (None, right):
            yield Alternative(value, (step,), 18)
    for row, step in without_class_token(context):
        tree = formulas.right(LayerContext(context.network, row), quantity)
        if tree.value != right:
            yield Alternative(tree.value, (step,), 12, tree)


def _cut_off_elsewhere(tables: Tables, quantity: str, stated: Stated) -> Iterator[Explanation]:
    """The total of another variant of the network, cut off: 3.8G of 3,857,973,248."""
    if not is_precise(stated, _OF_VARIANTS):
        return
    for one in tables.get(("variants", quantity), lambda: list(variants(tables.network, quantity))):
        for cut in cut_off(int(one.value), stated) if one.cost <= MOST_OF_VARIANT else ():
            words = f"{explain.capital(one.steps[0].reason)} {cut.explanation}"
            yield Explanation(one.cost + cut.cost, (one.steps[0],), words)
            return


#: What it is when another number stands in the place of a letter.
_BY_LETTER = {
    "D₁": "wrong_input_channels",
    "N₁": "wrong_input_channels",
    "F": "wrong_kernel",
    "K": "forgot_output_channels",
    "G": "forgot_groups",
}


def _written(context: LayerContext, right: Node, stated: Stated, found: Iterable[Explanation]) -> Iterator[Explanation]:
    """A number of the written calculation in the place of another: the one edit that leads from right to wrong."""
    if stated.expression is None or any(True for _ in found) or not right.value:
        return
    assert stated.low is not None
    assert stated.high is not None
    written = _numbers(stated.expression)
    for letter, node in letters(right).items():
        mistake = _BY_LETTER.get(letter)
        if mistake is None:
            continue
        for value in sorted(written):
            if value == node.value or value < 1:
                continue
            made = put(right, {letter: named(node, value)})
            if stated.low <= made.value <= stated.high:
                meaning = node.symbol.meaning if node.symbol is not None else ""
                reason = say(
                    "{value} stands where {right} belongs: {meaning}.",
                    value=number(value),
                    right=number(node.value),
                    meaning=say(meaning),
                )
                slip = describe_typo(node.value, value)
                step = Mistake(mistake, reason + (f" {context.reads()}" if mistake == "wrong_input_channels" else ""))
                shown = explain.calculation(made)
                yield Explanation(30, (step,), explain.sentence((step,), shown, say("Your number")), made)
                if slip:
                    words = say("{slip}: in {shown}.", slip=explain.capital(slip), shown=shown)
                    yield Explanation(40, (Mistake("digit_slip", slip),), words, made)


def _upstream(context: LayerContext, quantity: str, right: int) -> Iterator[Alternative]:
    for one in carried(context):
        tree = formulas.right(LayerContext(context.network, one.row), quantity)
        if tree.value == right or not tree.value:
            continue
        cause, source = one.mistake.steps[0], one.source
        size = written(one.mistake.sizes)
        reason = say(
            "right, had {layer} given {size} ({trees}): there {reason} So {reader} calculates {tree}.",
            layer=source.name,
            size=size,
            trees=explain.all_axes(one.mistake.trees),
            reason=cause.reason,
            reader=context.name,
            tree=explain.calculation(tree),
        )
        steps = (Mistake("carried_forward", reason), cause._replace(layer=source.name, reason=reason))
        # The map before the pool that a layer reads is taken more often than any that is further away.
        is_next = source.name in context.row.inputs and cause.mistake == "positions_of_input"
        yield Alternative(tree.value, steps, one.mistake.cost + (_NEXT if is_next else UPSTREAM), tree)


def _unknown(context: LayerContext, quantity: str, right: Node, stated: Stated) -> Explanation:
    what = say("It is {right}.", right=explain.result(right))
    if not right.value:
        what = say("It is 0 by convention: {why}.", why=_nothing(context, quantity))
    if quantity == "multiplications":
        counts = context.row.operations._asdict() if context.row.operations is not None else {}
        made = [kind for kind, value in counts.items() if value and stated.holds(value)]
        what += (
            " " + say("{layer} makes so many {made}.", layer=context.name, made=say(made[0]))
            if made and not right.value
            else ""
        )
    return Explanation(0, (Mistake("unknown", ""),), explain.unknown(what), right)


def _nothing(context: LayerContext, quantity: str) -> str:
    name = context.name
    if context.row.weights_of is not None and quantity in formulas.OF_WEIGHTS:
        return say("{name} uses the weights of {owner}, which count there", name=name, owner=context.row.weights_of)
    if quantity == "params":
        return say("{name} has nothing to train", name=name)
    if quantity == "multiplications":
        return say("{name} has no multiplications: it is neither a convolution nor a dense layer", name=name)
    return say("{name} works in place and stores nothing of its own", name=name)


def _unknown_kind(quantity: str) -> Explanation:
    text = explain.unknown(say("The question asks for a number of {quantity}.", quantity=quantity))
    return Explanation(0, (Mistake("unknown", ""),), text, number_node(0))
