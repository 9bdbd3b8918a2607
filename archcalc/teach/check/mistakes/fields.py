"""Mistakes with receptive fields: r₂ = r₁ + (F − 1)·j₁, and the chain of layers that leads there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.explain.derive.layer import explain_row
from archcalc.explain.derive.trace import Node
from archcalc.ops import rules
from archcalc.ops.base import EVERYTHING, POINTS, Window
from archcalc.passes.analysis import Row
from archcalc.teach.check.mistakes.base import Mistake, MistakenSize
from archcalc.teach.check.mistakes.context import KERNELS, LayerContext
from archcalc.teach.check.mistakes.sizes import kernel_cost
from archcalc.teach.check.mistakes.trees import ONE, letters, named, put, put_once, quantity, without_any_one

FIELD = "receptive_field"


class _Link(NamedTuple):
    """A layer on the way from the input: what it reads along height and width."""

    row: Row
    windows: tuple[Window, Window]


def fields(context: LayerContext) -> list[MistakenSize]:
    """Receptive fields that one mistake leads to."""
    field = context.row.receptive_field
    if field is None or not context.inputs or len(field.axes) != 2:
        return []
    right = (field.axes[0].size, field.axes[1].size)
    found = [*_edited(context), *_taken_for_it(context, right), *_along_the_way(context)]
    return [one for one in found if one.sizes != right and min(one.sizes) >= 0]


def trees(context: LayerContext) -> tuple[Node, Node] | None:
    """The formula along height and width; None where there is only the number."""
    analysis = context.network.analysis
    shown = {one.quantity: one.tree for one in explain_row(analysis, analysis[context.name]).derivations}
    pair = shown.get(f"{FIELD}_height"), shown.get(f"{FIELD}_width")
    if pair[0] is None or pair[1] is None or pair[0].kind == "number" or pair[1].kind == "number":
        return None
    return _as_the_student_has_it(context, (pair[0], pair[1]))


def _differences(context: LayerContext) -> tuple[int, int]:
    """How much more the layers before see in the student's network than in the right one."""
    own, right = context.row.receptive_field, context.network.analysis[context.name].receptive_field
    if own is None or right is None:
        return (0, 0)
    return (own.axes[0].size - right.axes[0].size, own.axes[1].size - right.axes[1].size)


def _as_the_student_has_it(context: LayerContext, pair: tuple[Node, Node]) -> tuple[Node, Node]:
    """The formulas with the student's own field of the layers before."""
    found = []
    for tree, more in zip(pair, _differences(context), strict=True):
        before = letters(tree).get("r₁")
        found.append(put(tree, {"r₁": named(before, before.value + more)}) if more and before is not None else tree)
    return found[0], found[1]


def _sized(step: Mistake, cost: int, made: tuple[Node, Node]) -> MistakenSize:
    return MistakenSize((made[0].value, made[1].value), (step,), cost, made)


def _edited(context: LayerContext) -> Iterator[MistakenSize]:
    right = trees(context)
    if right is None:
        return
    has = letters(right[0])

    def all_of(letter_values: dict[str, Node]) -> tuple[Node, Node]:
        return put(right[0], letter_values), put(right[1], letter_values)

    if "j₁" in has:
        step = has["j₁"].value
        reason = f"each position counts as one pixel. Positions of the input of {context.name} lie {step} pixels apart."
        yield _sized(Mistake("forgot_stride", reason), 12, all_of({"j₁": ONE}))
        stride = getattr(context.op, "stride", None)
        if stride is not None and stride[0] > 1:
            reason = f"the output's step, {step * stride[0]} pixels. The window lies on the input: steps of {step}."
            yield _sized(Mistake("wrong_stride", reason), 16, all_of({"j₁": named(has["j₁"], step * stride[0])}))
            reason = f"the stride of {context.name} alone. All strides before it count together: {step} pixels a step."
            yield _sized(Mistake("wrong_stride", reason), 18, all_of({"j₁": named(has["j₁"], stride[0])}))
    reason = "the − 1 is missing. A window of F has F − 1 steps from its first to its last position."
    yield _sized(Mistake("forgot_plus_one", reason), 12, (without_any_one(right[0]), without_any_one(right[1])))
    if "r₁" in has:
        reason = f"what the layers before see is missing: {has['r₁'].value} pixels."
        yield _sized(Mistake("sum_of_parts", reason), 18, all_of({"r₁": ONE}))
        nothing = quantity("r₁", 0)
        yield _sized(Mistake("sum_of_parts", reason), 20, all_of({"r₁": nothing}))
    if context.kernel is not None and "F" in has:
        for wrong in sorted({*KERNELS, *context.network.kernels} - {context.kernel[0]}):
            reason = f"a window of {wrong}×{wrong}. {context.name}'s is {context.kernel[0]}×{context.kernel[1]}."
            cost = 24 + kernel_cost(context, wrong)
            yield _sized(Mistake("wrong_kernel", reason), cost, all_of({"F": named(has["F"], wrong)}))
    if "d" in has:
        reason = f"the dilation is missing. {context.name} spreads its window by {has['d'].value}."
        made = tuple([put_once(tree, "d", ONE) for tree in right])
        yield _sized(Mistake("forgot_dilation", reason), 10, (made[0], made[1]))


def _taken_for_it(context: LayerContext, right: tuple[int, int]) -> Iterator[MistakenSize]:
    """Another number in its place."""

    def of(sizes: tuple[int, int], letter: str) -> tuple[Node, Node]:
        return quantity(letter, sizes[0]), quantity(letter, sizes[1])

    name = context.name
    if context.kernel is not None:
        reason = f"the window of {name} alone. The layers before it see more than one pixel."
        yield _sized(Mistake("sum_of_parts", reason), 16, of(context.kernel, "F"))
    stride = getattr(context.op, "stride", None)
    if stride is not None and stride != (1, 1):
        yield _sized(Mistake("wrong_stride", "the stride, not the field."), 18, of(stride, "S"))
    image = context.network.rows[0].output_shape
    if len(image) == 3 and right[0] > image[1]:
        sizes = (min(right[0], image[1]), min(right[1], image[2]))
        reason = "cut off at the edge of the image. Here the padding counts as pixels that are seen."
        yield _sized(Mistake("forgot_padding", reason), 12, of(sizes, "H"))
    for source in context.row.inputs:
        before = context.network.analysis[source].receptive_field
        if before is not None:
            more = _differences(context)
            sizes = (before.axes[0].size + more[0], before.axes[1].size + more[1])
            whose = context.network.maker(source).name
            mistake = "sum_of_parts" if len(context.row.inputs) > 1 else "positions_of_input"
            yield _sized(Mistake(mistake, f"that is the field of {whose}, which {name} reads."), 20, of(sizes, "r₁"))
    own = context.inputs[0]
    if len(own) == 3:
        yield _sized(
            Mistake("map_size_as_kernel", f"the size of the map that {name} reads."), 26, of((own[1], own[2]), "H₁")
        )


def _along_the_way(context: LayerContext) -> Iterator[MistakenSize]:
    """The whole chain calculated without strides, or with some layers left out."""
    chain = _chain(context)
    if chain is None or len(chain) < 2:
        return
    reason = "no layer's stride counts. A stride moves the windows of all later layers further apart."
    yield _walked(chain, Mistake("forgot_stride", reason), 14, strides=False)
    pools = [link for link in chain if link.row.op.family == "pooling"]
    if pools and len(pools) < len(chain):
        kept = [link for link in chain if link.row.op.family != "pooling"]
        reason = "the pooling layers are left out. Their windows and strides count as well."
        yield _walked(kept, Mistake("repeat_count", reason), 22)
    for index, link in enumerate(chain[:-1][-12:]):
        if len(chain) > 13 or any(window != Window(1) for window in link.windows):
            at = max(0, len(chain) - 13) + index
            reason = f"without {link.row.name}, which is on the way."
            yield _walked(chain[:at] + chain[at + 1 :], Mistake("repeat_count", reason), 30)


def _walked(chain: list[_Link], step: Mistake, cost: int, strides: bool = True) -> MistakenSize:
    sizes = []
    for axis in (0, 1):
        seen, jump = 1, 1
        for link in chain:
            window = link.windows[axis]
            seen = rules.receptive_field_size(seen, window.size, jump)
            jump = rules.receptive_field_jump(jump, window.stride) if strides else jump
        sizes.append(seen)
    return _sized(step, cost, (quantity("r", sizes[0]), quantity("r", sizes[1])))


def _chain(context: LayerContext) -> list[_Link] | None:
    """The layers with windows from the network's input to this one; None where branches meet on the way."""
    links: list[_Link] = []
    row = context.row
    analysis = context.network.analysis
    while row.inputs:
        if len(row.inputs) != 1:
            return None
        windows = row.op.windows(row.input_shapes)[0]
        if windows == EVERYTHING:
            shape = row.input_shapes[0]
            sides = (shape[1], shape[2]) if len(shape) == 3 else (1, 1)
            windows = (Window(sides[0]), Window(sides[1]))
        if windows != POINTS:
            height, width = windows if isinstance(windows, tuple) and len(windows) == 2 else (None, None)
            if not isinstance(height, Window) or not isinstance(width, Window) or height.transposed:
                return None
            links.append(_Link(row, (height, width)))
        row = analysis[row.inputs[0]]
    return links[::-1]
