"""The configurations of a family evaluated: many at once by the expressions of their structure, exact, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from archcalc.core.errors import SpecError, UsageError
from archcalc.design.search.program import Array, Axis, CannotVectoriseError, Compiled, Number, Operand, Program
from archcalc.design.search.query import NETWORK, TOTALS, Condition, constant, is_array, quantity_number, total_of
from archcalc.design.search.space import Family
from archcalc.explain.derive.trace import Node
from archcalc.explain.symbolic.deciding import OF_GRAPH, CannotMergeError, Structure, structure_of
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.build import build

#: Configurations that are evaluated at once: few enough for their numbers to stay in the cache of a core.
BOX = 8192
#: Structures of a family that are kept; beyond that each configuration is analysed by itself.
MOST_STRUCTURES = 300


class Wanted(NamedTuple):
    """What is asked of each configuration: a condition, and the quantities or parameters that are needed of it."""

    condition: Condition | None
    keys: tuple[str, ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        """Everything that is asked of the network itself, the names of the condition too."""
        named = (*self.keys, *(self.condition.names if self.condition else ()))
        return tuple(dict.fromkeys(named))


@dataclass
class Evaluated:
    """A part of a family: how many configurations, how many of them do not fit, and those that were found.

    `indices` are theirs in the family, `columns` has a value of each for every key that is wanted.
    """

    count: int
    unfit: int
    indices: Array
    columns: tuple[Array, ...]
    problem: str | None = None


class _Known(NamedTuple):
    """A structure as programs: of the conditions under which it holds, and of what is wanted."""

    fits: Operand
    where: Operand
    numbers: tuple[Number, ...]
    program: Compiled
    #: Whether numbers have to be asked of the analysis, for no program gives them.
    direct: bool = False
    problem: str | None = None


class FamilySearch:
    """Evaluates a family, structure by structure."""

    def __init__(self, family: Family, wanted: Wanted) -> None:
        self.family, self.wanted = family, wanted
        self._structures: list[_Known] = []
        self._cases: dict[tuple[Any, ...], list[_Known]] = {}
        self._merges = True
        self._limits: dict[tuple[Any, ...], Program] = {}

    # --- the order of configurations

    @cached_property
    def numbers(self) -> dict[str, Axis]:
        return {axis.name: Axis.of(axis.values) for axis in self.family.axes if axis.is_number}

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        found = {}
        for axis in self.family.axes:
            if axis.is_number:
                under = self.numbers[axis.name].under
                found[axis.name] = np.array([int(value * under) for value in axis.values], dtype=np.int64)
        return found

    def boxes(self, start: int, stop: int) -> Iterator[tuple[int, tuple[slice, ...]]]:
        """Parts of the configurations from `start` to before `stop`, each a range of every parameter.

        They come in order, and each is small enough to be evaluated at once.
        """
        sizes = [len(axis.values) for axis in self.family.axes]
        index = start
        while index < stop:
            # As many of the last parameters as fit run over all their values.
            places, rest = [], index
            for size in reversed(sizes):
                rest, place = divmod(rest, size)
                places.append(place)
            places.reverse()
            inner, axis = 1, len(sizes) - 1
            while (
                axis >= 0 and places[axis] == 0 and inner * sizes[axis] <= BOX and index + inner * sizes[axis] <= stop
                and self._may_span(axis)
            ):  # fmt: skip
                inner *= sizes[axis]
                axis -= 1
            ranges = [slice(place, place + 1) for place in places]
            for full in range(axis + 1, len(sizes)):
                ranges[full] = slice(0, sizes[full])
            if axis >= 0 and self._may_span(axis):
                most = min(sizes[axis] - places[axis], max(1, BOX // inner), max(1, (stop - index) // inner))
                ranges[axis] = slice(places[axis], places[axis] + most)
                inner *= most
            yield index, tuple(ranges)
            index += inner

    def _may_span(self, axis: int) -> bool:
        """Whether several values of a parameter are evaluated together: of words each makes a network of its own."""
        return self.family.axes[axis].is_number

    # --- structures

    def _record(self, values: Mapping[str, Any], case: tuple[Any, ...]) -> Structure:
        """The structure of the network at one configuration; merged with others where that is possible."""
        family = self.family
        numbers = {name: _as_symbol(family, name, values[name]) for name in self.numbers}
        words = {name: value for name, value in family.settings(values).items() if name not in numbers}
        of_graph = any(TOTALS[key][0] in OF_GRAPH for key in self.wanted.quantities if key in TOTALS)
        arguments: tuple[Any, ...] = (family.spec, family.member, family.variant, numbers, family.named_sizes)
        if self._merges and not of_graph:
            try:
                return structure_of(*arguments, self._range, constants=words)
            except CannotMergeError:
                self._merges = False
        return structure_of(*arguments, with_graph=of_graph, constants=words)

    def _range(self, node: Node) -> tuple[Fraction, Fraction] | None:
        """The least and the largest value of a number over the family."""
        program = self._limits.setdefault((), Program(self.numbers))
        try:
            number = program.add(node)
        except CannotVectoriseError:
            return None
        low, high = _ends(number.over), _ends(number.under)
        corners = [Fraction(over, under) for over in low for under in high]
        return min(corners), max(corners)

    def _compile(self, structure: Structure, case: Mapping[str, Any]) -> _Known:
        program = Program(self.numbers)
        fits: Operand = 1
        try:
            for condition in structure.conditions:
                holds = program.add(condition.test).over
                one = holds if condition.holds else program.emit("not", holds)
                for guard in condition.guards:
                    one = program.emit("or", one, program.emit("not", program.add(guard).over))
                fits = program.emit("and", fits, one)
        except CannotVectoriseError:
            return _Known(0, 0, (), program.compiled(()), direct=True)
        if structure.problem is not None:
            return _Known(fits, 0, (), program.compiled((fits,)), problem=structure.problem)
        try:
            where, numbers = self._asked(program, structure.totals, case)
        except CannotVectoriseError:
            return _Known(fits, 0, (), program.compiled((fits,)), direct=True)
        outputs = (fits, where, *(part for number in numbers for part in number))
        return _Known(fits, where, numbers, program.compiled(outputs))

    def _asked(
        self, program: Program, totals: Mapping[str, Node], words: Mapping[str, Any]
    ) -> tuple[Operand, tuple[Number, ...]]:
        """The condition and the wanted numbers, of a structure with these totals."""

        def look_up(name: str) -> Any:
            if name == NETWORK:
                return self.family.network
            if name in self.numbers:
                return program.number(name)
            if name in words:
                return words[name]
            if name in TOTALS:
                return quantity_number(name, totals, program)
            raise UsageError(f"{self.family.network} does not vary {name}, which the query asks for")

        condition = self.wanted.condition
        where = 1 if condition is None else condition.build(program, look_up)
        return where, tuple([look_up(key) for key in self.wanted.keys])

    # --- evaluation

    def run(self, start: int, stop: int) -> Evaluated:
        """The configurations from `start` to before `stop`."""
        parts = [self._box(index, ranges) for index, ranges in self.boxes(start, stop)]
        columns = tuple(np.concatenate(column) for column in zip(*(part.columns for part in parts), strict=True))
        problem = next((part.problem for part in parts if part.problem), None)
        return Evaluated(
            stop - start,
            sum(part.unfit for part in parts),
            np.concatenate([part.indices for part in parts]),
            columns,
            problem,
        )

    def _box(self, index: int, ranges: Sequence[slice]) -> Evaluated:
        axes = self.family.axes
        shape = tuple(part.stop - part.start for part in ranges)
        words = {
            axis.name: axis.values[part.start] for axis, part in zip(axes, ranges, strict=True) if not axis.is_number
        }
        arrays = {
            axis.name: self._arrays[axis.name][part].reshape([-1 if i == place else 1 for i in range(len(axes))])
            for place, (axis, part) in enumerate(zip(axes, ranges, strict=True))
            if axis.is_number
        }
        case = tuple(repr(value) for value in words.values())
        known = self._cases.setdefault(case, [])
        rest: Any = None  # what no structure has held for; None: all of it
        found: list[tuple[Array, list[Array]]] = []
        count = int(np.prod(shape, dtype=np.int64))
        unfit, problem, number = 0, None, 0
        while rest is None or rest.any():
            if number == len(known):
                first = 0 if rest is None else int(np.argmax(rest.ravel()))
                values = self.family.values(index + first)
                if len(known) >= MOST_STRUCTURES:
                    break
                known.append(self._compile(self._record(values, case), words))
            one = known[number]
            number += 1
            if one.direct and one.fits == 0:
                break
            fits, where, *numbers = (*one.program.run(arrays), 0, 0)[: max(2, 2 + 2 * len(one.numbers))]
            mine = np.broadcast_to(np.asarray(fits, dtype=bool), shape)
            mine = mine if rest is None else mine & rest
            rest = ~mine if rest is None else rest & ~mine
            if one.problem is not None:
                here = int(mine.sum())
                unfit += here
                problem = problem or (one.problem if here else None)
                continue
            if one.direct:
                rest = rest | mine
                break
            chosen = mine if where is True or (not is_array(one.where) and where) else mine & np.asarray(where, bool)
            places = np.flatnonzero(chosen)
            if len(places):
                found.append((places, [_picked(pair, shape, places) for pair in _pairs(numbers)]))
        if rest is not None and rest.any():
            more, bad, why = self._one_by_one(index, np.flatnonzero(rest))
            found += more
            unfit, problem = unfit + bad, problem or why
        return _assembled(index, count, unfit, found, len(self.wanted.keys), problem)

    def _one_by_one(self, index: int, places: Array) -> tuple[list[tuple[Array, list[Array]]], int, str | None]:
        found: list[tuple[Array, list[Array]]] = []
        unfit, problem = 0, None
        for place in places.tolist():
            row = self.single(self.family.values(index + place))
            if isinstance(row, str):
                unfit, problem = unfit + 1, problem or row
            elif row is not None:
                found.append((np.array([place]), [_array_of([value]) for value in row]))
        return found, unfit, problem

    # --- one configuration

    def analysis(self, values: Mapping[str, Any]) -> Analysis:
        """The analysis of one configuration. Raises `SpecError` where it does not fit."""
        family = self.family
        settings, shape = family.settings(values), family.sizes(values)
        return analyse(build(family.spec, family.member, family.variant, settings, shape))

    def single(self, values: Mapping[str, Any]) -> list[Any] | str | None:
        """What is wanted of one configuration by its own analysis; None where the condition does not hold.

        A text says why it does not fit.
        """
        try:
            found = self.analysis(values)
        except SpecError as error:
            return str(error)
        program = Program({})

        def look_up(name: str) -> Any:
            if name == NETWORK:
                return self.family.network
            if name in values:
                value = values[name]
                return constant(value) if name in self.numbers else value
            return constant(total_of(name).of(found))

        condition = self.wanted.condition
        try:
            if condition is not None and not condition.build(program, look_up):
                return None
        except (CannotVectoriseError, ZeroDivisionError):
            raise UsageError(f"the condition divides by 0 at {_said(values)}") from None
        numbers = [look_up(key) for key in self.wanted.keys]
        return [_value(one.over, one.under) if isinstance(one, Number) else one for one in numbers]


def _said(values: Mapping[str, Any]) -> str:
    from archcalc.design.search.space import decimal

    return ", ".join(f"{name}={decimal(value)}" for name, value in values.items()) or "its only configuration"


def _as_symbol(family: Family, name: str, value: Any) -> int | Fraction:
    """The value at which a network is expanded; a fraction marks a parameter that need not be whole."""
    declared = family.spec.document.parameters.get(name)
    is_whole = declared is None or declared.type == "int" or all(isinstance(one, int) for one in _values(family, name))
    return int(value) if is_whole else Fraction(value)


def _values(family: Family, name: str) -> Sequence[Any]:
    return next(axis.values for axis in family.axes if axis.name == name)


def _ends(operand: Operand) -> tuple[int, int]:
    return (operand, operand) if isinstance(operand, int) else (operand.low, operand.high)


def _pairs(numbers: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    yield from zip(numbers[::2], numbers[1::2], strict=True)


def _value(over: Any, under: Any) -> Any:
    found = Fraction(int(over), int(under))
    return int(found) if found.denominator == 1 else found


def _picked(pair: tuple[Any, Any], shape: tuple[int, ...], places: Array) -> Array:
    """The numbers at some places of a box: whole ones as an array of them, others as fractions."""
    over, under = pair
    picked = (
        np.broadcast_to(np.asarray(over), shape).ravel()[places] if np.ndim(over) else _array_of([over] * len(places))
    )
    if isinstance(under, int) and under == 1:
        return picked
    below = (
        np.broadcast_to(np.asarray(under), shape).ravel()[places]
        if np.ndim(under)
        else _array_of([under] * len(places))
    )
    return _array_of([_value(*parts) for parts in zip(picked.tolist(), below.tolist(), strict=True)])


def _array_of(values: Sequence[Any]) -> Array:
    """Whole numbers of 64 bits as such, anything else as Python has it."""
    small = all(type(value) is int and abs(value) < 1 << 62 for value in values)
    if small:
        return np.array(values, dtype=np.int64)
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result


def _assembled(
    index: int, count: int, unfit: int, found: list[tuple[Array, list[Array]]], keys: int, problem: str | None
) -> Evaluated:
    if not found:
        return Evaluated(count, unfit, np.empty(0, np.int64), (np.empty(0, np.int64),) * keys, problem)
    if len(found) == 1:
        places, columns = found[0]
        return Evaluated(count, unfit, index + places, tuple(columns), problem)
    places = np.concatenate([one for one, _ in found])
    order = np.argsort(places, kind="stable")
    columns = [np.concatenate(parts)[order] for parts in zip(*(columns for _, columns in found), strict=True)]
    return Evaluated(count, unfit, index + places[order], tuple(columns), problem)
