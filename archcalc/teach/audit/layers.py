"""What a claimed setting, kernel or count of a layer would mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archcalc.core.shapes import LARGEST_SIZE, format_shape
from archcalc.explain.derive.trace import symbol
from archcalc.ops import OPS, rules
from archcalc.ops.conv import Conv
from archcalc.ops.windowed import Windowed
from archcalc.passes.analysis import Row
from archcalc.passes.shapes import infer_shapes
from archcalc.spec.expressions import Expression
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.functions import SETTINGS
from archcalc.teach.audit.networks import rows_of
from archcalc.teach.audit.numbers import value_text
from archcalc.teach.audit.trees import calls, layer_of
from archcalc.teach.audit.verdicts import Part
from archcalc.teach.check.explain import calculation
from archcalc.teach.check.model import Diagnosis

_WRONG = {"stride": "wrong_stride", "kernel_size": "wrong_kernel"}


def of_padding(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """A padding of both sides together that was read as that of one side, or the other way round."""
    tree, number = part.tree, part.claimed.number
    if tree.kind != "call" or tree.value not in ("output_size", "exact_output_size") or number is None:
        return
    size, window, stride, padding = (context.value(argument) for argument in tree.parts)
    wanted = rules.padding_for(number, size, window, stride)
    if padding and wanted == padding:
        text = (
            f"{part.claimed.text} needs {wanted} pixels of padding in all; {padding} on each side are {2 * padding} "
            f"and give {value_text(part.value)}."
        )
        yield Diagnosis("padding_once", "", "output_size", text)


def of_other_setting(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """What follows from a claimed setting: the first shapes that would be others."""
    asked, number = context.asked(part.tree), part.claimed.number
    if asked is None or part.tree.value not in SETTINGS or number is None or number.denominator != 1:
        return
    call, analysis = asked.call, asked.analysis
    layer = asked.layer or analysis.rows[-1].name
    index = analysis.graph.index[rows_of(analysis, layer)[-1].name]
    old = analysis.graph.layers[index]
    if call.value not in type(old.op).model_fields or not (call.value != "padding") <= number <= LARGEST_SIZE:
        return  # no layer can have it
    current = getattr(old.op, call.value)
    value: Any = int(number)
    if isinstance(current, tuple):
        value = (value,) * len(current)
        value = type(current)(*value) if hasattr(current, "_fields") else value
    changed = old._replace(op=old.op.model_copy(update={call.value: value}))
    layers = (*analysis.graph.layers[:index], changed, *analysis.graph.layers[index + 1 :])
    found = infer_shapes(replace(analysis.graph, layers=layers)).layers
    lines = [
        f"{shaped.layer.name} {format_shape(shaped.output)}, not {format_shape(row.output_shape)}"
        for shaped, row in zip(found, analysis.rows, strict=False)
        if shaped.output != row.output_shape and isinstance(shaped.op, Windowed)
    ]
    if not lines:
        return
    text = f"With {call.value} {int(number)} the network would be another: {'; '.join(lines[:2])}."
    yield Diagnosis(_WRONG.get(call.value, "wrong_setting"), layer, call.value, text)


def of_several_settings(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """The one other stride and padding that give a claimed size, where they are usual and leave nothing over."""
    asked = context.asked(part.tree)
    if asked is None or part.tree.value not in ("output_shape", "length", "height", "width"):
        return
    row = rows_of(asked.analysis, asked.layer)[-1]
    op, sides = row.op, part.claimed.sides
    size = sides[0] if len(sides) > 1 and len(set(sides[:-1])) == 1 else part.claimed.number
    if not isinstance(op, Windowed) or size is None or len(set(op.kernel_size)) != 1 or not row.input_shapes:
        return
    if len(sides) > 1 and (len(sides) != len(row.output_shape) or sides[-1] != row.output_shape[0]):
        return
    (_, side, *others), window = row.input_shapes[0], op.kernel_size[0]
    fitting = [
        (stride, padding)
        for stride in range(1, window + 1)
        for padding in range((window + 1) // 2)
        if set(others) <= {side}
        and rules.window_output_size(side, window, stride, 2 * padding) == size
        and not rules.leftover(side, window, stride, 2 * padding)
    ]
    if len(fitting) == 1:
        stride, padding = fitting[0]
        text = f"{int(size)} comes of stride {stride} and padding {padding}: {_sized(side, window, stride, padding)}."
        yield Diagnosis("wrong_setting", row.name, str(part.tree.value), text)


def _sized(size: int, window: int, stride: int, padding: int) -> str:
    """The rule with these numbers put in: (11 − 5 + 2·0)/2 + 1."""
    lettered = (symbol(letter, value) for letter, value in zip("WFSP", (size, window, stride, padding), strict=True))
    width, kernel, step, side = lettered
    positions = rules.window_output_size(width, kernel, step, rules.total_padding(side, side))
    return calculation(positions.node)


def of_weights(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """Which side of a kernel F×F×D×K is another."""
    asked, sides = context.asked(part.tree), part.claimed.sides
    if asked is None or part.tree.value != "weights_shape" or not isinstance(part.value, list):
        return
    if len(sides) != len(part.value) or len(sides) < 3:
        return
    analysis, layer = asked.analysis, asked.layer or asked.analysis.rows[-1].name
    row = rows_of(analysis, layer)[-1]
    depth, *place = row.input_shapes[0]
    *window, channels, filters = part.value
    own = "×".join(map(str, window))

    def found(mistake: str, text: str) -> Diagnosis:
        return Diagnosis(mistake, layer, "weights_shape", text)

    if list(sides[:-2]) != window:
        if list(sides[:-2]) == place:
            yield found(
                "map_size_as_kernel", f"{'×'.join(map(str, place))} is the map that {layer} reads; its window is {own}."
            )
        else:
            yield found("wrong_kernel", f"The window is {own}.")
    if sides[-2] != channels:
        above = reversed(analysis.rows[: analysis.graph.index[row.name]])
        before = next((one for one in above if _reads(one) == sides[-2]), None)
        whose = f" {sides[-2]} is what {before.name} reads." if before else ""
        yield found("wrong_input_channels", f"{layer} reads {depth} maps, so a filter is {channels} deep.{whose}")
    if sides[-1] != filters:
        yield found("wrong_setting", f"{layer} has {filters} filters.")


def _reads(row: Row) -> int | None:
    return row.input_shapes[0][0] if isinstance(row.op, Conv) else None


def of_other_size(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """Another quantity of the layer, the other side of a matrix, or another kind of layer."""
    number = part.claimed.number
    if number is None or number.denominator != 1:
        return
    tree = part.tree
    if tree.kind == "index":
        yield from _other_side(context, part)
        tree = tree.parts[0]
    asked = context.asked(tree)
    if asked is None or tree is not asked.call:
        return
    if tree.value == "count" and number:
        yield from _other_kind(context, part, tree)
    if tree.value != "receptive_field":
        return
    row = rows_of(asked.analysis, asked.layer)[-1]
    for name in SETTINGS:
        value = getattr(row.op, name, None)
        if value is not None and number in (value if isinstance(value, tuple) else (value,)):
            text = f"{int(number)} is the {name.replace('_', ' ')} of {row.name}, not what it sees."
            yield Diagnosis("other_quantity", row.name, "receptive_field", text)
            return


def _other_side(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    whole, index = part.tree.parts
    sides = context.value(whole)
    found = calls(whole)
    if not isinstance(sides, list) or not found or found[0].value not in ("x_col", "w_row", "product_shape"):
        return
    others = [side for position, side in enumerate(sides) if position != index.value]
    if any(part.claimed.holds(side) for side in others):
        names = ("rows", "columns")
        text = (
            f"The matrix is {value_text(sides)}: {sides[0]:,} {names[0]} and {sides[1]:,} {names[1]}; "
            f"{part.claimed.text} is the number of {names[1 - index.value]}."
        )
        yield Diagnosis("swapped_axes", layer_of(found[0]) or "", str(found[0].value), text)


def _other_kind(context: ClaimContext, part: Part, tree: Expression) -> Iterator[Diagnosis]:
    """As many layers, but of another kind of the same family."""
    kind = tree.parts[1].value
    if kind not in OPS:
        return
    for other in OPS.values():
        if other.kind != kind and other.family == OPS[kind].family:
            changed = tree._replace(parts=(tree.parts[0], Expression("value", 0, other.kind), *tree.parts[2:]))
            if part.claimed.holds(context.value(changed)):
                text = f"The number is right for {other.kind}, not for {kind}."
                yield Diagnosis("other_quantity", "", "count", text)
