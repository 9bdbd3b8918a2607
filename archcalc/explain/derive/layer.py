"""The derivation of every quantity of a layer, got from the op's own rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.core.conventions import BYTES, Conventions
from archcalc.core.errors import DerivationError
from archcalc.core.language import all_of, apart, say, say_many
from archcalc.core.shapes import AXES, Shape
from archcalc.explain.derive import words
from archcalc.explain.derive.lift import AXIS_NAMES, SymbolicLayer, indexed, lift
from archcalc.explain.derive.steps import intermediate, substituted
from archcalc.explain.derive.trace import Node, Symbol, Traced, by, symbol, traced
from archcalc.ops import rules
from archcalc.ops.base import EVERYTHING, POINT, POINTS, VALUES, AxisReads, Op, Param, Window, elements
from archcalc.ops.windowed import Windowed, side_names
from archcalc.passes.analysis import Analysis, Row, row_of
from archcalc.passes.axis_field import grow, only_span
from archcalc.passes.no_field import in_words
from archcalc.passes.params import count_values, share_out
from archcalc.passes.receptive_field import ReceptiveField

#: A formula with more parts than this is no help to a reader; its value is still shown.
LONGEST = 80
#: Quantities that tools count in other ways.
_COUNTED = ("params", "buffers", "multiplications")


class Derivation(NamedTuple):
    """How one number of a layer is computed.

    `quantity` is its key, `label` its name in words, `symbol` what is written before the first `=`. `tree` is the
    expression, or only the value where there is no formula to show.
    """

    quantity: str
    label: str
    tree: Node
    unit: str = ""
    symbol: Symbol | None = None
    note: str = ""

    @property
    def value(self) -> int:
        return self.tree.value

    def chain(self) -> list[Node]:
        """Symbols, numbers, intermediate steps, result; what would stand twice stands once."""
        numbers = substituted(self.tree)
        whole = [self.tree, numbers, *intermediate(numbers)]
        if self.tree.kind != "by":
            whole.append(Node("number", self.value))
        return [node for index, node in enumerate(whole) if index == 0 or node != whole[index - 1]]


class Explanation(NamedTuple):
    """A layer and the derivations of its numbers."""

    name: str
    op: Op
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    #: What it does and what it reads, in words.
    what: str
    derivations: tuple[Derivation, ...]

    @property
    def heading(self) -> str:
        """conv1: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3"""
        return f"{apart(self.name)}: {self.what}"

    def symbols(self) -> dict[Symbol, int]:
        """Every symbol that is used, with its value."""
        found: dict[Symbol, int] = {}
        for derivation in self.derivations:
            if derivation.symbol is not None:
                found.setdefault(derivation.symbol, derivation.value)
            for node in derivation.tree.walk():
                if node.symbol is not None:
                    found.setdefault(node.symbol, node.value)
        return found


class _Layer(NamedTuple):
    """What a derivation needs to know of a layer; `seen` are the receptive fields of the one input that it reads."""

    row: Row
    lifted: SymbolicLayer
    seen: ReceptiveField | None
    conventions: Conventions
    dtype: str


def explain_layer(analysis: Analysis, name: str) -> Explanation:
    """Every quantity of a layer. Raises `KeyError` for a name that the network does not have."""
    return explain_row(analysis, analysis[name])


def explain_row(analysis: Analysis, row: Row) -> Explanation:
    """Every quantity of a row of the analysis; what another tool counts in its own way has no derivation."""
    counted, row = row, _as_derived(analysis, row)
    others = {key for key in _COUNTED if getattr(counted, key) != getattr(row, key)}
    before = [analysis[source].receptive_field for source in row.inputs]
    # Of some inputs only the size matters: a crop sees the map that it crops.
    windows = row.op.windows(row.input_shapes) if row.inputs else ()
    read = [index for index, window in enumerate(windows) if window is not None]
    seen = before[read[0]] if len(read) == 1 else None
    op = row.op
    paddings: tuple[Derivation, ...] = ()
    if isinstance(getattr(op, "padding", None), str):
        op, paddings = _with_padding(row)
    layer = _Layer(
        row,
        lift(op, row.input_shapes, row.output_shape),
        seen,
        analysis.conventions,
        analysis.dtype,
    )
    derivations = [one for one in (*paddings, *_derivations(layer)) if one.quantity not in others]
    what = words.describe(row.op, row.input_shapes, row.output_shape)
    if row.name in analysis.fields_not_known:
        what += "; " + say("no receptive field: {reasons}", reasons=in_words([analysis.fields_not_known[row.name]]))
    return Explanation(row.name, row.op, row.input_shapes, row.output_shape, what, tuple(derivations))


def _as_derived(analysis: Analysis, row: Row) -> Row:
    """A row as archcalc counts it, where that of the analysis holds what another tool counts."""
    if not analysis.conventions.multiplications_rule:
        return row
    index = next(index for index, one in enumerate(analysis.rows) if one.name == row.name)
    return row_of(analysis, index, row.input_shapes, row.output_shape, row.op)


def _derivations(layer: _Layer) -> Iterator[Derivation]:
    yield from _sizes(layer)
    yield from _params(layer)
    yield from _work(layer)
    yield from _memory(layer)
    yield from _receptive_field(layer)
    yield from _matrices(layer)


def _derive(
    row: Row, quantity: str, label: str, value: object, expected: int, unit: str = "", lhs: Traced | None = None,
    note: str = "",
) -> Derivation:  # fmt: skip
    """A derivation of a traced value; of a formula that is too long to help, the value alone.

    Raises `DerivationError` where it is another value than the analysis has.
    """
    tree = traced(value).node
    if tree.value != expected:
        raise DerivationError(row.name, quantity, tree.value, expected)
    if sum(1 for _ in tree.walk()) > LONGEST:
        tree = Node("number", expected)
    return Derivation(quantity, label, tree, unit, lhs.node.symbol if lhs is not None else None, note)


# --- shapes


def _with_padding(row: Row) -> tuple[Op, tuple[Derivation, ...]]:
    """`same` padding as pixels, and how they are computed."""
    op, shape = row.op, row.input_shapes[0]
    assert isinstance(op, Windowed)
    axes = op.axes(shape)
    plain = op.model_copy(update={"padding": op.sides(shape)})
    lifted = lift(plain, [shape], plain.output_shape([shape]))
    same = lifted.op.model_copy(update={"padding": "same"})
    assert isinstance(same, Windowed)
    found = []
    begins, ends = side_names(op.rank)[: op.rank], side_names(op.rank)[op.rank :]
    for axis, name in enumerate(AXES[op.rank]):
        before, after = axes[axis].before, axes[axis].after
        value = rules.same_padding(*same.axis(lifted.inputs[0], axis)[:3])
        sides = ((before, begins[axis]), (after, ends[axis]))
        note = ", ".join(say(words.PLACES[side], count=count) for count, side in sides)
        found.append(
            _derive(
                row,
                f"padding_{name}",
                say("padding, {axis}", axis=say(name)),
                value,
                before + after,
                _unit(op.rank),
                note=note if before + after else "",
            )
        )
    return plain, tuple(found)


def _unit(axes: int) -> str:
    """What the positions of an input are called: an image has pixels."""
    return "pixels" if axes == 2 else "positions"


def _sizes(layer: _Layer) -> Iterator[Derivation]:
    row, lifted = layer.row, layer.lifted
    made = lifted.op.output_shape(lifted.inputs) if row.inputs else row.output_shape
    axes = list(zip(AXIS_NAMES[len(row.output_shape) - 1], made, row.output_shape, strict=True))
    for name, value, size in (*axes[1:], axes[0]):
        left = _left(name.letter, name.unit if name.word == "size" else name.word, size, row)
        yield _derive(row, name.word, say(name.word), value, size, name.unit, left)


def _left(letter: str, word: str, value: int, row: Row) -> Traced:
    """The symbol of an output size: H₂, or H where several inputs take up the indices."""
    meaning = f"{word} of the output"
    if len(row.inputs) != 1:
        return symbol(letter, value, letter, meaning)
    return indexed(letter, 2, value, meaning)


# --- counts


def _params(layer: _Layer) -> Iterator[Derivation]:
    row = layer.row
    if row.weights_of is not None:
        note = say("uses the weights of {layer}", layer=row.weights_of)
        yield _derive(row, "params", say("params"), 0, row.params, "parameters", note=note)
        return
    arrays = layer.lifted.op.param_shapes(layer.lifted.inputs)
    statistics = layer.conventions.running_statistics
    kept = [array for array in arrays if statistics or not array.buffer]
    if kept:
        yield _derive(
            row, "params", say("params"), count_values(kept), row.params, "parameters", note=_held(kept, layer)
        )
    else:
        yield _derive(row, "params", say("params"), 0, row.params, "parameters")
    if row.buffers:
        buffers = [array for array in arrays if array.buffer]
        yield _derive(
            row, "buffers", say("buffers"), count_values(buffers), row.buffers, "values", note=_held(buffers, layer)
        )


def _held(arrays: Sequence[Param], layer: _Layer) -> str:
    shared = share_out(arrays)
    common = traced(shared.common).node
    each = layer.row.op.unit if common.kind == "symbol" else ""
    counts = shared.rests if each else [rest * shared.common for rest in shared.rests]
    parts = [words.held(int(count), array.name) for array, count in zip(arrays, counts, strict=True)]
    if len(parts) == 1 and not each:
        return ""
    return say(f"{{parts}} for each {each}", parts=all_of(parts)) if each else all_of(parts)


def _work(layer: _Layer) -> Iterator[Derivation]:
    row, (op, inputs, output) = layer.row, layer.lifted
    macs, operations = op.macs(inputs, output), op.operations(inputs, output)
    if operations is None or row.operations is None or row.multiplications is None:
        return  # a layer that cannot be counted
    yield _derive(row, "multiplications", say("multiplications"), macs, row.multiplications, "multiplications")
    for kind, value, expected in zip(operations._fields, operations, row.operations, strict=True):
        if kind == "multiplications" and row.multiplications:
            if expected != row.multiplications:
                label = say("multiplications in all")
                yield _derive(row, "all_multiplications", label, value, expected, kind)
            continue
        if expected:
            key, label = kind, say(kind)
            if kind == "multiplications":
                key, label = "other_multiplications", say("other multiplications")
            yield _derive(row, key, label, value, expected, kind)


def _memory(layer: _Layer) -> Iterator[Derivation]:
    row = layer.row
    if not row.activations:
        yield _derive(row, "activations", say("stored"), 0, 0, "values", note=say("works in place"))
        yield _derive(row, "activation_bytes", say("memory"), 0, 0, "bytes")
        return
    size = BYTES[layer.dtype]
    yield _derive(row, "activations", say("stored"), elements(layer.lifted.output), row.activations, "values")
    batch = row.activation_bytes // (row.activations * size)
    value = symbol("V", row.activations, "V", "values stored") * symbol("b", size, "b", "bytes of a value")
    if batch > 1:
        value = symbol("B", batch, "B", "images of the batch") * value
    yield _derive(
        row,
        "activation_bytes",
        say("memory"),
        value,
        row.activation_bytes,
        "bytes",
        note=words.size(row.activation_bytes),
    )


# --- receptive field


def _receptive_field(layer: _Layer) -> Iterator[Derivation]:
    row, lifted = layer.row, layer.lifted
    if row.receptive_field is None or not row.inputs:
        return
    reads = [read for read in lifted.op.windows(lifted.inputs) if read is not None]
    shape = row.input_shapes[0]
    fields, before = row.receptive_field, layer.seen
    axes = AXES[len(fields.axes)]
    along = fields.along or range(len(axes))

    unit = _unit(len(axes))

    def letter(text: str, index: int, axis: int, of: ReceptiveField, what: str, meaning: str) -> Traced:
        """r₁ of an axis; r_1h and r_1w where the axes differ."""
        values = [getattr(one, what) for one in of]
        if len(set(values)) == 1:
            return indexed(text, index, values[0], meaning)
        return indexed(text, f"{index}{axes[axis][0]}", values[axis], f"{meaning}, {axes[axis]}")

    for axis, (word, field) in enumerate(zip(axes, fields, strict=True)):
        read: AxisReads | None = None
        if len(reads) == 1 and reads[0] == POINTS:
            read = POINT
        elif len(reads) == 1 and isinstance(reads[0], tuple):
            read = reads[0][along[axis]]
        if reads == [EVERYTHING] and before is not None:
            positions = letter("n", 1, axis, before, "positions", "positions of the input")
            is_map = len(shape) == len(axes) + 1
            read = Window(lifted.inputs[0][axis + 1] if is_map else positions)  # type: ignore[arg-type]  # traced numbers
        size: object = field.size
        jump: object = field.jump
        if before is not None and isinstance(read, Window) and not read.transposed and only_span(before.axes[axis]):
            seen = letter("r", 1, axis, before, "size", "receptive field of the input")
            step = letter("j", 1, axis, before, "jump", f"{unit} from one position of the input to the next")
            size, jump = grow(seen, step, read)
        plain = isinstance(size, Traced) or reads == [VALUES]
        note = "" if plain else say(words.FIELD_NOTES[2 if len(reads) > 1 else field.stride is None])
        label = say("receptive field") if axis == 0 else say("receptive field, {axis}", axis=say(word))
        left = letter("r", 2, axis, fields, "size", "receptive field")
        yield _derive(row, f"receptive_field_{word}", label, size, field.size, unit, left, note)
        if field.jump and len(field.spans) == 1:
            per_step = say("pixels per step") if unit == "pixels" else say("positions per step")
            label = per_step if axis == 0 else f"{per_step}, {say(word)}"
            left = letter("j", 2, axis, fields, "jump", f"{unit} from one position to the next")
            yield _derive(row, f"receptive_field_stride_{word}", label, jump, field.jump, unit, left)


# --- im2col


def _matrices(layer: _Layer) -> Iterator[Derivation]:
    row, (op, inputs, output) = layer.row, layer.lifted
    product = op.matrix_product(inputs, output)
    if product is None:
        return
    times = int(product.count)
    for key, label, (rows, columns) in (("w_row", "W_row", product.weights), ("x_col", "X_col", product.patches)):
        note = ""
        if times > 1 and key == "w_row":
            note = say("{times:,} such products, one for each group", times=times)
        yield _derive(row, key, label, by(rows, columns), int(rows) * int(columns), note=note)
    rows, columns = product.patches
    if columns == 1:
        return
    entries = int(rows) * int(columns) * times
    values = int(elements(inputs[0]))
    given = say_many("the {count:,} value of the input", "the {count:,} values of the input", values)
    note = words.times(entries, values, given)
    whole = rows * columns if times == 1 else product.count * (rows * columns)
    yield _derive(row, "x_col_values", say("X_col values"), whole, entries, "values", note=note)
