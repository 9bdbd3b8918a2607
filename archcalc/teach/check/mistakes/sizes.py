"""Mistakes with height and width: settings read otherwise, and edits of the formula of the output size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.core.numbers import ceil_div
from archcalc.explain.derive.trace import Node, symbol, traced
from archcalc.ops.base import Op
from archcalc.ops.windowed import Sides
from archcalc.teach.check.mistakes.base import PAIR, Mistake, MistakenSize
from archcalc.teach.check.mistakes.context import KERNELS, STRIDES, LayerContext
from archcalc.teach.check.mistakes.trees import is_uneven, rounded_otherwise, without_last_one

SHAPE = "output_shape"
#: Mistakes with few outcomes, so that two of them together still say something.
_PAIRED = ("forgot_padding", "padding_once", "forgot_stride", "forgot_plus_one", "floor_ceil", "forgot_dilation")
_AXES = ("height", "width")

Setting = tuple[Mistake, int, dict[str, Any]]


def by(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}×{pair[1]}"


def settings(context: LayerContext) -> Iterator[Setting]:
    """The fields of the op as they could be misread, with what that costs."""
    op, name = context.plain, context.name
    padding, stride, kernel = (getattr(op, field, None) for field in ("padding", "stride", "kernel_size"))
    lifted = context.lifted.op
    if isinstance(padding, Sides) and any(padding):
        yield (
            _step("forgot_padding", f"the padding is missing. {name} pads {_pads(padding)}."),
            10,
            {"padding": Sides((0,) * len(padding))},
        )
        sides = lifted.padding  # type: ignore[attr-defined]  # an op that has a padding, lifted
        none = (0,) * len(padding.ends)
        once = Sides((*sides.begins, *none) if any(padding.begins) else (*none, *sides.ends))
        reason = "the padding counts on one side only. It is added on both."
        yield _step("padding_once", reason), 14, {"padding": once}
    if isinstance(padding, Sides) and not any(padding) and kernel is not None and not hasattr(op, "output_padding"):
        for pixels in range(1, max(kernel) // 2 + 1):
            reason = f"padded by {pixels} on each side. {name} has no padding."
            yield (
                _step("added_padding", reason),
                13 + 8 * (2 * pixels != kernel[0] - 1),
                {"padding": _all_sides(pixels)},
            )
    if kernel is not None and stride is not None:
        if stride != (1, 1):
            reason = f"the stride is missing. {name} moves by {by(stride)}."
            yield _step("forgot_stride", reason), 14, {"stride": (1, 1)}
        for wrong in sorted({*STRIDES, kernel[0], *context.network.strides} - {1, stride[0]}):
            reason = f"a stride of {wrong}. {name} has {by(stride)}."
            far = abs(wrong - stride[0]) + 4 * (wrong > 4 and wrong not in context.network.strides)
            yield _step("wrong_stride", reason), 22 + far, {"stride": _pair("S", wrong)}
    if kernel is not None and not context.is_same:
        # A window that is larger by the padding is the same as no padding: H − (F + 2P) + 2P.
        padded = kernel[0] + (padding[0] + padding[2] if isinstance(padding, Sides) else 0)
        for wrong in sorted({*KERNELS, *context.network.kernels} - {kernel[0], padded}):
            reason = f"a window of {wrong}×{wrong}. {name} has {kernel[0]}×{kernel[1]}."
            yield _step("wrong_kernel", reason), 24 + kernel_cost(context, wrong), {"kernel_size": _pair("F", wrong)}
    dilation = getattr(op, "dilation", (1, 1))
    if dilation != (1, 1):
        reason = f"the dilation is missing. {name} spreads its window by {by(dilation)}."
        yield _step("forgot_dilation", reason), 10, {"dilation": (1, 1)}
    if getattr(op, "output_padding", (0, 0)) != (0, 0):
        yield _step("forgot_padding", "the output padding is missing."), 16, {"output_padding": (0, 0)}
    if hasattr(op, "ceil_mode"):
        yield _step("floor_ceil", _rounding(name, op)), 12, {"ceil_mode": not op.ceil_mode}


def kernel_cost(context: LayerContext, wrong: int) -> int:
    """A kernel of a neighbour is more likely than one that the network does not have; so is one near the right size."""
    assert context.kernel is not None
    known = wrong in context.network.kernels
    return min(abs(wrong - context.kernel[0]), 6) + 4 * (not known) + 2 * (wrong % 2 == 0)


def sized(context: LayerContext) -> list[MistakenSize]:
    """Heights and widths that one mistake leads to; the right ones are not among them."""
    if context.sizes is None:
        context.sizes = _found(context)
    return context.sizes


def _found(context: LayerContext) -> list[MistakenSize]:
    if len(context.row.output_shape) != 3 or not context.inputs or len(context.inputs[0]) != 3:
        return []
    right = (context.row.output_shape[1], context.row.output_shape[2])
    found: list[MistakenSize] = []
    trees = _trees(context, context.lifted.op)
    for step, cost, fields in settings(context):
        op = context.lifted.op
        if context.is_same and "padding" not in fields:
            op = op.model_copy(update={"padding": "same"})
        # A window of another size or stride is not cut off at the end: the plain formula is what people use.
        plain = {"clip_last_window": False} if hasattr(op, "clip_last_window") else {}
        made = _trees(context, op.model_copy(update={**plain, **fields}))
        if made is not None:
            found += _both_and_each(right, trees, made, step, cost)
    if trees is not None:
        found += _edits(context, right, trees)
    return [*_same(context, right), *found, *_moved(context, right, trees)]


def _same(context: LayerContext, right: tuple[int, int]) -> Iterator[MistakenSize]:
    """The input divided by the stride, as `same` padding makes it, where there is none."""
    padding, stride = getattr(context.plain, "padding", None), getattr(context.op, "stride", None)
    if not isinstance(padding, Sides) or any(padding) or stride is None or hasattr(context.op, "output_padding"):
        return
    sides = context.lifted.inputs[0][1:]
    height, width = (traced(ceil_div(side, symbol("S", step))).node for side, step in zip(sides, stride, strict=True))
    reason = f"padded, as `same` does: the input divided by the stride. {context.name} has no padding."
    if (height.value, width.value) != right:
        # With a stride it is often the same as rounding up, which is the usual mistake.
        yield MistakenSize((height.value, width.value), (_step("added_padding", reason),), 19, (height, width))


def _trees(context: LayerContext, op: Op) -> tuple[Node, Node] | None:
    try:
        made = op.output_shape(context.lifted.inputs)
    except (ArithmeticError, ValueError):
        return None
    if len(made) != 3:
        return None
    height, width = traced(made[1]).node, traced(made[2]).node
    return (height, width) if height.value >= 1 and width.value >= 1 else None


def _both_and_each(
    right: tuple[int, int], trees: tuple[Node, Node] | None, wrong: tuple[Node, Node], step: Mistake, cost: int
) -> Iterator[MistakenSize]:
    """The mistake along both axes, and along one of them."""
    values = (wrong[0].value, wrong[1].value)
    if values == right or min(values) < 1:
        return
    # Having to round is a warning; a division without remainder is more easily believed.
    cost += 6 * any(is_uneven(tree) for tree in wrong)
    yield MistakenSize(values, (step,), cost, wrong)
    if trees is None or values[0] == right[0] or values[1] == right[1]:
        return
    for axis in (0, 1):
        one = (values[0], right[1]) if axis == 0 else (right[0], values[1])
        pair = (wrong[0], trees[1]) if axis == 0 else (trees[0], wrong[1])
        only = step._replace(reason=f"{step.reason} Along the {_AXES[axis]} only.")
        yield MistakenSize(one, (only,), cost + 12, pair)


def _edits(context: LayerContext, right: tuple[int, int], trees: tuple[Node, Node]) -> Iterator[MistakenSize]:
    for step, cost, wrong in _edited(context, trees):
        yield from _both_and_each(right, trees, wrong, step, cost)


def _edited(context: LayerContext, trees: tuple[Node, Node]) -> Iterator[tuple[Mistake, int, tuple[Node, Node]]]:
    height, width = (without_last_one(tree) for tree in trees)
    if height is not None and width is not None:
        reason = "the + 1 is missing. The first position counts too: n steps lead to n + 1 positions."
        yield _step("forgot_plus_one", reason), 12, (height, width)
    if not hasattr(context.op, "ceil_mode"):
        rounded = (rounded_otherwise(trees[0]), rounded_otherwise(trees[1]))
        reason = f"rounded to the other side. {context.name} rounds down: a window that does not fit is left out."
        yield _step("floor_ceil", reason), 12, rounded


def _moved(context: LayerContext, right: tuple[int, int], trees: tuple[Node, Node] | None) -> Iterator[MistakenSize]:
    """The size of the input kept, where the layer changes it."""
    for which, shape in enumerate(context.inputs):
        if len(shape) == 3 and (shape[1], shape[2]) != right:
            size = context.lifted.inputs[which]
            wrong = (traced(size[1]).node, traced(size[2]).node)
            whose = context.network.whose_map(context.row.inputs[which])
            own = f"Its own output is {right[0]}×{right[1]}."
            reason = f"that is the size of {whose}, which {context.name} reads. {own}"
            yield from _both_and_each(right, trees, wrong, _step("positions_of_input", reason), 18)


def paired(context: LayerContext) -> list[MistakenSize]:
    """Heights and widths that two mistakes lead to together, of those that leave few possibilities."""
    right = (context.row.output_shape[1], context.row.output_shape[2]) if len(context.row.output_shape) == 3 else (0, 0)
    if not context.inputs or len(context.inputs[0]) != 3 or 0 in right:
        return []
    base = context.lifted.op
    if context.is_same:
        return []
    made: list[MistakenSize] = []
    usual = [one for one in settings(context) if one[0].mistake in _PAIRED]
    for index, (step, cost, fields) in enumerate(usual):
        op = base.model_copy(update=fields)
        trees = _trees(context, op)
        if trees is not None:
            for other, more, wrong in _edited(context, trees):
                made.append(_two(step, other, cost + more, wrong))
        for other, more, others in usual[index + 1 :]:
            wrong_trees = None if others.keys() & fields.keys() else _trees(context, op.model_copy(update=others))
            if wrong_trees is not None:
                made.append(_two(step, other, cost + more, wrong_trees))
    return [one for one in made if one.sizes != right and min(one.sizes) >= 1]


def _two(first: Mistake, second: Mistake, cost: int, trees: tuple[Node, Node]) -> MistakenSize:
    return MistakenSize((trees[0].value, trees[1].value), (first, second), cost + PAIR, trees)


def _all_sides(pixels: int) -> Sides:
    padding: Any = symbol("P", pixels)
    return Sides((padding,) * 4)


def _step(mistake: str, reason: str) -> Mistake:
    return Mistake(mistake, reason, quantity=SHAPE)


def _pair(letter: str, value: int) -> tuple[Any, Any]:
    one = symbol(letter, value)
    return one, one


def _pads(padding: Sides) -> str:
    if len(set(padding)) == 1:
        return f"by {padding[0]} on each side"
    total = (padding[0] + padding[2], padding[1] + padding[3])
    return f"by {by(total)} in all"


def _rounding(name: str, op: Op) -> str:
    if getattr(op, "ceil_mode", False):
        return f"rounded down. {name} rounds up: a last window may hang over the edge."
    return f"rounded up. {name} rounds down: a window that does not fit is left out."
