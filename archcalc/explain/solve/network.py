"""What a parameter or the input of a network must be so that a total, or its output, has a given size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.core.errors import ArchcalcError, SpecError, UsageError
from archcalc.core.quantities import quantity
from archcalc.core.suggest import did_you_mean
from archcalc.explain.solve.climb import Climb
from archcalc.graph.inputs import InputShapes
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.passes.shapes import infer_shapes
from archcalc.spec.catalogue import find, load
from archcalc.spec.spec import Spec

#: Makes the network with these parameters set.
Load = Callable[[Mapping[str, Any]], LayerGraph]
#: Totals that can be asked for; `output` is the side of the output map.
MEASURES = ("params", "multiplications", "activations", "output")
LARGEST_SIDE = 2048
#: How much work a search is worth, in layers shaped.
BUDGET = 400_000
#: Parameters that are no whole numbers are tried in steps of a thousandth.
STEP = Fraction(1, 1000)
LARGEST_VALUE = 1 << 20


class TriedValue(NamedTuple):
    """A value that was tried and what came of it."""

    value: Any
    result: int


class NetworkSolution(NamedTuple):
    """Every value that gives the target (first and last where there are many), and the nearest below and above.

    `gaps`: values between the first and the last are refused by the network.
    """

    name: str
    measure: str
    target: int
    exact: tuple[TriedValue, ...]
    below: TriedValue | None
    above: TriedValue | None
    whole_range: bool = False
    gaps: bool = False


def smallest(graph: LayerGraph, strict: bool = False) -> int:
    """Side of the smallest square input. Raises `UsageError` where none up to 2,048 works."""
    channels = _of_image(graph)
    for side in range(1, LARGEST_SIDE + 1):
        with suppress(SpecError):  # layers that depend on the input need not exist for each
            if not infer_shapes(graph.with_input((channels, side, side)), strict).problems:
                return side
    raise UsageError(f"{graph.name} accepts no square input up to {LARGEST_SIDE}×{LARGEST_SIDE}")


def _of_image(graph: LayerGraph) -> int:
    """Channels of the image that a network reads. Raises `UsageError` for a network that reads anything else."""
    if len(graph.inputs) > 1 or len(graph.input_shape) != 3:
        raise UsageError(f"the side of an input is solved for networks over one image; {graph.name} is none")
    return graph.input_shape[0]


def solve_input(graph: LayerGraph, measure: str, target: int, strict: bool = False) -> NetworkSolution:
    """The sides of square inputs with which a total or the output is `target`; totals never shrink as inputs grow."""
    results: dict[int, int | None] = {}
    channels = _of_image(graph)

    def result(side: int) -> int | None:
        if side not in results:
            results[side] = None
            with suppress(SpecError):  # layers that depend on the input need not exist for each
                results[side] = _measured(graph.with_input((channels, side, side)), measure, strict)
        return results[side]

    low, high = _bracket(result, target)
    if len(graph) * (high - low) > BUDGET:
        low = max(low, high - BUDGET // len(graph))
    tried = [TriedValue(side, value) for side in range(low, high + 1) if (value := result(side)) is not None]
    answer = _solution("input", measure, target, tried)
    sides = [one.value for one in answer.exact]
    whole = len(sides) > 3 and sides == list(range(sides[0], sides[-1] + 1))
    return answer._replace(whole_range=whole)


def _bracket(result: Callable[[int], int | None], target: int) -> tuple[int, int]:
    """Sides between which the target lies, by powers of two and halving; sides that do not work are stepped over."""
    gap = 1  # how far apart sides that work have been seen to lie

    def near(side: int) -> int | None:
        """The result at this side, or at the next that works."""
        nonlocal gap
        for step in range(64):
            value = result(side + step)
            if value is not None:
                gap = max(gap, step + 1)
                return value
        return None

    low, high = 1, 2
    while high < LARGEST_SIDE and ((value := near(high)) is None or value <= target):
        low, high = (high if value is not None and value < target else low), 2 * high
    while high - low > 8 * gap:
        middle = (low + high) // 2
        value = near(middle)
        if value is None or value == target:
            break
        low, high = (middle, high) if value < target else (low, middle)
    return max(1, low - gap), min(high + gap, LARGEST_SIDE)


def _measured(graph: LayerGraph, measure: str, strict: bool) -> int | None:
    """The total, or None where the network does not take this input."""
    if measure == "output":
        shapes = infer_shapes(graph, strict)
        if shapes.problems:
            return None
        last = graph.outputs[0].layer
        return next(iter(shapes.layers[last].output[1:]), 1)
    if infer_shapes(graph, strict).problems:
        return None
    return int(getattr(analyse(graph).totals, measure))


def solve_parameter(load: Load, name: str, declared: Any, measure: str, target: int) -> NetworkSolution:
    """The values of a parameter with which a total is `target`. Raises `UsageError` for what cannot be searched."""
    if declared.choices is not None or declared.type == "bool":
        values = declared.choices if declared.choices is not None else [False, True]
        return _solution(name, measure, target, list(_all(load, name, values, measure)))
    if declared.type not in ("int", "number"):
        raise UsageError(f"{name} is {declared.type}: only numbers, choices and true or false can be solved for")
    step = Fraction(declared.multiple_of or 1) if declared.type == "int" else STEP
    return _climb(load, name, declared, step, measure, target)


def _all(load: Load, name: str, values: Any, measure: str) -> Iterator[TriedValue]:
    for value in values:
        try:
            result = _measured(load({name: value}), measure, False)
        except ArchcalcError:
            continue
        if result is not None:
            yield TriedValue(value, result)


def _climb(load: Load, name: str, declared: Any, step: Fraction, measure: str, target: int) -> NetworkSolution:
    """Halve the range of a number with which a total grows; values that the network refuses are stepped over."""

    def value(index: int) -> int | float:
        exact = index * step
        return int(exact) if declared.type == "int" else float(exact)

    def result(index: int) -> int | None:
        try:
            return _measured(load({name: value(index)}), measure, False)
        except ArchcalcError:
            return None

    climb = Climb(result, name)
    found = climb.find(*_bounds(declared, step), target)
    tried = [(index, total) for index, total in sorted(climb.results.items()) if total is not None]
    totals = [total for _, total in tried]
    if len(totals) > 1 and totals[0] == totals[-1] != target:
        raise UsageError(f"{measure} does not depend on {name}: it is {totals[0]:,}")
    if totals != sorted(totals):
        raise UsageError(f"{measure} does not simply grow with {name}; try values with --set {name}=…")

    def made(index: int | None) -> TriedValue | None:
        return None if index is None else TriedValue(_plain(index * step), climb.total(index))

    exact = tuple(one for index in found.exact if (one := made(index)) is not None)
    return NetworkSolution(
        name,
        measure,
        target,
        exact,
        made(found.below),
        made(found.above),
        found.is_range,
        found.is_range and found.gaps,
    )


def _bounds(declared: Any, step: Fraction) -> tuple[int, int]:
    """First and last index of the values that the declaration allows."""
    low, high = (
        Fraction(0 if declared.type == "number" else 1),
        Fraction(LARGEST_VALUE if declared.type == "int" else 64),
    )
    if declared.minimum is not None:
        low = Fraction(str(declared.minimum))
    if declared.above is not None:
        low = Fraction(str(declared.above)) + step
    if declared.maximum is not None:
        high = Fraction(str(declared.maximum))
    first = -(-low // step)
    return (first if first or declared.type == "int" else 1), int(high // step)


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _solution(name: str, measure: str, target: int, tried: list[TriedValue]) -> NetworkSolution:
    below = max((one for one in tried if one.result < target), key=lambda one: (one.result, _order(one)), default=None)
    above = min((one for one in tried if one.result > target), key=lambda one: (one.result, _order(one)), default=None)
    return NetworkSolution(name, measure, target, tuple(one for one in tried if one.result == target), below, above)


def _order(one: TriedValue) -> float:
    return float(one.value) if isinstance(one.value, (int, float)) else 0.0


def tell(answer: NetworkSolution) -> list[str]:
    """The answer for people."""
    name, exact = answer.name, answer.exact
    unit = quantity(answer.measure).title
    wanted = f"an output of {answer.target}" if answer.measure == "output" else f"{answer.target:,} {unit}"
    if exact:
        if answer.whole_range:
            values = f"{_shown(name, exact[0].value)} to {_shown(name, exact[-1].value)}"
            values += ", where the network takes it," if answer.gaps else ""
        else:
            values = ", ".join(_shown(name, one.value) for one in exact[:20])
            values += f" … ({len(exact)} in all, to {_shown(name, exact[-1].value)})" if len(exact) > 20 else ""
        return [f"{name} = {values} gives {wanted}."]
    lines = [f"No {name} gives {wanted}."]
    for one in (answer.below, answer.above):
        if one is not None:
            given = f"an output of {one.result}" if answer.measure == "output" else f"{one.result:,}"
            lines.append(f"{name} = {_shown(name, one.value)} gives {given}.")
    return lines


def _shown(name: str, value: Any) -> str:
    if name == "input":
        return f"{value}×{value}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def solve_network(
    network: str | Path | Spec,
    name: str,
    measure: str,
    target: int,
    settings: Mapping[str, Any],
    shape: InputShapes | None = None,
) -> NetworkSolution:
    """Solve for `input` or for a parameter of a network. Raises `UsageError` for a parameter that does not exist."""
    if name == "input":
        if shape is not None:
            raise UsageError("--input is what --for input solves for")
        return solve_input(load(network, settings), measure, target)
    declared = find(network)[0].document.parameters
    if name not in declared:
        known = ["input", *declared]
        graph = load(network, settings, shape)
        raise UsageError(
            f"{graph.name} has no parameter {name[:60]!r}{did_you_mean(name, known)}; --for takes {', '.join(known)}"
        )
    return solve_parameter(
        lambda more: load(network, {**settings, **more}, shape), name, declared[name], measure, target
    )


def as_dict(network: str, name: str, measure: str, target: int, answer: NetworkSolution) -> dict[str, Any]:
    """The answer as plain data, `archcalc.network-solution/1`."""
    found = [{name: one.value, measure: one.result} for one in answer.exact]
    nearest = [{name: one.value, measure: one.result} for one in (answer.below, answer.above) if one is not None]
    return {
        "schema": "archcalc.network-solution/1",
        "network": network,
        "unknown": name,
        "target": {measure: target},
        "solutions": found,
        "range": answer.whole_range,
        "near": [] if found else nearest,
    }
