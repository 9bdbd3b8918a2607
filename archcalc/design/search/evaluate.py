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
from archcalc.design.search.query import NETWORK, TOTALS, Condition, constant, quantity_number, total_of
from archcalc.design.search.space import Family
from archcalc.explain.derive.trace import Node
from archcalc.explain.symbolic.deciding import CannotMergeError
from archcalc.explain.symbolic.structures import OF_GRAPH, Structure, Template, structure_of
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
    """A structure as a program: whether it holds, whether the condition does, and over and under of each number."""

    program: Compiled
    #: Its configurations are analysed each by itself, for no program gives their numbers.
    by_itself: bool = False
    #: The same, and it is not known which they are: all that no other structure holds for.
    is_unknown: bool = False
    #: Why its configurations do not fit.
    problem: str | None = None


class _Box:
    """What is found among configurations that are evaluated at once."""

    def __init__(self, index: int, count: int) -> None:
        self.index, self._count = index, count
        self._unfit = 0
        self._problem: str | None = None
        self.found: list[tuple[Array, list[Array]]] = []

    def leave_out(self, count: int, problem: str) -> None:
        """Note configurations that do not fit."""
        self._unfit += count
        if count:
            self._problem = self._problem or problem

    def add(self, places: Array, numbers: Sequence[Any], shape: tuple[int, ...]) -> None:
        """Note configurations that are found, with over and under of each number for the whole box."""
        if len(places):
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            self.found.append((places, [_picked(over, under, shape, places) for over, under in pairs]))

    def evaluated(self, keys: int) -> Evaluated:
        """All of it, in order."""
        if not self.found:
            nothing = np.empty(0, np.int64)
            return Evaluated(self._count, self._unfit, nothing, (nothing,) * keys, self._problem)
        places, columns = self.found[0]
        if len(self.found) > 1:
            places = np.concatenate([one for one, _ in self.found])
            order = np.argsort(places, kind="stable")
            parts = zip(*(columns for _, columns in self.found), strict=True)
            places, columns = places[order], [np.concatenate(part)[order] for part in parts]
        return Evaluated(self._count, self._unfit, self.index + places, tuple(columns), self._problem)


class FamilySearch:
    """Evaluates a family, structure by structure."""

    def __init__(self, family: Family, wanted: Wanted) -> None:
        self.family, self.wanted = family, wanted
        self._cases: dict[tuple[Any, ...], list[_Known]] = {}
        self._merges = True
        self._limits: dict[tuple[Any, ...], Program] = {}

    # --- the order of configurations

    @cached_property
    def _template(self) -> Template:
        return Template(self.family.spec, self.family.member, self.family.variant)

    @cached_property
    def numbers(self) -> dict[str, Axis]:
        return {axis.name: Axis.of(axis.values) for axis in self.family.axes if axis.is_number}

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        return {axis.name: self.numbers[axis.name].array(axis.values) for axis in self.family.axes if axis.is_number}

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

    def _known(self, values: Mapping[str, Any], words: Mapping[str, Any]) -> _Known:
        try:
            return self._compile(self._record(values), words)
        except TypeError:
            # An op that looks numbers up in a set, or calculates what only plain numbers can: nothing is shared.
            return _Known(Program({}).compiled(()), is_unknown=True)

    def _record(self, values: Mapping[str, Any]) -> Structure:
        """The structure of the network at one configuration; merged with others where that is possible."""
        family = self.family
        numbers = {name: _as_symbol(family, name, values[name]) for name in self.numbers}
        words = {name: value for name, value in family.settings(values).items() if name not in numbers}
        of_graph = any(TOTALS[key][0] in OF_GRAPH for key in self.wanted.quantities if key in TOTALS)
        network = (self._template, numbers, family.named_sizes, words)
        if self._merges:
            try:
                return structure_of(*network, ranges=self._range, with_graph=of_graph)
            except CannotMergeError:
                self._merges = False
        return structure_of(*network, with_graph=of_graph)

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

    def _compile(self, structure: Structure, words: Mapping[str, Any]) -> _Known:
        program = Program(self.numbers)
        fits: Operand = 1
        try:
            for condition in structure.conditions:
                holds = program.add(condition.test).over
                one = holds if condition.holds else program.emit("not", holds)
                for guard in condition.guards:
                    one = program.emit("or", one, program.emit("not", program.add(guard).over))
                fits = program.emit("and", fits, one)
            if structure.problem is None:
                where, numbers = self._asked(program, structure.totals, words)
                outputs = [where, *(part for number in numbers for part in number)]
            else:
                outputs = [0]
        except CannotVectoriseError:
            return _Known(program.compiled((self._holding(program, fits), 0)), by_itself=True)
        return _Known(program.compiled((self._holding(program, fits), *outputs)), problem=structure.problem)

    def _holding(self, program: Program, fits: Operand) -> Operand:
        """Where a structure holds, and nothing of it divides by 0."""
        for one in program.assumed:
            fits = program.emit("and", fits, one)
        return fits

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
        known = self._cases.setdefault(tuple(map(repr, words.values())), [])
        rest = np.ones(shape, dtype=bool)  # what no structure has held for yet
        alone: list[int] = []
        box = _Box(index, rest.size)
        for number in range(MOST_STRUCTURES):
            first = None
            if number == len(known):
                first = int(np.argmax(rest.ravel()))
                known.append(self._known(self.family.values(index + first), words))
            one = known[number]
            if one.is_unknown:
                break
            fits, where, *numbers = one.program.run(arrays)
            mine = rest & np.asarray(fits, dtype=bool)
            if first is not None and not mine.ravel()[first]:
                # It cannot be said where the structure holds, not even here.
                alone.append(first)
                rest.ravel()[first] = False
            if one.by_itself:
                alone += np.flatnonzero(mine).tolist()
            elif one.problem is not None:
                box.leave_out(int(mine.sum()), one.problem)
            else:
                box.add(np.flatnonzero(mine & np.asarray(where, dtype=bool)), numbers, shape)
            rest &= ~mine
            if not rest.any():
                break
        self._one_by_one(box, sorted([*alone, *np.flatnonzero(rest).tolist()]))
        return box.evaluated(len(self.wanted.keys))

    def _one_by_one(self, box: _Box, places: Sequence[int]) -> None:
        """Analyse configurations of a box each by itself."""
        for place in places:
            row = self.single(self.family.values(box.index + place))
            if isinstance(row, str):
                box.leave_out(1, row)
            elif row is not None:
                box.found.append((np.array([place]), [array_of([value]) for value in row]))

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
    is_whole = (
        declared is None or declared.type == "int" or all(axis.is_whole for axis in family.axes if axis.name == name)
    )
    return int(value) if is_whole else Fraction(value)


def _ends(operand: Operand) -> tuple[int, int]:
    return (operand, operand) if isinstance(operand, int) else (operand.low, operand.high)


def _value(over: Any, under: Any) -> Any:
    found = Fraction(int(over), int(under))
    return int(found) if found.denominator == 1 else found


def _picked(over: Any, under: Any, shape: tuple[int, ...], places: Array) -> Array:
    """The numbers at some places of a box: whole ones as an array of them, others as fractions."""
    picked = _at(over, shape, places)
    if isinstance(under, int) and under == 1:
        return picked
    pairs = zip(picked.tolist(), _at(under, shape, places).tolist(), strict=True)
    return array_of([_value(*pair) for pair in pairs])


def _at(number: Any, shape: tuple[int, ...], places: Array) -> Array:
    if np.ndim(number) == 0:
        return array_of([number] * len(places))
    picked: Array = np.broadcast_to(np.asarray(number), shape).ravel()[places]
    return picked


def array_of(values: Sequence[Any]) -> Array:
    """Whole numbers of 64 bits as such, anything else as Python has it."""
    small = all(type(value) is int and abs(value) < 1 << 62 for value in values)
    if small:
        return np.array(values, dtype=np.int64)
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result
