"""Diagnoses of pairs and triples of numbers: output shapes and receptive fields."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.core.shapes import LARGEST_SIZE, Shape, format_shape
from archcalc.explain.derive.notation import number
from archcalc.passes.analysis import Row
from archcalc.teach.check import explain
from archcalc.teach.check.mistakes.base import (
    MOST_ALTERNATIVES,
    PAIR,
    RULE,
    SLIP,
    UPSTREAM,
    Alternative,
    Explanation,
    Mistake,
    MistakenSize,
)
from archcalc.teach.check.mistakes.channels import channels
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.elsewhere import other_inputs, size_reason
from archcalc.teach.check.mistakes.fields import fields, trees
from archcalc.teach.check.mistakes.sizes import SHAPE, paired, sized
from archcalc.teach.check.mistakes.upstream import carried
from archcalc.teach.check.search import Tables
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.typos import describe_typo

Pair = tuple[int, int]


def of_shape(tables: Tables, row: Row, stated: Stated) -> list[Explanation]:
    """Diagnoses of an output shape, axis by axis: which of height, width and depth is wrong, and why."""
    context = tables.network.context(row)
    right, wrong = row.output_shape, _as(stated, row.output_shape)
    if wrong is None:
        return [_unknown(right)]
    if wrong == right:
        return []
    found = list(_swapped(right, stated, wrong))
    if len(right) == 1:
        found += _depths(tables, context, right[0], wrong[0], "Your number") or []
        return found or [_unknown(right)]
    if len(right) != 3:
        found += (_depths(tables, context, right[0], wrong[0], "Your depth") or []) if wrong[1:] == right[1:] else []
        return found or [_unknown(right)]
    sizes = _sizes(tables, context, (right[1], right[2]), (wrong[1], wrong[2]))
    depths = _depths(tables, context, right[0], wrong[0], "Your depth")
    if sizes is not None and depths is not None:
        found += _joined(sizes, depths)
    if not found or all(one.cost >= SLIP for one in found):
        found += _upstream(tables, context, right, wrong)
    return found or [*_known(sizes, depths), _partly(right, sizes, depths)]


def _as(stated: Stated, right: Shape) -> Shape | None:
    """What is stated with the axes of what is right; 1×1×N and N are the same."""
    shape = stated.shape
    if shape is not None and max(shape, default=0) > LARGEST_SIZE**3:
        return None
    if shape is None and stated.value is not None and stated.value.denominator == 1 and len(right) == 1:
        return (int(stated.value),)
    if shape is None or len(shape) == len(right):
        return shape
    if len(right) == 1 and len(shape) == 3 and shape[1:] == (1, 1):
        return shape[:1]
    if len(right) == 3 and len(shape) == 1 and right[1:] == (1, 1):
        return (shape[0], 1, 1)
    return None


def _swapped(right: Shape, stated: Stated, wrong: Shape) -> Iterator[Explanation]:
    if len(right) > 1 and wrong != right and sorted(wrong) == sorted(right):
        sides = "×".join(map(str, stated.sides or (*wrong[1:], wrong[0])))
        step = Mistake("swapped_axes", f"the sides stand in the wrong order. {sides} should be {format_shape(right)}.")
        yield Explanation(8, (step,), explain.capital(step.reason))


def _sizes(tables: Tables, context: LayerContext, right: Pair, wrong: Pair) -> list[Explanation] | None:
    """How height and width came about: an empty list where they are right, None where nothing explains them."""
    if wrong == right:
        return []
    what = f"Your {wrong[0]}×{wrong[1]}"
    ones = [_of_sizes(one, what) for one in sized(context) if one.sizes == wrong]
    # Of the first layer people say so often; further on a rule of the layer itself is the better explanation.
    cost = 14 if all(source == context.network.analysis.rows[0].name for source in context.row.inputs) else 24
    ones += [
        Explanation(cost, (Mistake("other_input", reason, quantity=SHAPE),), explain.capital(reason))
        for other in tables.get((context.name, "input", context.inputs), lambda: list(other_inputs(context)))
        if other.row.output_shape[1:] == wrong and (reason := size_reason(context.network, other.size))
    ]
    if all(one.cost > RULE for one in ones):
        ones += _slipped(right, wrong, ("height", "width"))
    if not ones or all(one.cost >= SLIP for one in ones):
        two = tables.get((context.name, SHAPE, context.inputs, 2), lambda: paired(context))
        ones += [_of_sizes(one, what) for one in two if one.sizes == wrong]
    return ones or None


def _of_sizes(one: MistakenSize, what: str) -> Explanation:
    return Explanation(
        one.cost, one.steps, explain.sentence(one.steps, explain.both_axes(one.trees), what), one.trees[0]
    )


def _slipped(right: Pair, wrong: Pair, axes: tuple[str, str]) -> Iterator[Explanation]:
    """A digit of height or width; of both, where the same slip was copied."""
    slips = [describe_typo(a, b) if a != b else "" for a, b in zip(right, wrong, strict=True)]
    differ = [a != b for a, b in zip(right, wrong, strict=True)]
    copied = right[0] == right[1] and wrong[0] == wrong[1]
    if any(d and not s for d, s in zip(differ, slips, strict=True)) or (all(differ) and not copied):
        return
    axis = 0 if differ[0] else 1
    where = "" if copied else f" in the {axes[axis]}"
    step = Mistake("digit_slip", f"{slips[axis]}{where}: it is {number(right[axis])}.", quantity="")
    yield Explanation(SLIP, (step,), explain.capital(step.reason))


def _depths(tables: Tables, context: LayerContext, right: int, wrong: int, what: str) -> list[Explanation] | None:
    """How the depth came about: an empty list where it is right, None where nothing explains it."""
    if wrong == right:
        return []
    all_of_them = tables.get((context.name, "depth", context.inputs), lambda: channels(context))
    ones = [_of_depth(one, what) for one in all_of_them if one.value == wrong]
    slip = describe_typo(right, wrong)
    if slip:
        step = Mistake("digit_slip", f"{slip}: it is {number(right)}.")
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
    which = "depth" if sizes else "height and width"
    found = _unknown(right)
    words = found.explanation.replace("this number", f"this {which}")
    return found._replace(cost=2 * SLIP, explanation=words)


def _known(sizes: list[Explanation] | None, depths: list[Explanation] | None) -> list[Explanation]:
    """What is explained of a shape that is not explained as a whole."""
    return (sizes or depths or [])[: MOST_ALTERNATIVES - 1]


def _upstream(tables: Tables, context: LayerContext, right: Shape, wrong: Shape) -> Iterator[Explanation]:
    rows = tables.get((context.name, "up", context.inputs), lambda: list(carried(context)))
    for one in rows:
        if one.row.output_shape != wrong or wrong == right:
            continue
        cause, source = one.mistake.steps[0], one.source
        size = f"{one.mistake.sizes[0]}×{one.mistake.sizes[1]}"
        words = f"Right, had {source.name} given {size} ({explain.both_axes(one.mistake.trees)}): there {cause.reason}"
        steps = (Mistake("carried_forward", words), cause._replace(layer=source.name))
        yield Explanation(one.mistake.cost + UPSTREAM, steps, words)
        return


def _unknown(right: Shape) -> Explanation:
    return Explanation(0, (Mistake("unknown", ""),), explain.unknown(f"It is {format_shape(right)}."))


# --- receptive fields


def of_field(tables: Tables, row: Row, stated: Stated) -> list[Explanation]:
    """Diagnoses of a receptive field."""
    context = tables.network.context(row)
    field = row.receptive_field
    wrong = _field(stated)
    if field is None:
        return [_no_field(None, context)]
    if len(field.axes) != 2:
        return [_no_field(None, context)]
    right = (field.axes[0].size, field.axes[1].size)
    if wrong is None:
        return [_no_field(right, context)]
    if wrong == right:
        return []
    ones = tables.get((row.name, "field", row.input_shapes, right), lambda: fields(context))
    what = f"Your {wrong[0]}×{wrong[1]}"
    found: list[Explanation] = [_of_sizes(one, what) for one in ones if one.sizes == wrong]
    if wrong != right and wrong == right[::-1]:
        words = f"Height and width have changed places: it is {right[0]}×{right[1]}."
        found.append(Explanation(8, (Mistake("swapped_axes", words),), words))
    if all(one.cost > RULE for one in found):
        found += _slipped(right, wrong, ("height", "width"))
    return found or [_no_field(right, context)]


def _field(stated: Stated) -> Pair | None:
    sides = stated.sides or stated.shape
    if sides and max(sides) > LARGEST_SIZE:
        return None
    if sides and len(sides) in (2, 3):
        return sides[0], sides[1]
    value = stated.value if stated.value is not None else (sides[0] if sides else None)
    is_size = value is not None and value == int(value) and value <= LARGEST_SIZE
    return (int(value), int(value)) if value is not None and is_size else None


def _no_field(right: Pair | None, context: LayerContext) -> Explanation:

    if right is None:
        return Explanation(0, (Mistake("unknown", ""),), explain.unknown(""))
    formula = trees(context) if context.inputs else None
    size = explain.both_axes(formula) if formula is not None else f"{right[0]}×{right[1]}"
    return Explanation(0, (Mistake("unknown", ""),), explain.unknown(f"It is {size}."))
