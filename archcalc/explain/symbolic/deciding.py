"""A spec expanded with numbers that note their decisions; parts that only some configurations have can be merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from typing import Any, get_args

from archcalc.core.errors import Problem, ShapeError, SpecError
from archcalc.core.shapes import LARGEST_SIZE, Shape
from archcalc.explain.derive.trace import Node
from archcalc.explain.symbolic.choice import Choice
from archcalc.explain.symbolic.expand import shape_with
from archcalc.explain.symbolic.expressions import evaluate_deciding, tree
from archcalc.explain.symbolic.paths import LOGICAL, Deciding, Path, deciding, exact_of, settle
from archcalc.graph.layer_graph import Layer
from archcalc.graph.shaping import KnownShapes
from archcalc.ops import OPS, Op
from archcalc.ops.base import Margin
from archcalc.ops.reshape import Input
from archcalc.ops.windowed import Sides
from archcalc.passes.shapes import ShapedLayer
from archcalc.spec import items as it
from archcalc.spec.build import input_section
from archcalc.spec.document import Parameter
from archcalc.spec.evaluate import FAULTY
from archcalc.spec.expand import Expander
from archcalc.spec.expressions import ExpressionError
from archcalc.spec.inputs import input_places
from archcalc.spec.items import KEYS_BESIDES_FIELDS
from archcalc.spec.names import Flow
from archcalc.spec.settings import accept
from archcalc.spec.sizes import Scope
from archcalc.spec.source import Mark
from archcalc.spec.spec import BlockSpec, Spec
from archcalc.spec.values import Values, Variables, field_value, is_text

#: A repetition that may be this long is merged.
MOST_MERGED = 200

#: How large a number may be over a design space: the least and the most. None: it is not known.
Range = Callable[[Node], tuple[Fraction, Fraction] | None]


class CannotMergeError(Exception):
    """A part that only some configurations have is read from elsewhere, so each structure needs its own expansion."""


@cache
def _limits(kind: str, key: str) -> tuple[bool, tuple[tuple[str, Any], ...]]:
    """Whether a field of an op takes whole numbers only, and the limits that its numbers have."""
    field = OPS[kind].model_fields[key]
    waiting: list[Any] = [field.annotation, *field.metadata]
    takes_decimals, found = False, []
    while waiting:
        part = waiting.pop()
        takes_decimals |= part is float
        if part is Sides:
            waiting.append(Margin)
        for name in ("ge", "le", "gt", "lt", "multiple_of"):
            if (limit := getattr(part, name, None)) is not None and isinstance(limit, (int, float)):
                found.append((name, limit))  # noqa: PERF401  # each name is asked for once
        waiting += [*get_args(part), *getattr(part, "metadata", ())]
        waiting += getattr(part, "__metadata__", ())
    return not takes_decimals, tuple(dict.fromkeys(found))


class _DecidingValues(Values):
    """Evaluates with deciding numbers; ops are checked with the numbers that these stand for."""

    path: Path

    def __init__(self, faults: Any, path: Path) -> None:
        super().__init__(faults)
        self.path = path
        #: Conditions that hold here, because what depends on them is being expanded.
        self.assumed: set[int] = set()

    def value(self, raw: Any, variables: Variables, at: Mark, what: str) -> Any:
        try:
            value = tree(raw, variables)
        except ExpressionError as error:
            self.wrong(error, what, raw, variables, at, None)
            return FAULTY
        return settle(value) if what in ("loss_weight", "repeat") else value

    def text(self, raw: Any, variables: Variables, at: Mark) -> str:
        return super().text(raw, plain_variables(variables), at)

    def condition(self, when: Any, variables: Variables, at: Mark, what: str = "when") -> bool:
        if when is None:
            return True
        value = self.value(when, variables, at, what)
        if isinstance(value, Deciding) and id(value.node) in self.assumed:
            return True
        return value is not FAULTY and bool(value)

    def op(self, kind: str, fields: Mapping[str, Any], at: Mark, name: str | None, variables: Variables) -> Op:
        recorded: dict[str, Any] = {}
        for key, raw in fields.items():
            if key in KEYS_BESIDES_FIELDS:
                continue
            if is_text(raw):
                recorded[key] = shape_with(raw, variables, evaluate_deciding) or raw
                continue
            try:
                recorded[key] = field_value(kind, key, raw, variables, tree)
            except ExpressionError:
                recorded[key] = raw  # a word such as `same`
        found = {key: value for key, value in OPS[kind].with_defaults(recorded).items() if deciding(value) is not None}
        op = super().op(kind, fields, at, name, plain_variables(variables))
        for key, value in found.items():
            self._decide_limits(kind, key, value)
        if not found or op.kind != kind:  # another one stands for an op that was refused
            return op
        return op.model_copy(update={key: _lifted(getattr(op, key), value) for key, value in found.items()})

    def _decide_limits(self, kind: str, key: str, value: Any) -> None:
        """Note whether the numbers of a field keep to its limits, which decides on whether the op is accepted."""
        if isinstance(value, (list, tuple)):
            for item in value:
                self._decide_limits(kind, key, item)
        if not isinstance(value, Deciding):
            return
        if value.node.kind in LOGICAL:
            value.settled()
            return
        whole_only, limits = _limits(kind, key)
        if whole_only and not value.is_whole:
            bool(self.path.logical("whole", value))
        for name, limit in limits:
            bound = limit if isinstance(limit, int) else Fraction(str(limit))
            _ = {
                "ge": lambda bound: value >= bound,
                "gt": lambda bound: value > bound,
                "le": lambda bound: value <= bound,
                "lt": lambda bound: value < bound,
                "multiple_of": lambda bound: value % bound == 0,
            }[name](bound)


def _lifted(checked: Any, value: Any) -> Any:
    """The deciding value in the form of the checked one: a number, one for each axis, or one for each side."""
    if isinstance(checked, bool):
        return checked
    if isinstance(value, Deciding):
        number: Any = value
        return type(checked)((number,) * len(checked)) if isinstance(checked, tuple) else number
    if isinstance(checked, Sides):
        return Sides(value if len(value) == len(checked) else list(value) * 2)
    return tuple(value)


def plain_variables(variables: Variables) -> Variables:
    """The plain numbers that the variables stand for, with the sizes of maps where these are known."""
    if isinstance(variables, Scope):
        return variables.with_values(exact_of)
    return {name: exact_of(value) for name, value in variables.items()}


class _DecidingShapes(KnownShapes):
    """Shapes with deciding numbers, and the ops as they are resolved."""

    are_plain = False

    def __init__(self, layers: Sequence[Layer], path: Path, guards: Sequence[tuple[Node, ...]]) -> None:
        super().__init__(layers)
        self._path, self._guards = path, guards
        self.resolved: dict[str, Op] = {}
        #: The layers that do not fit, by index.
        self.failed: list[int] = []
        self._index: dict[str, int] = {}

    def shape(self, layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Op, Shape]:
        while len(self._index) < len(self._layers):
            self._index[self._layers[len(self._index)].name] = len(self._index)
        with self._path.under(self._guards[self._index[layer.name]]):
            op, output = super().shape(layer, inputs)
        self.resolved[layer.name] = op
        return op, output

    def problem(self, layer: Layer, error: ShapeError) -> Problem:
        """Without what came in and what would fit: to say that takes decisions on which nothing else depends."""
        self.failed.append(self._index[layer.name])
        return Problem(error.message, layer.location, layer.name)


class DecidingExpander(Expander):
    """The expansion of a spec with deciding numbers; with ranges, parts that may be there or not are merged."""

    def __init__(
        self,
        spec: Spec,
        settings: Mapping[str, Any],
        member: str | None,
        variant: str | None,
        symbols: Mapping[str, Deciding],
        sizes: Shape | None,
        path: Path,
        ranges: Range | None,
    ) -> None:
        declared = spec.document.parameters
        parameters = {name: settings[name] for name in declared}
        super().__init__(spec, {**parameters, **{name: symbols[name] for name in declared if name in symbols}})
        self.path, self.ranges = path, ranges
        self.guards: list[tuple[Node, ...]] = []
        self.sizes.shapes = self.known_shapes = _DecidingShapes(self.layers, path, self.guards)
        self.values = self.known_values = _DecidingValues(self.faults, path)
        self._section = input_section(spec, member or spec.document.name, variant)
        #: Where each input is written.
        self.places = input_places(self._section)
        self._own = sizes
        #: Of each repetition that is open, under what it is there; None: it is.
        self._repeated: list[Deciding | None] = []

    # --- inputs

    def begin(self, places: Mapping[str, Mark], shapes: Mapping[str, Shape]) -> None:
        texts = self._section["inputs"] if "inputs" in self._section else {"input": self._section["input"]}
        variables = dict(self.network_variables)
        for name, value in (self.spec.document.let or {}).items():
            try:
                variables[name] = tree(value, variables)
            except ExpressionError:
                variables[name] = FAULTY  # depends on the input; the expansion works it out
        for index, (name, plain) in enumerate(shapes.items()):
            shape = self._own or shape_with(str(texts[name]), variables, evaluate_deciding) or plain
            sides: Sequence[Any] = shape
            for side in sides:
                if isinstance(side, Deciding):
                    if not side.is_whole:
                        bool(self.path.logical("whole", side))
                    _ = side >= 1, side <= LARGEST_SIZE
            at = self.faults.place(places[name])
            self.layers.append(Layer(name, Input.model_construct(shape=shape), (), location=at))
            self.guards.append(())
            self.names.known[name] = (index,)

    # --- what is there under conditions

    def add(self, name: str, op: Op, inputs: Flow, at: Mark, owner: int | None = None, frozen: bool = False) -> int:
        index = super().add(name, op, inputs, at, owner, frozen)
        self.guards.append(tuple(self.path.guards))
        return index

    def argument(
        self, item: it.Step, key: str, parameter: Parameter, variables: Variables, inner: dict[str, Any]
    ) -> bool:
        raw = item.fields[key]
        if is_text(raw):
            return super().argument(item, key, parameter, plain_variables(variables), inner)
        try:
            value = tree(raw, variables)
        except ExpressionError:
            return super().argument(item, key, parameter, plain_variables(variables), inner)
        self._decide_argument(parameter, value)
        try:
            accepted = accept(key, parameter, exact_of(value))
        except ValueError as error:
            self.faults.add(str(error), item.fields.values_at.get(key, item.at))
            return False
        inner[key] = accepted if deciding(value) is None else value
        return True

    def _decide_argument(self, parameter: Parameter, value: Any) -> None:
        if not isinstance(value, Deciding):
            return
        if parameter.choices is not None:
            value.settled()
        if parameter.type == "int" and not value.is_whole:
            bool(self.path.logical("whole", value))
        limits = (parameter.minimum, parameter.maximum, parameter.above)
        low, high, above = (None if limit is None else Fraction(str(limit)) for limit in limits)
        _ = (low is None or value >= low, high is None or value <= high, above is None or value > above)
        if parameter.multiple_of is not None:
            _ = (value % parameter.multiple_of == 0,)

    def step(self, item: it.Step, flow: Flow, scope: str, variables: Variables) -> Flow:
        when = item.fields.get("when")
        if when is None or self.ranges is None or "weights" in item.fields:
            return super().step(item, flow, scope, variables)
        at = item.fields.values_at.get("when", item.at)
        here = variables if "from" not in item.fields else self.step_scope(item, flow, scope, variables)
        with self._if(self.values.value(when, here, at, "when")) as guard:
            after = super().step(item, flow, scope, variables)
        return after if guard is None else self._chosen(guard, after, flow)

    @contextmanager
    def _if(self, condition: Any) -> Iterator[Deciding | None]:
        """Inside, a condition holds that is true of some configurations only; None: it is true or false of all."""
        if not isinstance(condition, Deciding) or self._is_certain(condition):
            yield None
            return
        assumed = self.known_values.assumed
        new = id(condition.node) not in assumed
        assumed.add(id(condition.node))
        with self.path.guarded(condition.node):
            yield condition
        if new:
            assumed.discard(id(condition.node))

    def _is_certain(self, condition: Deciding) -> bool:
        assert self.ranges is not None
        found = self.ranges(condition.node)
        return found is not None and found[0] == found[1]

    def _chosen(self, guard: Deciding, after: Flow, before: Flow) -> Flow:
        """The flow after a part that is there under a condition."""
        if after == before:
            return before
        if len(after) != 1 or len(before) != 1:
            raise CannotMergeError("a part with several outputs")
        op = Choice.model_construct(guard=guard)
        return (self.add(f"choice {len(self.layers)}", op, (after[0], before[0]), (0, 0)),)

    def repeats(self, raw: Any, variable: str | None, variables: Variables, at: Mark) -> Iterator[Variables]:
        times = None
        if raw is not None and self.ranges is not None:
            times = tree(raw, variables)
        limits = self.ranges(times.node) if self.ranges is not None and isinstance(times, Deciding) else None
        if not isinstance(times, Deciding) or limits is None or limits[0] == limits[1] or limits[1] > MOST_MERGED:
            for inner in super().repeats(raw, variable, variables, at):
                self._repeated.append(None)
                yield inner
                self._repeated.pop()
            return
        if not times.is_whole or limits[0] < 0:
            raise CannotMergeError("repeat")
        for count in range(1, int(limits[1]) + 1):
            guard = self.path.logical("<=", count, times)
            certain = count <= limits[0]
            self._repeated.append(None if certain else guard)
            inner = {**variables, variable: count} if variable else variables
            if certain:
                yield inner
            else:
                with self.path.guarded(guard.node):
                    yield inner
            self._repeated.pop()

    def joined(self, before: Flow, after: Flow) -> Flow:
        guard = self._repeated[-1]
        if guard is None:
            return after
        with self.path.under(self.path.guards[:-1]):  # the choice is there in any case
            return self._chosen(guard, after, before)

    def block(self, item: it.Step, block: BlockSpec, flow: Flow, scope: str, variables: Variables) -> Flow:
        if self.path.guards and block.declared.shared:
            raise CannotMergeError("weights that are shared")
        return super().block(item, block, flow, scope, variables)

    def check_merged(self) -> None:
        """Raise `CannotMergeError` where a layer reads one that is not there under the same conditions."""
        for layer, guards in zip(self.layers, self.guards, strict=True):
            for place, source in enumerate(layer.inputs):
                more = (layer.op.guard.node,) if isinstance(layer.op, Choice) and place == 0 else ()
                known = {id(guard) for guard in (*guards, *more)}
                if any(id(guard) not in known for guard in self.guards[source]):
                    raise CannotMergeError(layer.name)
        if any(self.guards[output.layer] for output in self.outputs):
            raise CannotMergeError("an output")

    def fails_here(self) -> bool:
        """Whether a layer does not fit that is there in this configuration; that it is there is then noted."""
        for index in self.known_shapes.failed:
            if all(guard.value for guard in self.guards[index]):
                with self.path.under(()):
                    return all(self.path.decide(guard) for guard in self.guards[index])
        return False

    # --- the numbers

    def shaped(self) -> list[ShapedLayer]:
        """The layers with their shapes. Raises `SpecError` for those that do not fit."""
        shapes = self.known_shapes
        result = []
        for index, layer in enumerate(self.layers):
            output = shapes.of(index)
            if output is None:
                continue
            inputs = tuple([shape for source in layer.inputs if (shape := shapes.of(source)) is not None])
            result.append(ShapedLayer(layer, shapes.resolved[layer.name], inputs, output, index))
        if shapes.problems:
            raise SpecError(shapes.problems)
        return result
