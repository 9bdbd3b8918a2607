"""Mistakes as edits of a count's formula, identified by its letters: F, D₁, K, G, H₁, W₁, H₂, W₂, N₁."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from archcalc.core.shapes import format_shape
from archcalc.explain.derive.trace import Node, symbol
from archcalc.teach.check.mistakes.base import Edit, Mistake
from archcalc.teach.check.mistakes.context import KERNELS, LayerContext
from archcalc.teach.check.mistakes.formulas import HOLDERS
from archcalc.teach.check.mistakes.sizes import kernel_cost, sized
from archcalc.teach.check.mistakes.trees import ONE, count, letters, named, put, put_once, without_division_by

_KERNELS = (("F", "F"), ("F_h", "F_w"))
_DEPTH, _FILTERS, _GROUPS = "D₁", "K", "G"


def edits(context: LayerContext, quantity: str, tree: Node) -> list[Edit]:
    """What can be done wrong with this formula."""
    has = letters(tree)
    found: list[Edit] = []
    if quantity in ("params", "weights", "multiplications") and context.row.op.family in HOLDERS:
        found += _kernel(context, has)
        found += _depth(context, has)
        found += _values(context, has)
    found += _filters(context, quantity, has)
    if quantity not in ("params", "weights") and has.keys() & {"H₂", "W₂", "H₁", "W₁"}:
        found += _positions(context, quantity, has)
    return found


def _replace(values: dict[str, Node]) -> Callable[[Node], Node]:
    return partial(put, values=values)


def _kernel(context: LayerContext, has: dict[str, Node]) -> Iterator[Edit]:
    pair = next((pair for pair in _KERNELS if pair[0] in has), None)
    if pair is None or context.kernel is None:
        return
    height, width = context.kernel
    own = f"{context.name}'s window is {height}×{width}"
    if height == width > 1:
        reason = f"the window along one axis only. It has {height} rows and {width} columns: {height}·{width} values."
        yield Edit(Mistake("kernel_not_squared", reason), 15, lambda tree: _once(tree, pair[0]))
        for wrong in sorted({*context.network.kernels} - {height, 1}):
            reason = f"a window of {height}×{wrong}. {own}."
            one_side = partial(_once, letter=pair[0], value=named(has[pair[0]], wrong))
            yield Edit(Mistake("wrong_kernel", reason), 36, one_side)
    if height * width > 1:
        reason = f"the window is left out. {own}."
        yield Edit(Mistake("wrong_kernel", reason), 26, _replace({pair[0]: ONE, pair[1]: ONE}))
    if height != width:
        for wrong in (height, width):
            reason = f"a window of {wrong}×{wrong}. {own}."
            values = {pair[0]: named(has[pair[0]], wrong), pair[1]: named(has[pair[1]], wrong)}
            yield Edit(Mistake("wrong_kernel", reason), 18, _replace(values))
    for wrong in sorted({*KERNELS, *context.network.kernels} - {height, width, 1}):
        whose = context.network.kernels.get(wrong)
        belongs = f", as {whose} has" if whose is not None and whose != context.name else ""
        reason = f"a window of {wrong}×{wrong}{belongs}. {own}."
        values = {pair[0]: named(has[pair[0]], wrong), pair[1]: named(has[pair[1]], wrong)}
        yield Edit(Mistake("wrong_kernel", reason), 22 + kernel_cost(context, wrong), _replace(values))
    if len(context.inputs[0]) == 3:
        shapes = ((context.inputs[0], "input"), (context.row.output_shape, "output"))
        for shape, which in shapes[: 1 + (shapes[0][0][1:] != shapes[1][0][1:])]:
            if len(shape) != 3 or shape[1] <= 1 or (shape[1], shape[2]) == (height, width):
                continue
            reason = f"the size of the {which}'s map, {shape[1]}×{shape[2]}, in the place of the window. {own}."
            values = {pair[0]: named(has[pair[0]], shape[1]), pair[1]: named(has[pair[1]], shape[2])}
            yield Edit(Mistake("map_size_as_kernel", reason), 24, _replace(values))


def _once(tree: Node, letter: str, value: Node = ONE) -> Node | None:
    return put_once(tree, letter, value, 1) if count(tree, letter) > 1 else None


def _depth(context: LayerContext, has: dict[str, Node]) -> Iterator[Edit]:
    """The depth of the input, and the groups that it is divided into."""
    depth = has.get(_DEPTH)
    if depth is None:
        return
    if _GROUPS in has and has[_GROUPS].value > 1:
        groups = has[_GROUPS].value
        each = context.depth // groups
        reason = (
            f"each filter as deep as the whole input. With {groups} groups it sees {each} of {context.depth} channels."
        )
        yield Edit(Mistake("forgot_groups", reason), 10, lambda tree: without_division_by(tree, _GROUPS))
    if depth.value > 1:
        reason = f"the input depth is missing. {context.reads()}"
        yield Edit(Mistake("forgot_input_channels", reason), 16, _without_depth)
    if _GROUPS not in has and context.depth % 2 == 0:
        reason = f"half the input depth, as in a filter of two groups. {context.name} has one group."
        yield Edit(Mistake("wrong_input_channels", reason), 34, _other_depth(named(depth, context.depth // 2)))
    if _GROUPS in has and has[_GROUPS].value == context.depth:
        return  # depthwise: a filter sees one channel, however many there are
    for one in context.network.depths(context.name):
        if one.value not in (1, depth.value):
            reason = f"{one.whose}. {context.reads()}"
            edit = _other_depth(named(depth, one.value))
            yield Edit(Mistake("wrong_input_channels", reason), 14 + min(2 * one.far, 20), edit)


def _without_depth(tree: Node) -> Node:
    return put(without_division_by(tree, _GROUPS), {_DEPTH: ONE})


def _other_depth(depth: Node) -> Callable[[Node], Node | None]:
    def apply(tree: Node) -> Node | None:
        # A depth that the groups do not divide is no reading of a grouped convolution.
        groups = letters(tree).get(_GROUPS)
        return None if groups is not None and depth.value % groups.value else put(tree, {_DEPTH: depth})

    return apply


def _values(context: LayerContext, has: dict[str, Node]) -> Iterator[Edit]:
    """The inputs of a dense layer: the values of a map, or of the dense layer before."""
    if context.row.op.family != "dense":
        return
    maker = context.network.maker(context.row.inputs[0])
    image = context.inputs[0]
    flat = len(image) == 1
    if flat:
        # Seen through flatten: the map whose values these are.
        shapes = maker.input_shapes
        image = shapes[0] if len(shapes) == 1 and maker.op.family == "shape" else image
    own = f"{context.name} reads {format_shape(image)}" + (
        f" = {_volume(image):,} values" if len(image) == 3 else " values"
    )
    if flat and "N₁" in has:
        right = has["N₁"]
        yield Edit(Mistake("forgot_input_channels", f"the inputs are missing. {own}."), 24, _replace({"N₁": ONE}))
        for node, why, cost in _other_values(context, image):
            if node.value != right.value:
                yield Edit(Mistake("wrong_input_channels", f"{why}. {own}."), cost, _replace({"N₁": node}))
    elif "H₁" in has and "W₁" in has and _volume(image[1:]) > 1:
        reason = f"only the channels of the input. {own}."
        yield Edit(Mistake("wrong_input_channels", reason), 16, _replace({"H₁": ONE, "W₁": ONE}))
        reason = f"the rows of the input count, its columns do not. {own}."
        yield Edit(Mistake("wrong_input_channels", reason), 24, _replace({"W₁": ONE}))
        for shape, whose in _maps_before(context):
            values = {"H₁": named(has["H₁"], shape[1]), "W₁": named(has["W₁"], shape[2])}
            if _DEPTH in has:
                values[_DEPTH] = named(has[_DEPTH], shape[0])
            yield Edit(Mistake("wrong_input_channels", f"{whose}, {format_shape(shape)}. {own}."), 16, _replace(values))


def _other_values(context: LayerContext, image: tuple[int, ...]) -> Iterator[tuple[Node, str, int]]:
    if len(image) == 3:
        depth, height, width = (symbol(letter, size) for letter, size in zip("DHW", image, strict=True))
        yield depth.node, "only the channels of the input", 16
        yield (height * width).node, "only the positions of the input", 20
        yield (height * depth).node, "the rows of the input count, its columns do not", 24
        for shape, whose in _maps_before(context):
            d, h, w = (symbol(letter, size) for letter, size in zip("DHW", shape, strict=True))
            yield (h * w * d).node, f"{whose}, {format_shape(shape)}", 16
    seen = set()
    for far, row in context.network.nearest(context.name):
        for sizes, what in ((row.input_shapes[0], "inputs"), (row.output_shape, "outputs")):
            if len(sizes) == 1 and sizes[0] not in seen and far < 4:
                seen.add(sizes[0])
                yield symbol("N₁", sizes[0]).node, f"the {what} of {row.name}", 14 + far
    if context.row.output_shape[0] not in seen:
        yield symbol("N₁", context.row.output_shape[0]).node, f"{context.name}'s own neurons", 15


def _maps_before(context: LayerContext) -> Iterator[tuple[tuple[int, int, int], str]]:
    """The maps that the last layers before read: a pool left out."""
    name, seen = context.row.inputs[0], 0
    own = context.inputs[0]
    while seen < 4:
        row = context.network.analysis[name]
        if not row.inputs:
            return
        shape = row.input_shapes[0]
        if len(shape) == 3 and shape != own and _volume(shape) != _volume(own):
            seen += 1
            yield (shape[0], shape[1], shape[2]), f"the map that {row.name} reads"
        name = row.inputs[0]


def _volume(shape: tuple[int, ...]) -> int:
    volume = 1
    for side in shape:
        volume *= side
    return volume


def _filters(context: LayerContext, quantity: str, has: dict[str, Node]) -> Iterator[Edit]:
    each = HOLDERS.get(context.row.op.family)
    filters = has.get(_FILTERS)
    if filters is None:
        if quantity in ("activations", "activation_bytes") and _DEPTH in has and has[_DEPTH].value > 1:
            reason = f"the depth is missing. The output is {format_shape(context.row.output_shape)}."
            yield Edit(Mistake("forgot_output_channels", reason), 16, _replace({_DEPTH: ONE}))
        return
    if each is None:
        return
    name, number = context.name, filters.value
    if number > 1:
        reason = f"one {each[:-1]} only. {name} has {number:,}."
        yield Edit(Mistake("forgot_output_channels", reason), 16, _replace({_FILTERS: ONE}))
    depth = has.get(_DEPTH) or (symbol(_DEPTH, context.depth).node if len(context.inputs[0]) == 3 else has.get("N₁"))
    if depth is not None and depth.value not in (1, number) and each == "filters":
        reason = f"the input depth in the place of the number of filters. {name} has {number:,}."
        yield Edit(Mistake("forgot_output_channels", reason), 24, _replace({_FILTERS: named(filters, depth.value)}))
        if quantity in ("params", "multiplications") and _DEPTH in has and _GROUPS not in has:
            reason = (
                f"input depth and number of filters have changed places. {context.reads()} It has {number:,} filters."
            )
            values = {_DEPTH: named(depth, number), _FILTERS: named(filters, depth.value)}
            yield Edit(Mistake("swapped_axes", reason), 22, _replace(values))


def _positions(context: LayerContext, quantity: str, has: dict[str, Node]) -> Iterator[Edit]:
    """Where a filter is applied: at every position of the output."""
    output, given = context.row.output_shape, context.inputs[0] if context.inputs else ()
    if len(output) != 3 or len(given) != 3:
        return
    own = ("H₁", "W₁") if context.op.kind == "conv_transpose2d" or "H₂" not in has else ("H₂", "W₂")
    if own[0] not in has or own[1] not in has:
        return
    height, width = has[own[0]], has[own[1]]
    where = f"{context.name} calculates at {output[1]}×{output[2]} positions"
    if quantity == "multiplications" and height.value * width.value > 1:
        reason = f"the positions are missing; that is the number of weights. {where}."
        replace = _replace({own[0]: ONE, own[1]: ONE})
        yield Edit(Mistake("multiplications_without_positions", reason), 10, replace)
        reason = f"the positions along one axis only. {where}."
        yield Edit(Mistake("multiplications_without_positions", reason), 22, _replace({own[1]: ONE}))
    if own != ("H₂", "W₂"):
        return
    if given[1:] != output[1:]:
        reason = f"the positions of the input, {given[1]}×{given[2]}. The output has {output[1]}×{output[2]}."
        values = {own[0]: symbol("H₁", given[1]).node, own[1]: symbol("W₁", given[2]).node}
        yield Edit(Mistake("positions_of_input", reason), 12, _replace(values))
    for one in sized(context):
        if len(one.steps) == 1 and one.steps[0].mistake != "positions_of_input" and _is_square(one.sizes, output):
            values = {own[0]: named(height, one.sizes[0]), own[1]: named(width, one.sizes[1])}
            calculation = _shown(one.trees[0])
            step = one.steps[0]
            step = step._replace(reason=f"{calculation} positions: {step.reason}")
            yield Edit(step, one.cost + 4, _replace(values))


def _is_square(sizes: tuple[int, int], output: tuple[int, ...]) -> bool:
    """Whether the mistake was made along both axes alike."""
    return sizes[0] != output[1] and sizes[1] != output[2]


def _shown(tree: Node) -> str:
    from archcalc.explain.derive.notation import TEXT
    from archcalc.explain.derive.steps import substituted

    return f"{TEXT.write(substituted(tree))} = {tree.value:,}"
