"""A spec expanded with symbols in the place of some parameters, and its totals with symbols in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core.conventions import Conventions
from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.explain.derive.trace import Node, Symbol, traced
from archcalc.explain.symbolic.record import Recorded, SteersError, number_of, record, symbols_of
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.graph.shaping import KnownShapes
from archcalc.ops import OPS, Op
from archcalc.ops.base import elements
from archcalc.ops.reshape import Input
from archcalc.ops.windowed import Sides
from archcalc.passes.memory import stored_values
from archcalc.passes.params import count_values, own_arrays
from archcalc.spec.document import LayerOutput, Parameter
from archcalc.spec.evaluate import expressions_in_braces, interpolate
from archcalc.spec.expand import Expander
from archcalc.spec.expressions import Expression, ExpressionError, parse_expression
from archcalc.spec.items import KEYS_BESIDES_FIELDS, Item
from archcalc.spec.settings import accept
from archcalc.spec.sizes import Scope
from archcalc.spec.source import Mark
from archcalc.spec.spec import Spec
from archcalc.spec.values import Values, Variables, field_value, is_text

#: What of a node cannot be written as a polynomial; numbers with such parts get a name of their own.
_BROKEN = {"//", "/", "ceil", "ceiling", "floor", "isqrt", "min", "max", "%"}


#: The inputs by name.
Shapes = Mapping[str, Shape]
#: What gives the value of an expression that may have symbols.
Evaluate = Callable[[Expression, Variables], Any]


#: Sides joined by x, each a number or an expression in braces.
_SHAPE = re.compile(r"\s*(\d+|\{[^{}]*\})(\s*[x×*]\s*(\d+|\{[^{}]*\}))*(\s+(hwc|chw))?\s*", re.IGNORECASE)


class Definition(NamedTuple):
    """A number that was given a name: a size of a map, a number of channels."""

    name: str
    tree: Node


class Namer:
    """Gives short names to numbers with floors and limits in them, so that formulas stay readable.

    `taken` are names that mean something else.
    """

    def __init__(self, taken: Collection[str] = ()) -> None:
        self.taken = taken
        self.definitions: list[Definition] = []
        self._names: dict[Node, Recorded] = {}
        self._counts: dict[str, int] = {}

    def name(self, value: Any, letter: str) -> Any:
        """The value, or a symbol that stands for it."""
        if not isinstance(value, Recorded) or not any(node.kind in _BROKEN for node in value.node.walk()):
            return value
        known = self._names.get(value.node)
        if known is None:
            text, count = free_name(letter, self._counts.get(letter, 0) + 1, self.taken)
            self._counts[letter] = count
            symbol = Symbol(text, f"{letter}_{{{count}}}")
            known = Recorded(Node("symbol", value.value, (), symbol))
            self._names[value.node] = known
            self.definitions.append(Definition(text, value.node))
        return known

    def symbols_in(self, names: Collection[str]) -> set[str]:
        """The symbols that names stand for: themselves, or those in what they were given for."""
        trees = {one.name: one.tree for one in self.definitions}
        found, waiting = set(), list(names)
        while waiting:
            name = waiting.pop()
            if name in trees:
                waiting += Recorded(trees.pop(name)).symbols()
            else:
                found.add(name)
        return found


def free_name(letter: str, count: int, taken: Collection[str]) -> tuple[str, int]:
    """The first of h1, h2, h3, … from `count` on that is not taken, and its number."""
    while f"{letter}{count}" in taken:
        count += 1
    return f"{letter}{count}", count


class _SymbolicValues(Values):
    """Evaluates with symbols; ops are checked with the numbers that the symbols stand for."""

    namer: Namer

    def value(self, raw: Any, variables: Variables, at: Mark, what: str) -> Any:
        value = record_tree(raw, variables)
        return number_of(value) if what == "loss_weight" else value

    def text(self, raw: Any, variables: Variables, at: Mark) -> str:
        text = str(raw)
        return interpolate(text, _numbers(variables)) if "{" in text else text

    def condition(self, when: Any, variables: Variables, at: Mark, what: str = "when") -> bool:
        if when is None:
            return True
        value = self.value(when, variables, at, what)
        if names := symbols_of(value):
            raise SteersError(names)
        return bool(value)

    def times(self, raw: Any, variables: Variables, at: Mark) -> int:
        if names := symbols_of(self.value(raw, variables, at, "repeat")):
            raise SteersError(names)
        return super().times(raw, variables, at)

    def op(self, kind: str, fields: Mapping[str, Any], at: Mark, name: str | None, variables: Variables) -> Op:
        recorded: dict[str, Any] = {}
        for key, raw in fields.items():
            if key not in KEYS_BESIDES_FIELDS:
                if is_text(raw):
                    recorded[key] = shape_with(raw, variables) or raw
                    continue
                try:
                    recorded[key] = field_value(kind, key, raw, variables, record_tree)
                except ExpressionError:
                    recorded[key] = raw  # a word such as `same`
        found = {key: value for key, value in OPS[kind].with_defaults(recorded).items() if symbols_of(value)}
        op = super().op(kind, fields, at, name, _numbers(variables))
        if not found:
            return op
        return op.model_copy(update={key: self._lifted(getattr(op, key), value) for key, value in found.items()})

    def _lifted(self, checked: Any, value: Any) -> Any:
        """The symbolic value in the form of the checked one: a number, a pair, or four sides."""
        if isinstance(value, Recorded):
            value = self.namer.name(value, "c")
            return type(checked)((value,) * len(checked)) if isinstance(checked, tuple) else value
        items = [self.namer.name(item, "c") for item in value]
        if isinstance(checked, Sides):
            return Sides(items if len(items) == len(checked) else items * 2)
        return tuple(items)


def record_tree(raw: Any, variables: Variables) -> Any:
    """Strings of nested lists as expressions, recorded."""
    if isinstance(raw, str):
        return record(parse_expression(raw), variables)
    if isinstance(raw, list):
        return [record_tree(item, variables) for item in raw]
    return {key: record_tree(item, variables) for key, item in raw.items()} if isinstance(raw, dict) else raw


def _numbers(variables: Variables) -> Variables:
    """The plain numbers that the variables stand for, with the sizes of maps where these are known."""
    if isinstance(variables, Scope):
        return variables.with_values(number_of)
    return {name: number_of(value) for name, value in variables.items()}


class _SymbolicExpander(Expander):
    """The expansion of a spec, with symbols among its variables."""

    def __init__(self, spec: Spec, variables: Variables, namer: Namer, sides: Callable[[Variables], Shapes]) -> None:
        super().__init__(spec, variables)
        self.sizes.shapes = _SymbolicShapes(self.layers, namer, lambda: sides(self.network_variables))
        self.values = _SymbolicValues(self.faults)
        self.values.namer = namer

    def argument(self, item: Any, key: str, parameter: Parameter, variables: Variables, inner: dict[str, Any]) -> bool:
        if is_text(item.fields[key]) and (names := symbols_in_text(item.fields[key], variables)):
            raise SteersError(names)
        try:
            value = record_tree(item.fields[key], variables)
        except ExpressionError:
            value = None
        if not symbols_of(value):
            return super().argument(item, key, parameter, variables, inner)
        accept(key, parameter, number_of(value))
        inner[key] = value
        return True


class _SymbolicShapes(KnownShapes):
    """Shapes with symbols in them; `sides` gives those of the inputs."""

    are_plain = False

    def __init__(self, layers: Sequence[Layer], namer: Namer, sides: Callable[[], Shapes]) -> None:
        super().__init__(layers)
        self._namer, self._sides = namer, sides

    def shape(self, layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Op, Shape]:
        shapes = {} if inputs else self._sides()
        op = Input.model_construct(shape=shapes[layer.name]) if layer.name in shapes else layer.op.resolve(inputs)
        return op, _named(op.output_shape(inputs), self._namer)


def expand_with(
    spec: Spec,
    graph: LayerGraph,
    body: Sequence[Item],
    outputs: Mapping[str, LayerOutput],
    symbols: Mapping[str, Any],
    namer: Namer,
    sides: Callable[[Variables], Shapes],
) -> tuple[list[Any], Variables]:
    """The layers of a network with symbols for some parameters, and all its variables.

    `sides` gives the inputs with their symbols, of the variables; it is asked for where layers depend on sizes.

    Raises `SteersError` for a symbol that decides which layers there are.
    """
    expander = _SymbolicExpander(spec, {**graph.settings, **symbols}, namer, sides)
    expander.run(body, outputs, dict.fromkeys(graph.inputs, spec.source.value.at), graph.inputs)
    if [_wiring(layer) for layer in expander.layers] != [_wiring(layer) for layer in graph.layers]:
        raise UsageError("the network with symbols is another one")
    return expander.layers, expander.network_variables


def _wiring(layer: Layer) -> tuple[Any, ...]:
    """What of a layer no symbol changes."""
    return layer.name, layer.inputs, layer.weights_of


def symbols_in_text(text: str, variables: Variables, evaluate: Evaluate = record) -> set[str]:
    """The symbols that decide on what a text with braces says."""
    found = (evaluate(parse_expression(inner), variables) for _, inner in expressions_in_braces(text))
    return set().union(*map(symbols_of, found))


def shape_with(text: str, variables: Variables, evaluate: Evaluate = record) -> Shape | None:
    """The shape that a spec writes, with symbols where a side is an expression in braces; None where none has any.

    Raises `SteersError` where braces are only a part of a side, or of something else.
    """
    names = symbols_in_text(text, variables, evaluate)
    if not names:
        return None
    if not _SHAPE.fullmatch(text):
        raise SteersError(names)
    sides: list[Any] = []
    for part in re.findall(r"(?:\{[^{}]*\}|[^x×*{}])+", text, re.IGNORECASE):
        side = part.strip()
        if "{" not in side:
            sides.append(int(side.split()[0]))
            continue
        sides.append(evaluate(parse_expression(side.partition("}")[0].strip("{")), variables))
    if text.lower().rstrip().endswith("chw"):
        return tuple(sides)
    *positions, channels = sides
    return (channels, *positions)


def _named(shape: Shape, namer: Namer) -> Shape:
    """A shape with names for its numbers that are not polynomials."""
    letters = ("n", "cl", "chw", "cdhw")[len(shape) - 1]
    return tuple([namer.name(value, letter) for value, letter in zip(shape, letters, strict=True)])


#: What a layer adds to a total: of the layer with its op resolved, its inputs and its output, by the conventions.
COUNTS: dict[str, Callable[[Layer, Sequence[Shape], Shape, Conventions], Any]] = {
    "params": lambda layer, inputs, _, conventions: count_values(
        [array for array in own_arrays(layer, layer.op, inputs) if conventions.running_statistics or not array.buffer]
    ),
    "multiplications": lambda layer, inputs, output, _: layer.op.macs(inputs, output),
    "activations": lambda layer, _, output, conventions: stored_values(
        layer.op, elements(output), conventions.in_place
    ),
}


def total(layers: Sequence[Any], shapes: Shapes, quantity: str, namer: Namer, conventions: Conventions) -> list[Any]:
    """What each layer adds to a quantity of `COUNTS`, by the ops' own rules."""
    outputs: list[Shape] = []
    terms = []
    for layer in layers:
        op = Input.model_construct(shape=shapes[layer.name]) if layer.name in shapes else layer.op
        if op.not_counted and quantity != "params":
            raise UsageError(f"there is no formula: {op.not_counted} of {layer.name} cannot be counted")
        inputs = tuple([outputs[source] for source in layer.inputs])
        op = op.resolve(inputs) if inputs else op
        output = _named(op.output_shape(inputs), namer)
        outputs.append(output)
        terms.append(traced(COUNTS[quantity](layer._replace(op=op), inputs, output, conventions)).node)
    return terms
