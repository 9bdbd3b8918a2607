"""Mistakes with receptive fields: r₂ = r₁ + (F − 1)·j₁, and the chain of layers that leads there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import AXES
from archcalc.explain.derive.layer import explain_row
from archcalc.explain.derive.trace import Node
from archcalc.ops import rules
from archcalc.ops.base import EVERYTHING, POINTS, Window
from archcalc.passes.analysis import Row
from archcalc.teach.check.mistakes.base import Mistake, MistakenSize
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.sizes import Trees, by, kernel_cost, written
from archcalc.teach.check.mistakes.trees import ONE, letters, named, put, put_once, quantity, without_any_one
from archcalc.teach.check.mistakes.upstream import strided_before
from archcalc.teach.check.mistakes.walks import walked

FIELD = "receptive_field"
OF_AXES = QUANTITIES[FIELD].derivations


class _Link(NamedTuple):
    """A layer on the way from the input: what it reads along each axis."""

    row: Row
    windows: tuple[Window, ...]


def fields(context: LayerContext) -> list[MistakenSize]:
    """Receptive fields that one mistake leads to."""
    field = context.row.receptive_field
    if field is None or not context.inputs or not field.axes:
        return []
    right = field.size
    found = [*_edited(context), *_taken_for_it(context, right), *_along_the_way(context), *_in_every_layer(context)]
    found += _without_one_stride(context)
    return [one for one in found if one.sizes != right and min(one.sizes) >= 0]


def trees(context: LayerContext) -> Trees | None:
    """The formula along each axis; None where there is only the number."""
    analysis = context.network.analysis
    found = explain_row(analysis, analysis[context.name]).derivations
    shown = tuple([one.tree for one in found if one.quantity in OF_AXES])
    if not shown or any(tree.kind == "number" for tree in shown):
        return None
    return _as_the_student_has_it(context, shown)


def _differences(context: LayerContext) -> list[int]:
    """How much more the layers before see in the student's network than in the right one."""
    own, right = context.row.receptive_field, context.network.analysis[context.name].receptive_field
    if own is None or right is None:
        return [0] * (len(context.network.rows[0].output_shape) - 1)
    return [one.size - other.size for one, other in zip(own.axes, right.axes, strict=True)]


def _letters(tree: Node, base: str) -> dict[str, Node]:
    """The symbols for a quantity along an axis: j₁, or j_1h where the axes differ."""
    beginnings = (f"{base}₁", f"{base}_1") if base in ("r", "j") else (f"{base}_",)
    return {text: node for text, node in letters(tree).items() if text == base or text.startswith(beginnings)}


def _with(right: Trees, base: str, values: Sequence[Node | int]) -> Trees:
    """The formulas with another number for a quantity along each axis."""
    return tuple(
        [
            put(
                tree,
                {
                    text: named(node, value) if isinstance(value, int) else value
                    for text, node in _letters(tree, base).items()
                },
            )
            for tree, value in zip(right, values, strict=True)
        ]
    )


def _values(right: Trees, base: str) -> tuple[int, ...]:
    """The numbers of a quantity along each axis, 1 where the formula does without; none where all do."""
    found = [next(iter(_letters(tree, base).values()), None) for tree in right]
    return tuple([1 if node is None else node.value for node in found]) if any(found) else ()


def _as_the_student_has_it(context: LayerContext, right: Trees) -> Trees:
    """The formulas with the student's own field of the layers before."""
    before, more = _values(right, "r"), _differences(context)
    if not before or not any(more):
        return right
    return _with(right, "r", [size + extra for size, extra in zip(before, more, strict=True)])


def _sized(step: Mistake, cost: int, made: Trees) -> MistakenSize:
    return MistakenSize(tuple([tree.value for tree in made]), (step,), cost, made)


def _edited(context: LayerContext) -> Iterator[MistakenSize]:
    right = trees(context)
    if right is None:
        return
    every = [ONE] * len(right)
    steps, before = _values(right, "j"), _values(right, "r")
    if steps:
        step = by(steps)
        reason = say(
            "each position counts as one pixel. Positions of the input of {layer} lie {step} pixels apart.",
            layer=context.name,
            step=step,
        )
        yield _sized(Mistake("forgot_stride", reason), 12, _with(right, "j", every))
        stride = tuple(getattr(context.op, "stride", ()))
        if len(stride) == len(right) and max(stride) > 1:
            after = tuple([one * other for one, other in zip(steps, stride, strict=True)])
            reason = say(
                "the output's step, {value} pixels. The window lies on the input: steps of {step}.",
                value=by(after),
                step=step,
            )
            yield _sized(Mistake("wrong_stride", reason), 16, _with(right, "j", after))
            reason = say(
                "the stride of {layer} alone. All strides before it count together: {step} pixels a step.",
                layer=context.name,
                step=step,
            )
            yield _sized(Mistake("wrong_stride", reason), 18, _with(right, "j", stride))
    reason = say("the − 1 is missing. A window of F has F − 1 steps from its first to its last position.")
    yield _sized(Mistake("forgot_plus_one", reason), 12, tuple([without_any_one(tree) for tree in right]))
    if steps:
        reason = say(
            "the window is added as it is. It has F − 1 steps, each of {step} pixels at the input of {layer}.",
            layer=context.name,
            step=by(steps),
        )
        ones = tuple([without_any_one(tree) for tree in _with(right, "j", every)])
        yield _sized(Mistake("forgot_stride", reason), 16, ones)
    if before:
        reason = say("what the layers before see is missing: {value} pixels.", value=by(before))
        yield _sized(Mistake("sum_of_parts", reason), 18, _with(right, "r", every))
        yield _sized(Mistake("sum_of_parts", reason), 20, _with(right, "r", [quantity("r₁", 0)] * len(right)))
    if context.kernel is not None and _values(right, "F"):
        for wrong in sorted(context.kernels_taken() - {context.kernel[0]}):
            taken = written((wrong,) * len(context.kernel))
            reason = say(
                "a window of {taken}. {layer}'s is {kernel}.",
                taken=taken,
                layer=context.name,
                kernel=written(context.kernel),
            )
            cost = 24 + kernel_cost(context, wrong)
            yield _sized(Mistake("wrong_kernel", reason), cost, _with(right, "F", [wrong] * len(right)))
    if dilations := _values(right, "d"):
        reason = say(
            "the dilation is missing. {layer} spreads its window by {value}.", layer=context.name, value=by(dilations)
        )
        found = [put_once(tree, next(iter(_letters(tree, "d")), "d"), ONE) for tree in right]
        yield _sized(Mistake("forgot_dilation", reason), 10, tuple(found))


def _taken_for_it(context: LayerContext, right: tuple[int, ...]) -> Iterator[MistakenSize]:
    """Another number in its place."""

    def of(sizes: Sequence[int], letter: str) -> Trees:
        return tuple([quantity(letter, size) for size in sizes])

    name, rank = context.name, len(right)
    if context.kernel is not None and len(context.kernel) == rank:
        reason = say("the window of {name} alone. The layers before it see more than one pixel.", name=name)
        yield _sized(Mistake("sum_of_parts", reason), 16, of(context.kernel, "F"))
    stride = getattr(context.op, "stride", None)
    if stride is not None and len(stride) == rank and set(stride) != {1}:
        yield _sized(Mistake("wrong_stride", say("the stride, not the field.")), 18, of(stride, "S"))
    image = context.network.rows[0].output_shape
    if len(image) == rank + 1 and right[0] > image[1]:
        sizes = [min(seen, side) for seen, side in zip(right, image[1:], strict=True)]
        reason = say("cut off at the edge of the input. Here the padding counts as pixels that are seen.")
        yield _sized(Mistake("forgot_padding", reason), 12, of(sizes, AXES[rank][0][0].upper()))
    for source in context.row.inputs:
        before = context.network.analysis[source].receptive_field
        if before is not None:
            sizes = [axis.size + more for axis, more in zip(before.axes, _differences(context), strict=True)]
            whose = context.network.maker(source).name
            mistake = "sum_of_parts" if len(context.row.inputs) > 1 else "positions_of_input"
            yield _sized(
                Mistake(mistake, say("that is the field of {whose}, which {name} reads.", whose=whose, name=name)),
                20,
                of(sizes, "r₁"),
            )
    own = context.inputs[0]
    if len(own) == rank + 1:
        letter = f"{context.axes[0]}₁"
        yield _sized(
            Mistake("map_size_as_kernel", say("the size of the map that {name} reads.", name=name)),
            26,
            of(own[1:], letter),
        )


def _in_every_layer(context: LayerContext) -> Iterator[MistakenSize]:
    """Dilations or strides that count nowhere, also where branches meet on the way."""
    network, name = context.network, context.name
    field = network.analysis[name].receptive_field
    if field is None or walked(network).get(name) != field.size:
        return
    stride = say("no layer's stride counts. A stride moves the windows of all later layers further apart.")
    dilation = say("no layer's dilation counts. A window of F that is spread by d sees d·(F − 1) + 1 positions.")
    for mistake, reason, made in (
        ("forgot_dilation", dilation, walked(network, dilated=False)),
        ("forgot_stride", stride, walked(network, strided=False)),
    ):
        yield _sized(Mistake(mistake, reason), 14, tuple([quantity("r", size) for size in made[name]]))


def _without_one_stride(context: LayerContext) -> Iterator[MistakenSize]:
    """The stride of one layer on the way that does not count."""
    network, name = context.network, context.name
    field = network.analysis[name].receptive_field
    if field is None or walked(network).get(name) != field.size:
        return
    before = strided_before(network, context.row)
    for source in before:
        sizes = walked(network, but=source.name)[name]
        if sizes != field.size:
            yield _sized(_missing_stride(source), 15, tuple([quantity("r", size) for size in sizes]))
    # What the layers before see has their strides in it, unless it is the student's own.
    right = trees(context)
    jumps = _values(right, "j") if right is not None else ()
    for source in before[::-1] if any(_differences(context)) else before[:1]:
        stride = source.op.model_dump()["stride"]
        if right is not None and len(jumps) == len(stride):
            made = [jump // each for jump, each in zip(jumps, stride, strict=True)]
            yield _sized(_missing_stride(source), 15, _with(right, "j", made))


def _missing_stride(source: Row) -> Mistake:
    stride = by(source.op.model_dump()["stride"])
    reason = say(
        "the stride of {layer} is missing. It moves by {stride}: all later windows lie as much further apart.",
        layer=source.name,
        stride=stride,
    )
    return Mistake("forgot_stride", reason)


def _along_the_way(context: LayerContext) -> Iterator[MistakenSize]:
    """The whole chain calculated without strides, or with some layers left out."""
    chain = _chain(context)
    if chain is None or len(chain) < 2:
        return
    windows = [sum(link.windows[axis].size for link in chain) for axis in range(len(chain[0].windows))]
    reason = say("the windows are added up. Each has F − 1 steps, as long as the strides before it make them.")
    sums = tuple([quantity("ΣF", window) for window in windows])
    yield _sized(Mistake("forgot_stride", reason), 18, sums)
    pools = [link for link in chain if link.row.op.family == "pooling"]
    if pools and len(pools) < len(chain):
        kept = [link for link in chain if link.row.op.family != "pooling"]
        reason = say("the pooling layers are left out. Their windows and strides count as well.")
        yield _walked(kept, Mistake("repeat_count", reason), 22)
    for index, link in enumerate(chain[:-1][-12:]):
        if len(chain) > 13 or any(window != Window(1) for window in link.windows):
            at = max(0, len(chain) - 13) + index
            reason = say("without {layer}, which is on the way.", layer=link.row.name)
            yield _walked(chain[:at] + chain[at + 1 :], Mistake("repeat_count", reason), 30)


def _walked(chain: list[_Link], step: Mistake, cost: int) -> MistakenSize:
    sizes = []
    for axis in range(len(chain[0].windows)):
        seen, jump = 1, 1
        for link in chain:
            window = link.windows[axis]
            seen = rules.receptive_field_size(seen, window.size, jump)
            jump = rules.receptive_field_jump(jump, window.stride)
        sizes.append(seen)
    return _sized(step, cost, tuple([quantity("r", size) for size in sizes]))


def _chain(context: LayerContext) -> list[_Link] | None:
    """The layers with windows from the network's input to this one; None where branches meet on the way."""
    links: list[_Link] = []
    row = context.row
    analysis = context.network.analysis
    rank = len(analysis.rows[0].output_shape) - 1
    while row.inputs:
        if len(row.inputs) != 1:
            return None
        windows = row.op.windows(row.input_shapes)[0]
        if windows == EVERYTHING:
            sides = row.input_shapes[0][1:] or (1,) * rank
            windows = tuple([Window(side) for side in sides])
        if windows != POINTS:
            read = windows if isinstance(windows, tuple) else ()
            along = tuple([one for one in read if isinstance(one, Window) and not one.transposed])
            if len(along) != rank:
                return None
            links.append(_Link(row, along))
        row = analysis[row.inputs[0]]
    return links[::-1]
