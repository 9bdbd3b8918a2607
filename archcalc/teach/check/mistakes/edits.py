"""Mistakes as edits of a count's formula, identified by its letters: F, D₁, K, G, H₁, W₁, H₂, W₂, N₁.

Of rows and volumes the letters are those of their axes: C₁, L₁, L₂.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from archcalc.core.language import mark, say
from archcalc.core.numbers import product
from archcalc.core.shapes import AXES, Shape, format_shape
from archcalc.explain.derive.lift import AXIS_NAMES
from archcalc.explain.derive.trace import Node, Traced, symbol
from archcalc.teach.check.mistakes.base import Edit, Mistake
from archcalc.teach.check.mistakes.context import CLASSES, LayerContext
from archcalc.teach.check.mistakes.formulas import HOLDERS
from archcalc.teach.check.mistakes.positions import positions, replaced
from archcalc.teach.check.mistakes.settings import other_settings
from archcalc.teach.check.mistakes.sizes import kernel_cost, written
from archcalc.teach.check.mistakes.trees import (
    ONE,
    count,
    letters,
    named,
    plus,
    put,
    put_once,
    rebuild,
    times,
    without_division_by,
)

_FILTERS, _GROUPS = "K", "G"


def edits(context: LayerContext, quantity: str, tree: Node) -> list[Edit]:
    """What can be done wrong with this formula."""
    has = letters(tree)
    found: list[Edit] = []
    if quantity in ("params", "weights", "multiplications") and context.row.op.family in HOLDERS:
        found += _kernel(context, has)
        found += _depth(context, has)
        found += _values(context, has)
    if context.op.kind == "embedding" and has.keys() >= {"R", "E"}:
        found += _table(context, has)
    found += _filters(context, quantity, has)
    if quantity not in ("params", "weights") and context.inputs:
        found += positions(context, quantity, has)
    return found


def _kernel(context: LayerContext, has: dict[str, Node]) -> Iterator[Edit]:
    window = context.kernel
    if window is None:
        return
    rank, first = len(window), window[0]
    sides = ("F",) * rank if "F" in has else tuple([f"F_{axis[0]}" for axis in AXES[rank]])
    if not has.keys() >= set(sides):
        return
    own = say("{layer}'s window is {window}", layer=context.name, window=written(window))

    def put_all(sizes: Sequence[int]) -> Callable[[Node], Node | None]:
        if len(set(sizes)) > len(set(sides)):  # one letter for all axes, and a size for each
            return partial(_along_axes, letter=sides[0], sizes=sizes)
        return replaced({letter: named(has[letter], size) for letter, size in zip(sides, sizes, strict=True)})

    if rank > 1 and set(window) == {first} and first > 1:
        values = "·".join(map(str, window))
        size = (
            say("{first} rows and {first} columns", first=first)
            if rank == 2
            else say("{first} positions along each of {rank} axes", first=first, rank=rank)
        )
        reason = (
            say("the window along one axis only. It has {size}: {values} values.", size=size, values=values)
            if rank == 2
            else say("the window along two axes only. It has {size}: {values} values.", size=size, values=values)
        )
        yield Edit(Mistake("kernel_not_squared", reason), 15, lambda tree: _once(tree, sides[0]))
        yield from _sum_of_sides(context, sides[0], has)
        for wrong in sorted({*context.network.kernels} - {first, 1}) if rank == 2 else ():
            reason = say("a window of {first}×{wrong}. {own}.", first=first, wrong=wrong, own=own)
            one_side = partial(_once, letter=sides[0], value=named(has[sides[0]], wrong))
            yield Edit(Mistake("wrong_kernel", reason), 36, one_side)
    if rank == 1 and first > 1:
        reason = say("the window is squared. It lies along one axis: {first} values.", first=first)
        square = times(has[sides[0]], has[sides[0]])
        yield Edit(Mistake("kernel_not_squared", reason), 15, replaced({sides[0]: square}))
    if set(window) != {1}:
        reason = say("the window is left out. {own}.", own=own)
        yield Edit(Mistake("wrong_kernel", reason), 26, replaced(dict.fromkeys(sides, ONE)))
    if len(set(window)) > 1:
        for wrong in dict.fromkeys(window):
            reason = say("a window of {value}. {own}.", value=written((wrong,) * rank), own=own)
            yield Edit(Mistake("wrong_kernel", reason), 18, put_all((wrong,) * rank))
    dilation = getattr(context.op, "dilation", ())
    spans = tuple([(side - 1) * step + 1 for side, step in zip(window, dilation, strict=False)])
    if len(spans) == rank and spans != tuple(window):
        reason = say("the span of the dilated window, {span}, counted as weights. {own}.", span=written(spans), own=own)
        yield Edit(Mistake("wrong_kernel", reason), 14, put_all(spans))
    for wrong in sorted(context.kernels_taken() - {*window, *spans, 1}):
        whose = context.network.kernels.get(wrong)
        belongs = say(", as {whose} has", whose=whose) if whose is not None and whose != context.name else ""
        reason = say("a window of {value}{belongs}. {own}.", value=written((wrong,) * rank), belongs=belongs, own=own)
        yield Edit(Mistake("wrong_kernel", reason), 22 + kernel_cost(context, wrong), put_all((wrong,) * rank))
    given, output = context.inputs[0][1:], context.row.output_shape[1:]
    for shape, which in ((given, "input"), (output, "output"))[: 1 + (given != output)]:
        if len(shape) != rank or shape[0] <= 1 or shape == window:
            continue
        reason = say(
            "the size of the {which}'s map, {shape}, in the place of the window. {own}.",
            which=say(which),
            shape=written(shape),
            own=own,
        )
        yield Edit(Mistake("map_size_as_kernel", reason), 24, put_all(shape))


def _table(context: LayerContext, has: dict[str, Node]) -> Iterator[Edit]:
    """The table of an embedding: its rows, and the features of each."""
    rows, features = has["R"], has["E"]
    own = say(
        "The table of {layer} has {rows:,} rows of {features:,} features.",
        layer=context.name,
        rows=rows.value,
        features=features.value,
    )
    length = (context.inputs[0][1:] or context.inputs[0])[0]
    if length not in (1, rows.value):
        reason = say(
            "the length of the row, {length:,}, in the place of the rows of the table. {own}", length=length, own=own
        )
        yield Edit(Mistake("wrong_input_channels", reason), 14, replaced({"R": named(rows, length)}))
        reason = say("the length of the row, {length:,}, in the place of the features. {own}", length=length, own=own)
        yield Edit(Mistake("forgot_output_channels", reason), 15, replaced({"E": named(features, length)}))
    reason = say("the rows alone. {own}", own=own)
    yield Edit(Mistake("forgot_output_channels", reason), 16, replaced({"E": ONE}))
    reason = say("one row alone. {own}", own=own)
    yield Edit(Mistake("forgot_input_channels", reason), 16, replaced({"R": ONE}))


def _sum_of_sides(context: LayerContext, letter: str, has: dict[str, Node]) -> Iterator[Edit]:
    """F·2 for F·F, and F·F + D for F·F·D."""
    window = context.kernel or ()
    values = "·".join(map(str, window))
    if len(window) == 2:
        reason = say(
            "the side of the window times 2, not times itself. It has {values} = {count} values.",
            values=values,
            count=product(window),
        )
        yield Edit(Mistake("kernel_not_squared", reason), 20, partial(_once, letter=letter, value=symbol("2", 2).node))
    depth = has.get(context.depth_letter)
    if depth is not None and depth.value > 1 and _GROUPS not in has:
        reason = say(
            "window and input depth are added. They are multiplied: {values}·{depth} values.",
            values=values,
            depth=depth.value,
        )
        yield Edit(Mistake("forgot_input_channels", reason), 22, partial(_added, depth=depth))


def _added(tree: Node, depth: Node) -> Node:
    """F·F·D as F·F + D."""

    def replace(part: Node) -> Node | None:
        return plus(part.parts[0], part.parts[1]) if part.kind == "*" and part.parts[1] == depth else None

    return rebuild(tree, replace)


def _along_axes(tree: Node, letter: str, sizes: Sequence[int]) -> Node | None:
    """The letter replaced by another number along each axis."""
    found = letters(tree).get(letter)
    if found is None:
        return None
    made = tree
    for axis, size in enumerate(sizes):
        made = put_once(made, letter, named(found, size), axis)
    return made


def _once(tree: Node, letter: str, value: Node = ONE) -> Node | None:
    """The letter replaced along the last axis; None where there is one axis."""
    return put_once(tree, letter, value, count(tree, letter) - 1) if count(tree, letter) > 1 else None


def _depth(context: LayerContext, has: dict[str, Node]) -> Iterator[Edit]:
    """The depth of the input, and the groups that it is divided into."""
    letter = context.depth_letter
    depth = has.get(letter)
    if depth is None:
        return
    if _GROUPS in has and has[_GROUPS].value > 1:
        groups = has[_GROUPS].value
        each = context.depth // groups
        reason = say(
            "each filter as deep as the whole input. With {groups} groups it sees {each} of {depth} channels.",
            groups=groups,
            each=each,
            depth=context.depth,
        )
        yield Edit(Mistake("forgot_groups", reason), 10, lambda tree: without_division_by(tree, _GROUPS))
    if depth.value > 1:
        reason = say("the input depth is missing. {reads}", reads=context.reads())
        yield Edit(Mistake("forgot_input_channels", reason), 14, partial(_without_depth, letter=letter))
    if _GROUPS not in has and context.depth % 2 == 0:
        reason = say("half the input depth, as in a filter of two groups. {layer} has one group.", layer=context.name)
        yield Edit(Mistake("wrong_input_channels", reason), 34, _other_depth(letter, named(depth, context.depth // 2)))
    if _GROUPS in has and has[_GROUPS].value == context.depth:
        return  # depthwise: a filter sees one channel, however many there are
    sides = context.inputs[0][1:2] + context.row.output_shape[1:2]
    for side in dict.fromkeys(one for one in sides if one not in (1, depth.value)):
        reason = say("a side of the map, {side}, in the place of its depth. {reads}", side=side, reads=context.reads())
        edit = _other_depth(letter, named(depth, side))
        yield Edit(Mistake("wrong_input_channels", reason), 22, edit)
    for one in context.network.depths(context.name):
        if one.value not in (1, depth.value):
            reason = f"{one.whose}. {context.reads()}"
            edit = _other_depth(letter, named(depth, one.value))
            yield Edit(Mistake("wrong_input_channels", reason), 14 + min(2 * one.far, 20), edit)


def _without_depth(tree: Node, letter: str) -> Node:
    return put(without_division_by(tree, _GROUPS), {letter: ONE})


def _other_depth(letter: str, depth: Node) -> Callable[[Node], Node | None]:
    def apply(tree: Node) -> Node | None:
        # A depth that the groups do not divide is no reading of a grouped convolution.
        groups = letters(tree).get(_GROUPS)
        return None if groups is not None and depth.value % groups.value else put(tree, {letter: depth})

    return apply


def _values(context: LayerContext, has: dict[str, Node]) -> Iterator[Edit]:
    """The inputs of a dense layer: the values of a map, or of the dense layer before."""
    if context.row.op.family != "dense":
        return
    if getattr(context.row.op, "per_position", False):
        channels, positions = context.inputs[0][0], product(context.inputs[0][1:])
        if context.depth_letter in has and positions > 1:
            why = say(
                "the values of all {positions:,} positions. {layer} reads the {channels:,} channels of each position "
                "alone, with the same weights.",
                positions=positions, layer=context.name, channels=channels,
            )  # fmt: skip
            all_values = named(has[context.depth_letter], channels * positions)
            yield Edit(Mistake("wrong_input_channels", why), 16, replaced({context.depth_letter: all_values}))
        return
    maker = context.network.maker(context.row.inputs[0])
    image = context.inputs[0]
    flat = len(image) == 1
    if flat:
        # Seen through flatten: the map whose values these are.
        shapes = maker.input_shapes
        image = shapes[0] if len(shapes) == 1 and maker.op.family == "shape" else image
    written = format_shape(image)
    if len(image) > 1:
        own = say("{layer} reads {image} = {count:,} values", layer=context.name, image=written, count=product(image))
    else:
        own = say("{layer} reads {image} values", layer=context.name, image=written)
    if flat and "N₁" in has:
        right = has["N₁"]
        yield Edit(
            Mistake("forgot_input_channels", say("the inputs are missing. {own}.", own=own)), 24, replaced({"N₁": ONE})
        )
        for node, why, cost in _other_values(context, image):
            if node.value != right.value:
                yield Edit(Mistake("wrong_input_channels", f"{why}. {own}."), cost, replaced({"N₁": node}))
        return
    depth, sides = context.depth_letter, tuple([f"{axis}₁" for axis in context.axes])
    if sides and has.keys() >= set(sides):
        if product(image[1:]) > 1:
            yield from _parts_of_map(own, sides)
        for shape, whose in _maps_before(context, len(image)):
            values = {letter: named(has[letter], size) for letter, size in zip(sides, shape[1:], strict=True)}
            if depth in has:
                values[depth] = named(has[depth], shape[0])
            yield Edit(Mistake("wrong_input_channels", f"{whose}, {format_shape(shape)}. {own}."), 16, replaced(values))


def _parts_of_map(own: str, sides: Sequence[str]) -> Iterator[Edit]:
    """Not all values of a map that is read."""
    reason = say("only the channels of the input. {own}.", own=own)
    yield Edit(Mistake("wrong_input_channels", reason), 16, replaced(dict.fromkeys(sides, ONE)))
    if len(sides) == 2:
        reason = say("the rows of the input count, its columns do not. {own}.", own=own)
        yield Edit(Mistake("wrong_input_channels", reason), 24, replaced({sides[1]: ONE}))


def _other_values(context: LayerContext, image: tuple[int, ...]) -> Iterator[tuple[Node, str, int]]:
    if len(image) > 1:
        depth, *sides = _lettered(image)
        yield depth.node, say("only the channels of the input"), 16
        yield product(sides).node, say("only the positions of the input"), 20
        if len(sides) == 2:
            yield (sides[0] * depth).node, say("the rows of the input count, its columns do not"), 24
        for shape, whose in _maps_before(context, len(image)):
            first, *others = _lettered(shape)
            yield product([*others, first]).node, f"{whose}, {format_shape(shape)}", 16
    seen = set()
    for far, row in context.network.nearest(context.name):
        for sizes, what in ((row.input_shapes[0], mark("inputs")), (row.output_shape, mark("outputs"))):
            if len(sizes) == 1 and sizes[0] not in seen and far < 4:
                seen.add(sizes[0])
                yield (
                    symbol("N₁", sizes[0]).node,
                    say("the {what} of {layer}", what=say(what), layer=row.name),
                    14 + far,
                )
    if context.row.output_shape[0] not in seen:
        yield symbol("N₁", context.row.output_shape[0]).node, say("{layer}'s own neurons", layer=context.name), 15


def _lettered(shape: Shape) -> list[Traced]:
    return [symbol(name.letter, size) for name, size in zip(AXIS_NAMES[len(shape) - 1], shape, strict=True)]


def _maps_before(context: LayerContext, axes: int) -> Iterator[tuple[Shape, str]]:
    """The maps that the last layers before read: a pool left out."""
    name, seen = context.row.inputs[0], 0
    own = context.inputs[0]
    while seen < 4:
        row = context.network.analysis[name]
        if not row.inputs:
            return
        shape = row.input_shapes[0]
        if len(shape) == axes and shape != own and product(shape) != product(own):
            seen += 1
            yield shape, say("the map that {layer} reads", layer=row.name)
        name = row.inputs[0]


def _filters(context: LayerContext, quantity: str, has: dict[str, Node]) -> Iterator[Edit]:
    each = HOLDERS.get(context.row.op.family)
    filters = has.get(_FILTERS)
    if filters is None:
        made = context.depth_letter if context.inputs else ""
        if quantity in ("activations", "activation_bytes") and made in has and has[made].value > 1:
            reason = say(
                "the depth is missing. The output is {output_shape}.",
                output_shape=format_shape(context.row.output_shape),
            )
            yield Edit(Mistake("forgot_output_channels", reason), 16, replaced({made: ONE}))
        return
    if each is None:
        return
    name, number = context.name, filters.value
    if number > 1 and quantity in ("activations", "activation_bytes"):
        reason = say(
            "the depth is missing. The output is {output_shape}.",
            output_shape=format_shape(context.row.output_shape),
        )
        yield Edit(Mistake("forgot_output_channels", reason), 14, replaced({_FILTERS: ONE}))
    if number > 1:
        reason = (
            say("one filter only. {name} has {number:,}.", name=name, number=number)
            if each == "filters"
            else say("one neuron only. {name} has {number:,}.", name=name, number=number)
        )
        yield Edit(Mistake("forgot_output_channels", reason), 16, replaced({_FILTERS: ONE}))
    near = ((number - 1, "", 28), (number + 1, "", 30)) if number > 2 else ()
    for wrong, whose, cost in (*near, *_other_filters(context)):
        reason = (
            say("{wrong:,} filters{whose}. {name} has {number:,}.", wrong=wrong, whose=whose, name=name, number=number)
            if each == "filters"
            else say(
                "{wrong:,} neurons{whose}. {name} has {number:,}.", wrong=wrong, whose=whose, name=name, number=number
            )
        )
        edit = replaced({_FILTERS: named(filters, wrong)})
        yield Edit(Mistake("forgot_output_channels", reason), cost, edit)
    groups = getattr(context.op, "groups", 1)
    if 1 < groups < number:
        reason = say(
            "the filters of one of {groups} groups. All groups together give {right:,}.", groups=groups, right=number
        )
        yield Edit(
            Mistake("forgot_output_channels", reason), 16, replaced({_FILTERS: named(filters, number // groups)})
        )
    letter = context.depth_letter
    depth = has.get(letter) or (symbol(letter, context.depth).node if len(context.inputs[0]) > 1 else has.get("N₁"))
    if depth is None or depth.value in (1, number):
        return
    if each != "filters":
        reason = say(
            "the number of inputs, {depth:,}, in the place of the neurons. {name} has {number:,}.",
            depth=depth.value,
            name=name,
            number=number,
        )
        yield Edit(Mistake("forgot_output_channels", reason), 22, replaced({_FILTERS: named(filters, depth.value)}))
    else:
        reason = say(
            "the input depth in the place of the number of filters. {name} has {number:,}.", name=name, number=number
        )
        yield Edit(Mistake("forgot_output_channels", reason), 24, replaced({_FILTERS: named(filters, depth.value)}))
        if quantity in ("params", "multiplications") and letter in has and _GROUPS not in has:
            reason = say(
                "input depth and number of filters have changed places. {reads} It has {number:,} filters.",
                reads=context.reads(),
                number=number,
            )
            values = {letter: named(depth, number), _FILTERS: named(filters, depth.value)}
            yield Edit(Mistake("swapped_axes", reason), 22, replaced(values))


def _other_filters(context: LayerContext) -> Iterator[tuple[int, str, int]]:
    """Numbers of filters or neurons of the layers next to this one, and of classes where it is the last."""
    right, seen = context.row.output_shape[0], {context.row.output_shape[0], context.depth, 1}
    rows = context.network.weighted
    if rows and rows[-1].name == context.name and context.op.family == "dense":
        for classes in CLASSES:
            if classes not in seen:
                seen.add(classes)
                yield classes, "", 20
    for one in other_settings(context):
        if one.value not in seen:
            seen.add(int(one.value))
            yield int(one.value), "", 22
    for far, row in context.network.nearest(context.name):
        wrong = row.output_shape[0]
        if far < 2 and row.op.family == context.op.family and wrong not in (*seen, right - 1, right + 1):
            seen.add(wrong)
            yield wrong, say(", as {whose} has", whose=row.name), 24 + 4 * far
