"""The structure of a network that many configurations share: its totals as expressions, and where they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from archcalc.core.conventions import Conventions
from archcalc.core.errors import SpecError, UsageError
from archcalc.core.shapes import Shape
from archcalc.explain.derive.trace import Node, node_of
from archcalc.explain.symbolic.alive import Alive, TooManyError
from archcalc.explain.symbolic.choice import Choice
from archcalc.explain.symbolic.deciding import CannotMergeError, DecidingExpander, Range
from archcalc.explain.symbolic.paths import Condition, Deciding, Path
from archcalc.ops.base import Operations, elements
from archcalc.passes.memory import stored_values
from archcalc.passes.operations import count_operations
from archcalc.passes.params import count_params
from archcalc.passes.shapes import ShapedLayer, infer_shapes
from archcalc.spec.build import build, input_section, settings_of
from archcalc.spec.evaluate import exact
from archcalc.spec.inputs import expand_inputs, input_places
from archcalc.spec.items import Item
from archcalc.spec.spec import Spec

#: Totals that are sums over the layers, by the names that `Totals` has for them.
SUMS = (
    "params", "weights", "biases", "trainable_params", "buffers", "multiplications", "activations",
    *(f"operations.{kind}" for kind in Operations._fields),
)  # fmt: skip
#: What depends on how the layers are connected.
OF_GRAPH = ("depth", "peak_activations")


class Template(NamedTuple):
    """A network of a spec."""

    spec: Spec
    member: str | None
    variant: str | None


@dataclass(frozen=True)
class Structure:
    """The totals of a network as expressions, and the conditions under which they hold.

    `problem` is the error of a structure that does not fit: its conditions say which configurations share it.
    """

    totals: Mapping[str, Node]
    conditions: tuple[Condition, ...]
    problem: str | None = None


def structure_of(
    network: Template,
    values: Mapping[str, Any],
    sizes: Sequence[Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    ranges: Range | None = None,
    with_graph: bool = False,
) -> Structure:
    """The structure of a network at one configuration.

    Args:
        network: The network.
        values: The parameters that vary, by name, at this configuration: ints and fractions.
        sizes: Its input, (channels, *positions); a text stands for a side that varies, and `values` has it under that
            name. None: the network's own.
        constants: Parameters that are set and do not vary.
        ranges: The range of a number over the design space. With it, parts that only some configurations have are
            merged into one structure.
        with_graph: Work out `OF_GRAPH` too.

    Raises:
        CannotMergeError: where parts cannot be merged.
        UndecidedError: where a decision cannot be noted, so that each configuration has to be analysed by itself.
        UsageError: where a layer cannot be counted.

    """
    path = Path()
    symbols = {name: path.symbol(name, value) for name, value in values.items()}
    settings = {**(constants or {}), **{name: value for name, value in values.items() if name not in (sizes or ())}}
    shape = None if sizes is None else tuple([values[side] if isinstance(side, str) else side for side in sizes])
    own: Any = None if sizes is None else tuple([symbols[side] if isinstance(side, str) else side for side in sizes])
    spec, member, variant = network
    graph, problem = None, None
    try:
        graph = build(spec, member, variant, settings, shape)
    except SpecError as error:
        problem = str(error)
    try:
        settings = settings_of(spec, member, variant, settings)
        inputs = _inputs(network, settings, shape) if graph is None else graph.inputs
    except SpecError:
        # It follows from these values that there is no network; which of them, nobody knows.
        return Structure({}, tuple(_equal(path, symbols)), problem)
    expander = DecidingExpander(spec, settings, member, variant, symbols, own, path, ranges)
    try:
        expander.run(*_body(spec, member, variant), expander.places, inputs)
        expander.check_merged()
        layers = expander.shaped()
        if graph is None:
            # The spec refuses what its layers do not: it is not known which other values it refuses.
            return Structure({}, tuple(_equal(path, symbols)), problem)
        totals = _totals(expander, layers)
        if with_graph:
            totals |= _of_graph(expander, layers)
    except TooManyError as error:
        raise CannotMergeError(str(error)) from error
    except SpecError as error:
        if ranges is not None and not expander.fails_here():
            return structure_of(network, values, sizes, constants, None, with_graph)
        # In plain numbers it says what would fit.
        found = () if graph is None else infer_shapes(graph).problems
        return Structure({}, tuple(path.conditions.values()), problem or str(SpecError(found) if found else error))
    return Structure(totals, tuple(path.conditions.values()))


def _inputs(network: Template, settings: Mapping[str, Any], shape: Shape | None) -> Mapping[str, Shape]:
    """The inputs of a network that does not fit, by name. Raises `SpecError` where they are what is wrong."""
    spec, member, variant = network
    section = input_section(spec, member or spec.document.name, variant)
    if shape is not None:
        return dict.fromkeys(input_places(section), shape)
    return expand_inputs(spec, section, {name: exact(value) for name, value in settings.items()})


def _body(spec: Spec, member: str | None, variant: str | None) -> tuple[Sequence[Item], Mapping[str, Any]]:
    """The layers of a network, and the outputs of the file, which name its own layers."""
    body = spec.body_of(member or spec.document.name, variant)
    return body, spec.document.outputs if body is spec.body else {}


def _equal(path: Path, symbols: Mapping[str, Deciding]) -> Iterator[Condition]:
    for symbol in symbols.values():
        symbol.settled()
    yield from path.conditions.values()


def _totals(expander: DecidingExpander, layers: Sequence[ShapedLayer]) -> dict[str, Node]:
    sums: dict[str, Any] = dict.fromkeys(SUMS, 0)
    conventions = Conventions()
    for layer, guards in zip(layers, expander.guards, strict=True):
        if isinstance(layer.op, Choice):
            continue
        with expander.path.under(guards):
            counted, work = count_params(layer), count_operations(layer)
            stored = stored_values(layer.op, elements(layer.output), conventions.in_place)
        if work.macs is None or work.operations is None:
            raise UsageError(f"{layer.op.summary()} of {layer.layer.name} cannot be counted, so nothing is searched")
        own = (
            counted.params, counted.params - counted.biases, counted.biases, counted.trainable, counted.buffers,
            work.macs, stored, *work.operations,
        )  # fmt: skip
        for name, number in zip(SUMS, own, strict=True):
            sums[name] = sums[name] + _where(expander.path, guards, number)
    return {name: _node(total) for name, total in sums.items()}


def _where(path: Path, guards: Sequence[Node], number: Any) -> Any:
    """A number where all guards hold, else 0."""
    if type(number) is int and not number:
        return 0
    for guard in guards:
        number = path.choice(path.number(guard), number, 0)
    return number


def _of_graph(expander: DecidingExpander, layers: Sequence[ShapedLayer]) -> dict[str, Node]:
    alive = Alive(layers, expander.guards, [output.layer for output in expander.outputs], expander.path)
    return {"depth": _node(alive.depth()), "peak_activations": _node(alive.peak())}


def _node(value: Any) -> Node:
    node = node_of(value)
    assert node is not None
    return node
