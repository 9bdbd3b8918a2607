"""Diagnoses of pairs and triples of numbers: output shapes and receptive fields."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.core.language import all_of, say
from archcalc.core.shapes import AXES, LARGEST_SIZE, Shape, format_shape
from archcalc.explain.derive.notation import number
from archcalc.passes.analysis import Row
from archcalc.teach.check import explain
from archcalc.teach.check.mistakes.base import (
    LAST_RESORT,
    MOST_ALTERNATIVES,
    PAIR,
    SLIP,
    UPSTREAM,
    Alternative,
    Explanation,
    Mistake,
    MistakenSize,
)
from archcalc.teach.check.mistakes.channels import channels
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.elsewhere import in_variants, other_inputs, size_reason, without_class_token
from archcalc.teach.check.mistakes.fields import fields, trees
from archcalc.teach.check.mistakes.settings import other_settings
from archcalc.teach.check.mistakes.sizes import SHAPE, paired, sized, written
from archcalc.teach.check.mistakes.upstream import carried
from archcalc.teach.check.search import Tables
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.typos import describe_typo

Sizes = tuple[int, ...]


def of_shape(tables: Tables, row: Row, stated: Stated) -> list[Explanation]:
    """Diagnoses of an output shape, axis by axis: which of its sides and its depth is wrong, and why.

    On inputs of a student, a depth or sides that are right in the network are not wrong either.
    """
    context = tables.network.context(row)
    right, wrong = row.output_shape, _as(stated, row.output_shape)
    true = tables.network.analysis[row.name].output_shape
    true = true if len(true) == len(right) else right
    if wrong is None:
        return [_unknown(true)]
    if wrong[:1] in (right[:1], true[:1]) and wrong[1:] in (right[1:], true[1:]):
        return []
    found = list(_swapped(right, stated, wrong))
    if len(right) == 1:
        found += _depths(tables, context, right[0], wrong[0], say("Your number")) or []
        return found or [_unknown(true)]
    sizes = _sizes(tables, context, right[1:], wrong[1:]) if wrong[1:] != true[1:] else []
    depths = _depths(tables, context, right[0], wrong[0], say("Your depth")) if wrong[0] != true[0] else []
    if sizes is not None and depths is not None:
        found += _joined(sizes, depths)
    found += [
        Explanation(18, (step._replace(quantity=SHAPE),), explain.capital(step.reason))
        for row, step in tables.get((context.name, "variant", context.inputs), lambda: list(in_variants(context)))
        if row.output_shape == wrong
    ]
    if not found or all(one.cost >= SLIP for one in found):
        found += _upstream(tables, context, right, wrong)
    if not found and not sizes and not depths and context.op.kind == "concat" and len(true) > 1:
        return [_unknown(true, " + ".join(str(shape[0]) for shape in context.inputs))]
    return found or [*_known(sizes, depths), _partly(true, sizes, depths)]


def _as(stated: Stated, right: Shape) -> Shape | None:
    """What is stated with the axes of what is right; 1×1×N and N are the same."""
    shape = stated.shape
    if shape is not None and max(shape, default=0) > LARGEST_SIZE**3:
        return None
    if shape is None and stated.value is not None and stated.value.denominator == 1 and len(right) == 1:
        return (int(stated.value),)
    if shape is None or len(shape) == len(right):
        return shape
    if len(right) == 1 and set(shape[1:]) == {1}:
        return shape[:1]
    if len(shape) == 1 and set(right[1:]) == {1}:
        return (shape[0], *right[1:])
    return None


def _swapped(right: Shape, stated: Stated, wrong: Shape) -> Iterator[Explanation]:
    if len(right) > 1 and wrong != right and sorted(wrong) == sorted(right):
        own = stated.with_batch if len(stated.with_batch) == len(right) else stated.sides
        sides = "×".join(map(str, own or (*wrong[1:], wrong[0])))
        step = Mistake(
            "swapped_axes",
            say(
                "the sides stand in the wrong order. {sides} should be {right}.", sides=sides, right=format_shape(right)
            ),
        )
        yield Explanation(8, (step,), explain.capital(step.reason))


def _sizes(tables: Tables, context: LayerContext, right: Sizes, wrong: Sizes) -> list[Explanation] | None:
    """How the sides came about: an empty list where they are right, None where nothing explains them."""
    if wrong == right:
        return []
    what = say("Your {wrong}", wrong=written(wrong))
    ones = [_of_sizes(one, what) for one in sized(context) if one.sizes == wrong]
    # Of the first layer people say so often; further on a rule of the layer itself is the better explanation.
    cost = 14 if all(source == context.network.analysis.rows[0].name for source in context.row.inputs) else 24
    ones += [
        Explanation(cost, (Mistake("other_input", reason, quantity=SHAPE),), explain.capital(reason))
        for other in tables.get((context.name, "input", context.inputs), lambda: list(other_inputs(context)))
        if other.row.output_shape[1:] == wrong and (reason := size_reason(context.network, other.size))
    ]
    ones += [
        Explanation(12, (step._replace(quantity=SHAPE),), explain.capital(step.reason))
        for row, step in tables.get((context.name, "token", context.inputs), lambda: list(without_class_token(context)))
        if row.output_shape[1:] == wrong
    ]
    ones = ones or list(_of_next(context, wrong))
    if all(one.cost >= LAST_RESORT for one in ones):
        ones += _slipped(right, wrong)
    if not ones or all(one.cost >= SLIP for one in ones):
        two = tables.get((context.name, SHAPE, context.inputs, 2), lambda: paired(context))
        ones += [_of_sizes(one, what) for one in two if one.sizes == wrong]
    return ones or None


def _of_next(context: LayerContext, wrong: Sizes) -> Iterator[Explanation]:
    """The sides of the map after the pool that reads this one."""
    for row in context.network.rows:
        if context.name in row.inputs and row.op.family == "pooling" and row.output_shape[1:] == wrong:
            reason = say("that is the size of {layer}'s map, which comes next.", layer=row.name)
            yield Explanation(16, (Mistake("positions_of_input", reason, quantity=SHAPE),), explain.capital(reason))
            return


def _of_sizes(one: MistakenSize, what: str) -> Explanation:
    is_number = all(tree.is_atom for tree in one.trees)
    shown = "" if is_number else explain.all_axes(one.trees)
    return Explanation(one.cost, one.steps, explain.sentence(one.steps, shown, what), one.trees[0])


def _slipped(right: Sizes, wrong: Sizes) -> Iterator[Explanation]:
    """A digit of a side; of all, where the same slip was copied."""
    slips = [describe_typo(a, b) if a != b else "" for a, b in zip(right, wrong, strict=True)]
    differ = [a != b for a, b in zip(right, wrong, strict=True)]
    copied = len(set(right)) == len(set(wrong)) == 1
    if any(d and not s for d, s in zip(differ, slips, strict=True)) or (sum(differ) > 1 and not copied):
        return
    axis = differ.index(True)
    if copied:
        words = say("{slip}: it is {right}.", slip=slips[axis], right=number(right[axis]))
    else:
        where = say(AXES[len(right)][axis])
        words = say("{slip} in the {where}: it is {right}.", slip=slips[axis], where=where, right=number(right[axis]))
    step = Mistake("digit_slip", words, quantity="")
    yield Explanation(SLIP, (step,), explain.capital(step.reason))


def _depths(tables: Tables, context: LayerContext, right: int, wrong: int, what: str) -> list[Explanation] | None:
    """How the depth came about: an empty list where it is right, None where nothing explains it."""
    if wrong == right:
        return []
    all_of_them = tables.get(
        (context.name, "depth", context.inputs), lambda: [*channels(context), *other_settings(context)]
    )
    ones = [_of_depth(one, what) for one in all_of_them if one.value == wrong]
    slip = describe_typo(right, wrong)
    if slip and not ones:
        step = Mistake("digit_slip", say("{slip}: it is {right}.", slip=slip, right=number(right)))
        ones.append(Explanation(SLIP, (step,), explain.capital(step.reason)))
    return ones or None


def _of_depth(one: Alternative, what: str) -> Explanation:
    shown = explain.calculation(one.tree) if one.tree is not None else ""
    return Explanation(one.cost, one.steps, explain.sentence(one.steps, shown, what), one.tree)


def _joined(sizes: list[Explanation], depths: list[Explanation]) -> Iterator[Explanation]:
    """Both explained: one where the other is right, else each with each."""
    if not sizes or not depths:
        yield from sizes or depths
        return
    for size in sizes:
        for depth in depths:
            words = f"{size.explanation} {depth.explanation}"
            cost = size.cost + depth.cost + PAIR
            yield Explanation(cost, (*size.steps, *depth.steps), words, size.tree)


def _partly(right: Shape, sizes: list[Explanation] | None, depths: list[Explanation] | None) -> Explanation:
    if not sizes and not depths:
        return _unknown(right)
    which = say("depth") if sizes else _axes(len(right) - 1)
    words = explain.unknown(say("It is {right}.", right=format_shape(right)), what=which)
    return _unknown(right)._replace(cost=2 * SLIP, explanation=words)


def _axes(rank: int) -> str:
    return all_of([say(axis) for axis in AXES[rank]])


def _known(sizes: list[Explanation] | None, depths: list[Explanation] | None) -> list[Explanation]:
    """What is explained of a shape that is not explained as a whole."""
    return (sizes or depths or [])[: MOST_ALTERNATIVES - 1]


def _upstream(tables: Tables, context: LayerContext, right: Shape, wrong: Shape) -> Iterator[Explanation]:
    rows = tables.get((context.name, "up", context.inputs), lambda: list(carried(context)))
    for one in rows:
        if one.row.output_shape != wrong or wrong == right:
            continue
        cause, source = one.mistake.steps[0], one.source
        size = written(one.mistake.sizes)
        words = say(
            "Right, had {layer} given {size} ({trees}): there {reason}",
            layer=source.name,
            size=size,
            trees=explain.all_axes(one.mistake.trees),
            reason=cause.reason,
        )
        steps = (Mistake("carried_forward", words), cause._replace(layer=source.name))
        yield Explanation(one.mistake.cost + UPSTREAM, steps, words)
        return


def _unknown(right: Shape, added: str = "") -> Explanation:
    """Nothing explains it; `added` is the sum that gives the depth."""
    words = say("It is {right}.", right=format_shape(right))
    if added:
        words += " " + say("The depths add up: {sum} = {depth}.", sum=added, depth=right[0])
    return Explanation(0, (Mistake("unknown", ""),), explain.unknown(words))


# --- receptive fields


def of_field(tables: Tables, row: Row, stated: Stated) -> list[Explanation]:
    """Diagnoses of a receptive field."""
    context = tables.network.context(row)
    field = row.receptive_field
    if field is None:
        return [_no_field(None, context)]
    right = field.size
    wrong = _field(stated, len(right))
    if not right or wrong is None:
        return [_no_field(right, context)]
    if wrong == right:
        return []
    ones = tables.get((row.name, "field", row.input_shapes, right), lambda: fields(context))
    what = say("Your {wrong}", wrong=written(wrong))
    found: list[Explanation] = [_of_sizes(one, what) for one in ones if one.sizes == wrong]
    if wrong != right and sorted(wrong) == sorted(right):
        axes = explain.capital(_axes(len(right)))
        words = say("{axes} have changed places: it is {right}.", axes=axes, right=written(right))
        found.append(Explanation(8, (Mistake("swapped_axes", words),), words))
    if all(one.cost >= LAST_RESORT for one in found):
        found += _slipped(right, wrong)
    return found or [_no_field(right, context)]


def _field(stated: Stated, rank: int) -> Sizes | None:
    sides = stated.sides or stated.shape
    if sides and max(sides) > LARGEST_SIZE:
        return None
    if sides and len(sides) in (rank, rank + 1) and len(sides) > 1:
        return tuple(sides[:rank])
    value = stated.value if stated.value is not None else (sides[0] if sides else None)
    is_size = value is not None and value == int(value) and value <= LARGEST_SIZE
    return (int(value),) * rank if value is not None and is_size else None


def _no_field(right: Sizes | None, context: LayerContext) -> Explanation:
    if not right:
        return Explanation(0, (Mistake("unknown", ""),), explain.unknown(""))
    formula = trees(context) if context.inputs else None
    size = explain.all_axes(formula) if formula is not None else written(right)
    return Explanation(0, (Mistake("unknown", ""),), explain.unknown(say("It is {size}.", size=size)))
