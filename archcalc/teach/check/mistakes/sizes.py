"""Mistakes with the sides of a map: settings read otherwise, and edits of the formula of the output size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.numbers import ceil_div
from archcalc.core.shapes import AXES
from archcalc.explain.derive.trace import Node, symbol, traced
from archcalc.ops.base import Op
from archcalc.ops.conv import CONV_OF_RANK, ConvTranspose
from archcalc.ops.windowed import Sides
from archcalc.teach.check.mistakes.base import PAIR, Mistake, MistakenSize
from archcalc.teach.check.mistakes.context import STRIDES, LayerContext
from archcalc.teach.check.mistakes.trees import (
    ONE,
    combine,
    is_uneven,
    plus,
    quantity,
    rounded_otherwise,
    without_last_one,
)

SHAPE = "output_shape"
#: The fields that a transposed convolution has in common with a plain one.
PLAIN_FIELDS = ("kernel_size", "stride", "padding", "dilation", "out_channels", "groups", "bias")
#: Mistakes with few outcomes, so that two of them together still say something.
_PAIRED = ("forgot_padding", "padding_once", "forgot_stride", "forgot_plus_one", "floor_ceil", "forgot_dilation")

#: What a mistake along one axis costs more; with the time of a video apart from its pictures, as windows have it.
_ONE_AXIS, _TIME = 12, 4
#: Settings that nobody takes for others along one axis, where all axes are alike.
_OF_ALL_AXES = ("wrong_kernel", "wrong_stride", "added_padding", "forgot_dilation")

Setting = tuple[Mistake, int, dict[str, Any]]
#: A calculation for each axis.
Trees = tuple[Node, ...]


def by(sides: Sequence[int]) -> str:
    """3 where all sides are 3, else 3×5."""
    return str(sides[0]) if len(set(sides)) == 1 else written(sides)


def written(sides: Sequence[int]) -> str:
    """3×3"""
    return "×".join(map(str, sides))


def settings(context: LayerContext) -> Iterator[Setting]:
    """The fields of the op as they could be misread, with what that costs."""
    op, name = context.plain, context.name
    padding, stride, kernel = (getattr(op, field, None) for field in ("padding", "stride", "kernel_size"))
    lifted = context.lifted.op
    rank = len(context.inputs[0]) - 1
    if isinstance(padding, Sides) and any(padding):
        yield (
            _step(
                "forgot_padding",
                say("the padding is missing. {name} pads {padding}.", name=name, padding=_pads(padding)),
            ),
            10,
            {"padding": Sides((0,) * len(padding))},
        )
        sides = lifted.padding  # type: ignore[attr-defined]  # an op that has a padding, lifted
        none = (0,) * rank
        once = Sides((*sides.begins, *none) if any(padding.begins) else (*none, *sides.ends))
        reason = say("the padding counts on one side only. It is added on both.")
        yield _step("padding_once", reason), 14, {"padding": once}
        if not any(padding.ends) or not any(padding.begins):
            where = say("at the end only") if any(padding.ends) else say("at the start only")
            reason = say("padded on both sides. {name} pads {where}.", name=name, where=where)
            given = sides.ends if any(padding.ends) else sides.begins
            yield _step("added_padding", reason), 10, {"padding": Sides((*given, *given))}
    if isinstance(padding, Sides) and not any(padding) and kernel is not None and not hasattr(op, "output_padding"):
        for pixels in range(1, max(kernel) // 2 + 1):
            reason = say("padded by {pixels} on each side. {name} has no padding.", pixels=pixels, name=name)
            yield (
                _step("added_padding", reason),
                13 + 8 * (2 * pixels != kernel[0] - 1),
                {"padding": _all_sides(pixels, rank)},
            )
    if kernel is not None and stride is not None:
        if set(stride) != {1}:
            reason = say("the stride is missing. {name} moves by {stride}.", name=name, stride=by(stride))
            yield _step("forgot_stride", reason), 14, {"stride": (1,) * rank}
        for wrong in sorted({*STRIDES, kernel[0], *context.network.strides} - {1, stride[0]}):
            reason = say("a stride of {wrong}. {name} has {stride}.", wrong=wrong, name=name, stride=by(stride))
            far = abs(wrong - stride[0]) + (0 if wrong in context.network.strides else 4 if wrong <= 4 else 6)
            yield _step("wrong_stride", reason), 22 + far, {"stride": _all_axes("S", wrong, rank)}
    if kernel is not None and not context.is_same:
        # A window that is larger by the padding is the same as no padding: H − (F + 2P) + 2P.
        padded = kernel[0] + (padding.begins[0] + padding.ends[0] if isinstance(padding, Sides) else 0)
        for wrong in sorted(context.kernels_taken() - {kernel[0], padded}):
            reason = say(
                "a window of {value}. {name} has {kernel}.",
                value=written((wrong,) * rank),
                name=name,
                kernel=written(kernel),
            )
            fields = {"kernel_size": _all_axes("F", wrong, rank)}
            yield _step("wrong_kernel", reason), 24 + kernel_cost(context, wrong), fields
    dilation = getattr(op, "dilation", (1,))
    if set(dilation) != {1}:
        reason = say(
            "the dilation is missing. {name} spreads its window by {dilation}.", name=name, dilation=by(dilation)
        )
        yield _step("forgot_dilation", reason), 10, {"dilation": (1,) * rank}
    if any(getattr(op, "output_padding", ())):
        yield _step("forgot_padding", say("the output padding is missing.")), 16, {"output_padding": (0,) * rank}
    if hasattr(op, "ceil_mode"):
        yield _step("floor_ceil", _rounding(name, op)), 12, {"ceil_mode": not op.ceil_mode}


def kernel_cost(context: LayerContext, wrong: int) -> int:
    """A kernel of a neighbour is more likely than one that the network does not have; so is one near the right size."""
    assert context.kernel is not None
    known = wrong in context.network.kernels
    return min(abs(wrong - context.kernel[0]), 6 if known else 8) + 5 * (not known) + 2 * (wrong % 2 == 0)


def sized(context: LayerContext) -> list[MistakenSize]:
    """The sides that one mistake leads to; the right ones are not among them."""
    if context.sizes is None:
        context.sizes = _found(context)
    return context.sizes


def _found(context: LayerContext) -> list[MistakenSize]:
    right = _right(context)
    if not right:
        return []
    found: list[MistakenSize] = []
    trees = _trees(context, context.lifted.op)
    for step, cost, fields in settings(context):
        op = context.lifted.op
        if context.is_same and "padding" not in fields:
            op = op.model_copy(update={"padding": "same"})
        # A window of another size or stride is not cut off at the end, nor does it fit exactly: people use the plain
        # formula.
        plain = {field: False for field in ("clip_last_window", "exact") if hasattr(op, field)}
        op = op.model_copy(update={**plain, **fields})
        # What does not divide is rounded down by most, whatever the layer does.
        others = [{"ceil_mode": False}] if getattr(op, "ceil_mode", False) and "ceil_mode" not in fields else []
        for other in ({}, *others):
            made = _trees(context, op.model_copy(update=other))
            if made is not None:
                found += _both_and_each(right, trees, made, step, cost + 2 * len(other))
    if trees is not None:
        found += _edits(context, right, trees)
        if getattr(context.op, "ceil_mode", False):
            floored = _trees(context, context.lifted.op.model_copy(update={"ceil_mode": False}))
            found += [one._replace(cost=one.cost + 2) for one in _edits(context, right, floored or trees)]
    more = (_same, _same_cut_off, _twice, _not_transposed, _misplaced)
    return [*(one for made in more for one in made(context, right)), *found, *_moved(context, right, trees)]


def _right(context: LayerContext) -> tuple[int, ...]:
    """The right sides; none where the output has not as many axes as the input, or is flat."""
    if not context.inputs or len(context.inputs[0]) != len(context.row.output_shape):
        return ()
    return context.row.output_shape[1:]


def _same(context: LayerContext, right: tuple[int, ...]) -> Iterator[MistakenSize]:
    """The input divided by the stride, as `same` padding makes it, where there is none."""
    padding, stride = getattr(context.plain, "padding", None), getattr(context.op, "stride", None)
    if not isinstance(padding, Sides) or any(padding) or stride is None or hasattr(context.op, "output_padding"):
        return
    trees = _divided(context, stride)
    made = tuple([tree.value for tree in trees])
    reason = say("padded, as `same` does: the input divided by the stride. {layer} has no padding.", layer=context.name)
    if made != right:
        # With a stride it is often the same as rounding up, which is the usual mistake.
        yield MistakenSize(made, (_step("added_padding", reason),), 19, trees)


def _divided(context: LayerContext, stride: Sequence[Any]) -> Trees:
    """⌈n/S⌉ along each axis, which is what `same` comes to."""
    sides = context.lifted.inputs[0][1:]
    steps = [symbol("S", int(step)) for step in stride]
    return tuple([traced(ceil_div(side, step)).node for side, step in zip(sides, steps, strict=True)])


def _same_cut_off(context: LayerContext, right: tuple[int, ...]) -> Iterator[MistakenSize]:
    """Padding `same` with the input divided by the stride and rounded down."""
    stride = getattr(context.op, "stride", None)
    if not context.is_same or stride is None or hasattr(context.op, "output_padding"):
        return
    trees = tuple([rounded_otherwise(tree) for tree in _divided(context, stride)])
    made = tuple([tree.value for tree in trees])
    if made != right and min(made) >= 1:
        reason = say("rounded down. With padding same the input divided by the stride is rounded up.")
        yield MistakenSize(made, (_step("floor_ceil", reason),), 11, trees)


def _twice(context: LayerContext, right: tuple[int, ...]) -> Iterator[MistakenSize]:
    """The layer applied to its own output: a map that was pooled twice."""
    row = context.row
    if len(context.inputs) != 1 or right == context.inputs[0][1:] or getattr(context.op, "stride", None) is None:
        return
    inputs = (row.output_shape,)
    for more, op in enumerate(_as_rounded(context)):
        try:
            op.check(inputs)
        except ShapeError:
            return
        again = row._replace(op=op, input_shapes=inputs, output_shape=op.output_shape(inputs))
        second = LayerContext(context.network, again)
        trees = _trees(second, op if context.is_same else second.lifted.op)
        if trees is None or (made := tuple([tree.value for tree in trees])) == right:
            continue
        reason = say("{layer} is applied twice. Its own output is {right}.", layer=context.name, right=written(right))
        cost = 15 if context.op.family == "pooling" else 36
        yield MistakenSize(made, (_step("repeat_count", reason),), cost + more, trees)


def _not_transposed(context: LayerContext, right: tuple[int, ...]) -> Iterator[MistakenSize]:
    """A transposed convolution taken for a convolution, and the input times the stride, as padding `same` makes it."""
    op, lifted = context.op, context.lifted
    if not isinstance(op, ConvTranspose):
        return
    fields: dict[str, Any] = {key: getattr(lifted.op, key) for key in PLAIN_FIELDS}
    smaller = _trees(context, CONV_OF_RANK[op.rank].model_construct(**fields))
    reason = say("the formula of a convolution. {layer} is transposed: its output is larger.", layer=context.name)
    if smaller is not None:
        yield from _both_and_each(right, None, smaller, _step("wrong_stride", reason), 14)
    steps = [symbol("S", step) for step in op.stride]
    larger = tuple([(step * side).node for step, side in zip(steps, lifted.inputs[0][1:], strict=True)])
    reason = say(
        "the input times the stride, as padding same makes it. {layer} gives {right}.",
        layer=context.name,
        right=written(right),
    )
    yield from _both_and_each(right, None, larger, _step("added_padding", reason), 16)


def _misplaced(context: LayerContext, right: tuple[int, ...]) -> Iterator[MistakenSize]:
    """(W − F)/S + 2P + 1 and (W − F + 2P + 1)/S: what belongs in the numerator outside it, and the reverse."""
    padding, stride = getattr(context.plain, "padding", None), getattr(context.op, "stride", (1,))
    if not isinstance(padding, Sides) or set(stride) == {1} or isinstance(context.op, ConvTranspose):
        return
    bare = _trees(context, context.lifted.op.model_copy(update={"padding": Sides((0,) * len(padding))}))
    if any(padding) and bare is not None:
        totals = [sum(sides) for sides in zip(padding.begins, padding.ends, strict=True)]
        made = tuple([plus(tree, quantity("2P", total)) for tree, total in zip(bare, totals, strict=True)])
        reason = say("the padding is added after dividing. It makes the input larger: add it before.")
        yield from _both_and_each(right, None, made, _step("forgot_stride", reason), 15)
    trees = _trees(context, context.lifted.op)
    inside = [_with_one_inside(tree) for tree in trees or ()]
    whole = tuple([tree for tree in inside if tree is not None])
    if whole and len(whole) == len(right):
        reason = say("the 1 stands inside the division. It is the first position: add it after dividing.")
        yield from _both_and_each(right, None, whole, _step("forgot_plus_one", reason), 20)


def _with_one_inside(tree: Node) -> Node | None:
    """⌊(…)/S⌋ + 1 as ⌊(… + 1)/S⌋."""
    kept = without_last_one(tree)
    if kept is None or kept.kind not in ("//", "ceil"):
        return None
    return combine(kept.kind, (plus(kept.parts[0], ONE), kept.parts[1]))


def _as_rounded(context: LayerContext) -> Iterator[Op]:
    """The op, and with the other rounding where that gives the same output. Windows need not fit exactly."""
    op, row = context.op, context.row
    if getattr(op, "exact", False):
        op = op.model_copy(update={"exact": False})
    yield op
    if hasattr(op, "ceil_mode"):
        other = op.model_copy(update={"ceil_mode": not op.ceil_mode})
        if other.output_shape(row.input_shapes) == row.output_shape:
            yield other


def _trees(context: LayerContext, op: Op) -> Trees | None:
    if getattr(op, "padding", None) == "same" and not hasattr(op, "output_padding"):
        return _divided(context, op.stride)  # type: ignore[attr-defined]  # what has a padding has a stride
    try:
        made = op.output_shape(context.lifted.inputs)
    except (ArithmeticError, ValueError):
        return None
    if len(made) != len(context.inputs[0]):
        return None
    trees = tuple([traced(side).node for side in made[1:]])
    return trees if min(tree.value for tree in trees) >= 1 else None


def _both_and_each(
    right: tuple[int, ...], trees: Trees | None, wrong: Trees, step: Mistake, cost: int
) -> Iterator[MistakenSize]:
    """The mistake along all axes, and along one of them."""
    values = tuple([tree.value for tree in wrong])
    if values == right or min(values) < 1:
        return
    # Having to round is a warning; a division without remainder is more easily believed.
    cost += 6 * any(is_uneven(tree) for tree in wrong)
    yield MistakenSize(values, (step,), cost, wrong)
    if trees is None or len(right) == 1 or any(a == b for a, b in zip(values, right, strict=True)):
        return
    if len(set(right)) == 1 and step.mistake in _OF_ALL_AXES:
        return
    for axis, name in enumerate(AXES[len(right)]):
        one = (*right[:axis], values[axis], *right[axis + 1 :])
        mixed = (*trees[:axis], wrong[axis], *trees[axis + 1 :])
        only = step._replace(reason=say("{reason} Along the {name} only.", reason=step.reason, name=say(name)))
        yield MistakenSize(one, (only,), cost + (_TIME if len(right) == 3 and not axis else _ONE_AXIS), mixed)


def _edits(context: LayerContext, right: tuple[int, ...], trees: Trees) -> Iterator[MistakenSize]:
    for step, cost, wrong in _edited(context, trees):
        yield from _both_and_each(right, trees, wrong, step, cost)


def _edited(context: LayerContext, trees: Trees) -> Iterator[tuple[Mistake, int, Trees]]:
    shorter = tuple([kept for tree in trees if (kept := without_last_one(tree)) is not None])
    if len(shorter) == len(trees):
        reason = say("the + 1 is missing. The first position counts too: n steps lead to n + 1 positions.")
        # (224 − 3 + 0 + 1)/2 is hardly what a person writes.
        is_uneven_padding = len(set(getattr(context.plain, "padding", ()))) > 1
        yield _step("forgot_plus_one", reason), 12 + 8 * is_uneven_padding, shorter
    if not hasattr(context.op, "ceil_mode"):
        rounded = tuple([rounded_otherwise(tree) for tree in trees])
        reason = say(
            "rounded to the other side. {layer} rounds down: a window that does not fit is left out.",
            layer=context.name,
        )
        yield _step("floor_ceil", reason), 12, rounded


def _moved(context: LayerContext, right: tuple[int, ...], trees: Trees | None) -> Iterator[MistakenSize]:
    """The size of the input kept, where the layer changes it."""
    for which, shape in enumerate(context.inputs):
        if len(shape) == len(right) + 1 and shape[1:] != right:
            wrong = tuple([traced(side).node for side in context.lifted.inputs[which][1:]])
            whose = context.network.whose_map(context.row.inputs[which])
            own = say("Its own output is {right}.", right=written(right))
            reason = say(
                "that is the size of {whose}, which {layer} reads. {own}", whose=whose, layer=context.name, own=own
            )
            yield from _both_and_each(right, trees, wrong, _step("positions_of_input", reason), 18)


def paired(context: LayerContext) -> list[MistakenSize]:
    """The sides that two mistakes lead to together, of those that leave few possibilities."""
    right = _right(context)
    if not right or context.is_same:
        return []
    base = context.lifted.op
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


def _two(first: Mistake, second: Mistake, cost: int, trees: Trees) -> MistakenSize:
    return MistakenSize(tuple([tree.value for tree in trees]), (first, second), cost + PAIR, trees)


def _all_sides(pixels: int, rank: int) -> Sides:
    padding: Any = symbol("P", pixels)
    return Sides((padding,) * (2 * rank))


def _step(mistake: str, reason: str) -> Mistake:
    return Mistake(mistake, reason, quantity=SHAPE)


def _all_axes(letter: str, value: int, rank: int) -> tuple[Any, ...]:
    return (symbol(letter, value),) * rank


def _pads(padding: Sides) -> str:
    if len(set(padding)) == 1:
        return say("by {padding} on each side", padding=padding[0])
    total = [sum(sides) for sides in zip(padding.begins, padding.ends, strict=True)]
    return say("by {total} in all", total=by(total))


def _rounding(name: str, op: Op) -> str:
    if getattr(op, "ceil_mode", False):
        return say("rounded down. {name} rounds up: a last window may hang over the edge.", name=name)
    return say("rounded up. {name} rounds down: a window that does not fit is left out.", name=name)
